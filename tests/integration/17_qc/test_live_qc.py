"""The chain at work in the gateway: what an instrument shows wrongly stands in the database with
its final flag, also when the gateway is killed between a sample and the one that judges it."""
import contextlib
import csv
import io
import socket
import sqlite3
import struct
import threading

import pytest
from conftest import free_port, profile_yaml, rows_of, sluice, wait_until
from peers import Station

pytestmark = pytest.mark.usefixtures("binary")

PROFILE = profile_yaml("scripted", [
    "id: air_temp, at: h:0, type: f32, unit: Cel, quantity: air_temp, range: [-60, 60]",
    'id: rh, at: h:2, type: f32, unit: "%", quantity: rh, range: [0, 105]',
    "id: press, at: h:4, type: f32, unit: hPa, quantity: press, range: [300, 1100]",
    "id: wind_speed, at: h:6, type: f32, unit: m/s, quantity: wind_speed, range: [0, 75]",
])
CHECKS = """
qc:
  air_temp: {spike: {suspect: 5}, rate: {suspect: 0}, hold: {gap: 60, samples: 0}}
  rh: {stuck: 4, hold: {gap: 60, samples: 0}}
  press: {spike: {suspect: 0}, rate: {suspect: 0}, hold: {gap: 60, samples: 0}}
  wind_speed: {missing: -999, hold: {gap: 60, samples: 0}}
"""
SAMPLES, SPIKES, STUCK, OUT_OF_RANGE, SENTINEL, KILL = 36, (12, 24), range(15, 21), 8, 9, 24
GOOD, SUSPECT, BAD, MISSING = 0, 2, 3, 4
REASON_RANGE, REASON_STUCK, REASON_SPIKE = 15, 18, 21


def values(i):
    return (40 if i in SPIKES else 20 + i % 3 / 8, 55 if i in STUCK else 60 + i % 7,
            5000 if i == OUT_OF_RANGE else 1000 + i % 3, -999 if i == SENTINEL else 3 + i % 3 / 2)


class Slave(threading.Thread):
    """Shows the next values at each request; from sample `hold` on it waits for go."""

    def __init__(self, port, hold):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", port))
        self.served, self.hold, self.go = 0, hold, threading.Event()
        self.start()

    def run(self):
        while True:
            connection, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            while head := connection.recv(12, socket.MSG_WAITALL):
                number, _, _, unit, _, at, n = struct.unpack(">HHHBBHH", head)
                if self.served == self.hold and not self.go.is_set():
                    self.go.wait()
                    return
                registers = b"".join(struct.pack(">f", v) for v in values(self.served))
                self.served += 1
                body = struct.pack(">BBB", unit, 3, 2 * n) + registers[2 * at:2 * (at + n)]
                connection.sendall(struct.pack(">HHH", number, 0, len(body)) + body)


def rows_sealed(log):
    """Rows of the device that are in frames; the one behind them is committed, too."""
    with contextlib.closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as db:
        return db.execute("SELECT rows_sealed FROM stream WHERE name = 'dev.d'").fetchone()[0]


def grade_and_reasons(flag):
    return flag >> 3 & 7, flag >> 6


def expected(quantity, i):
    if quantity == "air_temp" and i in SPIKES:
        return SUSPECT, 1 << REASON_SPIKE
    if quantity == "rh" and i in STUCK and i - STUCK[0] >= 3:
        return BAD, 1 << REASON_STUCK
    if quantity == "press" and i == OUT_OF_RANGE:
        return BAD, 1 << REASON_RANGE
    if quantity == "wind_speed" and i == SENTINEL:
        return MISSING, 0
    return GOOD, 0


@pytest.mark.short
@pytest.mark.slow(25)
def test_final_flags_reach_the_database_also_across_a_kill(place):
    db, port = place.victoria(), free_port()
    station = Station(place, [f"id: b, type: modbus-tcp, host: 127.0.0.1, port: {port}"],
                      ["id: d, profile: scripted, bus: b, unit: 1, poll: 500ms"],
                      {"scripted": PROFILE},
                      CHECKS + f'uplinks: [{{id: db, type: influx, url: "{db.url}"}}]')
    text = station.file.read_text().replace("commit: 1s", "commit: 20ms, seal: 1s")
    station.file.write_text(text)
    log = place.path / "station.db"
    slave = Slave(port, KILL + 1)
    station.start()
    wait_until(lambda: slave.served == KILL + 1, 40, "the spike")
    wait_until(lambda: rows_sealed(log) >= KILL, 10, "its commit")
    station.process.kill()
    slave.go.set()
    gateway = station.start().process
    wait_until(lambda: slave.served >= SAMPLES, 40, "the rest")
    assert gateway.stop()[0] == 0
    place.drain(station.file)
    found = db.series('{__name__=~".+_f",dev="d"}')
    for quantity in ("air_temp", "rh", "press", "wind_speed"):
        flags = [int(f) for _, f in sorted(found[(f"{quantity}_f", "d", None)].items())]
        flags = [f for f in flags if f & 7 != 5]  # what the slave did not show
        assert len(flags) >= SAMPLES
        assert [grade_and_reasons(f) for f in flags[:SAMPLES]] == [
            expected(quantity, i) for i in range(SAMPLES)], quantity


SECONDS = 14


@pytest.mark.slow(18)
def test_what_the_simulator_measures_wrong_is_flagged(place):
    port = free_port()
    station = Station(place, [f"id: b, type: modbus-tcp, host: 127.0.0.1, port: {port}"],
                      ["id: d, profile: scripted, bus: b, unit: 1, poll: 1s"],
                      {"scripted": PROFILE}, CHECKS)
    place.sim(station.file, "--calm", "--disturb", "air_temp=spike:15@4s+1s/4s", "--disturb",
              "rh=stuck@3s+1h", "--disturb", "press=show:5000@4s+2s/6s", "--disturb",
              "wind_speed=show:-999@5s+2s/6s")
    gateway = station.start().process
    wait_until(lambda: len([v for v in station.values().values() if v]) == 4, 15, "readings")
    wait_until(lambda: rows_of(place.path / "station.db") >= SECONDS, 40, "its commit")
    assert gateway.stop()[0] == 0
    place.drain(station.file)
    text = sluice("export", "--channel", "d/*", place.path / "station.db").stdout
    table = [r for r in csv.DictReader(io.StringIO(text))][:SECONDS]
    seen = {c: {grade_and_reasons(int(r[c].partition(";")[2] or 0)) for r in table}
            for c in table[0] if c.startswith("d/")}
    assert (SUSPECT, 1 << REASON_SPIKE) in seen["d/air_temp"], seen
    assert (BAD, 1 << REASON_STUCK) in seen["d/rh"]
    assert (BAD, 1 << REASON_RANGE) in seen["d/press"]
    assert MISSING in {grade for grade, _ in seen["d/wind_speed"]}
    assert all((GOOD, 0) in seen[c] for c in seen)
