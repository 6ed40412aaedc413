"""docs/topics.md says what is sent: its examples go through the code."""
import gzip
import http.server
import json
import re
import threading

import paho.mqtt.client
import pytest
from conftest import ROOT, wait_until

pytestmark = [pytest.mark.usefixtures("binary"), pytest.mark.short]
TEXT = (ROOT / "docs" / "topics.md").read_text()


def block(kind):
    return re.search(r"```%s\n(.*?)```" % re.escape(kind), TEXT, re.S).group(1)


def topic(leaf):
    return re.search(r"`(sluice/1/demo/3e/s1/%s[^`]*)`" % leaf, TEXT).group(1)


class Database(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.text += (gzip.decompress(body) if self.headers.get("Content-Encoding") else body).decode()
        self.answer(204)

    def do_GET(self):
        self.answer(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def database():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Database)
    server.text = ""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_the_examples_become_the_lines_and_the_acknowledgement(place, database):
    broker = place.broker()
    place.ingest(broker, f"http://127.0.0.1:{database.server_port}").wait_line("ready")
    heard = []
    client = paho.mqtt.client.Client()
    client.on_message = lambda _c, _u, m: heard.append((m.topic, m.payload.decode(), m.retain))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.subscribe("sluice/1/demo/3e/s1/ack", qos=1)
    client.publish(topic("layout/"), block("json layout").strip(), qos=1, retain=True).wait_for_publish()
    client.publish(topic("series"), bytes.fromhex(block("hex series")), qos=1).wait_for_publish()
    client.publish(topic("event"), block("json event").strip(), qos=1).wait_for_publish()
    wait_until(lambda: any("9]" in text for _, text, _ in heard), 10, "the acknowledgement")
    client.loop_stop()
    assert database.text.splitlines() == block("lines").splitlines()
    assert heard[-1] == (topic("ack"), block("json ack").strip(), False)


def test_the_claim_is_as_described(place, database):
    broker = place.broker()
    heard = []
    client = paho.mqtt.client.Client()
    client.on_message = lambda _c, _u, m: heard.append(json.loads(m.payload))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.subscribe("sluice/1/ingest", qos=1)
    place.ingest(broker, f"http://127.0.0.1:{database.server_port}", "--shards", "00-1f").wait_line("ready")
    wait_until(lambda: heard, 10, "the claim")
    client.loop_stop()
    said = json.loads(re.search(r"```json claim\n(.*?)```", (ROOT / "docs" / "ingest.md").read_text(), re.S).group(1))
    assert set(heard[0]) == set(said)
    assert (heard[0]["region"], heard[0]["shards"]) == (said["region"], said["shards"])
    assert re.fullmatch("[0-9a-f]{16}", heard[0]["id"]) and heard[0]["start"] > 1700000000000


def test_a_station_says_status_and_layout_as_described(demo_station_messages):
    messages = demo_station_messages
    status = json.loads(block("json status"))
    seen = {t.rsplit("/", 1)[1]: json.loads(p) for t, p in messages if t.endswith("/status")}["status"]
    assert set(seen) == set(status) and seen["state"] == "online" and seen["software"] == "sluice"
    layouts = {t: json.loads(p) for t, p in messages if "/layout/" in t}
    example = json.loads(block("json layout"))
    for name, layout in layouts.items():
        assert set(layout) == set(example), name
        assert name.endswith(layout["layout"])
        assert set(layout["channels"][0]) == set(example["channels"][0])
    series = next(p for t, p in messages if t.endswith("/series"))
    assert series[0] == 0xc0 and series[1:9][::-1].hex() == seen["epoch"]


@pytest.fixture
def demo_station_messages(place):
    """What a station with one instrument publishes first."""
    from conftest import INSTRUMENTS, free_port, station_yaml
    broker = place.broker()
    messages = []
    client = paho.mqtt.client.Client()
    client.on_message = lambda _c, _u, m: messages.append((m.topic, m.payload))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.subscribe("sluice/#", qos=1)
    uplinks = f'[{{id: centre, type: mqtt, url: "{broker.url}"}}]'
    devices = {"roof-o3": (INSTRUMENTS["roof-o3"][0], free_port())}
    file = place.station_file(station_yaml(place.path, devices, uplinks, poll="200ms"))
    place.sim(file)
    place.gateway(file)
    wait_until(lambda: any(t.endswith("/series") for t, _ in messages), 20, "frames")
    client.loop_stop()
    return messages
