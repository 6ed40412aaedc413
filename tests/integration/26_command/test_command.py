"""Named commands end to end: simulated instruments, a gateway, `sluice command`."""
import datetime
import json
import os
import sqlite3
import subprocess

import pytest
from pymodbus.client import ModbusTcpClient

from conftest import BINARY, free_port, wait_until
from peers import tcp_slave

# A gas analyser made up for this: its zero lasts 30 s, its check waits and reads back, its
# calibration takes longer than the test is willing to wait.
PROFILE = """profile: 1
id: test-analyser
names: {en: Test analyser, zh: 试验分析仪}
vendor: test
medium: air
models: [test]
sources: [made up]
verified: template
bus: {transports: [tcp], doc_base: 0, read: {timeout: 300ms, retries: 0}}
points:
  - {id: ozone, at: 'h:0', type: u16, unit: '[ppb]', quantity: ozone, range: [0, 1000]}
commands:
  - id: set_interval
    names: {en: Set the interval, zh: 设置间隔}
    parameters:
      - {id: interval, names: {en: interval, zh: 间隔}, unit: s, range: [1, 3600], integer: true, default: 60}
    steps: [{write: 'h:10', type: u16, value: $interval}]
  - id: set_clock
    names: {en: Set the clock, zh: 校时}
    steps:
      - {write: 'h:20', type: u16, value: $year}
      - {write: 'h:21', type: u16, value: $month, joined: true}
      - {write: 'h:22', type: u16, value: $day, joined: true}
      - {write: 'h:23', type: u16, value: $hour, joined: true}
  - id: start_zero
    names: {en: Start the zero check, zh: 启动零点检查}
    mode: {set: zero, for: 30s}
    steps: [{write: 'h:30', type: u16, value: 1}]
  - id: check
    names: {en: Check, zh: 自检}
    steps:
      - {write: 'h:40', type: u16, value: 7}
      - {wait: 200ms}
      - {expect: 'h:40', type: u16, value: 8}
  - id: calibrate
    names: {en: Calibrate, zh: 校准}
    mode: {set: calibration, for: 1min}
    steps:
      - {write: 'h:50', type: u16, value: 1}
      - {wait: 1min}
      - {write: 'h:50', type: u16, value: 0}
"""


class Site:
    """One or more analysers, each on a connection of its own."""

    def __init__(self, place, devices, faults=(), registers=None):
        """`registers`: an independent slave with these in place of our simulator."""
        self.place = place
        ports = {d: free_port() for d in devices}
        folder = place.path / "profiles"
        folder.mkdir()
        (folder / "test-analyser.yaml").write_text(PROFILE)
        lines = ["station: {id: test-01, region: demo, zone: '+08:00', "
                 "names: {en: Test, zh: 试验站}}", "profiles: [profiles]", "buses:"]
        lines += [f"  - {{id: bus-{d}, type: modbus-tcp, host: 127.0.0.1, port: {ports[d]}}}"
                  for d in devices]
        lines += ["devices:"]
        lines += [f"  - {{id: {d}, profile: test-analyser, bus: bus-{d}, unit: 1, poll: 200ms}}"
                  for d in devices]
        lines += ["uplinks: []", f"log: {{path: {place.path}/station.db, commit: 10s, seal: 20s}}",
                  "http: {listen: 'off'}", f"control: {place.path}/control.sock"]
        self.station = place.station_file("\n".join(lines) + "\n")
        if registers:
            self.sim = tcp_slave(place, ports[devices[0]], registers, unit=1)
        else:
            self.sim = place.sim(self.station, *[f"--fault={f}" for f in faults])
        self.ports = ports
        self.gateway = place.gateway(self.station).wait_line("runs:")

    def run(self, *args, lang="en", timeout=20):
        env = dict(os.environ, LC_ALL=f"{lang}_XX.UTF-8")
        return subprocess.run([BINARY, "command", "--control", self.place.path / "control.sock",
                               *args], capture_output=True, text=True, timeout=timeout, env=env,
                              stdin=subprocess.DEVNULL)

    def online(self, *devices):
        def are():
            found = [d["state"] for d in self.status().get("devices", [])
                     if not devices or d["id"] in devices]
            return found and set(found) == {"online"}
        wait_until(are, 10, "the devices")
        return self

    def status(self):
        done = subprocess.run([BINARY, "status", "--json", "--control",
                               self.place.path / "control.sock"], capture_output=True, text=True,
                              timeout=10)
        return json.loads(done.stdout or "{}")

    def events(self):
        """Command events of the log, oldest first, as committed."""
        db = sqlite3.connect(f"file:{self.place.path}/station.db?mode=ro", uri=True)
        rows = db.execute("SELECT data FROM entry WHERE kind = 2 ORDER BY seq").fetchall()
        db.close()
        return [e for e in (json.loads(r[0]) for r in rows) if e.get("kind") == "command"]


@pytest.fixture
def site(binary, place):
    return Site(place, ["gas-1"]).online()


def test_lists_what_a_device_can_be_told(site):
    done = site.run("gas-1")
    assert done.returncode == 0
    assert "set_interval" in done.stdout and "interval=1 .. 3600 s, whole, default 60" in done.stdout
    assert "start_zero" in done.stdout
    assert "设置间隔" in site.run("gas-1", lang="zh").stdout
    parameters = json.loads(site.run("gas-1", "--json").stdout)["devices"][0]["commands"][0]["parameters"]
    assert parameters[0]["min"] == 1 and parameters[0]["max"] == 3600


def test_a_command_is_carried_out_and_stands_in_the_log_twice(site):
    done = site.run("gas-1", "set_interval", "interval=120")
    assert (done.returncode, done.stdout) == (0, "gas-1 has carried out set_interval (interval=120).\n")
    begun, ended = site.events()  # committed before the answer, long before the interval's end
    assert begun["what"] == "begun" and ended["what"] == "done"
    assert begun["values"] == ended["values"] == {"interval": 120}
    assert begun["who"] == f"uid {os.getuid()}"
    assert begun["request"] == ended["request"] != ""
    assert begun["seq"] < ended["seq"]
    zh = site.run("gas-1", "set_interval", lang="zh")
    assert zh.stdout == "gas-1 已执行命令设置间隔（interval=60）。\n"


@pytest.fixture
def foreign(binary, place):
    """An instrument that is not ours: pymodbus."""
    return Site(place, ["gas-1"], registers={0: [41], 10: [0], 20: [0] * 4, 40: [0]}).online()


def registers_of(site, first, n):
    client = ModbusTcpClient("127.0.0.1", port=site.ports["gas-1"])
    assert client.connect()
    try:
        return client.read_holding_registers(first, n, slave=1).registers
    finally:
        client.close()


def test_the_clock_is_the_stations_local_time_in_one_request(foreign):
    before = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    assert foreign.run("gas-1", "set_clock").returncode == 0
    after = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    assert registers_of(foreign, 20, 4) in [[t.year, t.month, t.day, t.hour]
                                            for t in (before, after)]
    assert foreign.events()[-1]["steps"] == 1


@pytest.mark.parametrize("args, sentence", [
    (["gas-1", "set_interval", "interval=0"], "interval must be from 1 to 3600 s, not 0."),
    (["gas-1", "set_interval", "interval=1.5"], "interval must be a whole number, not 1.5."),
    (["gas-1", "set_interval", "interval=x"], "interval: 'x' is not a number."),
    (["gas-1", "set_interval", "every=5"], "Command set_interval has no parameter every."),
    (["gas-1", "write", "register=1"], "Device gas-1 has no command write; it has set_interval, "
                                       "set_clock, start_zero, check, calibrate."),
    (["gas-2", "set_clock"], "The station has no device gas-2."),
])
def test_what_is_wrong_is_said_and_nothing_is_sent(site, args, sentence):
    done = site.run(*args)
    assert (done.returncode, done.stderr) == (2, f"sluice command: {sentence}\n")
    assert site.events() == []


def test_a_request_is_carried_out_once(site):
    first = json.loads(site.run("--json", "--request", "night-1", "gas-1", "set_interval").stdout)
    again = json.loads(site.run("--json", "--request", "night-1", "gas-1", "set_interval").stdout)
    assert again == dict(first, again=True)
    other = site.run("--request", "night-1", "gas-1", "set_clock")
    assert other.returncode == 2
    site.gateway.stop()
    site.gateway.start().wait_line("runs:")
    site.online()
    after = json.loads(site.run("--json", "--request", "night-1", "gas-1", "set_interval").stdout)
    assert after["again"] and after["event"]["what"] == "done"
    assert [e["what"] for e in site.events()] == ["begun", "done"]


def test_an_instrument_that_holds_something_else_is_not_believed(foreign):
    done = foreign.run("gas-1", "check")
    assert (done.returncode, done.stderr) == (1, "gas-1 does not confirm check at step 3 of 3: h:40 "
                                              "holds 7, not 8. 1 write before it was acknowledged.\n")
    assert foreign.events()[-1]["found"] == registers_of(foreign, 40, 1) == [7]


def test_readings_have_the_mode_of_the_command_also_after_a_restart(site):
    assert site.run("gas-1", "start_zero").returncode == 0

    def is_zero():
        child = subprocess.Popen([BINARY, "tail", "--json", "--control",
                                  site.place.path / "control.sock"], stdout=subprocess.PIPE,
                                 text=True)
        try:
            samples = (json.loads(line).get("sample", {}) for line in child.stdout)
            sample = next(s for s in samples if s.get("channel") == "gas-1/ozone")
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        return sample["status"] == "calibration" and sample["reasons"][0]["id"] == "calibration_zero"
    wait_until(is_zero, 5, "the zero in the readings")
    site.gateway.stop()
    site.gateway.start().wait_line("runs:")
    site.online()
    wait_until(is_zero, 5, "the zero in the readings of the next run")


def test_a_silent_device_leaves_the_outcome_open_and_its_neighbours_alone(binary, place):
    site = Site(place, ["gas-1", "gas-2"], faults=["gas-2:silent"]).online("gas-1")
    done = site.run("gas-2", "set_interval")
    assert done.returncode == 1
    assert done.stderr == ("gas-2 gave no sound answer to set_interval (interval=60) at step 1 of 1: it "
                           "is not known whether it did it. A write is never sent twice.\n")
    assert site.events()[-1]["unknown"] is True
    assert site.run("gas-1", "set_interval").returncode == 0


def test_a_refusal_is_told_with_its_reason(binary, place):
    site = Site(place, ["gas-1"], faults=["gas-1:exception=4@h:10"]).online()
    done = site.run("gas-1", "set_interval")
    assert (done.returncode, done.stderr) == (
        1, "gas-1 refused set_interval (interval=60) at step 1 of 1: device failure (exception 4). "
           "Nothing was changed.\n")


def test_no_connection_means_nothing_was_sent(site):
    site.sim.kill()
    wait_until(lambda: site.status()["devices"][0]["state"] != "online", 10, "the silence")
    done = site.run("gas-1", "set_interval")
    assert done.returncode == 1
    assert "was not sent" in done.stderr and "Nothing was changed." in done.stderr


def begin_calibration(site):
    child = subprocess.Popen([BINARY, "command", "--control", site.place.path / "control.sock",
                              "gas-1", "calibrate"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    wait_until(lambda: [e["what"] for e in site.events()] == ["begun"], 5, "its begin in the log")
    return child


def test_one_command_of_a_device_at_a_time(site):
    child = begin_calibration(site)
    done = site.run("gas-1", "set_interval")
    assert done.returncode == 1
    assert done.stderr == "sluice command: A command of this device is under way: wait for its end.\n"
    child.kill()
    child.communicate()


def test_a_kill_in_the_middle_is_told_at_the_next_start(site):
    child = begin_calibration(site)
    site.gateway.kill()
    assert child.wait(10) == 1
    child.communicate()
    site.gateway.start().wait_line("runs:")
    wait_until(lambda: [e["what"] for e in site.events()] == ["begun", "interrupted"], 5, "the event")
    assert site.events()[1]["text"]["en"].startswith(
        "The gateway stopped while gas-1 was told to calibrate: it is not known how far it came.")
    assert site.events()[1]["begun"] == site.events()[0]["time"]


def test_a_stop_in_the_middle_is_told_at_once(site):
    child = begin_calibration(site)
    status, took = site.gateway.stop()
    assert status == 0 and took < 3
    child.communicate()
    assert [e["what"] for e in site.events()] == ["begun", "interrupted"]


def test_other_devices_are_polled_while_a_command_waits(site):
    child = begin_calibration(site)
    before = site.status()["devices"][0]["answers"]
    wait_until(lambda: site.status()["devices"][0]["answers"] > before + 3, 5, "polls meanwhile")
    child.kill()
    child.communicate()
