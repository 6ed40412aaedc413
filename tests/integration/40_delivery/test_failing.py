"""A database that fails at one sample for ever, in one way or another: that one waits, alone."""
import contextlib
import http.server
import sqlite3
import threading

import pytest
from conftest import INSTRUMENTS, free_port, http_json, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


class Database(http.server.ThreadingHTTPServer):
    """Keeps lines; fails at requests with its culprit, or at all of them."""
    daemon_threads = True

    def __init__(self, way):
        super().__init__(("127.0.0.1", 0), Handler)
        self.way, self.lines, self.failures = way, {}, 0
        self.culprit, self.has_culprit, self.is_down = None, True, False
        self.lock, self.is_over = threading.Lock(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def takes(self, points):
        """Whether it takes these {(series, time): fields}; the first pH is what it fails at."""
        with self.lock:
            if self.has_culprit and not self.culprit:
                self.culprit = next((p for p in points if p[0].startswith("ph,")), None)
            if self.is_down or self.culprit in points:
                self.failures += 1
                return False
            self.lines.update(points)
            return True

    def samples(self):
        with self.lock:
            return sum(",dev=" in series for series, _ in self.lines)

    def close(self):
        self.is_over.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        points = {}
        for line in body.splitlines():
            head, time = line.rsplit(" ", 1)
            points[head.split(" ", 1)[0], time] = head
        is_taken = self.server.takes(points)
        if not is_taken and self.server.way == "silence":
            self.server.is_over.wait(20)
            self.close_connection = True
            return
        self.send_response(204 if is_taken else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def database():
    with contextlib.ExitStack() as stack:
        def start(way):
            db = Database(way)
            stack.callback(db.close)
            return db
        yield start


class Line:
    def __init__(self, place, db):
        devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
        self.place, self.http = place, free_port()
        uplinks = f'[{{id: db, type: influx, url: "{db.url}", timeout: 1s}}]'
        text = station_yaml(place.path, devices, uplinks, poll="200ms", commit="200ms",
                            http=f"127.0.0.1:{self.http}").replace("seal: 2s", "seal: 1s")
        self.file = place.station_file(text)
        place.sim(self.file)
        self.gateway = place.gateway(self.file).wait_line("runs")

    def uplink(self):
        with contextlib.suppress(OSError):
            return http_json(f"http://127.0.0.1:{self.http}/api/v1/now")["uplinks"][0]
        return {}

    def set_aside(self):
        return self.uplink().get("set_aside", 0)

    def query(self, sql):
        with sqlite3.connect(f"file:{self.place.path}/station.db?mode=ro", uri=True) as log:
            return log.execute(sql).fetchall()

    def delivered(self):
        """Cells of what the uplink counts as delivered or set aside."""
        return self.query("SELECT sum(samples) FROM entry, cursor"
                          " WHERE seq <= acked_to AND NOT is_local")[0][0] or 0


@pytest.mark.slow(40)
@pytest.mark.parametrize("way", ["answer", "silence"])
def test_only_the_frame_it_fails_at_is_set_aside(place, database, way):
    db = database(way)
    line = Line(place, db)
    wait_until(lambda: db.failures >= 2, 20, "failures")
    before = db.samples()
    wait_until(lambda: db.samples() > before + 50, 20, "others that go on")
    wait_until(lambda: line.set_aside() == 1, 60, "the culprit alone")
    assert line.gateway.stop()[0] == 0
    place.drain(line.file)
    [(culprit, why)] = line.query("SELECT seq, why FROM set_aside")
    assert ("500" in why) if way == "answer" else ("time" in why.lower())
    [(kept, kind)] = line.query(f"SELECT samples, kind FROM entry WHERE seq = {culprit}")
    assert kept > 0 and kind == 1
    assert db.samples() == line.delivered() - kept
    events = [e for (e,) in line.query("SELECT data FROM entry WHERE topic = 'notice'")]
    assert any(b"uplink_set_aside" in e for e in events)


def test_nothing_is_set_aside_while_it_fails_at_everything(place, database):
    db = database("answer")
    db.has_culprit, db.is_down = False, True
    line = Line(place, db)
    wait_until(lambda: db.failures >= 8, 60, "failures")
    assert line.uplink()["connected"] is False
    assert "500" in line.uplink()["error"]
    db.is_down = False
    wait_until(lambda: db.samples() > 100, 60, "samples after the outage")
    assert line.gateway.stop()[0] == 0
    place.drain(line.file)
    assert line.query("SELECT * FROM set_aside") == []
    assert db.samples() == line.delivered()


def test_a_stop_in_the_middle_of_a_request_is_no_trouble(place, database):
    db = database("silence")
    line = Line(place, db)
    wait_until(lambda: db.failures >= 1, 20, "a request that hangs")
    assert line.gateway.stop()[0] == 0
    assert "abort" not in line.gateway.text
