"""sluice scan and sluice test against simulated instruments: found, configured and read unattended."""
import json
import os
import re
import subprocess
import time

import pytest

from conftest import Process, free_port

MIXED = {  # device of the simulated line: (profile, unit)
    "ph": ("hamilton-ph-arc", 3),
    "met": ("rs485-small-weather-station-500", 4),
    "aqt": ("vaisala-aqt530", 17),
    "soil": ("seeed-soil-101990667", 120),
}
# Two registers of theirs are what other instruments have, too: they are told by line settings.
TWINS = {"hach-nitratax", "hach-uvas", "sonbest-sm7901"}

STATION = """\
station: {{id: test-01, region: demo, names: {{en: Test, zh: 试验站}}}}
log: {{path: {path}/station.db}}
http: {{listen: "off"}}
control: {path}/control.sock
"""


@pytest.fixture
def sluice(binary, place):
    def call(*args, lang="en", seconds=60):
        env = dict(os.environ, SLUICE_LANG=lang, LC_ALL="C.UTF-8")
        return subprocess.run([binary, *map(str, args)], cwd=place.path, env=env,
                              capture_output=True, text=True, timeout=seconds)
    return call


@pytest.fixture
def simulate(binary, place):
    """Devices on one pseudo terminal `tty` and one TCP port; its sluice sim and the port."""
    def start(line, tcp=(), options=(), path=None):
        port = free_port()
        path = path or place.path / "tty"
        text = STATION.format(path=place.path) + "buses:\n"
        text += f"  - {{id: line, type: modbus-rtu, port: {path}, baud: 9600, format: 8N1}}\n"
        text += f"  - {{id: net, type: modbus-tcp, host: 127.0.0.1, port: {port}}}\ndevices:\n"
        for bus, devices in (("line", line), ("net", dict(tcp))):
            for name, (profile, unit) in devices.items():
                text += f"  - {{id: {name}, profile: {profile}, bus: {bus}, unit: {unit}, poll: 10s}}\n"
        (place.path / "sim.yaml").write_text(text)
        sim = place.add(Process([binary, "sim", "--station", "sim.yaml", "--calm", *options],
                                place.path, "sim"))
        sim.wait_line("ready")
        return port
    return start


def configure(place):
    (place.path / "conf.d").mkdir()
    (place.path / "station.yaml").write_text(STATION.format(path=place.path))
    return place.path / "conf.d" / "10-found.yaml"


@pytest.mark.short
@pytest.mark.slow(11)
def test_configures_a_mixed_line_unattended(sluice, simulate, place):
    port = simulate(MIXED, {"o3": ("teledyne-t400", 1)})
    found = configure(place)

    scan = sluice("scan", place.path / "tty", f"tcp:127.0.0.1:{port}", "--unit", "1-20,115-125",
                  "--write", found)
    assert scan.returncode == 0, scan.stdout + scan.stderr
    assert "enabled: false" not in found.read_text()
    assert re.search(r"^4 devices, 31 of 31 combinations, \d+ s$", scan.stdout, re.M)
    assert re.search(r"^1 device, 31 of 31 combinations, \d+ s$", scan.stdout, re.M)

    check = sluice("check", "station.yaml")
    assert check.returncode == 0, check.stdout + check.stderr
    assert "2 buses, 5 devices" in check.stdout

    test = sluice("test", "--config", "station.yaml", "--json")
    assert test.returncode == 0, test.stdout + test.stderr
    report = json.loads(test.stdout)
    got = {(d["profile"], d["unit"]) for d in report["devices"]}
    assert got == set(MIXED.values()) | {("teledyne-t400", 1)}
    assert report["summary"]["silent"] == 0
    assert report["summary"]["good"] > 30


def test_configures_what_stands_behind_a_serial_device_server(sluice, binary, place):
    sim = place.add(Process([binary, "sim", "--profile", "kippzonen-smp", "--rtu-tcp", "127.0.0.1:0",
                             "--unit", "6", "--calm"], place.path, "sim")).wait_line("ready")
    target = "rtu-tcp:" + re.search(r"(127\.0\.0\.1:\d+)=", sim.text).group(1)
    scan = sluice("scan", target, "--unit", "4-8", "--write", configure(place))
    assert scan.returncode == 0, scan.stdout + scan.stderr
    assert sluice("check", "station.yaml").returncode == 0
    test = sluice("test", "--config", "station.yaml")
    assert test.returncode == 0, test.stdout
    assert f"{target.replace(':', ' ', 1)} unit 6" in test.stdout


def test_lists_a_device_of_a_line_without_a_speed_once(sluice, simulate, place):
    simulate({"ph": ("hamilton-ph-arc", 3)})
    scan = sluice("scan", place.path / "tty", "--baud", "4800,9600,19200", "--unit", "1-4", "--json")
    devices = json.loads(scan.stdout)["targets"][0]["devices"]
    assert [d["unit"] for d in devices] == [3]


def test_shows_the_frames_of_one_address(sluice, simulate, place):
    simulate(MIXED)
    scan = sluice("scan", place.path / "tty", "--baud", "19200", "--format", "8N1", "--unit", "17",
                  "--read", "h:0+13", "--frames")
    assert scan.returncode == 0, scan.stderr
    lines = scan.stdout.splitlines()
    assert lines[0] == "> 11 2B 0E 04 01 73 24"
    assert re.fullmatch(r"< 11 2B 0E 04 8[1-3] 00 00 01 01 06 41 51 54 35 33 30 .. ..      "
                        r'product "AQT530"', lines[1])
    assert lines[2] == "> 11 03 00 00 00 0D 86 9F"
    assert re.fullmatch(r"< 11 03 1A( [0-9A-F]{2}){28}", lines[3])
    assert lines[4:] == [
        "looks like  vaisala-aqt530  Vaisala AQT530 air quality transmitter  "
        "(1/1 required, trust: datasheet)",
        "write it with: sluice scan … --write /etc/sluice/conf.d/10-aqt530.yaml"]


def test_guesses_at_unknown_registers_in_every_word_order(sluice, simulate, place):
    simulate({"ph": ("hamilton-ph-arc", 3)}, options=["--set", "ph=7.25"])
    scan = sluice("scan", place.path / "tty", "--baud", "9600", "--format", "8N1", "--unit", "3",
                  "--read", "h:2091+2")
    row = next(line for line in scan.stdout.splitlines() if line.startswith("h:2091"))
    assert row.split()[:2] == ["h:2091", "40E8"]
    assert "7.25" in row


@pytest.mark.parametrize("lang, words", [("en", "no answer"), ("zh", "无应答")])
def test_says_that_nothing_answers(sluice, simulate, place, lang, words):
    simulate({"ph": ("hamilton-ph-arc", 3)})
    scan = sluice("scan", place.path / "tty", "--baud", "9600", "--format", "8N1", "--unit", "9",
                  lang=lang)
    assert scan.returncode == 1
    assert words in scan.stdout


@pytest.mark.slow(16)
def test_finds_an_instrument_that_answers_after_the_patience(sluice, simulate, place):
    """Its late answer is not taken for another unit's: its own unit is asked again."""
    simulate({"ph": ("hamilton-ph-arc", 40)}, options=["--fault", "ph:late=0.25s"])
    scan = sluice("scan", place.path / "tty", "--unit", "38-46", "--timeout", "100")
    assert "late" in scan.stdout, scan.stdout
    assert re.search(r"unit 40 ", scan.stdout)
    assert not re.search(r"\] 9600 8N1 unit 4[1-6]", scan.stdout)


def test_finds_its_way_through_noise(sluice, simulate, place):
    simulate({"met": ("rs485-small-weather-station-500", 4), "ph": ("hamilton-ph-arc", 3)},
             options=["--fault", "noise=1e-3"])
    scan = sluice("scan", place.path / "tty", "--unit", "1-6", "--json")
    devices = json.loads(scan.stdout)["targets"][0]["devices"]
    assert sorted(d["unit"] for d in devices) == [3, 4]


def clock_of_a_noon():
    """What cannot tell who it is is known by its values, and those follow the course of the day: a wind from
    100 degrees at night may be a soil of 10 degrees."""
    return f"1.001,1795320000000,{int(time.monotonic() * 1000)},1000000000"


def test_recognises_every_instrument_of_the_library(sluice, binary, place):
    ids = [p["id"] for p in json.loads(sluice("profile", "list", "--json").stdout) if not p["lorawan"]]
    assert len(ids) >= 45
    wrong = {}
    for profile in ids:
        sim = place.add(Process([binary, "sim", "--profile", profile, "--tcp", "127.0.0.1:0", "--unit",
                                 "5", "--calm", "--clock", clock_of_a_noon()],
                                place.path, f"sim-{profile}")).wait_line("ready")
        address = re.search(r"ready (\S+?)=", sim.text).group(1)
        scan = sluice("scan", f"tcp:{address}", "--unit", "5", "--json")
        candidates = json.loads(scan.stdout)["targets"][0]["devices"][0]["candidates"]
        names = [c["profile"] for c in candidates]
        if names[:1] != [profile] and not (profile in TWINS and profile in names):
            wrong[profile] = names
        sim.stop()
    assert not wrong


@pytest.mark.parametrize("lang, words", [("en", "1 of them not certain and so disabled"),
                                         ("zh", "其中 1 台不能确定型号，已停用")])
def test_lets_nobody_poll_what_may_be_another_instrument(sluice, simulate, place, lang, words):
    """The noise meter's one register is the wind sensor's: a person decides, with sluice test."""
    port = simulate({}, {"noise": ("sonbest-sm7901", 5), "o3": ("teledyne-t400", 7)})
    found = configure(place)
    scan = sluice("scan", f"tcp:127.0.0.1:{port}", "--unit", "5-7", "--write", found, lang=lang)
    assert scan.returncode == 0, scan.stdout + scan.stderr
    assert words in scan.stdout
    text = found.read_text()
    doubtful = re.search(r"- {id: (\S+),.* unit: 5,.*, enabled: false}", text).group(1)
    assert f"sluice test {doubtful} " in text
    assert {"sonbest-sm7901", "dfrobot-sen0483"} <= set(re.findall(r"[\w-]+", text))
    assert not re.search(r"unit: 7.*enabled", text)

    assert sluice("check", "station.yaml").returncode == 0
    for profile in ("dfrobot-sen0483", "sonbest-sm7901"):  # as the comment says
        found.write_text(re.sub(rf"(id: {doubtful}, profile: )[\w-]+", rf"\1{profile}", text))
        test = sluice("test", doubtful, "--config", "station.yaml", "--json")
        device, = json.loads(test.stdout)["devices"]
        assert (device["profile"], device["outcome"]) == (profile, "ok"), test.stdout
    everything = json.loads(sluice("test", "--config", "station.yaml", "--json").stdout)
    assert {d["unit"]: d["outcome"] for d in everything["devices"]} == {5: "disabled", 7: "ok"}


def test_never_replaces_a_file_unless_told(sluice, simulate, place):
    port = simulate({}, {"o3": ("teledyne-t400", 1)})
    kept = place.path / "kept.yaml"
    kept.write_text("mine")
    args = ("scan", f"tcp:127.0.0.1:{port}", "--unit", "1", "--write", kept)
    refused = sluice(*args)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert kept.read_text() == "mine"
    assert sluice(*args, "--force").returncode == 0
    assert "teledyne-t400" in kept.read_text()
    assert [p.name for p in place.path.glob("*.part")] == []


def test_writes_nothing_when_nothing_is_known(sluice, simulate, place):
    simulate({"ph": ("hamilton-ph-arc", 3)})
    scan = sluice("scan", place.path / "tty", "--unit", "9", "--baud", "9600", "--format", "8N1",
                  "--write", "none.yaml")
    assert scan.returncode == 1
    assert not (place.path / "none.yaml").exists()


def test_uses_the_names_and_buses_of_a_configuration(sluice, simulate, place):
    port = simulate({}, {"o3": ("teledyne-t400", 1)})
    (place.path / "conf.d").mkdir()
    (place.path / "station.yaml").write_text(
        STATION.format(path=place.path) +
        f"buses:\n  - {{id: roof, type: modbus-tcp, host: 127.0.0.1, port: {port}}}\n"
        "devices:\n  - {id: t400-1, profile: teledyne-t400, bus: roof, unit: 2, poll: 5s}\n")
    found = place.path / "conf.d" / "20-found.yaml"
    scan = sluice("scan", f"tcp:127.0.0.1:{port}", "--unit", "1", "--config", "station.yaml",
                  "--write", found)
    assert scan.returncode == 0, scan.stderr
    assert "id: t400-1-2, profile: teledyne-t400, bus: roof, unit: 1" in found.read_text()
    check = sluice("check", "station.yaml")
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("command", [("scan", "/dev/null"), ("profile", "list"),
                                     ("sim", "--profile", "teledyne-t400")])
@pytest.mark.parametrize("lang, words", [("en", "the folder /nope does not exist"),
                                         ("zh", "文件夹 /nope 不存在")])
def test_says_that_a_folder_of_profiles_does_not_exist(sluice, command, lang, words):
    done = sluice(*command, "--profiles", "/nope", lang=lang)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize("args, words", [
    (("tcp:",), "a target is"),
    (("host:99999",), "a target is"),
    (("/dev/null", "--unit", "1-300"), "--unit expects"),
    (("/dev/null", "--unit", "5-1"), "--unit expects"),
    (("/dev/null", "--baud", "9600,fast"), "--baud expects"),
    (("/dev/null", "--baud", "12345"), "--baud expects standard speeds"),
    (("/dev/null", "--format", "9N1"), "--format eight data bits"),
    (("/dev/null", "--format", "7E1"), "--format eight data bits"),
    (("/dev/null", "--write", "no-folder/10-line.yaml"), "there is no such folder"),
    (("/dev/null", "--read", "x:0"), "--read expects"),
    (("/dev/null", "--read", "h:0+126"), "--read expects"),
    (("/dev/null", "--read", "h:65535+2"), "--read expects"),
])
def test_refuses_wrong_usage(sluice, args, words):
    scan = sluice("scan", *args)
    assert scan.returncode == 2
    assert words in scan.stderr


def test_says_that_there_is_no_connection(sluice):
    scan = sluice("scan", f"tcp:127.0.0.1:{free_port()}", "--unit", "1-3")
    assert scan.returncode == 1
    assert "cannot be opened or does not accept a connection" in scan.stderr


@pytest.mark.parametrize("port, words", [
    ("no-such-port", "there is no such port"),
    ("station.yaml", "is no serial port"),
    ("/dev/null", "is no serial port"),
])
def test_says_at_once_what_is_wrong_with_a_port(sluice, place, port, words):
    configure(place)
    scan = sluice("scan", place.path / port)
    assert (scan.returncode, scan.stdout) == (1, "")
    assert words in scan.stderr


@pytest.mark.slow(12)
def test_leaves_a_line_to_the_daemon(sluice, simulate, place):
    simulate({"ph": ("hamilton-ph-arc", 3)})
    (place.path / "run.yaml").write_text((place.path / "sim.yaml").read_text())
    gateway = place.gateway(place.path / "run.yaml")
    port = os.path.realpath(place.path / "tty")

    def is_open():
        fds = f"/proc/{gateway.child.pid}/fd"
        return any(os.path.realpath(f"{fds}/{fd}") == port for fd in os.listdir(fds))
    from conftest import wait_until

    for command in (("scan", place.path / "tty", "--unit", "3"),
                    ("test", "ph", "--config", "run.yaml")):
        wait_until(is_open, 10, "the gateway to open the line")  # again, after two masters on it
        refused = sluice(*command)
        assert refused.returncode == 1
        assert "is in use by sluice" in refused.stderr
        assert "--take" in refused.stderr
        taken = sluice(*command, "--take")
        assert "asking nevertheless" in taken.stderr


def test_lists_serial_ports_without_a_target(sluice):
    scan = sluice("scan", "--json")
    assert scan.returncode in (0, 1)
    assert isinstance(json.loads(scan.stdout)["ports"], list)
    assert sluice("scan").stdout
