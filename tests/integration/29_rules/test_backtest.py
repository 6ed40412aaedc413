"""What rules would have raised, counted: `sluice replay --rules-only` and `--labels`."""
import csv
import datetime
import json
import pathlib
import re
import subprocess

import pytest
from conftest import BINARY, SHARED
from test_conditions import PROFILE, T0

pytestmark = pytest.mark.usefixtures("binary")

STATION = """station: {{id: s-01, region: demo, names: {{en: S, zh: 站}}}}
profiles: [{place}]
buses: [{{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}}]
devices:
  - {{id: roof, profile: scripted, bus: b, unit: 1, poll: 1min}}
  - {{id: yard, profile: scripted, bus: b, unit: 2, poll: 1min}}
qc: {{o3: {{stuck: 0, spike: {{suspect: 0}}, rate: {{suspect: 0}}}}}}
rules:
  - {{id: high, selector: {{quantity: o3}}, hold_after: 0, rearm: 0s,{more}
     levels: {{red: {{set: 200, clear: 150, on: 3 of 3, off: 3 of 3}}}}}}
  - {{id: off, enabled: false, selector: {{device: roof, quantity: o3}}, hold_after: 0, rearm: 0s,
     levels: {{red: {{set: 100, clear: 90, on: 3 of 3, off: 3 of 3}}}}}}
"""
HIGH = {"roof": [range(100, 120), range(200, 220), range(300, 320), range(400, 420)],
        "yard": [range(500, 520)]}
MINUTES = 600
HEADING = "start,end,kind,channel,rule,class,must_alarm_by"


def at(minute):
    return T0 + 60 * minute


def iso(minute):
    return datetime.datetime.fromtimestamp(at(minute), datetime.timezone.utc).isoformat()


@pytest.fixture
def place(tmp_path):
    (tmp_path / "scripted.yaml").write_text(PROFILE)
    (tmp_path / "station.yaml").write_text(STATION.format(place=tmp_path, more=""))
    (tmp_path / "series").mkdir()
    for device, spans in HIGH.items():
        (tmp_path / "series" / f"{device}.csv").write_text("time,ozone\n" + "".join(
            f"{at(i)},{240 if any(i in s for s in spans) else 60 + i % 3}\n"
            for i in range(MINUTES)))
    return tmp_path


def labels(place, *rows, name="labels.csv", heading=HEADING):
    (place / name).write_text("\n".join([heading, *rows]) + "\n")
    return place / name


def replay(place, *args, status=0, lang="en"):
    done = subprocess.run([BINARY, "replay", "--station", place / "station.yaml", "--series",
                           place / "series", *args], capture_output=True, text=True, timeout=60,
                          env={"LC_ALL": f"{lang}.UTF-8"})
    assert done.returncode == status, done.stderr
    return done


def counted(place, *args):
    return json.loads(replay(place, "--rules-only", "--json", *args).stdout)["backtest"]


def test_without_labels_raises_are_counted(place):
    told = counted(place)
    high, = told["rules"]
    assert (high["rule"], high["channels"], high["raised"]) == ("high", 2, 5)
    assert high["levels"] == {"red": 5} and "missed" not in high
    assert high["standing_s"] == 5 * 20 * 60  # on and off take two minutes each
    assert abs(high["sensor_months"] - 2 * MINUTES * 60 / 2629800) < 1e-6


def test_labels_part_true_from_false_from_missed(place):
    file = labels(
        place,
        f"{at(100)},{at(120)},event,roof/ozone,,plume,{at(110)}",
        f"{iso(200)},{iso(219)},fault,roof/*,,stuck,",
        f"{at(298)},{at(325)},benign,,,fireworks,",
        f"{at(400)},{at(420)},ignore,roof/ozone,,,",
        f"{at(50)},{at(60)},event,yard/ozone,,leak,",  # nothing was raised
    )
    high, = counted(place, "--labels", file)["rules"]
    assert {k: high[k] for k in ("raised", "events", "true", "missed", "late", "repeats", "false",
                                 "spurious", "faults_as_events", "benign", "ignored")} == {
        "raised": 5, "events": 2, "true": 1, "missed": 1, "late": 0, "repeats": 0, "false": 3,
        "spurious": 1, "faults_as_events": 1, "benign": 1, "ignored": 1}
    assert high["median_delay_s"] == 120
    assert abs(high["false_per_month"] - 3 / (2 * MINUTES * 60 / 2629800)) < 1e-3


def test_a_deadline_and_an_early_start_are_kept(place):
    late = labels(place, f"{at(100)},{at(120)},event,roof/ozone,,plume,{at(101)}")
    high, = counted(place, "--labels", late)["rules"]
    assert (high["true"], high["late"], high["missed"]) == (0, 1, 1)
    early = labels(place, f"{at(110)},{at(120)},event,600", heading="start,end,kind,early_ok_s")
    high, = counted(place, "--labels", early)["rules"]
    assert (high["true"], high["spurious"], high["median_delay_s"]) == (1, 4, -480)


def test_a_label_may_be_of_one_rule_alone(place):
    file = labels(place, f"{at(100)},{at(120)},event,,off,plume,",
                  f"{at(200)},{at(220)},event,,high,plume,")
    told = counted(place, "--labels", file, "--rule", "high", "--rule", "off")
    by_rule = {r["rule"]: (r["events"], r["true"], r["missed"]) for r in told["rules"]}
    assert by_rule == {"high": (1, 1, 0), "off": (1, 1, 0)}
    assert (told["all"]["events"], told["all"]["true"]) == (2, 2)


def test_a_rule_that_is_switched_off_can_be_tried(place):
    told = counted(place, "--rule", "off")
    assert [(r["rule"], r["raised"]) for r in told["rules"]] == [("off", 4)]
    wrong = replay(place, "--rules-only", "--rule", "of", status=2)
    assert "'of'" in wrong.stderr and "high, off" in wrong.stderr


def test_labels_of_times_that_were_not_replayed_ask_nothing(place):
    file = labels(place, f"{at(-500)},{at(-400)},event,,,,", f"{at(100)},{at(120)},event,,,,")
    high, = counted(place, "--labels", file)["rules"]
    assert (high["events"], high["missed"]) == (1, 0)


def test_a_mean_is_told_at_the_end_of_its_hour(place):
    (place / "station.yaml").write_text(STATION.format(place=place, more=" input: mean(1h),")
                                        .replace("set: 200, clear: 150, on: 3 of 3", "set: 100, "
                                                 "clear: 90, on: 1 of 1"))
    file = labels(place, f"{at(100)},{at(160)},event,roof/ozone,,,")
    high, = counted(place, "--labels", file)["rules"]
    assert high["true"] == 1
    assert 20 * 60 <= high["median_delay_s"] <= 20 * 60 + 2  # hour 1 to 2, and the grace


def test_json_says_the_same_as_a_table(place):
    rows = [{"start": at(100), "end": at(120), "kind": "event", "channel": "roof/ozone"},
            {"start": iso(200), "end": iso(219), "kind": "fault", "class": "stuck"}]
    table = labels(place, f"{at(100)},{at(120)},event,roof/ozone,,,",
                   f"{at(200)},{at(219)},fault,,,stuck,")
    array, wrapped = place / "labels.json", place / "wrapped.json"
    array.write_text(json.dumps(rows))
    wrapped.write_text(json.dumps({"labels": rows}))
    first = counted(place, "--labels", table)
    assert counted(place, "--labels", array) == counted(place, "--labels", wrapped) == first


def test_a_scenario_of_the_benchmark_is_taken_as_it_is(place):
    scenario = place / "scenario.json"
    scenario.write_text(json.dumps({
        "kind": "mixed", "first": at(0), "last": at(MINUTES),
        "events": [{"cls": "plume", "start": at(100), "end": at(120),
                    "must_alarm_by": at(110), "early_ok_s": 0}],
        "faults": [{"cls": "stuck_high", "start": at(200), "end": at(220)}],
        "benign": [], "ignore": [[at(290), at(330)], [at(500.5), at(520)]]}))
    high, = counted(place, "--labels", scenario)["rules"]
    assert (high["true"], high["faults_as_events"], high["ignored"], high["spurious"]) == (1, 1, 2, 1)


@pytest.mark.slow(20)
def test_the_scorer_of_the_benchmark_counts_the_same(place):
    """Some scenarios with a plain limit, by our rules of counting and by the benchmark's."""
    public = SHARED / "bench" / "alerts" / "public"
    if not public.exists():
        pytest.skip(f"no benchmark in {SHARED}")
    meta = json.loads((public / "meta.json").read_text())
    truth = json.loads((public / "labels.json").read_text())
    chosen = [s for s in sorted(meta) if meta[s]["medium"] == "air" and meta[s]["limit_high"]][:6]
    raised = sum(check_scenario(place, public, n, meta[n], truth[n]) for n in chosen)
    assert raised > 5  # else nothing was compared


def check_scenario(place, public, name, meta, truth):
    for old in (place / "series").iterdir():
        old.unlink()
    rows = list(csv.DictReader((public / "series" / f"{name}.csv").open()))
    (place / "series" / "roof.csv").write_text("time,ozone\n" + "".join(
        f"{r['timestamp']},{r['value']}\n" for r in rows))
    text = STATION.format(place=place, more="").replace("poll: 1min", f"poll: {meta['step_s']}s")
    text = re.sub(r"set: 200, clear: 150", f"set: {meta['limit_high']}, clear: "
                  f"{0.9 * meta['limit_high']}", text)
    (place / "station.yaml").write_text(text)
    (place / "truth.json").write_text(json.dumps(truth))
    told = counted(place, "--labels", place / "truth.json", "--out", place / "out")["rules"][0]
    alerts = [json.loads(x) for x in (place / "out/alerts.json").read_text().splitlines()]
    starts = [datetime.datetime.fromisoformat(a["time"].replace("Z", "+00:00")).timestamp()
              for a in alerts if a["transition"] == "raised"]
    assert told["raised"] == len(starts)
    mine = scored(starts, truth, meta["step_s"])
    assert {k: told[k] for k in mine} == mine, name
    return told["raised"]


def scored(starts, truth, s):
    """The rules in the header of the benchmark's scorer, written once more."""
    n = dict.fromkeys(("true", "missed", "late", "repeats", "spurious", "faults_as_events",
                       "benign", "ignored"), 0)
    first = {}
    for a in sorted(starts):
        hit = next((i for i, e in enumerate(truth["events"])
                    if e["start"] - e.get("early_ok_s", 0) - 2 * s <= a <= e["end"] + 2 * s), None)
        if hit is not None:
            n["repeats"] += hit in first
            first.setdefault(hit, a)
        elif any(f["start"] <= a <= f["end"] + 3 * s for f in truth["faults"]):
            n["faults_as_events"] += 1
        elif any(b["start"] <= a <= b["end"] for b in truth["benign"]):
            n["benign"] += 1
        else:
            n["ignored" if any(x - s <= a <= y + s for x, y in truth["ignore"]) else
              "spurious"] += 1
    for i, e in enumerate(truth["events"]):
        in_time = i in first and first[i] <= e["must_alarm_by"]
        n["true" if in_time else "missed"] += 1
        n["late"] += i in first and not in_time
    return n


def test_what_is_pasted_beside_the_rule_is_taken_and_changes_nothing(place):
    file = labels(place, f"{at(100)},{at(120)},event,roof/ozone,,,")
    done = replay(place, "--rules-only", "--labels", file)
    block = re.search(r"# high\n\s+(backtest: \{.*\})\n", done.stdout)[1]
    (place / "station.yaml").write_text(STATION.format(place=place, more=f" {block},"))
    check = subprocess.run([BINARY, "check", place / "station.yaml"], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr
    again = replay(place, "--rules-only", "--labels", file)
    version = re.search(r'version: "([0-9a-f]{16})"', block)[1]
    assert f'version: "{version}"' in again.stdout


def test_the_table_speaks_both_languages(place):
    file = labels(place, f"{at(100)},{at(120)},event,roof/ozone,,,")
    en = replay(place, "--rules-only", "--labels", file).stdout.splitlines()
    assert en[1].split() == ["rule", "channels", "raised", "true", "missed", "late", "repeats",
                             "spurious", "faults", "benign", "ignored", "false/month", "delay", "s"]
    assert en[2].split()[:10] == ["high", "2", "5", "1", "0", "0", "0", "4", "0", "0"]
    zh = replay(place, "--rules-only", "--labels", file, lang="zh").stdout
    assert "漏报" in zh and "可粘贴到规则中" in zh


def test_only_what_was_asked_for_is_written_and_is_the_same_at_each_run(place):
    file = labels(place, f"{at(100)},{at(120)},event,roof/ozone,,,")
    for out in ("one", "two"):
        replay(place, "--rules-only", "--labels", file, "--out", place / out)
        assert sorted(p.name for p in (place / out).iterdir()) == [
            "alerts.json", "backtest.json", "events.json"]
    for f in ("alerts.json", "backtest.json", "events.json"):
        assert (place / "one" / f).read_bytes() == (place / "two" / f).read_bytes()
    replay(place, "--labels", file, "--out", place / "all")
    whole = {p.name for p in (place / "all").iterdir()}
    assert {"flags.csv", "statistics.csv", "backtest.json"} <= whole
    assert (place / "all/alerts.json").read_bytes() == (place / "one/alerts.json").read_bytes()
    assert (place / "all/backtest.json").read_bytes() == (place / "one/backtest.json").read_bytes()


@pytest.mark.parametrize("text, where, what", [
    ("", "labels", "empty"),
    ("start,end\n1,2\n", "line 1", "start, end and kind"),
    ("start,end,kind,colour\n", "line 1", "'colour'"),
    ("start,end,kind,kind\n", "line 1", "twice"),
    (f"start,end,kind\n{T0},{T0 + 9}\n", "line 2", "2 cells"),
    (f"start,end,kind\n# note\n\n{T0},{T0 + 9},plague\n", "line 4", "'plague'"),
    (f"start,end,kind\nyesterday,{T0},event\n", "line 2", "'yesterday'"),
    (f"start,end,kind\n24h,{T0},event\n", "line 2", "'24h'"),
    (f"start,end,kind\n-5,{T0},event\n", "line 2", "'-5'"),
    (f"start,end,kind\n{T0},{T0 - 1},event\n", "line 2", "ends before"),
    (f"start,end,kind,must_alarm_by\n{T0},{T0 + 9},event,{T0 - 1}\n", "line 2", "must_alarm_by"),
    (f"start,end,kind,early_ok_s\n{T0},{T0 + 9},event,soon\n", "line 2", "'soon'"),
    (f"start,end,kind,early_ok_s\n{T0},{T0 + 9},event,1e99\n", "line 2", "'1e99'"),
    ("start,end,kind\n" + "x" * 70000 + "\n", "line 2", "too long"),
    ("start,end,kind\n\x01\x02,3,event\n", "line 2", "not text"),
    (f"start,end,kind\n{T0},{T0},event" + ",x" * 40 + "\n", "line 2", "cells"),
    ("start,end,kind\n" + f"{T0},{T0 + 9},event\n" * 20001, "line 20002", "more than 20000"),
    ("[{]", "line 1", "JSON"),
    ('[\n{"start": 1,\n "end" 2}]', "line 3", "JSON"),
    ('[{"start": 1700000000, "end": 1700000001, "kind": "event"}, 7]', "label 2", "no object"),
    ('[{"start": [1], "end": 2, "kind": "event"}]', "label 1", "start"),
    ('[{"start": 1e300, "end": 2, "kind": "event"}]', "label 1", "out of range"),
    ('[{"start": 5, "kind": "event"}]', "label 1", "end"),
    ('{"events": [], "ignore": [[1, 2, 3]]}', "label 1", "pair"),
    ('{"p_air_000": {"events": []}}', "labels", "of one"),
    ("[" * 5000, "line 1", "JSON"),
])
def test_labels_that_are_wrong_are_told_with_their_line(place, text, where, what):
    (place / "labels").write_text(text)
    told = replay(place, "--rules-only", "--labels", place / "labels", status=2).stderr
    assert where in told and what in told, told
    assert told.count("\n") == 1


def test_labels_that_are_not_there_are_told(place):
    assert "No such file" in replay(place, "--rules-only", "--labels", place / "x", status=2).stderr
    assert replay(place, "--rules-only", "--labels", place, status=2).stderr


@pytest.mark.parametrize("args", [
    ["--log", "x.db"], ["--from", "24h"], ["--to", "now"], ["FILE"], ["--serve", "tcp:1"]])
def test_what_does_not_go_together_is_refused(place, args):
    assert replay(place, "--rules-only", *args, status=2).stderr.count("\n") == 1


def test_a_station_is_needed(place):
    for args in (["--rules-only"], ["--labels", "x"], ["--rule", "high"],
                 ["--station", place / "station.yaml", "--series", place / "series"],
                 ["--station", place / "station.yaml", "--rules-only"]):
        done = subprocess.run([BINARY, "replay", *args], capture_output=True, text=True)
        assert done.returncode == 2 and "--station" in done.stderr


def test_docs_and_help_agree(place):
    told = subprocess.run([BINARY, "replay", "--help"], capture_output=True, text=True).stdout
    page = (pathlib.Path(__file__).resolve().parents[3] / "docs/backtest.md").read_text()
    for option in ("--log", "--from", "--to", "--rules-only", "--rule", "--labels"):
        assert option in told and option in page
