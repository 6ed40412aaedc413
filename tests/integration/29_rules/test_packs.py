"""Rule packs: what crosses a limit raises its level, what equals it does not; all in virtual time."""
import datetime
import json
import pathlib
import random
import subprocess

import pytest
from conftest import BINARY

pytestmark = pytest.mark.usefixtures("binary")

HOUR = 3600
ROOT = pathlib.Path(__file__).resolve().parents[3]
QUANTITIES = {
    "so2": ("sulfur_dioxide", "ug/m3", "-10, 2700"),
    "pm2_5": ("pm2_5", "ug/m3", "-10, 2000"),
    "ozone": ("ozone", "ug/m3", "-10, 1000"),
    "laeq": ("laeq", "dB[SPL]", "15, 145"),
    "la_max": ("la_max", "dB[SPL]", "15, 150"),
    "rain": ("precip_intensity", "mm/h", "0, 500"),
    "nh3n": ("ammonia_nitrogen", "mg/L", "0, 300"),
    "oxygen": ("dissolved_oxygen", "mg/L", "0, 25"),
    "lead": ("lead", "ug/L", "0, 5000"),
    "ph": ("ph", "[pH]", "0, 14"),
    "sulfate": ("sulfate", "mg/L", "0, 5000"),
    "dose": ("dose_rate_air", "nGy/h", "5, 1000000"),
    "level": ("sound_level", "dB[SPL]", "15, 145"),
    "h2s": ("hydrogen_sulfide", "ug/m3", "-5, 3000"),
    "counts": ("count_rate", "{count}/min", "0, 1000000"),
}


def station(place, points, packs, poll="1h", more=""):
    """A station with one device `d` that measures those points."""
    rows = "\n".join(f"  - {{id: {p}, at: h:{2 * i}, type: f32, unit: \"{QUANTITIES[p][1]}\", "
                     f"quantity: {QUANTITIES[p][0]}, range: [{QUANTITIES[p][2]}]}}" for i, p in enumerate(points))
    (place / "scripted.yaml").write_text(f"""profile: 1
id: scripted
names: {{en: Scripted, zh: 脚本}}
vendor: none
models: [test]
medium: air
verified: datasheet
sources: ["made up for this test"]
bus: {{transports: [tcp], doc_base: 0, order: ABCD, read: {{max: 50, gap: 20, timeout: 4s, retries: 0}}}}
points:
{rows}
""")
    checks = "\n".join(f"  {QUANTITIES[p][0]}: {{stuck: 0, spike: {{suspect: 0}}, rate: {{suspect: 0}}, "
                       "consistency: \"off\"}" for p in points)
    path = place / "station.yaml"
    path.write_text(f"""station: {{id: s-01, region: demo, zone: "+08:00", names: {{en: S, zh: 站}}}}
profiles: [{place}]
buses: [{{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}}]
devices:
  - {{id: d, profile: scripted, bus: b, unit: 1, poll: {poll}}}
qc:
{checks}
packs:
{packs}
{more}
""")
    return path


def at(text):
    """Local time of the station in seconds."""
    return int(datetime.datetime.fromisoformat(text + "+08:00").timestamp())


def replay(place, path, begin, step, columns):
    """[(rule, transition, level, value)] of the alerts that come of columns {point: values}."""
    series = place / "series"
    series.mkdir(exist_ok=True)
    names = list(columns)
    rows = zip(*columns.values())
    (series / "d.csv").write_text("time," + ",".join(names) + "\n" + "".join(
        f"{begin + i * step}," + ",".join(str(v) for v in row) + "\n" for i, row in enumerate(rows)))
    done = subprocess.run([BINARY, "replay", "--station", path, "--series", series, "--out", place / "out"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    alerts = [json.loads(line) for line in (place / "out/alerts.json").read_text().splitlines()]
    return [(a["rule"], a["transition"], a.get("level"), a.get("value")) for a in alerts
            if a["transition"] in ("raised", "upgraded", "downgraded", "cleared")]


def rules_of(path, *more):
    done = subprocess.run([BINARY, "rules", "list", path, "--json", *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---- GB 3095

def days(*values):
    return [v for v in values for _ in range(24)]


def test_a_day_mean_at_the_limit_keeps_it(tmp_path):
    path = station(tmp_path, ["pm2_5"], "  - {pack: gb3095}")
    got = replay(tmp_path, path, at("2026-06-01T00:00"), HOUR,
                 {"pm2_5": days(60, 60.4, 60.6, 60, 59) + [50]})
    assert got == [("gb3095-pm2-5-day", "raised", "yellow", 61), ("gb3095-pm2-5-day", "cleared", "none", 60)]


def test_final_limits_begin_with_2031(tmp_path):
    path = station(tmp_path, ["pm2_5"], "  - {pack: gb3095, colour: orange}")
    got = replay(tmp_path, path, at("2030-12-30T00:00"), HOUR, {"pm2_5": days(55, 55, 55, 50) + [50]})
    assert [g[:3] for g in got] == [("gb3095-pm2-5-day-2031", "raised", "orange"),
                                    ("gb3095-pm2-5-day-2031", "cleared", "none")]


def test_final_limits_can_be_asked_for_at_once(tmp_path):
    path = station(tmp_path, ["pm2_5"], "  - {pack: gb3095, limits: final, grade: 1}")
    got = replay(tmp_path, path, at("2026-06-01T00:00"), HOUR, {"pm2_5": days(25, 26) + [20]})
    assert got == [("gb3095-pm2-5-day-2031", "raised", "yellow", 26)]


def test_an_hour_of_gas_above_the_limit(tmp_path):
    path = station(tmp_path, ["so2"], "  - {pack: gb3095}", poll="10min")
    got = replay(tmp_path, path, at("2026-06-01T00:00"), 600, {"so2": [500] * 12 + [501] * 6 + [500] * 7})
    assert got == [("gb3095-so2-1h", "raised", "yellow", 501), ("gb3095-so2-1h", "cleared", "none", 500)]


def test_eight_hours_of_ozone(tmp_path):
    path = station(tmp_path, ["ozone"], "  - {pack: gb3095}")
    got = replay(tmp_path, path, at("2026-06-01T00:00"), HOUR, {"ozone": [160] * 10 + [170] * 8 + [100] * 8})
    assert got[0] == ("gb3095-o3-8h", "raised", "yellow", 161)
    assert [g[:2] for g in got] == [("gb3095-o3-8h", "raised"), ("gb3095-o3-8h", "cleared")]


# ---- heavy pollution

def test_days_of_heavy_pollution_climb_through_the_colours(tmp_path):
    index = "index: {standard: hj633-2026, not_in_plan_clean: [so2, no2, co, o3, pm10]}"
    path = station(tmp_path, ["pm2_5"], "  - {pack: heavy-pollution}", more=index)
    got = replay(tmp_path, path, at("2026-06-01T00:00"), HOUR,
                 {"pm2_5": days(150, 200, 200, 200, 200, 100) + [90]})  # AQI 200 keeps it, 250 does not
    assert got == [("heavy-pollution-days", "raised", "blue", 250), ("heavy-pollution-days", "upgraded", "yellow", 250),
                   ("heavy-pollution-days", "upgraded", "orange", 250), ("heavy-pollution-days", "cleared", "none", 137)]


def test_a_plan_of_three_levels_has_no_blue(tmp_path):
    index = "index: {standard: hj633-2026, not_in_plan_clean: [so2, no2, co, o3, pm10]}"
    path = station(tmp_path, ["pm2_5"], "  - {pack: heavy-pollution, plan: three}", more=index)
    got = replay(tmp_path, path, at("2026-06-01T00:00"), HOUR, {"pm2_5": days(251, 251, 600) + [90]})
    assert [g[:3] for g in got] == [("heavy-pollution-days", "raised", "yellow"),
                                    ("heavy-pollution-severe", "raised", "red"),
                                    ("heavy-pollution-days", "upgraded", "orange"),
                                    ("heavy-pollution-top", "raised", "red")]


# ---- GB 3096

def noise(place, packs, hours, begin="2026-06-01T06:00", **columns):
    path = station(place, ["laeq", *columns], packs, poll="10min")
    return replay(place, path, at(begin), 600,
                  {"laeq": [v for v in hours for _ in range(6)],
                   **{k: [v for v in values for _ in range(6)] for k, values in columns.items()}})


def test_an_hour_at_the_limit_of_the_day_keeps_it(tmp_path):
    got = noise(tmp_path, "  - {pack: gb3096, zone: 2}", [60, 60, 60.1, 60, 59])
    assert got == [("gb3096-day", "raised", "blue", 60.1), ("gb3096-day", "cleared", "none", 60)]


def test_the_night_has_a_limit_of_its_own(tmp_path):
    got = noise(tmp_path, "  - {pack: gb3096, zone: 4a}", [60, 60, 55, 55, 56, 54], begin="2026-06-01T20:00")
    assert [g[:3] for g in got] == [("gb3096-night", "raised", "blue"), ("gb3096-night", "cleared", "none")]


def test_day_and_night_as_a_whole_decide(tmp_path):
    got = noise(tmp_path, "  - {pack: gb3096, zone: 2}", [50] * 6 + [62] * 16 + [50] * 2 + [40], begin="2026-06-01T00:00")
    assert ("gb3096-ld", "raised", "yellow", 62) in got
    assert not [g for g in got if g[0] in ("gb3096-ln", "gb3096-night")]


def test_noise_in_rain_does_not_count(tmp_path):
    got = noise(tmp_path, "  - {pack: gb3096}", [50, 70, 50, 50], rain=[0, 4, 0, 0])
    assert got == []


def test_sudden_noise_is_one_of_the_night(tmp_path):
    packs = "  - {pack: gb3096, zone: 2, rules: {day: {enabled: false}, night: {enabled: false}}}"
    got = noise(tmp_path, packs, [45, 45, 45, 45], begin="2026-06-01T20:00", la_max=[80, 60, 65, 65.1])
    assert got == [("gb3096-sudden", "raised", "yellow", 65.1)]


# ---- GB 3838

@pytest.mark.parametrize("point, kept, beyond, rule", [
    ("nh3n", 1.0, 1.01, "ammonia"), ("oxygen", 5, 4.99, "oxygen"), ("lead", 50, 50.1, "lead"), ("ph", 9, 9.01, "ph-high"),
    ("ph", 6, 5.99, "ph-low")])
def test_water_of_class_iii(tmp_path, point, kept, beyond, rule):
    path = station(tmp_path, [point], "  - {pack: gb3838, class: III}")
    begin = at("2026-06-01T00:00")
    assert replay(tmp_path, path, begin, HOUR, {point: [kept] * 10}) == []
    got = replay(tmp_path, path, begin, HOUR, {point: [kept] * 5 + [beyond] * 5})
    assert got == [(f"gb3838-{rule}", "raised", "yellow", beyond)]


def test_each_result_of_a_slow_analyser_is_judged(tmp_path):
    path = station(tmp_path, ["nh3n"], "  - {pack: gb3838, class: II, input: value}", poll="4h")
    got = replay(tmp_path, path, at("2026-06-01T00:00"), 4 * HOUR, {"nh3n": [0.5, 0.5, 0.5, 0.5, 0.6, 0.5]})
    assert got == [("gb3838-ammonia", "raised", "yellow", 0.6)]


# ---- radiation, fence line, intake

def test_dose_rate_over_the_background(tmp_path):
    path = station(tmp_path, ["dose"], "  - {pack: radiation}", poll="1min")
    quiet = [80 + i % 3 for i in range(1440)]
    begin = at("2026-06-01T00:00")
    assert replay(tmp_path, path, begin, 60, {"dose": quiet + [90] * 30 + quiet[:60]}) == []
    got = replay(tmp_path, path, begin, 60, {"dose": quiet + [120] * 30})
    assert [g[:3] for g in got] == [("radiation-notice", "raised", "blue")]
    got = replay(tmp_path, path, begin, 60, {"dose": quiet + [200] * 8})
    assert [g[:3] for g in got] == [("radiation-net", "raised", "orange")]
    got = replay(tmp_path, path, begin, 60, {"dose": quiet + [999.9] * 4 + [1000] * 4})
    assert ("radiation-high", "raised", "red", 1000) in got


def test_the_notice_waits_for_the_rain_to_be_over_and_the_alarm_does_not(tmp_path):
    path = station(tmp_path, ["dose", "rain"], "  - {pack: radiation}", poll="1min")
    quiet = [80 + i % 3 for i in range(1440)]
    begin, rain = at("2026-06-01T00:00"), [0] * 1440 + [5] * 60
    assert replay(tmp_path, path, begin, 60, {"dose": quiet + [120] * 60, "rain": rain}) == []
    got = replay(tmp_path, path, begin, 60, {"dose": quiet + [200] * 60, "rain": rain})
    assert [g[:3] for g in got] == [("radiation-net", "raised", "orange")]


def test_a_known_background(tmp_path):
    path = station(tmp_path, ["dose"], "  - {pack: radiation, background: 80}", poll="1min")
    got = replay(tmp_path, path, at("2026-06-01T00:00"), 60, {"dose": [100] * 20 + [159.9] * 10 + [160] * 10})
    assert [g for g in got if g[0] != "radiation-notice"] == [("radiation-double", "raised", "orange", 160)]


def test_a_count_rate_has_events_below_its_limit(tmp_path):
    path = station(tmp_path, ["counts", "rain"], "  - {pack: radiation, counts: 60}", poll="1min")
    draw = random.Random(3)
    counts = [sum(draw.random() < 0.02 for _ in range(1000)) for _ in range(1500)]
    begin, dry = at("2026-06-01T00:00"), [0] * 1500
    assert replay(tmp_path, path, begin, 60, {"counts": counts, "rain": dry}) == []
    counts[1400:1460] = [n + 16 for n in counts[1400:1460]]
    got = replay(tmp_path, path, begin, 60, {"counts": counts, "rain": dry})
    assert [g[:3] for g in got][:1] == [("radiation-counts", "raised", "yellow")]


def test_the_fence_line(tmp_path):
    path = station(tmp_path, ["h2s"], "  - {pack: fence-line}", poll="10s")
    begin = at("2026-06-01T00:00")
    assert not [g for g in replay(tmp_path, path, begin, 10, {"h2s": [60] * 360}) if g[0] == "fence-line-h2s"]
    got = replay(tmp_path, path, begin, 10, {"h2s": [5] * 60 + [60.5] * 60})
    assert ("fence-line-h2s", "raised", "yellow", 60.5) in got


def test_the_intake(tmp_path):
    path = station(tmp_path, ["sulfate", "ph"], "  - {pack: drinking-water-intake}", poll="1min")
    begin = at("2026-06-01T00:00")
    assert replay(tmp_path, path, begin, 60, {"sulfate": [250] * 360, "ph": [6] * 360}) == []
    got = replay(tmp_path, path, begin, 60, {"sulfate": [250] * 60 + [251] * 180, "ph": [7] * 200 + [5.9] * 40})
    assert [g[:3] for g in got] == [("drinking-water-intake-sulfate", "raised", "yellow"),
                                    ("drinking-water-intake-ph-low", "raised", "orange")]


# ---- configuration

ALL = "\n".join(f"  - {{pack: {p}}}" for p in ("gb3095", "gb3096", "gb3838", "radiation", "heavy-pollution",
                                               "fence-line", "drinking-water-intake"))


def test_rules_that_fit_no_channel_are_left_out_without_a_word(tmp_path):
    path = station(tmp_path, ["ozone"], ALL)
    done = subprocess.run([BINARY, "check", "--strict", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    got = rules_of(path)
    assert [r["id"] for r in got["rules"]] == ["gb3095-o3-1h", "gb3095-o3-8h"]
    assert {"id": "gb3095-so2-1h", "why": "no_channel"} in got["absent"]


def test_a_rule_of_the_station_goes_before(tmp_path):
    own = """rules:
  - {id: gb3095-o3-1h, title: {en: Mine, zh: 本站}, selector: {quantity: ozone}, levels: {red: {set: 300}}}"""
    path = station(tmp_path, ["ozone"], "  - {pack: gb3095, rules: {o3-8h: {enabled: false}}}", more=own)
    got = rules_of(path)
    assert [(r["id"], r["title_en"]) for r in got["rules"]] == [("gb3095-o3-1h", "Mine")]
    assert {"id": "gb3095-o3-1h", "why": "replaced"} in got["absent"]
    assert {"id": "gb3095-o3-8h", "why": "switched_off"} in got["absent"]


def test_one_pack_may_judge_two_places(tmp_path):
    packs = "  - {pack: gb3838, device: d}\n  - {pack: gb3838, id: strict, class: I, device: d}"
    got = rules_of(station(tmp_path, ["nh3n"], packs))
    assert [(r["id"], r["device"], r["levels"][0]["set"]) for r in got["rules"]] == [
        ("gb3838-ammonia", "d", 1), ("strict-ammonia", "d", 0.15)]


def test_one_noise_is_judged_once(tmp_path):
    def ids(points):
        return {r["id"] for r in rules_of(station(tmp_path, points, "  - {pack: gb3096}", poll="1s"))["rules"]}

    assert ids(["laeq", "la_max", "level"]) == {"gb3096-day", "gb3096-night", "gb3096-ld", "gb3096-ln", "gb3096-sudden"}
    assert ids(["laeq", "level"]) == {"gb3096-day", "gb3096-night", "gb3096-ld", "gb3096-ln", "gb3096-sudden-level"}
    assert len(ids(["level"])) == 5


def test_the_effective_configuration_loads_again(tmp_path):
    path = station(tmp_path, list(QUANTITIES), ALL + "\n  - {pack: radiation, id: tube, counts: 100}", poll="1min")
    first = subprocess.run([BINARY, "check", "--print", path], capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    (tmp_path / "again.yaml").write_text(first.stdout)
    again = subprocess.run([BINARY, "check", "--print", tmp_path / "again.yaml"], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert "quantity: count_rate" in first.stdout


@pytest.mark.parametrize("packs, place, what", [
    ("  - {pack: gb3069}", "9:12", "did you mean 'gb3096'?"),
    ("  - {pack: gb3096, zone: 9}", "9:26", "expected one of 0, 1, 2, 3, 4a or 4b, got '9'"),
    ("  - {pack: gb3096, zoen: 2}", "9:20", "did you mean 'zone'?"),
    ("  - {pack: gb3096, wind: d/ozone}", "9:26", "'d/ozone' is ozone, expected a channel of wind_speed"),
    ("  - {pack: gb3096, rain: \"x/y > 0 or hour\"}", "9:27", "no channel is called 'x/y > 0 or hour'"),
    ("  - {pack: radiation, net: 1e400}", "9:28", "expected a number"),
    ("  - {pack: radiation, net: -1}", "9:28", "must be between 1 and 1000000"),
    ("  - {pack: gb3095, rules: {o3-9h: {enabled: false}}}", "9:28", "did you mean 'o3-1h'?"),
    ("  - {pack: gb3838, device: x}", "9:28", "nothing in 'devices' is called 'x'"),
    ("  - {pack: gb3095}\n  - {pack: gb3095}", "10:5", "two packs are called 'gb3095'"),
    ("  - {zone: 2}", "9:5", "key 'pack' is missing here"),
    ("  - gb3095", "9:5", "expected a mapping"),
    (f"  - {{pack: gb3095, id: {'a' * 41}}}", "9:24", "at most 40 characters"),
])
def test_what_is_wrong_is_told_where_it_stands(tmp_path, packs, place, what):
    path = station(tmp_path, ["ozone"], packs)
    done = subprocess.run([BINARY, "check", path], capture_output=True, text=True)
    assert done.returncode == 2
    assert any(f":{place}: error:" in line and what in line for line in done.stdout.splitlines()), done.stdout


def test_mistakes_of_own_rules_are_told_at_their_place_beside_packs(tmp_path):
    own = """rules:
  - {id: a, selector: {quantity: ozone}, levels: {red: {set: 300}}}
  - {id: b, selector: {quantity: ozone}, levels: {red: {set: 300, clear: 310}}}"""
    path = station(tmp_path, ["ozone"], ALL, more=own)
    done = subprocess.run([BINARY, "check", path], capture_output=True, text=True)
    line = path.read_text().splitlines().index("rules:") + 3
    assert done.returncode == 2
    assert f"{line}:74: error: 'clear' must not be above 'set'" in done.stdout


def test_rain_without_a_mean_of_an_hour_is_none(tmp_path):
    path = station(tmp_path, ["laeq", "rain"], "  - {pack: gb3096}", poll="2h")
    text = path.read_text()
    near = "  - {id: near, profile: scripted, bus: b, unit: 2, poll: 10min, channels: {rain: {enabled: false}}}\n"
    path.write_text(text.replace("qc:", near + "qc:", 1))
    assert all("suppress_when" not in r for r in rules_of(path)["rules"])
    path.write_text(path.read_text().replace("{pack: gb3096}", "{pack: gb3096, rain: d/rain}"))
    done = subprocess.run([BINARY, "check", path], capture_output=True, text=True)
    assert done.returncode == 2 and "'d/rain' has no mean of an hour" in done.stdout


def test_the_list_knows_every_source(tmp_path):
    done = subprocess.run([BINARY, "rules", "list", "--json"], capture_output=True, text=True)
    packs = json.loads(done.stdout)["packs"]
    assert [p["pack"] for p in packs] == ["gb3095", "heavy-pollution", "gb3096", "gb3838", "radiation", "fence-line",
                                          "drinking-water-intake"]
    assert all(r["source"] and r["title_en"] and r["title_zh"] for p in packs for r in p["rules"])
    for lang, word in (("en_US.UTF-8", "Noise by acoustic zone"), ("zh_CN.UTF-8", "声环境质量标准")):
        text = subprocess.run([BINARY, "rules", "list", "--pack", "gb3096"], capture_output=True, text=True,
                              env={"LC_ALL": lang}).stdout
        assert word in text and "GB 3096-2008 table 1" in text
    wrong = subprocess.run([BINARY, "rules", "list", "--pack", "gb"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "there is no pack 'gb'" in wrong.stderr


def test_options_of_the_list(tmp_path):
    def listed(*words):
        done = subprocess.run([BINARY, "rules", "list", "--json", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return {r["id"]: r["levels"][0]["set"] for p in json.loads(done.stdout)["packs"] for r in p["rules"]}

    assert listed("--pack", "gb3096", "--set", "zone=3")["gb3096-day"] == 65
    assert listed("--pack", "radiation", "--set", "background=82", "--set", "factor=3")["radiation-double"] == 246
    for wrong in ("zone=7", "zone", "zone=", "zoen=2", "colour=pink"):
        done = subprocess.run([BINARY, "rules", "list", "--pack", "gb3096", "--set", wrong], capture_output=True, text=True)
        assert done.returncode == 2 and wrong in done.stderr


def test_the_pages_have_the_thresholds_of_the_packs(tmp_path):
    done = subprocess.run(["/usr/bin/python3", ROOT / "scripts/rule_pack_tables.py", "--check", BINARY, ROOT],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
