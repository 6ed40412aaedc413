"""tail --frames, record and replay against a running gateway with simulated instruments."""
import json
import os
import re
import subprocess
import time

import pytest

from conftest import BINARY, Process, free_port, wait_until

STATION = """
station: {{id: traffic-test}}
http: {{listen: "off"}}
log: {{path: {dir}/log.db}}
control: {dir}/c.sock
buses:
  - {{id: net, type: modbus-tcp, host: 127.0.0.1, port: {port}}}
  - {{id: line, type: modbus-rtu, port: {dir}/tty, baud: 19200}}
devices:
  - {{id: roof-o3, profile: teledyne-t400, bus: net, unit: 3, poll: 500ms}}
  - {{id: mast, profile: rs485-small-weather-station-500, bus: line, unit: 1, poll: 500ms}}
"""

FRAME = re.compile(r"^\d\d:\d\d:\d\d\.\d{3}  (\S+) +(\d+)  (\S+) +([<>])((?: [0-9A-F]{2})+)(?:   (.+))?$")
RECORD = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\S+) (\d+) (\S+) (tcp|rtu) "
                    r"(>|<\w*)((?: [0-9A-F]{2})+)$")


def sluice(*args, lang="C", timeout=60):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=timeout,
                          env=dict(os.environ, LC_ALL=lang, LANG=lang))


COUNTS = re.compile(r"(\d+) channels?, (\d+) statistics?, 0 rules")


class Station:
    def __init__(self, place):
        self.place = place
        self.control = place.path / "c.sock"
        self.file = place.station_file(STATION.format(dir=place.path, port=free_port()))

    def start(self, *faults):
        self.place.sim(self.file, "--calm", *faults)
        self.gateway = self.place.gateway(self.file)
        self.gateway.wait_line("runs: 2 buses")
        wait_until(self.control.exists, 5, "the control socket")
        return self

    def tail(self, *args, seconds=3):
        child = subprocess.Popen([BINARY, "tail", "--control", self.control, *args],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=dict(os.environ, LC_ALL="C"))
        try:
            child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.terminate()
        return child.communicate()[0].splitlines()

    def record(self, *args):
        return sluice("record", "--control", self.control, *args)


@pytest.fixture
def station(place):
    return Station(place)


def test_frames_are_shown_with_bus_unit_and_device(station):
    station.start()
    rows = [FRAME.match(line) for line in station.tail("--frames")]
    assert len(rows) > 10 and all(rows)
    assert {(r[1], r[2], r[3]) for r in rows} == {("net", "3", "roof-o3"), ("line", "1", "mast")}
    assert {r[4] for r in rows} == {"<", ">"}
    assert not any(r[6] for r in rows)
    only = station.tail("--frames", "mast", seconds=2)
    assert only and all(FRAME.match(line)[1] == "line" for line in only)
    frames = [json.loads(line)["frame"] for line in station.tail("--frames", "--json", seconds=2)]
    assert {f["fate"] for f in frames} == {"sent", "taken"}


def test_what_was_dropped_is_named(station):
    station.start("--fault", "late=1.5s/4")
    rows = [FRAME.match(line) for line in station.tail("--frames", seconds=6)]
    assert any(r[6] == "late, dropped" for r in rows)


def test_a_recording_decodes_to_what_the_gateway_measured(station):
    station.start()
    file = station.place.path / "t.traffic"
    done = station.record("--for", "4s", "--output", file)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+ frames recorded, 0 lost\n", done.stderr)
    lines = file.read_text().splitlines()
    assert lines[0] == "# sluice record 1"
    assert "station traffic-test" in lines[1]
    assert all(RECORD.match(line) for line in lines[2:])
    live = {}
    for line in station.tail("--json", seconds=2):
        sample = json.loads(line).get("sample")
        if sample and sample["channel"] in ("mast/air_temp", "roof-o3/ozone"):
            live[sample["channel"]] = sample
    replay = sluice("replay", "--config", station.file, "--json", file)
    assert replay.returncode == 0, replay.stderr
    readings = [json.loads(line)["reading"] for line in replay.stdout.splitlines()]
    assert {r["device"] for r in readings} == {"mast", "roof-o3"}
    ozone = [r["value"] for r in readings if r["point"] == "ozone"]
    assert len(ozone) >= 6
    assert all(abs(v - live["roof-o3/ozone"]["value"]) < 15 for v in ozone)
    assert {r["grade"] for r in readings if r["point"] == "ozone"} == {"good"}
    text = sluice("replay", "--config", station.file, file)
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  roof-o3/ozone +[\d.]+ µg/m³ +valid good$", text.stdout,
                     re.M)
    assert re.match(r"\d+ frames, \d+ exchanges, \d+ readings, 0 exchanges with devices", text.stderr)


def reading_of(line):
    return json.loads(line)["reading"]


def test_the_exact_values_are_those_that_the_gateway_sent_on(station):
    station.start()
    file = station.place.path / "t.traffic"
    tail = station.place.add(Process([BINARY, "tail", "--json", "--control", station.control, "mast/"],
                                     station.place.path, "tail"))
    station.record("--for", "3s", "--output", file)
    replay = sluice("replay", "--config", station.file, "--json", file)
    last = [r for r in map(reading_of, replay.stdout.splitlines()) if r["device"] == "mast"][-1]

    def live_values():
        samples = [json.loads(line).get("sample") for line in tail.text.splitlines(keepends=True)
                   if line.endswith("\n")]
        return {(s["time"], s["channel"]): s["value"] for s in samples if s and "@" not in s["channel"]}
    wait_until(lambda: any(time >= last["time"] for time, _ in live_values()), 10,
               "the last scan of the recording")
    live = live_values()
    seen = 0
    for line in replay.stdout.splitlines():
        r = reading_of(line)
        key = (r["time"], f"{r['device']}/{r['point']}")
        if key in live:
            assert live[key] == r["value"], key
            seen += 1
    assert seen > 10


def test_one_bus_alone_is_recorded(station):
    station.start()
    done = station.record("line", "--for", "2s")
    rows = [RECORD.match(line) for line in done.stdout.splitlines() if line[0] != "#"]
    assert rows and {r[1] for r in rows} == {"line"}
    assert station.record("lien", "--for", "2s").returncode == 2


def test_a_signal_ends_a_recording_with_all_its_lines(station):
    station.start()
    file = station.place.path / "t.traffic"
    recorder = station.place.add(Process([BINARY, "record", "--control", station.control,
                                          "--output", file], station.place.path, "record"))
    wait_until(lambda: file.exists() and file.read_text().count("\n") > 8, 10, "frames")
    status, _ = recorder.stop()
    assert status == 0 and "frames recorded" in recorder.text
    assert file.read_text().endswith("\n")


def test_watching_survives_a_reload_and_ends_with_the_daemon(station):
    station.start()
    child = subprocess.Popen([BINARY, "tail", "--frames", "--json", "--control", station.control],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert json.loads(child.stdout.readline())["frame"]
    station.gateway.child.send_signal(1)
    station.gateway.wait_line("configuration reloaded")
    wait_until(lambda: station.gateway.text.count("runs: 2 buses") == 2, 5, "the reload")
    begin = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begin + 0.5))
    while json.loads(child.stdout.readline())["frame"]["time"] < stamp:
        assert time.time() < begin + 10
    station.gateway.stop()
    assert "hung up" in child.communicate(timeout=5)[1]
    assert child.returncode == 1


def test_without_a_daemon_it_says_so(tmp_path):
    for command in (["record"], ["tail", "--frames"]):
        done = sluice(*command, "--control", tmp_path / "none.sock")
        assert done.returncode == 1
        assert "does not answer" in done.stderr and "sluice run" in done.stderr


TAPE = """# sluice record 1
# a comment
2026-11-22T07:04:56.123Z net 3 roof-o3 tcp > 00 01 00 00 00 06 03 04 00 12 00 02
2026-11-22T07:04:56.140Z net 3 roof-o3 tcp < 00 01 00 00 00 07 03 04 04 42 08 00 00
2026-11-22T07:04:57.123Z net 3 roof-o3 tcp > 00 02 00 00 00 06 03 04 00 12 00 02
2026-11-22T07:04:57.140Z net 3 roof-o3 tcp <refused 00 02 00 00 00 03 03 84 02
2026-11-22T07:04:58.123Z far 9 - rtu > 09 03 00 00 00 01 85 42
"""


@pytest.fixture
def tape(tmp_path):
    path = tmp_path / "tape.traffic"
    path.write_text(TAPE)
    return path


def test_failures_and_strangers_are_told(station, tape):
    done = sluice("replay", "--config", station.file, tape)
    assert "07:04:57.140  roof-o3: exception 2 (i:18+2)" in done.stdout
    assert "5 frames, 2 exchanges" in done.stderr
    zh = sluice("replay", "--config", station.file, tape, lang="zh_CN.UTF-8")
    assert "异常码 2" in zh.stdout and "次问答" in zh.stderr


@pytest.mark.parametrize("change,line,part", [
    (lambda t: t.replace("# sluice record 1", "# sluice record 2"), 1, "this is no recording"),
    (lambda t: "", 1, "empty"),
    (lambda t: t.replace("07:04:57.123Z net 3", "07:04:57.123Z net 300"), 5, "a unit"),
    (lambda t: t.replace("< 00 01", "<odd 00 01"), 4, "<refused"),
    (lambda t: t + "x" * 3000 + "\n", 8, "longer than any frame"),
])
def test_a_broken_recording_is_refused_with_its_line(station, tape, change, line, part):
    tape.write_text(change(TAPE))
    done = sluice("replay", "--config", station.file, tape)
    assert done.returncode == 2
    assert f"{tape}:{line}: error:" in done.stderr and part in done.stderr


def test_the_desk_sees_the_device_of_the_field(station):
    station.start()
    path = station.place.path
    file = path / "t.traffic"
    station.record("--for", "2s", "--output", file)
    station.gateway.stop()
    port = free_port()
    served = station.place.add(Process([BINARY, "replay", "--serve", f"tcp:{port}", file], path,
                                       "served"))
    served.wait_line("Ctrl-C ends")
    line = station.place.add(Process([BINARY, "replay", "--serve", f"pty:{path}/desk", file], path,
                                     "line"))
    line.wait_line("Ctrl-C ends")
    desk = path / "desk.yaml"
    text = station.file.read_text().replace(f"{path}/tty", f"{path}/desk")
    desk.write_text(re.sub(r"port: \d+}", f"port: {port}}}", text))
    told = sluice("test", "--config", desk, "--json")
    result = json.loads(told.stdout)
    text = json.dumps(result)
    assert "roof-o3" in text and "mast" in text
    assert '"no_answer"' not in text, text
    status, _ = served.stop()
    assert status == 0
    assert line.stop()[0] == 0
    assert not (path / "desk").exists()


def test_where_to_serve_is_checked(tape):
    assert sluice("replay", "--serve", "udp:1", tape).returncode == 2
    assert sluice("replay", "--serve", "tcp:", tape).returncode == 2
    assert sluice("replay", "--serve", "tcp:99999", tape).returncode == 2


def test_a_recording_replaces_a_file_only_when_told(station):
    station.start()
    file = station.place.path / "kept"
    file.write_text("mine")
    refused = station.record("--for", "1s", "--output", file)
    assert refused.returncode == 2
    assert "give another name, or --force to replace it" in refused.stderr
    assert file.read_text() == "mine"
    assert station.record("--for", "1s", "--output", file, "--force").returncode == 0
    assert "mine" not in file.read_text() and "mast" in file.read_text()


def test_one_frame_is_counted_as_one(station):
    file = station.place.path / "one"
    file.write_text("# sluice record 1\n"
                    "2026-03-01T00:00:00.000Z net 3 roof-o3 tcp > 00 01 00 00 00 06 03 04 00 00 00 02\n")
    replay = sluice("replay", "--config", station.file, file)
    assert replay.stderr.startswith("1 frame, "), replay.stderr


def test_the_gateway_counts_its_channels_as_check_does(station):
    station.start()
    said = COUNTS.search(station.gateway.text).groups()
    assert COUNTS.search(sluice("check", station.file).stdout).groups() == said
    assert int(said[1]) >= 2 * int(said[0]) > 0  # a minute, an hour, and what standards ask for
