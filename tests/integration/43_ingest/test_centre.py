"""The centre's side with real brokers and databases: who serves what, what it tells, what it refuses."""
import gzip
import http.server
import json
import sqlite3
import threading

import paho.mqtt.client
import pytest
from conftest import INSTRUMENTS, answers, free_port, http_get, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def shard(station):
    return f"{crc32c(station.encode()) % 64:02x}"


def log_station(place, broker, poll="100ms", codec="auto"):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    uplinks = f'[{{id: centre, type: mqtt, url: "{broker.url}", ack_interval: 1s}}]'
    text = station_yaml(place.path, devices, uplinks, poll=poll)
    file = place.station_file(text.replace("seal: 2s", f"seal: 2s, codec: {codec}"))
    place.sim(file)
    return file


def log_query(place, q):
    with sqlite3.connect(f"{place.path}/station.db") as db:
        return db.execute(q).fetchall()


def metrics(url):
    lines = http_get(f"{url}/metrics").decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def health(url):
    import urllib.error
    try:
        return 200, http_get(f"{url}/healthz").decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


@pytest.mark.short
@pytest.mark.slow(14)
def test_tells_prometheus_what_it_does_and_how_it_is(place):
    broker, db = place.broker(), place.victoria()
    url = f"http://127.0.0.1:{free_port()}"
    place.ingest(broker, db.url, "--listen", url[7:]).wait_line("ready")
    gateway = place.gateway(log_station(place, broker))
    lag = 'sluice_ingest_station_lag_seconds{region="demo",station="test-01"}'
    wait_until(lambda: lag in metrics(url), 30, "a station with stored rows")
    wait_until(lambda: metrics(url)["sluice_ingest_entries_total"] > 10, 20, "entries")
    m = metrics(url)
    assert 0 <= m[lag] < 20
    assert m["sluice_ingest_connected"] == m["sluice_ingest_database_up"] == m["sluice_ingest_stations"] == 1
    assert m['sluice_ingest_station_silent_seconds{region="demo",station="test-01"}'] < 10
    assert m["sluice_ingest_refused_entries_total"] == m["sluice_ingest_undecodable_total"] == 0
    assert health(url) == (200, "ok\n")
    db.stop()
    wait_until(lambda: health(url) == (503, "The database does not take lines.\n"), 20, "503")
    broker.kill()
    wait_until(lambda: health(url) == (503, "There is no connection to the broker.\n"), 20, "503")
    gateway.kill()


@pytest.mark.short
def test_a_later_ingest_takes_over_from_one_whose_shards_it_serves(place):
    broker, db = place.broker(), place.victoria()
    first = place.ingest(broker, db.url, "--shards", "00-1f").wait_line("ready")
    other = place.ingest(broker, db.url, "--shards", "1f-3f", "--region", "demo").wait_line("ready")
    first.wait_line("another ingest serves some of our shards too")
    assert first.is_running()
    second = place.ingest(broker, db.url, "--shards", "00-1f")
    wait_until(lambda: not first.is_running(), 10, "the first to end")
    assert first.child.returncode == 1
    assert "another ingest has taken over these shards" in first.text
    broker.kill()
    broker.start()  # all connect anew: nothing changes
    wait_until(lambda: second.text.count("connected to") >= 5, 20, "all to connect again")
    threading.Event().wait(1)
    assert second.is_running() and other.is_running()
    assert second.stop()[0] == other.stop()[0] == 0


def test_shards_are_shared_out_among_any_number(place):
    broker, db = place.broker(), place.victoria()
    names = ["s1", "s2", "s3", "s4", "s5", "s6"]
    halves = {"00-1f": [n for n in names if int(shard(n), 16) < 32],
              "20-3f": [n for n in names if int(shard(n), 16) >= 32]}
    assert all(halves.values())
    urls = {}
    for shards in halves:
        urls[shards] = f"http://127.0.0.1:{free_port()}"
        place.ingest(broker, db.url, "--shards", shards, "--listen", urls[shards][7:])
    for url in urls.values():
        wait_until(lambda u=url: answers(f"{u}/healthz"), 10, "ingest")
        wait_until(lambda u=url: metrics(u).get("sluice_ingest_connected") == 1, 10, "connected")
    sender = paho.mqtt.client.Client()
    sender.connect("127.0.0.1", broker.port)
    sender.loop_start()
    for n in names:
        event = {"epoch": "00000000000000aa", "seq": 1, "kind": "start", "time": 1700000000000}
        sender.publish(f"sluice/1/demo/{shard(n)}/{n}/event", json.dumps(event), qos=1).wait_for_publish()
    sender.loop_stop()
    for shards, url in urls.items():
        wait_until(lambda u=url, s=shards: metrics(u)["sluice_ingest_entries_total"] == len(halves[s]), 20,
                   f"the events of {shards}")
        told = {key.split('station="')[1].split('"')[0] for key in metrics(url) if "station_entries" in key}
        assert told == set(halves[shards])


def spoil(place):
    """Half the content under a right checksum, as a defect would write it: what no retry mends."""
    with sqlite3.connect(f"{place.path}/station.db") as db:
        seq, stream, segment, number, data = db.execute(
            "SELECT seq, stream, segment, frame_seq, data FROM entry WHERE kind = 1 AND NOT is_local AND "
            "frame_seq > 0 AND samples > 5 ORDER BY seq LIMIT 1").fetchone()
        body = data[:len(data) // 2]
        db.execute("UPDATE entry SET data = ? WHERE seq = ?",
                   (body + crc32c(body).to_bytes(4, "little"), seq))
        return {r[0] for r in db.execute("SELECT seq FROM entry WHERE stream = ? AND segment = ? AND "
                                         "frame_seq >= ?", (stream, segment, number))}


@pytest.mark.slow(20)
def test_a_frame_that_cannot_be_decoded_is_set_aside_and_holds_nothing_up(place):
    broker, db = place.broker(), place.victoria()
    file = log_station(place, broker, codec="plain")
    gateway = place.gateway(file).wait_line("runs")
    wait_until(lambda: log_query(place, "SELECT count(*) FROM entry WHERE frame_seq > 2")[0][0] > 4, 30, "a log")
    assert gateway.stop()[0] == 0
    spoiled = spoil(place)
    ingest = place.ingest(broker, db.url).wait_line("ready")
    place.drain(file, 90)
    aside = dict(log_query(place, "SELECT seq, why FROM set_aside"))
    assert set(aside) == spoiled
    assert all(why.startswith("the centre refuses it: ") for why in aside.values())
    total = log_query(place, "SELECT sum(samples) FROM entry WHERE NOT is_local")[0][0]
    lost = log_query(place, f"SELECT sum(samples) FROM entry WHERE seq IN ({','.join(map(str, aside))})")[0][0]
    wait_until(lambda: db.count('{__name__=~".+_f",kind=""}') >= total - lost, 20, "all but the refused")
    assert "can never be stored and is refused" in ingest.text
    refused = db.series('{__name__="event_entry",kind="frame_refused"}')
    assert {v for points in refused.values() for v in points.values()} & set(aside)


class Capture(http.server.BaseHTTPRequestHandler):
    """An InfluxDB 2 as far as a writer sees it."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_writes_to_influxdb_2_with_token_org_and_bucket(place):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Capture)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    broker = place.broker()
    (place.path / "token").write_text("s3cret\n")
    place.ingest(broker, f"http://127.0.0.1:{server.server_port}", "--org", "env agency", "--bucket", "air",
                 "--token-file", place.path / "token").wait_line("ready")
    sender = paho.mqtt.client.Client()
    heard = []
    sender.on_message = lambda _c, _u, m: heard.append(json.loads(m.payload))
    sender.connect("127.0.0.1", broker.port)
    sender.loop_start()
    sender.subscribe(f"sluice/1/demo/{shard('s1')}/s1/ack", qos=1)
    event = {"epoch": "00000000000000aa", "seq": 1, "kind": "start", "time": 1700000000000}
    sender.publish(f"sluice/1/demo/{shard('s1')}/s1/event", json.dumps(event), qos=1).wait_for_publish()
    wait_until(lambda: heard, 10, "the acknowledgement")
    sender.loop_stop()
    server.shutdown()
    assert heard[0] == {"epoch": "00000000000000aa", "seq": [[1, 1]], "need": []}
    path, token, body = server.seen[0]
    assert path == "/api/v2/write?org=env%20agency&bucket=air&precision=ms"
    assert token == "Token s3cret"
    assert body == b"event,kind=start,station=s1 n=1i 1700000000000\n"
