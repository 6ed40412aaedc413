# SPDX-License-Identifier: Apache-2.0
"""A disk that others fill: polling and alerts go on, and nobody has to help afterwards."""
import json
import os
import sqlite3
import subprocess

import pytest

from conftest import (ALWAYS_YELLOW, BINARY, INSTRUMENTS, free_port, rows_of, station_yaml,
                      wait_until)

DISK_MIB = 6
BALLAST_MIB = 1


def log_info(path, *options):
    done = subprocess.run([BINARY, "log", "info", path, *options], capture_output=True,
                          text=True, timeout=20, env=dict(os.environ, LC_ALL="C.UTF-8"))
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(place):
    done = subprocess.run([BINARY, "status", "--json", "--control", place.path / "control.sock"],
                          capture_output=True, text=True, timeout=10)
    return json.loads(done.stdout)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", folder],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no right to mount a tmpfs: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def start(place, folder, extra=ALWAYS_YELLOW):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    text = station_yaml(place.path, devices, poll="200ms", extra=extra, commit="100ms")
    text = text.replace(f"path: {place.path}/station.db",
                        f"path: {folder}/station.db, ballast: {BALLAST_MIB}MiB")
    station = place.station_file(text)
    place.sim(station)
    return place.gateway(station)


def fill(folder):
    """All that is left, as a program gone wrong would; the file."""
    other = folder / "other.log"
    with open(other, "ab", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass
    return other


def test_a_disk_that_others_fill(binary, place, small_disk):
    gateway, log = start(place, small_disk), small_disk / "station.db"
    wait_until(lambda: (small_disk / "station.db-ballast").exists(), 10, "the ballast")
    wait_until(lambda: rows_of(log) > 40, 20, "rows")
    other = fill(small_disk)
    gateway.wait_line("the ballast was given away", 60)
    assert not (small_disk / "station.db-ballast").exists()
    before = rows_of(log)
    wait_until(lambda: rows_of(log) > before + 20, 20, "commits on the ballast's room")
    fill(small_disk)  # and that too
    polled = status(place)
    assert polled["devices"] and all(d["state"] == "online" for d in polled["devices"])
    other.unlink()
    before = rows_of(log)
    wait_until(lambda: rows_of(log) > before + 20, 30, "commits on the disk that is free")
    wait_until(lambda: not status(place)["log"].get("error"), 10, "no error")
    gateway.wait_line("there is room for the ballast again", 30)
    wait_until(lambda: status(place).get("alerts"), 30, "the alert")
    assert gateway.is_running()
    assert gateway.stop()[0] == 0
    db = sqlite3.connect(small_disk / "station.db")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    topics = [t for t, in db.execute("SELECT topic FROM entry WHERE kind = 2")]
    assert "alert" in topics, topics


def test_an_alert_while_nothing_can_be_written(binary, place, small_disk):
    """The rule is judged from the first sample on; the station begins with a full disk."""
    fill(small_disk).rename(small_disk / "other")
    with open(small_disk / "other", "r+b") as f:
        f.truncate(os.path.getsize(f.name) - (1 << 20))
    gateway = start(place, small_disk)
    gateway.wait_line("no room for the ballast", 20)
    wait_until(lambda: status(place).get("alerts"), 30, "an alert")
    fill(small_disk)
    wait_until(lambda: all(d["state"] == "online" for d in status(place)["devices"]), 10, "polls")
    assert gateway.is_running()


@pytest.mark.short
def test_log_info_beside_the_running_station(binary, place, tmp_path):
    start(place, tmp_path)
    path = tmp_path / "station.db"
    wait_until(lambda: rows_of(path) > 40, 30, "rows")
    wait_until(lambda: json.loads(log_info(path, "--json"))["last"] > 8, 30, "frames")
    told = json.loads(log_info(path, "--json"))
    assert told["schema"] >= 2 and len(told["epoch"]) == 16
    assert told["samples"] > 0 and told["used_bytes"] > 0
    raw = [s for s in told["streams"] if s["frames"] and not s["local"]]
    assert raw and all(s["codec"] in ("DENSE", "PLAIN") and s["bytes"] > 0 for s in raw)
    text = log_info(path)
    assert "epoch " + told["epoch"] in text and raw[0]["name"] in text
    zh = subprocess.run([BINARY, "--lang", "zh", "log", "info", path], capture_output=True,
                        text=True, timeout=20)
    assert zh.returncode != 0 or "数据流" in zh.stdout


def test_log_info_of_what_is_no_log(binary, tmp_path):
    other = tmp_path / "other"
    other.write_text("This is a letter.\n" * 100)
    for path in (other, tmp_path / "missing"):
        done = subprocess.run([BINARY, "log", "info", path], capture_output=True, text=True,
                              timeout=20)
        assert done.returncode == 1 and done.stderr.startswith("sluice log: ")
    done = subprocess.run([BINARY, "log", "show"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "expected info" in done.stderr
