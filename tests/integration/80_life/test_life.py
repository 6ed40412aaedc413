"""Start, stop, reload and the command line as a technician meets them."""
import json
import random
import signal
import socket
import sqlite3
import subprocess
import threading

import pytest
from conftest import BINARY, free_port, http_json, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


def sluice(*args, **kw):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=30, **kw)


def one_instrument(place, extra="", poll="1s", page=None):
    page = page or free_port()
    devices = {"roof-o3": ("teledyne-t400", free_port())}
    return page, place.station_file(station_yaml(place.path, devices, poll=poll, extra=extra,
                                                 http=f"127.0.0.1:{page}"))


def now_of(page):
    return http_json(f"http://127.0.0.1:{page}/api/v1/now")


@pytest.mark.short
def test_help_and_version_are_worth_reading():
    overview = sluice("--help")
    assert overview.returncode == 0
    for name in "check demo ingest profile run sim status tail".split():
        assert f"  {name} " in overview.stdout
        page = sluice(name, "--help")
        assert page.returncode == 0
        assert page.stdout.startswith(f"Usage: sluice {name}")
        assert "Exit status" in page.stdout
    assert sluice("--version").stdout.startswith("sluice 0.")


@pytest.mark.short
def test_wrong_usage_is_told_and_ends_with_2():
    for args, part in ((["rnu"], "did you mean 'run'"), (["run", "--confg", "x"], "'--config'"),
                       ([], "Usage"), (["run", "--config", "/nonexistent.yaml"], "nonexistent"),
                       (["run", "--clock", "x"], "--clock")):
        done = sluice(*args)
        assert done.returncode == 2, args
        assert part in done.stderr, args


def test_sigterm_ends_it_within_two_seconds_at_any_moment(place):
    _, station = one_instrument(place, poll="200ms")
    place.sim(station)
    seed = random.Random(7)
    for _ in range(8):
        gateway = place.gateway(station)
        threading.Event().wait(seed.uniform(0.0, 0.6))
        status, seconds = gateway.stop(5)
        assert seconds < 2.0
        # before its handlers stand, the signal's own action ends it
        assert status in (0, -signal.SIGTERM)


def test_sigterm_ends_it_within_two_seconds_while_the_log_is_locked(place):
    _, station = one_instrument(place, poll="200ms")
    place.sim(station)
    gateway = place.gateway(station)
    gateway.wait_line("runs")
    wait_until((place.path / "station.db").exists, 5, "the log")
    other = sqlite3.connect(place.path / "station.db", isolation_level=None, timeout=5)
    other.execute("begin immediate")
    try:
        gateway.wait_line("database is locked")
        status, seconds = gateway.stop(5)
        assert (status, seconds < 2.0) == (1, True)
        gateway.wait_line("the log does not answer")
    finally:
        other.close()


def test_a_wrong_configuration_is_not_taken_over(place):
    page, station = one_instrument(place)
    place.sim(station)
    gateway = place.gateway(station).wait_line("runs")
    wait_until(lambda: now_of(page)["log"]["samples"] > 0, 10, "samples")
    good = station.read_text()
    station.write_text(good.replace("unit: 1", "unti: 1"))
    gateway.child.send_signal(signal.SIGHUP)
    gateway.wait_line("keeping the old one")
    assert "did you mean 'unit'" in gateway.text
    before = now_of(page)["log"]["samples"]
    wait_until(lambda: now_of(page)["log"]["samples"] > before, 10, "samples after the refusal")


def test_a_new_configuration_is_taken_over_and_counts_go_on(place):
    page, station = one_instrument(place)
    place.sim(station)
    gateway = place.gateway(station).wait_line("runs")
    wait_until(lambda: now_of(page)["log"]["samples"] > 0, 10, "samples")
    station.write_text(station.read_text().replace("en: Test", "en: Renamed"))
    gateway.child.send_signal(signal.SIGHUP)

    def is_renamed():
        try:
            return now_of(page)["station"]["names"]["en"] == "Renamed"
        except OSError:
            return False
    wait_until(is_renamed, 10, "the new name")
    before = now_of(page)["log"]["samples"]
    wait_until(lambda: now_of(page)["log"]["samples"] > before, 10, "samples after the reload")
    assert gateway.stop()[0] == 0


def test_a_reload_to_a_taken_port_goes_on_measuring_without_a_page(place):
    page, station = one_instrument(place)
    gateway = place.gateway(station).wait_line("page at")
    with socket.create_server(("127.0.0.1", 0)) as other:
        text = station.read_text()
        station.write_text(text.replace(str(page), str(other.getsockname()[1])))
        gateway.child.send_signal(signal.SIGHUP)
        gateway.wait_line("going on without it")
    station.write_text(text)
    gateway.child.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.text.count("page at") == 2, 10, "the page again")
    assert now_of(page)["station"]["id"] == "test-01"


def test_a_standing_alert_is_shown_after_a_reload_and_a_restart(place):
    rules = "rules: [{id: high, selector: {quantity: ozone}, input: raw," \
            " levels: {yellow: {set: 1, clear: 0.5, on: 1 of 1}}}]"
    page, station = one_instrument(place, rules, poll="200ms")
    place.sim(station)
    gateway = place.gateway(station)

    def keys():
        return [a["key"] for a in now_of(page)["alerts"] if not a["cleared"]]
    gateway.wait_line("page at")
    before = wait_until(keys, 20, "the alert")
    gateway.child.send_signal(signal.SIGHUP)
    gateway.wait_line("reloaded")
    wait_until(lambda: gateway.text.count("page at") == 2, 10, "the page again")
    assert keys() == before
    gateway.stop()
    gateway = place.gateway(station)
    wait_until(lambda: gateway.text.count("page at") == 3, 10, "the page after the restart")
    assert keys() == before


def test_a_dead_device_does_not_delay_the_others(place):
    ports = [free_port() for _ in range(5)]
    devices = {f"d{i}": ("teledyne-t400", p) for i, p in enumerate(ports)}
    alive = {n: d for n, d in devices.items() if n != "d0"}
    page = free_port()
    place.sim(place.station_file(station_yaml(place.path, alive), "sim.yaml"))
    station = place.station_file(station_yaml(place.path, devices, poll="250ms",
                                              http=f"127.0.0.1:{page}"))
    place.gateway(station).wait_line("runs")

    def state_of(name):
        return next(d for d in now_of(page)["devices"] if d["id"] == name)
    wait_until(lambda: state_of("d0")["state"] == "silent", 20, "d0 to be silent")
    first = {n: state_of(n) for n in alive}
    threading.Event().wait(4)
    for n, before in first.items():
        after = state_of(n)
        assert after["state"] == "online"
        assert after["answers"] - before["answers"] >= 14, n  # 16 in four seconds
    assert state_of("d0")["why"]


def test_status_and_tail_ask_the_running_gateway(place):
    _, station = one_instrument(place, poll="200ms")
    place.sim(station)
    place.gateway(station).wait_line("runs")
    control = place.path / "control.sock"
    wait_until(control.exists, 5, "the control socket")
    wait_until(lambda: sluice("status", "--quiet", "--control", control).returncode == 0, 10,
               "status 0")
    told = json.loads(sluice("status", "--json", "--control", control).stdout)
    assert told["station"]["id"] == "test-01"
    tail = subprocess.Popen([BINARY, "tail", "--control", control], stdout=subprocess.PIPE,
                            text=True)
    try:
        assert "roof-o3/ozone" in tail.stdout.readline()
    finally:
        tail.kill()
        tail.wait()
    silent = sluice("status", "--control", place.path / "none.sock")
    assert silent.returncode == 1 and "none.sock" in silent.stderr
