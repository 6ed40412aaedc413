/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gross range, gap hold-off and stuck: the part of the recommended chain (quality control facts,
 * section 5, steps 5, 6 and 8) that needs no neighbour and no next sample.
 */
#include "rules/qc/qc.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Starting values by medium (quality control facts, "Starting values"; unverified there, so every
 * one can be set per channel). `equal` of a fast channel grows so that it covers `least_ms`: a pH
 * of two decimals read every second stands still for minutes and is right.
 */
static const struct {
    enum medium medium;
    unsigned equal, gap_intervals, hold;
    int64_t least_ms;
} starting[] = {
    { MEDIUM_AIR, 30, 3, 2, 1800000 },      { MEDIUM_WEATHER, 60, 3, 2, 3600000 },
    { MEDIUM_WATER, 12, 2, 1, 10800000 },   { MEDIUM_SOIL, 48, 3, 1, 43200000 },
    { MEDIUM_NOISE, 10, 5, 5, 600000 },     { MEDIUM_RADIATION, 10, 3, 3, 600000 },
    { MEDIUM_STATION, 0, 3, 1, 0 },
};

/* Quantities whose value may stand still for ever at some level: dry, calm, dark, saturated. */
static const struct {
    const char *id;
    double min, max;
} exempt[] = {
    { "precip", -INFINITY, INFINITY },      { "precip_intensity", 0, 0 },
    { "precip_type", -INFINITY, INFINITY }, { "wind_speed", 0, 0.3 },
    { "wind_gust", 0, 0.3 },                { "wind_dir", -INFINITY, INFINITY },
    { "rh", 99.5, 105 },                    { "irradiance", -20, 5 },
    { "illuminance", 0, 10 },               { "uv_index", 0, 0 },
    { "sunshine", -INFINITY, INFINITY },    { "snow_depth", -INFINITY, INFINITY },
};

/* Fast channels: so many equal values that they cover the time a slow one would. */
static unsigned stuck_count(unsigned equal, int64_t least_ms, int64_t interval_ms)
{
    int64_t by_time = interval_ms > 0 ? least_ms / interval_ms : 0;

    if (equal == 0)
        return 0;
    if (by_time > 100000)
        by_time = 100000;
    return by_time > equal ? (unsigned)by_time : equal;
}

struct qc_config qc_default(const struct quantity *q, int64_t interval_ms)
{
    struct qc_config c = {
        .fail_min = q->range_min, .fail_max = q->range_max,
        .suspect_min = NAN, .suspect_max = NAN,
        .stuck_exempt_min = NAN, .stuck_exempt_max = NAN,
        .interval_ms = interval_ms,
    };

    for (size_t i = 0; i < sizeof starting / sizeof starting[0]; i++) {
        if (starting[i].medium != q->medium)
            continue;
        c.stuck = stuck_count(starting[i].equal, starting[i].least_ms, interval_ms);
        c.gap_intervals = starting[i].gap_intervals;
        c.gap_hold = starting[i].hold;
    }
    for (size_t i = 0; i < sizeof exempt / sizeof exempt[0]; i++) {
        if (strcmp(exempt[i].id, q->id) != 0)
            continue;
        c.stuck_exempt_min = exempt[i].min;
        c.stuck_exempt_max = exempt[i].max;
    }
    return c;
}

const char *qc_config_error(const struct qc_config *c)
{
    if (c->fail_min > c->fail_max)
        return "the lower end of range lies above its upper end";
    if (c->suspect_min > c->suspect_max)
        return "the lower end of suspect lies above its upper end";
    if (c->suspect_min < c->fail_min || c->suspect_max > c->fail_max)
        return "suspect must lie within range";
    return NULL;
}

/* Strict comparisons: the bounds themselves pass, NaN never fails (QARTOD gross range test). */
static void check_range(const struct qc_config *c, double x, struct sample *s)
{
    if (x < c->fail_min || x > c->fail_max)
        s->verdict = verdict_add(s->verdict, GRADE_BAD, REASON_RANGE);
    else if (x < c->suspect_min || x > c->suspect_max)
        s->verdict = verdict_add(s->verdict, GRADE_SUSPECT, REASON_RANGE_SUSPECT);
}

static void check_gap(const struct qc_config *c, struct qc_state *st, struct sample *s)
{
    int64_t longest = c->interval_ms * (int64_t)c->gap_intervals;

    if (c->gap_intervals && st->last_ms && s->time_ms - st->last_ms > longest)
        st->hold = c->gap_hold;
    st->last_ms = s->time_ms;
    if (st->hold == 0)
        return;
    st->hold--;
    s->verdict = verdict_add(s->verdict, GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
}

static bool is_exempt(const struct qc_config *c, double x)
{
    return x >= c->stuck_exempt_min && x <= c->stuck_exempt_max;
}

static void check_stuck(const struct qc_config *c, struct qc_state *st, struct decimal raw,
                        double x, struct sample *s)
{
    bool is_equal = st->equal && raw.v == st->raw_v && raw.e == st->raw_e;

    st->equal = !is_equal ? 1 : st->equal < UINT32_MAX ? st->equal + 1 : st->equal;
    st->raw_v = raw.v;
    st->raw_e = raw.e;
    if (c->stuck && st->equal >= c->stuck && !is_exempt(c, x))
        s->verdict = verdict_add(s->verdict, GRADE_BAD, REASON_STUCK);
}

void qc_step(const struct qc_config *c, struct qc_state *st, struct decimal raw, struct sample *s)
{
    double x = decimal_to_double(s->value);

    if (!decimal_has_value(s->value) || isnan(x)) {
        s->value = DECIMAL_MISSING;
        s->verdict.grade = GRADE_MISSING;
        if (!(s->verdict.reasons & (REASON_FRAME | REASON_COMM | REASON_POWER | REASON_DISABLED)))
            s->verdict.reasons |= REASON_NO_VALUE;
        return;
    }
    check_range(c, x, s);
    check_gap(c, st, s);
    check_stuck(c, st, raw, x, s);
}
