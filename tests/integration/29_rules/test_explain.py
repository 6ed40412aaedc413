"""`sluice rules explain`: why an alert was raised, from a replay and from a station's log."""
import json
import shutil
import subprocess

import pytest
from conftest import BINARY, free_port, profile_yaml, rows_of, station_yaml, wait_until
from test_conditions import PROFILE, STATION, T0

pytestmark = pytest.mark.usefixtures("binary")


def explain(*args, status=0, lang="en"):
    done = subprocess.run([BINARY, "rules", "explain", *args], capture_output=True, text=True,
                          timeout=60, env={"LC_ALL": f"{lang}.UTF-8"})
    assert done.returncode == status, done.stdout + done.stderr
    return done


class Replay:
    """Ozone and wind minute by minute, judged by one rule, and what was raised explained."""

    def __init__(self, place, ozone, rule="rearm: 0s", wind=lambda i: 2, minutes=180):
        self.place, self.rule = place, rule
        (place / "scripted.yaml").write_text(PROFILE)
        self.write(rule)
        series = place / "series"
        series.mkdir(exist_ok=True)
        (series / "roof.csv").write_text("time,ozone\n" + "".join(
            f"{T0 + 60 * i},{ozone(i)}\n" for i in range(minutes) if ozone(i) is not None))
        (series / "mast.csv").write_text("time,wind\n" + "".join(
            f"{T0 + 60 * i},{wind(i)}\n" for i in range(minutes)))
        done = subprocess.run([BINARY, "replay", "--station", self.station, "--series", series,
                               "--out", place / "out"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def write(self, rule):
        self.station = self.place / "station.yaml"
        text = STATION.format(place=self.place, condition=rule)
        if "hold_after" in rule:
            text = text.replace("hold_after: 0, ", "")
        self.station.write_text(text.replace("spike: {suspect: 0}",
                                             "spike: {suspect: 0}, rate: {suspect: 0}"))

    def explain(self, alert, *args, **how):
        return explain(alert, "--config", self.station, "--replay", self.place / "out", "--series",
                       self.place / "series", *args, **how)

    def told(self, alert="1", *args):
        return json.loads(self.explain(alert, "--json", *args).stdout)


def plume(i):
    return 240 if 60 <= i < 80 else 50 + i % 3


def minute(step):
    return int(step["time"][11:13]) * 60 + int(step["time"][14:16])


def test_each_sample_up_to_the_raise_and_what_followed(tmp_path):
    told = Replay(tmp_path, plume).told("1", "--before", "4")
    assert told["reproduced"] and told["rule"]["id"] == "high"
    assert told["rule"]["levels"]["red"] == {"set": 200.0, "clear": 150.0, "on": {"m": 3, "n": 3},
                                             "off": {"m": 3, "n": 3}}
    course = [(minute(s), s["value"], s["levels"]["red"]["on"], s.get("transition"))
              for s in told["samples"]]
    assert course == [(58, 51, 0, None), (59, 52, 0, None), (60, 240, 1, None), (61, 240, 2, None),
                      (62, 240, 3, "raised"), (82, 51, 0, "cleared")]
    assert told["unchanged"] == 19
    assert all(s["fate"] == "judged" and s["grade"] == "good" for s in told["samples"])


def test_in_words(tmp_path):
    done = Replay(tmp_path, plume)
    text = done.explain("1").stdout
    assert "at or above 200, as were 3 of the last 3 usable samples; 3 are needed" in text
    assert "Not before: at 2026-01-01 01:01:00 it was 2/3." in text
    assert "2026-01-01 01:22:00  cleared" in text and "19 further samples changed nothing" in text
    zh = done.explain("1", lang="zh").stdout
    assert "达到或高于 200" in zh and "参与判断" in zh and "解除" in zh


def test_all_shows_every_sample(tmp_path):
    told = Replay(tmp_path, plume).told("1", "--before", "1", "--all")
    assert [minute(s) for s in told["samples"]] == list(range(61, 83))
    assert [s["levels"]["red"].get("off") for s in told["samples"]][-3:] == [1, 2, None]
    assert told["unchanged"] == 0


def test_conditions_are_shown_with_what_they_compared(tmp_path):
    """Strong wind suppresses until minute 70; a sample of the mast comes behind the roof's."""
    told = Replay(tmp_path, plume, "suppress_when: mast/wind > 5 m/s",
                  wind=lambda i: 9 if i < 70 else 3)
    steps = told.told()["samples"]
    by_minute = {minute(s): s for s in steps}
    assert by_minute[70]["fate"] == "suppressed" and by_minute[73]["transition"] == "raised"
    assert by_minute[70]["suppress_when"] == {"is": "true", "values": {"mast/wind": 9.0}}
    assert by_minute[71]["suppress_when"] == {"is": "false", "values": {"mast/wind": 3.0}}
    text = told.explain("1").stdout
    assert "suppress_when (mast/wind > 5 m/s) was not true:  mast/wind 3" in text


def test_what_refutes_is_seen(tmp_path):
    told = Replay(tmp_path, plume, "when: mast/wind < 5 m/s", wind=lambda i: 9 if i < 65 else 3)
    steps = {minute(s): s for s in told.told()["samples"]}
    assert steps[65]["fate"] == "refuted" and steps[68]["transition"] == "raised"
    assert steps[65]["levels"]["red"]["on"] == 0 and steps[66]["levels"]["red"]["on"] == 1


def test_samples_that_do_not_count_say_why(tmp_path):
    """Out of range, then a gap, behind which two are held off by the checks and two by the rule."""
    def ozone(i):
        return None if 64 <= i < 70 else 5000 if i in (62, 63) else plume(i)

    steps = {minute(s): s for s in
             Replay(tmp_path, ozone, "hold_after: 3, rearm: 0s").told()["samples"]}
    assert steps[62]["fate"] == "unusable" and "range" in steps[62]["reasons"]
    assert [steps[i]["fate"] for i in (70, 71, 72)] == ["held"] * 3
    assert "after_gap" in steps[70]["reasons"]
    assert steps[73]["fate"] == "judged" and steps[73]["transition"] == "raised"


def test_a_duration_is_told_as_one(tmp_path):
    done = Replay(tmp_path, plume)
    text = (tmp_path / "station.yaml").read_text().replace("on: 3 of 3", "on: 5min")
    (tmp_path / "station.yaml").write_text(text)
    subprocess.run([BINARY, "replay", "--station", done.station, "--series", tmp_path / "series",
                    "--out", tmp_path / "out"], check=True, capture_output=True)
    told = done.explain("1").stdout
    assert "has been for 5min without a break" in told and "4min/5min" in told


def test_a_second_raise_that_was_held_back_says_so(tmp_path):
    """20 minutes quiet are less than the half hour between two raises."""
    def ozone(i):
        return 240 if 60 <= i < 70 or 80 <= i < 110 else 50 + i % 3

    done = Replay(tmp_path, ozone, "rearm: 30min")
    assert "rearm" not in done.explain("1").stdout
    text = done.explain("2").stdout
    assert "the delay was over already, but it had been raised at 2026-01-01 01:02:00" in text
    assert "within 30min (rearm)" in text


def test_what_is_judged_instead_of_the_value_stands_beside_it(tmp_path):
    done = Replay(tmp_path, lambda i: 300 if 100 <= i < 170 else 40 + i * 7 % 5)
    (tmp_path / "station.yaml").write_text(done.station.read_text().replace(
        "levels: {red: {set: 200, clear: 150, on: 3 of 3, off: 3 of 3}}",
        "levels: {red: {set: 200, clear: 150, on: 3 of 3, off: 3 of 3}}}\n"
        "  - {id: rise, selector: {device: roof, quantity: o3}, input: rate(30min), "
        "levels: {red: {set: 100, on: 1 of 1}}"))
    subprocess.run([BINARY, "replay", "--station", done.station, "--series", tmp_path / "series",
                    "--out", tmp_path / "out"], check=True, capture_output=True)
    told = json.loads(done.explain("rise", "--json").stdout)
    assert told["reproduced"] and told["rule"]["input"] == "rate(30min)"
    raise_ = next(s for s in told["samples"] if s.get("transition") == "raised")
    assert raise_["value"] == 300 and raise_["judged"] >= 100


def test_a_rule_that_was_changed_since_is_told(tmp_path):
    done = Replay(tmp_path, plume)
    done.station.write_text(done.station.read_text().replace("set: 200", "set: 250"))
    told = done.explain("1", status=1).stdout
    assert "it is not raised" in told
    assert not json.loads(done.explain("1", "--json", status=1).stdout)["reproduced"]
    done.station.write_text(done.station.read_text().replace("id: high", "id: other"))
    assert "has no rule high" in done.explain("1", status=2).stderr


def test_what_there_is_not_is_told(tmp_path):
    done = Replay(tmp_path, plume)
    assert "no alert '7'" in done.explain("7", status=1).stderr
    assert "no alert 'low/'" in done.explain("low/", status=1).stderr
    (tmp_path / "out/alerts.json").write_text('{"kind":"alert"}\n{"kind":\n')
    assert "line 2" in done.explain("1", status=2).stderr
    (tmp_path / "out/alerts.json").unlink()
    assert "alerts.json" in done.explain("1", status=2).stderr
    config = ["--config", done.station]
    assert "cannot be read" in explain("1", *config, "--log", tmp_path / "no.db", status=2).stderr
    for args in ([], ["1", "2"], ["1", "--series", tmp_path], ["1", "--before", "0"]):
        assert explain(*args, *config, status=2).stderr


class Station:
    """A real gateway with an analyser whose values are halved by calibration."""

    def __init__(self, place):
        self.place = place
        folder = place.path / "profiles"
        folder.mkdir()
        (folder / "test-analyser.yaml").write_text(profile_yaml(
            "test-analyser", ["id: ozone, at: 'h:0', type: f32, unit: 'ug/m3', quantity: ozone, "
                              "range: [-20, 1000]"], medium="air"))
        text = station_yaml(place.path, {"gas-1": ("test-analyser", free_port())}, poll="200ms",
                            http="off", commit="200ms", extra="""profiles: [profiles]
rules:
  - id: smog
    selector: {quantity: ozone}
    hold_after: 0
    rearm: 0s
    levels: {red: {set: 200, clear: 100, on: 2 of 3, off: 2 of 2}}
""")
        self.file = place.station_file(text.replace(
            "poll: 200ms}", "poll: 200ms, channels: {ozone: {factor: 0.5, stuck: 0, "
            "rate: {suspect: 0}, spike: {suspect: 0}}}}"))
        self.sim = None
        self.show(120)
        self.gateway = place.gateway(self.file).wait_line("runs:")
        self.log = place.path / "station.db"

    def show(self, ozone):
        if self.sim:
            self.sim.stop()
        self.sim = self.place.sim(self.file, "--set", f"ozone={ozone}")

    def wait_rows(self, more):
        least = rows_of(self.log) + more
        wait_until(lambda: rows_of(self.log) >= least, 30, "rows")

    def events(self):
        done = subprocess.run([BINARY, "export", "--events", "--quiet", self.log],
                              capture_output=True, text=True)
        lines = [json.loads(x) for x in done.stdout.splitlines()] if done.returncode == 0 else []
        return [e for e in lines if e["kind"] == "alert" and e["transition"] in (
            "raised", "upgraded", "downgraded", "cleared")]

    def wait_for(self, transition):
        wait_until(lambda: any(e["transition"] == transition for e in self.events()), 30, transition)


@pytest.fixture
def episode(place):
    """A station that raised an alert once, and cleared it."""
    station = Station(place)
    station.wait_rows(20)
    station.show(600)
    station.wait_for("raised")
    station.wait_rows(5)
    station.show(120)
    station.wait_for("cleared")
    station.wait_rows(5)
    return station


@pytest.mark.slow(15)
def test_a_running_station_is_explained_and_replayed(episode, tmp_path):
    raised, cleared = episode.events()
    told = json.loads(explain("1", "--config", episode.file, "--json").stdout)
    assert told["reproduced"] and told["alert"]["key"] == raised["key"]
    assert told["alert"]["no"] == 1 and told["alert"]["version"] == told["rule"]["version"]
    by = {s.get("transition"): s for s in told["samples"]}
    assert by["raised"]["time"] == raised["time"] and by["cleared"]["time"] == cleared["time"]
    assert by["raised"]["value"] == 300  # of 600, once and not twice
    assert "version" in explain(raised["key"], "--config", episode.file).stdout

    again = replay(episode.file, episode.log, "--out", tmp_path / "out", "--times", "ms")
    found = [json.loads(x) for x in (tmp_path / "out/alerts.json").read_text().splitlines()]
    same = ("time", "transition", "key", "level", "value", "limit", "flag")
    assert [[e[k] for k in same] for e in found if e["transition"] in ("raised", "cleared")] == \
        [[e[k] for k in same] for e in (raised, cleared)]
    assert "streams: 1, channels: 1" in again.stderr


def replay(station, log, *args, status=0):
    done = subprocess.run([BINARY, "replay", "--station", station, "--log", log, *args],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done


@pytest.mark.slow(15)
def test_a_copy_of_the_log_is_enough(episode, tmp_path):
    """What the log holds, and the checks run anew: values and flags as the station wrote them."""
    raised, cleared = episode.events()
    episode.gateway.stop()
    export = subprocess.run([BINARY, "export", "--channel", "gas-1/ozone", "--times", "ms",
                             "--quiet", episode.log], capture_output=True, text=True, check=True)
    copy = tmp_path / "elsewhere.db"
    shutil.copy(episode.log, copy)
    before = copy.read_bytes()
    told = json.loads(explain(raised["key"][:12], "--config", episode.file, "--log", copy,
                              "--json").stdout)
    assert told["reproduced"]
    replay(episode.file, copy, "--out", tmp_path / "out", "--times", "ms")
    assert copy.read_bytes() == before
    stored = [line.replace(";", ",").split(",") for line in export.stdout.splitlines()[1:]]
    flags = (tmp_path / "out/flags.csv").read_text().splitlines()[1:]
    anew = [line.split(",") for line in flags]
    assert [(t, v) for t, v, *_ in stored] == [(t, v) for t, _, v, *_ in anew]

    middle = int(stored[len(stored) // 2][0])
    half = replay(episode.file, copy, "--rules-only", "--json", "--from", str(middle))
    assert json.loads(half.stdout)["rows"] == sum(int(t) >= middle for t, *_ in stored)
    none = replay(episode.file, copy, "--rules-only", "--json", "--to", "2001-01-01")
    assert json.loads(none.stdout)["rows"] == 0
    assert "no time" in replay(episode.file, copy, "--rules-only", "--from", "x", status=2).stderr
    assert "before" in replay(episode.file, copy, "--rules-only", "--from", "2026-01-02", "--to",
                              "2026-01-01", status=2).stderr

    other = episode.file.read_text().replace("gas-1", "gas-2")
    file = episode.place.station_file(other, "other.yaml")
    assert "no readings" in replay(file, copy, "--rules-only", status=2).stderr
    (tmp_path / "junk.db").write_bytes(b"junk" * 5000)
    assert "cannot be read" in replay(episode.file, tmp_path / "junk.db", "--rules-only",
                                      status=2).stderr
    assert copy.read_bytes() == before and cleared["transition"] == "cleared"
