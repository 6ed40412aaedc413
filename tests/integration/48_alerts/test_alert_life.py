"""The life of alerts with the real gateway: acts, limits, shelves, kills and reloads."""
import json
import os
import signal
import sqlite3
import subprocess

import pytest
from conftest import BINARY, free_port, profile_yaml, rows_of, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")

RULES = """profiles: [profiles]
alerts: {{shelve_max: 12h, flap: {flap}, response: {{red: {{{response}}}}}}}
rules:
  - id: smog
    title: {{en: Smog, zh: 烟雾}}
    selector: {{quantity: ozone}}
    input: raw
    hold_after: 0
    rearm: 0s
    levels: {{red: {{set: {limit}, clear: {clear}, on: {delay}, off: 1 of 1}}}}
"""


class Site:
    """An ozone analyser and the gateway; what an alert shows is asked over the socket."""

    def __init__(self, place, ozone=300, response="escalate_to: bureau, route: north", flap=0,
                 uplinks="[]", delay="1 of 1", disturb=None):
        self.place, self.ozone = place, ozone
        self.devices = {"gas-1": ("test-analyser", free_port())}
        folder = place.path / "profiles"
        folder.mkdir()
        (folder / "test-analyser.yaml").write_text(profile_yaml(
            "test-analyser", ["id: ozone, at: 'h:0', type: f32, unit: 'ug/m3', quantity: ozone, "
                              "range: [-20, 1000]"], medium="air"))
        self.uplinks, self.response, self.flap, self.delay = uplinks, response, flap, delay
        self.write()
        self.sim, self.disturb = None, ["--disturb", disturb] if disturb else []
        self.show(ozone)
        self.gateway = place.gateway(self.file).wait_line("runs:")

    def write(self, limit=200, clear=100):
        extra = RULES.format(response=self.response, flap=self.flap, limit=limit,
                             clear=clear, delay=self.delay)
        text = station_yaml(self.place.path, self.devices, self.uplinks, poll="200ms",
                            extra=extra, http="off", commit="200ms")
        text = text.replace("poll: 200ms}", "poll: 200ms, channels: {ozone: {stuck: 0, rate: "
                            "{suspect: 0}, spike: {suspect: 0}}}}")
        self.file = self.place.station_file(text)

    def show(self, ozone):
        """The analyser reads this from now on."""
        if self.sim:
            self.sim.stop()
        self.sim = self.place.sim(self.file, "--set", f"ozone={ozone}", *self.disturb)

    def run(self, *args, lang="en"):
        env = dict(os.environ, LC_ALL=f"{lang}_XX.UTF-8")
        return subprocess.run([BINARY, "alert", "--control", self.place.path / "control.sock",
                               *args], capture_output=True, text=True, timeout=30, env=env)

    def ask(self, *args, status=0):
        done = self.run(*args, "--json")
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    def alerts(self, *args):
        return self.ask("list", *args)["alerts"]

    def wait_alert(self, condition=lambda a: True, seconds=15):
        def found():
            done = self.run("list", "--all", "--json")
            if done.returncode:
                return None
            return next((a for a in json.loads(done.stdout)["alerts"] if condition(a)), None)
        return wait_until(found, seconds, "the alert")

    def kill(self):
        self.gateway.kill()
        self.gateway.start()
        wait_until(lambda: self.run("list").returncode == 0, 10, "the gateway")

    def events(self, kind="alert"):
        with sqlite3.connect(f"file:{self.place.path}/station.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT data FROM entry WHERE kind = 2 ORDER BY seq").fetchall()
        return [e for e in (json.loads(r[0]) for r in rows) if e["kind"] == kind]

    def course(self, key=None):
        """What happened to an alert, in the order of the log."""
        found = [e for e in self.events() if "number" in e and (not key or e["key"] == key)]
        return [(e["number"], e["transition"]) for e in found]


ACTS = [(("ack", "1"), "acknowledged"), (("triage", "1", "true"), "triaged"),
        (("assign", "1", "south"), "assigned"), (("handle", "1"), "in_handling"),
        (("verify", "1", "twin agrees"), "verified"), (("close", "1", "stack washed"), "closed")]


def test_from_raised_to_closed_with_a_kill_before_and_after_each_act(place):
    site = Site(place)
    first = site.wait_alert()
    assert (first["state"], first["peak"], first["no"], first["number"]) == ("raised", "red", 1, 1)
    assert first["due"]["for"] == "acknowledge" and len(first["version"]) == 16
    site.show(50)
    site.wait_alert(lambda a: "cleared" in a["marks"])
    for args, what in ACTS:
        site.kill()
        done = site.ask(*args)
        assert done["changed"] and site.course()[-1][1] == what
        site.kill()
        again = site.ask(*args)
        assert not again["changed"] and again["alert"]["number"] == done["alert"]["number"]
    assert site.course() == [(1, "raised"), (2, "cleared"), (3, "acknowledged"), (4, "triaged"),
                             (5, "assigned"), (6, "in_handling"), (7, "verified"),
                             (8, "closed")]
    assert site.alerts() == [] and len(site.alerts("--all")) == 1
    closed = site.events()[-1]
    assert closed["note"] == "stack washed" and closed["actor"].startswith("uid ")
    assert closed["assigned"] == "south" and closed["verdict"] == "true"
    assert closed["text"]["zh"].startswith("报警 1（红")


def test_what_does_not_fit_is_refused_with_a_sentence_in_both_languages(place):
    site = Site(place)
    site.wait_alert()
    for args, why, status in ((("close", "1", "x"), "triage it first", 1),
                              (("assign", "1", "south"), "triage it first", 1),
                              (("triage", "1", "maybe"), "A verdict is", 2),
                              (("triage", "1"), "A verdict is", 2),
                              (("comment", "1"), "Say why", 2),
                              (("ack", "7"), "No alert is open that is called 7", 2),
                              (("ack",), "Which alert?", 2),
                              (("list", "1"), "a word too many", 2),
                              (("silence", "1"), "It is list", 2),
                              (("shelve", "1", "x"), "with an end", 2),
                              (("shelve", "1", "x", "--for", "13h"), "720 minutes", 2),
                              (("shelve", "--rule", "none", "x", "--for", "1h"),
                               "no rule, channel or device none", 2)):
        done = site.run(*args)
        assert why in done.stderr and done.returncode == status, (args, done.stderr)
        assert site.run(*args, lang="zh").stderr != done.stderr
    assert site.ask("triage", "1", "false")["alert"]["verdict"] == "false"
    assert "False" not in site.run("assign", "1", "south").stdout
    assert site.ask("close", "1", "probe was cleaned")["alert"]["state"] == "closed"
    shown = site.run("list", "--all", lang="zh").stdout
    assert "已关闭" in shown and "误报" in shown


def test_a_request_that_comes_twice_or_late_changes_nothing(place):
    site = Site(place)
    alert = site.wait_alert()
    once = site.ask("comment", alert["key"], "on my way", "--request", "r-1")
    site.kill()
    twice = site.ask("comment", alert["key"], "on my way", "--request", "r-1")
    assert once["changed"] and not twice["changed"]
    late = site.ask("triage", alert["key"], "false", "--number", str(alert["number"]))
    assert not late["changed"] and late["alert"]["state"] == "raised"
    assert [w for _, w in site.course()].count("commented") == 1


def test_what_nobody_acknowledges_is_escalated_also_over_a_kill(place):
    site = Site(place, response="ack_within: 3s, triage_within: 1h, escalate_to: bureau")
    site.wait_alert()
    site.kill()
    site.wait_alert(lambda a: "overdue" in a["marks"])
    lapse = next(e for e in site.events() if e["transition"] == "escalated")
    assert (lapse["escalate_to"], lapse["overdue"]) == ("bureau", "acknowledge")
    assert "acknowledgement overdue, escalated to bureau" in lapse["text"]["en"]
    assert "overdue" not in site.ask("ack", "1")["alert"]["marks"]
    assert site.ask("figures")["figures"]["open"] == 1


def test_a_shelf_ends_by_itself_and_hides_nothing_from_the_log(place):
    site = Site(place, ozone=50)
    shelf = site.ask("shelve", "--channel", "gas-1/ozone", "new pump", "--for", "1min")
    assert shelf["shelf"]["until"]
    site.show(300)
    raised = site.wait_alert()
    assert "shelved" in raised["marks"] and raised["quiet"] == "shelved"
    site.kill()
    assert len(site.ask("list")["shelves"]) == 1
    assert site.run("unshelve", "--channel", "gas-1/ozone").returncode == 0
    back = site.wait_alert(lambda a: "shelved" not in a["marks"])
    assert "due" not in raised and "quiet" not in back and back["due"]["for"] == "acknowledge"
    assert not site.ask("unshelve", "--channel", "gas-1/ozone")["changed"]
    assert [e["what"] for e in site.events("shelf")] == ["begun", "ended"]
    assert site.ask("out-of-service", "--device", "gas-1", "sent for repair")["changed"]
    assert "out_of_service" in site.alerts()[0]["marks"]


def test_what_is_about_to_be_raised_is_listed(place):
    site = Site(place, delay="1h")
    wait_until(lambda: site.run("list").returncode == 0 and site.ask("list")["pending"], 15,
               "the on-delay")
    assert site.ask("list")["pending"] == [{"rule": "smog", "channel": "gas-1/ozone",
                                            "state": "pending"}]
    assert "pending  gas-1/ozone  smog" in site.run("list").stdout and not site.alerts()


def test_an_alert_is_judged_by_its_own_rule_until_it_is_withdrawn(place):
    site = Site(place, ozone=230)
    alert = site.wait_alert()
    site.write(limit=290, clear=250)  # by which it would be over
    site.gateway.child.send_signal(signal.SIGHUP)
    changed = site.wait_alert(lambda a: "rule_changed" in a["marks"])
    assert changed["version"] == alert["version"] and changed["level"] == "red"
    site.kill()
    rows = rows_of(place.path / "station.db")
    wait_until(lambda: rows_of(place.path / "station.db") > rows + 15, 15, "three seconds")
    assert site.alerts()[0]["level"] == "red"
    assert site.ask("withdraw", "1", "rule changed")["alert"]["state"] == "closed"
    assert site.alerts() == []
    site.show(300)
    again = site.wait_alert(lambda a: a["no"] == 2)
    assert again["version"] != alert["version"] and again["limit"] == 290


def test_what_flaps_is_one_unstable_alert(place):
    site = Site(place, ozone=50, flap=3)
    for n in range(1, 5):
        site.show(300)
        wait_until(lambda: [w for _, w in site.course()].count("raised") == n, 15, "a raise")
        site.show(50)
        wait_until(lambda: [w for _, w in site.course()].count("cleared") == n, 15, "the end")
    standing = site.alerts()
    assert len(standing) == 1 and "unstable" in standing[0]["marks"]
    assert standing[0]["raises"] == 2 and standing[0]["quiet"] == "unstable"
    assert [e["verdict"] for e in site.events() if e["transition"] == "closed"] == ["duplicate"] * 2
    assert site.ask("figures")["figures"]["top"][0] == {"rule": "smog", "raised": 4}


def test_the_samples_around_a_raise_are_in_the_log(place):
    site = Site(place, ozone=50)
    wait_until(lambda: rows_of(place.path / "station.db") > 10, 10, "something before it")
    site.show(300)
    alert = site.wait_alert()
    site.kill()
    proof = wait_until(lambda: site.events("evidence"), 45, "the evidence")
    assert len(proof) == 1 and proof[0]["key"] == alert["key"]
    assert proof[0]["version"] == alert["version"] and proof[0]["clock"]
    samples = proof[0]["samples"]
    assert any(dt == 0 and value == 300 for dt, value, flag in samples)
    assert any(dt < 0 and value == 50 for dt, value, flag in samples)
    assert sum(dt > 0 for dt, value, flag in samples) > 20


@pytest.mark.parametrize("text, said", [
    ("response: {purple: {}}", "purple"),
    ("response: {red: {ack_within: soon}}", "soon"),
    ("response: {red: {ack_in: 5min}}", "known here: ack_within"),
    ("response: {red: {ack_within: -1min}}", "ack_within"),
    ("flap: 1001", "1001"),
    ("response: {blue: {route: north}}", "has no level 'blue'"),
])
def test_check_tells_what_is_wrong_with_an_answer_and_where(place, text, said):
    rule = ("rules: [{id: smog, selector: {quantity: ozone}, levels: {red: {set: 200}},\n"
            f"         {text}}}]")
    folder = place.path / "profiles"
    folder.mkdir()
    (folder / "test-analyser.yaml").write_text(profile_yaml(
        "test-analyser", ["id: ozone, at: 'h:0', type: f32, unit: 'ug/m3', quantity: ozone, "
                          "range: [-20, 1000]"],
        medium="air"))
    station = place.station_file(station_yaml(place.path, {"gas-1": ("test-analyser", 502)},
                                              extra="profiles: [profiles]\n" + rule))
    done = subprocess.run([BINARY, "check", station], capture_output=True, text=True, timeout=30)
    line = station.read_text().splitlines().index(f"         {text}}}]") + 1
    assert said in done.stdout + done.stderr, done.stdout + done.stderr
    assert f"station.yaml:{line}:" in done.stdout + done.stderr, done.stdout + done.stderr
