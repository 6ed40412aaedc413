"""mbpoll reads our simulator, and says what `sluice run` says of the same one."""
import re
import shutil
import subprocess

import pytest

from conftest import Process, free_port
from peers import Station

MBPOLL = shutil.which("mbpoll")
pytestmark = pytest.mark.skipif(not MBPOLL, reason="mbpoll is not installed")

# Every type that mbpoll reads: a word in each sign, a 32-bit integer and a float in both its word
# orders, from holding and from input registers, and single bits. Two of each: the second one
# shows where it takes the next to be.
KINDS = {  # type: orders, two values
    "u16": (["ABCD"], ["48879", "7"]), "s16": (["ABCD"], ["-12345", "12345"]),
    "s32": (["ABCD", "CDAB"], ["-1985229329", "65537"]),
    "u32": (["ABCD", "CDAB"], ["3735928559", "70000"]),
    "f32": (["ABCD", "CDAB"], ["1013.25", "-0.625"]),
}
SPACES = {"h": "4", "i": "3"}
STEP = 10  # registers between two reads


def blocks():
    """Space, first, type, order and both values of what mbpoll reads at once."""
    at = 0
    for space in SPACES:
        for kind, (orders, values) in KINDS.items():
            for order in orders:
                yield space, at, kind, order, values
                at += STEP
    for space in "cd":
        yield space, at, "bit", "ABCD", ["1", "0"]
        at += STEP


def points():
    """Id, at, type, order and value of every point of the profile."""
    for space, first, kind, order, values in blocks():
        for k, value in enumerate(values):
            at = first + k * (2 if kind.endswith("32") else 1)
            yield f"{kind}_{order.lower()}_{space}{at}", f"{space}:{at}", kind, order, value


POINTS = list(points())
VALUES = {name: value for name, _, _, _, value in POINTS}


def reads():
    """Options of mbpoll, first register, how its numbers are to be taken, and the values."""
    for space, first, kind, order, values in blocks():
        if kind == "bit":
            yield ["-t", "01"["cd".index(space)]], first, int, values
            continue
        table = SPACES[space]
        big = ["-B"] if order == "ABCD" and kind.endswith("32") else []
        if kind.endswith("16"):
            yield ["-t", table], first, int, values
            yield ["-t", f"{table}:hex"], first, str, [f"0x{int(v) & 0xFFFF:04X}" for v in values]
        elif kind == "f32":
            yield ["-t", f"{table}:float", *big], first, float, values
        else:
            yield ["-t", f"{table}:int", *big], first, int, [str(signed(int(v))) for v in values]


def signed(number):
    """mbpoll takes every 32-bit integer for a signed one."""
    return number - (1 << 32) if number >= 1 << 31 else number


def profile():
    lines = [f"  - {{id: {name}, at: \"{at}\", type: {kind}, order: {order}, unit: Cel, "
             "quantity: air_temp, range: [-1e12, 1e12]}" for name, at, kind, order, _ in POINTS]
    return "\n".join([
        "profile: 1", "id: shown", "names: {en: Shown, zh: 显示}", "vendor: none",
        "models: [test]", "medium: weather", "verified: datasheet",
        'sources: ["made up for this test"]', "bus:", "  transports: [rtu, tcp]",
        "  serial: {baud: 9600, format: 8N1, unit: 3}", "  doc_base: 0", "  order: ABCD",
        "  read: {max: 100, gap: 0, timeout: 1s}", "points:", *lines, ""])


def mbpoll(where, options, first, count):
    """What it prints, number by number."""
    done = subprocess.run([MBPOLL, *where[:-1], "-a", "3", *options, "-0", "-r", str(first), "-c",
                           str(count), "-1", "-q", where[-1]], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr
    # 65484 (-52): both readings of a negative word
    return re.findall(r"^\[\d+\]:\s+(\S+?)(?: \((\S+)\))?$", done.stdout, re.M)


def start_sim(binary, place, *options):
    (place.path / "profiles").mkdir()
    (place.path / "profiles" / "shown.yaml").write_text(profile())
    sets = [o for name, value in VALUES.items() for o in ("--set", f"{name}={value}")]
    sim = place.add(Process([binary, "sim", "--profiles", place.path / "profiles", "--profile",
                             "shown", "--calm", *sets, *options], place.path, "sim"))
    return sim.wait_line("ready")


def check_reads(where):
    for options, first, number, values in reads():
        shown = mbpoll(where, options, first, len(values))
        assert len(shown) == len(values), (options, first, shown)
        for texts, value in zip(shown, values):
            assert number(value) in [number(n) for n in texts if n], (options, first, shown)


def check_agrees(place, bus):
    station = Station(place, [f"id: b, {bus}"],
                      ["id: d, profile: shown, bus: b, unit: 3, poll: 1s"],
                      {"shown": profile()}).start()
    station.wait_values(VALUES)


@pytest.mark.short
def test_over_tcp(binary, place):
    port = free_port()
    start_sim(binary, place, "--tcp", f"127.0.0.1:{port}")
    check_reads(["-p", str(port), "127.0.0.1"])
    check_agrees(place, f"type: modbus-tcp, host: 127.0.0.1, port: {port}")


def test_on_a_serial_line(binary, place):
    line = place.path / "line"
    start_sim(binary, place, "--pty", line)
    check_reads(["-m", "rtu", "-b", "9600", "-P", "none", str(line)])
    check_agrees(place, f"type: modbus-rtu, port: {line}, baud: 9600")
