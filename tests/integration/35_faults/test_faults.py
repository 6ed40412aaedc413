"""Every fault of the simulator against the real gateway: neighbours keep their rate, no value is
ever taken that the instrument did not mean, and states say what is.

One station over TCP, and stations of lines with three instruments each, run once for all tests
of this file. Each instrument shows two numbers of its own, in two requests that look alike: an
answer taken for another one would show.
"""
import json
import struct
import threading
import time
from datetime import datetime

import pytest

from conftest import BINARY, Place, Process, free_port, profile_yaml, wait_until
from peers import Station

RUN_S = 16
# In one worker, so that each station runs once.
pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.slow(3 * RUN_S)]
PROFILE = profile_yaml("two-blocks", [
    "id: low, at: h:0, type: f32, unit: Cel, quantity: air_temp, range: [-1e6, 1e6]",
    "id: high, at: h:500, type: f32, unit: Cel, quantity: air_temp, range: [-1e6, 1e6]",
], serial="{baud: 115200, format: 8N1, unit: 1}", read="{max: 10, gap: 0, timeout: 300ms, retries: 1}")
# name of the faulty instrument: its fault
TCP = {"late": "late=0.8s/5", "slow": "slow=200ms", "silent": "silent", "refusing": "exception=2@500",
       "foreign": "foreign/3", "strange": "foreign", "trickle": "trickle=3ms", "short": "short/3",
       "long": "long/3", "hanging": "disconnect=8", "nothing": "nan", "broken": "silent=3s..7s",
       "swapped": "order=CDAB"}
RTU = {"late": "late=0.8s/5", "slow": "slow=200ms", "silent": "silent", "foreign": "foreign/3",
       "noisy": "noise=1e-2", "trickle": "trickle=2ms", "short": "short/3", "long": "long/3",
       "pulled": "disconnect=12"}
GOOD = ("one", "two")  # beside each faulty one on its line


def numbers(k):
    """Of the k-th instrument; binary fractions, so that they are exact."""
    return {"low": 1000.5 + k, "high": -2000.25 - k}


class Run:
    """A station that ran for RUN_S with its faults: samples, log, counters."""

    def __init__(self, path, buses, devices, faults):
        self.place = Place(path)
        self.expected = {d: numbers(k) for k, (d, _, _) in enumerate(devices)}
        self.station = Station(
            self.place, buses,
            [f"id: {d}, profile: two-blocks, bus: {bus}, unit: {unit}, poll: 1s"
             for d, bus, unit in devices], {"two-blocks": PROFILE})
        sets = [o for d, points in self.expected.items() for p, v in points.items()
                for o in ("--set", f"{d}/{p}={v}")]
        options = [o for f in faults for o in ("--fault", f)]
        try:
            self.watch(sets, options)
        finally:
            self.place.stop()

    def watch(self, sets, options):
        self.place.sim(self.station.file, "--calm", *sets, *options)
        self.station.start()
        wait_until(lambda: (self.place.path / "control.sock").exists(), 10, "the gateway")
        tail = self.place.add(Process([BINARY, "tail", "--json", "--control",
                                       self.place.path / "control.sock"], self.place.path, "tail"))
        before, begin = self.station.devices(), time.monotonic()
        threading.Event().wait(RUN_S)
        after, self.seconds = self.station.devices(), time.monotonic() - begin
        self.devices = after
        self.answers = {d: int(after[d]["answers"]) - int(before[d]["answers"]) for d in after}
        self.samples = {}
        for line in tail.text.splitlines():
            with_sample = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
            s = with_sample.get("sample")
            if s and "@" not in s["channel"]:  # no statistics
                self.samples.setdefault(tuple(s["channel"].split("/")), []).append(s)
        self.log = self.station.process.text

    def rate(self, device):
        return self.answers[device] / self.seconds

    def values(self, device, point):
        return [s["value"] for s in self.samples.get((device, point), [])]

    def wrong(self):
        assert len(self.samples) == 2 * len(self.expected)
        return [(d, p, s["time"], s["value"]) for (d, p), found in self.samples.items()
                for s in found if s["value"] not in (None, self.expected[d][p])
                and d != "swapped"]


@pytest.fixture(scope="module")
def tcp(binary, tmp_path_factory):
    names = [*TCP, *GOOD]
    buses = [f"id: {n}, type: modbus-tcp, host: 127.0.0.1, port: {free_port()}" for n in names]
    return Run(tmp_path_factory.mktemp("tcp"), buses, [(n, n, 1) for n in names],
               [f"{n}:{fault}" for n, fault in TCP.items()])


@pytest.fixture(scope="module", params=["modbus-rtu", "modbus-rtu-tcp"])
def rtu(binary, tmp_path_factory, request):
    """Lines of three, on pseudo terminals and behind serial device servers."""
    path = tmp_path_factory.mktemp(request.param)
    buses, devices = [], []
    for line in RTU:
        where = (f"port: {path}/{line}, baud: 115200" if request.param == "modbus-rtu" else
                 f"host: 127.0.0.1, port: {free_port()}")
        buses.append(f"id: {line}, type: {request.param}, {where}")
        devices += [(line, line, 1), (f"{line}-one", line, 2), (f"{line}-two", line, 3)]
    return Run(path, buses, devices, [f"{n}:{fault}" for n, fault in RTU.items()])


# ---- on TCP ----

def test_tcp_takes_no_wrong_value(tcp):
    assert tcp.wrong() == []


@pytest.mark.parametrize("device", GOOD)
def test_tcp_neighbours_keep_their_rate(tcp, device):
    assert tcp.rate(device) >= 0.95
    assert tcp.devices[device]["state"] == "online"


@pytest.mark.parametrize("device", ["slow", "trickle"])
def test_tcp_slow_answers_are_taken(tcp, device):
    assert tcp.rate(device) >= 0.9
    assert tcp.values(device, "high")[-1] == tcp.expected[device]["high"]


@pytest.mark.parametrize("device", ["late", "foreign", "short", "long", "hanging"])
def test_tcp_bad_answers_now_and_then_cost_only_themselves(tcp, device):
    assert tcp.devices[device]["state"] == "online"
    good = [v for v in tcp.values(device, "low") if v is not None]
    assert len(good) >= RUN_S / 2


@pytest.mark.parametrize("device", ["silent", "strange"])
def test_tcp_who_never_answers_rightly_is_silent(tcp, device):
    assert tcp.devices[device]["state"] == "silent"
    assert set(tcp.values(device, "low")) <= {None}


def test_tcp_a_refused_register_is_left_out_and_said_once(tcp):
    assert tcp.devices["refusing"]["state"] == "online"
    assert set(tcp.values("refusing", "high")) == {None}
    assert tcp.expected["refusing"]["low"] in tcp.values("refusing", "low")
    said = [line for line in tcp.log.splitlines() if "refusing" in line and "left out" in line]
    assert len(said) == 1, tcp.log


def test_tcp_no_value_is_no_value(tcp):
    assert set(tcp.values("nothing", "low")) == {None}
    assert tcp.devices["nothing"]["state"] == "online"


def test_tcp_an_outage_is_told_and_over_soon(tcp):
    """Silent from the 3rd to the 7th second."""
    values = tcp.values("broken", "low")
    assert values[-1] == tcp.expected["broken"]["low"]
    assert tcp.devices["broken"]["state"] == "online"
    assert "broken" in tcp.log
    assert tcp.answers["broken"] >= RUN_S - 4 - 1 - 3


def test_tcp_the_wrong_word_order_shows(tcp):
    raw = struct.pack(">f", tcp.expected["swapped"]["low"])
    swapped = struct.unpack(">f", raw[2:] + raw[:2])[0]
    assert tcp.values("swapped", "low")[-1] == pytest.approx(swapped, rel=1e-6)


# ---- on serial lines ----

def test_rtu_takes_no_wrong_value(rtu):
    assert rtu.wrong() == []


@pytest.mark.parametrize("line", [n for n in RTU if n != "pulled"])
@pytest.mark.parametrize("good", GOOD)
def test_rtu_neighbours_on_the_line_keep_their_rate(rtu, line, good):
    assert rtu.rate(f"{line}-{good}") >= 0.9
    assert rtu.devices[f"{line}-{good}"]["state"] == "online"


@pytest.mark.parametrize("device", ["slow", "trickle"])
def test_rtu_slow_answers_are_taken(rtu, device):
    assert rtu.rate(device) >= 0.9


@pytest.mark.parametrize("device", ["late", "foreign", "noisy", "short", "long"])
def test_rtu_bad_answers_now_and_then_cost_only_themselves(rtu, device):
    good = [v for v in rtu.values(device, "low") if v is not None]
    assert len(good) >= RUN_S / 2
    assert rtu.devices[device]["state"] == "online"


def test_rtu_who_never_answers_is_silent(rtu):
    assert rtu.devices["silent"]["state"] == "silent"


def seconds_without(run, device):
    """The longest time between two good samples."""
    times = [s["time"] for s in run.samples[device, "low"] if s["value"] is not None]
    at = [datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp() for t in times]
    return max(b - a for a, b in zip(at, at[1:]))


def test_a_pulled_adapter_is_found_again(rtu):
    """Half a second away each time; then at most 2 s, and the poll that was due."""
    assert seconds_without(rtu, "pulled-one") <= 0.5 + 2 + 1
    assert rtu.rate("pulled-one") >= 0.5


def test_a_connection_that_hangs_up_is_made_again(tcp):
    assert seconds_without(tcp, "hanging") <= 2 + 1
