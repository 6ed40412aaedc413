"""The station's log as files: what the uplink delivered, what the instruments wrote, all of it."""
import gzip
import http.server
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from conftest import (ALWAYS_YELLOW, BINARY, INSTRUMENTS, ROOT, free_port, rows_of, station_yaml,
                      wait_until)

# In one worker, so that their log is made once.
pytestmark = [pytest.mark.usefixtures("binary"), pytest.mark.xdist_group("export"),
              pytest.mark.slow(24)]


def run(*args, status=0, lang="en", text=True):
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, timeout=120,
                          env={"LC_ALL": f"{lang}.UTF-8"})
    assert done.returncode == status, done.stderr.decode()
    return (done.stdout.decode() if text else done.stdout), done.stderr.decode()


def export(*args, **options):
    return run("export", *args, **options)


class Database:
    """Keeps the lines it is posted, as InfluxDB would take them."""

    def __init__(self):
        lines = self.lines = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                lines.extend(body.decode().splitlines())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()




def begin(place, uplinks="[]", *options):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    file = place.station_file(station_yaml(place.path, devices, uplinks, poll="200ms",
                                           extra=ALWAYS_YELLOW))
    place.sim(file, *options)
    return file, place.gateway(file, *options).wait_line("runs")


def fast_clock(speed, seconds):
    """Of a station so many seconds behind, which it makes up for."""
    wall, mono = int(time.time() * 1000), int(time.monotonic() * 1000)
    return "--clock", f"{speed},{wall - seconds * 1000},{mono},{seconds * 1000 // (speed - 1)}"


def measure(place, rows=3000):
    """A log with so many rows at least, its station stopped."""
    file, gateway = begin(place, "[]", *fast_clock(20, 300))
    log = place.path / "station.db"
    wait_until(lambda: rows_of(log) > rows, 30, "rows in the log")
    assert gateway.stop()[0] == 0
    return file, log


def tables(text):
    """{header: [line, ...]} of tables parted by empty lines."""
    found = {}
    for part in text.split("\n\n"):
        header, *lines = part.strip("\n").split("\n")
        found.setdefault(header, []).extend(lines)
    return found


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    from conftest import Place
    place = Place(tmp_path_factory.mktemp("logged"))
    try:
        yield measure(place)
    finally:
        place.stop()


@pytest.mark.short
def test_line_protocol_is_what_the_uplink_delivered(place):
    db = Database()
    file, gateway = begin(place, f'[{{id: db, type: influx, url: "{db.url}"}}]')
    wait_until(lambda: len(db.lines) > 300 and any(x.startswith("alert,") for x in db.lines), 20,
               "samples delivered, and the alert, which comes when the first 5 s of noise are over")
    assert gateway.stop()[0] == 0
    place.drain(file)
    lines = export("--format", "lp", file)[0].splitlines()
    assert len(lines) > 300
    assert len(lines) == len(set(lines))
    assert set(lines) == set(db.lines)
    assert any(line.startswith("alert,") for line in lines)


def test_the_database_filled_from_an_export_holds_the_same_values(place):
    delivered, restored = place.victoria(), None
    file, gateway = begin(place, f'[{{id: db, type: influx, url: "{delivered.url}"}}]')
    wait_until(lambda: delivered.count() > 200, 20, "samples in the database")
    assert gateway.stop()[0] == 0
    place.drain(file)
    lines = export("--format", "lp", file)[0]
    from conftest import Victoria
    (place.path / "second").mkdir()
    restored = place.add(Victoria(place.path / "second"))
    import urllib.request
    request = urllib.request.Request(f"{restored.url}/write?precision=ms", lines.encode())
    urllib.request.urlopen(request, timeout=30).read()
    everything = '{__name__=~".+"}'
    wait_until(lambda: restored.count(everything) >= delivered.count(everything), 20, "all points")
    assert restored.series(everything) == delivered.series(everything)


def cells(line):
    """Time, values, flags; the zeros at the end that a column's frame adds do not count."""
    time, *values = line.split(",")
    return time, [(float(value) if value else None, flag)
                  for value, _, flag in (v.partition(";") for v in values)]


def test_reads_beside_the_running_station(place):
    file, gateway = begin(place)
    log = place.path / "station.db"
    wait_until(lambda: rows_of(log) > 50, 20, "rows in the log")
    first = tables(export(file)[0])
    wait_until(lambda: rows_of(log) > 150, 20, "more rows")
    second = tables(export(file)[0])
    assert gateway.stop()[0] == 0
    last = tables(export(file)[0])
    assert first.keys() <= second.keys() <= last.keys()
    for header, lines in first.items():  # sealed meanwhile or not: the same rows in the same order
        assert list(map(cells, last[header][:len(lines)])) == list(map(cells, lines))
        assert list(map(cells, second[header][:len(lines)])) == list(map(cells, lines))
        times = [line.split(",")[0] for line in lines]
        assert len(times) == len(set(times))
    assert sum(map(len, last.values())) == rows_of(log)


def test_tables_have_the_form_of_series(logged):
    table = export("--channel", "roof-o3/ozone", "--no-header", logged[1])[0]
    assert len(table.splitlines()) > 20
    for times in ("iso", "s", "ms"):
        text = export("-c", "roof-o3/ozone", "--no-header", "--times", times, logged[1])[0]
        frames = subprocess.run([BINARY, "series", "encode", "-q"], input=text.encode(),
                                capture_output=True, check=True).stdout
        back = subprocess.run([BINARY, "series", "decode"], input=frames, capture_output=True,
                              check=True).stdout.decode()
        assert back == text


def test_channels_and_range_are_those_asked_for(logged):
    everything = tables(export("-c", "roof-o3/ozone", logged[1])[0])
    (header, lines), = everything.items()
    assert header == "time,roof-o3/ozone"
    first, last = lines[5].split(",")[0], lines[15].split(",")[0]
    some = tables(export("-c", "roof-o3/ozone", "--from", first, "--to", last, logged[1])[0])
    assert some == {header: lines[5:15]}
    shifted = first.replace("Z", "+00:00")
    assert tables(export("-c", "roof-o3/ozone", "--from", shifted, logged[1])[0])[header] == lines[5:]
    assert tables(export("-c", "roof-o3/ozone", "--from", "24h", logged[1])[0])[header] == lines
    _, said = export("-c", "nothing/*", logged[1], status=2)
    assert "no channel of the log matches: nothing/*" in said
    for wrong in (["--from", "yesterday"], ["--format", "xml"], ["--times", "am"],
                  ["--from", "2026-01-02", "--to", "2026-01-01"]):
        export(*wrong, logged[1], status=2)


def sf1_rows(path):
    decode = subprocess.run([sys.executable, ROOT / "docs/series/sf1.py", path],
                            capture_output=True, text=True, check=True)
    return decode.stdout


def test_frames_are_the_stored_bytes_and_decode(logged, tmp_path):
    with sqlite3.connect(f"file:{logged[1]}?mode=ro", uri=True) as db:
        stored = {bytes(row[0]) for row in db.execute("SELECT data FROM entry WHERE kind = 1")}
    out = tmp_path / "all.sf1"
    export("--format", "frames", "--output", out, logged[1])
    data = out.read_bytes()
    assert data.startswith(b"SF1\n")
    at, found = 4, set()
    while at < len(data):
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        found.add(data[at:at + size])
        at += size
    assert found == stored
    export("--format", "frames", "--output", out, logged[1], status=2)  # it is there already
    folder = tmp_path / "folder"
    export("--format", "frames", "--output", f"{folder}/", "-c", "roof-o3/ozone", logged[1])
    (one,) = folder.iterdir()
    table = export("-c", "roof-o3/*", "--no-header", "--times", "ms", logged[1])[0]
    decoded = run("series", "decode", one)[0]
    assert decoded.split("\n")[:20] == [line for line in table.split("\n")
                                        if line.count(",") == decoded.split("\n")[0].count(",")][:20]


def test_no_frames_are_a_file_without_frames(logged):
    assert export("-f", "frames", "--to", "1990-01-01", logged[1])[0] == "SF1\n"
    assert export("-f", "csv", "--to", "1990-01-01", logged[1])[0] == ""


def test_a_folder_gets_a_file_per_stream_and_the_events(logged, tmp_path):
    export("--events", "--output", f"{tmp_path}/out/", logged[0])
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"dev.roof-o3.csv", "dev.hall.csv", "events.jsonl"} <= names
    events = [json.loads(line) for line in (tmp_path / "out/events.jsonl").read_text().splitlines()]
    assert [e["seq"] for e in events] == sorted(e["seq"] for e in events)
    assert any(e["kind"] == "alert" for e in events)
    lines = export("--events", logged[0])[0].splitlines()
    assert [json.loads(line) for line in lines] == events


def test_a_full_device_is_an_error(logged):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "export", logged[1]], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert b"No space left" in done.stderr


def test_says_why_a_file_is_no_log(tmp_path, logged):
    text, empty, other, newer = (tmp_path / n for n in ("text.db", "empty.db", "other.db", "newer.db"))
    text.write_text("station: {id: x}\n" * 500)
    empty.write_bytes(b"")
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, data BLOB)")
    shutil.copy(logged[1], newer)
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    for file, why in ((text, "not a database"), (empty, "not a log"), (other, "not a log"),
                      (newer, "newer version"), (tmp_path / "absent.db", "No such file")):
        out, said = export(file, status=2)
        assert why in said and not out, said
        assert said.count("\n") == 1
    _, said = export(tmp_path / "absent.db", status=2, lang="zh_CN")
    assert "无法读取日志" in said


def test_nothing_is_written_to_the_log(logged, tmp_path):
    copy = tmp_path / "copy.db"
    shutil.copy(logged[1], copy)
    before = copy.read_bytes()
    export(copy)
    assert copy.read_bytes() == before


# ---- damaged logs ----

def cells_by_time(text):
    return {(header, line) for header, lines in tables(text).items() for line in lines}


def test_a_frame_with_a_flipped_bit_is_named_and_the_rest_comes_out(logged, tmp_path):
    copy = tmp_path / "flipped.db"
    shutil.copy(logged[1], copy)
    whole = cells_by_time(export(logged[1])[0])
    with sqlite3.connect(copy) as db:
        seq, data = db.execute("SELECT seq, data FROM entry WHERE kind = 1 AND NOT is_local"
                               " ORDER BY seq LIMIT 1 OFFSET 20").fetchone()
        data = bytearray(data)
        data[len(data) // 2] ^= 16
        db.execute("UPDATE entry SET data = ? WHERE seq = ?", (bytes(data), seq))
    out, said = export(copy, status=1)
    assert f"Entry {seq}, a frame of stream" in said
    some = cells_by_time(out)
    assert some < whole
    _, said = export(copy, status=1, lang="zh_CN")
    assert f"条目 {seq}" in said


def test_salvage_of_a_sound_log_gives_everything(logged):
    for form in ("csv", "lp"):
        assert export("--salvage", "-f", form, logged[1]) == export("-f", form, logged[1])
    assert export("--salvage", "--events", logged[1])[0] == export("--events", logged[1])[0]
    first = export("-c", "hall/*", logged[1])[0].splitlines()[40].split(",")[0]
    assert export("--salvage", "--from", first, logged[1]) == export("--from", first, logged[1])


@pytest.mark.parametrize("seed", range(12))
def test_what_can_be_read_of_a_damaged_file_comes_out(logged, tmp_path, seed):
    pick = random.Random(seed)
    copy = tmp_path / "damaged.db"
    data = bytearray(logged[1].read_bytes())
    pages = len(data) // 4096
    for _ in range(pick.choice((1, 2, 5))):
        at = 4096 * pick.randrange(2, pages)
        data[at:at + 4096] = pick.choice((bytes(4096), pick.randbytes(4096)))
    if seed % 4 == 3:
        data = data[:4096 * (pages * 2 // 3)]
    copy.write_bytes(data)
    whole = cells_by_time(export(logged[1])[0])
    aside = copy.rename(tmp_path / "station.db-damaged-20261122T101500Z")
    done = subprocess.run([BINARY, "export", aside], capture_output=True, timeout=60)
    assert done.returncode in (0, 1, 2), done.stderr  # 2: the tables themselves are gone
    if done.returncode == 2:
        assert b"cannot be read" in done.stderr
        return
    known = {line for _, line in whole}
    got = {line for _, line in cells_by_time(done.stdout.decode())}
    assert got <= known  # nothing made up
    if got != known:
        assert done.returncode == 1 and b"cannot be" in done.stderr
