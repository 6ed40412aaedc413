"""sluice test: one live pass, a line per point, the reason when there is no good value."""
import json
import re

import pytest

from conftest import free_port
from test_scan import STATION, simulate, sluice  # noqa: F401 (fixtures)


def rows(text):
    """{point: rest of its line}"""
    return {line.split()[0]: line for line in text.splitlines() if line.startswith("  ")}


@pytest.mark.short
def test_has_one_line_per_point_and_a_summary(sluice, simulate):
    simulate({}, {"roof-o3": ("teledyne-t400", 1)},
             options=["--set", "ozone=66.72", "--set", "sample_flow=642", "--set", "box_temp=nan"])
    test = sluice("test", "roof-o3", "--config", "sim.yaml")
    lines = test.stdout.splitlines()
    assert re.fullmatch(r"roof-o3  teledyne-t400  tcp 127\.0\.0\.1:\d+ unit 1 +\d+ ms", lines[0])
    assert len(lines[0]) == 78
    table = rows(test.stdout)
    assert re.fullmatch(r"  ozone +i:18 +42[0-9A-F]{2} [0-9A-F]{4} +3[34]\.\d+  \[ppb\] +uncertain  "
                        r"sample_flow is outside its range", table["ozone"])
    assert re.fullmatch(r"  sample_flow +i:40 +4420 8000 +642\.0  cm3/min +uncertain  "
                        r"below 700 \(profile range\)", table["sample_flow"])
    assert re.fullmatch(r"  box_temp +i:44 +7F[0-9A-F]{2} [0-9A-F]{4} +-  Cel +missing +not a number",
                        table["box_temp"])
    assert re.match(r"1 device, 16 points: \d+ good, \d+ uncertain, 1 missing$", lines[-1])
    assert test.returncode == 1


def test_is_content_with_a_sound_device(sluice, simulate):
    simulate({"ph": ("hamilton-ph-arc", 3)})
    test = sluice("test", "--config", "sim.yaml")
    assert test.returncode == 0, test.stdout
    assert "profile hamilton-ph-arc: from the manual, not tried" in test.stdout
    assert test.stdout.splitlines()[-1] == "1 device, 6 points: 6 good"


def test_reads_the_texts_that_are_not_polled(sluice, simulate):
    simulate({}, {"o3": ("thermo-49iq", 1)})
    test = sluice("test", "--config", "sim.yaml")
    assert test.returncode == 0, test.stdout
    assert re.search(r'^  firmware +h:523/16 +3439 6951 .*"49iQ" +good', test.stdout, re.M)
    assert re.search(r"^  serial_number .* absent +the device has no such register$", test.stdout, re.M)
    shown = json.loads(sluice("test", "--config", "sim.yaml", "--json").stdout)
    values = {p["id"]: p["value"] for p in shown["devices"][0]["points"]}
    assert values["firmware"].startswith("49iQ")
    assert values["serial_number"] is None


def test_shows_frames_of_both_directions(sluice, simulate):
    simulate({"ph": ("hamilton-ph-arc", 3)})
    test = sluice("test", "--config", "sim.yaml", "--frames")
    frames = [line for line in test.stdout.splitlines() if line[:2] in ("> ", "< ")]
    assert frames and len(frames) % 2 == 0
    assert frames[0].startswith("> 03 03 08 ")
    assert frames[1].startswith("< 03 03 ")


@pytest.mark.parametrize("fault, words", [
    ("silent", "no answer within"),
    ("exception=4", "exception 04: device failure"),
])
def test_says_why_a_device_gives_nothing(sluice, simulate, fault, words):
    simulate({"ph": ("hamilton-ph-arc", 3)}, options=["--fault", fault])
    test = sluice("test", "--config", "sim.yaml")
    assert test.returncode == 1
    assert words in test.stdout
    assert "6 missing; 1 without an answer" in test.stdout


def test_names_the_register_that_is_refused(sluice, simulate):
    simulate({"ph": ("hamilton-ph-arc", 3)}, options=["--fault", "exception=2@h:2411"])
    test = sluice("test", "--config", "sim.yaml")
    table = rows(test.stdout)
    assert table["water_temp"].endswith("exception 02: illegal data address")
    assert table["ph"].endswith("good")


def test_tells_another_model_than_configured(sluice, simulate, place):
    port = simulate({}, {"aqt": ("vaisala-aqt530", 1)})
    text = (place.path / "sim.yaml").read_text().replace("vaisala-aqt530", "dfrobot-sen0662")
    (place.path / "wrong.yaml").write_text(text)
    test = sluice("test", "--config", "wrong.yaml", "--json")
    assert test.returncode == 1
    assert json.loads(test.stdout)["summary"]["good"] < 5
    assert port


def test_says_that_there_is_no_connection_and_who_is_disabled(sluice, place):
    (place.path / "dead.yaml").write_text(
        STATION.format(path=place.path) +
        f"buses:\n  - {{id: net, type: modbus-tcp, host: 127.0.0.1, port: {free_port()}}}\n"
        "devices:\n  - {id: a, profile: teledyne-t400, bus: net, unit: 1, poll: 5s}\n"
        "  - {id: b, profile: teledyne-t400, bus: net, unit: 2, poll: 5s, enabled: false}\n")
    test = sluice("test", "--config", "dead.yaml")
    assert "no connection to the port or address" in test.stdout
    assert "device disabled in the configuration" in test.stdout
    assert test.stdout.splitlines()[-1].startswith("2 devices, 16 points: 16 missing; ")
    assert test.returncode == 1


@pytest.mark.parametrize("port, words", [("no-port", "there is no such port"),
                                         ("dead.yaml", "it is no serial port")])
def test_says_what_is_wrong_with_a_port(sluice, place, port, words):
    (place.path / "dead.yaml").write_text(
        STATION.format(path=place.path) +
        f"buses:\n  - {{id: line, type: modbus-rtu, port: {place.path / port}}}\n"
        "devices:\n  - {id: ph, profile: hamilton-ph-arc, bus: line, unit: 1}\n")
    test = sluice("test", "--config", "dead.yaml")
    assert test.returncode == 1
    assert f"{place.path / port}: {words}" in test.stdout


def test_speaks_chinese(sluice, simulate):
    simulate({"ph": ("hamilton-ph-arc", 3)}, options=["--set", "ph=nan"])
    test = sluice("test", "--config", "sim.yaml", lang="zh")
    assert "缺失" in test.stdout
    assert "1 台仪器，6 个测点" in test.stdout


def test_refuses_an_unknown_device_and_a_wrong_file(sluice, simulate, place):
    simulate({"river-ph": ("hamilton-ph-arc", 3)})
    unknown = sluice("test", "river-pj", "--config", "sim.yaml")
    assert unknown.returncode == 2
    assert "did you mean 'river-ph'?" in unknown.stderr
    (place.path / "bad.yaml").write_text("station: 1\n")
    assert sluice("test", "--config", "bad.yaml").returncode == 2
