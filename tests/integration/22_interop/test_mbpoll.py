"""mbpoll reads our simulator, and says what `sluice run` says of the same one."""
import re
import shutil
import subprocess

import pytest

from conftest import Process, free_port
from peers import Station

MBPOLL = shutil.which("mbpoll")
pytestmark = pytest.mark.skipif(not MBPOLL, reason="mbpoll is not installed")

POINTS = [  # id, at, type, order, value
    ("u16", "h:0", "u16", "ABCD", "48879"), ("s16", "h:1", "s16", "ABCD", "-12345"),
    ("s32_abcd", "h:10", "s32", "ABCD", "-1985229329"),
    ("s32_second", "h:12", "s32", "ABCD", "65537"),
    ("s32_cdab", "h:20", "s32", "CDAB", "123456789"),
    ("f32_abcd", "h:30", "f32", "ABCD", "1013.25"), ("f32_cdab", "h:40", "f32", "CDAB", "-0.625"),
    ("input", "i:5", "u16", "ABCD", "640"), ("input_f32", "i:6", "f32", "ABCD", "45.5"),
    ("coil", "c:3", "bit", "ABCD", "1"), ("discrete", "d:9", "bit", "ABCD", "1"),
]
VALUES = {name: value for name, _, _, _, value in POINTS}
# options of mbpoll, register, points
READS = [
    (["-t", "4"], 0, ["u16", "s16"]), (["-t", "4:int", "-B"], 10, ["s32_abcd", "s32_second"]),
    (["-t", "4:int"], 20, ["s32_cdab"]), (["-t", "4:float", "-B"], 30, ["f32_abcd"]),
    (["-t", "4:float"], 40, ["f32_cdab"]), (["-t", "3"], 5, ["input"]),
    (["-t", "3:float", "-B"], 6, ["input_f32"]), (["-t", "0"], 3, ["coil"]),
    (["-t", "1"], 9, ["discrete"]),
]


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
    for options, first, points in READS:
        shown = mbpoll(where, options, first, len(points))
        assert len(shown) == len(points)
        for numbers, name in zip(shown, points):
            assert float(VALUES[name]) in [float(n) for n in numbers if n], (name, shown)


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
