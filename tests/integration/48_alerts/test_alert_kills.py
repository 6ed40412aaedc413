"""Kills at random moments while alerts come, go and are answered: nothing is repeated, nothing
forgotten. SLUICE_KILLS sets how many (default 12)."""
import json
import os
import random
import threading

import pytest
from conftest import wait_until
from test_alert_life import Site

pytestmark = [pytest.mark.usefixtures("binary"), pytest.mark.slow(40)]

KILLS = int(os.environ.get("SLUICE_KILLS", "12"))
ACTS = (("ack",), ("triage", "false"), ("triage", "true"), ("comment", "seen"), ("assign", "north"),
        ("handle",), ("verify",), ("close", "over"), ("reopen",), ("withdraw", "wrong"))


def act_on_something(site, rng, told):
    """What was promised is kept: (key, number) of each answer that said it was done."""
    done = site.run("list", "--json")
    if done.returncode:
        return
    alerts = json.loads(done.stdout)["alerts"]
    if not alerts:
        return
    verb, *rest = rng.choice(ACTS)
    answer = site.run(verb, rng.choice(alerts)["key"], *rest, "--json")
    if answer.returncode == 0 and answer.stdout.strip():
        body = json.loads(answer.stdout)
        if body["changed"] and "log" not in body:
            told.append((body["alert"]["key"], body["alert"]["number"]))


def check(site, told):
    course = {}
    for e in site.events():
        if e["level"] == "none" and "number" not in e:
            continue  # a quiet rule that cannot judge
        course.setdefault(e["key"], []).append((e["number"], e["transition"], e["state"]))
    assert len(course) > 5
    for key, changes in course.items():
        assert [n for n, _, _ in changes] == list(range(1, len(changes) + 1)), (key, changes)
        assert [t for _, t, _ in changes].count("raised") == 1, (key, changes)
        assert [t for _, t, _ in changes].count("cleared") <= 1, (key, changes)
    for key, number in told:
        assert number <= len(course[key]), (key, number, course[key])
    for alert in site.alerts("--all"):
        number, _, state = course[alert["key"]][-1]
        assert (alert["number"], alert["state"]) == (number, state), alert
    standing = {a["key"] for a in site.alerts()}
    assert standing <= set(course)
    forgotten = {k for k, c in course.items() if c[-1][2] != "closed"} - standing
    assert not forgotten, forgotten


def test_kills_at_random_moments_repeat_and_forget_nothing(place):
    rng = random.Random(6)
    site = Site(place, ozone=50, disturb="gas-1/ozone=step:250@0s+1s/2s")
    told = []
    for _ in range(KILLS):
        for _ in range(rng.randint(1, 4)):
            act_on_something(site, rng, told)
        threading.Event().wait(rng.uniform(0.3, 1.5))
        site.kill()
    wait_until(lambda: site.run("list").returncode == 0, 10, "the gateway")
    site.sim.stop()
    assert told
    threading.Event().wait(2)  # what the last samples brought is committed
    check(site, told)
