"""The QARTOD tests once more, from their definitions, a whole series at a time. Written from
the definitions, not from the program. None: missing; x values, t Unix seconds."""
import datetime
import math
import statistics

GOOD, NOT_EVALUATED, SUSPECT, FAIL, MISSING = 1, 2, 3, 4, 9


def graded(x, value, suspect, fail):
    """By strict thresholds; None is never passed."""
    if x is None:
        return MISSING
    if fail is not None and value > fail:
        return FAIL
    return SUSPECT if suspect is not None and value > suspect else GOOD


def gross_range_test(inp, fail_span, suspect_span=None):
    low, high = sorted(fail_span)
    usual = sorted(suspect_span) if suspect_span else (low, high)
    return [MISSING if x is None else FAIL if not low <= x <= high else
            GOOD if usual[0] <= x <= usual[1] else SUSPECT for x in inp]


def valid_range_test(inp, valid_span, start_inclusive=True, end_inclusive=False):
    low, high = valid_span

    def fails(x):
        return (low is not None and (x < low or (x == low and not start_inclusive)) or
                high is not None and (x > high or (x == high and not end_inclusive)))
    return [MISSING if x is None else FAIL if fails(x) else GOOD for x in inp]


def percentile_range_test(inp, low_percentile=5, hi_percentile=95, pad=0):
    there = sorted(x for x in inp if x is not None)

    def at(percent):
        place = (len(there) - 1) * percent / 100
        i = min(int(place), len(there) - 2)
        return there[i] + (there[i + 1] - there[i]) * (place - i) if i >= 0 else there[0]
    low, high = at(low_percentile) - pad, at(hi_percentile) + pad
    return [MISSING if x is None else GOOD if low <= x <= high else SUSPECT for x in inp]


def spike_test(inp, suspect_threshold=None, fail_threshold=None, method="average"):
    flags = []
    for i, x in enumerate(inp):
        before, after = (inp[i - 1], inp[i + 1]) if 0 < i < len(inp) - 1 else (None, None)
        if x is None or before is None or after is None:
            flags.append(MISSING if x is None else NOT_EVALUATED)
            continue
        if method == "average":
            d = abs(x - (before + after) / 2)
        else:
            p, q = x - before, after - x
            d = min(abs(p), abs(q)) if p * q < 0 else 0
        flags.append(graded(x, d, suspect_threshold or None, fail_threshold or None))
    return flags


def rate_of_change_test(inp, tinp, threshold, fail_threshold=None):
    flags = []
    for i, x in enumerate(inp):
        rate = 0
        if i > 0 and x is not None and inp[i - 1] is not None:
            step, apart = abs(x - inp[i - 1]), int(tinp[i] - tinp[i - 1])
            rate = step / apart if apart else math.inf if step else 0
        flags.append(graded(x, rate, threshold, fail_threshold))
    return flags


def flat_line_test(inp, tinp, suspect_threshold, fail_threshold, tolerance=0):
    if len(inp) < 3:
        return [GOOD] * len(inp)
    interval = int(statistics.median(b - a for a, b in zip(tinp, tinp[1:])))
    flags = [MISSING if x is None else GOOD for x in inp]
    for threshold, flag in (suspect_threshold, SUSPECT), (fail_threshold, FAIL):
        count = int(threshold) // interval
        for i in range(count, len(inp)):
            window = [x for x in inp[i - count:i + 1] if x is not None]
            if inp[i] is not None and max(window) - min(window) < tolerance:
                flags[i] = flag
    return flags


def attenuated_signal_test(inp, tinp, suspect_threshold, fail_threshold, test_period=None,
                           min_obs=None, check_type="std"):
    def flag(x, window):
        there = [v for v in window if v is not None]
        if x is None:
            return MISSING
        if len(there) < (min_obs or 0) and test_period:
            return NOT_EVALUATED
        value = statistics.pstdev(there) if check_type == "std" else max(there) - min(there)
        return FAIL if value < fail_threshold else SUSPECT if value < suspect_threshold else GOOD
    if not test_period:
        return [flag(x, inp) for x in inp]
    return [flag(x, [v for v, s in zip(inp, tinp) if t - test_period < s <= t])
            for x, t in zip(inp, tinp)]


def calendar(period, t):
    day = datetime.datetime.fromtimestamp(t, datetime.timezone.utc)
    return {"year": day.year, "quarter": (day.month - 1) // 3 + 1, "month": day.month,
            "week": day.isocalendar()[1], "dayofyear": day.timetuple().tm_yday, "day": day.day,
            "dayofweek": day.weekday(), "hour": day.hour, None: t}[period]


def climatology_test(config, inp, tinp, zinp):
    def flag(x, t, z):
        found = NOT_EVALUATED
        for member in config:
            low, high = sorted(member["tspan"])
            if not low <= calendar(member.get("period"), t) <= high:
                continue
            depth = member.get("zspan")
            if depth and (z is None or not min(depth) <= z <= max(depth)):
                continue
            fail, usual = member.get("fspan"), member["vspan"]
            outside = fail and not min(fail) <= x <= max(fail)
            found = FAIL if outside else GOOD if min(usual) <= x <= max(usual) else SUSPECT
        return found
    return [MISSING if x is None else flag(x, t, z) for x, t, z in zip(inp, tinp, zinp)]


def density_inversion_test(inp, zinp, suspect_threshold=None, fail_threshold=None):
    n = len(inp)
    flags = [GOOD] * n if n > 1 else [NOT_EVALUATED]
    gone = [x is None or z is None for x, z in zip(inp, zinp)]
    for threshold, flag in (suspect_threshold, SUSPECT), (fail_threshold, FAIL):
        for i in range(n - 1):
            if threshold is None or gone[i] or gone[i + 1]:
                continue
            down = zinp[i + 1] - zinp[i]
            if ((down > 0) - (down < 0)) * (inp[i + 1] - inp[i]) < threshold:
                flags[i] = flags[i + 1] = flag
    return flags if n == 1 else [MISSING if gone[i] or (i and gone[i - 1]) else flags[i]
                                 for i in range(n)]


def time_gap_test(tinp, fail_span=2):
    flags = [None]
    for before, t in zip(tinp, tinp[1:]):
        flags.append(MISSING if t is None else NOT_EVALUATED if before is None else
                     FAIL if t - before > fail_span * 3600 else GOOD)
    first = NOT_EVALUATED if tinp[0] is not None and tinp[1] is None else flags[1]
    return [first] + flags[1:]


def data_reception_test(tinp, from_time, fail_span=6):
    now = datetime.datetime.fromisoformat(from_time + "+00:00").timestamp()
    return [MISSING if t is None else FAIL if now - t > fail_span * 3600 else GOOD for t in tinp]


def syntax_test(inp, nchar, lentype="char", delimiter=None):
    def fails(text):
        if lentype == "byte" and len(text) % 2:
            return True
        counted = len(text) / 2 if lentype == "byte" else len(text)
        return (len(text.split(delimiter)) if delimiter else counted) != nchar
    return [FAIL if fails(text) else GOOD for text in inp]


def location_test(lon, lat):
    return [MISSING if a is None and b is None else FAIL if a is None or b is None or
            abs(a) > 180 or abs(b) > 90 else GOOD for a, b in zip(lon, lat)]


def pressure_increasing_test(inp):
    direction = -1 if inp[-1] < inp[0] else 1
    return [GOOD] + [SUSPECT if direction * (b - a) <= 0 else GOOD for a, b in zip(inp, inp[1:])]


def qartod_compare(vectors):
    order = [MISSING, NOT_EVALUATED, GOOD, SUSPECT, FAIL]
    return [max(flags, key=order.index) for flags in zip(*vectors)]


def multi_variate(x, y, threshold_x, threshold_y):
    def flag(i):
        if x[i] is None:
            return MISSING
        if i == 0 or None in (x[i - 1], y[i], y[i - 1]):
            return NOT_EVALUATED
        moved, followed = abs(x[i] - x[i - 1]) > threshold_x, abs(y[i] - y[i - 1]) > threshold_y
        return SUSPECT if moved and not followed else GOOD
    return [flag(i) for i in range(len(x))]
