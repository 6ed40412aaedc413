"""sluice forward --dry-run: what it prints is what goes out, and it touches nothing."""
import hashlib
import re
import subprocess

import paho.mqtt.client as mqtt
import pytest
from conftest import BINARY, INSTRUMENTS, Broker, free_port, http_json, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


def dry_run(place, *options):
    return subprocess.run([BINARY, "forward", "--dry-run", "--config", "station.yaml", *options],
                          cwd=place.path, capture_output=True, text=True, timeout=30)


def station(place, uplinks, http=0):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    file = place.station_file(station_yaml(place.path, devices, uplinks, "200ms",
                                           http=f"127.0.0.1:{http or free_port()}"))
    place.sim(file)
    return file


def digest(place):
    return hashlib.sha256((place.path / "station.db").read_bytes()).hexdigest()


@pytest.mark.short
def test_prints_the_very_bytes_that_are_sent_next(place):
    port, http = free_port(), free_port()
    file = station(place, f'[{{id: centre, type: mqtt, url: "mqtt://127.0.0.1:{port}"}}]', http)
    gateway = place.gateway(file).wait_line("does not deliver")
    wait_until(lambda: http_json(f"http://127.0.0.1:{http}/api/v1/now")["log"]["seq"] > 6, 20,
               "entries")
    while_running = dry_run(place, "centre")
    assert while_running.returncode == 0 and "/series  qos 1" in while_running.stdout
    assert gateway.stop()[0] == 0
    before = digest(place)
    shown = dry_run(place, "--bytes", "--all", "centre")
    assert shown.returncode == 0, shown.stderr
    assert digest(place) == before  # nothing was touched

    broker = place.add(Broker(place.path, port))
    received = []
    client = mqtt.Client(protocol=mqtt.MQTTv5)
    client.on_message = lambda c, u, m: received.append(m)
    client.on_connect = lambda c, *_: c.subscribe("sluice/1/#", 1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    place.add(gateway)
    wait_until(lambda: any(m.topic.endswith("/series") for m in received), 20, "a series message")
    first = next(m for m in received if m.topic.endswith("/series"))
    client.loop_stop()
    said = re.search(r"^(\S+/series)  qos 1.*\n(?:  entry.*\n)+((?:    [0-9a-f]+\n)+)", shown.stdout, re.M)
    assert said.group(1) == first.topic
    assert first.payload.hex() == re.sub(r"\s", "", said.group(2))


def test_shows_lines_for_a_database(place):
    port, http = free_port(), free_port()
    file = station(place, f'[{{id: db, type: influx, url: "http://127.0.0.1:{port}"}}]', http)
    gateway = place.gateway(file)
    wait_until(lambda: "ozone," in dry_run(place, "--all").stdout, 20, "a frame")
    shown = dry_run(place, "--bytes", "--all")
    assert gateway.stop()[0] == 0
    assert re.search(r"^ozone,dev=roof-o3,station=test-01 v=[0-9.]+,f=\d+i \d{13}$", shown.stdout, re.M)
    assert re.search(r"^== \d+ entries wait$", shown.stdout, re.M)


def test_says_what_is_wrong(place):
    place.station_file(station_yaml(place.path, {}, "[]"))
    assert "No uplink" in dry_run(place).stdout
    unknown = dry_run(place, "nobody")
    assert unknown.returncode == 2 and "There is no uplink 'nobody'" in unknown.stderr
    bare = subprocess.run([BINARY, "forward"], cwd=place.path, capture_output=True, text=True)
    assert bare.returncode == 2 and "--dry-run" in bare.stderr
