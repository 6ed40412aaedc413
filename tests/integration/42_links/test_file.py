"""Files on a disk: every entry once, whatever happens to the gateway or to the disk."""
import contextlib
import csv
import json
import os
import signal
import sqlite3
import subprocess
import threading

import pytest
from conftest import INSTRUMENTS, free_port, http_json, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def frames_of(path):
    data = path.read_bytes()
    assert data[:4] == b"SF1\n"
    at = 4
    while at < len(data):
        size, at = varint(data, at)
        assert at + size <= len(data)
        yield data[at:at + size]
        at += size


def files(folder, suffix):
    return sorted(p for p in folder.glob(f"test-01-*.{suffix}*"))


def check_everything_once(place, folder):
    """The files hold what the log holds: frames byte by byte, rows cell by cell, events."""
    with contextlib.closing(sqlite3.connect(f"file:{place.path}/station.db?mode=ro", uri=True)) as db:
        frames = [bytes(d) for d, in db.execute(
            "SELECT data FROM entry WHERE kind = 1 AND NOT is_local ORDER BY seq")]
        events = [json.loads(d) for d, in db.execute("SELECT data FROM entry WHERE kind = 2 ORDER BY seq")]
        cells = db.execute("SELECT sum(samples) FROM entry WHERE NOT is_local").fetchone()[0]
    assert sorted(f for p in files(folder, "sf1") for f in frames_of(p)) == sorted(frames)
    found = [json.loads(line) for p in files(folder, "jsonl") for line in p.read_text().splitlines()]
    assert sorted(e["seq"] for e in found) == [e["seq"] for e in events]
    lines = 0
    for p in files(folder, "csv"):
        with p.open() as f:
            assert next(csv.reader(f)) == ["time", "channel", "value", "unit", "flag"]
            lines += sum(1 for _ in f)
    assert lines == cells > 0


class FileStation:
    def __init__(self, place, options, poll="200ms"):
        devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
        self.http = free_port()
        self.place = place
        self.file = place.station_file(station_yaml(
            place.path, devices, f"[{{id: disk, type: file, {options}}}]", poll,
            http=f"127.0.0.1:{self.http}"))
        place.sim(self.file)
        self.gateway = place.gateway(self.file)

    def uplink(self):
        with contextlib.suppress(OSError, IndexError):
            return http_json(f"http://127.0.0.1:{self.http}/api/v1/now")["uplinks"][0]
        return {}

    def wait(self, condition, seconds, what):
        wait_until(lambda: condition(self.uplink()), seconds, what)

    def end(self):
        assert self.gateway.stop()[0] == 0
        self.place.drain(self.file)


@pytest.mark.short
def test_files_hold_what_the_log_holds(place):
    folder = place.path / "out"
    s = FileStation(place, f"path: {folder}, rotate_every: 2s")
    s.wait(lambda u: u.get("acked_seq", 0) > 20, 20, "entries on the disk")
    s.end()
    assert len(files(folder, "sf1")) > 1  # rotated
    assert sum(p.suffix == ".part" for p in files(folder, "sf1")) <= 1
    for layout in folder.glob("layout-*.json"):
        assert json.loads(layout.read_text())["layout"] == layout.stem[7:]
    check_everything_once(place, folder)


def test_a_killed_gateway_writes_nothing_twice(place):
    folder = place.path / "out"
    s = FileStation(place, f"path: {folder}")
    for n in range(12):
        s.wait(lambda u, least=5 * n: u.get("acked_seq", 0) > least, 20, "progress")
        threading.Event().wait(0.05 * (n % 5))
        s.gateway.kill()
        if n % 3 == 0:  # what a torn write leaves behind the recorded end
            for p in files(folder, "sf1.part") + files(folder, "csv.part"):
                with p.open("ab") as f:
                    f.write(os.urandom(300))
        s.gateway.start()
    s.wait(lambda u: u.get("connected"), 20, "the uplink")
    s.end()
    check_everything_once(place, folder)


@contextlib.contextmanager
def disk(path, size="4m"):
    """A small disk at `path`; skips where mounting is not allowed."""
    path.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                          capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_a_disk_that_is_not_there_is_waited_for(place):
    mount = place.path / "usb"
    mount.mkdir()
    s = FileStation(place, f"path: {mount}/sluice, mount: {mount}, keep_free: 0kB")
    s.wait(lambda u: "nothing is mounted" in u.get("error", ""), 20, "the reason")
    assert list(mount.iterdir()) == []  # the bare mount point stays empty
    with disk(mount):
        s.wait(lambda u: u.get("connected") and u["acked_seq"] > 5, 20, "the disk to be found")
        first = files(mount / "sluice", "sf1")
        assert first
    s.wait(lambda u: "nothing is mounted" in u.get("error", ""), 20, "the disk to be missed")
    assert list(mount.iterdir()) == []
    before = s.uplink()["acked_seq"]
    with disk(mount):  # another, empty one: goes on, begins no entry again
        s.wait(lambda u: u.get("connected") and u["acked_seq"] > before, 20, "the other disk")
        assert all(int(p.name.split("-")[3].split(".")[0]) > before
                   for p in files(mount / "sluice", "sf1"))


def test_a_full_disk_is_waited_for_and_nothing_is_torn(place):
    mount = place.path / "small"
    with disk(mount, "256k"):
        ballast = mount / "ballast"
        s = FileStation(place, f"path: {mount}/sluice, mount: {mount}, keep_free: 0kB")
        s.wait(lambda u: u.get("acked_seq", 0) > 5, 20, "entries on the disk")
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as f:
            while True:
                f.write(b"x" * 4096)
        s.wait(lambda u: "No space left" in u.get("error", ""), 30, "the full disk")
        s.gateway.child.send_signal(signal.SIGKILL)
        s.gateway.child.wait()
        ballast.unlink()
        s.gateway.start()
        s.wait(lambda u: u.get("connected"), 30, "room")
        s.end()
        check_everything_once(place, mount / "sluice")
