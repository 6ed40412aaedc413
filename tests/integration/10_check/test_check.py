"""sluice check on bad configurations: every message, word for word, and the exit status."""
import json
import os
import pathlib
import re
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
    *buses, last = r.stdout.splitlines()
    assert buses == ["bus cabinet: modbus-tcp, 1 device, 0.4 requests a second"]
    assert last.startswith("station.yaml: 1 bus, 1 device, ")
    assert last.endswith(" statistics, 1 rule, 1 uplink: no errors")
    assert r.returncode == 0


LINE = """\
station: {id: riverside-01, zone: "+08:00"}
buses:
  - {id: rs485-1, type: modbus-rtu, port: /dev/serial/by-id/none, baud: %d}
devices:
%s"""


def line(folder, baud, *polls):
    devices = "".join(f"  - {{id: s{i}, profile: seeed-orch-s4, bus: rs485-1, unit: {i}, "
                      f"poll: {poll}}}\n" for i, poll in enumerate(polls, 1))
    (folder / "station.yaml").write_text(LINE % (baud, devices))
    return folder


def test_says_how_much_of_a_line_is_used(tmp_path):
    r = check("station.yaml", cwd=line(tmp_path, 9600, "1s", "10s"))
    assert r.returncode == 0
    assert re.match(r"bus rs485-1: 9600 8N1, 2 devices, \d\d? % of the line\n", r.stdout)


def test_a_schedule_that_cannot_fit_is_an_error_with_the_numbers(tmp_path):
    r = check("station.yaml", cwd=line(tmp_path, 1200, *["1s"] * 8))
    assert r.returncode == 2
    assert re.search(r"station.yaml:3:\d+: error: line rs485-1 is asked for \d\.\d\d s of traffic "
                     r"each second: s1 0\.\d\d s \(\d requests? in \d+ ms every 1 s\), s2 .* and 4 "
                     r"more; poll its devices every \d+ s or run the line at \d+ baud  \[E023\]", r.stdout)


def test_what_it_advises_helps(tmp_path):
    r = check("station.yaml", cwd=line(tmp_path, 1200, "1s", "1s", "1s", "1s", "1s"))
    baud = int(re.search(r"run the line at (\d+) baud", r.stdout).group(1))
    poll = re.search(r"poll its devices every (\d+ ?s)", r.stdout).group(1).replace(" ", "")
    for args in ((baud, *["1s"] * 5), (1200, *[poll] * 5)):
        assert check("--strict", "station.yaml", cwd=line(tmp_path, *args)).returncode == 0


def test_a_line_that_is_nearly_full_is_a_warning(tmp_path):
    for n in range(1, 40):
        r = check("station.yaml", cwd=line(tmp_path, 9600, *["1s"] * n))
        if r.returncode:
            break
        share = int(re.search(r"(\d+) % of the line", r.stdout).group(1))
        assert ("is busy for " in r.stdout) == (share > 80)
    assert n > 3


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
