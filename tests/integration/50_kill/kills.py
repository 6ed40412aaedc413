"""kill -9 of everything between a station's log and the database, and the comparison afterwards.

The log is read with the independent decoder of docs/series; the database is asked for every
point. Equal means: the same series, the same times, the same values and flags, none more.
"""
import json
import pathlib
import random
import sqlite3
import struct
import sys
import threading

from conftest import INSTRUMENTS, ROOT, free_port, station_yaml, wait_until

sys.path.insert(0, str(ROOT / "docs" / "series"))
import sf1  # noqa: E402


class Killer(threading.Thread):
    """Kills a process at random moments and starts it again after a random pause."""

    def __init__(self, process, times, every_s, seed, down_s=0.3):
        super().__init__()
        self.process, self.times, self.every_s, self.down_s = process, times, every_s, down_s
        self.seed = random.Random(f"{process.name} {seed}")
        self.done, self.over, self.error = 0, threading.Event(), None

    def run(self):
        try:
            while self.done < self.times and not self.over.is_set():
                threading.Event().wait(self.seed.uniform(0.2, 1.8) * self.every_s)
                self.process.kill()
                self.done += 1
                threading.Event().wait(self.seed.uniform(0, self.down_s))
                self.process.start()
        except Exception as e:  # noqa: BLE001 told by the test
            self.error = e

    def finish(self):
        self.join()
        assert self.error is None, self.error
        return self.done


def open_log(path):
    return sqlite3.connect(f"file:{pathlib.Path(path)}/station.db?mode=ro", uri=True)


def names_of(layout, station):
    """The series of each column, as the centre's schema has them: (measurement, dev, ch)."""
    for channel in json.loads(layout)["channels"]:
        device, _, rest = channel["id"].rpartition("/")
        point, at, statistic = rest.partition("@")
        quantity = channel["quantity"]
        yield quantity + at + statistic, device or None, None if point == quantity else point


def number(text):
    """As sf1.py prints a cell."""
    if not text:
        return None
    return struct.unpack(">d", bytes.fromhex(text[1:]))[0] if text[0] == "x" else float(text)


def log_points(path):
    """{series: {time: (value, flag)}} of all that is for the uplinks; entries must be 1..n."""
    points, decoders = {}, {}
    with open_log(path) as db:
        layouts = dict(db.execute("SELECT id, json FROM layout"))
        names = {s: list(names_of(layouts[i], "")) for s, i in
                 db.execute("SELECT number, layout FROM stream WHERE NOT is_local")}
        seqs = [r[0] for r in db.execute("SELECT seq FROM entry ORDER BY seq")]
        assert seqs == list(range(1, len(seqs) + 1)), "the numbers have gaps"
        frames = db.execute("SELECT stream, segment, data FROM entry WHERE kind = 1 AND NOT is_local "
                            "ORDER BY stream, segment, frame_seq")
        for stream, segment, data in frames:
            decoder = decoders.setdefault((stream, segment), sf1.Decoder())
            _, times, rows = decoder.frame(data)
            for t, row in zip(times, rows):
                for name, (text, flag) in zip(names[stream], row):
                    had = points.setdefault(name, {})
                    assert t not in had, f"{name} has two rows at {t}"
                    had[t] = (number(text), flag)
    return points


def victoria_points(db):
    points = {}
    for which, place in (("v", 0), ("f", 1)):
        for (name, dev, ch), values in db.series('{__name__=~".+_%s",station="test-01",'
                                                 'kind=""}' % which).items():
            for t, v in values.items():
                cell = points.setdefault((name[:-2], dev, ch), {}).setdefault(t, [None, None])
                cell[place] = v
    return points


def influx_points(db):
    points = {}
    answer = db.query("SELECT v, f FROM /.*/ GROUP BY *")
    for s in answer["results"][0].get("series", []):
        tags = s.get("tags", {})
        if tags.get("kind"):
            continue
        at = {c: i for i, c in enumerate(s["columns"])}
        key = (s["name"], tags.get("dev") or None, tags.get("ch") or None)
        for row in s["values"]:
            points.setdefault(key, {})[row[0]] = [row[at["v"]], row[at["f"]]]
    return points


def differences(want, have):
    lost = sum(t not in have.get(k, {}) for k, rows in want.items() for t in rows)
    more = sum(t not in want.get(k, {}) for k, rows in have.items() for t in rows)
    wrong = [(k, t, cell, have[k][t]) for k, rows in want.items() for t, cell in rows.items()
             if t in have.get(k, {}) and not same(cell, have[k][t])]
    return lost, more, wrong


def same(a, b):
    close = a[0] == b[0] or (a[0] is not None and b[0] is not None
                             and abs(a[0] - b[0]) <= 1e-14 * abs(a[0]))
    return close and a[1] == b[1]


def station_of(place, broker, seal="2s"):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    uplinks = f'[{{id: centre, type: mqtt, url: "{broker.url}", ack_interval: 1s}}]'
    text = station_yaml(place.path, devices, uplinks, poll="100ms", commit="100ms")
    station = place.station_file(text.replace("seal: 2s", f"seal: {seal}"))
    place.sim(station)
    return station


def kill_gateways(place, station, times, seed, most_s):
    moment = random.Random(f"gateway {seed}")
    for _ in range(times):
        gateway = place.gateway(station)
        place.processes.remove(gateway)
        threading.Event().wait(moment.uniform(0.02, most_s))
        assert gateway.is_running(), gateway.text[-2000:]  # it never ends by itself
        gateway.kill()


def settle_and_compare(place, station, points):
    """Delivers the rest and compares; returns how many samples there are."""
    place.drain(station, 90)
    want = log_points(place.path)
    accepted = sum(map(len, want.values()))
    assert accepted > 500  # else nothing was at stake; a busy machine gets through 1,000 to 2,500

    def is_there():
        lost, more, wrong = differences(want, points())
        return lost == 0 or (lost, more, len(wrong))
    lost, more, wrong = differences(want, points())
    if lost:
        wait_until(lambda: is_there() is True, 15, f"{lost} samples in the database")
        lost, more, wrong = differences(want, points())
    assert (lost, more, wrong) == (0, 0, [])
    return accepted
