# SPDX-License-Identifier: Apache-2.0
"""scripts/bench field: polling and decoding beside collectd's modbus plugin and a bare epoll
loop, good units beside dead ones, use of a serial line, return after an interruption."""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import tty

from measure import (BUILD, DEVICES, PORT, SHARED, VALUES, WARM_UP_S, Load, build,
                     cpu_per_sample, peer, running)

POLL_BENCH = BUILD / "tests/bench/poll_bench"
PACED_SLAVE = BUILD / "tests/bench/paced_slave"
COLLECTD = shutil.which("collectd", path="/usr/sbin:/usr/bin")
PLUGIN = pathlib.Path("/usr/lib/collectd/modbus.so")
WIRE_LIMIT = 8.0  # transactions a second: 50 registers at 9600 8N1, 3.5 characters twice


class Table:
    """Figures beside what must hold and what is aimed at; how many do not hold."""

    def __init__(self):
        self.missed = 0

    def row(self, what, value, text, hold, aim=None, at_least=False):
        def reaches(limit):
            return value >= limit if at_least else value <= limit
        sign = ">=" if at_least else "<="
        verdict = "ok" if reaches(hold) else "NOT REACHED"
        if aim is not None and reaches(aim):
            verdict = "ok, aim reached"
        self.missed += not reaches(hold)
        wanted = f"hold {sign} {hold:g}" + (f", aim {sign} {aim:g}" if aim is not None else "")
        print(f"  {what:<46} {text:<24} {wanted:<30} {verdict}", flush=True)

    @staticmethod
    def note(text):
        print(f"  {text}", flush=True)


# ---- CPU time, memory and intervals at 500 x 25 values a second ----

def collectd_args(where):
    folder = where / "collectd"
    (folder / "var").mkdir(parents=True, exist_ok=True)
    made = subprocess.run([sys.executable, SHARED / "bench" / "peers" / "gen_collectd.py",
                           str(PORT), str(DEVICES), "none", str(folder)], check=True,
                          capture_output=True, text=True)
    (folder / "collectd.conf").write_text(made.stdout)
    return [COLLECTD, "-f", "-C", folder / "collectd.conf"]


def turn(args, where, window_s):
    """One program at the full load, on a load generator of its own."""
    with Load(where, seconds=WARM_UP_S + window_s + 20) as load:
        return cpu_per_sample(args, where, window_s, load)


def worst_ms(counters):
    return 1000 * max(counters["gap_max"] - 1, 1 - counters["gap_min"])


def compare_cpu(where, table, window_s):
    seconds = str(WARM_UP_S + window_s + 10)
    programs = {"floor": [peer("floor", where), PORT, DEVICES, seconds, 1],
                "ours": [POLL_BENCH, PORT, DEVICES, seconds]}
    if COLLECTD and PLUGIN.exists():
        programs["collectd"] = collectd_args(where)
    else:
        table.note("collectd is not installed (scripts/setup --test): not compared with it")
    for number in (1, 2):
        used, ram, gaps = {}, {}, {}
        for name, args in programs.items():
            used[name], ram[name], gaps[name] = turn(args, where, window_s)
        table.note(f"turn {number}: " + ", ".join(
            f"{name} {used[name]:.2f} us a sample" for name in programs))
        table.note(f"  ours / bare epoll loop {used['ours'] / used['floor']:.2f}")
        if "collectd" in used:
            times = used["collectd"] / used["ours"]
            table.row("CPU per sample, collectd / ours", times, f"{times:.1f}", 25, 60, True)
            table.note(f"  RssAnon of collectd {ram['collectd']['RssAnon']:.1f} MiB, its poll "
                       f"interval sd {1000 * gaps['collectd']['gap_sd']:.2f} ms")
        anon = ram["ours"]["RssAnon"]
        table.row("RssAnon of polling and decoding, MiB", anon, f"{anon:.1f}", 10, 6)
        worst = worst_ms(gaps["ours"])
        table.row("worst poll interval deviation at 500, ms", worst, f"{worst:.2f}", 20, 5)
        table.note(f"  of the bare epoll loop {worst_ms(gaps['floor']):.2f} ms: what machine and "
                   "load generator add")


def intervals_at_100(where, table, window_s):
    with Load(where, devices=100, seconds=WARM_UP_S + window_s + 20) as load, \
            running([POLL_BENCH, PORT, 100, WARM_UP_S + window_s + 10], where):
        time.sleep(WARM_UP_S)
        load.counters()
        time.sleep(window_s)
        sd = 1000 * load.counters()["gap_sd"]
    table.row("poll interval standard deviation at 100, ms", sd, f"{sd:.2f}", 2, 0.5)


# ---- good units beside dead ones ----

def unit_counts(load):
    found = load.counters()
    return {int(k[4:]): v["ok"] for k, v in found.items() if k.startswith("unit")}


def one_dead_of_ten(where, table, window_s):
    with Load(where, devices=1, seconds=WARM_UP_S + window_s + 20, options=["-U", "4"]) as load, \
            running([POLL_BENCH, PORT, 1, WARM_UP_S + window_s + 10, 10], where):
        time.sleep(WARM_UP_S)
        before, begin = unit_counts(load), time.monotonic()
        time.sleep(window_s)
        after, took = unit_counts(load), time.monotonic() - begin
    good = [unit for unit in range(1, 11) if unit != 4]
    shares = [(after.get(u, 0) - before.get(u, 0)) / took for u in good]
    table.row("good units, 1 of 10 dead behind a connection", min(shares),
              f"{sum(shares) / 9:.3f} (worst {min(shares):.3f})", 0.97, 0.99, True)


def five_dead_of_twenty(where, table, window_s):
    dead = [option for i in (0, 4, 8, 12, 16) for option in ("-D", str(i))]
    with Load(where, devices=20, seconds=WARM_UP_S + window_s + 20, options=dead):
        done = subprocess.run([POLL_BENCH, str(PORT), "20", str(window_s)], cwd=where,
                              capture_output=True, text=True, check=True)
    found = dict(re.findall(r"(\w+)=(\S+)", done.stdout))
    share = int(found["good"]) / (15 * window_s)
    table.row("good units, 5 of 20 dead on TCP", share, f"{share:.3f}", 0.97, 0.99, True)


# ---- a serial line ----

def line_use(where, table, window_s):
    link = where / "line"
    with running([PACED_SLAVE, link, 9600, window_s + 20], where, "slave.log"):
        while not link.is_symlink():
            time.sleep(0.05)
        done = subprocess.run([POLL_BENCH, "rtu", link, "9600", str(window_s), "10"], cwd=where,
                              capture_output=True, text=True, check=True)
    found = dict(re.findall(r"(\w+)=(\S+)", done.stdout))
    rate = int(found["good"]) / window_s
    early = re.search(r"early=(\d+)", (where / "slave.log").read_text())
    table.row("RTU line use, 9600 8N1, 50 registers", rate / WIRE_LIMIT,
              f"{rate:.2f}/s, {100 * rate / WIRE_LIMIT:.1f} %", 0.94, 0.97, True)
    if early and int(early.group(1)):
        table.note(f"  {early.group(1)} requests came before 3.5 characters of silence were over")


# ---- coming back ----

def answer_of(request):
    """Of function 3 over TCP."""
    count = struct.unpack(">H", request[10:12])[0]
    pdu = bytes([3, 2 * count]) + bytes(2 * count)
    return request[:4] + struct.pack(">H", 1 + len(pdu)) + request[6:7] + pdu


class Server(threading.Thread):
    """A Modbus TCP server that notes when it had its first request."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.begin, self.first, self.client = time.monotonic(), None, None
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            self.client, _ = self.listener.accept()
            while request := self.client.recv(12):
                self.first = self.first or time.monotonic()
                self.client.sendall(answer_of(request))

    def wait_first(self, seconds):
        end = time.monotonic() + seconds
        while not self.first and time.monotonic() < end:
            time.sleep(0.005)
        return self.first - self.begin if self.first else float("inf")

    def close(self):
        """As a device that loses its power: the connection is reset at the next word."""
        for s in (self.client, self.listener):
            with contextlib.suppress(OSError, AttributeError):
                s.shutdown(socket.SHUT_RDWR)
                s.close()
        self.join()


def return_of_device(where, table, outages):
    server = Server(0)
    port, worst = server.port, 0
    with running([POLL_BENCH, port, 1, int(sum(outages)) + 10 * len(outages) + 10], where):
        server.wait_first(10)
        for outage in outages:
            time.sleep(2)
            server.close()
            time.sleep(outage)
            server = Server(port)
            worst = max(worst, server.wait_first(10))
    server.close()
    table.row("first request after a device is back, s", worst,
              f"{worst:.2f} (worst of {len(outages)})", 2)


class Adapter:
    """A pseudo terminal behind a link, as a serial adapter that can be pulled."""

    def __init__(self, link):
        self.link = link
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        link.symlink_to(os.ttyname(self.slave))
        self.begin = time.monotonic()

    def wait_first(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                if os.read(self.master, 256):
                    return time.monotonic() - self.begin
            time.sleep(0.005)
        return float("inf")

    def pull(self):
        self.link.unlink()
        os.close(self.slave)
        os.close(self.master)


def return_of_port(where, table, outages):
    link = where / "adapter"
    adapter, worst = Adapter(link), 0
    with running([POLL_BENCH, "rtu", link, 9600, int(sum(outages)) + 10 * len(outages) + 10],
                 where):
        adapter.wait_first(10)
        for outage in outages:
            time.sleep(2)
            adapter.pull()
            time.sleep(outage)
            adapter = Adapter(link)
            worst = max(worst, adapter.wait_first(10))
    adapter.pull()
    table.row("first request after a port is back, s", worst,
              f"{worst:.2f} (worst of {len(outages)})", 2)


def bench(where, window_s):
    """How many figures do not hold."""
    build("tests/bench/poll_bench", "tests/bench/paced_slave")
    table = Table()
    outages = (0.3, 1, 2.5, 4, 8) if window_s >= 60 else (0.3, 2.5)
    table.note(f"windows of {window_s} s after {WARM_UP_S} s of warming up; {DEVICES} TCP "
               f"devices x {VALUES} floats at 1 Hz where nothing else is said")
    if peer("mbsim", where):
        compare_cpu(where, table, window_s)
        intervals_at_100(where, table, window_s)
        one_dead_of_ten(where, table, window_s)
        five_dead_of_twenty(where, table, window_s)
    else:
        table.note(f"no load generator in {SHARED}/bench/peers: nothing over TCP is measured")
    line_use(where, table, window_s)
    return_of_device(where, table, outages)
    return_of_port(where, table, outages)
    return table.missed
