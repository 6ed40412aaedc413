"""The wall clock steps, is not there, comes: nothing lost, doubled or at a wrong time."""
import json
import mmap
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import threading
import time

import pytest
from conftest import (BINARY, INSTRUMENTS, answers, free_port, http_get, http_json, station_yaml,
                      wait_until)

pytestmark = pytest.mark.usefixtures("binary")
HERE = pathlib.Path(__file__).parent
SECOND, HOUR, DAY = 1000, 3600 * 1000, 24 * 3600 * 1000


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler to build the wall clock of a single process")
    library = tmp_path_factory.mktemp("wall_clock") / "wall_clock.so"
    subprocess.run([compiler, "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-o", library,
                    HERE / "wall_clock.c"], check=True)
    return library


class WallClock:
    """The clock of the gateway under test."""

    def __init__(self, path, library):
        path.write_bytes(bytes(16))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 16)
        self.env = {"LD_PRELOAD": str(library), "WALL_CLOCK": str(path)}
        self.offset = 0

    def set(self, offset, synchronised):
        self.offset = offset
        self.map[:] = struct.pack("qq", offset, synchronised)

    def now(self):
        return time.time() * 1000 + self.offset


class Station:
    def __init__(self, place, library, monkeypatch):
        self.place, self.monkeypatch = place, monkeypatch
        self.clock = WallClock(place.path / "wall_clock", library)
        self.db = place.victoria()
        self.page = free_port()
        devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
        self.file = place.station_file(station_yaml(
            place.path, devices, f'[{{id: db, type: influx, url: "{self.db.url}"}}]',
            poll="200ms", http=f"127.0.0.1:{self.page}"))
        place.sim(self.file)

    def up(self):
        with self.monkeypatch.context() as m:
            for name, value in self.clock.env.items():
                m.setenv(name, value)
            self.gateway = self.place.gateway(self.file)
        wait_until(lambda: answers(f"http://127.0.0.1:{self.page}/healthz"), 10, "the page")
        return self

    def state(self):
        return http_json(f"http://127.0.0.1:{self.page}/api/v1/now")["clock"]

    def wait_state(self, state):
        wait_until(lambda: self.state()["state"] == state, 10, f"the clock to be {state}")

    def log(self, query):
        with sqlite3.connect(f"file:{self.place.path}/station.db?mode=ro", uri=True) as db:
            return db.execute(query).fetchall()

    def notices(self):
        return [json.loads(j)["what"] for j, in self.log(
            "SELECT data FROM entry WHERE kind = 2 AND topic = 'notice' ORDER BY seq")]

    def end(self):
        """Everything accepted stands in the database, once."""
        assert self.gateway.stop()[0] == 0
        self.place.drain(self.file)
        accepted = self.log("SELECT sum(samples) FROM entry WHERE NOT is_local")[0][0]
        assert accepted > 100
        wait_until(lambda: self.db.count() >= accepted, 20,
                   f"all {accepted} samples, {self.db.count()} came")
        assert self.db.count() == accepted
        return accepted


@pytest.fixture
def station(place, shim, monkeypatch):
    return Station(place, shim, monkeypatch)


def pause(seconds):
    threading.Event().wait(seconds)


@pytest.mark.slow(21)
def test_steps_either_way_lose_and_double_nothing(station):
    station.clock.set(0, 1)
    station.up()
    pause(2)
    for step in (SECOND, -SECOND, -30 * SECOND, HOUR, -HOUR, DAY, -DAY - HOUR, 2 * HOUR, -HOUR):
        station.clock.set(station.clock.offset + step, 1)
        pause(1.6)
    wait_until(lambda: station.state()["steps"] == 9, 5, "the last step")
    pause(1.5)  # the commit
    station.gateway.kill()  # and once without a word
    station.clock.set(station.clock.offset - 10 * SECOND, 1)
    station.up()
    pause(2)
    station.end()
    assert station.notices().count("clock_step") == 10
    assert "clock_start" in station.notices()


def test_a_machine_without_a_clock_gives_its_samples_their_time_later(station):
    true_offset = station.clock.offset
    begin = time.time() * 1000
    station.clock.set(-int(begin), 0)  # 1970
    station.up()
    station.wait_state("waiting")
    wait_until(lambda: station.state()["held"] > 20, 10, "rows that wait")
    live = http_json(f"http://127.0.0.1:{station.page}/api/v1/now")["channels"]
    assert any(c["value"] is not None and c["grade"] == "not_evaluated" for c in live)
    metrics = http_get(f"http://127.0.0.1:{station.page}/metrics").decode()
    assert 'sluice_clock_state{state="waiting"} 1' in metrics
    assert "sluice_clock_doubtful 1" in metrics
    assert station.db.count() == 0
    held = station.state()["held"]
    pause(1.5)  # the commit
    station.gateway.kill()
    station.up()
    wait_until(lambda: station.state()["held"] > held, 10, "the rows of before, and more")
    status = subprocess.run([BINARY, "status", "--control", station.place.path / "control.sock"],
                            capture_output=True, text=True, timeout=10)
    assert "Clock: not believed yet" in status.stdout
    station.clock.set(true_offset, 1)
    station.wait_state("synchronised")
    wait_until(lambda: station.state()["held"] == 0, 10, "the rows to have their time")
    pause(2)
    station.end()
    assert "clock_believed" in station.notices()
    end = time.time() * 1000
    times = [t for points in station.db.series('{__name__="ph_v"}').values() for t in points]
    assert min(times) >= begin and max(times) <= end
    assert min(times) < begin + 5 * SECOND  # the first samples are among them


def test_nonsense_is_not_followed(station):
    station.clock.set(0, 1)
    station.up()
    pause(1.5)
    station.clock.set(-int(time.time() * 1000), 0)
    wait_until(lambda: station.state()["refused"], 10, "the refusal")
    assert station.state()["state"] == "holdover"
    pause(1.5)
    station.clock.set(0, 1)
    station.wait_state("synchronised")
    station.end()
    assert "clock_refused" in station.notices()
    times = [t for points in station.db.series('{__name__="ph_v"}').values() for t in points]
    assert max(times) - min(times) < 60 * SECOND
