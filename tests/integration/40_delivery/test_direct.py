"""Straight from the station into a database: exact values, outages, both kinds of database."""
import sqlite3
import threading

import pytest
from conftest import INSTRUMENTS, free_port, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


def shared_cells(path):
    """Cells of all frames that are for the uplinks; after a drain nothing is pending."""
    with sqlite3.connect(f"file:{path}/station.db?mode=ro", uri=True) as db:
        return db.execute("SELECT sum(samples) FROM entry WHERE NOT is_local").fetchone()[0] or 0


def station(place, uplinks, poll="200ms"):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    file = place.station_file(station_yaml(place.path, devices, uplinks, poll=poll))
    place.sim(file)
    return file


@pytest.mark.short
def test_every_accepted_sample_stands_once_in_victoria_metrics(place):
    db = place.victoria()
    file = station(place, f'[{{id: db, type: influx, url: "{db.url}"}}]')
    gateway = place.gateway(file).wait_line("runs")
    wait_until(lambda: db.count() > 100, 20, "samples in the database")
    assert gateway.stop()[0] == 0
    place.drain(file)
    accepted = shared_cells(place.path)
    wait_until(lambda: db.count() >= accepted, 20, "the last samples")
    assert db.count() == accepted


def test_every_accepted_sample_stands_once_in_influxdb(place):
    db = place.influx()
    file = station(place, f'[{{id: db, type: influx, url: "{db.url}", database: sluice}}]')
    gateway = place.gateway(file).wait_line("runs")
    threading.Event().wait(4)
    assert gateway.stop()[0] == 0
    place.drain(file)
    counts = db.query("SELECT count(f) FROM /.*/")["results"][0]["series"]
    stored = sum(row[1] for series in counts for row in series["values"])
    assert stored == shared_cells(place.path) > 100


def test_an_outage_of_the_database_loses_nothing(place):
    db = place.victoria()
    file = station(place, f'[{{id: db, type: influx, url: "{db.url}"}}]')
    gateway = place.gateway(file).wait_line("runs")
    wait_until(lambda: db.count() > 50, 20, "samples in the database")
    db.stop()  # killed, it would forget what it acknowledged and had not flushed
    threading.Event().wait(3)
    db.start()
    before = db.count()
    wait_until(lambda: db.count() > before + 100, 30, "samples after the outage")
    assert gateway.stop()[0] == 0
    place.drain(file)
    accepted = shared_cells(place.path)
    wait_until(lambda: db.count() >= accepted, 20, "the last samples")
    assert db.count() == accepted


def test_values_keep_their_decimals_and_raw_ones_stay(place):
    db = place.victoria()
    file = station(place, f'[{{id: db, type: influx, url: "{db.url}"}}]')
    place.gateway(file).wait_line("runs")
    wait_until(lambda: db.series('{__name__="ph_v"}'), 20, "pH in the database")
    with sqlite3.connect(f"file:{place.path}/station.db?mode=ro", uri=True) as log:
        local = log.execute("SELECT count(*) FROM stream WHERE is_local").fetchone()[0]
    assert local >= 1  # ozone is read in ppb
    assert not db.series('{__name__=~".*raw.*"}')
    doses = [v for points in db.series('{__name__="dose_rate_air_v"}').values()
             for v in points.values()]
    assert doses
    for value in doses:  # a float32 register arrives as its shortest decimal
        assert float(f"{value:.8g}") == value
