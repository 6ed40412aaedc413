# SPDX-License-Identifier: Apache-2.0
"""What every measurement of scripts/bench needs: programs, their CPU time and memory, a load."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("SLUICE_SHARED", ROOT.parent / "shared"))
BUILD = ROOT / "build-bench"
DEVICES, VALUES, PORT = 500, 25, 20000
WARM_UP_S = 12

# Columns of a stream like a station's: 20 of the shared series, these where they are.
WIDE = 20
MIXED = ["neon_pres", "neon_pm10", "neon_wind", "neon_irbio", "gc_ph", "gc_flow", "gc_turb", "gc_cl",
         "gc_tp", "nz_laeq1m_r1", "bj_co", "bj_no2", "bj_pm25", "bj_temp", "bj_wspm", "ioos_sal",
         "scan_sm", "scape_sm", "st_pres", "rad_hi_dose"]


def series_files():
    """All shared series, the mixed ones first; empty without the shared material."""
    files = sorted((SHARED / "data" / "series").glob("*.csv"))
    return sorted(files, key=lambda f: MIXED.index(f.stem) if f.stem in MIXED else len(MIXED))


def wide_table(step_ms, skip=1000):
    """The first 20 series side by side, as if measured together every step: time and texts."""
    files = series_files()
    columns = []
    for n in range(WIDE):
        lines = files[n % len(files)].read_text().splitlines()
        kept = lines[skip:] if len(lines) > 2 * skip else lines
        columns.append([v for v in (line.split(",")[1] for line in kept) if v])
    for i, values in enumerate(zip(*columns)):
        yield 1700000000000 + step_ms * i, values


def build(*targets):
    env = dict(os.environ, BUILD=str(BUILD), TESTS="true", SETUP="--buildtype=release")
    subprocess.run([ROOT / "scripts" / "build", *targets], env=env, check=True)


def peer(name, where):
    """A program of the shared material, or None."""
    source = SHARED / "bench" / "peers" / f"{name}.c"
    if not source.exists():
        return None
    program = where / name
    if not program.exists():
        subprocess.run(["cc", "-O2", "-o", program, source, "-lm"], check=True)
    return program


def cpu_ns(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks)


def memory(pid):
    """MiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {k: int(re.search(rf"{k}:\s+(\d+)", status).group(1)) / 1024
            for k in ("RssAnon", "VmRSS")}


@contextlib.contextmanager
def running(args, where, log="log"):
    with open(where / log, "w") as out:
        child = subprocess.Popen([str(a) for a in args], cwd=where, stdout=out, stderr=out)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


class Load:
    """The load generator at work, with its counters."""

    def __init__(self, where, devices=DEVICES, seconds=120, options=()):
        self.file = where / "counters"
        self.program = peer("mbsim", where)
        self.args = [self.program, *options, PORT, devices, seconds, self.file]
        self.where = where

    def __enter__(self):
        self.file.unlink(missing_ok=True)
        self.stack = contextlib.ExitStack()
        self.child = self.stack.enter_context(running(self.args, self.where, "mbsim.log"))
        time.sleep(1)
        return self

    def __exit__(self, *what):
        self.stack.close()

    def counters(self):
        """Of this moment: {"gap_sd": 0.1, ..., "unit1": {"ok": 2}}; gaps begin anew."""
        self.file.unlink(missing_ok=True)
        self.child.send_signal(signal.SIGUSR1)
        for _ in range(100):
            time.sleep(0.02)
            if self.file.exists():
                break
        found = {}
        for line in self.file.read_text().splitlines():
            head, *pairs = line.split()
            numbers = {k: float(v) for k, v in (p.split("=") for p in pairs)}
            if "=" in head:
                found.update(numbers)
            else:
                found[head] = numbers
        return found


def cpu_per_sample(args, where, window_s, load=None):
    """CPU microseconds per sample of a program at DEVICES x VALUES, its memory, and the load's
    counters over the same window."""
    with running(args, where) as child:
        time.sleep(WARM_UP_S)
        if load:
            load.counters()
        before = cpu_ns(child.pid)
        time.sleep(window_s)
        used = (cpu_ns(child.pid) - before) / 1000 / (DEVICES * VALUES * window_s)
        return used, memory(child.pid), load.counters() if load else {}
