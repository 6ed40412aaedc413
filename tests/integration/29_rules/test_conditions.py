"""Conditions of rules over other channels: `when` and `suppress_when`, judged in virtual time."""
import json
import subprocess

import pytest
from conftest import BINARY

pytestmark = pytest.mark.usefixtures("binary")

T0 = 1767225600  # 2026-01-01T00:00:00Z: 8 in the morning at the station
PROFILE = """profile: 1
id: scripted
names: {en: Scripted, zh: 脚本}
vendor: none
models: [test]
medium: weather
verified: datasheet
sources: ["made up for this test"]
bus: {transports: [tcp], doc_base: 0, order: ABCD, read: {max: 50, gap: 20, timeout: 4s, retries: 0}}
points:
  - {id: ozone, at: h:0, type: f32, unit: ug/m3, quantity: o3, range: [0, 1000]}
  - {id: wind, at: h:2, type: f32, unit: m/s, quantity: wind_speed, range: [0, 60]}
"""
STATION = """station: {{id: s-01, region: demo, zone: "+08:00", names: {{en: S, zh: 站}}}}
profiles: [{place}]
buses: [{{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}}]
devices:
  - {{id: roof, profile: scripted, bus: b, unit: 1, poll: 1min}}
  - {{id: mast, profile: scripted, bus: b, unit: 2, poll: 1min}}
qc: {{o3: {{stuck: 0, spike: {{suspect: 0}}}}, wind_speed: {{stuck: 0}}}}
rules:
  - {{id: high, selector: {{device: roof, quantity: o3}}, hold_after: 0, {condition},
     levels: {{red: {{set: 200, clear: 150, on: 3 of 3, off: 3 of 3}}}}}}
"""
MINUTES = 60
# Of one time the roof is judged before the mast speaks: wind counts from the next minute on.


def changes(place, condition, wind, high=range(20, 40)):
    """[(transition, minute)] of ozone that is high for some time, with that wind on the mast."""
    series = place / "series"
    series.mkdir(exist_ok=True)
    (place / "scripted.yaml").write_text(PROFILE)
    (place / "station.yaml").write_text(STATION.format(place=place, condition=condition))
    (series / "roof.csv").write_text("time,ozone,wind\n" + "".join(
        f"{T0 + 60 * i},{240 if i in high else 60 + i % 3},{2 + i % 2}\n" for i in range(MINUTES)))
    (series / "mast.csv").write_text("time,wind\n" + "".join(
        f"{T0 + 60 * i},{wind(i)}\n" for i in range(MINUTES) if wind(i) is not None))
    done = subprocess.run([BINARY, "replay", "--station", place / "station.yaml", "--series", series,
                           "--out", place / "out"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    alerts = [json.loads(line) for line in (place / "out/alerts.json").read_text().splitlines()]
    return [(a["transition"], minute_of(a["time"])) for a in alerts]


def minute_of(text):
    return int(text[11:13]) * 60 + int(text[14:16])


def calm(i):
    return 2 + i % 2


RAISED, CLEARED = ("raised", 22), ("cleared", 42)


def test_a_condition_that_is_met_changes_nothing(tmp_path):
    assert changes(tmp_path, "when: mast/wind < 5 m/s", calm) == [RAISED, CLEARED]


def test_a_condition_that_is_not_met_refutes(tmp_path):
    """Wind from minute 30 on: no exceedance any more, so the alert ends by its off-delay."""
    def wind(i):
        return calm(i) + (10 if i >= 29 else 0)

    assert changes(tmp_path, "when: mast/wind < 5 m/s", wind) == [RAISED, ("cleared", 32)]


def test_what_suppresses_leaves_an_alert_as_it_is(tmp_path):
    def wind(i):
        return calm(i) + (10 if 29 <= i < 49 else 0)

    assert changes(tmp_path, "suppress_when: mast/wind > 5 m/s", wind) == [RAISED, ("cleared", 52)]


def test_what_suppresses_lets_nothing_raise(tmp_path):
    def wind(i):
        return calm(i) + (10 if i < 34 else 0)

    assert changes(tmp_path, "suppress_when: mast/wind > 5 m/s", wind) == [("raised", 37), CLEARED]


def test_an_instrument_that_is_silent_silences_no_alert(tmp_path):
    def wind(i):
        return None if i > 5 else 12

    assert changes(tmp_path, "when: mast/wind < 5 m/s", wind) == [RAISED, CLEARED]
    assert changes(tmp_path, "suppress_when: mast/wind > 5 m/s", wind) == [RAISED, CLEARED]


def test_channels_of_one_scan_are_compared_as_they_are_together(tmp_path):
    """The wind of the roof itself is 3 in odd minutes only; its column stands behind ozone."""
    assert changes(tmp_path, "when: wind > 2.5 m/s and ozone > 0 ug/m3", calm) == []
    assert changes(tmp_path, "when: ozone > 200 ug/m3", calm) == [RAISED, CLEARED]


def test_hours_are_those_of_the_station(tmp_path):
    assert changes(tmp_path, "when: hour == 8", calm) == [RAISED, CLEARED]
    assert changes(tmp_path, "suppress_when: hour == 8", calm) == []
