# SPDX-License-Identifier: Apache-2.0
"""30 days of 50 channels a minute, drained through mosquitto and ingest into VictoriaMetrics."""
import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from measure import BUILD, build, cpu_ns, memory, running

HOLD_S, AIM_S, LIMIT_S = 60, 10, 300
DAYS, DEVICES, CHANNELS = 30, 5, 10


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, timeout=30):
    with urllib.request.urlopen(url, timeout=timeout) as r:
        return r.read()


def wait_for(url):
    for _ in range(200):
        try:
            return get(url, 1)
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


def points(url):
    get(f"{url}/internal/force_flush")
    query = urllib.parse.urlencode({"match[]": '{__name__="ozone_f"}', "start": "1970-01-02T00:00:00Z"})
    return sum(len(json.loads(line)["values"]) for line in get(f"{url}/api/v1/export?{query}", 120).splitlines())


def settings(where, broker):
    (where / "mosquitto.conf").write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\n"
                                          "persistence false\nuser root\n")
    (where / "station.yaml").write_text(
        "station: {id: backlog, region: demo, names: {en: B, zh: 积}}\nbuses: []\ndevices: []\n"
        f'uplinks: [{{id: centre, type: mqtt, url: "mqtt://127.0.0.1:{broker}"}}]\n'
        f"log: {{path: {where}/log.db}}\nhttp: {{listen: 'off'}}\ncontrol: {where}/control.sock\n")


def drain(where, seal_rows, dense):
    """Seconds until the station knows that the database has it all on its disk; CPU of each."""
    samples = int(subprocess.run([BUILD / "tests/bench/backlog_fill", where / "log.db", str(DAYS),
                                  str(DEVICES), str(CHANNELS), str(seal_rows), str(int(dense))],
                                 check=True, capture_output=True, text=True).stdout)
    broker, database = free_port(), free_port()
    url = f"http://127.0.0.1:{database}"
    settings(where, broker)
    with running(["/usr/bin/victoria-metrics", f"-storageDataPath={where}/vm", f"-httpListenAddr=127.0.0.1:{database}",
                  "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms", "-memory.allowedBytes=512MB",
                  "-loggerLevel=WARN"], where, "vm.log") as db, \
            running(["/usr/sbin/mosquitto", "-c", where / "mosquitto.conf"], where, "mosquitto.log") as mosquitto:
        wait_for(f"{url}/health")
        time.sleep(3)  # it is not the first second of the database that is measured
        with running([BUILD / "sluice", "ingest", "--broker", f"mqtt://127.0.0.1:{broker}", "--db", url],
                     where, "ingest.log") as ingest:
            while "ready" not in (where / "ingest.log").read_text():
                time.sleep(0.05)
            parts = {"victoria-metrics": db.pid, "mosquitto": mosquitto.pid, "ingest": ingest.pid}
            before = {n: cpu_ns(p) for n, p in parts.items()}
            began = time.monotonic()
            gateway = subprocess.run([BUILD / "sluice", "run", "--drain", "--config", "station.yaml"], cwd=where,
                                     capture_output=True, text=True, timeout=LIMIT_S)
            took = time.monotonic() - began
            cpu = {n: (cpu_ns(p) - before[n]) / 1e9 for n, p in parts.items()}
            ram = memory(ingest.pid)["VmRSS"]
        stored = points(url)
    if gateway.returncode != 0:
        print(gateway.stderr[-2000:], file=sys.stderr)
    return samples, stored, took, cpu, ram


def bench(where, _):
    build("sluice", "tests/bench/backlog_fill")
    missed = 0
    for name, seal_rows, dense in (("DENSE, 5 rows a frame", 5, True), ("PLAIN, 5 rows a frame", 5, False),
                                   ("DENSE, 60 rows a frame", 60, True)):
        place = pathlib.Path(where) / str(seal_rows * 2 + dense)
        place.mkdir()
        samples, stored, took, cpu, ram = drain(place, seal_rows, dense)
        verdict = "holds" if took <= HOLD_S and stored == samples else "DOES NOT HOLD"
        missed += verdict != "holds"
        print(f"{name}: {samples} samples, {stored} stored, {took:.1f} s ({samples / took:.0f}/s) of "
              f"{HOLD_S} (aim {AIM_S}): {verdict}; CPU s " +
              ", ".join(f"{n} {s:.1f}" for n, s in cpu.items()) + f"; ingest {ram:.0f} MiB", flush=True)
    return missed
