"""Through a broker into the centre's database: once each, whatever dies on the way."""
import json
import socket
import sqlite3
import threading

import paho.mqtt.client
import pytest
from conftest import INSTRUMENTS, Process, free_port, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


def shared_cells(path):
    """Cells of all frames that are for the uplinks; after a drain nothing is pending."""
    with sqlite3.connect(f"file:{path}/station.db?mode=ro", uri=True) as db:
        return db.execute("SELECT sum(samples) FROM entry WHERE NOT is_local").fetchone()[0] or 0


def station(place, broker, poll="200ms"):
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    uplinks = f'[{{id: centre, type: mqtt, url: "{broker.url}", ack_interval: 1s}}]'
    file = place.station_file(station_yaml(place.path, devices, uplinks, poll=poll))
    place.sim(file)
    return file


def end(place, gateway, file, db):
    assert gateway.stop()[0] == 0
    place.drain(file)
    accepted = shared_cells(place.path)
    assert accepted > 100
    wait_until(lambda: db.count() >= accepted, 20, f"all {accepted} samples")
    assert db.count() == accepted


@pytest.mark.short
def test_every_accepted_sample_arrives_once(place):
    broker, db = place.broker(), place.victoria()
    ingest = place.ingest(broker, db.url).wait_line("ready")
    file = station(place, broker)
    gateway = place.gateway(file)
    wait_until(lambda: db.count() > 100, 20, "samples in the database")
    end(place, gateway, file, db)
    assert ingest.stop()[0] == 0
    assert "contradicting=0 undecodable=0 refused_lines=0 refused_rows=0" in ingest.text


def test_an_ingest_killed_and_begun_anew_asks_for_what_it_lacks(place):
    broker, db = place.broker(), place.victoria()
    ingest = place.ingest(broker, db.url).wait_line("ready")
    file = station(place, broker)
    gateway = place.gateway(file)
    wait_until(lambda: db.count() > 50, 20, "samples in the database")
    for _ in range(4):
        ingest.kill()
        threading.Event().wait(0.7)
        ingest.start()
        threading.Event().wait(2)
    end(place, gateway, file, db)


def test_an_outage_of_the_broker_loses_nothing(place):
    broker, db = place.broker(), place.victoria()
    ingest = place.ingest(broker, db.url).wait_line("ready")
    file = station(place, broker)
    gateway = place.gateway(file)
    wait_until(lambda: db.count() > 50, 20, "samples in the database")
    broker.kill()
    threading.Event().wait(3)
    broker.start()
    before = db.count()
    wait_until(lambda: db.count() > before + 100, 40, "samples after the outage")
    end(place, gateway, file, db)
    assert ingest.text.count("no connection to") <= 3  # state changes, not repetitions


def test_an_outage_of_the_database_loses_nothing(place):
    broker, db = place.broker(), place.victoria()
    ingest = place.ingest(broker, db.url).wait_line("ready")
    file = station(place, broker)
    gateway = place.gateway(file)
    wait_until(lambda: db.count() > 50, 20, "samples in the database")
    db.stop()  # killed, it would forget what it acknowledged and had not flushed
    ingest.wait_line("database does not take lines")
    threading.Event().wait(3)
    db.start()
    before = db.count()
    wait_until(lambda: db.count() > before + 100, 40, "samples after the outage")
    assert ingest.text.count("database answers") == 2
    end(place, gateway, file, db)


@pytest.mark.short
def test_ends_within_two_seconds_while_the_database_is_silent(place):
    broker = place.broker()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ingest = place.ingest(broker, f"http://127.0.0.1:{silent.getsockname()[1]}")
        ingest.wait_line("ready")
        event = {"epoch": "00000000000000aa", "seq": 1, "kind": "start", "time": 1700000000000}
        sender = paho.mqtt.client.Client()
        sender.connect("127.0.0.1", broker.port)
        sender.loop_start()
        sender.publish("sluice/1/demo/12/s1/event", "wrong shard", qos=1).wait_for_publish()
        shard = f"{crc32c(b's1') % 64:02x}"
        sender.publish(f"sluice/1/demo/{shard}/s1/event", json.dumps(event),
                       qos=1).wait_for_publish()
        peer, _ = silent.accept()
        sender.loop_stop()
        status, seconds = ingest.stop()
        peer.close()
    assert status == 0
    assert seconds < 2
    assert "entries=0 " in ingest.text  # what the database has not answered does not count
    assert "malformed=1 " in ingest.text


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("options, says", [
    ([], "--broker and --db must be given"),
    (["--broker", "http://x", "--db", "http://x"], "--broker"),
    (["--broker", "mqtt://x", "--db", "ftp://x"], "--db"),
    (["--broker", "mqtt://x", "--db", "http://x", "--shards", "40"], "--shards"),
    (["--broker", "mqtt://x", "--db", "http://x", "--region", "A/b"], "--region"),
    (["--broker", "mqtt://x", "--db", "http://x", "--password-file", "/none"], "/none"),
])
def test_wrong_options_are_told(place, binary, options, says):
    p = place.add(Process([binary, "ingest", *options], place.path, "ingest"))
    assert p.child.wait(5) == 2
    assert says in p.text
