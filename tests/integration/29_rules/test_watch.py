"""Watched channels: what a hum, a loud source and a kill in between come to."""
import json
import sqlite3
import subprocess

import pytest
from conftest import BINARY, free_port, profile_yaml, station_yaml, wait_until
from test_conditions import T0

pytestmark = pytest.mark.usefixtures("binary")

POINTS = ["id: laeq, at: 'h:0', type: f32, unit: 'dB[SPL]', quantity: laeq, range: [20, 140]",
          "id: wind, at: 'h:2', type: f32, unit: 'm/s', quantity: wind_speed, range: [0, 60]"]
EXTRA = """profiles: [{where}]
watch: [{{quantity: laeq, above: 70, wind: wind}}]
rules:
  - {{id: loud, selector: {{quantity: laeq}}, input: event, rearm: 0s, levels: {{orange: {{set: 70}}}}}}
"""

WATCHED = EXTRA


def write_profile(where):
    where.mkdir()
    (where / "test-meter.yaml").write_text(profile_yaml("test-meter", POINTS, medium="noise"))


def replay(place, level, wind=lambda i: 1, minutes=300):
    """([alert transitions], [(fault, transition, minute)])"""
    write_profile(place / "profiles")
    (place / "station.yaml").write_text(
        "station: {id: s-01, region: demo, names: {en: S, zh: 站}}\n"
        "buses: [{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}]\n"
        "devices: [{id: gate, profile: test-meter, bus: b, unit: 1, poll: 1min}]\n"
        "qc: {laeq: {stuck: 0}, wind_speed: {stuck: 0}}\n"
        + EXTRA.format(where=place / "profiles"))
    (place / "series").mkdir()
    (place / "series/gate.csv").write_text("time,laeq,wind\n" + "".join(
        f"{T0 + 60 * i},{level(i):.1f},{wind(i)}\n" for i in range(minutes)
        if level(i) is not None))
    done = subprocess.run([BINARY, "replay", "--station", place / "station.yaml", "--series",
                           place / "series", "--out", place / "out"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def lines(name):
        return [json.loads(line) for line in (place / "out" / name).read_text().splitlines()]

    def minute(e):
        return int(e["time"][11:13]) * 60 + int(e["time"][14:16])

    return ([(a["transition"], minute(a), a) for a in lines("alerts.json")],
            [(e["fault"], e["transition"], minute(e)) for e in lines("events.json")
             if e.get("what") == "sensor_fault"])


def town(i):
    return 52 + (i * 7919 % 31 - 15) / 6


def test_a_source_below_the_limit_is_an_event_and_says_what_it_was_compared_with(tmp_path):
    alerts, faults = replay(tmp_path, lambda i: town(i) + (15 if 200 <= i < 230 else 0))
    assert [t for t, _, _ in alerts] == ["raised", "cleared"] and faults == []
    assert 202 <= alerts[0][1] <= 205
    assert 60 <= alerts[0][2]["limit"] < 70 and alerts[0][2]["value"] < 70


def test_a_hum_over_the_limit_is_a_notice_and_no_alert(tmp_path):
    alerts, faults = replay(
        tmp_path, lambda i: 84 + (i % 3) / 10 if 150 <= i < 250 else town(i))
    assert alerts == []
    assert [(f, t) for f, t, _ in faults] == [("steady", "raised"), ("steady", "cleared")]


def test_wind_is_no_source(tmp_path):
    alerts, faults = replay(tmp_path, lambda i: town(i) + (25 if 200 <= i < 230 else 0),
                            wind=lambda i: 9 if 195 <= i < 235 else 1)
    assert alerts == [] and {f for f, _, _ in faults} == {"disturbed"}


def test_silence_is_noticed_while_it_lasts(tmp_path):
    alerts, faults = replay(tmp_path, lambda i: None if 100 <= i < 160 else town(i))
    assert [t for t, _, _ in alerts] == ["cannot_judge", "judges_again"]
    assert faults[0][:2] == ("no_data", "raised") and 101 <= faults[0][2] <= 105
    assert faults[1] == ("no_data", "cleared", 160)


def test_flags_say_what_the_watch_saw(tmp_path):
    replay(tmp_path, lambda i: 84 if 150 <= i < 250 else town(i))
    flags = (tmp_path / "out/flags.csv").read_text().splitlines()
    doubted = [line for line in flags if "gate/laeq" in line and "suspect" in line]
    assert len(doubted) > 50 and all("stuck" in line or "flat" in line for line in doubted)


def test_a_fault_is_told_once_however_often_the_gateway_dies(place):
    folder = place.path / "profiles"
    write_profile(folder)
    file = place.station_file(station_yaml(
        place.path, {"gate": ("test-meter", free_port())}, "[]", poll="100ms", http="off",
        commit="100ms", extra=EXTRA.format(where=folder)).replace(
            "poll: 100ms}", "poll: 100ms, channels: {laeq: {stuck: 0}}}"))
    sim = place.sim(file, "--set", "laeq=52", "--set", "wind=1")  # a meter that never moves
    gateway = place.gateway(file).wait_line("runs:")

    def notices():
        with sqlite3.connect(f"file:{place.path}/station.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT data FROM entry WHERE kind = 2 ORDER BY seq").fetchall()
        return [(e["fault"], e["transition"]) for e in (json.loads(r[0]) for r in rows)
                if e.get("what") == "sensor_fault"]

    wait_until(lambda: notices() == [("stuck", "raised")], 30, "the notice")
    for _ in range(3):
        gateway.kill()
        gateway.start()
        gateway.wait_line("runs:")
    assert notices() == [("stuck", "raised")]
    sim.stop()
    place.sim(file, "--set", "wind=1")
    wait_until(lambda: ("stuck", "cleared") in notices(), 30, "its end")
    assert notices().count(("stuck", "raised")) == 1


def test_a_known_fault_mutes_a_plain_rule_that_yields_to_it(tmp_path, monkeypatch):
    plain = ("  - {{id: plain, selector: {{quantity: laeq}}, inhibit_by: [%s], "
             "levels: {{red: {{set: 80, on: 8 of 8}}}}}}\n")

    def rules_of_plain(place, by):
        place.mkdir()
        monkeypatch.setitem(globals(), "EXTRA", WATCHED + plain % by)
        alerts, faults = replay(place, lambda i: 94 if 150 <= i < 250 else town(i))
        assert faults
        return [a["transition"] for _, _, a in alerts if a["rule"] == "plain"]

    assert rules_of_plain(tmp_path / "loud", "loud") == ["raised", "cleared"]
    assert rules_of_plain(tmp_path / "fault", "fault") == []
