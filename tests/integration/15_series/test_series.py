"""sluice series: tables to frames and back, byte for byte; every mistake named with its line."""
import json
import pathlib
import subprocess

import pytest

from conftest import BINARY, SHARED

FORMS = {
    "seconds": "1700000000,1.5,20\n1700000060,1.6,20\n1700000120,,21\n",
    "milliseconds": "1700000000250,1.5\n1700000060250,1.7\n",
    "seconds with decimals": "1700000000.5,1\n1700000001.0,2\n1700000001.5,3\n",
    "ISO 8601": "2026-11-22T10:00:00Z,0.10\n2026-11-22T10:01:00Z,0.20\n",
    "ISO 8601 with a blank, milliseconds and CR LF":
        "2026-11-22 10:00:00.125,7\r\n2026-11-22 10:00:01.250,8\r\n",
    "ISO 8601 with an offset of zero": "2024-02-29T23:59:59+00:00,1\n2024-03-01T00:00:00+00:00,2\n",
    "padded and stripped columns": "0,2.50,2.5\n60,2.00,2\n120,2.25,2.25\n180,,\n",
    "flags, doubles, spellings of nan": "0,1.5;7,x7ff0000000000000\n1,;9,nan\n2,NaN;1,NAN\n3,1e+300,-0\n",
    "before 1970": "-86400,1\n-86399,2\n",
    "times that jump and repeat": "5,1\n5,2\n3,3\n99999999,4\n99999999,5\n",
    "wide numbers": "0,9223372036854775807\n1,-9223372036854775808\n2,0.000000000000000001\n",
    "one cell": "1700000000,1\n",
}


def series(what, data, *options):
    return subprocess.run([BINARY, "series", what, *options], input=data, capture_output=True,
                          timeout=120)


def there_and_back(text, *options):
    frames = series("encode", text.encode(), *options)
    assert frames.returncode == 0, frames.stderr.decode()
    back = series("decode", frames.stdout)
    assert back.returncode == 0, back.stderr.decode()
    return back.stdout.decode(), frames


@pytest.mark.parametrize("codec", ["dense", "plain"])
@pytest.mark.parametrize("form", FORMS)
def test_writes_the_same_text_again(form, codec):
    back, frames = there_and_back(FORMS[form], "--codec", codec)
    assert back == FORMS[form]
    assert b"another form" not in frames.stderr


def test_frames_of_any_number_of_rows_give_the_same_text():
    text = "".join(f"{1700000000 + 60 * i},{i % 17 / 10:.1f},{i // 7}\n" for i in range(3000))
    for rows in ("1", "7", "5000"):
        back, _ = there_and_back(text, "--rows", rows)
        assert back == text


def test_a_change_of_style_in_the_middle_is_kept():
    text = "".join(f"{i},{i % 10 / 4:g}\n" for i in range(2000))
    text += "".join(f"{i},{i % 10 / 4:.2f}\n" for i in range(2000, 4000))
    assert there_and_back(text, "--rows", "100")[0] == text


def test_columns_of_two_styles_cost_no_more_side_by_side_than_alone():
    padded = [f"{i * 7 % 100 / 4:.2f}" for i in range(1500)]
    stripped = [f"{i * 3 % 100 / 4:g}" for i in range(1500)]
    sizes = []
    for columns in ([padded], [stripped], [padded, stripped]):
        text = "".join(f"{60 * i},{','.join(row)}\n" for i, row in enumerate(zip(*columns)))
        back, frames = there_and_back(text, "--rows", "60")
        assert back == text
        sizes.append(len(frames.stdout))
    assert sizes[2] < sizes[0] + sizes[1]


def test_says_what_it_cannot_write_back():
    back, frames = there_and_back("0,.5\n1,+7\n2,1.0e1\n")
    assert back.splitlines() == ["0,0.5", "1,7", "2,10"]
    assert b"3 values will be written in another form, the first is '.5'" in frames.stderr


@pytest.mark.parametrize("text, message", [
    ("now,1\n1,2\n0;1,3\n", "line 2 is"),
    ("0,1\n60,1,2\n", "line 2: expected a time and 1 values, found 2."),
    ("0,1\n60\n", "line 2: expected a time and 1 values, found 0."),
    ("0,1\n60,abc\n", "line 2: expected a number in column 2, found 'abc'."),
    ("0,1\n60,1;x\n", "line 2: expected a number in column 2, found '1;x'."),
    ("0,1\n2026-11-22T10:00:00Z,1\n", "line 2: the time is written in another form"),
    ("2026-02-30T10:00:00Z,1\n", "line 1: no time that frames can hold."),
    ("12\n", "line 1: expected a time, a comma"),
    ("0,1\n1,2\r\n", "line 2: ends otherwise"),
    ("99999999999999999,1\n", "line 1: no time that frames can hold."),
])
def test_names_the_line_of_a_mistake(text, message):
    r = series("encode", text.encode())
    if message == "line 2 is":  # a heading, then a time that is none
        assert r.returncode == 2 and b"line 1 is a heading" in r.stderr and b"line 3" in r.stderr
    else:
        assert r.returncode == 2 and message in r.stderr.decode()


@pytest.mark.parametrize("damage, message", [
    (lambda b: b"SF2\n" + b[4:], "no file of SF1 frames"),
    (lambda b: b[:-1], "ends inside frame 1"),
    (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "frame 1:"),
    (lambda b: b + b"\xff\xff\xff\xff\x7f", "ends inside frame 2"),
    (lambda b: b"", "no file of SF1 frames"),
])
def test_refuses_a_damaged_file(damage, message):
    frames = series("encode", b"0,1\n60,2\n").stdout
    for what in ("decode", "info"):
        r = series(what, damage(frames))
        assert r.returncode == 2 and message in r.stderr.decode()


def test_info_counts():
    text = "".join(f"{i * 60},{i % 5},{i % 7}\n" for i in range(500))
    frames = series("encode", text.encode(), "--rows", "100").stdout
    info = json.loads(series("info", frames, "--json").stdout)
    assert info["bytes"] == len(frames)
    assert info["streams"] == [{"stream": 1, "codec": "dense", "columns": 2, "rows": 500,
                                "first_ms": 0, "last_ms": 499 * 60000, "frames": 5, "keys": 1,
                                "bytes": info["streams"][0]["bytes"]}]


def measured():
    folder = SHARED / "data" / "series"
    return sorted(folder.glob("*.csv")) if folder.is_dir() else []


@pytest.mark.parametrize("path", measured() or [pytest.param(None, marks=pytest.mark.skip(
    reason="SLUICE_SHARED names no folder with data/series"))], ids=lambda p: p and p.stem)
def test_measured_series_come_back(path):
    text = path.read_text()
    back, frames = there_and_back(text)
    if b"another form" not in frames.stderr:
        assert back == text
        return
    for a, b in zip(text.splitlines(), back.splitlines(), strict=True):
        (time_a, value_a), (time_b, value_b) = a.split(","), b.split(",")
        assert time_a == time_b and float(value_a or "nan") == pytest.approx(
            float(value_b or "nan"), rel=0, abs=0, nan_ok=True)
