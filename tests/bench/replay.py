# SPDX-License-Identifier: Apache-2.0
"""A week of 8 devices x 25 channels each second through `sluice replay --station`, on one core."""
import os
import pathlib
import random
import resource
import subprocess
import time

from measure import BUILD, build

DEVICES, CHANNELS, DAYS, T0 = 8, 25, 7, 1767225600
DAY_S = 86400
HOLD_S, AIM_S = 360, 120  # of a week

# A station as they are built: what the quantities' own checks are is part of the cost.
QUANTITIES = [("air_temp", "Cel", 18.0), ("rh", "%", 55.0), ("press", "hPa", 1013.0),
              ("wind_speed", "m/s", 3.0), ("wind_dir", "deg", 180.0), ("pm2_5", "ug/m3", 35.0),
              ("pm10", "ug/m3", 60.0), ("ozone", "ug/m3", 80.0), ("no2", "ug/m3", 40.0),
              ("so2", "ug/m3", 12.0), ("co", "mg/m3", 1.1), ("laeq", "dB{A}", 52.0)]


def station(where):
    points = []
    for i in range(CHANNELS):
        quantity, unit, _ = QUANTITIES[i % len(QUANTITIES)]
        points.append(f'  - {{id: c{i}, at: "h:{2 * i}", type: f32, unit: "{unit}", '
                      f"quantity: {quantity}, range: [-100, 2000]}}")
    (where / "bench-week.yaml").write_text(
        "profile: 1\nid: bench-week\nnames: {en: Load, zh: 负载}\nvendor: none\nmodels: [B]\n"
        "medium: air\nverified: template\nsources: [none]\n"
        "bus: {transports: [tcp], doc_base: 0, order: ABCD, "
        "read: {max: 125, gap: 0, timeout: 1s}}\npoints:\n" + "\n".join(points) + "\n")
    lines = ["station: {id: week-01, region: demo, names: {en: Load, zh: 负载}}",
             f"profiles: [{where}]", "buses:",
             "  - {id: b, type: modbus-tcp, host: 127.0.0.1, port: 502}", "devices:"]
    lines += [f"  - {{id: d{i}, profile: bench-week, bus: b, unit: {i + 1}, poll: 1s}}"
              for i in range(DEVICES)]
    lines += ["rules:"]
    lines += [f"  - {{id: high_{q}, selector: {{quantity: {q}}}, levels: {{red: {{set: 100000}}}}}}"
              for q, _, _ in QUANTITIES if q not in ("rh", "wind_dir")]
    (where / "station.yaml").write_text("\n".join(lines) + "\n")


def day_of(device):
    """The rows of a day without their times: each channel wanders by a tenth or two."""
    rng = random.Random(device)
    columns = []
    for i in range(CHANNELS):
        base = QUANTITIES[i % len(QUANTITIES)][2]
        texts = [f"{base * (1 + (k - 32) / 400):.{2 if base < 10 else 1}f}" for k in range(64)]
        at, column = 32, []
        for step in rng.choices((-1, 0, 0, 1), k=DAY_S):
            at = min(63, max(0, at + step))
            column.append(texts[at])
        columns.append(column)
    return [",".join(row) for row in zip(*columns)]


def series(where, days):
    where.mkdir()
    for device in range(DEVICES):
        rows = day_of(device)
        with open(where / f"d{device}.csv", "w") as out:
            out.write("time," + ",".join(f"c{i}" for i in range(CHANNELS)) + "\n")
            for day in range(days):
                first = T0 + day * DAY_S
                out.write("".join(f"{first + s},{row}\n" for s, row in enumerate(rows)))


def bench(where, days):
    """days: fewer are scaled to a week, and it is said."""
    days = min(days or DAYS, DAYS)
    build("sluice")
    station(where)
    series(where / "series", days)
    out = where / "out"
    command = [BUILD / "sluice", "replay", "--station", where / "station.yaml", "--series",
               where / "series", "--out", out]
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    one_core = {os.sched_getaffinity(0).pop()}
    subprocess.run(command, check=True, preexec_fn=lambda: os.sched_setaffinity(0, one_core))
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    week, values = wall * DAYS / days, DEVICES * CHANNELS * DAY_S * days
    lines = sum(1 for _ in open(out / "flags.csv", "rb")) - 1
    size = sum(f.stat().st_size for f in pathlib.Path(out).iterdir())
    scaled = "" if days == DAYS else f" (measured {days} of {DAYS} days, scaled)"
    print(f"{values} values, {lines} lines of flags, {size / 1e9:.2f} GB written: {wall:.1f} s, "
          f"{cpu:.1f} s of CPU, {1e6 * cpu / values:.3f} us a value, "
          f"{after.ru_maxrss / 1024:.0f} MiB")
    verdict = "aim reached" if week <= AIM_S else "holds" if week <= HOLD_S else "MISSED"
    print(f"a week at {DEVICES * CHANNELS} channels x 1 s on one core: {week:.0f} s{scaled}; "
          f"hold {HOLD_S}, aim {AIM_S}: {verdict}")
    return 0 if week <= HOLD_S and lines == values else 1
