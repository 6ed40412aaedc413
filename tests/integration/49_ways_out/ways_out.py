"""A station whose alerts go out, an Alertmanager, and a web server that misbehaves as told."""
import http.server
import json
import os
import pathlib
import sqlite3
import subprocess
import threading
import time
import urllib.request

from conftest import BINARY, Process, answers, free_port, profile_yaml, station_yaml, wait_until

RULE = """profiles: [profiles]
alerts: {flap: 0, reopen: 0s}
rules:
  - id: smog
    title: {en: 'Smog <&>"', zh: '烟雾 <&>'}
    selector: {quantity: ozone}
    input: raw
    hold_after: 0
    rearm: 0s
    levels:
      yellow: {set: 150, clear: 100, on: 1 of 1, off: 1 of 1}
      red: {set: 250, clear: 230, on: 1 of 1, off: 1 of 1}
"""


class Site:
    """An ozone analyser and the gateway with some uplinks."""

    def __init__(self, place, uplinks, ozone=50, is_started=True, station="", channel=""):
        self.place, self.uplinks, self.station = place, uplinks, station
        self.channel = channel or "stuck: 0, rate: {suspect: 0}, spike: {suspect: 0}"
        self.devices = {"gas-1": ("test-analyser", free_port())}
        folder = place.path / "profiles"
        folder.mkdir()
        (folder / "test-analyser.yaml").write_text(profile_yaml(
            "test-analyser", ["id: ozone, at: 'h:0', type: f32, unit: 'ug/m3', quantity: ozone, "
                              "range: [-20, 1000]"], medium="air"))
        text = station_yaml(place.path, self.devices, uplinks, poll="200ms", extra=RULE,
                            http="off", commit="100ms")
        text = text.replace("poll: 200ms}", "poll: 200ms, channels: {ozone: {%s}}}" % self.channel)
        text = text.replace("en: Test,", "en: 'North & <1>',", 1)
        if station:
            text = text.replace("station: {", "station: {" + station + ", ", 1)
        self.file = place.station_file(text)
        self.sim = None
        self.show(ozone)
        if is_started:
            self.gateway = place.gateway(self.file).wait_line("runs:")

    def show(self, ozone):
        """The analyser reads this from now on."""
        if self.sim:
            self.sim.stop()
        self.sim = self.place.sim(self.file, "--set", f"ozone={ozone}")

    def alert(self, *args):
        done = subprocess.run([BINARY, "alert", "--control", self.place.path / "control.sock",
                               *args, "--json"], capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))
        return json.loads(done.stdout) if done.stdout else None

    def wait_level(self, level):
        def found():
            answer = self.alert("list")
            return answer and [a for a in answer["alerts"] if a["level"] == level]
        return wait_until(found, 40, f"an alert at {level}")[0]

    def restart(self):
        self.gateway.kill()
        self.gateway.start()

    def events(self):
        with sqlite3.connect(f"file:{self.place.path}/station.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT data FROM entry WHERE kind = 2 ORDER BY seq").fetchall()
        return [e for e in (json.loads(r[0]) for r in rows) if e["kind"] == "alert"]


class Alertmanager(Process):
    """Debian's prometheus-alertmanager, which remembers nothing."""

    def __init__(self, place):
        self.port, self.runs = free_port(), 0
        self.folder = pathlib.Path(place.path) / "alertmanager"
        self.folder.mkdir()
        conf = self.folder / "alertmanager.yml"
        conf.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(["/usr/bin/prometheus-alertmanager", f"--config.file={conf}",
                          f"--storage.path={self.folder}/data", "--cluster.listen-address=",
                          f"--web.listen-address=127.0.0.1:{self.port}"], place.path,
                         "alertmanager")

    def start(self):
        super().start()
        wait_until(lambda: answers(self.url + "/-/ready"), 15, "the Alertmanager")
        return self

    def alerts(self):
        with urllib.request.urlopen(self.url + "/api/v2/alerts", timeout=5) as r:
            return json.load(r)

    def wait(self, condition, what, seconds=20):
        return wait_until(lambda: (lambda found: found if condition(found) else None)(
            self.alerts() or [None]), seconds, what)


class Hook:
    """Answers each POST as the script says: a status, "drop" (reads, answers nothing), "slow"."""

    def __init__(self, script=()):
        self.script, self.requests, self.lock = list(script), [], threading.Lock()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                act = hook.take(dict(self.headers), body)
                if act == "drop":
                    self.close_connection = True
                    self.connection.close()
                    return
                if act == "slow":
                    time.sleep(3)
                    act = 200
                self.send_response(act)
                if 300 <= act < 400:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body):
        with self.lock:
            act = self.script.pop(0) if self.script else 200
            self.requests.append((act, headers, body))
            return act

    def accepted(self):
        """What was answered with 2xx, in order."""
        with self.lock:
            return [(h, b) for act, h, b in self.requests if act in (200, 204, "slow")]

    def wait(self, n, seconds=30):
        wait_until(lambda: len(self.accepted()) >= n, seconds, f"{n} requests")
        return self.accepted()
