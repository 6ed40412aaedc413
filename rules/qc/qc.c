/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/qc.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SECOND    INT64_C(1000)
#define MINUTE    (60 * SECOND)
#define HOUR      (60 * MINUTE)
#define NEVER     0, 0
#define NO_EXEMPT NAN, NAN

/*
 * Starting values of facts/quality-control section 5. Stuck is a time: so many equal values at
 * the interval of the table; who polls faster waits as long, who polls slower sees as many.
 */
struct habit {
    unsigned stuck;
    int64_t stuck_interval_ms;
    double exempt_min, exempt_max;
};

static const struct {
    unsigned gap_intervals, gap_hold;
    int64_t gap_hold_ms; /* 0: gap_hold samples */
    struct habit habit;
} media[MEDIUM_COUNT_] = {
    [MEDIUM_AIR] = { 3, 2, 0, { 30, MINUTE, NO_EXEMPT } },
    [MEDIUM_WEATHER] = { 3, 2, 0, { 60, MINUTE, NO_EXEMPT } },
    [MEDIUM_WATER] = { 2, 1, 0, { 12, 15 * MINUTE, NO_EXEMPT } },
    [MEDIUM_SOIL] = { 2, 1, 0, { 96, 15 * MINUTE, NO_EXEMPT } }, /* dry soil rests for a day */
    [MEDIUM_NOISE] = { 5, 5, 5 * SECOND, { 10, SECOND, NO_EXEMPT } },
    [MEDIUM_RADIATION] = { 3, 3, 0, { 10, MINUTE, NO_EXEMPT } },
    [MEDIUM_STATION] = { 3, 0, 0, { NEVER, NO_EXEMPT } },
};

/* Where the medium's habit is wrong: what may rest, rests at a value, or is measured in cycles.
 */
static const struct {
    const char *quantity;
    struct habit habit;
} quantity_habits[] = {
    { "pm1", { 10, MINUTE, NO_EXEMPT } },
    { "pm2_5", { 10, MINUTE, NO_EXEMPT } },
    { "pm10", { 10, MINUTE, NO_EXEMPT } },
    { "tsp", { 10, MINUTE, NO_EXEMPT } },
    /* below the detection limit most of the year */
    { "hydrogen_sulfide", { 30, MINUTE, 0, 0 } },
    { "hydrogen_chloride", { 30, MINUTE, 0, 0 } },
    { "chlorine", { 30, MINUTE, 0, 0 } },
    { "total_reduced_sulfur", { 30, MINUTE, 0, 0 } },
    { "formaldehyde", { 30, MINUTE, 0, 0 } },
    { "tvoc", { 30, MINUTE, 0, 0 } },
    { "benzene", { 30, MINUTE, 0, 0 } },
    { "toluene", { 30, MINUTE, 0, 0 } },
    { "ethylbenzene", { 30, MINUTE, 0, 0 } },
    { "xylenes", { 30, MINUTE, 0, 0 } },
    { "styrene", { 30, MINUTE, 0, 0 } },
    /* calm, no rain, night, fog: legitimate rest */
    { "wind_speed", { 60, MINUTE, 0, 0.5 } },
    { "wind_gust", { 60, MINUTE, 0, 0.5 } },
    { "rh", { 60, MINUTE, 99.5, 105 } },
    { "precip_intensity", { 60, MINUTE, 0, 0 } },
    { "irradiance", { 60, MINUTE, -20, 10 } },
    { "uv_index", { 60, MINUTE, 0, 0 } },
    { "illuminance", { 60, MINUTE, 0, 1 } },
    /* a vane rests in a calm that only the wind speed knows of */
    { "wind_dir", { NEVER, NO_EXEMPT } },
    { "wind_gust_dir", { NEVER, NO_EXEMPT } },
    /* codes, counters and what saturates or rests for days */
    { "precip", { NEVER, NO_EXEMPT } },
    { "precip_type", { NEVER, NO_EXEMPT } },
    { "snow_depth", { NEVER, NO_EXEMPT } },
    { "sunshine", { NEVER, NO_EXEMPT } },
    { "visibility", { NEVER, NO_EXEMPT } },
    { "dustfall", { NEVER, NO_EXEMPT } },
    { "aqi_cn", { NEVER, NO_EXEMPT } },
    { "aqi_us", { NEVER, NO_EXEMPT } },
    { "eaqi", { NEVER, NO_EXEMPT } },
    { "water_class", { NEVER, NO_EXEMPT } },
    { "colour", { NEVER, NO_EXEMPT } },
    { "bod5", { NEVER, NO_EXEMPT } },
    { "faecal_coliforms", { NEVER, NO_EXEMPT } },
    { "turbidity", { 24, 15 * MINUTE, NO_EXEMPT } },
    { "turbidity_fnu", { 24, 15 * MINUTE, NO_EXEMPT } },
    { "water_flow", { 12, 15 * MINUTE, 0, 0 } },
    { "water_velocity", { 12, 15 * MINUTE, 0, 0 } },
    /* wet-chemical analysers give one result in up to four hours */
    { "cod", { 6, 4 * HOUR, NO_EXEMPT } },
    { "codmn", { 6, 4 * HOUR, NO_EXEMPT } },
    { "toc", { 6, 4 * HOUR, NO_EXEMPT } },
    { "ammonia_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "nitrate_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "nitrite_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "total_nitrogen", { 6, 4 * HOUR, NO_EXEMPT } },
    { "total_phosphorus", { 6, 4 * HOUR, NO_EXEMPT } },
    { "phosphate_p", { 6, 4 * HOUR, NO_EXEMPT } },
    { "fluoride", { 6, 4 * HOUR, 0, 0 } },
    { "sulfide", { 6, 4 * HOUR, 0, 0 } },
    { "cyanide", { 6, 4 * HOUR, 0, 0 } },
    { "phenols", { 6, 4 * HOUR, 0, 0 } },
    { "oil_in_water", { 6, 4 * HOUR, 0, 0 } },
    { "surfactants_anionic", { 6, 4 * HOUR, 0, 0 } },
    { "copper", { 6, 4 * HOUR, 0, 0 } },
    { "zinc", { 6, 4 * HOUR, 0, 0 } },
    { "lead", { 6, 4 * HOUR, 0, 0 } },
    { "cadmium", { 6, 4 * HOUR, 0, 0 } },
    { "arsenic", { 6, 4 * HOUR, 0, 0 } },
    { "mercury", { 6, 4 * HOUR, 0, 0 } },
    { "chromium_vi", { 6, 4 * HOUR, 0, 0 } },
    { "iron", { 6, 4 * HOUR, 0, 0 } },
    { "manganese", { 6, 4 * HOUR, 0, 0 } },
    { "nickel", { 6, 4 * HOUR, 0, 0 } },
    /* figures of a period stand until the next one */
    { "laeq", { 10, MINUTE, NO_EXEMPT } },
    { "lceq", { 10, MINUTE, NO_EXEMPT } },
    { "lzeq", { 10, MINUTE, NO_EXEMPT } },
    { "la_max", { NEVER, NO_EXEMPT } },
    { "la_min", { NEVER, NO_EXEMPT } },
    { "l5", { NEVER, NO_EXEMPT } },
    { "l10", { NEVER, NO_EXEMPT } },
    { "l50", { NEVER, NO_EXEMPT } },
    { "l90", { NEVER, NO_EXEMPT } },
    { "l95", { NEVER, NO_EXEMPT } },
    { "l_day", { NEVER, NO_EXEMPT } },
    { "l_night", { NEVER, NO_EXEMPT } },
    { "l_dn", { NEVER, NO_EXEMPT } },
    { "sel", { NEVER, NO_EXEMPT } },
    { "radon", { 10, HOUR, NO_EXEMPT } },
    { "gross_alpha", { NEVER, NO_EXEMPT } },
    { "gross_beta", { NEVER, NO_EXEMPT } },
    { "aerosol_alpha", { NEVER, NO_EXEMPT } },
    { "aerosol_beta", { NEVER, NO_EXEMPT } },
};

static const struct habit *habit_of(const struct quantity *q)
{
    for (size_t i = 0; i < sizeof quantity_habits / sizeof *quantity_habits; i++)
        if (strcmp(quantity_habits[i].quantity, q->id) == 0)
            return &quantity_habits[i].habit;
    return &media[q->medium].habit;
}

static unsigned stuck_count(const struct habit *h, int64_t interval_ms)
{
    if (interval_ms <= 0 || interval_ms >= h->stuck_interval_ms)
        return h->stuck;
    return (unsigned)((h->stuck * h->stuck_interval_ms + interval_ms - 1) / interval_ms);
}

struct qc_config qc_default(const struct quantity *q, int64_t interval_ms)
{
    const struct habit *h = habit_of(q);
    struct qc_config c = {
        .fail_min = q->range_min,
        /* A counter grows past what a period of it can mean. */
        .fail_max = q->agg == AGG_DIFF ? NAN : q->range_max,
        .suspect_min = NAN,
        .suspect_max = NAN,
        .stuck = stuck_count(h, interval_ms),
        .stuck_exempt_min = h->exempt_min,
        .stuck_exempt_max = h->exempt_max,
        .interval_ms = interval_ms,
        .gap_intervals = media[q->medium].gap_intervals,
        .gap_hold = media[q->medium].gap_hold,
    };

    if (media[q->medium].gap_hold_ms && interval_ms > 0)
        c.gap_hold = (unsigned)((media[q->medium].gap_hold_ms + interval_ms - 1) / interval_ms);
    return c;
}

const char *qc_config_error(const struct qc_config *c)
{
    if (c->fail_min > c->fail_max)
        return "The range ends below its start.";
    if (c->suspect_min > c->suspect_max)
        return "The suspect range ends below its start.";
    if (c->suspect_min < c->fail_min || c->suspect_max > c->fail_max ||
        c->suspect_min > c->fail_max || c->suspect_max < c->fail_min)
        return "The suspect range must lie within the range.";
    if (c->stuck_exempt_min > c->stuck_exempt_max)
        return "The values exempt from the stuck test end below their start.";
    if (c->stuck == 1)
        return "One value cannot be stuck: 2 or more equal ones, or 0 for never.";
    return NULL;
}

/* Comparisons are strict: a bound itself passes; one that is NaN never fails. */
static void check_range(const struct qc_config *c, double x, struct sample *s)
{
    if (x < c->fail_min || x > c->fail_max)
        s->verdict = verdict_add(s->verdict, GRADE_BAD, REASON_RANGE);
    else if (x < c->suspect_min || x > c->suspect_max)
        s->verdict = verdict_add(s->verdict, GRADE_SUSPECT, REASON_RANGE_SUSPECT);
}

/*
 * A pause longer than gap_intervals; the very first sample follows one of unknown length. The
 * samples behind it are not evaluated: instruments settle after a dropout.
 */
static void check_gap(const struct qc_config *c, struct qc_state *st, struct sample *s)
{
    if (!c->gap_intervals)
        return;
    if (st->last_ms == 0 || s->time_ms - st->last_ms > c->gap_intervals * c->interval_ms) {
        st->hold = c->gap_hold;
        st->equal = 0;
    }
    if (st->hold == 0)
        return;
    st->hold--;
    s->verdict = verdict_add(s->verdict, GRADE_NOT_EVALUATED, REASON_AFTER_GAP);
}

static bool is_exempt(const struct qc_config *c, double x)
{
    return x >= c->stuck_exempt_min && x <= c->stuck_exempt_max;
}

/* Equal as read, before calibration and scale could hide or make a difference. */
static void check_stuck(const struct qc_config *c, struct qc_state *st, struct decimal raw,
                        double x, struct sample *s)
{
    if (!c->stuck)
        return;
    if (st->equal == 0 || raw.v != st->raw_v || raw.e != st->raw_e || is_exempt(c, x)) {
        st->raw_v = raw.v;
        st->raw_e = raw.e;
        st->equal = 1;
    } else if (st->equal < UINT32_MAX) {
        st->equal++;
    }
    if (st->equal >= c->stuck)
        s->verdict = verdict_add(s->verdict, GRADE_BAD, REASON_STUCK);
}

/* Late samples (read again, replayed) go through the range alone: they are no news of the
 * instrument. A clock that went back further than a gap starts afresh. */
static bool is_late(const struct qc_config *c, const struct qc_state *st, int64_t time_ms)
{
    const unsigned intervals = c->gap_intervals ? c->gap_intervals : 1;

    return time_ms <= st->last_ms && st->last_ms - time_ms <= intervals * c->interval_ms;
}

void qc_step(const struct qc_config *c, struct qc_state *st, struct decimal raw,
             struct sample *s)
{
    const double x = decimal_to_double(s->value);

    if (!isfinite(x)) {
        s->value = DECIMAL_MISSING;
        s->verdict = verdict_add(s->verdict, GRADE_MISSING,
                                 s->verdict.grade == GRADE_MISSING ? 0 : REASON_NO_VALUE);
        return;
    }
    check_range(c, x, s);
    if (is_late(c, st, s->time_ms))
        return;
    if (s->time_ms < st->last_ms)
        st->last_ms = 0;
    check_gap(c, st, s);
    check_stuck(c, st, raw, x, s);
    st->last_ms = s->time_ms;
}

void qc_shift(struct qc_state *st, int64_t by_ms)
{
    if (st->last_ms != 0)
        st->last_ms += by_ms;
}
