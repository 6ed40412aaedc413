"""Inputs of rules other than the sample itself, through the pipeline in virtual time."""
import json
import subprocess

import pytest
from conftest import BINARY
from test_conditions import PROFILE, T0, minute_of

pytestmark = pytest.mark.usefixtures("binary")

STATION = """station: {{id: s-01, region: demo, zone: "+08:00", names: {{en: S, zh: 站}}}}
profiles: [{place}]
buses: [{{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}}]
devices:
  - {{id: roof, profile: scripted, bus: b, unit: 1, poll: 1min, channels: {{ozone: {{statistics: [1min, 1h, 1h.max]}}}}}}
qc: {{o3: {{stuck: 0, spike: {{suspect: 0}}, rate: {{suspect: 0}}}}}}
rules:
  - {{id: r, selector: {{quantity: o3}}, hold_after: 0, {rule}}}
"""


def alerts(place, rule, value, minutes=360):
    series = place / "series"
    series.mkdir(exist_ok=True)
    (place / "scripted.yaml").write_text(PROFILE)
    (place / "station.yaml").write_text(STATION.format(place=place, rule=rule))
    (series / "roof.csv").write_text("time,ozone\n" + "".join(
        f"{T0 + 60 * i},{value(i):.1f}\n" for i in range(minutes)))
    done = subprocess.run([BINARY, "replay", "--station", place / "station.yaml", "--series", series,
                           "--out", place / "out"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (place / "out/alerts.json").read_text().splitlines()]


def ripple(i):
    return (i * 7919 % 13 - 6) / 6


def test_a_forecast_warns_before_the_limit_and_says_when(tmp_path):
    """From minute 120 on ten an hour upwards from 100: 160 is reached at minute 480."""
    found = alerts(tmp_path, "input: forecast(2h), levels: {blue: {set: 160}}",
                   lambda i: 100 + max(0, i - 120) / 6 + ripple(i), 460)
    raised = [a for a in found if a["transition"] == "raised"]
    assert len(raised) == 1
    assert 280 < minute_of(raised[0]["time"]) < 400
    assert abs(minute_of(raised[0]["crossing"]) - 480) < 45
    assert 0 < raised[0]["crossing_pm_s"] < 3600


def test_noise_around_a_level_foresees_nothing(tmp_path):
    assert alerts(tmp_path, "input: forecast(2h), levels: {blue: {set: 104}}",
                  lambda i: 100 + 2 * ripple(i)) == []


def test_a_rate_sees_a_rise_that_no_limit_sees(tmp_path):
    found = alerts(tmp_path, "input: rate(30min), levels: {yellow: {set: 30, on: 1, off: 3}}",
                   lambda i: 20 + min(60, max(0, 2 * (i - 100))) + ripple(i))
    assert [a["transition"] for a in found] == ["raised", "cleared"]
    assert 105 < minute_of(found[0]["time"]) < 125
    assert "crossing" not in found[0]


def test_a_fall_is_a_rate_below(tmp_path):
    found = alerts(tmp_path, "input: rate(30min), direction: below, "
                   "levels: {yellow: {set: -30, on: 1, off: 3}}",
                   lambda i: 100 - min(60, max(0, 2 * (i - 100))) + ripple(i))
    assert [a["transition"] for a in found] == ["raised", "cleared"]


def test_a_residual_finds_what_stands_out_far_below_a_limit(tmp_path):
    found = alerts(tmp_path, "input: residual(2h), direction: outside, "
                   "levels: {yellow: {set: 10, on: 3 of 3, off: 6 of 6}}",
                   lambda i: 40 + ripple(i) - (20 if 200 <= i < 240 else 0))
    assert [(a["transition"], minute_of(a["time"])) for a in found] == [
        ("raised", 202), ("cleared", 245)]
    assert found[0]["value"] < -15 and found[0]["direction"] == "outside"


def test_a_cusum_finds_a_small_shift(tmp_path):
    found = alerts(tmp_path, "input: cusum(3h), levels: {yellow: {set: 8, on: 3 of 3}}",
                   lambda i: 40 + ripple(i) + (1.5 if i >= 250 else 0))
    assert found[0]["transition"] == "raised"
    assert 252 < minute_of(found[0]["time"]) < 275


def test_the_largest_value_of_an_hour_is_an_input(tmp_path):
    found = alerts(tmp_path, "input: max(1h), levels: {yellow: {set: 90, on: 1, off: 1}}",
                   lambda i: 95 if i == 130 else 40 + ripple(i))
    assert [a["transition"] for a in found] == ["raised", "cleared"]
    assert found[0]["channel"] == "roof/ozone@1h.max" and found[0]["value"] == 95


def test_a_notice_has_no_colour_and_no_life(tmp_path):
    assert alerts(tmp_path, "kind: notice, title: {en: Filter is full, zh: 滤芯已满}, "
                  "levels: {blue: {set: 60, on: 3, off: 3}}",
                  lambda i: 80 if 100 <= i < 140 else 20 + ripple(i)) == []
    found = [e for e in map(json.loads, (tmp_path / "out/events.json").read_text().splitlines())
             if e.get("what") == "rule"]
    assert [(e["kind"], e["transition"], minute_of(e["time"])) for e in found] == [
        ("notice", "raised", 102), ("notice", "cleared", 142)]
    assert found[0]["text"] == {"en": "Filter is full", "zh": "滤芯已满"}
    assert found[0]["subject"] == "roof/ozone" and "level" not in found[0]


def test_a_rule_that_stands_mutes_another_of_its_device(tmp_path):
    rules = ("levels: {red: {set: 200, on: 1, off: 1}}}\n"
             "  - {id: low, selector: {quantity: o3}, hold_after: 0, rearm: 0s, inhibit_by: [r], "
             "levels: {blue: {set: 100, on: 2 of 2, off: 2 of 2}}")
    found = alerts(tmp_path, rules, lambda i: 240 if 100 <= i < 140 else
                   120 if 90 <= i < 150 else 20 + ripple(i))
    assert [(a["rule"], a["transition"], minute_of(a["time"])) for a in found] == [
        ("low", "raised", 91), ("r", "raised", 100), ("r", "cleared", 140), ("low", "cleared", 151)]
    found = alerts(tmp_path, rules, lambda i: 240 if 100 <= i < 140 else 20 + ripple(i))
    assert [(a["rule"], a["transition"]) for a in found] == [("r", "raised"), ("r", "cleared")]
