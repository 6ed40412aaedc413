"""A failed check: the readings since the last passed one are written again, each once, and stand
beside the originals at the centre."""
import datetime
import json
import os
import re
import sqlite3
import subprocess
import time

import pytest
from conftest import BINARY, free_port, http_get, wait_until
from test_calibration import Site

pytestmark = pytest.mark.usefixtures("binary")

STATUS, GRADE, SUSPECT, CAL_DRIFT = 7, 7 << 3, 2 << 3, 1 << (14 + 6)


def series(db, name, revised):
    level = 'lvl="rev"' if revised else 'lvl=""'
    found = db.series('{__name__="%s",%s}' % (name, level))
    return {int(t): v for points in found.values() for t, v in points.items()}


def ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def told(site, what):
    return [e for e in site.events("calibration", "alert") if e.get("what") == what]


def failed_check(site, seconds, ozone="9.25", before="0.5"):
    """A passed check, readings, a failed one; the events of both results."""
    site.show(before)
    assert site.run("calibrate", "gas-1/ozone", "zero", "--wait").returncode == 0
    site.wait_status("valid")
    site.show(ozone)
    begin = time.time()
    wait_until(lambda: time.time() > begin + seconds, seconds + 5, "readings between the checks")
    assert site.run("calibrate", "gas-1/ozone", "zero", "--wait").returncode == 1
    return told(site, "result")


def bracket_of(originals, doubtful):
    """Times of valid readings that the event names."""
    return sorted(t for t, f in originals.items()
                  if ms(doubtful["start"]) <= t < ms(doubtful["end"]) and int(f) & STATUS == 0)


@pytest.mark.slow(40)
def test_doubtful_readings_stand_beside_the_originals_at_the_centre(place):
    broker, db = place.broker(), place.victoria()
    place.ingest(broker, db.url).wait_line("ready")
    site = Site(place, uplinks=f'[{{id: c, type: mqtt, url: "{broker.url}", ack_interval: 1s}}]')
    failed_check(site, 5, ozone="500")  # smog that was none
    revised = wait_until(lambda: told(site, "revised"), 20, "the revision")[0]
    assert revised["cut"] is False and revised["alerts"] == 1
    doubtful, = told(site, "doubtful")[:1]

    def both():
        old, new = series(db, "ozone_f", False), series(db, "ozone_f", True)
        return len(new) == revised["rows"] and (old, new)
    old, new = wait_until(both, 20, "the revised rows in the database")
    assert sorted(new) == bracket_of(old, doubtful) and len(new) > 10
    for t, f in new.items():
        assert int(f) & CAL_DRIFT and int(f) & GRADE >= SUSPECT and not int(old[t]) & CAL_DRIFT
    values, again = series(db, "ozone_v", False), series(db, "ozone_v", True)
    assert {t: values[t] for t in new} == again
    assert series(db, "no2_f", True) == {}  # of the channel that was checked, and no other
    # the alert that stood meanwhile
    raised, = site.raised()
    alert, = [e for e in site.events("alert") if e["transition"] == "doubtful"]
    assert (alert["key"], alert["what"], alert["channel"]) == (raised["key"], "doubtful", "gas-1/ozone")
    assert "in doubt" in alert["text"]["en"] and "存疑" in alert["text"]["zh"]
    points = json.loads("[%s]" % ",".join(http_get(
        f"{db.url}/api/v1/export?match[]=alert_change").decode().split()))
    assert 7 in [v for p in points for v in p["values"]]


@pytest.mark.slow(30)
def test_drift_is_corrected_evenly_between_the_checks(place):
    site = Site(place, revise="drift")
    first, last = failed_check(site, 6, ozone="8", before="2")
    revised = wait_until(lambda: told(site, "revised"), 20, "the revision")[0]
    assert revised["mode"] == "drift"
    db = place.victoria()
    file = place.station_file((place.path / "station.yaml").read_text().replace(
        "uplinks: []", f'uplinks: [{{id: db, type: influx, url: "{db.url}"}}]'))
    site.gateway.stop()
    place.drain(file)
    old, new = series(db, "ozone_v", False), series(db, "ozone_v", True)
    assert len(new) == revised["rows"] > 10
    begin, end = ms(first["end"]), ms(last["end"])
    for t, v in new.items():
        zero = 2 + (8 - 2) * (t - begin) / (end - begin)
        assert abs(v - (old[t] - zero)) <= 0.06, (t, v, old[t])


def counts(site):
    """Rows of the log by stream, sealed or not."""
    with sqlite3.connect(f"file:{site.place.path}/station.db?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT name, rows_sealed FROM stream").fetchall())


def progress(site):
    """Rows of the revision under way."""
    with sqlite3.connect(f"file:{site.place.path}/station.db?mode=ro", uri=True) as db:
        found = db.execute("SELECT data FROM state WHERE key LIKE 'revision/%'").fetchall()
    return json.loads(found[0][0])["rows"] if found else 0


@pytest.mark.slow(90)
def test_a_kill_9_in_the_middle_doubles_and_loses_no_row(place):
    """A slice is 240 rows: 550 rows take three of them."""
    site = Site(place, poll="100ms")
    failed_check(site, 55)
    wait_until(lambda: progress(site) > 0, 40, "the first slice")
    site.gateway.kill()
    assert told(site, "revised") == [] and 0 < progress(site) < 500  # it was in the middle
    site.restart(with_kill=True)
    revised = wait_until(lambda: told(site, "revised"), 40, "the rest")[0]
    assert len(told(site, "revision_begun")) == 1 and len(told(site, "revised")) == 1
    site.gateway.stop()
    db = place.victoria()
    file = place.station_file((place.path / "station.yaml").read_text().replace(
        "uplinks: []", f'uplinks: [{{id: db, type: influx, url: "{db.url}"}}]'))
    place.drain(file)
    old, new = series(db, "ozone_f", False), series(db, "ozone_f", True)
    doubtful, = [e for e in told(site, "doubtful") if e["kind"] == "calibration"]
    assert sorted(new) == bracket_of(old, doubtful)
    assert counts(site)["rev.gas-1/ozone"] == len(new) == revised["rows"] > 500


@pytest.mark.slow(20)
def test_every_way_out_tells_revisions_from_readings(place):
    folder = place.path / "out"
    site = Site(place, uplinks=f'[{{id: f, type: file, path: {folder}, format: both}}, '
                               f'{{id: db, type: influx, url: "http://127.0.0.1:{free_port()}"}}]')
    failed_check(site, 3)
    rows = wait_until(lambda: told(site, "revised"), 20, "the revision")[0]["rows"]
    wait_until(lambda: counts(site).get("rev.gas-1/ozone") == rows, 10, "the frames")
    site.gateway.stop()

    def out(*args):
        done = subprocess.run([BINARY, *args], cwd=place.path, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout
    line = re.compile(r"^ozone,dev=gas-1,lvl=rev,station=test-01 v=[0-9.]+,f=(\d+)i (\d+)$", re.M)
    lines = line.findall(out("export", "station.db", "--format", "lp", "--quiet"))
    assert len(lines) == rows > 5 and all(int(f) & CAL_DRIFT for f, _ in lines)
    sent = out("forward", "--dry-run", "--bytes", "--all", "--config", site.file, "db")
    assert line.findall(sent) == lines
    table = out("export", "station.db", "--channel", "gas-1/ozone@rev", "--quiet").splitlines()
    assert "gas-1/ozone@rev" in table[0] and len(table) == rows + 1
    files = [r for p in folder.glob("*.csv*") for r in p.read_text().splitlines()]
    assert sum(",gas-1/ozone@rev," in r for r in files) == rows


def test_nothing_is_written_again_where_that_is_off_and_lists_say_what_is(place):
    site = Site(place, revise="off")
    failed_check(site, 2)
    assert told(site, "doubtful")
    assert json.loads(site.run("calibrate", "list", "--json").stdout)["revisions"] == []
    file = (place.path / "station.yaml")
    file.write_text(file.read_text().replace("revise: off", "revise: flag"))
    site.restart()
    site.show("0.5")
    site.wait_status("valid")
    assert site.run("calibrate", "gas-1/ozone", "zero", "--wait").returncode == 0
    site.wait_status("valid")
    seen = place.path / "tail.txt"
    with seen.open("w") as out:
        env = dict(os.environ, LC_ALL="C.UTF-8")
        tail = subprocess.Popen([BINARY, "tail", "--control", place.path / "control.sock"], stdout=out, env=env)
    try:
        failed_check(site, 2)
        wait_until(lambda: told(site, "revised"), 20, "the revision")
        wait_until(lambda: "were written again as doubtful (lvl=rev)" in seen.read_text(), 10, "its sentence")
    finally:
        tail.kill()
        tail.wait()
    listed = json.loads(site.run("calibrate", "list", "--json").stdout)["revisions"]
    assert [(r["channel"], r["mode"], r["state"]) for r in listed] == [
        ("gas-1/ozone", "flag", "statistics")]
    assert listed[0]["rows"] > 3
    assert "statistics follow" in site.run("calibrate").stdout
    assert "统计值" in site.run("calibrate", lang="zh").stdout
