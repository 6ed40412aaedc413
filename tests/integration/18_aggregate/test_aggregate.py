"""`sluice aggregate`: measured and generated series against an independent computation."""
import csv
import datetime
import json
import math
import os
import pathlib
import random
import subprocess
from collections import defaultdict

import pytest
from conftest import BINARY, ROOT, sluice

pytestmark = pytest.mark.usefixtures("binary")
SERIES = pathlib.Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared")) / "data/series"
PERIODS = {"1min": 60, "10min": 600, "1h": 3600, "day": 86400}
NEAR = 2e-6  # the results have six decimals


def aggregate(table, *args, status=0, lang="en"):
    done = sluice("aggregate", *args, table=table, lang=lang, status=status)
    return done.stdout, done.stderr


def rows(table, *args):
    out, _ = aggregate(table, "--json", *args)
    return [json.loads(line) for line in out.splitlines()]


def start(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def measured(name):
    path = SERIES / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with path.open() as f:
        return path.read_text(), [(int(t), float(x)) for t, x in csv.reader(f) if x]


def grouped(series, period, zone=0):
    groups = defaultdict(list)
    for t, x in series:
        groups[(t + zone) // period * period - zone].append(x)
    return groups


def energy(levels):
    return 10 * math.log10(math.fsum(10 ** (x / 10) for x in levels) / len(levels))


def exceeded(levels, percent):
    """The smallest of the levels of the loudest N % of the time."""
    falling = sorted(levels, reverse=True)
    return falling[max(math.ceil(len(falling) * percent / 100 - 1e-9), 1) - 1]


@pytest.mark.parametrize("period", ["1min", "10min", "1h"])
def test_levels_of_a_street_agree(period):
    table, series = measured("nz_laeq1s")
    got = {start(r["time"]): r for r in rows(table, "--period", period, "--channel", "laeq")}
    expected = grouped(series, PERIODS[period])
    assert got.keys() == expected.keys()
    for at, levels in expected.items():
        assert got[at]["value"] == pytest.approx(energy(levels), abs=NEAR)
        assert got[at]["max"] == pytest.approx(max(levels), abs=NEAR)
        assert got[at]["min"] == pytest.approx(min(levels), abs=NEAR)
        for percent in 5, 10, 50, 90, 95:
            assert got[at][f"l{percent}"] == pytest.approx(exceeded(levels, percent), abs=NEAR)


def test_day_and_night_of_a_street_agree():
    zone = 13 * 3600
    table, series = measured("nz_laeq1s")
    got = {start(r["time"]): r
           for r in rows(table, "--period", "day", "--channel", "laeq", "--zone", "+13:00")}
    for at, levels in grouped(series, 86400, zone).items():
        row = got[at]
        assert row["n"] == len(levels)
        assert row["value"] == pytest.approx(energy(levels), abs=NEAR)
        assert row["l90"] == pytest.approx(exceeded(levels, 90), abs=NEAR)
        assert row["max"] == pytest.approx(max(levels), abs=NEAR)
        parts = {True: [], False: []}
        for t, x in series:
            if at <= t < at + 86400:
                parts[(t + zone) // 3600 % 24 in (22, 23, 0, 1, 2, 3, 4, 5)].append(x)
        for name, levels, hours in ("ld", parts[False], 16), ("ln", parts[True], 8):
            if len(levels) < 0.75 * hours * 3600:
                assert row[name] is None
            else:
                assert row[name] == pytest.approx(energy(levels), abs=NEAR)
        if row["ld"] is not None and row["ln"] is not None:
            e = (16 * 10 ** (row["ld"] / 10) + 8 * 10 ** ((row["ln"] + 10) / 10)) / 24
            assert row["ldn"] == pytest.approx(10 * math.log10(e), abs=NEAR)


@pytest.mark.parametrize("name", ["neon_pm10", "tc_pres", "st_temp", "gc_ph", "bj_temp"])
@pytest.mark.parametrize("period", ["1h", "day"])
def test_means_agree(name, period):
    """A day is the mean of its valid hours; of values rarer than hours the mean of them."""
    table, series = measured(name)
    got = {start(r["time"]): r
           for r in rows(table, "--period", period, "--kind", "mean", "--channel", "x")}
    lines = [line.split(",") for line in table.splitlines()]
    times = [int(t) for t, *_ in lines]
    step = sorted(abs(b - a) for a, b in zip(times, times[1:]))[(len(times) - 1) // 2]
    expected = {at: sum(v) / len(v) for at, v in grouped(series, 3600).items()}
    used = {at: len(v) for at, v in grouped(series, 3600).items()}
    if period == "day":
        need = 0.75 * max(3600 // step, 1)
        hours = [(at, x) for at, x in expected.items() if used[at] >= need]
        expected = {at: sum(v) / len(v) for at, v in grouped(hours, 86400).items()}
    for at, mean in expected.items():
        assert got[at]["value"] == pytest.approx(mean, abs=NEAR)
    assert len([r for r in got.values() if r["value"] is not None]) == len(expected)


def vector(pairs):
    """Unit vector mean without calm, its spread by Yamartino, and the mean vector."""
    units = [(math.sin(math.radians(d)), math.cos(math.radians(d))) for d, v in pairs if v > 0]
    s, c = (math.fsum(u[i] for u in units) / len(units) for i in (0, 1))
    e = math.sqrt(max(1 - (s * s + c * c), 0))
    sigma = math.degrees(math.asin(e)) * (1 + (2 / math.sqrt(3) - 1) * e ** 3)
    east, north = (math.fsum(v * f(math.radians(d)) for d, v in pairs) / len(pairs)
                   for f in (math.sin, math.cos))
    return (math.degrees(math.atan2(s, c)) % 360, sigma, math.hypot(east, north),
            math.degrees(math.atan2(east, north)) % 360)


@pytest.mark.parametrize("order", ["wind_dir,wind_speed", "wind_speed,wind_dir"])
def test_generated_wind_agrees(order):
    rng = random.Random(order)
    pairs, lines = [], ["time," + order]
    for i in range(7200):
        if i % 600 == 0:
            around, width = rng.uniform(0, 360), rng.uniform(1, 80)
        d = round(rng.gauss(around, width) % 360, 1)
        v = 0 if rng.random() < 0.1 else round(rng.uniform(0.3, 12), 2)
        pairs.append((d, v))
        lines.append(f"{i},{d},{v}" if order.startswith("wind_dir") else f"{i},{v},{d}")
    got = {(start(r["time"]), r["channel"]): r for r in rows("\n".join(lines), "-p", "10min")}
    for at in range(0, 7200, 600):
        direction, sigma, speed, towards = vector(pairs[at:at + 600])
        row = got[at, "wind_dir"]
        assert row["value"] == pytest.approx(direction, abs=NEAR)
        assert row["sigma"] == pytest.approx(sigma, abs=NEAR)
        assert row["vector_speed"] == pytest.approx(speed, abs=NEAR)
        assert row["vector"] == pytest.approx(towards, abs=NEAR)
        scalar = got[at, "wind_speed"]["value"]
        assert scalar == pytest.approx(sum(v for _, v in pairs[at:at + 600]) / 600, abs=NEAR)


def test_counts_know_dead_time_and_uncertainty():
    rng, tau = random.Random(7), 90e-6
    rates = [rng.randrange(20, 60000) for _ in range(60)]
    table = "\n".join(f"{i * 60},{m}" for i, m in enumerate(rates))
    row, = rows(table, "-p", "1h", "--channel", "count_rate", "--dead-time", "90")
    live = [1 - m / 60 * tau for m in rates]
    mean = math.fsum(m / x for m, x in zip(rates, live)) / 60
    u = math.sqrt(math.fsum(m / x ** 4 for m, x in zip(rates, live))) / 60
    assert row["value"] == pytest.approx(mean, abs=NEAR)
    assert row["u"] == pytest.approx(u, abs=NEAR)


def test_totals_follow_wraps_and_resets():
    rng = random.Random(3)
    table, total, counter = [], 0.0, 990.0
    for i in range(360):
        step = round(rng.choice([0, 0, 0.2, 0.4, 1]), 1)
        if i == 200:
            counter, step = 0.0, 0.0
        counter = round(counter + step, 1)
        if counter >= 1000:
            counter = round(counter - 1000, 1)
        total += step if i else 0
        table.append(f"{i * 10},{counter}")
    row, = rows("\n".join(table), "-p", "1h", "--kind", "total", "--channel", "x",
                "--wrap", "1000")
    assert row["value"] == pytest.approx(total, abs=NEAR)


def test_running_eight_hours_and_the_days_largest():
    rng = random.Random(8)
    hours = [None if rng.random() < 0.2 else rng.randrange(20, 200) for _ in range(96)]
    table = "\n".join(f"{h * 3600},{'' if x is None else x}" for h, x in enumerate(hours))
    eights = {start(r["time"]) // 3600: r
              for r in rows(table, "-p", "8h", "--channel", "ozone")}
    for h in range(0, 89):
        there = [x for x in hours[h:h + 8] if x is not None]
        assert eights[h]["value"] == pytest.approx(sum(there) / len(there), abs=NEAR)
        assert (eights[h]["grade"] == "good") == (len(there) >= 6)
    for day, row in enumerate(rows(table, "-p", "day", "--channel", "ozone")):
        inside = [eights[h] for h in range(day * 24, day * 24 + 17)]
        valid = [r["value"] for r in inside if r["grade"] == "good"]
        if len(valid) >= 14 or max(valid) > 160:
            assert row["max8h"] == pytest.approx(max(valid), abs=NEAR)
        else:
            assert row["max8h"] is None
        assert (row["grade"] == "good") == (sum(x is not None for x in hours[day * 24:][:24])
                                            >= 18)


def test_a_period_is_valid_from_three_quarters_and_says_why_not():
    table = "\n".join(f"{i},60" for i in range(3600 + 2699))
    first, second = rows(table, "-p", "1h", "--channel", "laeq", "--interval", "1s")
    assert (first["grade"], first["n"], first["expected"]) == ("good", 3600, 3600)
    assert (second["grade"], second["status"]) == ("bad", "no_communication")
    assert rows(table, "-p", "1h", "--channel", "laeq", "--share", "0.5")[1]["grade"] == "good"


def test_flags_of_the_table_count():
    table = "\n".join(f"{i * 60},{i}" + (";33" if i < 30 else "") for i in range(60))
    row, = rows(table, "-p", "1h", "--channel", "pm10")
    assert row["n"] == 30 and row["grade"] == "bad"
    assert row["value"] == pytest.approx(sum(range(30, 60)) / 30, abs=NEAR)


def test_late_rows_take_their_place():
    lines = [f"{i * 60},{i}" for i in range(120)]
    in_order = rows("\n".join(lines), "-p", "1h", "--channel", "pm10")
    random.Random(1).shuffle(lines)
    out, err = aggregate("\n".join(lines), "-p", "1h", "--channel", "pm10", "--json",
                         "--interval", "1min")
    assert [json.loads(line) for line in out.splitlines()] == in_order
    assert "taken by their time" in err


def test_days_are_those_of_the_zone_and_labels_may_be_ends():
    table = "\n".join(f"{i * 3600},{i}" for i in range(48))
    row = rows(table, "-p", "day", "--channel", "pm10", "--zone", "+08:00")[1]
    assert row["time"] == "1970-01-01T16:00:00Z" and row["value"] == sum(range(16, 40)) / 24
    row = rows(table, "-p", "day", "--channel", "pm10", "--label", "end")[0]
    assert row["time"] == "1970-01-02T00:00:00Z"


def test_a_wide_table_is_what_index_reads():
    table = "time,pm2_5,o3\n" + "\n".join(f"{i * 3600},{i},{i + 40}" for i in range(24))
    wide, _ = aggregate(table, "-p", "day", "--wide")
    assert wide.splitlines()[0] == "time,pm2_5@day,o3@8h"
    done = subprocess.run([BINARY, "index", "--standard", "hj633-2026", "--report", "day",
                           "--format", "json"], input=wide.encode(), capture_output=True,
                          timeout=20)
    assert done.returncode == 0, done.stderr.decode()
    items = {i["pollutant"]: i for i in json.loads(done.stdout)["items"]}
    assert items["pm2_5"]["iaqi"] is not None and items["o3"]["iaqi"] is not None


@pytest.mark.parametrize("args, table, said", [
    (["-p", "2h"], "0,1\n", "--period is"),
    (["-p", "1h", "--kind", "median"], "0,1\n", "--kind is"),
    (["-p", "1h", "--zone", "east"], "0,1\n", "--zone is"),
    (["-p", "1h", "--interval", "0s"], "0,1\n", "--interval is"),
    (["-p", "1h", "--night", "22"], "0,1\n", "--night is"),
    (["-p", "1h", "--percentiles", "10,200"], "0,1\n", "--percentiles is"),
    (["-p", "1h", "--label", "middle"], "0,1\n", "--label is"),
    (["-p", "1h"], "0,1\n", "no heading"),
    (["-p", "1h"], "", "empty"),
    (["-p", "1h"], "time,whatever\n0,1\n", "column 2: expected a quantity"),
    (["-p", "1h"], "time,ozone\n0,x\n", "line 2, column 2: expected a number"),
])
def test_what_is_wrong_is_told(args, table, said):
    out, err = aggregate(table, *args, status=2)
    assert said in err and out == ""
    _, err = aggregate(table, *args, status=2, lang="zh_CN")
    assert "应" in err or "没有" in err or "空" in err
