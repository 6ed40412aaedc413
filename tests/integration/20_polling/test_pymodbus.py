"""The gateway polls slaves that are not ours; values arrive exact, with their decimals."""
import signal
import struct

import pytest

from conftest import free_port, profile_yaml, wait_until
from peers import PtyPair, Slave, Station, tcp_slave

PROFILE = profile_yaml("every-type", [
    "id: scaled, at: h:0, type: u16, scale: 0.1, unit: Cel, quantity: air_temp, range: [-40, 60]",
    "id: negative, at: h:1, type: s16, scale: 0.1, unit: Cel, quantity: soil_temp, range: [-40, 60]",
    "id: float, at: h:4, type: f32, unit: hPa, quantity: press, range: [800, 1100]",
    'id: swapped, at: h:6, type: f32, order: CDAB, unit: "%", quantity: rh, range: [0, 100]',
    "id: whole, at: h:100, type: u16, unit: uS/cm, quantity: soil_ec, range: [0, 20000]",
], serial="{baud: 115200, format: 8N1, unit: 3}", read="{max: 20, gap: 4, timeout: 300ms, retries: 1}")


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


def one_device(place, bus):
    """A running gateway with one device of the profile above."""
    return Station(place, [f"id: b, {bus}"],
                   ["id: d, profile: every-type, bus: b, unit: 3, poll: 1s"],
                   {"every-type": PROFILE}).start()


@pytest.fixture
def cable():
    pair = PtyPair()
    yield pair
    pair.close()


@pytest.mark.short
def test_values_arrive_exact_over_tcp(binary, place):
    port = free_port()
    tcp_slave(place, port, REGISTERS)
    station = one_device(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values(EXPECTED)
    assert station.state() == "online"


def test_values_arrive_exact_over_a_serial_line(binary, place, cable):
    place.add(Slave(place, "serial", cable.paths[0], REGISTERS)).wait_line("ready")
    station = one_device(place, f"type: modbus-rtu, port: {cable.paths[1]}, baud: 115200")
    station.wait_values(EXPECTED)


def test_a_refused_register_does_not_cost_the_others(binary, place):
    port = free_port()
    registers = {first: values for first, values in REGISTERS.items() if first != 4}
    registers[6] = REGISTERS[4][2:]  # 4 and 5 are missing: exception 2
    tcp_slave(place, port, registers)
    station = one_device(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values({**EXPECTED, "float": None})
    assert station.process.text.count("left out") == 1


def test_a_slave_that_hangs_is_silent_and_comes_back(binary, place):
    port = free_port()
    slave = tcp_slave(place, port, REGISTERS)
    station = one_device(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values(EXPECTED)
    slave.child.send_signal(signal.SIGSTOP)
    wait_until(lambda: station.state() == "silent", 20, "the device to be silent")
    slave.child.send_signal(signal.SIGCONT)
    wait_until(lambda: station.state() == "online", 20, "the device to be online")
    station.wait_values(EXPECTED)


def test_a_slave_that_restarts_is_found_again(binary, place):
    port = free_port()
    slave = tcp_slave(place, port, REGISTERS)
    station = one_device(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")
    station.wait_values(EXPECTED)
    slave.kill()
    wait_until(lambda: station.state() == "silent", 20, "the device to be silent")
    tcp_slave(place, port, {**REGISTERS, 100: [641]})
    station.wait_values({**EXPECTED, "whole": "641"}, 5)
