"""Indices of a running station: hours of a fast clock, judged, in the API, at the database, and
the same as `sluice index` says of the hourly means that were delivered beside them."""
import json
import struct
import subprocess
import time

import pytest
from conftest import BINARY, free_port, profile_yaml, sluice, wait_until
from peers import Station, tcp_slave

pytestmark = pytest.mark.usefixtures("binary")

POINTS = {"sulfur_dioxide": 35, "nitrogen_dioxide": 85, "carbon_monoxide": 3, "ozone": 140,
          "pm10": 80, "pm2_5": 45}
PROFILE = profile_yaml("air", [
    f"id: {p}, at: h:{2 * i}, type: f32, unit: {'mg/m3' if p == 'carbon_monoxide' else 'ug/m3'}, "
    f"quantity: {p}, range: [-5, 900]" for i, p in enumerate(POINTS)], medium="air")
CALM = "qc:\n" + "".join(f"  {p}: {{stuck: 0, hold: {{samples: 0}}}}\n" for p in POINTS)
SPEED, HOURS, MISSING = 500, 2, 4


def registers():
    data = b"".join(struct.pack(">f", v) for v in POINTS.values())
    return list(struct.unpack(f">{len(data) // 2}H", data))


def first_hour():
    """The beginning of the first of so many full hours before now, Unix milliseconds."""
    return (int(time.time()) // 3600 - HOURS) * 3600000


def fast_clock(start_ms):
    wall, mono = int(time.time() * 1000), int(time.monotonic() * 1000)
    return "--clock", f"{SPEED},{start_ms},{mono},{(wall - start_ms) // (SPEED - 1)}"


def start(place, first_ms, standards, db):
    """An instrument that never moves, and a station that begins half an hour early."""
    port = free_port()
    tcp_slave(place, port, {0: registers()}, unit=1)
    station = Station(place, [f"id: b, type: modbus-tcp, host: 127.0.0.1, port: {port}"],
                      ["id: d, profile: air, bus: b, unit: 1, poll: 5min"], {"air": PROFILE},
                      f"{CALM}index: {{standard: [{standards}]}}\n"
                      f'uplinks: [{{id: db, type: influx, url: "{db.url}"}}]')
    return station, place.gateway(station.file, *fast_clock(first_ms - 1800000))


def index_of(station, standard, time_text):
    """What the API shows of that hour."""
    for x in station.now().get("indices", []):
        if x["standard"] == standard and x["period"] == "1h" and x["time"] == time_text:
            return x
    return None


def status(station, lang):
    return sluice("status", "--control", station.place.path / "control.sock", lang=lang).stdout


def judged(means):
    table = "time," + ",".join(means) + "\n0," + ",".join(str(v) for v in means.values()) + "\n"
    done = sluice("index", "--standard", "hj633-2026", "--format", "json", table=table)
    return json.loads(done.stdout)


@pytest.mark.slow(22)
def test_hours_are_judged_shown_and_delivered(place):
    db, first_ms = place.victoria(), first_hour()
    station, gateway = start(place, first_ms, "hj633-2026, us-epa-2024", db)
    last = first_ms + (HOURS - 1) * 3600000
    text = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(last / 1000))
    x = wait_until(lambda: index_of(station, "HJ 633-2026", text), 40, "the index of " + text)
    assert (x["value"], x["level"], x["rgb"], x["provisional"]) == ("72", "2", "#FFFF00", True)
    assert x["class"]["zh"] == "良" and x["colour"] == {"en": "yellow", "zh": "黄色"}
    assert x["primary"] == ["PM10"] and x["gaps"] == [] and x["reason"] is None
    assert [(i["standard"], i["period"]) for i in station.now()["indices"]][0] == (
        "HJ 633-2026", "1h")
    at = f"{text[:10]} {text[11:16]} UTC"
    assert f"HJ 633-2026 1h        72  level II (good), primary PM10, {at}" in status(station, "en")
    assert f"HJ 633-2026 1h        72  二级（良），首要污染物 PM10，{at}" in status(station, "zh")
    assert gateway.stop()[0] == 0
    place.drain(station.file)
    found = db.series('{dev=~"station|d"}')
    index = found[("aqi_cn@1h_v", "station", "hj633-2026")]
    assert sorted(index)[-HOURS:] == [first_ms + h * 3600000 for h in range(HOURS)]
    for at, value in index.items():
        means = {p: found[(f"{p}@1h_v", "d", None)][at] for p in POINTS}
        assert value == judged(means)["aqi"] == 72
        assert found[("aqi_cn@1h.primary_v", "station", "hj633-2026")][at] == 16
    flags = found[("aqi_cn@1h_f", "station", "hj633-2026")]
    before = [int(f) >> 3 & 7 for at, f in flags.items() if at < first_ms]
    assert before == [MISSING]  # of half an hour there is no mean


@pytest.mark.parametrize("index, words", [
    ("{standard: hj633-2025}", "'hj633-2025' is none of"),
    ("{standard: [eaqi-2024, eaqi-2024]}", "'eaqi-2024' stands twice"),
    ("{standard: eaqi-2024, from: [d/pm1]}", "there is no channel 'd/pm1'"),
    ("{standard: eaqi-2024, from: [d/ozone, d/ozone]}", "the second channel of ozone"),
    ("{standard: hj633-2026, not_in_plan: [pm1]}", "'pm1' is none of so2"),
    ("{standard: hj633-2026, plan: [co]}", "plan"),
])
def test_a_wrong_index_is_told_before_it_runs(place, index, words):
    station = Station(place, ["id: b, type: modbus-tcp, host: 127.0.0.1, port: 502"],
                      ["id: d, profile: air, bus: b, unit: 1, poll: 5min"], {"air": PROFILE},
                      f"index: {index}")
    done = subprocess.run([BINARY, "check", station.file], capture_output=True, text=True)
    assert done.returncode != 0 and words in done.stdout + done.stderr


@pytest.mark.parametrize("rule, words", [
    ("input: raw,", None),
    ("input: mean(1h),", None),
    ("", None),
    ("input: mean(1min),", "an index has no statistic 'mean(1min)', expected mean(1h), or raw"),
])
def test_a_rule_takes_the_rows_of_an_index(place, rule, words):
    station = Station(place, ["id: b, type: modbus-tcp, host: 127.0.0.1, port: 502"],
                      ["id: d, profile: air, bus: b, unit: 1, poll: 5min"], {"air": PROFILE},
                      "index: {standard: hj633-2026}\n"
                      f"rules: [{{id: aqi, selector: {{quantity: aqi_cn}}, {rule} "
                      "direction: above, levels: {red: {set: 150, on: 1 of 1}}}]")
    done = subprocess.run([BINARY, "check", station.file], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == (words is None), said
    assert words is None or (words in said and "polled" not in said)


def test_what_nobody_measures_is_told_unless_it_is_outside_the_plan(place):
    for clean, is_told in ("", True), (", not_in_plan_clean: [so2, no2, co, o3]", False):
        station = Station(place, ["id: b, type: modbus-tcp, host: 127.0.0.1, port: 502"],
                          ["id: pm, profile: teledyne-t640, bus: b, unit: 1, poll: 5min"], {},
                          f"index: {{standard: hj633-2026{clean}}}")
        done = subprocess.run([BINARY, "check", station.file], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert ("no device measures SO2, NO2, CO, O3" in done.stdout + done.stderr) == is_told
