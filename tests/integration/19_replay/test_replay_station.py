"""`sluice replay --station`: tables through the station's whole pipeline in virtual time."""
import csv
import json
import math
import random
import subprocess

import pytest
from conftest import BINARY, profile_yaml

pytestmark = pytest.mark.usefixtures("binary")

T0, STEP = 1767225600, 10  # 2026-01-01T00:00:00Z, a full hour in every zone
PROFILE = profile_yaml("scripted", [
    "id: air_temp, at: h:0, type: f32, unit: Cel, quantity: air_temp, range: [-60, 60]",
    'id: humid, at: h:2, type: f32, unit: "%", quantity: rh, range: [0, 105]',
    "id: press, at: h:4, type: f32, unit: hPa, quantity: press, range: [300, 1100]",
])
STATION = """station: {{id: s-01, region: demo, names: {{en: S, zh: 站}}}}
profiles: [{place}]
buses: [{{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}}]
devices:
  - {{id: roof, profile: scripted, bus: b, unit: 1, poll: 10s{channels}}}
  - {{id: yard, profile: scripted, bus: b, unit: 2, poll: 1min}}
qc:
  air_temp: {{rate: {{suspect: 0}}, spike: {{suspect: 5}}, stuck: 0}}
  rh: {{stuck: 0}}
rules:
  - {{id: hot, selector: {{quantity: air_temp}}, levels: {{red: {{set: 35, clear: 30, on: 2 of 3}}}}}}
"""
SPIKE, OUTLIER, HOT, GAP = 50, 60, range(300, 320), range(100, 150)
ROWS = [i for i in range(720) if i not in GAP]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "scripted.yaml").write_text(PROFILE)
    station(tmp_path)
    (tmp_path / "series").mkdir()
    return tmp_path


def station(place, channels=""):
    (place / "station.yaml").write_text(STATION.format(place=place, channels=channels))


def temperature(i):
    if i == SPIKE:
        return 29
    if i == OUTLIER:
        return 99
    return 40 if i in HOT else 20 + i % 3 / 8


def roof(place, rows=ROWS, name="roof", heading="time,air_temp,rh"):
    lines = [f"{T0 + STEP * i},{temperature(i)},{50 + i % 7}" for i in rows]
    (place / "series" / f"{name}.csv").write_text("\n".join([heading, *lines]) + "\n")


def replay(place, *args, out="out", status=0, env=None):
    done = subprocess.run([BINARY, "replay", "--station", place / "station.yaml", "--series",
                           place / "series", "--out", place / out, *args],
                          capture_output=True, timeout=60, env={"LC_ALL": "C.UTF-8", **(env or {})})
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def table(place, name, channel=None):
    with open(place / "out" / name, newline="") as f:
        return [r for r in csv.DictReader(f) if channel in (None, r["channel"])]


def seconds(row):
    day, time = row["time"].rstrip("Z").split("T")
    assert day == "2026-01-01"
    h, m, s = time.split(":")
    return int(h) * 3600 + int(m) * 60 + int(s)


def test_flags_are_final_and_say_why(place):
    roof(place)
    replay(place)
    rows = table(place, "flags.csv", "roof/air_temp")
    assert [seconds(r) // STEP for r in rows] == ROWS
    assert [float(r["value"]) for r in rows] == [temperature(i) for i in ROWS]
    told = {i: (r["grade"], r["reasons"], r["qartod"]) for i, r in zip(ROWS, rows)
            if r["grade"] != "good"}
    held = ("not_evaluated", "after_gap", "2")
    assert told == {0: held, 1: held, 150: held, 151: held,
                    SPIKE: ("suspect", "spike", "3"), OUTLIER: ("bad", "range", "4")}


def test_a_minute_has_the_mean_of_its_good_values(place):
    roof(place)
    replay(place)
    minutes = {seconds(r) // 60: r for r in table(place, "statistics.csv", "roof/air_temp@1min")}
    assert sorted(minutes) == list(range(120))
    for minute, row in minutes.items():
        used = [temperature(i) for i in range(6 * minute, 6 * minute + 6)
                if i in ROWS and i != OUTLIER]
        if not used:
            assert row["value"] == "" and row["grade"] == "missing"
        else:
            assert abs(float(row["value"]) - sum(used) / len(used)) <= 0.005001
    assert minutes[OUTLIER // 6]["grade"] == "good"  # 5 of 6
    assert minutes[16]["grade"] == "bad"             # 4 of 6
    hours = table(place, "statistics.csv", "roof/air_temp@1h")
    second = [temperature(i) for i in range(360, 720)]
    assert [seconds(r) // 3600 for r in hours] == [0, 1]
    assert abs(float(hours[1]["value"]) - sum(second) / 360) < 0.0006


def test_an_alert_is_raised_and_cleared_when_the_station_would(place):
    roof(place)
    replay(place)
    events = [json.loads(x) for x in (place / "out" / "alerts.json").read_text().splitlines()]
    assert all(e["rule"] == "hot" and e["channel"] == "roof/air_temp" for e in events)
    moved = {e["transition"]: e for e in events}
    assert moved["raised"]["time"] == "2026-01-01T00:50:10.000Z"  # the second of three
    assert moved["raised"]["level"] == "red" and moved["raised"]["value"] == 40
    assert moved["cleared"]["time"] > "2026-01-01T00:53:20.000Z"
    assert moved["cleared"]["extreme"] == 40
    assert moved["cannot_judge"]["time"] < moved["judges_again"]["time"] == "2026-01-01T00:25:20.000Z"


def test_two_runs_give_the_same_bytes_wherever_they_run(place):
    roof(place)
    replay(place)
    replay(place, out="again", env={"TZ": "Asia/Shanghai", "LC_ALL": "zh_CN.UTF-8"})
    names = sorted(p.name for p in (place / "out").iterdir())
    assert names == ["alerts.json", "events.json", "flags.csv", "indices.csv",
                     "indices.json", "statistics.csv"]
    for name in names:
        assert (place / "out" / name).read_bytes() == (place / "again" / name).read_bytes()


def test_tables_of_channels_give_what_one_of_the_device_gives(place):
    roof(place)
    replay(place)
    whole = (place / "out" / "flags.csv").read_bytes()
    (place / "series" / "roof.csv").unlink()
    for name, cell in ("air_temp", temperature), ("humid", lambda i: 50 + i % 7):
        lines = [f"{T0 + STEP * i},{cell(i)}" for i in ROWS]
        (place / "series" / f"roof.{name}.csv").write_text("\n".join(lines) + "\n")
    replay(place)
    assert (place / "out" / "flags.csv").read_bytes() == whole
    for f in (place / "series").iterdir():
        f.unlink()
    roof(place, name="anything", heading="time,roof/air_temp,roof/humid")
    replay(place)
    assert (place / "out" / "flags.csv").read_bytes() == whole


def test_the_folder_of_an_export_is_read_but_for_its_statistics(place):
    roof(place)
    replay(place)
    whole = (place / "out" / "flags.csv").read_bytes()
    (place / "series" / "roof.csv").rename(place / "series" / "dev.roof.csv")
    (place / "series" / "stat.1h.0.csv").write_text(f"time,roof/air_temp@1h\n{T0},20.1\n")
    (place / "series" / "events.jsonl").write_text("{}\n")
    replay(place)
    assert (place / "out" / "flags.csv").read_bytes() == whole


def test_devices_are_merged_in_the_order_of_time(place):
    roof(place)
    lines = [f"2026-01-01T{i // 60:02}:{i % 60:02}:00Z,{5 + i % 4}" for i in range(120)]
    (place / "series" / "yard.csv").write_text("\n".join(["time,air_temp", *lines]) + "\n")
    replay(place)
    rows = table(place, "flags.csv")
    assert len(rows) == 2 * len(ROWS) + 120
    late = [(a, b) for a, b in zip(rows, rows[1:]) if seconds(a) - seconds(b) > 60]
    assert late == []  # a row waits for the next one of its device, no longer
    assert [r["value"] for r in table(place, "flags.csv", "yard/air_temp")] == \
        [str(5 + i % 4) for i in range(120)]


def test_factor_and_offset_are_applied_unless_they_were(place):
    station(place, ", channels: {air_temp: {factor: 2, offset: 1}}")
    roof(place, rows=range(12))
    replay(place)
    values = [float(r["value"]) for r in table(place, "flags.csv", "roof/air_temp")]
    assert values == [round(2 * temperature(i) + 1, 4) for i in range(12)]
    replay(place, "--calibrated")
    values = [float(r["value"]) for r in table(place, "flags.csv", "roof/air_temp")]
    assert values == [temperature(i) for i in range(12)]


def test_the_summary_counts_what_was_written(place):
    roof(place)
    out, _ = replay(place, "--json", "--flagged")
    summary = json.loads(out)
    assert summary["station"] == "s-01" and summary["rows"] == len(ROWS)
    assert summary["grades"]["bad"] == 1 and summary["reasons"]["spike"] == 1
    assert sum(summary["grades"].values()) == 2 * len(ROWS)
    flags = table(place, "flags.csv")
    assert len(flags) == summary["lines"]["flags.csv"] == 2 * len(ROWS) - summary["grades"]["good"]


def test_a_poll_that_is_not_that_of_the_series_is_told(place):
    roof(place, rows=range(0, 720, 30))
    _, err = replay(place)
    assert "the rows of roof are further apart than its poll of 10000 ms" in err


def test_a_pause_of_years_is_not_played(place):
    (place / "series" / "roof.csv").write_text("time,air_temp\n1767225600,20\n32503680000,21\n")
    replay(place)
    minutes = table(place, "statistics.csv", "roof/air_temp@1min")
    assert 1440 <= len(minutes) <= 1443
    assert [r["value"] for r in table(place, "flags.csv")] == ["20", "21"]


def test_an_index_stands_beside_the_means_it_is_of(place):
    points = {"sulfur_dioxide": 35, "nitrogen_dioxide": 85, "carbon_monoxide": 3, "ozone": 140,
              "pm10": 80, "pm2_5": 45}
    (place / "air.yaml").write_text(PROFILE.split("points:")[0].replace(
        "id: scripted", "id: air").replace("medium: weather", "medium: air") + "points:\n" + "".join(
            f"  - {{id: {p}, at: h:{2 * i}, type: f32, unit: "
            f"{'mg/m3' if p == 'carbon_monoxide' else 'ug/m3'}, quantity: {p}, range: [-5, 900]}}\n"
            for i, p in enumerate(points)))
    (place / "station.yaml").write_text(
        f"station: {{id: s-01, region: demo, names: {{en: S, zh: 站}}}}\nprofiles: [{place}]\n"
        "buses: [{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}]\n"
        "devices: [{id: air, profile: air, bus: b, unit: 1, poll: 1min}]\n"
        "qc:\n" + "".join(f"  {p}: {{stuck: 0}}\n" for p in points) +
        "index: {standard: [hj633-2026]}\n")
    lines = [f"{T0 + 60 * i}," + ",".join(str(v) for v in points.values()) for i in range(120)]
    (place / "series" / "air.csv").write_text("\n".join(["time," + ",".join(points), *lines]) + "\n")
    replay(place)
    hours = [(seconds(r) // 3600, r["value"]) for r in table(place, "indices.csv")
             if r["channel"].endswith("@1h")]
    assert hours == [(0, "72"), (1, "72")]
    subs = {r["channel"].split("@1h.")[1]: r["value"] for r in table(place, "indices.csv")
            if r["channel"].endswith("_iaqi") and "@1h" in r["channel"]}
    assert subs == {"so2_iaqi": "12", "no2_iaqi": "43", "co_iaqi": "30", "o3_iaqi": "44",
                    "pm10_iaqi": "72", "pm2_5_iaqi": "70"}
    results = [json.loads(line) for line in
               (place / "out" / "indices.json").read_text().splitlines()]
    heading = "time," + ",".join(points)
    row = f"{results[0]['time']}," + ",".join(str(v) for v in points.values())
    done = subprocess.run([BINARY, "index", "--standard", "hj633-2026", "--format", "json"],
                          input=f"{heading}\n{row}\n", capture_output=True, text=True)
    assert results[0] == json.loads(done.stdout)
    assert [r["report"] for r in results] == ["hour", "hour"]


def energy(levels):
    return 10 * math.log10(math.fsum(10 ** (x / 10) for x in levels) / len(levels))


def exceeded(levels, percent):
    falling = sorted(levels, reverse=True)
    return falling[max(math.ceil(len(falling) * percent / 100 - 1e-9), 1) - 1]


def bearing(winds):
    east = math.fsum(v * math.sin(math.radians(d)) for d, v in winds)
    north = math.fsum(v * math.cos(math.radians(d)) for d, v in winds)
    return math.degrees(math.atan2(east, north)) % 360, math.hypot(east, north) / len(winds)


def long_station(place, night):
    points = {"laeq": "dB[SPL]", "wind_dir": "deg", "wind_speed": "m/s"}
    (place / "mast.yaml").write_text(PROFILE.split("points:")[0].replace(
        "id: scripted", "id: mast") + "points:\n" + "".join(
            f'  - {{id: {p}, at: h:{2 * i}, type: f32, unit: "{u}", quantity: {p}, range: [0, 400]}}\n'
            for i, (p, u) in enumerate(points.items())))
    (place / "station.yaml").write_text(
        f"station: {{id: s-01, region: demo, zone: \"+08:00\", {night} names: {{en: S, zh: 站}}}}\n"
        f"profiles: [{place}]\nbuses: [{{id: b, type: modbus-tcp, host: 127.0.0.1, port: 1502}}]\n"
        "devices:\n  - id: mast\n    profile: mast\n    bus: b\n    unit: 1\n    poll: 1min\n"
        "    channels:\n"
        "      laeq: {statistics: [1h, 8h, 8h.l10, 8h.l95, day, day.l5, day.l90, day.ld, day.ln, day.ldn]}\n"
        "      wind_dir: {statistics: [1h, 8h, 8h.vector, day, day.vector]}\n"
        "      wind_speed: {statistics: [1h, 8h.vector, day.vector]}\n"
        "qc: {" + ", ".join(f"{p}: {{stuck: 0, rate: {{suspect: 0}}, spike: {{suspect: 0}}}}"
                            for p in points) + "}\n")


def test_levels_and_winds_of_long_periods_agree(place):
    """8 h and days against an independent computation on the samples; a night of the station's."""
    long_station(place, "night: 23-7,")
    rng, first = random.Random(7), T0 - 8 * 3600  # midnight there
    rows = []
    for i in range(33 * 60):
        if 600 <= i < 640:
            continue  # forty minutes of nothing
        level = 45 + 15 * math.sin(i / 200) + rng.choice((0, 0, 0, 20)) * rng.random()
        rows.append((first + 60 * i, round(level, 1), round(rng.gauss(350, 25) % 360, 1) % 360,
                     round(rng.uniform(0.2, 9), 1)))
    (place / "series" / "mast.csv").write_text(
        "time,laeq,wind_dir,wind_speed\n" + "".join(f"{t},{a},{d},{v}\n" for t, a, d, v in rows))
    replay(place, "--times", "s")
    got = {(r["channel"], int(r["time"])): r for r in table(place, "statistics.csv")}
    expect = {}
    for begin, name, length in [(h * 3600, "8h", 8) for h in range(26)] + [(0, "day", 24)]:
        part = [r for r in rows if begin <= r[0] - first < begin + length * 3600]
        levels, winds = [r[1] for r in part], [r[2:] for r in part]
        towards, speed = bearing(winds)
        at = first + begin
        expect |= {(f"mast/laeq@{name}", at): (energy(levels), 0.002),
                   (f"mast/wind_dir@{name}", at): (bearing([(d, 1) for d, _ in winds])[0], 0.1),
                   (f"mast/wind_dir@{name}.vector", at): (towards, 0.1),
                   (f"mast/wind_speed@{name}.vector", at): (speed, 0.01)}
        for n in (10, 95) if name == "8h" else (5, 90):
            expect[(f"mast/laeq@{name}.l{n}", at)] = exceeded(levels, n), 1e-9
    hours = {True: [], False: []}
    for t, level, *_ in rows:
        if t < first + 86400:
            hours[not 7 <= (t - first) // 3600 < 23].append(level)
    ld, ln = energy(hours[False]), energy(hours[True])
    ldn = 10 * math.log10((16 * 10 ** (ld / 10) + 8 * 10 ** (ln / 10 + 1)) / 24)
    at = first
    expect |= {("mast/laeq@day.ld", at): (ld, 0.002), ("mast/laeq@day.ln", at): (ln, 0.002),
               ("mast/laeq@day.ldn", at): (ldn, 0.003)}
    for (channel, at), (value, near) in expect.items():
        row = got[(channel, at)]
        assert float(row["value"]) == pytest.approx(value, abs=near), (channel, at)
        assert row["grade"] in ("good", "not_evaluated"), row


@pytest.mark.parametrize("night, is_ok", [("22-6", True), ("23:00-07:00", True), ("0-6", True),
                                          ("22-22", False), ("25-6", False), ("22:30-6", False),
                                          ("", False), ("22-6h", False)])
def test_a_night_is_two_full_hours(place, night, is_ok):
    long_station(place, f'night: "{night}",')
    done = subprocess.run([BINARY, "check", str(place / "station.yaml")], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == is_ok, said
    assert is_ok or ("station.yaml:1:" in said and "two full hours such as 22-6" in said)


@pytest.mark.parametrize("name, text, told", [
    ("roof", "time,air_tmp\n1767225600,1\n", ["roof.csv: line 1, column 2", "Did you mean air_temp",
                                              "air_temp, humid, press"]),
    ("cellar", "time,air_temp\n1767225600,1\n", ["cellar.csv: no device", "Devices are: roof, yard"]),
    ("x", "time,roof/air\n1767225600,1\n", ["x.csv: line 1, column 2", "yard/humid"]),
    ("roof", "time,air_temp\n1767225610,1\n1767225600,1\n", ["roof.csv: line 3, column 1",
                                                             "later than that of the row before"]),
    ("roof", "time,air_temp\n1767225600,1\n1767225600,1\n", ["roof.csv: line 3", "later"]),
    ("roof", "time,air_temp\n-5,1\n", ["roof.csv: line 2", "after 1970"]),
    ("roof", "time,air_temp\n1767225600,warm\n", ["roof.csv: line 2, column 2", "found 'warm'"]),
    ("roof", "time,air_temp\n1767225600,1,2\n", ["roof.csv: line 2", "as many values"]),
    ("roof", "time,air_temp,air_temp\n1767225600,1,2\n",
     ["roof.csv: line 1, column 3", "no other column has"]),
    ("roof", "time,air_temp,roof/air_temp\n1767225600,1,2\n",
     ["roof/air_temp is in roof.csv already"]),
    ("roof", "", ["roof.csv", "the table is empty"]),
])
def test_what_is_wrong_with_a_table_is_said(place, name, text, told):
    (place / "series" / f"{name}.csv").write_text(text)
    _, err = replay(place, status=2)
    assert all(t in err for t in told), err


def test_what_is_wrong_with_a_folder_is_said(place):
    assert "has no table" in replay(place, status=2)[1]
    roof(place)
    assert "name another one" in replay(place, out="series", status=2)[1]
    assert "--times is iso" in replay(place, "--times", "utc", status=2)[1]
    (place / "file").write_text("")
    assert "cannot be written" in replay(place, out="file", status=1)[1]
    (place / "series" / "yard.csv").mkdir()
    assert "yard.csv" in replay(place, status=2)[1]


def test_options_that_do_not_fit_are_told(place):
    for args in ["--station", "x"], ["--station", "x", "--series", "y", "--out", "z", "file"], []:
        done = subprocess.run([BINARY, "replay", *args], capture_output=True, timeout=60)
        assert done.returncode == 2 and b"sluice replay: " in done.stderr


@pytest.mark.short
def test_nothing_crashes_on_garbage(place):
    rng = random.Random(5)
    roof(place, rows=range(20))
    good = (place / "series" / "roof.csv").read_bytes()
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            bad[rng.randrange(len(bad))] = rng.choice(b"\0,;\nx-9\xff")
        (place / "series" / "roof.csv").write_bytes(bad)
        done = subprocess.run([BINARY, "replay", "--station", place / "station.yaml", "--series",
                               place / "series", "--out", place / "out"], capture_output=True,
                              timeout=60)
        assert done.returncode in (0, 2), done.stderr
