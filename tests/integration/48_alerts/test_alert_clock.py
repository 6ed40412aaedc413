"""Limits and shelves while the wall clock is set: neither hastened nor delayed by it."""
import pathlib
import sys
import threading

import pytest
from conftest import wait_until
from test_alert_life import Site

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "46_clock"))
from test_clock import HOUR, WallClock, shim  # noqa: E402, F401

pytestmark = [pytest.mark.usefixtures("binary"), pytest.mark.slow(30)]


@pytest.fixture
def clock(place, shim, monkeypatch):  # noqa: F811
    clock = WallClock(place.path / "wall_clock", shim)
    clock.set(0, 1)
    for name, value in clock.env.items():
        monkeypatch.setenv(name, value)
    return clock


def is_overdue(site):
    return "overdue" in site.alerts("--all")[0]["marks"]


def test_a_step_of_the_clock_moves_limits_and_shelves_with_it(place, clock):
    site = Site(place, response="ack_within: 6s, triage_within: 6s")
    key = site.wait_alert()["key"]
    for step, act in ((HOUR, ("ack", "1")), (-2 * HOUR, ("triage", "1", "false"))):
        clock.set(clock.offset + step, 1)
        threading.Event().wait(3)
        assert not is_overdue(site), "a step forward is no time that has passed"
        wait_until(lambda: is_overdue(site), 8, "the limit, which a step back does not delay")
        assert site.ask(*act)["changed"]
    site.ask("shelve", "--rule", "smog", "crane", "--for", "1min")
    clock.set(clock.offset + HOUR, 1)
    threading.Event().wait(3)
    assert len(site.ask("list")["shelves"]) == 1
    site.kill()
    assert len(site.ask("list")["shelves"]) == 1
    numbers = [n for n, _ in site.course(key)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [t for _, t in site.course(key)].count("escalated") >= 2
