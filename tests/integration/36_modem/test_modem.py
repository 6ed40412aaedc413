"""Modbus RTU over a simulated pair of serial LoRa modems: what `sluice check` computes is what it
takes, and no value is ever stored under the wrong register, device or time.

Each instrument shows two numbers of its own, in two requests that look alike: an answer taken for
another one would show. A high air rate keeps the tests short.
"""
import json
import re
import statistics
import threading
from datetime import datetime

import pytest

from conftest import BINARY, Process, profile_yaml, sluice, wait_until
from peers import Station

PROFILE = profile_yaml("two-blocks", [
    "id: low, at: h:0, type: f32, unit: Cel, quantity: air_temp, range: [-1e6, 1e6]",
    "id: high, at: h:500, type: f32, unit: Cel, quantity: air_temp, range: [-1e6, 1e6]",
], serial="{baud: 9600, format: 8N1, unit: 1}", read="{max: 10, gap: 0, timeout: 300ms, retries: 0}")
INSTRUMENT = ("--fault", "slow=50ms")  # what the computation assumes
LINE = "baud: 115200, air_rate: 62.5k, share: 1"


def numbers(k):
    """Of the k-th instrument; binary fractions, so that they are exact."""
    return {"low": 1000.5 + k, "high": -2000.25 - k}


def station(place, devices, poll="1s", options=LINE, buses=("far",)):
    return Station(place, [f"id: {b}, type: lora-serial, port: {place.path}/tty-{b}, {options}"
                           for b in buses],
                   [f"id: {d}, profile: two-blocks, bus: {buses[k % len(buses)]}, unit: {k + 1}, "
                    f"poll: {poll}" for k, d in enumerate(devices)], {"two-blocks": PROFILE})


def run(place, s, devices, seconds, *options):
    """Samples by device and point, and counters, of a station that ran so long."""
    sets = [o for k, d in enumerate(devices) for p, v in numbers(k).items()
            for o in ("--set", f"{d}/{p}={v}")]
    place.sim(s.file, "--calm", *sets, *options)
    s.start()
    control = place.path / "control.sock"
    wait_until(control.exists, 10, "the gateway")
    tail = place.add(Process([BINARY, "tail", "--json", "--control", control], place.path, "tail"))
    threading.Event().wait(seconds)
    samples = {}
    for line in tail.text.splitlines():
        row = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
        sample = row.get("sample")
        if sample and "@" not in sample["channel"]:  # no statistics
            samples.setdefault(tuple(sample["channel"].split("/")), []).append(sample)
    return samples, s.devices()


def arrivals(rows):
    """Seconds."""
    return [datetime.fromisoformat(r["time"].replace("Z", "+00:00")).timestamp() for r in rows
            if r.get("value") is not None]


def place_log(place):
    return next(p for p in place.processes if p.name == "gateway").text


def good_values(samples, devices):
    """How many were taken; fails at one that its instrument did not show."""
    taken = 0
    for (device, point), rows in samples.items():
        want = numbers(devices.index(device))[point]
        for row in rows:
            if row.get("value") is not None:
                assert float(row["value"]) == want, (device, point, row)
                taken += 1
    return taken


def test_a_cycle_takes_as_long_as_check_computes(place):
    devices = ["one", "two", "three"]
    s = station(place, devices, poll="60s")
    out = sluice("check", s.file).stdout
    told = re.search(r"bus far: 62.5k air rate, 3 devices, .* a cycle takes ([0-9.]+) s", out)
    assert told, out
    s = station(place, devices, poll="2s")
    samples, counters = run(place, s, devices, 9, *INSTRUMENT)
    assert good_values(samples, devices) >= 12
    # They come one after the other, so the last one is behind the first by all but one of them.
    first, last = (arrivals(samples[d, "low"]) for d in ("one", "three"))
    behind = [b - a for a in first for b in last if 0 < b - a < 2]
    cycle_s = statistics.median(behind) * 3 / 2
    assert abs(cycle_s / float(told.group(1)) - 1) < 0.1, (cycle_s, told.group(0))


def test_check_refuses_more_than_the_air_bears(place):
    devices = ["one", "two", "three"]
    out = sluice("check", station(place, devices, poll="5s", options="air_rate: 2.4k").file,
                 status=2)
    said = (out.stdout + out.stderr).replace("\n", " ")
    assert "radio far is asked for" in said and "a cycle of all its devices takes" in said, said
    assert "set the modems to air rate 9.6k" in said and "another channel" in said, said


def test_buses_with_one_radio_share_its_air(place):
    devices = ["one", "two", "three", "four"]
    alone = station(place, devices, poll="10s", options=LINE, buses=("east", "west"))
    out = sluice("check", alone.file).stdout
    shared = station(place, devices, poll="10s", options=f"{LINE}, radio: ch-10",
                     buses=("east", "west"))
    both = sluice("check", shared.file).stdout

    def percent(text, bus):
        return int(re.search(f"bus {bus}: .* ([0-9]+) % of the air", text).group(1))
    assert "4 devices" in both and "2 devices" in out, both
    assert abs(percent(both, "east") - percent(out, "east") - percent(out, "west")) <= 1


def test_ports_with_one_radio_take_turns(place):
    devices = ["one", "two", "three", "four"]
    samples, _ = run(place, station(place, devices, options=f"{LINE}, radio: ch-10",
                                    buses=("east", "west"), poll="2s"), devices, 8, *INSTRUMENT)
    assert good_values(samples, devices) >= 12
    times = sorted(t for d in devices for t in arrivals(samples[d, "high"]))
    # An exchange takes at least 0.11 s: never two at a time.
    assert min(b - a for a, b in zip(times, times[1:])) > 0.1, times


@pytest.mark.slow(15)
def test_a_dead_channel_is_one_event_each(place):
    devices = ["one", "two"]
    samples, counters = run(place, station(place, devices), devices, 14, "--fault",
                            "silent=1s..1h", *INSTRUMENT)
    good_values(samples, devices)
    log = place_log(place)
    for d in devices:
        assert counters[d]["state"] == "silent", counters
        assert len([x for x in log.splitlines() if f"device={d}" in x]) <= 2, log


@pytest.mark.parametrize("fault", ["late=1.1s/3", "silent/7", "copy=30ms/2", "rssi", "noise=1e-2",
                                   "late=400ms/2"])
def test_no_value_goes_astray(place, fault):
    devices = ["one", "two"]
    samples, counters = run(place, station(place, devices), devices, 8, "--fault", fault,
                            *INSTRUMENT)
    assert good_values(samples, devices) > 2, (fault, counters)
