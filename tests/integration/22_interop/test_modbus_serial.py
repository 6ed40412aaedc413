"""The npm package modbus-serial, where node finds it (NODE_PATH): it serves us, and reads our
simulator."""
import json
import pathlib
import shutil
import subprocess

import pytest

from conftest import Process, free_port
from peers import Station
from test_mbpoll import VALUES, start_sim
from test_types import DEVICE, everything

NODE = shutil.which("node")
SCRIPT = pathlib.Path(__file__).with_name("modbus_serial.js")


def has_module():
    return NODE and subprocess.run([NODE, "-e", "require.resolve('modbus-serial')"],
                                   capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not has_module(), reason="node finds no module modbus-serial")


def test_it_serves_every_type_to_us(binary, place):
    profile, registers, expected = everything("h")
    port = free_port()
    place.add(Process([NODE, SCRIPT, "server", port, 3, json.dumps(registers)], place.path,
                      "server")).wait_line("ready")
    station = Station(place, [f"id: b, type: modbus-tcp, host: 127.0.0.1, port: {port}"], [DEVICE],
                      {"everything": profile}).start()
    station.wait_values(expected)


def test_it_reads_our_simulator(binary, place):
    port = free_port()
    start_sim(binary, place, "--tcp", f"127.0.0.1:{port}")
    asked = [["h", 0, 2], ["h", 10, 4], ["i", 5, 1], ["c", 3, 1], ["d", 9, 1]]
    done = subprocess.run([NODE, SCRIPT, "read", str(port), "3", json.dumps(asked)],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    words, long, whole, coil, discrete = shown["found"]
    assert words == [int(VALUES["u16"]), int(VALUES["s16"]) + 65536]
    assert (long[0] << 16 | long[1]) - 2 ** 32 == int(VALUES["s32_abcd"])
    assert (long[2] << 16 | long[3]) == int(VALUES["s32_second"])
    assert (whole, coil, discrete) == ([640], [1], [1])
    assert shown["identity"] == {"0": "none", "1": "shown", "2": "1.0"}
