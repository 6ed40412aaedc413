"""`sluice index`: random tables against an independent computation, exact output, bad input."""
import json
import random
import subprocess
from decimal import Decimal

import pytest
import reference as ref
from conftest import BINARY, ROOT, sluice

pytestmark = pytest.mark.usefixtures("binary")
ROWS = 1500


def index(table, *args, status=0, lang="en"):
    done = sluice("index", *args, table=table, lang=lang, status=status)
    return done.stdout, done.stderr


def judge(names, rows, *args):
    lines = ["time," + ",".join(names)]
    for i, row in enumerate(rows):
        lines.append(f"{1782864000 + i * 3600}," + ",".join("" if x is None else x for x in row))
    out, err = index("\n".join(lines) + "\n", *args, "--format", "json")
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]


def subs_of(row):
    return {(i["pollutant"], i["mean"]): i["iaqi"] for i in row["items"]}


def any_value(rng, points, digits):
    """Around the breakpoints, on halves of the last place, between and beyond; some missing."""
    kind = rng.random()
    if kind < 0.08:
        return None
    at = Decimal(str(rng.choice(points)))
    if kind < 0.3:
        return str(at)
    step = Decimal(1).scaleb(-digits)
    if kind < 0.6:
        x = at + step * rng.choice([-1, 1]) * rng.choice([Decimal("0.5"), 1, Decimal("1.5")])
        return str(max(x, Decimal(0)))
    x = rng.uniform(0, float(max(Decimal(str(p)) for p in points)) * 1.3)
    return f"{x:.{rng.randrange(digits, digits + 4)}f}"


def largest(subs):
    return max((s for s in subs.values() if s is not None), default=None)


@pytest.mark.parametrize("report", ["hour", "day"])
def test_hj633_2026_agrees_with_the_definition(report):
    rng = random.Random(f"2026 {report}")
    means = {p: "1h" if report == "hour" else "8h" if p == "o3" else "24h"
             for p in ref.POLLUTANTS}
    rows = []
    for _ in range(ROWS):
        top = rng.choice([2, 3, 8])  # clean air, too: there a gap withholds the index
        rows.append([any_value(rng, ref.HJ633_2026[p, m][:top], 1 if p == "co" else 0)
                     for p, m in means.items()])
    published = withheld = 0
    for row, got in zip(rows, judge(list(means), rows, "-s", "hj633-2026", "--report", report)):
        want = {(p, m): ref.china(ref.HJ633_2026, 2026, p, m, x)
                for (p, m), x in zip(means.items(), row)}
        assert subs_of(got) == want, row
        top = largest(want)
        has_gap = None in want.values()
        if top is None or has_gap and top <= 100:
            assert got["aqi"] is None and got["primary"] is None, row
            withheld += 1
        else:
            assert got["aqi"] == top, row
            assert set(got["primary"]) == {f"{p}_{m}" for (p, m), s in want.items()
                                           if s == top and top > 50}, row
            published += 1
    assert published > 100 and withheld > 20


def test_hj633_2012_agrees_with_the_definition():
    rng = random.Random(2012)
    columns = [("so2", "24h"), ("no2", "24h"), ("co", "24h"), ("o3", "1h"), ("o3", "8h"),
               ("pm10", "24h"), ("pm2_5", "24h")]
    rows = [[any_value(rng, ref.HJ633_2012[c], 1 if c[0] == "co" else 0) for c in columns]
            for _ in range(ROWS)]
    for row, got in zip(rows, judge([f"{p}_{m}" for p, m in columns], rows,
                                    "-s", "hj633-2012", "--report", "day")):
        want = {c: ref.china(ref.HJ633_2012, 2012, *c, x) for c, x in zip(columns, row)}
        assert subs_of(got) == want, row
        assert got["aqi"] == largest(want), row
        if got["aqi"] is not None:
            assert set(got["exceeding"]) == {f"{p}_{m}" for (p, m), s in want.items()
                                             if s is not None and s > 100}


def test_us_epa_agrees_with_the_definition():
    rng = random.Random(454)
    units = {"o3": " (ppm)", "co": " (ppm)", "so2": "_ppb", "no2": " [ppb]"}
    columns = list(ref.EPA)
    rows = []
    for _ in range(ROWS):
        rows.append([any_value(rng, ref.EPA[c][1].split()[0::4] + ref.EPA[c][1].split()[1::4],
                               ref.EPA[c][0]) for c in columns])
    names = [f"{p}_{m}{units.get(p, '')}" for p, m in columns]
    for row, got in zip(rows, judge(names, rows, "-s", "us-epa-2024", "--report", "day")):
        want = {c: ref.epa(*c, x) for c, x in zip(columns, row)}
        so2 = dict(zip(columns, row))["so2", "1h"]
        if so2 is not None and Decimal(so2) >= 305:
            want["so2", "1h"] = 200
        have = subs_of(got)
        for c, x in zip(columns, row):
            assert have.get(c) == want[c], (c, row)
        assert got["aqi"] == largest(want), row


def test_the_nowcast_agrees_with_the_definition():
    rng = random.Random(12)
    hours = {"pm2_5": [], "pm10": []}
    rows = []
    for i in range(ROWS):
        # Long pieces of few values: equal hours, and quotients that end on a whole tenth.
        pool = [str(x) for x in (0, 10, 15, 20, 30, 60, 12.3, 45.6, 144)] if i // 100 % 2 else \
               [f"{rng.uniform(0, 300):.{rng.randrange(4)}f}" for _ in range(5)]
        rows.append([None if rng.random() < 0.2 else rng.choice(pool) for _ in hours])
    got = judge(list(hours), rows, "-s", "us-epa-2024")
    for row, g in zip(rows, got):
        for (p, seen), x in zip(hours.items(), row):
            seen.insert(0, x)
            digits = 1 if p == "pm2_5" else 0
            cast = ref.nowcast((seen + [None] * 12)[:12], digits)
            want = None if cast is None else ref.epa(p, "24h", str(cast))
            assert subs_of(g)[p, "nowcast"] == want, (p, seen[:12])


def test_a_gap_in_the_hours_is_missing_hours_of_the_nowcast():
    table = ("time,pm2_5\n2026-07-01T00:00:00Z,10\n2026-07-01T01:00:00Z,10\n"
             "2026-07-01T04:00:00Z,10\n2026-07-01T05:00:00Z,10\n2026-07-02T05:00:00Z,10\n")
    out, _ = index(table, "-s", "us-epa-2024", "--format", "csv")
    assert [line.split(",")[-5] for line in out.splitlines()[1:]] == ["NA", "53", "NA", "53", "NA"]


def test_eaqi_agrees_with_the_definition():
    rng = random.Random(2024)
    rows = [[any_value(rng, points, 2) for points in ref.EAQI.values()] for _ in range(ROWS)]
    for row, got in zip(rows, judge(list(ref.EAQI), rows, "-s", "eaqi-2024")):
        want = {(p, "1h"): ref.eaqi(p, x) for p, x in zip(ref.EAQI, row)}
        assert subs_of(got) == want, row
        assert got["aqi"] == largest(want)


TABLE = """time,pm2_5,pm10,so2,no2,co,o3
2026-07-01T08:00:00Z,45,80,35,85,3,140
2026-07-01T09:00:00Z,115.4,80,35,85,,301
2026-07-01T10:00:00Z,45,80,35,85,,140
2026-07-01T11:00:00Z,45;24,80,35,85,3,140
"""


def test_text_in_english():
    out, err = index(TABLE, "-s", "hj633-2026")
    assert err == ""
    assert out.splitlines() == [
        "2026-07-01T08:00:00Z  72, level II, good, yellow; primary PM10; SO2 12, NO2 43, CO 30, "
        "O3 44, PM10 72, PM2.5 70",
        "2026-07-01T09:00:00Z  151, level IV, moderate pollution, red; primary O3; SO2 12, "
        "NO2 43, CO NA (no value), O3 151, PM10 72, PM2.5 150",
        "2026-07-01T10:00:00Z  NA (a pollutant is missing and the others are not above 100); "
        "SO2 12, NO2 43, CO NA (no value), O3 44, PM10 72, PM2.5 70",
        "2026-07-01T11:00:00Z  NA (a pollutant is missing and the others are not above 100); "
        "SO2 12, NO2 43, CO 30, O3 44, PM10 72, PM2.5 NA (the value is not valid)",
    ]


def test_text_in_chinese():
    out, _ = index(TABLE, "-s", "HJ 633-2026", lang="zh_CN")
    assert out.splitlines()[0] == ("2026-07-01T08:00:00Z  72，二级，良，黄色；首要污染物 PM10；"
                                   "SO2 12，NO2 43，CO 30，O3 44，PM10 72，PM2.5 70")
    assert "CO NA（缺测）" in out


def test_the_published_table():
    out, _ = index(TABLE, "-s", "hj633-2026", "--format", "csv", lang="zh_CN")
    assert out.splitlines()[:3] == [
        "time,so2,so2_iaqi,no2,no2_iaqi,co,co_iaqi,o3,o3_iaqi,pm10,pm10_iaqi,pm2_5,pm2_5_iaqi,"
        "aqi,primary,level,class,colour",
        "2026-07-01T08:00:00Z,35,12,85,43,3.0,30,140,44,80,72,45,70,72,pm10,二级,良,黄色",
        "2026-07-01T09:00:00Z,35,12,85,43,NA,NA,301,151,80,72,115,150,151,o3,四级,中度污染,红色",
    ]


def test_a_pollutant_outside_the_plan():
    args = "-s", "hj633-2026", "--format", "json"
    rows = [json.loads(x) for x in index(TABLE, *args, "--not-in-plan-clean", "co")[0].splitlines()]
    assert rows[2]["aqi"] == 72
    assert rows[2]["items"][2]["cell"] == "/"
    rows = [json.loads(x) for x in index(TABLE, *args, "--not-in-plan", "co")[0].splitlines()]
    assert rows[2]["aqi"] is None
    assert rows[2]["items"][2]["cell"] == "/"


def test_noise_around_zero_counts_as_zero_when_told():
    table = "time,pm2_5,pm10,so2,no2,co,o3\n0,45,80,-2,85,3,140\n"
    assert "SO2 NA (the concentration is below zero)" in index(table, "-s", "hj633-2026")[0]
    out, _ = index(table, "-s", "hj633-2026", "--negative-as-zero")
    assert out == ("0  72, level II, good, yellow; primary PM10; SO2 0, NO2 43, CO 30, O3 44, "
                   "PM10 72, PM2.5 70\n")


def test_names_means_and_units_of_headings():
    table = "time,roof-o3/ozone@8h,\"PM2.5 (mg/m3)\",pm10_24h,NO2_24h [ppb],co_24h,so2_day\n" \
            "1782864000,160,0.060,120,42.53896979,4,150\n"
    row = json.loads(index(table, "-s", "hj633-2026", "--report", "day", "--format", "json")[0])
    assert subs_of(row) == {("so2", "24h"): 100, ("no2", "24h"): 100, ("co", "24h"): 100,
                            ("o3", "8h"): 100, ("pm10", "24h"): 100, ("pm2_5", "24h"): 100}


def test_columns_of_a_table_without_heading():
    out, _ = index("1782864000,45,1,80\n", "-s", "eaqi", "--columns", "pm2_5,-,pm10")
    assert out == "1782864000  3, band 3, Moderate, yellow; primary PM10, PM2.5; " \
                  "SO2 NA (no value), NO2 NA (no value), O3 NA (no value), PM10 3, PM2.5 3\n"


def test_tables_of_spreadsheets():
    out, _ = index("\ufefftime,pm2_5,o3\r\n0,9,1\r\n\r\n# a remark\r\n1,9,/\r\n", "-s", "eaqi",
                   "--format", "csv")
    assert [line.split(",")[-5] for line in out.splitlines()[1:]] == ["2", "2"]


def test_columns_left_out_are_told_once():
    _, err = index("time,pm2_5,rh,colour_of_the_roof\n0,1,2,3\n1,1,2,3\n", "-s", "eaqi")
    assert err.splitlines() == [
        "sluice index: column 3 (rh) is left out: the standard does not judge it in this report.",
        "sluice index: column 4 (colour_of_the_roof) is left out: no quantity has this name.",
    ]


@pytest.mark.parametrize("table, args, message", [
    ("time,pm2_5\n0,abc\n", [], ":2: expected a number in column 2 (pm2_5), found 'abc'."),
    ("time,pm2_5\n0,1,2\n", [], ":2: expected a time and 1 values, found more."),
    ("time,pm2_5,o3\n0,1\n", [], ":2: expected a time and 2 values, found fewer."),
    ("time,pm2_5\nx,1\n", [], ":2: expected a time first"),
    ("time,pm2_5\n5,1\n5,1\n", [], ":3: the time is not after that of the row before."),
    ("time,pm2_5\n5,1\n6.5,1\n", [], ":3: the time is written in another form"),
    ("0,1\n", [], ":1: expected a heading such as time,pm2_5,o3"),
    ("time,rh\n0,1\n", ["-q"], ":1: no column is one that hj633-2026 judges."),
    ("time,pm2_5,pm25\n0,1,2\n", [], ":1: columns pm2_5 and pm25 are the same mean of PM2.5."),
    ("time,pm2_5 (ppb)\n0,1\n", [], ":1: pm2_5 (ppb): [ppb] cannot be converted to ug/m3."),
    ("time,pm2_5\n0,1\n", ["--columns", "pm10"], ":1: the table has a heading already"),
    ("", [], ":0: there is no table."),
    ("time,pm2_5\n0,\0\n", [], ":2: not text."),
    ("time" + ",pm2_5" * 65 + "\n", [], ":1: more than 64 columns."),
    ("time,pm2_5\n0," + "1" * 70000 + "\n", [], ":2: longer than 64 KiB."),
])
def test_says_where_the_table_is_wrong(table, args, message):
    _, err = index(table, "-s", "hj633-2026", *args, status=2)
    assert message in err
    assert "standard input" in err


@pytest.mark.parametrize("args, message", [
    ([], "--standard says what judges. There are:"),
    (["-s", "hj633-1999"], "there is no standard 'hj633-1999'. There are:"),
    (["-s", "hj633", "--report", "week"], "--report is hour or day, not 'week'."),
    (["-s", "hj633", "--format", "xml"], "--format is text, json or csv, not 'xml'."),
    (["-s", "gb3838", "--format", "csv"], "--format is text or json for this standard"),
    (["-s", "eaqi", "--report", "day"], "EAQI 2024 is an index of the hour"),
    (["-s", "hj633", "--not-in-plan", "co,lead"], "'lead' is none of so2"),
    (["-s", "gb3096", "--class", "9"], "--class is 0, 1, 2, 3, 4a or 4b, not '9'."),
    (["-s", "gb3096", "--night", "22-6"], "--night is hours such as 22:00-06:00"),
    (["-s", "gb3095", "--as-of", "2020-01-01"], "--as-of is a day from 2026-03-01 on"),
    (["-s", "dose", "--background", "80"], "--background needs the --deviation"),
    (["-s", "gb3095", "--zone", "Beijing"], "--zone is an offset such as +08:00"),
])
def test_says_which_option_is_wrong(args, message):
    assert message in index(TABLE, *args, status=2)[1]


def test_limits_of_the_day_and_of_2031():
    table = "time,pm2_5,o3,co\n2026-07-01T00:00:00Z,55,161,4.05\n"
    out, _ = index(table, "-s", "gb3095", "--report", "day")
    assert out == ("2026-07-01T00:00:00Z  grade 2, transition limits; PM2.5 24h 55 <= 60, "
                   "O3 8h 161 > 160 (over by 0.01 times the limit), CO 24h 4.0 <= 4.0\n")
    out, _ = index(table, "-s", "gb3095", "--report", "day", "--as-of", "2031-01-01")
    assert "final limits; PM2.5 24h 55 > 50 (over by 0.10 times the limit)" in out
    out, _ = index("time,pm2_5\n2026-02-28T15:59:59Z,55\n2026-02-28T16:00:00Z,55\n",
                   "-s", "gb3095", "--report", "day")
    assert [("NA" in line) for line in out.splitlines()] == [True, False]


def test_a_metal_in_air_is_none_in_water():
    table = "time,pb_year,f_1h,tsp_24h (mg/m3)\n2026-07-01T00:00:00Z,0.55,21,0.3\n"
    out, _ = index(table, "-s", "gb3095")
    assert out.endswith("Pb year 0.6 > 0.5 (over by 0.20 times the limit), F 1h 21 > 20 "
                        "(over by 0.05 times the limit), TSP 24h 300 <= 300\n")


def test_a_year_agrees_with_the_definition():
    import datetime
    rng = random.Random(365)
    begin = datetime.datetime(2026, 1, 1)
    days = [f"{rng.uniform(5, 90):.1f}" for _ in range(365)]
    table = "time,pm2_5\n" + "".join(
        f"{(begin + datetime.timedelta(days=i)).isoformat()},{x}\n" for i, x in enumerate(days))
    item = json.loads(index(table, "-s", "gb3095", "--annual", "-f", "json",
                            "--zone", "+00:00")[0])["items"][0]
    values = sorted(Decimal(x) for x in days)
    at = Decimal(364) * 95 / 100
    low = values[int(at)]
    rank = low + (values[int(at) + 1] - low) * (at - int(at))
    assert item["mean"] == ref.half_even(sum(values) / 365, 0)
    assert item["percentile"] == ref.half_even(rank, 0)
    assert item["days_kept"] == sum(ref.half_even(x, 0) <= 60 for x in values)
    assert item["is_complete"] is True


def test_two_rows_of_a_day_are_no_table_of_days():
    _, err = index("time,pm2_5\n2026-07-01T00:00:00Z,1\n2026-07-01T01:00:00Z,1\n",
                   "-s", "gb3095", "--annual", status=2)
    assert ":3: a second row of the same day" in err


def test_a_river_and_a_lake():
    table = "time,ph,dissolved_oxygen,dissolved_oxygen_sat,nh3_n,tp,tn,lead\n" \
            "0,7.2,7.0,90,0.8,0.12,1.2,8\n"
    river, _ = index(table, "-s", "gb3838", "-q")
    assert river == ("0  class III by 5 items measured; pH class I, dissolved oxygen class I, "
                     "ammonia nitrogen, as N class III, total phosphorus, as P class III, "
                     "lead class I\n")
    lake = json.loads(index(table, "-s", "gb3838", "--lake", "-f", "json")[0])
    assert lake["class"] == 5
    assert [i["item"] for i in lake["items"] if i.get("is_deciding")] == ["total_phosphorus"]


def test_noise_by_day_and_night():
    table = "time,laeq,la_max\n2026-07-01T13:00:00Z,61.2,80\n2026-07-01T14:00:00Z,50.0,65.1\n"
    out, _ = index(table, "-s", "gb3096", "--class", "2")
    assert out.splitlines() == [
        "2026-07-01T13:00:00Z  class 2; laeq (day) 61.2 > 60 dB(A)",
        "2026-07-01T14:00:00Z  class 2; laeq (night) 50.0 <= 50 dB(A), "
        "la_max (night, sudden) 65.1 > 65 dB(A)",
    ]


def test_dose_rate_against_the_background():
    table = "time,dose_rate_air (uGy/h),precip_intensity\n" \
            "0,0.081,0\n3600,0.120,1\n7200,0.120,0\n10800,0.180,1\n14400,1.2,\n18000,,\n"
    out, _ = index(table, "-s", "dose", "--background", "80", "--deviation", "5", "-f", "json")
    assert [json.loads(x)["level"] for x in out.splitlines()] == [
        "normal", "rain", "notice", "alarm", "high", "unknown"]


def test_the_examples_of_the_page_are_what_comes_out(tmp_path):
    page = (ROOT / "docs" / "indices.md").read_text()
    block = page.split("## Examples")[1].split("```")[1].strip("\n")
    steps = [s.split("\n", 1) for s in ("\n" + block).split("\n$ ")[1:]]
    for command, expected in steps:
        words = command.split()
        if words[0] == "cat":
            (tmp_path / words[1]).write_text(expected + "\n")
            continue
        out = subprocess.run([BINARY, *words[1:]], cwd=tmp_path, capture_output=True, timeout=20,
                             env={"LC_ALL": "C.UTF-8"}, check=True).stdout.decode()
        assert out == expected + "\n", command
    assert len(steps) > 8


def test_survives_garbage():
    rng = random.Random(7)
    for standard in "hj633-2026", "us-epa-2024", "gb3095", "gb3838", "gb3096", "dose":
        for _ in range(15):
            junk = bytes(rng.choice(b"time,pm2_50123456789.-;\"\n eE[](xnat/NA@") for _ in range(200))
            done = subprocess.run([BINARY, "index", "-s", standard], input=b"time,pm10,laeq\n" + junk,
                                  capture_output=True, timeout=20)
            assert done.returncode in (0, 2), done.stderr
