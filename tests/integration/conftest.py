"""Real brokers, databases, simulators and gateways for the tests, each in a directory of its own.

Everything listens on a free loopback port and is stopped by pid, also when a test fails; what a
process printed is shown then.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SLUICE_BINARY", ROOT / "build" / "sluice"))
SHARED = pathlib.Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
SANITIZER = re.compile(r"(?:Sanitizer: |: runtime error: )")


def pytest_configure(config):
    config.addinivalue_line("markers", "short: part of the short selection for sanitizer builds")
    config.addinivalue_line("markers", "slow(seconds): about how long, if more than ten")


def pytest_collection_modifyitems(items):
    """The slow ones first, so that none is left over at the end, alone."""
    items.sort(key=lambda item: -sum(m.args[0] for m in item.iter_markers("slow")))


RESERVED = []  # sockets, until the process ends


def free_port():
    """A port that nobody else is given: bound, and so free only for who binds it by number and
    with SO_REUSEADDR, as servers do. It refuses connections until then."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    RESERVED.append(s)
    return s.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls a condition with a deadline; what it returned last."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s in vain for {what}"
        threading.Event().wait(0.05)


def rows_of(log):
    """Of a station's log; 0 as long as it is not made yet."""
    if not log.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as db:
        try:
            found = db.execute("SELECT rows FROM log").fetchone()
        except sqlite3.OperationalError as e:
            assert "no such table" in str(e), e
            found = None
    return found[0] if found else 0


def http_get(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as r:
        return r.read()


def http_json(url):
    return json.loads(http_get(url))


def answers(url):
    try:
        return bool(http_get(url, 1)) or True
    except (OSError, urllib.error.URLError):
        return False


class Process:
    """A child whose output goes to a file and which never outlives the test."""

    def __init__(self, args, cwd, name):
        self.args = [str(a) for a in args]
        self.cwd = pathlib.Path(cwd)
        self.log = self.cwd / f"{name}.log"
        self.name = name
        self.child = None

    def start(self):
        out = open(self.log, "ab")
        env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
        self.child = subprocess.Popen(self.args, cwd=self.cwd, stdout=out, stderr=out, env=env)
        out.close()
        return self

    @property
    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def wait_line(self, part, seconds=10):
        def found():
            assert self.is_running() or part in self.text, f"{self.name} ended:\n{self.text[-3000:]}"
            return part in self.text
        wait_until(found, seconds, f"'{part}' of {self.name}")
        return self

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self, seconds=10):
        """SIGTERM; returns the exit status and how long it took."""
        if not self.is_running():
            return self.child.returncode if self.child else None, 0.0
        begin = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end in {seconds} s:\n{self.text[-3000:]}")
        return self.child.returncode, time.monotonic() - begin


class Broker(Process):
    """Debian's mosquitto."""

    def __init__(self, cwd, port=None):
        self.port = port or free_port()
        conf = pathlib.Path(cwd) / "mosquitto.conf"
        conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                        "persistence false\nlog_type error\nuser root\n")
        super().__init__(["/usr/sbin/mosquitto", "-c", conf], cwd, "mosquitto")

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        super().start()

        def connects():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        wait_until(connects, 10, "mosquitto")
        return self


class Victoria(Process):
    """Debian's victoria-metrics; every sample once, raw."""

    def __init__(self, cwd, port=None):
        self.port = port or free_port()
        super().__init__(["/usr/bin/victoria-metrics", f"-storageDataPath={cwd}/vm",
                          f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=100y",
                          "-dedup.minScrapeInterval=1ms", "-memory.allowedBytes=256MB",
                          "-loggerLevel=WARN"], cwd, "victoria-metrics")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        super().start()
        wait_until(lambda: answers(f"{self.url}/health"), 20, "victoria-metrics")
        return self

    def series(self, match='{__name__=~".+_f"}'):
        """{(name, dev, ch): {time: value}} of everything stored."""
        http_get(f"{self.url}/internal/force_flush", 30)
        query = urllib.parse.urlencode({"match[]": match, "start": "1970-01-02T00:00:00Z",
                                        "end": "2099-12-31T00:00:00Z"})
        found = {}
        for line in http_get(f"{self.url}/api/v1/export?{query}", 60).splitlines():
            row = json.loads(line)
            m = row["metric"]
            key = (m["__name__"], m.get("dev"), m.get("ch"))
            found.setdefault(key, {}).update(zip(row["timestamps"], row["values"]))
        return found

    def count(self, match='{__name__=~".+_f"}'):
        return sum(len(points) for points in self.series(match).values())


class Influx(Process):
    """Debian's influxd 1.6."""

    def __init__(self, cwd):
        self.port = free_port()
        conf = pathlib.Path(cwd) / "influxdb.conf"
        conf.write_text(
            "reporting-disabled = true\n"
            f'bind-address = "127.0.0.1:{free_port()}"\n'
            f'[meta]\n  dir = "{cwd}/influx/meta"\n'
            f'[data]\n  dir = "{cwd}/influx/data"\n  wal-dir = "{cwd}/influx/wal"\n'
            f'[http]\n  bind-address = "127.0.0.1:{self.port}"\n  log-enabled = false\n'
            "[monitor]\n  store-enabled = false\n")
        super().__init__(["/usr/bin/influxd", "-config", conf], cwd, "influxd")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def query(self, q, db="sluice"):
        data = urllib.parse.urlencode({"q": q, "db": db, "epoch": "ms"}).encode()
        with urllib.request.urlopen(f"{self.url}/query", data, timeout=30) as r:
            return json.load(r)

    def start(self):
        super().start()
        wait_until(lambda: answers(f"{self.url}/query?q=SHOW+DATABASES"), 30, "influxd")
        self.query("CREATE DATABASE sluice")
        return self


class Place:
    """A directory with what a test starts in it, all of it stopped at the end."""

    def __init__(self, path):
        self.path = path
        self.processes = []

    def add(self, process):
        self.processes.append(process)
        return process.start()

    def broker(self):
        return self.add(Broker(self.path))

    def victoria(self):
        return self.add(Victoria(self.path))

    def influx(self):
        return self.add(Influx(self.path))

    def ingest(self, broker, db, *options):
        return self.add(Process([BINARY, "ingest", "--broker", broker.url, "--db", db,
                                 "--ack-interval", "0.2", *options], self.path, "ingest"))

    def station_file(self, text, name="station.yaml"):
        path = self.path / name
        path.write_text(text)
        return path

    def sim(self, station, *options):
        p = self.add(Process([BINARY, "sim", "--station", station, *options], self.path, "sim"))
        return p.wait_line("ready")

    def gateway(self, station, *options):
        return self.add(Process([BINARY, "run", "--config", station, *options], self.path,
                                "gateway"))

    def drain(self, station, seconds=60):
        done = subprocess.run([BINARY, "run", "--drain", "--config", station], cwd=self.path,
                              capture_output=True, text=True, timeout=seconds)
        assert done.returncode == 0, done.stderr
        return done

    def stop(self):
        for p in reversed(self.processes):
            if p.is_running():
                p.kill()


@pytest.fixture
def place(tmp_path, request):
    p = Place(tmp_path)
    yield p
    p.stop()
    if getattr(request.node, "has_failed", False):
        for process in p.processes:
            print(f"---- {process.name}: {' '.join(process.args)}\n{process.text[-4000:]}")
    for process in p.processes:  # what a sanitizer says of a process that is killed later on
        assert not SANITIZER.search(process.text), process.text[-4000:]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        item.has_failed = True


@pytest.fixture(scope="session")
def binary():
    assert BINARY.exists(), f"{BINARY} is not built; run ./scripts/build"
    return BINARY


# Raises an alert at the first sample.
ALWAYS_YELLOW = """rules:
  - id: always
    title: {en: Level over nothing, zh: 试验报警}
    selector: {quantity: sound_level}
    input: raw
    levels: {yellow: {set: 1, clear: 0.5, on: 1 of 1, off: 1 of 1}}
"""
# One instrument of each medium, as the demonstration has them; name: (profile, point, quantity).
INSTRUMENTS = {
    "roof-o3": ("teledyne-t400", "ozone"),
    "river-ph": ("eh-liquiline-cm44x", "ph"),
    "gamma": ("generic-gamma-f32", "dose_rate_air"),
    "hall": ("wirenboard-wb-msw4", "sound_level"),
}


def sluice(*args, table="", lang="en", status=0):
    """A command that reads the table and ends; what it printed, in its language."""
    env = {k: v for k, v in os.environ.items() if k != "SLUICE_LANG"}
    done = subprocess.run([BINARY, *args], input=table.encode(), capture_output=True, timeout=60,
                          env={**env, "LC_ALL": f"{lang}.UTF-8"})
    assert done.returncode == status, done.stderr.decode()
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def profile_yaml(name, points, medium="weather", serial=None, rest="",
                 read="{max: 50, gap: 20, timeout: 4s, retries: 0}"):
    """A profile of points, each the inside of a flow mapping. serial: of an instrument with a
    line, too. rest: what stands behind the points."""
    return "\n".join([
        "profile: 1", f"id: {name}", "names: {en: Test instrument, zh: 试验仪器}", "vendor: none",
        "models: [test]", f"medium: {medium}", "verified: datasheet",
        'sources: ["made up for this test"]', "bus:",
        f"  transports: [{'rtu, ' if serial else ''}tcp]",
        *([f"  serial: {serial}"] if serial else []),
        "  doc_base: 0", "  order: ABCD", f"  read: {read}", "points:",
        *[f"  - {{{p}}}" for p in points], rest])


def station_yaml(path, devices, uplinks="[]", poll="1s", extra="", http="127.0.0.1:0",
                 commit="1s"):
    """A station whose devices each have a TCP bus of their own: {name: (profile, port)}."""
    lines = ["station: {id: test-01, region: demo, names: {en: Test, zh: 试验站}}", "buses:"]
    lines += [f"  - {{id: bus-{n}, type: modbus-tcp, host: 127.0.0.1, port: {port}}}"
              for n, (_, port) in devices.items()]
    lines += ["devices:"]
    lines += [f"  - {{id: {n}, profile: {profile}, bus: bus-{n}, unit: 1, poll: {poll}}}"
              for n, (profile, _) in devices.items()]
    lines += [f"uplinks: {uplinks}",
              f"log: {{path: {path}/station.db, commit: {commit}, seal: 2s}}",
              f"http: {{listen: '{http}'}}", f"control: {path}/control.sock", extra]
    return "\n".join(lines) + "\n"


@pytest.fixture
def demo_page(binary, place):
    """A station with four simulated instruments and its page: the URL."""
    devices = {n: (profile, free_port()) for n, (profile, _) in INSTRUMENTS.items()}
    port = free_port()
    station = place.station_file(station_yaml(place.path, devices, extra=ALWAYS_YELLOW,
                                              http=f"127.0.0.1:{port}"))
    place.sim(station)
    place.gateway(station)
    url = f"http://127.0.0.1:{port}/"
    wait_until(lambda: answers(url), 10, "the page")
    return url
