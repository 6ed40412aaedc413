"""The station's side of MQTT, watched and answered by an independent client (python3-paho-mqtt)."""
import binascii
import json
import pathlib
import struct
import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest
from conftest import INSTRUMENTS, Broker, free_port, http_get, http_json, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")

CRC_TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC_TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def series_entries(payload):
    """{entry: frame} of a message on P/series, every byte checked."""
    assert payload[0] == 0xC0
    entries, at = {}, 9
    while at < len(payload):
        seq, at = varint(payload, at)
        size, at = varint(payload, at)
        frame = payload[at:at + size]
        assert len(frame) == size and frame[0] >= 0xF8
        assert struct.unpack("<I", frame[-4:])[0] == crc32c(frame[:-4])
        entries[seq] = frame
        at += size
    return payload[1:9], entries


def key_frame(frame):
    """(stream, segment, layout) of a key frame, else None."""
    if not frame[0] & 4:
        return None
    stream, at = varint(frame, 1)
    segment, at = varint(frame, at)
    _, at = varint(frame, at)
    _, at = varint(frame, at)
    return stream, segment, struct.unpack("<I", frame[at:at + 4])[0]


class Centre:
    """Subscribes to everything of one station and remembers it."""

    def __init__(self, broker, topic="sluice/1/#", password=None, ca=None):
        self.messages = []
        self.client = mqtt.Client(protocol=mqtt.MQTTv5)
        self.subscribed = threading.Event()
        self.client.on_connect = lambda c, *_: c.subscribe(topic, 1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda c, u, m: self.messages.append(m)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert self.subscribed.wait(5)

    def of(self, leaf):
        return [m for m in list(self.messages) if f"/{leaf}" in m.topic]

    def entries(self):
        """How often each entry came."""
        seen = {}
        for m in self.of("series"):
            for seq in series_entries(m.payload)[1]:
                seen[seq] = seen.get(seq, 0) + 1
        for m in self.of("event"):
            seq = json.loads(m.payload)["seq"]
            seen[seq] = seen.get(seq, 0) + 1
        return seen

    def epoch(self):
        return series_entries(self.of("series")[0].payload)[0][::-1].hex()

    def acknowledge(self, ranges, need=(), epoch=None):
        topic = self.of("series")[0].topic.replace("/series", "/ack")
        self.client.publish(topic, json.dumps({"epoch": epoch or self.epoch(), "seq": ranges,
                                               "need": list(need)}), 1).wait_for_publish()

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


@pytest.fixture
def watched(place):
    """(place, broker, centre): a broker that somebody listens to."""
    broker = place.broker()
    centre = Centre(broker)
    yield place, broker, centre
    centre.close()


def start_station(place, uplink, http=0):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    file = place.station_file(station_yaml(place.path, devices, f"[{{id: centre, {uplink}}}]", "200ms",
                                           http=f"127.0.0.1:{http or free_port()}"))
    place.sim(file)
    return file, place.gateway(file).wait_line("runs")


def uplink_state(port):
    return http_json(f"http://127.0.0.1:{port}/api/v1/now")["uplinks"][0]


def acked_entry(port):
    """Every entry up to this one is acknowledged, as the station itself sees it."""
    for line in http_get(f"http://127.0.0.1:{port}/metrics").decode().splitlines():
        if line.startswith("sluice_uplink_acked_entry{"):
            return int(float(line.rsplit(" ", 1)[1]))
    raise AssertionError("no such metric")


@pytest.mark.short
def test_says_who_it_is_before_the_first_frame(watched):
    place, broker, centre = watched
    _, gateway = start_station(place, f'type: mqtt, url: "{broker.url}", confirm: broker')
    wait_until(lambda: len(centre.of("series")) > 2, 20, "frames")
    shard = f"{crc32c(b'test-01') % 64:02x}"
    prefix = f"sluice/1/demo/{shard}/test-01/"
    assert all(m.topic.startswith(prefix) for m in centre.messages)

    status = centre.messages[0]
    assert status.topic == prefix + "status"
    assert json.loads(status.payload)["state"] == "online"
    assert json.loads(status.payload)["epoch"] == centre.epoch()

    announced = set()
    for m in list(centre.messages):
        if "/layout/" in m.topic:
            layout = json.loads(m.payload)
            assert layout["layout"] == m.topic.rsplit("/", 1)[1]
            del layout["layout"]
            canonical = json.dumps(layout, sort_keys=True, separators=(",", ":"),
                                   ensure_ascii=False)
            announced.add(crc32c(canonical.encode()))
            assert f"{crc32c(canonical.encode()):08x}" == m.topic.rsplit("/", 1)[1]
        elif m.topic.endswith("/series"):
            for frame in series_entries(m.payload)[1].values():
                key = key_frame(frame)
                assert key is None or key[2] in announced

    late = Centre(broker, "sluice/1/+/+/+/layout/+")
    wait_until(lambda: len(late.of("layout")) >= len(announced), 5, "retained dictionaries")
    late.close()
    assert gateway.stop()[0] == 0
    wait_until(lambda: json.loads(centre.of("status")[-1].payload)["state"] == "stopped", 5,
               "the station's goodbye")


def test_every_entry_comes_once_when_it_is_acknowledged(watched):
    place, broker, centre = watched
    port = free_port()
    start_station(place, f'type: mqtt, url: "{broker.url}"', port)
    wait_until(lambda: len(centre.entries()) > 5, 20, "entries")
    for _ in range(8):
        centre.acknowledge([[1, max(centre.entries())]])
        threading.Event().wait(0.3)
    assert set(centre.entries().values()) == {1}
    wait_until(lambda: acked_entry(port) > 5, 5, "the cursor")


def test_what_is_not_acknowledged_comes_again(watched):
    place, broker, centre = watched
    start_station(place, f'type: mqtt, url: "{broker.url}", ack_interval: 1s')
    wait_until(lambda: len(centre.entries()) > 5, 20, "entries")
    wait_until(lambda: centre.entries()[1] == 2, 10, "entry 1 a second time")
    frames = {}
    for m in centre.of("series"):
        for seq, frame in series_entries(m.payload)[1].items():
            assert frames.setdefault(seq, frame) == frame  # the same bytes every time


def test_a_need_is_answered_from_the_log(watched):
    place, broker, centre = watched
    start_station(place, f'type: mqtt, url: "{broker.url}"')
    wait_until(lambda: len(centre.entries()) > 5, 20, "entries")
    stream, segment, _ = next(filter(None, map(key_frame, (
        f for m in centre.of("series") for f in series_entries(m.payload)[1].values()))))
    first = min(seq for m in centre.of("series") for seq, f in series_entries(m.payload)[1].items()
                if key_frame(f) and key_frame(f)[:2] == (stream, segment))
    centre.acknowledge([[1, max(centre.entries())]])
    centre.acknowledge([], [{"stream": stream, "segment": segment, "from": 0}])
    wait_until(lambda: centre.entries()[first] == 2, 5, "the key frame again")


def test_hostile_acknowledgements_move_nothing(watched):
    place, broker, centre = watched
    port = free_port()
    _, gateway = start_station(place, f'type: mqtt, url: "{broker.url}"', port)
    wait_until(lambda: len(centre.entries()) > 5, 20, "entries")
    topic = centre.of("series")[0].topic.replace("/series", "/ack")
    for payload in (b"", b"{", b"[]", b"\xff" * 5000, b"[" * 60000, b"x" * 70000,
                    b'{"epoch":"%s","seq":[[9,1]]}' % centre.epoch().encode(),
                    b'{"epoch":"%s","seq":"all"}' % centre.epoch().encode(),
                    b'{"epoch":"0000000000000000","seq":[[1,99999]]}'):
        centre.client.publish(topic, payload, 1).wait_for_publish()
    threading.Event().wait(1)
    assert gateway.is_running()
    assert acked_entry(port) == 0
    centre.acknowledge([[1, 10 ** 15]])  # more than there ever was: only what is there counts
    wait_until(lambda: 0 < acked_entry(port) < 10 ** 6, 5, "the cursor")


def test_an_outage_of_the_broker_loses_nothing(watched):
    place, broker, centre = watched
    file, gateway = start_station(place, f'type: mqtt, url: "{broker.url}", confirm: broker')
    wait_until(lambda: len(centre.entries()) > 5, 20, "entries")
    broker.kill()
    threading.Event().wait(2)
    broker.start()
    wait_until(lambda: centre.subscribed.is_set() and centre.client.is_connected(), 20,
               "the subscriber to come back")
    before = max(centre.entries())
    wait_until(lambda: max(centre.entries()) > before + 5, 20, "entries after the outage")
    assert gateway.stop()[0] == 0


def test_a_wrong_password_stops_the_uplink_and_keeps_everything(place):
    passwords = place.path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "station", "right"], check=True)
    broker = Broker(place.path)
    conf = place.path / "mosquitto.conf"
    conf.write_text(conf.read_text().replace("allow_anonymous true",
                                             f"allow_anonymous false\npassword_file {passwords}"))
    place.add(broker)
    secret = place.path / "secret"
    secret.write_text("hunter-2-3-4\n")
    secret.chmod(0o600)
    port = free_port()
    _, gateway = start_station(place, f'type: mqtt, url: "{broker.url}", username: station, '
                                      f'password_file: {secret}', port)
    gateway.wait_line("denies us", 15)
    state = uplink_state(port)
    assert not state["connected"] and "ot authori" in state["error"] or "assword" in state["error"]
    assert "hunter-2" not in gateway.text
    code, seconds = gateway.stop()
    assert code == 0 and seconds < 2


def make_certificates(path):
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, cwd=path, capture_output=True)
    for ca in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={ca}",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
            "server.key", "-out", "server.csr")
    pathlib.Path(path / "san").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", 2, "-extfile", "san", "-out", "server.pem")


@pytest.mark.parametrize("ca, host, arrives", [("ca", "localhost", True),
                                               ("other", "localhost", False),
                                               ("ca", "127.0.0.1", False)])
def test_tls_checks_who_the_broker_is(place, ca, host, arrives):
    make_certificates(place.path)
    broker = Broker(place.path)
    tls = free_port()
    conf = place.path / "mosquitto.conf"
    conf.write_text(conf.read_text() + f"listener {tls} 127.0.0.1\nallow_anonymous true\n"
                    f"certfile {place.path}/server.pem\nkeyfile {place.path}/server.key\n")
    place.add(broker)
    centre = Centre(broker)
    _, gateway = start_station(place, f'type: mqtt, url: "mqtts://{host}:{tls}", '
                                      f'ca: {place.path}/{ca}.pem, confirm: broker')
    if arrives:
        wait_until(lambda: centre.of("series"), 20, "frames over TLS")
    else:
        gateway.wait_line("does not deliver", 20)
        assert not centre.messages
    assert gateway.stop()[1] < 2
    centre.close()
