"""Maintenance and calibration end to end: a simulated analyser, the gateway, a database."""
import json
import os
import sqlite3
import subprocess
import time

import pytest
from conftest import BINARY, free_port, wait_until

pytestmark = pytest.mark.usefixtures("binary")

GOOD, STATUS_MASK, MAINTENANCE = 0, 7, 2  # of a flag in the database

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
  - {id: ozone, at: 'h:0', type: f32, unit: 'ug/m3', quantity: ozone, range: [-20, 1000]}
  - {id: no2, at: 'h:2', type: f32, unit: 'ug/m3', quantity: nitrogen_dioxide, range: [-20, 1000]}
commands:
  - {id: zero_on, names: {en: Zero gas on, zh: 通零气}, steps: [{write: 'h:30', type: u16, value: 1}]}
  - {id: gas_off, names: {en: Gas off, zh: 关气}, steps: [{write: 'h:30', type: u16, value: 0}]}
"""

STATION = """station: {{id: test-01, region: demo, zone: '+08:00', names: {{en: Test, zh: 试验站}}}}
profiles: [profiles]
buses: [{{id: gas, type: modbus-tcp, host: 127.0.0.1, port: {port}}}]
devices:
  - id: gas-1
    profile: test-analyser
    bus: gas
    unit: 1
    poll: {poll}
    channels:
      ozone:
        stuck: 0
        rate: {{suspect: 0}}
        spike: {{suspect: 0}}
        calibration:
          settle: 0s
          measure: 2s
          steps: [{{kind: zero{command}}}]
          {end}
          limits: {{zero: 5}}
          correct: {correct}
          revise: {revise}
      no2: {{stuck: 0}}
rules:
  - id: smog
    title: {{en: Smog, zh: 烟雾}}
    selector: {{quantity: ozone}}
    input: raw
    hold_after: 0
    levels: {{red: {{set: 200, clear: 100, on: 1 of 1, off: 1 of 1}}}}
uplinks: {uplinks}
log: {{path: {path}/station.db, commit: 1s, seal: 2s}}
http: {{listen: 'off'}}
control: {path}/control.sock
"""


class Site:
    def __init__(self, place, ozone=40, uplinks="[]", with_gas=False, correct="off",
                 revise="flag", poll="200ms"):
        self.place, self.port = place, free_port()
        folder = place.path / "profiles"
        folder.mkdir()
        (folder / "test-analyser.yaml").write_text(PROFILE)
        self.file = place.station_file(STATION.format(
            port=self.port, path=place.path, uplinks=uplinks, correct=correct,
            revise=revise, poll=poll,
            command=", command: zero_on" if with_gas else "", end="end: gas_off" if with_gas else ""))
        self.sim = self.show(ozone)
        self.gateway = place.gateway(self.file).wait_line("runs:")
        self.wait_status("valid")

    def show(self, ozone):
        """The analyser reads this from now on."""
        if getattr(self, "sim", None):
            self.sim.stop()
        self.sim = self.place.sim(self.file, "--set", f"ozone={ozone}")
        return self.sim

    def run(self, *args, lang="en", timeout=30):
        env = dict(os.environ, LC_ALL=f"{lang}_XX.UTF-8")
        verb, *rest = args
        return subprocess.run([BINARY, verb, "--control", self.place.path / "control.sock", *rest],
                              capture_output=True, text=True, timeout=timeout, env=env)

    def restart(self, with_kill=False):
        if with_kill:
            self.gateway.kill()
        else:
            self.gateway.stop()
        self.gateway.start()
        wait_until(lambda: self.run("maint", "list").returncode == 0, 10, "the gateway")

    def events(self, *kinds):
        with sqlite3.connect(f"file:{self.place.path}/station.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT data FROM entry WHERE kind = 2 ORDER BY seq").fetchall()
        found = [json.loads(r[0]) for r in rows]
        return [e for e in found if not kinds or e["kind"] in kinds]

    def status_of_last(self):
        """The newest reading's status and reasons, as everybody sees them."""
        env = dict(os.environ, LC_ALL="C.UTF-8")
        tail = subprocess.Popen([BINARY, "tail", "--json", "--control",
                                 self.place.path / "control.sock"], stdout=subprocess.PIPE,
                                text=True, env=env)
        try:
            for line in tail.stdout:
                sample = json.loads(line).get("sample")
                if sample and sample["channel"] == "gas-1/ozone":
                    return sample
        finally:
            tail.kill()
            tail.wait()
        return None

    def raised(self):
        return [e for e in self.events("alert") if e["transition"] == "raised"]

    def wait_status(self, status, reason=None):
        def has():
            s = self.status_of_last()
            return s and s["status"] == status and (not reason or reason in [r["id"] for r in s["reasons"]]) and s
        return wait_until(has, 15, f"readings of status {status} {reason or ''}")


def test_maintenance_flags_readings_in_the_database_across_a_restart(place):
    db = place.victoria()
    site = Site(place, uplinks=f'[{{id: db, type: influx, url: "{db.url}"}}]')

    def points():
        return sorted(db.series('{__name__="ozone_f"}').get(("ozone_f", "gas-1", None), {}).items())

    wait_until(lambda: any(f == GOOD for _, f in points()), 20, "good readings in the database")
    done = site.run("maint", "start", "gas-1", "--for", "1h", "--why", "new filter")
    assert done.returncode == 0 and done.stdout.endswith(": new filter.\n"), done.stderr
    site.wait_status("maintenance")
    begin = max(points()[-1][0], int(time.time() * 1000))
    site.show(500)  # dust of the workshop: no alert
    wait_until(lambda: [f for t, f in points() if t > begin + 3000], 20, "readings meanwhile")
    site.restart(with_kill=True)
    site.wait_status("maintenance")
    listed = json.loads(site.run("maint", "list", "--json").stdout)["maintenance"]
    assert [m["device"] for m in listed] == ["gas-1"] and listed[0]["who"] == f"uid {os.getuid()}"
    wait_until(lambda: "Maintenance" in site.run("status").stdout, 10, "its line in the status")
    status = site.run("status").stdout
    assert "\nMaintenance: 1\n  gas-1 " in status and f"uid {os.getuid()}  new filter\n" in status
    assert "\n维护: 1\n  gas-1 " in site.run("status", lang="zh").stdout
    shown = json.loads(site.run("status", "--json").stdout)["maintenance"]
    assert [(m["device"], m["until"]) for m in shown] == [("gas-1", listed[0]["until"])]
    meanwhile = wait_until(lambda: [f for t, f in points() if t > begin + 8000], 20,
                           "readings behind the restart")
    assert GOOD not in meanwhile
    assert site.raised() == []
    site.show(40)
    threshold = int(time.time() * 1000)
    assert site.run("maint", "stop", "gas-1").returncode == 0
    site.wait_status("valid")
    wait_until(lambda: [f for t, f in points() if t > threshold and f == GOOD], 20, "good again")
    assert [e["what"] for e in site.events("maintenance")] == ["begun", "ended"]
    assert site.raised() == []
    # what was measured meanwhile is there, and said to be bad
    during = {int(f) & STATUS_MASK for t, f in points() if begin + 1000 < t < threshold - 1000}
    assert during == {MAINTENANCE}
    site.show(500)
    wait_until(site.raised, 15, "the alert that counts again")


def test_a_zero_check_passes_and_fails_when_the_analyser_has_drifted(place):
    site = Site(place)
    site.show(1.5)
    done = site.run("calibrate", "gas-1/ozone", "zero", "--wait")
    assert (done.returncode, done.stdout) == (
        0, "gas-1/ozone: zero check: passed: 1.5 instead of 0 ug/m3, limit 5.\n"), done.stderr
    passed = site.events("calibration")[1]
    site.wait_status("valid")
    site.show(9.25)
    done = site.run("calibrate", "gas-1/ozone", "zero", "--wait", lang="zh")
    assert (done.returncode, done.stdout) == (
        1, "gas-1/ozone：零点检查：不合格：读数 9.25，标准值 0 ug/m3，限值 5。\n"), done.stderr
    doubtful, = [e for e in site.events("calibration") if e["what"] == "doubtful"]
    assert doubtful["start"] == passed["end"] and doubtful["reason"] == "calibration_drift"
    site.restart()
    ledger = json.loads(site.run("calibrate", "ledger", "gas-1", "--json").stdout)["ledger"]
    assert [r["verdict"] for r in ledger] == ["pass", "fail"]
    assert ledger[1]["error"] == 9.25 and ledger[1]["passed_before"] == passed["end"]
    table = site.run("calibrate", "ledger").stdout.splitlines()
    assert len(table) == 3 and "passed, operator" in table[1] and "failed, operator" in table[2]
    assert "不合格" in site.run("calibrate", "list", lang="zh").stdout


def test_readings_of_the_whole_device_are_calibration_meanwhile(place):
    site = Site(place)
    done = site.run("calibrate", "gas-1/ozone", "zero", "--measure", "1min")
    assert done.returncode == 0 and "has begun" in done.stdout
    sample = site.wait_status("calibration", "calibration_zero")
    assert sample["grade"] == "bad" and sample["value"] == 40
    assert json.loads(site.run("calibrate", "list", "--json").stdout)["channels"][0]["state"] == "zero"
    busy = site.run("calibrate", "gas-1/ozone", "zero")
    assert busy.returncode == 1 and "under way already" in busy.stderr
    assert site.run("calibrate", "gas-1/ozone", "stop").returncode == 0
    site.wait_status("valid")


def test_the_gas_is_turned_on_and_off_by_the_profiles_commands(place):
    site = Site(place, ozone=0.5, with_gas=True)
    done = site.run("calibrate", "gas-1/ozone", "--wait")
    assert done.returncode == 0, done.stderr

    def commands():
        return [(e["command"], e["who"]) for e in site.events("command") if e["what"] == "done"]
    wait_until(lambda: len(commands()) == 2, 10, "both commands")
    assert commands() == [("zero_on", "calibration"), ("gas_off", "calibration")]


def test_a_kill_during_a_check_gives_no_verdict_and_turns_the_gas_off(place):
    site = Site(place, ozone=0.5, with_gas=True)
    assert site.run("calibrate", "gas-1/ozone", "zero", "--measure", "1min").returncode == 0
    site.wait_status("calibration", "calibration_zero")
    site.restart(with_kill=True)
    site.wait_status("valid")
    wait_until(lambda: [e["what"] for e in site.events("calibration")] ==
               ["begun", "interrupted"], 10, "the end of what was cut off")
    assert [e["command"] for e in site.events("command") if e["what"] == "done"][-1] == "gas_off"


def test_a_correction_is_policy_and_survives_a_restart(place):
    site = Site(place, ozone=3, correct="zero")
    assert site.run("calibrate", "gas-1/ozone", "zero", "--wait").returncode == 0
    site.wait_status("valid")
    site.show(43)
    wait_until(lambda: site.status_of_last()["value"] == 40, 10, "the corrected reading")
    site.restart()
    wait_until(lambda: site.status_of_last()["value"] == 40, 10, "the corrected reading")
    corrected, = [e for e in site.events("calibration") if e["what"] == "corrected"]
    assert corrected["before"] == {"zero": 0, "factor": 1} and corrected["after"]["zero"] == 3
    with sqlite3.connect(f"file:{place.path}/station.db?mode=ro", uri=True) as log:
        assert log.execute("SELECT count(*) FROM stream WHERE name = 'raw.gas-1'").fetchone()[0] == 1


@pytest.mark.parametrize("args, sentence", [
    (["maint", "start", "gas-2"], "The station has no device gas-2."),
    (["maint", "start", "gas-1", "--for", "8d"], "Maintenance lasts from one minute to 7 days."),
    (["maint", "start", "gas-1", "--for", "soon"], "--for takes a duration such as 30min, 2h or 1d."),
    (["maint", "start"], "start and stop need one device, list none."),
    (["maint", "pause", "gas-1"], "It is list, start DEVICE or stop DEVICE."),
    (["calibrate", "gas-1/o3", "zero"], "The station has no channel gas-1/o3."),
    (["calibrate", "gas-1/ozone", "gain"],
     "A check is zero, span, point or sequence, not gain."),
    (["calibrate", "gas-1/ozone", "span"],
     "Which value is on? The configuration names none: --value."),
    (["calibrate", "gas-1/ozone", "span", "--value", "x"], "--value takes a number."),
    (["calibrate", "gas-1/ozone", "span", "--value", "4", "--unit", "pH"],
     "The unit does not fit the quantity of the channel."),
])
def test_what_is_wrong_is_said_and_nothing_is_done(place, args, sentence):
    site = Site(place)
    done = site.run(*args)
    assert (done.returncode, done.stderr) == (2, f"sluice {args[0]}: {sentence}\n")
    assert site.events("maintenance", "calibration") == []


@pytest.mark.parametrize("calibration, part", [
    ("{at: '25:00'}", "expected a time of day from \"00:00\" to \"23:59\", got '25:00'"),
    ("{unit: Cel}", "The unit does not fit the quantity."),
    ("{at: '01:30'}", "The station cannot run a sequence without steps."),
    ("{steps: [{kind: span}]}", "A step of the kind span or point needs its value."),
    ("{steps: [{kind: zero, command: warp}]}", "has no command 'warp'"),
    ("{limits: {zero: 5, zero_warn: 6}}", "cannot be above that of a failure"),
    ("{revise: back}", "station.yaml:4:87: error: expected one of off, flag or drift"),
])
def test_check_tells_what_cannot_work(place, calibration, part):
    file = place.station_file(f"""station: {{id: s}}
buses: [{{id: b, type: modbus-tcp, host: 127.0.0.1}}]
devices:
  - {{id: o3, profile: teledyne-t400, bus: b, channels: {{ozone: {{calibration: {calibration}}}}}}}
""")
    done = subprocess.run([BINARY, "check", file], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and part in done.stdout + done.stderr
