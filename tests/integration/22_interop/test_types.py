"""Every type in every word order, from pymodbus over every transport: what Python's struct packed
is what the gateway says, to the last digit."""
import json
import struct
import subprocess

import pytest

from conftest import free_port
from peers import PtyPair, Slave, Station, tcp_slave

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
# type: struct's code, value, as printed
TYPES = {
    "u16": ("H", 48879, "48879"),
    "s16": ("h", -12345, "-12345"),
    "u32": ("I", 3735928559, "3735928559"),
    "s32": ("i", -1985229329, "-1985229329"),
    "u64": ("Q", 1234567890123456789, "1234567890123456789"),
    "s64": ("q", -9876543210987654, "-9876543210987654"),
    "f32": ("f", -1013.25, "-1013.25"),
    "f64": ("d", 3.141592653589793, "3.141592653589793"),
    "bcd16": ("H", 0x1234, "1234"),
    "bcd32": ("I", 0x98765432, "98765432"),
}
STEP = 100  # registers between the orders
TEXT = "Wasser 7"  # no channel: sluice test alone shows it
TEXTS = {f"text_{order.lower()}": TEXT for order in ORDERS}
BITS = {"register_bit": "1", "no_bit": "0", "coil": "1", "input_bit": "0", "field": "171"}


def in_order(raw, order):
    """Bytes, most significant first, as registers in a word order."""
    words = [raw[i:i + 2] for i in range(0, len(raw), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [w[::-1] for w in words]
    return [int.from_bytes(w, "big") for w in words]


def point(name, at, kind, more=""):
    return (f"  - {{id: {name}, at: \"{at}\", type: {kind}, unit: Cel, quantity: air_temp, "
            f"range: [-1e30, 1e30]{more}}}")


def everything(space):
    """Profile, registers and expected values with the numbers in one register space."""
    lines, registers, expected = [], {}, {}
    for k, order in enumerate(ORDERS):
        at = k * STEP
        for kind, (code, value, printed) in TYPES.items():
            name = f"{kind}_{order.lower()}"
            words = in_order(struct.pack(f">{code}", value), order)
            registers[f"{space}:{at}"] = words
            lines.append(point(name, f"{space}:{at}", kind, f", order: {order}"))
            expected[name] = printed
            at += len(words)
    for k, order in enumerate(ORDERS):  # characters have a byte order and no word order
        swapped = "BADC" if order in ("BADC", "DCBA") else "ABCD"
        registers[f"h:{600 + 10 * k}"] = in_order(TEXT.encode(), swapped)
        lines.append(f"  - {{id: text_{order.lower()}, at: \"h:{600 + 10 * k}/4\", type: str, "
                     f"order: {order}}}")
    registers["h:500"] = [0x0008, 0x0AB0]
    registers["c:3"], registers["d:9"] = [1], [0]
    lines += [point("register_bit", "h:500.3", "bit"), point("no_bit", "h:500.4", "bit"),
              point("coil", "c:3", "bit"), point("input_bit", "d:9", "bit"),
              point("field", "h:501", "u16", ", mask: 0x0FF0, shift: 4")]
    profile = "\n".join([
        "profile: 1", "id: everything", "names: {en: Everything, zh: 全部}", "vendor: none",
        "models: [test]", "medium: weather", "verified: datasheet",
        'sources: ["made up for this test"]', "bus:", "  transports: [rtu, tcp]",
        "  serial: {baud: 115200, format: 8N1, unit: 3}", "  doc_base: 0", "  order: ABCD",
        "  read: {max: 100, gap: 0, timeout: 1s, retries: 1}", "points:", *lines, ""])
    return profile, registers, {**expected, **BITS}


def check_pass(binary, station, expected):
    """One pass of sluice test says the same."""
    done = subprocess.run([binary, "test", "--config", station.file, "--json"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = json.loads(done.stdout, parse_float=str, parse_int=str)
    points = {p["id"]: p["value"] for p in shown["devices"][0]["points"]}
    assert points == {**expected, **TEXTS}


DEVICE = "id: d, profile: everything, bus: b, unit: 3, poll: 1s"


@pytest.fixture
def cable():
    pair = PtyPair()
    yield pair
    pair.close()


@pytest.mark.parametrize("space", ["h", "i"])
@pytest.mark.short
def test_over_tcp(binary, place, space):
    profile, registers, expected = everything(space)
    port = free_port()
    tcp_slave(place, port, registers)
    station = Station(place, [f"id: b, type: modbus-tcp, host: 127.0.0.1, port: {port}"], [DEVICE],
                      {"everything": profile})
    check_pass(binary, station, expected)
    station.start().wait_values(expected)


def test_on_a_serial_line(binary, place, cable):
    profile, registers, expected = everything("h")
    place.add(Slave(place, "serial", cable.paths[0], registers)).wait_line("ready")
    station = Station(place, [f"id: b, type: modbus-rtu, port: {cable.paths[1]}, baud: 115200"],
                      [DEVICE], {"everything": profile})
    check_pass(binary, station, expected)
    station.start().wait_values(expected)


def test_rtu_frames_over_tcp(binary, place):
    profile, registers, expected = everything("h")
    port = free_port()
    tcp_slave(place, port, registers, "rtu-tcp")
    station = Station(place, [f"id: b, type: modbus-rtu-tcp, host: 127.0.0.1, port: {port}"],
                      [DEVICE], {"everything": profile})
    check_pass(binary, station, expected)
    station.start().wait_values(expected)
