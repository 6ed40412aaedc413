"""sluice check on bad configurations: every message, word for word, and the exit status."""
import json
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BAD = HERE / "bad"
ROOT = HERE.parents[2]
BINARY = pathlib.Path(os.environ.get("SLUICE_BINARY", ROOT / "build" / "sluice")).resolve()
NAMES = sorted(p.stem for p in BAD.glob("*.txt"))
GOOD = """\
station: {id: riverside-01, zone: "+08:00"}
buses: [{id: cabinet, type: modbus-tcp, host: 192.0.2.20}]
devices: [{id: roof-o3, profile: teledyne-t400, bus: cabinet, unit: 1}]
rules: [{id: high, selector: {quantity: %s}, levels: {red: {set: 160}}}]
uplinks: [{id: centre, type: mqtt, url: "mqtt://127.0.0.1:1883", password_file: secret}]
"""


def check(*args, cwd=BAD):
    return subprocess.run([BINARY, "check", *args], cwd=cwd, capture_output=True, text=True,
                          timeout=20)


def file_of(name):
    folder = BAD / name
    return f"{name}/main.yaml" if folder.is_dir() else f"{name}.yaml"


@pytest.fixture
def station(tmp_path):
    def write(quantity="ozone"):
        secret = tmp_path / "secret"
        secret.write_text("hunter2\n")
        secret.chmod(0o600)
        (tmp_path / "station.yaml").write_text(GOOD % quantity)
        return tmp_path
    return write


def test_there_are_at_least_thirty_bad_files():
    assert len(NAMES) >= 30


@pytest.mark.short
@pytest.mark.parametrize("name", NAMES)
def test_says_what_is_wrong(name):
    r = check(file_of(name))
    assert r.stdout == (BAD / f"{name}.txt").read_text()
    assert r.stderr == ""
    assert r.returncode == 2


@pytest.mark.parametrize("name", NAMES)
def test_json_says_the_same(name):
    r = check("--json", file_of(name))
    report = json.loads(r.stdout)
    text = (BAD / f"{name}.txt").read_text()
    assert r.returncode == 2
    assert report["errors"] > 0
    for m in report["messages"]:
        if m["text"].isprintable():
            assert f"{m['severity']}: {m['text']}  [{m['code']}]" in text


def test_a_good_one_ends_with_a_line_of_figures(station):
    r = check("station.yaml", cwd=station())
    assert r.stdout.startswith("station.yaml: 1 bus, 1 device, ")
    assert r.stdout.endswith(" 1 rule, 1 uplink: no errors\n")
    assert r.returncode == 0


def test_warnings_fail_only_when_strict(station):
    folder = station("turbidity")
    r = check("station.yaml", cwd=folder)
    assert "warning: no channel of this station fits" in r.stdout
    assert r.stdout.endswith(": no errors, 1 warning\n")
    assert r.returncode == 0
    assert check("--strict", "station.yaml", cwd=folder).returncode == 1


def test_prints_the_effective_configuration_without_secrets(station):
    folder = station()
    r = check("--print", "station.yaml", cwd=folder)
    assert r.returncode == 0
    assert "hunter2" not in r.stdout + r.stderr
    assert 'password: "***"' in r.stdout
    assert "poll: 10s" in r.stdout
    (folder / "again.yaml").write_text(r.stdout)
    again = check("--print", "again.yaml", cwd=folder)
    assert again.returncode == 0
    assert again.stdout == r.stdout


def test_a_missing_file_is_told():
    r = check("no-such.yaml")
    assert r.stdout == ("no-such.yaml: error: cannot read the file: No such file or directory"
                        "  [E002]\n1 error in 1 of 1 file\n")
    assert r.returncode == 2


def test_a_secret_that_everybody_may_read_is_a_warning(station):
    folder = station()
    (folder / "secret").chmod(0o644)
    r = check("station.yaml", cwd=folder)
    assert "warning: everybody may read the secret file 'secret'" in r.stdout
    assert r.returncode == 0


def test_wrong_usage_is_told():
    r = check("--what")
    assert r.returncode == 2
    assert r.stderr
