"""A request that breaks off leaves nothing false in VictoriaMetrics, whichever byte was the last: no
other value, no other time, nothing but samples that the request holds."""
import fcntl
import json
import socket
import struct
import termios
import time
import urllib.parse

import pytest
from conftest import Victoria, http_get, wait_until
from proxy import Proxy
from test_links import Line

pytestmark = pytest.mark.usefixtures("binary")
RESET = b"\1\0\0\0\0\0\0\0"


class NamedVictoria(Victoria):
    """One of several, with options of its own."""

    def __init__(self, place, name, *options):
        (place.path / name).mkdir()
        super().__init__(place.path / name)
        self.args += options
        place.add(self)


def everything(db):
    """{(labels, time, value)} of all series, whatever their time."""
    http_get(f"{db.url}/internal/force_flush", 30)
    query = urllib.parse.urlencode({"match[]": '{__name__!=""}', "start": "1970-01-01T00:00:01Z",
                                    "end": "2200-01-01T00:00:00Z"})
    found = set()
    for line in http_get(f"{db.url}/api/v1/export?{query}", 60).splitlines():
        row = json.loads(line, parse_float=str, parse_int=str)
        labels = json.dumps(row["metric"], sort_keys=True)
        found |= {(labels, t, v) for t, v in zip(row["timestamps"], row["values"])}
    return found


def settled(db):
    """Everything, once a second brought nothing more."""
    last = [None, 0]  # what was seen, since when

    def is_at_rest():
        now = everything(db)
        if now != last[0]:
            last[:] = now, time.monotonic()
        return time.monotonic() - last[1] >= 1
    wait_until(is_at_rest, 20, "the database to come to rest")
    return last[0]


def requests_of(stream):
    """The whole requests of a connection: (first line, bytes)."""
    found, at = [], 0
    while (end := stream.find(b"\r\n\r\n", at)) >= 0:
        head = stream[at:end].decode()
        length = [int(h.split(":")[1]) for h in head.split("\r\n") if h.lower().startswith("content-length:")]
        stop = end + 4 + (length[0] if length else 0)
        if stop > len(stream):
            break
        found.append((head.split("\r\n")[0], stream[at:stop]))
        at = stop
    return found


def recorded(place, db, options, path):
    """A request of some rows as the station sends it."""
    proxy = Proxy(db.port)
    proxy.record = bytearray()
    line = Line(place, f'[{{id: db, type: influx, url: "http://127.0.0.1:{proxy.port}", {options}}}]')

    def found():
        return [r for first, r in requests_of(bytes(proxy.record))
                if first.startswith(f"POST {path}") and b"ozone" in r or
                first.startswith(f"POST {path}") and b"Content-Encoding" in r]
    wait_until(lambda: line.acked("db") > 3 and len(found()) > 3, 20, "requests")
    assert line.gateway.stop()[0] == 0
    proxy.close()
    return min(found(), key=len)


def unacknowledged(s):
    return struct.unpack("i", fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4))[0]


def send(db, data, is_reset):
    with socket.create_connection(("127.0.0.1", db.port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(data)
        # a reset that overtakes the bytes is none in the middle of them
        wait_until(lambda: unacknowledged(s) == 0, 5, "the bytes to arrive")
        if is_reset:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def whole(db, request):
    with socket.create_connection(("127.0.0.1", db.port)) as s:
        s.sendall(request)
        assert s.recv(100).startswith(b"HTTP/1.1 204")


def foreign(place, request, ends):
    """What is in a database that got every beginning of the request, and not in one that got it whole."""
    good, torn = NamedVictoria(place, "good"), NamedVictoria(place, "torn")
    whole(good, request)
    for is_reset in ends:
        for n in range(1, len(request)):
            send(torn, request[:n], is_reset)
    expected = wait_until(lambda: everything(good), 10, "the samples")
    found = settled(torn)
    print(f"{len(request)} bytes, {len(expected)} samples, {len(found)} of broken requests")
    return found - expected, expected


@pytest.mark.slow(40)
@pytest.mark.parametrize("gzip", ["true", "false"])
def test_no_byte_at_which_a_request_ends_leaves_anything_false(place, gzip):
    db = place.victoria()
    request = recorded(place, db, f"gzip: {gzip}", "/api/v1/import")
    assert (b"Content-Encoding: gzip" in request) == (gzip == "true")
    strange, expected = foreign(place, request, (True, False))
    assert not strange and len(expected) >= 8


def test_the_sweep_finds_what_line_protocol_leaves(place):
    """What this is about, in VictoriaMetrics before 1.105, and that it would be seen."""
    db = place.victoria()
    if b"influx.forceStreamMode" in http_get(f"{db.url}/metrics"):
        pytest.skip("this VictoriaMetrics reads line protocol whole")
    request = recorded(place, db, "format: line, gzip: false", "/write")
    strange, _ = foreign(place, request, (True,))
    assert strange


@pytest.mark.short
@pytest.mark.parametrize("flags", [(), ("-influxMeasurementFieldSeparator=.", "-influxDBLabel=base"),
                                   ("-influxSkipSingleField",)])
def test_json_continues_the_series_of_line_protocol(place, flags):
    lines, json_lines = NamedVictoria(place, "a", *flags), NamedVictoria(place, "b", *flags)
    common = "database: env, timeout: 5s"
    line = Line(place, f'[{{id: l, type: influx, url: "{lines.url}", format: line, {common}}}, '
                       f'{{id: j, type: influx, url: "{json_lines.url}/write?extra_label=site=east", {common}}},'
                       f'{{id: k, type: influx, url: "{lines.url}/write?extra_label=site=east", format: line, '
                       f'{common}}}, {{id: m, type: influx, url: "{json_lines.url}/influx/write", {common}}}]')
    wait_until(lambda: all(line.acked(u) > 5 for u in "ljkm"), 20, "deliveries")
    assert line.gateway.stop()[0] == 0
    place.drain(line.file)
    a, b = settled(lines), settled(json_lines)
    assert a == b and len(a) > 100
    assert "JSON" in line.gateway.text
    if "-influxDBLabel=base" in flags:
        assert '"base": "env"' in next(iter(a))[0]


def test_ingest_writes_the_same_json(place):
    broker, db = place.broker(), place.victoria()
    plain = NamedVictoria(place, "plain")
    place.ingest(broker, db.url).wait_line("ready")
    line = Line(place, f'[{{id: centre, type: mqtt, url: "{broker.url}", ack_interval: 1s}}, '
                       f'{{id: direct, type: influx, url: "{plain.url}", format: line}}]')
    wait_until(lambda: line.acked() > 5 and line.acked("direct") > 5, 20, "deliveries")
    assert line.gateway.stop()[0] == 0
    place.drain(line.file)
    assert settled(db) == settled(plain)
    metrics = http_get(f"{db.url}/metrics").decode()
    assert 'vm_rows_inserted_total{type="influx"} 0' in metrics
