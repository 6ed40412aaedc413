"""Alerts to a web address that fails in every way it can: nothing is lost, repeats are known."""
import json
import os
import pathlib
import sqlite3
import subprocess
import time
import xml.etree.ElementTree as xml

import pytest
from ways_out import Hook, Site

from conftest import BINARY, wait_until

pytestmark = pytest.mark.usefixtures("binary")

SHARED = pathlib.Path(os.environ.get("SLUICE_SHARED", "../shared"))
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


def uplink(hook, more=""):
    return f"[{{id: hook, type: webhook, url: '{hook.url}'{more}}}]"


def keys(found):
    return [h["Idempotency-Key"] for h, _ in found]


def course(found):
    return [(json.loads(b)["number"], json.loads(b)["transition"]) for _, b in found]


def test_each_change_is_one_post_with_a_name_of_its_own(place):
    hook = Hook()
    site = Site(place, uplink(hook, ", token: abc, header: 'X-Secret: 4711'"), ozone=200)
    hook.wait(1)
    site.show(300)
    hook.wait(2)
    site.alert("ack", "1")
    site.show(50)
    found = hook.wait(4)
    assert sorted(course(found)) == [(1, "raised"), (2, "upgraded"), (3, "acknowledged"),
                                     (4, "cleared")]
    headers, body = found[0]
    event = json.loads(body)
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer abc" and headers["X-Secret"] == "4711"
    assert headers["Idempotency-Key"] == f"{event['station']}/{event['key']}/1"
    assert event["title"] == {"en": 'Smog <&>"', "zh": "烟雾 <&>"}
    assert len(set(keys(found))) == 4


def test_only_changes_of_colour_above_a_colour_when_that_is_asked_for(place):
    hook = Hook()
    site = Site(place, uplink(hook, ", lowest: red, changes: colour"), ozone=200)
    site.wait_level("yellow")
    site.alert("ack", "1")
    site.show(300)
    hook.wait(1)
    site.alert("ack", "1")
    site.show(50)
    found = hook.wait(2)
    time.sleep(1)
    assert [what for _, what in course(hook.accepted())] == ["upgraded", "cleared"], found


@pytest.mark.parametrize("script", [[500], [503, 503, 503], ["drop", "drop"], ["drop", 500, 429]])
def test_a_failure_is_followed_by_the_same_bytes_under_the_same_name(place, script):
    hook = Hook(script)
    site = Site(place, uplink(hook), ozone=300)
    hook.wait(1)
    site.show(50)
    found = hook.wait(2)
    assert course(found) == [(1, "raised"), (2, "cleared")]
    first = [(h["Idempotency-Key"], b) for _, h, b in hook.requests[:len(script) + 1]]
    assert len(set(first)) == 1


def test_a_slow_server_is_waited_for_and_one_that_hangs_is_asked_again(place):
    hook = Hook(["slow"])
    Site(place, uplink(hook, ", timeout: 1s"), ozone=300)
    found = hook.wait(2)
    assert len(set(keys(found))) == 1 and found[0][1] == found[1][1]


def test_what_is_refused_is_set_aside_and_kept_and_the_rest_goes_on(place):
    hook = Hook([400])
    site = Site(place, uplink(hook), ozone=300)
    site.wait_level("red")
    wait_until(lambda: hook.requests, 15, "the first request")
    site.show(50)
    assert course(hook.wait(1)) == [(2, "cleared")]
    site.gateway.stop()
    with sqlite3.connect(f"file:{place.path}/station.db?mode=ro", uri=True) as db:
        tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        aside = next(t for t in tables if "aside" in t)
        assert db.execute(f"SELECT count(*) FROM {aside}").fetchone()[0] == 1


def test_a_redirect_is_not_followed_and_nothing_is_lost(place):
    hook = Hook([302])
    site = Site(place, uplink(hook), ozone=300)
    wait_until(lambda: hook.requests, 15, "the first request")
    time.sleep(1)
    assert not hook.accepted() and len(hook.requests) == 1
    site.restart()
    assert course(hook.wait(1)) == [(1, "raised")]


def test_a_change_that_always_fails_does_not_hold_up_the_others(place):
    hook = Hook()
    original = hook.take

    def take(headers, body):
        act = original(headers, body)
        if headers["Idempotency-Key"].endswith("/1"):
            with hook.lock:
                hook.requests[-1] = (500,) + hook.requests[-1][1:]
            return 500
        return act
    hook.take = take
    site = Site(place, uplink(hook), ozone=300)
    site.wait_level("red")
    site.alert("ack", "1")
    site.show(50)
    assert {2, 3} <= {n for n, _ in course(hook.wait(2, 40))}


def test_kills_at_any_moment_lose_nothing_and_repeats_have_the_same_name(place):
    hook = Hook([500, 200, "drop", 200, 503] * 3)
    site = Site(place, uplink(hook), ozone=300)
    site.wait_level("red")
    for args in (("ack", "1"), ("triage", "1", "true"), ("assign", "1", "north"),
                 ("handle", "1"), ("comment", "1", "on my way")):
        site.restart()
        wait_until(lambda a=args: (site.alert(*a) or {}).get("ok"), 15, args[0])
    site.show(50)
    numbers = {e["number"] for e in site.events()}
    wait_until(lambda: {n for n, _ in course(hook.accepted())} >= numbers, 40, "all of them")
    by_name = {}
    for h, b in hook.accepted():
        assert by_name.setdefault(h["Idempotency-Key"], b) == b


# ---- CAP ----

def messages(hook, n):
    return [xml.fromstring(b) for _, b in hook.wait(n)]


def validate(path, body, name):
    file = path / f"{name}.xml"
    file.write_bytes(body)
    for schema in ("cap12.xsd", "cap12_extended.xsd"):
        if not (SHARED / "schema" / schema).exists():
            pytest.skip("no schemas: SLUICE_SHARED is not there")
        done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema",
                               SHARED / "schema" / schema, file], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + body.decode()


def text(message, *path):
    found = message.find("/".join(CAP + p for p in path))
    return None if found is None else found.text


def reference(m):
    return ",".join(text(m, k) for k in ("sender", "identifier", "sent"))


CAP_OPTIONS = ", format: cap, cap: {sender: st7@monitor.example.cn, status: test, " \
    "geocode: '370100', radius: 2}"


def test_cap_messages_are_valid_and_refer_to_all_before(place):
    hook = Hook()
    site = Site(place, uplink(hook, CAP_OPTIONS), ozone=200,
                station="position: {lat: 36.65, lon: 117.12}")
    hook.wait(1)
    site.show(300)
    hook.wait(2)
    site.show(240)
    time.sleep(1)
    site.show(220)
    hook.wait(3)
    site.alert("ack", "1")
    hook.wait(4)
    site.alert("triage", "1", "true")
    hook.wait(5)
    site.show(50)
    found = messages(hook, 6)
    for i, (headers, body) in enumerate(hook.accepted()):
        assert headers["Content-Type"] == "application/cap+xml"
        validate(place.path, body, f"cap-{i}")
    assert [text(m, "msgType") for m in found] == ["Alert"] + ["Update"] * 5
    assert len({text(m, "identifier") for m in found}) == 6
    for i, m in enumerate(found):
        before = [reference(x) for x in found[:i]]
        assert (text(m, "references") or "").split() == before
        infos = m.findall(CAP + "info")
        assert [i.find(CAP + "language").text for i in infos] == ["zh-CN", "en-US"]
        facts = [{(p[0].text, p[1].text) for p in i.findall(CAP + "parameter")} for i in infos]
        assert facts[0] == facts[1]
        assert text(m, "status") == "Test" and text(m, "sent").endswith("-00:00")
    first, last = found[0], found[-1]
    assert text(first, "info", "severity") == "Moderate"
    assert text(found[1], "info", "severity") == "Extreme"
    assert text(first, "info", "eventCode", "value") == "a05024"
    assert text(first, "info", "area", "circle") == "36.650000,117.120000 2.000"
    assert text(first, "info", "area", "geocode", "value") == "370100"
    assert text(last, "info", "responseType") == "AllClear"
    assert text(last, "info", "urgency") == "Past"


@pytest.mark.parametrize("args", [("triage", "1", "sensor_fault"), ("triage", "1", "false"),
                                  ("withdraw", "1", "typo")])
def test_what_was_no_alert_is_cancelled_once(place, args):
    hook = Hook()
    site = Site(place, uplink(hook, CAP_OPTIONS), ozone=300)
    hook.wait(1)
    answer = site.alert(*args)
    assert answer["ok"], answer
    first, second = messages(hook, 2)
    assert text(second, "msgType") == "Cancel" and text(second, "references") == reference(first)
    validate(place.path, hook.accepted()[1][1], "cancel")
    site.alert("close", "1", "done")
    site.alert("comment", "1", "note")
    time.sleep(1)
    types = [text(m, "msgType") for m in messages(hook, 2)]
    assert types.count("Cancel") == 1


def test_a_cap_message_sent_again_is_the_same_message(place):
    hook = Hook([500, "drop"])
    site = Site(place, uplink(hook, CAP_OPTIONS), ozone=300)
    hook.wait(1)
    site.restart()
    time.sleep(1)
    assert len({b for _, _, b in hook.requests}) == 1


# ---- check, dry run ----

@pytest.mark.parametrize("more, says", [
    (", url: ftp://x", "It is an address such as"),
    (", lowest: green", "green"),
    (", header: 'X-Secret 1'", "the secret 'header'"),
    (", cap: {sender: 'a b'}", "one word without blank"),
    (", cap: {geocode: '37'}", "six digits"),
    (", format: rss", "rss"),
    (", since: yesterday", "A time is written"),
])
def test_check_says_where_it_is_wrong(place, more, says):
    hook = Hook()
    text_of = uplink(hook, more) if "url" not in more else "[{id: hook, type: webhook" + more + "}]"
    site = Site(place, "[]", is_started=False)
    file = place.station_file(site.file.read_text().replace("uplinks: []", f"uplinks: {text_of}"))
    done = subprocess.run([BINARY, "check", file], capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))
    said = done.stdout + done.stderr
    assert done.returncode != 0 and says in said and "station.yaml:" in said, said


def test_a_dry_run_shows_what_would_be_sent(place):
    hook = Hook([500] * 1000)
    both = uplink(hook)[:-1] + f", {{id: cap, type: webhook, url: '{hook.url}', format: cap}}, " \
        "{id: am, type: alertmanager, url: 'http://127.0.0.1:1'}]"
    site = Site(place, both, ozone=300)
    site.wait_level("red")
    site.gateway.stop()
    done = subprocess.run([BINARY, "forward", "--dry-run", "--bytes", "--config", site.file],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    for part in ("Idempotency-Key: ", '"transition":"raised"', "<msgType>Alert</msgType>",
                 "/api/v2/alerts", '"alertname": "smog"', "POST " + hook.url):
        assert part in done.stdout, done.stdout
