"""kill -9 of each part at random moments under load: nothing lost, nothing doubled."""
import time

import pytest
from kills import (Killer, influx_points, kill_gateways, settle_and_compare, station_of,
                   victoria_points)
from conftest import wait_until

pytestmark = pytest.mark.usefixtures("binary")

GATEWAYS, OTHERS = 200, 10
SEED = 20261122


def kill_all(place, seed, gateways=GATEWAYS, others=OTHERS):
    """Gateway, broker, ingest and VictoriaMetrics; returns what was killed and what was kept."""
    broker, db = place.broker(), place.victoria()
    ingest = place.ingest(broker, db.url)
    station = station_of(place, broker)
    every_s = gateways * 0.2 / others
    killers = [Killer(p, others, every_s, seed) for p in (broker, db, ingest)]
    for k in killers:
        k.start()
    kill_gateways(place, station, gateways, seed, 0.3)
    killed = [k.finish() for k in killers]
    accepted = settle_and_compare(place, station, lambda: victoria_points(db))
    return dict(zip(("gateway", "broker", "database", "ingest"), [gateways, *killed])), accepted


def kill_influx(place, seed, others=OTHERS):
    broker, db = place.broker(), place.influx()
    place.ingest(broker, db.url, "--database", "sluice")
    station = station_of(place, broker)
    gateway = place.gateway(station)
    killer = Killer(db, others, 1.0, seed)
    killer.start()
    killed = killer.finish()
    assert gateway.stop()[0] == 0
    return {"influxdb": killed}, settle_and_compare(place, station, lambda: influx_points(db))


@pytest.mark.slow(50)
def test_kill_9_of_gateway_broker_ingest_and_victoria_metrics(place, record_property):
    began = time.monotonic()
    killed, accepted = kill_all(place, SEED)
    print(f"killed {killed}, {accepted} samples, {time.monotonic() - began:.0f} s")
    assert killed == {"gateway": GATEWAYS, "broker": OTHERS, "database": OTHERS, "ingest": OTHERS}
    record_property("samples", accepted)


@pytest.mark.slow(14)
def test_kill_9_of_influxdb(place):
    killed, accepted = kill_influx(place, SEED)
    print(f"killed {killed}, {accepted} samples")
    assert killed == {"influxdb": OTHERS}
