"""sluice qc: tables judged by the defaults of a quantity and by a configuration."""
import csv
import io

import pytest

from conftest import ROOT, sluice

T0 = 1767225600  # 2026-01-01
CONFIG = """
station: {id: s}
buses:
  - {id: cabinet, type: modbus-tcp, host: 127.0.0.1, port: 502}
devices:
  - id: roof
    profile: teledyne-t400
    bus: cabinet
    poll: 1min
    channels:
      ozone: {%s}
log: {path: s.db}
"""


def qc(*args, table, lang="en", status=0):
    return sluice("qc", *args, table=table, lang=lang, status=status)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def table(values, name="ozone", step=60):
    lines = [f"time,{name}"] + [f"{T0 + i * step},{v}" for i, v in enumerate(values)]
    return "\n".join(lines) + "\n"


def walk(n, middle=50):
    return [middle + (i * 7) % 5 for i in range(n)]


def test_guards_a_quantity_nobody_configured():
    values = walk(20)
    values[8], values[12], values[15] = "", 5000, 140
    rows = rows_of(qc(table=table(values)).stdout)
    assert [r["flag"] for r in rows[:2]] == ["2", "2"]
    assert (rows[8]["flag"], rows[8]["reasons"], rows[8]["qc_no_value"]) == ("9", "no_value", "9")
    assert (rows[12]["flag"], rows[12]["reasons"], rows[12]["qc_range"]) == ("4", "range", "4")
    assert (rows[15]["flag"], rows[15]["reasons"], rows[15]["qc_spike"]) == ("3", "spike", "3")
    others = [r for i, r in enumerate(rows) if i > 1 and i not in (8, 12, 15)]
    assert {r["flag"] for r in others} == {"1"}
    assert [r["value"] for r in rows] == [str(v) for v in values]


def test_a_value_that_stays_is_stuck():
    rows = rows_of(qc(table=table(walk(5) + [50] * 40)).stdout)
    stuck = [i for i, r in enumerate(rows) if r["reasons"] == "stuck"]
    assert stuck[0] == 5 + 30 - 1 and stuck[-1] == 44


def test_judges_as_the_configuration_says(tmp_path):
    path = tmp_path / "s.yaml"
    values = walk(20)
    values[10] = 75
    path.write_text(CONFIG % "range: [0, 500], spike: {suspect: 10}, rate: {per: 1min, suspect: 90}")
    named = table(values, "roof/ozone")
    assert [r["reasons"] for r in rows_of(qc("--config", path, table=named).stdout)][10] == "spike"
    path.write_text(CONFIG % "spike: {suspect: 0}, rate: {per: 1min, suspect: 10, fail: 15}")
    rows = rows_of(qc("--config", path, table=named).stdout)
    assert [rows[i]["reasons"] for i in (9, 10, 11, 12)] == ["", "rate", "rate", ""]
    assert (rows[10]["flag"], rows[10]["qc_rate"]) == ("3", "4"), "a jump is never bad"
    path.write_text(CONFIG % "flat: {tolerance: 0.5, suspect: 5min, fail: 10min}")
    rows = rows_of(qc("--config", path, table=table(walk(5) + [50, 50.1] * 8, "roof/ozone")).stdout)
    assert [r["qc_flat"] for r in rows[10:17]] == ["3", "3", "3", "3", "3", "4", "4"]


def test_refuses_checks_that_cannot_work(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(CONFIG % "rate: {suspect: 10, fail: 5}")
    done = qc("--config", path, table=table(walk(3), "roof/ozone"), status=2)
    assert "s.yaml:11:" in done.stderr and "lower threshold" in done.stderr


def test_quantities_of_one_device_must_fit_together():
    text = "time,a/pm2_5,a/pm10,b/pm10\n" + "".join(
        f"{T0 + 60 * i},{30 + i % 3},{20 if i == 6 else 60 + i % 4},{5 + i % 2}\n" for i in range(9))
    rows = rows_of(qc(table=text).stdout)
    multi = [(r["time"], r["channel"]) for r in rows if r["reasons"] == "multi"]
    assert multi == [(str(T0 + 360), "a/pm2_5")]


PEERS = """
station: {id: s}
buses:
  - {id: cabinet, type: modbus-tcp, host: 127.0.0.1, port: 502}
qc:
  ozone: {missing: [-999, 9999], hold: {samples: 0}, spike: {suspect: 0}, rate: {suspect: 0},
    references: [{kind: twin, of: [roof/ozone, yard/ozone], limit: 20}],
    seasons: [{from: 1, to: 1, usual: [0, 60]}, {from: 2, to: 12, usual: [0, 200]}]}
devices:
  - {id: roof, profile: teledyne-t400, bus: cabinet, poll: 1min}
  - {id: yard, profile: teledyne-t400, bus: cabinet, unit: 2, poll: 1min,
     channels: {ozone: {relations: [{kind: at_most, of: roof/ozone, limit: 15}]}}}
log: {path: s.db}
"""


def test_channels_of_the_configuration_are_compared_with_each_other(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(PEERS)
    pairs = [(50, 51), (51, 90), (52, 53), (-999, 90), (54, 54), (61, 50), (62, 30)]
    text = "time,roof/ozone,yard/ozone\n" + "".join(
        f"{T0 + 60 * i},{a},{b}\n" for i, (a, b) in enumerate(pairs))
    rows = rows_of(qc("--config", path, table=text).stdout)
    reasons = [(rows[i]["reasons"], rows[i + 1]["reasons"]) for i in range(0, len(rows), 2)]
    assert reasons == [("", ""), ("reference", "multi reference climate"), ("", ""),
                       ("no_value", "climate"), ("", ""), ("climate", ""),
                       ("reference climate", "reference")]
    alone = "".join(f"{line.rsplit(',', 1)[0]}\n" for line in text.splitlines())
    assert {r["reasons"] for r in rows_of(qc("--config", path, table=alone).stdout)} == {
        "", "no_value", "climate"}, "nothing is compared with a column that is not there"


def test_a_late_row_meets_the_range_alone():
    text = table(walk(6)) + f"{T0 + 150},5000\n" + f"{T0 + 360},52\n"
    rows = rows_of(qc(table=text).stdout)
    assert [r["time"] for r in rows][-2:] == [str(T0 + 150), str(T0 + 360)]
    assert (rows[6]["reasons"], rows[6]["qc_spike"]) == ("range", "")
    assert rows[7]["flag"] == "1"


def test_columns_may_be_named_on_the_command_line():
    text = "".join(f"2026-01-01T00:{i:02d}:00Z,{20 + i % 2},{1000 + i % 3 / 10}\n" for i in range(5))
    done = qc("--channel", "air_temp", "--channel", "press", "--flagged", table=text)
    rows = rows_of(done.stdout)
    assert [r["time"] for r in rows] == ["2026-01-01T00:00:00Z"] * 2 + ["2026-01-01T00:01:00Z"] * 2
    assert done.stderr.startswith("5 rows of 2 channels: good 6, not evaluated 4")


@pytest.mark.parametrize("text, en, zh", [
    ("time,ozone\n1767225600,abc\n", "line 2, column 2: expected a number, found 'abc'.",
     "第 2 行第 2 列：应为数字，实为“abc”。"),
    ("time,ozone\nyesterday,1\n", "line 2, column 1: expected a time", "第 2 行第 1 列：应为时间"),
    ("time,ozone\n1767225600,1,2\n", "line 2: expected as many values", "第 2 行：数值个数应"),
    ("time,ozoon\n1767225600,1\n", "line 1, column 2: expected a channel", "第 1 行第 2 列：应为配置"),
    ("1767225600,1\n", "line 1: no heading", "第 1 行：没有表头"),
    ("", "the table is empty", "表格为空"),
    ("time\n1\n", "at least one value", "至少一个数值"),
])
def test_says_where_the_table_is_wrong(text, en, zh):
    assert en in qc(table=text, status=2).stderr
    assert zh in qc(table=text, status=2, lang="zh").stderr


def test_tells_the_reasons_in_chinese():
    values = walk(20)
    values[15] = 140
    done = qc(table=table(values), lang="zh")
    assert "良好 17，未评价 2，可疑 1；原因：中断后恢复 2，尖峰 1" in done.stderr
    assert rows_of(done.stdout)[15]["reasons"] == "spike", "the table is for programs"


def test_the_manual_shows_what_the_program_prints():
    text = (ROOT / "docs" / "quality-control.md").read_text(encoding="utf-8")
    shown = text.split("$ cat series.csv\n")[1].split("```")[0]
    given, expected = shown.split("$ sluice qc --flagged series.csv\n")
    done = qc("--flagged", table=given)
    assert done.stdout + done.stderr == expected
