"""What links do to a session: every sample is in the database once all the same."""
import contextlib
import os
import threading
import time

import pytest
from conftest import INSTRUMENTS, Broker, free_port, http_json, station_yaml, wait_until
from proxy import DOWN, UP, Proxy
from test_file import sqlite3

pytestmark = pytest.mark.usefixtures("binary")
SOAK = os.environ.get("SLUICE_SOAK") == "1"


def shared_cells(path):
    with sqlite3.connect(f"file:{path}/station.db?mode=ro", uri=True) as db:
        return db.execute("SELECT sum(samples) FROM entry WHERE NOT is_local").fetchone()[0] or 0


class Line:
    """A station whose uplink leads through a proxy."""

    def __init__(self, place, uplinks, poll="200ms"):
        devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
        self.place, self.http = place, free_port()
        self.file = place.station_file(station_yaml(place.path, devices, uplinks, poll,
                                                    http=f"127.0.0.1:{self.http}",
                                                    commit="200ms").replace("seal: 2s", "seal: 1s"))
        place.sim(self.file)
        self.gateway = place.gateway(self.file).wait_line("runs")

    def uplinks(self):
        with contextlib.suppress(OSError):
            return self.read()
        return {}

    def read(self):
        return {u["id"]: u for u in http_json(f"http://127.0.0.1:{self.http}/api/v1/now")["uplinks"]}

    def acked(self, uplink="centre"):
        return self.uplinks().get(uplink, {}).get("acked_seq", 0)

    def end(self, db, seconds=40):
        """Everything accepted is in the database, once."""
        assert self.gateway.stop()[0] == 0
        self.place.drain(self.file)
        accepted = shared_cells(self.place.path)
        wait_until(lambda: db.count() >= accepted, seconds, f"all {accepted} samples")
        assert db.count() == accepted > 50
        return accepted


def wait_for(condition, seconds):
    """Like wait_until, but the end of the time is no failure."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.005)


def sweep(proxy, way, offsets):
    """Cuts a connection after each number of bytes; the one that follows is let through, or the
    back-off would grow with every cut."""
    for offset in offsets:
        cuts, connections = proxy.cuts, proxy.connections
        proxy.plan(*((offset, None) if way == UP else (None, offset)))
        wait_for(lambda: proxy.cuts > cuts, 6)
        proxy.plan()
        wait_for(lambda: proxy.connections > connections + 1 and min(proxy.passed) > 20, 6)


# every byte, side by side with `-n 8`: of part n every eighth from n on
BROKER_CUTS = [(range(1 + n, 3000, 8), range(1 + n, 600, 8)) for n in range(8)]


@pytest.mark.parametrize("up,down", BROKER_CUTS if SOAK else [(range(1, 1500, 211), range(1, 200, 71))])
def test_a_session_with_the_broker_cut_at_its_bytes(place, up, down):
    broker, db = place.broker(), place.victoria()
    ingest = place.ingest(broker, db.url).wait_line("ready")
    proxy = Proxy(broker.port)
    line = Line(place, f'[{{id: centre, type: mqtt, url: "mqtt://127.0.0.1:{proxy.port}", ack_interval: 1s}}]')
    wait_until(lambda: line.acked() > 3, 20, "the first acknowledgement")
    sweep(proxy, UP, up)
    sweep(proxy, DOWN, down)
    assert proxy.cuts > (len(up) + len(down)) / 2
    print(f"{proxy.cuts} connections cut")
    wait_until(lambda: line.uplinks()["centre"]["connected"], 60, "the uplink")
    line.end(db, 90)
    assert ingest.is_running()


def test_a_session_with_the_database_cut_at_its_bytes(place):
    db = place.victoria()
    proxy = Proxy(db.port)
    line = Line(place, f'[{{id: db, type: influx, url: "http://127.0.0.1:{proxy.port}", timeout: 2s}}]')
    wait_until(lambda: line.acked("db") > 3, 20, "the first delivery")
    sweep(proxy, DOWN, range(1, 110, 1 if SOAK else 31))  # stored, and the answer is lost
    sweep(proxy, UP, range(1, 1500, 1 if SOAK else 499))
    assert proxy.cuts > (1000 if SOAK else 5)
    line.end(db)


def test_lost_acknowledgements_cost_repetition_alone(place):
    broker, db = place.broker(), place.victoria()
    place.ingest(broker, db.url).wait_line("ready")
    proxy = Proxy(broker.port)
    line = Line(place, f'[{{id: centre, type: mqtt, url: "mqtt://127.0.0.1:{proxy.port}", ack_interval: 1s}}]')
    wait_until(lambda: line.acked() > 3, 20, "the first acknowledgement")
    proxy.swallows[DOWN] = True  # PUBACKs and the centre's word
    before = db.count()
    wait_until(lambda: db.count() > before + 20, 20, "samples all the same")
    threading.Event().wait(3)
    proxy.swallows[DOWN] = False
    proxy.plan()
    line.end(db, 60)


def test_a_slow_line_only_delays(place):
    broker, db = place.broker(), place.victoria()
    place.ingest(broker, db.url).wait_line("ready")
    proxy = Proxy(broker.port)
    proxy.delay_s = 0.15
    line = Line(place, f'[{{id: centre, type: mqtt, url: "mqtt://127.0.0.1:{proxy.port}", ack_interval: 1s}}]')
    wait_until(lambda: line.acked() > 10, 40, "acknowledgements")
    proxy.delay_s = 0
    line.end(db)


@pytest.mark.parametrize("option", ["topic_alias: true", 'version: "3.1.1"'])
def test_other_ways_to_speak_to_the_broker(place, option):
    broker, db = place.broker(), place.victoria()
    place.ingest(broker, db.url).wait_line("ready")
    proxy = Proxy(broker.port)
    line = Line(place, f'[{{id: centre, type: mqtt, url: "mqtt://127.0.0.1:{proxy.port}", '
                       f'ack_interval: 1s, {option}}}]')
    wait_until(lambda: line.acked() > 5, 20, "acknowledgements")
    proxy.plan()  # a new connection, which knows no alias
    before = line.acked()
    wait_until(lambda: line.acked() > before + 5, 20, "acknowledgements on the next connection")
    line.end(db)


def pair_of(first_port, second_port, kind="mqtt"):
    scheme = "mqtt" if kind == "mqtt" else "http"
    extra = ", ack_interval: 1s" if kind == "mqtt" else ", timeout: 30s"
    return (f'[{{id: first, type: {kind}, url: "{scheme}://127.0.0.1:{first_port}"{extra}, '
            f'fallback: second, failover_after: 3s}}, '
            f'{{id: second, type: {kind}, url: "{scheme}://127.0.0.1:{second_port}"{extra}}}]')


@pytest.mark.short
def test_the_fallback_takes_over_and_gives_back(place):
    """Two brokers, one centre for each, one database."""
    db, first = place.victoria(), place.broker()
    (place.path / "second").mkdir()
    second = place.add(Broker(place.path / "second"))
    for b in (first, second):
        place.ingest(b, db.url).wait_line("ready")
    line = Line(place, pair_of(first.port, second.port))
    wait_until(lambda: line.acked("first") > 3, 20, "acknowledgements")
    assert line.uplinks()["second"]["standby"] and line.uplinks()["second"]["sent"] == 0
    for _ in range(2):
        first.kill()
        begin, count = time.monotonic(), line.acked("first")
        wait_until(lambda: line.acked("second") > count + 3, 15, "the fallback")
        took = time.monotonic() - begin
        assert took < 10
        print(f"fallback delivers after {took:.1f} s")
        first.start()
        wait_until(lambda: line.uplinks()["second"]["standby"] and line.uplinks()["first"]["connected"],
                   30, "the first one")
    line.end(db)


def test_a_line_that_goes_silent_fails_over_too(place):
    """Half open: no reset, no answer, as behind a dead router."""
    db = place.victoria()
    proxy = Proxy(db.port)
    line = Line(place, pair_of(proxy.port, db.port, "influx"))
    wait_until(lambda: line.acked("first") > 3, 20, "deliveries")
    proxy.is_silent = True
    begin, count = time.monotonic(), line.acked("second")
    wait_until(lambda: line.acked("second") > count + 3, 15, "the fallback")
    assert time.monotonic() - begin < 10
    proxy.is_silent = False
    wait_until(lambda: line.uplinks()["second"]["standby"], 60, "the first one")
    line.end(db)


def test_a_silent_broker_fails_over_too(place):
    db, first = place.victoria(), place.broker()
    (place.path / "second").mkdir()
    second = place.add(Broker(place.path / "second"))
    for b in (first, second):
        place.ingest(b, db.url).wait_line("ready")
    proxy = Proxy(first.port)
    line = Line(place, pair_of(proxy.port, second.port))
    wait_until(lambda: line.acked("first") > 3, 20, "acknowledgements")
    proxy.is_silent = True
    begin, count = time.monotonic(), line.acked("second")
    wait_until(lambda: line.acked("second") > count + 3, 15, "the fallback")
    assert time.monotonic() - begin < 10
    proxy.is_silent = False
    line.end(db, 60)
