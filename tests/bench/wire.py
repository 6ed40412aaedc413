# SPDX-License-Identifier: Apache-2.0
"""Bytes on the wire per sample: a row and a frame of 20 channels a minute to a real broker and
ingest, both ways, counted on the interface with their IP and TCP headers.

A minute is shortened (PACE_S); acknowledgements of the centre come after ten of them, as with
`ack_interval: 10min`. Nothing in TCP is slower than that: delayed acknowledgements take 40 ms.
The connection itself (CONNECT, dictionary, first frames) is told apart: it is paid once.
"""
import contextlib
import http.server
import itertools
import pathlib
import socket
import subprocess
import threading
import time

from measure import BUILD, SHARED, WIDE, build, running, series_files, wide_table

HOLD, AIM = 16, 11
ROWS, WARM_ROWS, PACE_S, ACK_ROWS = 110, 10, 0.4, 10


def rows():
    for time_ms, values in itertools.islice(wide_table(60000), ROWS):
        yield f"{time_ms} {' '.join(values)}\n"


class Counter(threading.Thread):
    """IP bytes and segments between the station and its port of the broker."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.bytes, self.segments, self.is_over = port, [0, 0], [0, 0], False
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.bind(("lo", 0x0800))
        self.socket.settimeout(0.1)
        self.start()

    def run(self):
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                packet, (_, _, kind, *_) = self.socket.recvfrom(65536)
                if kind == socket.PACKET_OUTGOING or packet[9] != socket.IPPROTO_TCP:
                    continue  # on lo everything is seen twice
                at = 4 * (packet[0] & 15)
                ports = int.from_bytes(packet[at:at + 2]), int.from_bytes(packet[at + 2:at + 4])
                if self.port in ports:
                    way = ports.index(self.port)  # 1: to the broker
                    self.bytes[way] += int.from_bytes(packet[2:4])
                    self.segments[way] += 1

    def take(self):
        return sum(self.bytes), sum(self.segments)


class Sink(http.server.BaseHTTPRequestHandler):
    """A database that has taken everything."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        self.do_POST()

    def log_message(self, *_):
        pass


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def bench(where, _):
    if not series_files():
        print(f"skipped: no series in {SHARED}/data")
        return 0
    build("sluice", "tests/bench/wire_bench")
    station, centre = port(), port()
    conf = pathlib.Path(where) / "mosquitto.conf"
    conf.write_text("".join(f"listener {p} 127.0.0.1\n" for p in (station, centre)) +
                    "allow_anonymous true\npersistence false\nuser root\nset_tcp_nodelay true\n")
    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    try:
        counter = Counter(station)
    except PermissionError:
        print("skipped: counting on the interface needs CAP_NET_RAW")
        return 0
    ack_s = PACE_S * ACK_ROWS
    with running(["/usr/sbin/mosquitto", "-c", conf], where, "broker.log"):
        time.sleep(0.5)
        with running([BUILD / "sluice", "ingest", "--broker", f"mqtt://127.0.0.1:{centre}", "--db",
                      f"http://127.0.0.1:{sink.server_port}", "--ack-interval", str(ack_s)], where,
                     "ingest.log"):
            time.sleep(1)
            return measure(where, station, counter, ack_s)


def measure(where, station, counter, ack_s):
    child = subprocess.Popen([BUILD / "tests/bench/wire_bench", f"{where}/wire.db",
                              f"mqtt://127.0.0.1:{station}", str(int(PACE_S * 1000)), str(int(ack_s * 1000))],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             text=True)
    feed = threading.Thread(target=lambda: (child.stdin.writelines(rows()), child.stdin.close()))
    feed.start()
    begun = ended = None
    for line in child.stdout:
        if line.strip() == str(WARM_ROWS):
            begun = counter.take()
        if line.strip() == str(ROWS):
            ended = counter.take()
    if child.wait() != 0 or not begun or not ended:
        print("the rows were not delivered")
        return 1
    samples = (ROWS - WARM_ROWS) * WIDE
    each = (ended[0] - begun[0]) / samples
    segments = (ended[1] - begun[1]) / (ROWS - WARM_ROWS)
    print(f"{each:.2f} bytes a sample on the wire, {segments:.2f} segments a frame "
          f"(hold {HOLD}, aim {AIM}: {'holds' if each <= HOLD else 'MISSED'}"
          f"{', aim reached' if each <= AIM else ''}); connecting and the first {WARM_ROWS} frames "
          f"{begun[0]} bytes")
    return each > HOLD
