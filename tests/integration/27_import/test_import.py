"""`sluice import`: every vector with its result; the result passes check; nothing is overwritten."""
import json
import os
import pathlib
import subprocess

import pytest

from conftest import BINARY, ROOT

VECTORS = ROOT / "tests" / "vectors" / "import"
FILES = sorted(p.name for p in VECTORS.iterdir() if p.suffix in (".conf", ".yaml", ".csv"))

STATION = """
station: {id: import-test}
http: {listen: "off"}
log: {path: %s}
"""


def sluice(*args, cwd=VECTORS, lang="C"):
    return subprocess.run([BINARY, *args], cwd=cwd, capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, LC_ALL=lang, LANG=lang))


def format_of(name):
    return {"neuron": "neuron-csv"}.get(name.split("-")[0], name.split("-")[0])


@pytest.mark.short
@pytest.mark.parametrize("name", FILES)
def test_every_file_gives_its_result(name):
    done = sluice("import", format_of(name), name)
    assert done.stdout == (VECTORS / f"{name}.golden").read_text()
    assert done.stderr == (VECTORS / f"{name}.told").read_text()
    assert done.returncode == 0


@pytest.mark.short
@pytest.mark.parametrize("lang", ["en_US.UTF-8", "zh_CN.UTF-8"])
@pytest.mark.parametrize("name", FILES)
def test_the_result_passes_lint_and_check(name, lang, tmp_path):
    done = sluice("import", format_of(name), name, "--output", tmp_path, lang=lang)
    assert done.returncode == 0, done.stderr
    profiles = sorted((tmp_path / "profiles.d").iterdir())
    lint = sluice("profile", "lint", *profiles)
    assert lint.returncode == 0, lint.stdout
    main = tmp_path / "sluice.yaml"
    main.write_text(STATION % (tmp_path / "log.db"))
    check = sluice("check", main)
    assert check.returncode == 0, check.stdout


def test_several_programs_are_taken_over_into_one_station(tmp_path):
    for name in ("telegraf-request.conf", next(n for n in FILES if n.startswith("collectd"))):
        assert sluice("import", format_of(name), name, "--output", tmp_path).returncode == 0
    main = tmp_path / "sluice.yaml"
    main.write_text(STATION % (tmp_path / "log.db"))
    check = sluice("check", main)
    assert "one file only" not in check.stdout
    assert "no profile" not in check.stdout, check.stdout


def test_no_file_is_replaced_without_force(tmp_path):
    args = ("import", "telegraf", "telegraf-request.conf", "--output", tmp_path)
    assert sluice(*args).returncode == 0
    stanza = tmp_path / "conf.d" / "50-telegraf-request.yaml"
    stanza.write_text("mine\n")
    again = sluice(*args)
    assert again.returncode == 1 and "--force" in again.stderr
    assert stanza.read_text() == "mine\n"
    assert sluice(*args, "--force").returncode == 0
    assert stanza.read_text() != "mine\n"


def test_json_tells_counts_notes_and_files():
    told = json.loads(sluice("import", "telegraf", "telegraf-metric.conf", "--json").stdout)
    assert (told["devices"], told["points"], told["left"]) == (2, 6, 3)
    reasons = {n["reason"]: n["line"] for n in told["notes"] if n["is_left"]}
    assert reasons == {"SCALE": 18, "VARIABLE": 25, "ASCII": 33}
    assert [pathlib.PurePath(f["path"]).parts[0] for f in told["files"]] == \
        ["profiles.d", "profiles.d", "conf.d"]


def test_the_summary_is_told_in_chinese():
    told = sluice("import", "neuron-csv", "neuron-water.csv", lang="zh_CN.UTF-8")
    assert "neuron-water.csv：1 条总线，2 台仪器" in told.stderr
    assert "该点" not in told.stderr and "“设定”向设备写入" in told.stdout


def test_an_error_names_file_and_line_and_writes_nothing(tmp_path):
    bad = tmp_path / "bad.conf"
    bad.write_text('[[inputs.modbus]]\ncontroller = "tcp://h:502"\nslave_id = 300\n')
    done = sluice("import", "telegraf", bad, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert f"{bad}:3:12: error: 'slave_id' should be a whole number from 0 to 255" in done.stderr
    assert not (tmp_path / "out").exists()


def test_unknown_formats_and_files_are_refused(tmp_path):
    assert sluice("import", "edgex", "x").returncode == 2
    missing = sluice("import", "telegraf", tmp_path / "none")
    assert missing.returncode == 2 and "No such file" in missing.stderr
    assert sluice("import", "telegraf", tmp_path).returncode == 2
