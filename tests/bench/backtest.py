# SPDX-License-Identifier: Apache-2.0
"""A channel-year at one minute judged by a rule once more, from a log, on one core."""
import json
import os
import resource
import subprocess
import time

from measure import BUILD, build

T0, DAYS, MINUTES = 1735689600, 365, 525600  # 2025
HOLD_S, AIM_S = 10, 3
EVERY, LASTS, ADDED = 40000, 120, 150  # minutes, ug/m3: thirteen events


def station(where, channels):
    points = "".join(f'  - {{id: c{i}, at: "h:{2 * i}", type: f32, unit: ug/m3, quantity: ozone, '
                     "range: [0, 1000]}\n" for i in range(channels))
    (where / "bench-year.yaml").write_text(
        "profile: 1\nid: bench-year\nnames: {en: Load, zh: 负载}\nvendor: none\nmodels: [B]\n"
        "medium: air\nverified: template\nsources: [none]\n"
        "bus: {transports: [tcp], doc_base: 0, order: ABCD, "
        "read: {max: 125, gap: 0, timeout: 1s}}\npoints:\n" + points)
    (where / "station.yaml").write_text(
        "station: {id: year-01, region: demo, names: {en: Load, zh: 负载}}\n"
        f"profiles: [{where}]\n"
        "buses: [{id: b, type: modbus-tcp, host: 127.0.0.1, port: 502}]\n"
        "devices: [{id: roof, profile: bench-year, bus: b, unit: 1, poll: 1min}]\n"
        "rules:\n  - {id: high, selector: {quantity: ozone}, "
        "levels: {yellow: {set: 160}, red: {set: 300}}}\n")


def labels(where):
    starts = range(EVERY // 2, MINUTES, EVERY)
    (where / "labels.csv").write_text("start,end,kind\n" + "".join(
        f"{T0 + 60 * s},{T0 + 60 * (s + LASTS)},event\n" for s in starts))
    return len(starts)


def measure(where, channels):
    """Seconds of wall clock and CPU, memory, and what was counted."""
    station(where, channels)
    log = where / f"log-{channels}.db"
    subprocess.run([BUILD / "tests/bench/year_log", where / "station.yaml", log, str(T0), str(DAYS),
                    str(EVERY), str(LASTS), str(ADDED)], check=True)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    one_core = {os.sched_getaffinity(0).pop()}
    done = subprocess.run(
        [BUILD / "sluice", "replay", "--station", where / "station.yaml", "--log", log,
         "--rules-only", "--labels", where / "labels.csv", "--json"], check=True,
        capture_output=True, preexec_fn=lambda: os.sched_setaffinity(0, one_core))
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, log.stat().st_size, json.loads(done.stdout)["backtest"]["rules"][0]


def bench(where, _):
    build("sluice", "tests/bench/year_log")
    events = labels(where)
    for channels in (1, 25):
        wall, cpu, size, told = measure(where, channels)
        found = f"{told['true']} of {told['events']} events, {told['false']} false"
        print(f"a year of {channels} channel{'s' * (channels > 1)} x 1 min, {size / 1e6:.1f} MB of "
              f"log: {wall:.2f} s, {cpu:.2f} s of CPU, {1e6 * cpu / MINUTES / channels:.2f} us a "
              f"sample; {found}")
        if channels == 1:
            first = wall, told
    wall, told = first
    verdict = "aim reached" if wall <= AIM_S else "holds" if wall <= HOLD_S else "MISSED"
    print(f"one channel-year: {wall:.2f} s; hold {HOLD_S}, aim {AIM_S}: {verdict}")
    return 0 if wall <= HOLD_S and told["true"] == events and told["false"] == 0 else 1
