# SPDX-License-Identifier: Apache-2.0
"""The labelled alert scenarios through `sluice replay`, by a station that an engineer would set up.

Each scenario's line of meta.json becomes a configuration by the rules below, the same for all:

  channel   the quantity of the parameter, its gross range as range, polled every step_s
  beside    aux1 and aux2 are channels of the same station, of the quantity that their words name
  watch     the channel, with limit_high as `above`, limit_low as `below`, its resolution, and what
            is beside it
  rules     one for each limit: input: event, told at once and never held back (rearm: 0s)
  checks    those of the quantity, but for stuck: the watch has its own

A flag C in a series is the instrument's status calibration. Labels are read by the scorer alone.
"""
import csv
import datetime
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from measure import BUILD, SHARED, build

# What the parameters of the data sheets are called here: quantity, unit.
PARAMETERS = {
    "pm2.5": ("pm2_5", "ug/m3"), "pm10": ("pm10", "ug/m3"), "so2": ("so2", "ug/m3"),
    "no2": ("no2", "ug/m3"), "o3": ("o3", "ug/m3"), "co": ("co", "mg/m3"),
    "ph": ("ph", "[pH]"), "do": ("dissolved_oxygen", "mg/L"), "turb": ("turbidity", "{NTU}"),
    "cond": ("conductivity", "uS/cm"), "leit": ("conductivity", "uS/cm"), "redox": ("orp", "mV"),
    "turbidity": ("turbidity", "{NTU}"), "ec": ("conductivity", "uS/cm"),
    "conductivity": ("conductivity", "uS/cm"), "dissolved oxygen": ("dissolved_oxygen", "mg/L"),
    "orp": ("orp", "mV"), "cpm": ("count_rate", "{count}/min"), "counts": ("count_rate", "{count}/min"),
    "laeq": ("laeq", "dB[SPL]"), "leq": ("laeq", "dB[SPL]"),
}
# What is beside: words of the data sheet, key of the watch; quantity and unit, or None: its own.
BESIDE = [
    ("neighbour", "neighbours", None), ("twin", "twin", None),
    ("rain", "rain", ("precip_intensity", "mm/h")), ("wind", "wind", ("wind_speed", "m/s")),
]
NOT_ASKED = ("upstream", "stage", "flow")  # what a watch of water does without
CALIBRATION = 1  # a sample's flag: status calibration


def quantity_of(meta):
    own = PARAMETERS.get(meta["parameter"].lower())
    if not own:
        raise SystemExit(f"nobody knows which quantity {meta['parameter']!r} is")
    return own


def beside(words, own):
    for word, key, what in BESIDE:
        if words and word in words:
            return key, what or own
    if words and not any(word in words for word in NOT_ASKED):
        raise SystemExit(f"nobody knows what to do with {words!r} beside a channel")
    return None


def point(name, at, what, low, high):
    quantity, unit = what
    return (f'  - {{id: {name}, at: "h:{at}", type: f32, unit: "{unit}", quantity: {quantity}, '
            f"range: [{low}, {high}]}}\n")


def profile(where, name, medium, points):
    (where / f"{name}.yaml").write_text(
        f"profile: 1\nid: {name}\nnames: {{en: Scenario, zh: 情景}}\nvendor: none\nmodels: [S]\n"
        f"medium: {medium}\nverified: template\nsources: [none]\n"
        "bus: {transports: [tcp], doc_base: 0, order: ABCD, "
        "read: {max: 125, gap: 0, timeout: 1s}}\npoints:\n" + points)


def configure(where, meta):
    """The station of one scenario; returns its columns: channel, column of the series."""
    own = quantity_of(meta)
    columns, points, keys = {"site/value": "value"}, "", []
    for i, aux in enumerate(("aux1", "aux2")):
        found = beside(meta[aux], own)
        if not found:
            continue
        columns[f"beside/{aux}"] = aux
        points += point(aux, 2 * i, found[1], -1e6, 1e6)
        keys.append(f"{found[0]}: beside/{aux}")
    limits = [(side, meta[key]) for side, key in (("above", "limit_high"), ("below", "limit_low"))
              if meta[key] is not None]
    profile(where, "site", meta["medium"], point("value", 0, own, *meta["gross_range"]))
    devices = "  - {id: site, profile: site, bus: b, unit: 1, poll: %ds}\n" % meta["step_s"]
    if points:  # what is beside speaks first
        profile(where, "beside", meta["medium"], points)
        devices = devices.replace("site", "beside").replace("unit: 1", "unit: 2") + devices
    watch = [f"quantity: {own[0]}", "device: site", f"resolution: {meta['resolution']}", *keys,
             *(f"{side}: {limit}" for side, limit in limits)]
    rules = "".join(
        f"  - {{id: {side}, selector: {{device: site, quantity: {own[0]}}}, input: event, "
        f"direction: {side}, rearm: 0s, levels: {{orange: {{set: {limit}}}}}}}\n"
        for side, limit in limits)
    (where / "station.yaml").write_text(
        "station: {id: bench-01, region: demo, names: {en: Bench, zh: 测试}}\n"
        f"profiles: [{where}]\nbuses: [{{id: b, type: modbus-tcp, host: 127.0.0.1, port: 502}}]\n"
        f"devices:\n{devices}qc: {{{own[0]}: {{stuck: 0}}}}\n"
        f"watch: [{{{', '.join(watch)}}}]\nrules:\n{rules}")
    return columns


def write_series(place, source, columns):
    """Returns the time of the last row."""
    last = 0
    with open(source, newline="") as rows, open(place / "series.csv", "w") as out:
        out.write("time," + ",".join(columns) + "\n")
        for row in csv.DictReader(rows):
            cells = [row[c] for c in columns.values()]
            if row["flag"] == "C":
                cells[0] = f"{cells[0] or 'nan'};{CALIBRATION}"
            last = int(row["timestamp"])
            out.write(f"{last}," + ",".join(cells) + "\n")
    return last


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def spans(changes, last):
    """(start, end) of what was raised and cleared under a key."""
    up, found = {}, []
    for key, transition, at in changes:
        if transition == "raised":
            up.setdefault(key, at)
        elif transition == "cleared" and key in up:
            found.append((up.pop(key), at))
    return sorted(found + [(start, last) for start in up.values()])


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def judge(scenario, meta, folder):
    """[(start, end, kind)] and the seconds that the replay took."""
    with tempfile.TemporaryDirectory() as place:
        where = pathlib.Path(place)
        (where / "series").mkdir()
        columns = configure(where, meta)
        last = write_series(where / "series", folder / "series" / f"{scenario}.csv", columns)
        began = time.monotonic()
        done = subprocess.run(
            [BUILD / "sluice", "replay", "--station", where / "station.yaml", "--series",
             where / "series", "--out", where / "out", "--flagged"], capture_output=True, text=True)
        took = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit(f"{scenario}: {done.stderr}")
        alerts = [(a["rule"], a["transition"], seconds(a["time"]))
                  for a in lines(where / "out/alerts.json")]
        notices = [(e["fault"], e["transition"], seconds(e["time"]))
                   for e in lines(where / "out/events.json") if e.get("what") == "sensor_fault"]
    return ([(*s, "environmental") for s in spans(alerts, last)] +
            [(*s, "sensor-fault") for s in spans(notices, last)], took)


def bench(scenarios=None, out=None):
    """Judges the scenarios of a folder (meta.json, series/), writes what was found, scores it."""
    folder = pathlib.Path(scenarios) if scenarios else SHARED / "bench/alerts/public"
    if not (folder / "meta.json").exists():
        print(f"alerts   no scenarios in {folder}")
        return 0
    build("sluice")
    meta = json.loads((folder / "meta.json").read_text())
    target = pathlib.Path(out) if out else pathlib.Path(tempfile.mkdtemp()) / "alarms.csv"
    took, rows = 0, 0
    with open(target, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["scenario", "start", "end", "kind"])
        for i, (scenario, what) in enumerate(sorted(meta.items())):
            found, seconds_taken = judge(scenario, what, folder)
            took += seconds_taken
            rows += len(found)
            table.writerows((scenario, f"{a:.0f}", f"{b:.0f}", kind) for a, b, kind in found)
            if sys.stderr.isatty():
                print(f"\r{i + 1} of {len(meta)}", end="", file=sys.stderr, flush=True)
    print(f"alerts   {len(meta)} scenarios, {rows} alarms and notices in {took:.0f} s: {target}")
    return score(folder, target)


# What issue and README ask for: figure of the scorer, hold, aim; +1: more is better.
HOLDS = [("macro F1", "macro_f1", 0.92, 0.97, 1), ("missed events, %", "missed", 6, 2, -1),
         ("false alarms per scenario", "fa_per_scen", 0.10, 0.03, -1),
         ("faults misreported, %", "faults_mis_pct", 3, 1, -1),
         ("persisting faults noticed, %", "noticed", 87, 92, 1),
         ("false notices per sensor-month", "fn_month", 2, 0.5, -1),
         ("notices overrun, % of time", "not_over", 3, 1, -1)]


def score(folder, target):
    """By the benchmark's own scorer, where labels are there. 1 when a figure does not hold."""
    path = SHARED / "bench/alerts/score.py"
    if not (folder / "labels.json").exists() or not path.exists():
        return 0
    spec = importlib.util.spec_from_file_location("score", path)
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    with open(target, newline="") as file:
        _, all_media = scorer.report(*scorer.score(str(folder), csv.DictReader(file)))
    missed = 0
    for name, key, hold, aim, sign in HOLDS:
        is_held = sign * (all_media[key] - hold) >= 0
        missed += not is_held
        print(f"{name:32s} {all_media[key]:8.3f}   hold {hold:g}, aim {aim:g}"
              f"{'' if is_held else '   DOES NOT HOLD'}")
    return 1 if missed else 0
