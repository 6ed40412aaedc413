"""kill -9 of the gateway under load: nothing lost, nothing doubled."""
import random
import sqlite3
import threading

import pytest
from conftest import INSTRUMENTS, free_port, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")

KILLS = 50


def log_of(path):
    return sqlite3.connect(f"file:{path}/station.db?mode=ro", uri=True)


def entries(path):
    with log_of(path) as db:
        return db.execute("SELECT seq, is_local, samples FROM entry ORDER BY seq").fetchall()


def test_kill_9_of_the_gateway_loses_and_doubles_nothing(place):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    broker, db = place.broker(), place.victoria()
    place.ingest(broker, db.url)
    uplinks = f'[{{id: centre, type: mqtt, url: "{broker.url}"}}]'
    station = place.station_file(station_yaml(place.path, devices, uplinks, poll="100ms", commit="100ms"))
    place.sim(station)
    seed = random.Random(20261122)
    for _ in range(KILLS):
        gateway = place.gateway(station)
        threading.Event().wait(seed.uniform(0.05, 0.9))
        gateway.kill()
    place.drain(station)

    rows = entries(place.path)
    assert [r[0] for r in rows] == list(range(1, len(rows) + 1)), "the numbers have gaps"
    accepted = sum(cells for _, is_local, cells in rows if not is_local)
    assert accepted > 1000
    wait_until(lambda: db.count() >= accepted, 30, "the last samples in the database")
    assert db.count() == accepted
