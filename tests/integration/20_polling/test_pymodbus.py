"""The gateway polls slaves that are not ours; values arrive exact, with their decimals."""
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import struct
import sys
import threading
import tty

import pytest

from conftest import Process, free_port, http_get, wait_until

SLAVE = pathlib.Path(__file__).with_name("slave.py")

PROFILE = """profile: 1
id: every-type
names: {en: Test instrument, zh: 试验仪器}
vendor: none
models: [test]
medium: weather
verified: datasheet
sources: ["made up for this test"]
bus:
  transports: [rtu, tcp]
  serial: {baud: 115200, format: 8N1, unit: 3}
  doc_base: 0
  order: ABCD
  read: {max: 20, gap: 4, timeout: 300ms, retries: 1}
points:
  - {id: scaled, at: h:0, type: u16, scale: 0.1, unit: Cel, quantity: air_temp, range: [-40, 60]}
  - {id: negative, at: h:1, type: s16, scale: 0.1, unit: Cel, quantity: soil_temp, range: [-40, 60]}
  - {id: float, at: h:4, type: f32, unit: hPa, quantity: press, range: [800, 1100]}
  - {id: swapped, at: h:6, type: f32, order: CDAB, unit: "%", quantity: rh, range: [0, 100]}
  - {id: whole, at: h:100, type: u16, unit: uS/cm, quantity: soil_ec, range: [0, 20000]}
"""


def float_words(value, is_swapped=False):
    high, low = struct.unpack(">2H", struct.pack(">f", value))
    return [low, high] if is_swapped else [high, low]


REGISTERS = {
    0: [213, 0x10000 - 52],
    4: float_words(1013.25) + float_words(45.6, True),
    100: [640],
}
# as printed in JSON: 21.30 would be another number of decimals
EXPECTED = {"scaled": "21.3", "negative": "-5.2", "float": "1013.25", "swapped": "45.6",
            "whole": "640"}


def blocks(registers):
    return [f"{first}={','.join(str(v) for v in values)}" for first, values in registers.items()]


class Slave(Process):
    def __init__(self, place, kind, where, registers):
        super().__init__([sys.executable, SLAVE, kind, where, 3, *blocks(registers)], place.path,
                         "slave")


class PtyPair(threading.Thread):
    """Two pseudo terminals joined back to back: a serial cable."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ends = [os.openpty() for _ in range(2)]
        self.paths = [os.ttyname(slave) for _, slave in self.ends]
        for _, slave in self.ends:
            tty.setraw(slave)
        self.is_over = False
        self.start()

    def run(self):
        masters = [m for m, _ in self.ends]
        while not self.is_over:
            for fd in select.select(masters, [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    os.write(masters[1 - masters.index(fd)], os.read(fd, 512))

    def close(self):
        self.is_over = True
        self.join()
        for pair in self.ends:
            for fd in pair:
                os.close(fd)


class Station:
    """A gateway with one device of the profile above."""

    def __init__(self, place, bus):
        self.port = free_port()
        folder = place.path / "profiles"
        folder.mkdir()
        (folder / "every-type.yaml").write_text(PROFILE)
        path = place.station_file("\n".join([
            "station: {id: test-01, region: demo, names: {en: Test, zh: 试验站}}",
            f"profiles: [{folder}]",
            f"buses: [{{id: b, {bus}}}]",
            "devices: [{id: d, profile: every-type, bus: b, unit: 3, poll: 1s}]",
            f"log: {{path: {place.path}/station.db, commit: 1s}}",
            f"http: {{listen: '127.0.0.1:{self.port}'}}",
            f"control: {place.path}/control.sock", ""]))
        self.process = place.gateway(path)

    def now(self):
        try:
            text = http_get(f"http://127.0.0.1:{self.port}/api/v1/now").decode()
        except OSError:
            return {"channels": [], "devices": [{}]}
        return json.loads(text, parse_float=str, parse_int=str)

    def values(self):
        """{point: value as printed} of the instantaneous channels."""
        return {c["point"]: c["value"] for c in self.now()["channels"] if not c["statistic"]}

    def state(self):
        return self.now()["devices"][0].get("state")

    def wait_values(self, expected, seconds=15):
        wait_until(lambda: self.values() == expected, seconds, f"{expected}, not {self.values()}")


@pytest.fixture
def cable():
    pair = PtyPair()
    yield pair
    pair.close()


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def tcp_slave(place, port, registers):
    slave = place.add(Slave(place, "tcp", port, registers))
    wait_until(lambda: accepts(port), 10, "the slave")
    return slave


@pytest.mark.short
def test_values_arrive_exact_over_tcp(binary, place):
    port = free_port()
    tcp_slave(place, port, REGISTERS)
    station = Station(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values(EXPECTED)
    assert station.state() == "online"


def test_values_arrive_exact_over_a_serial_line(binary, place, cable):
    place.add(Slave(place, "serial", cable.paths[0], REGISTERS)).wait_line("ready")
    station = Station(place, f"type: modbus-rtu, port: {cable.paths[1]}, baud: 115200")
    station.wait_values(EXPECTED)


def test_a_refused_register_does_not_cost_the_others(binary, place):
    port = free_port()
    registers = {first: values for first, values in REGISTERS.items() if first != 4}
    registers[6] = REGISTERS[4][2:]  # 4 and 5 are missing: exception 2
    tcp_slave(place, port, registers)
    station = Station(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values({**EXPECTED, "float": None})
    assert station.process.text.count("left out") == 1


def test_a_slave_that_hangs_is_silent_and_comes_back(binary, place):
    port = free_port()
    slave = tcp_slave(place, port, REGISTERS)
    station = Station(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values(EXPECTED)
    slave.child.send_signal(signal.SIGSTOP)
    wait_until(lambda: station.state() == "silent", 20, "the device to be silent")
    slave.child.send_signal(signal.SIGCONT)
    wait_until(lambda: station.state() == "online", 20, "the device to be online")
    station.wait_values(EXPECTED)


def test_a_slave_that_restarts_is_found_again(binary, place):
    port = free_port()
    slave = tcp_slave(place, port, REGISTERS)
    station = Station(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values(EXPECTED)
    slave.kill()
    wait_until(lambda: station.state() == "silent", 20, "the device to be silent")
    tcp_slave(place, port, {**REGISTERS, 100: [641]})
    station.wait_values({**EXPECTED, "whole": "641"}, 5)
