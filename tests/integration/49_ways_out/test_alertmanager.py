"""Alerts to Debian's Alertmanager: raised, changed, resolved, and after either side died."""
import os
import pathlib
import sys
import time

import pytest
from ways_out import Alertmanager, Site

from conftest import wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "46_clock"))
from test_clock import HOUR, WallClock, shim  # noqa: E402, F401

pytestmark = [pytest.mark.usefixtures("binary"),
              pytest.mark.skipif(not os.path.exists("/usr/bin/prometheus-alertmanager"),
                                 reason="prometheus-alertmanager is not installed")]


@pytest.fixture
def am(place):
    return place.add(Alertmanager(place))


def uplink(am, more=""):
    return f"[{{id: am, type: alertmanager, url: '{am.url}', repeat: 1s{more}}}]"


def levels(found):
    return [a["annotations"].get("level") for a in found if a]


def test_an_alert_appears_changes_its_colour_and_is_resolved(place, am):
    site = Site(place, uplink(am), ozone=200)
    first = am.wait(lambda f: levels(f) == ["yellow"], "the alert")[0]
    assert first["labels"] == dict(first["labels"], alertname="smog", kind="environmental",
                                   channel="gas-1/ozone", device="gas-1", quantity="ozone",
                                   medium="air")
    assert first["annotations"]["summary"] == 'Smog <&>"'
    assert first["annotations"]["summary_zh"] == "烟雾 <&>"
    assert float(first["annotations"]["value"]) == 200 and first["annotations"]["limit"] == "150"
    site.show(300)
    red = am.wait(lambda f: levels(f) == ["red"], "the other colour")[0]
    assert red["labels"] == first["labels"] and red["startsAt"] == first["startsAt"]
    site.alert("ack", "1")
    am.wait(lambda f: f[0] and f[0]["annotations"]["state"] == "acknowledged", "who has seen it")
    site.show(50)
    am.wait(lambda f: f == [None], "the end")
    time.sleep(3)  # repeats do not bring it back
    assert am.alerts() == []


def test_what_stands_is_said_again_to_one_that_restarted(place, am):
    Site(place, uplink(am), ozone=300)
    before = am.wait(lambda f: levels(f) == ["red"], "the alert")[0]
    am.kill()
    for file in (am.folder / "data").rglob("*"):
        if file.is_file():
            file.unlink()
    am.start()
    after = am.wait(lambda f: levels(f) == ["red"], "the alert again", 8)[0]
    assert after["labels"] == before["labels"] and after["startsAt"] == before["startsAt"]


def test_what_was_put_on_a_shelf_or_judged_to_be_nothing_is_resolved(place, am):
    site = Site(place, uplink(am), ozone=300)
    am.wait(lambda f: levels(f) == ["red"], "the alert")
    site.alert("shelve", "1", "crane", "--for", "1h")
    am.wait(lambda f: f == [None], "the shelf", 30)
    site.alert("unshelve", "1")
    am.wait(lambda f: levels(f) == ["red"], "the alert from the shelf", 30)
    site.alert("triage", "1", "false")
    am.wait(lambda f: f == [None], "the judgement")


def test_a_killed_gateway_neither_loses_nor_doubles(place, am):
    site = Site(place, uplink(am), ozone=300)
    before = am.wait(lambda f: levels(f) == ["red"], "the alert")
    for _ in range(3):
        site.restart()
        time.sleep(1.5)
        now = am.alerts()
        assert levels(now) == ["red"] and now[0]["startsAt"] == before[0]["startsAt"]
        assert now[0]["labels"] == before[0]["labels"]
    site.gateway.kill()
    site.show(50)
    site.gateway.start()
    am.wait(lambda f: f == [None], "the end")
    assert len({e["key"] for e in site.events()}) == 1


def test_one_that_is_away_gets_it_when_it_is_back(place, am):
    am.kill()
    site = Site(place, uplink(am), ozone=300)
    wait_until(lambda: any(e["transition"] == "raised" for e in site.events()), 15, "the log")
    am.start()
    am.wait(lambda f: levels(f) == ["red"], "the alert", 30)


def test_a_second_uplink_with_a_severity_routes_by_colour(place, am):
    both = uplink(am)[:-1] + f", {{id: am-red, type: alertmanager, url: '{am.url}', repeat: 1s, " \
        "lowest: red, severity: page}]"
    site = Site(place, both, ozone=200)
    am.wait(lambda f: levels(f) == ["yellow"], "the alert")
    site.show(300)
    found = am.wait(lambda f: levels(f) == ["red", "red"], "both")
    assert sorted(a["labels"].get("severity", "") for a in found) == ["", "page"]


def test_notices_go_only_where_they_are_asked_for(place, am):
    stuck = "stuck: 6, rate: {suspect: 0}, spike: {suspect: 0}"
    Site(place, uplink(am, ", notices: true"), ozone=200, channel=stuck)
    found = am.wait(lambda f: any(a and a["labels"]["kind"] == "notice" for a in f), "a notice",
                    40)
    notice = next(a for a in found if a["labels"]["kind"] == "notice")
    assert "level" not in notice["annotations"] and "severity" not in notice["labels"]


@pytest.mark.parametrize("step", [-48 * HOUR, 48 * HOUR])
def test_a_station_with_a_wrong_clock_is_heard_and_heard_out(place, am, shim, monkeypatch,  # noqa: F811
                                                             step):
    clock = WallClock(place.path / "wall_clock", shim)
    clock.set(step, 1)
    for name, value in clock.env.items():
        monkeypatch.setenv(name, value)
    site = Site(place, uplink(am), ozone=300)
    am.wait(lambda f: levels(f) == ["red"], "the alert")
    time.sleep(3)
    assert levels(am.alerts()) == ["red"]
    site.show(50)
    am.wait(lambda f: f == [None], "the end")
