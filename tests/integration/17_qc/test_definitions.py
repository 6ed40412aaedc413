"""The checks against their definitions on random series, through the runner of the vectors."""
import copy
import json
import os
import random
import subprocess

import definitions
import pytest

from conftest import BINARY, ROOT

RUNNER = BINARY.parent / "tests" / "unit" / "test_qc_vectors"
EACH = 60  # cases of each test


def series(rng, n):
    """Walks, steps and noise in eighths, whose sums are exact, with some values missing."""
    kind, level, gone = rng.randrange(3), 20.0, rng.choice([0, 0, 0.1, 0.4])
    out = []
    for _ in range(n):
        if kind == 0:
            level += rng.choice([0, 0, 0.125, -0.125, 1, -1, 6])
        elif kind == 1:
            level = rng.randrange(0, 400) / 8
        out.append(None if rng.random() < gone else level)
    return out


def times(rng, n):
    step = rng.choice([1, 10, 60, 900])
    t = 1577836800 + rng.randrange(10 ** 8)
    return [(t := t + step * rng.choice([1, 1, 1, 2, 7])) for _ in range(n)]


def eighths(rng, low, high):
    return rng.randrange(low * 8, high * 8 + 1) / 8


def span(rng):
    return [eighths(rng, 0, 25), eighths(rng, 25, 50)][::rng.choice([1, 1, -1])]


def some(rng, **optional):
    """Each of them in half of the cases."""
    return {k: v for k, v in optional.items() if rng.random() < 0.5}


def season(rng):
    ranges = {"year": (2019, 2024), "quarter": (1, 4), "month": (1, 12), "week": (1, 53),
              "dayofyear": (1, 366), "day": (1, 31), "dayofweek": (0, 6), "hour": (0, 23)}
    period = rng.choice([None, *ranges])
    low, high = ranges.get(period, (1577836800, 1687836800))
    return {"tspan": [rng.randint(low, high), rng.randint(low, high)], "vspan": span(rng),
            **some(rng, fspan=[-10, 45], zspan=[5, 20]), **({"period": period} if period else {})}


def arguments(test, rng):
    n = rng.choice([1, 2, 3, 8, 20, 20, 200])
    x, t, low = series(rng, n), times(rng, n), eighths(rng, 0, 4)
    words = ["".join(rng.choice("0A,;é") for _ in range(rng.randrange(9))) for _ in range(n)]
    holes = [None if rng.random() < 0.2 else s for s in times(rng, max(n, 2))]
    there = [v for v in x if v is not None] or [1.0]
    z = [None if rng.random() < 0.2 else rng.randrange(0, 30) for _ in range(n)]
    made = {
        "gross_range_test": lambda: {"inp": x, "fail_span": [0, 50],
                                     **some(rng, suspect_span=span(rng))},
        "valid_range_test": lambda: {
            "inp": x, "valid_span": [rng.choice([None, *there]), rng.choice([None, *there])],
            **some(rng, start_inclusive=rng.random() < 0.5, end_inclusive=rng.random() < 0.5)},
        "percentile_range_test": lambda: {
            "inp": there, **some(rng, low_percentile=25, hi_percentile=75, pad=0.5)},
        "spike_test": lambda: {"inp": x, **some(
            rng, suspect_threshold=rng.choice([0, low]), fail_threshold=low + 3,
            method=rng.choice(["average", "differential"]))},
        "rate_of_change_test": lambda: {"inp": x, "tinp": t, "threshold": low / 64,
                                        **some(rng, fail_threshold=low / 8)},
        "flat_line_test": lambda: {"inp": x, "tinp": t, "suspect_threshold": rng.choice([9, 300]),
                                   "fail_threshold": rng.choice([60, 900]),
                                   **some(rng, tolerance=rng.choice([0.125, 2]))},
        "attenuated_signal_test": lambda: {
            "inp": there, "tinp": t[:len(there)], "suspect_threshold": low + 0.0625,
            "fail_threshold": low / 2 + 0.03, "check_type": rng.choice(["std", "range"]),
            **some(rng, test_period=rng.choice([30, 600, 3600]), min_obs=rng.choice([2, 5]))},
        "climatology_test": lambda: {"config": [season(rng) for _ in range(rng.randint(1, 4))],
                                     "inp": x, "tinp": t, "zinp": z},
        "density_inversion_test": lambda: {"inp": x, "zinp": z, **some(
            rng, suspect_threshold=-0.125, fail_threshold=-1)},
        "time_gap_test": lambda: {"tinp": holes, **some(rng, fail_span=rng.choice([0.25, 1]))},
        "data_reception_test": lambda: {
            "tinp": [None if s is None else 1577836800 + s % 50000 for s in holes],
            "from_time": "2020-01-01T12:00:00", **some(rng, fail_span=rng.choice([2, 0.5]))},
        "syntax_test": lambda: {"inp": words, "nchar": rng.randrange(5), **some(
            rng, lentype=rng.choice(["char", "byte"]), delimiter=rng.choice([",", ";"]))},
        "location_test": lambda: {"lon": [v and v * 5 - 20 for v in x],
                                  "lat": [v and v * 3 - 60 for v in series(rng, n)]},
        "pressure_increasing_test": lambda: {"inp": there},
        "qartod_compare": lambda: {"vectors": [[rng.choice([1, 2, 3, 4, 9]) for _ in range(n)]
                                               for _ in range(rng.randint(1, 4))]},
        "multi_variate": lambda: {"x": x, "y": series(rng, n), "threshold_x": low,
                                  "threshold_y": 0.125},
    }
    return made[test]()


TESTS = [name for name in dir(definitions)
         if name.endswith("_test") or name in ("qartod_compare", "multi_variate")]


def cases_of(test):
    rng = random.Random(test)
    for i in range(EACH):
        args = arguments(test, rng)
        yield {"id": f"{test}_{i}", "test": test, "args": args,
               "expected": getattr(definitions, test)(**copy.deepcopy(args))}


def run(place, cases, refused=()):
    if not RUNNER.exists():
        pytest.skip(f"{RUNNER} was not built")
    (place / "vectors").mkdir(exist_ok=True)
    (place / "vectors" / "qartod_vectors.json").write_text(json.dumps(
        {"cases": cases, "must_reject_config": list(refused), "hand_derived": {}}))
    return subprocess.run([RUNNER], capture_output=True, text=True, timeout=120, env=dict(
        os.environ, SLUICE_SHARED=str(place), SLUICE_SOURCE=str(ROOT)))


@pytest.mark.parametrize("test", TESTS)
def test_agrees_with_the_definition(test, tmp_path):
    done = run(tmp_path, list(cases_of(test)))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_runner_tells_a_wrong_flag_and_a_configuration_that_is_taken(tmp_path):
    case, *_ = cases_of("spike_test")
    wrong = dict(case, expected=[4 if f == 1 else 1 for f in case["expected"]])
    assert run(tmp_path, [wrong]).returncode != 0
    assert run(tmp_path, [dict(case, args={**case["args"], "window": 3})]).returncode != 0
    assert run(tmp_path, [dict(case, test="neighbour_test")]).returncode != 0
    assert run(tmp_path, [case], [{"test": "spike_test", "args": case["args"]}]).returncode != 0
    assert run(tmp_path, [case], [{"test": "spike_test", "args": {**case["args"], "method": 1}}]
               ).returncode == 0
