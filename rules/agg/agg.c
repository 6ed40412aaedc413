/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics of one period. Usable are good, suspect and not evaluated samples (quality control
 * facts, "Period values"); expected is period / interval, never the number received.
 */
#include "rules/agg/agg.h"

#include <math.h>
#include <stddef.h>

#define PI 3.14159265358979323846

static int64_t period_start(int64_t time_ms, int64_t period_ms)
{
    int64_t rest = time_ms % period_ms;

    return time_ms - (rest < 0 ? rest + period_ms : rest);
}

static bool is_usable(const struct sample *s)
{
    return decimal_has_value(s->value) && s->verdict.status != STATUS_MANUAL &&
           (s->verdict.grade == GRADE_GOOD || s->verdict.grade == GRADE_SUSPECT ||
            s->verdict.grade == GRADE_NOT_EVALUATED);
}

/* A counter that fell was reset, or ran over: what it shows now has come since. */
static double counter_step(double from, double to)
{
    return to >= from ? to - from : to;
}

static void add_value(const struct agg_config *c, struct agg_state *st, double x)
{
    switch (c->how) {
    case AGG_VECTOR:
        st->sum += sin(x * PI / 180);
        st->sum2 += cos(x * PI / 180);
        break;
    case AGG_ENERGY:
        st->sum += pow(10, x / 10);
        break;
    case AGG_DIFF:
        if (st->has_last)
            st->sum += counter_step(st->last, x);
        break;
    default:
        st->sum += x;
        break;
    }
    st->min = st->used == 0 || x < st->min ? x : st->min;
    st->max = st->used == 0 || x > st->max ? x : st->max;
    st->last = x;
    st->has_last = true;
    st->used++;
}

static void add_sample(const struct agg_config *c, struct agg_state *st, const struct sample *s)
{
    if (is_usable(s)) {
        add_value(c, st, decimal_to_double(s->value));
        st->suspect += s->verdict.grade == GRADE_SUSPECT;
        return;
    }
    st->unused++;
    st->status_n[s->verdict.status]++;
    st->reasons |= s->verdict.reasons;
}

/* Direction of the mean vector, 0 <= x < 360; NaN when the vectors cancel out. */
static double vector_mean(const struct agg_state *st)
{
    if (hypot(st->sum, st->sum2) < 1e-9 * st->used)
        return NAN;
    double deg = atan2(st->sum, st->sum2) * 180 / PI;
    return deg < 0 ? deg + 360 : deg;
}

static double value_of(const struct agg_config *c, const struct agg_state *st)
{
    if (st->used == 0)
        return NAN;
    switch (c->how) {
    case AGG_VECTOR:
        return vector_mean(st);
    case AGG_ENERGY:
        return 10 * log10(st->sum / st->used);
    case AGG_SUM:
    case AGG_DIFF:
        return st->sum;
    case AGG_LAST:
        return st->last;
    case AGG_MAX:
        return st->max;
    case AGG_MIN:
        return st->min;
    default:
        return st->sum / st->used;
    }
}

static enum status most_frequent_status(const struct agg_state *st)
{
    int best = STATUS_VALID;

    for (int i = 1; i < STATUS_COUNT_; i++) {
        if (st->status_n[i] > st->status_n[best])
            best = i;
    }
    return (enum status)best;
}

static struct verdict verdict_of(const struct agg_config *c, const struct agg_state *st,
                                 uint32_t expected)
{
    struct verdict v = { 0 };

    if (st->used >= c->valid_share * expected) {
        if (4 * st->suspect > st->used) /* more than 25 % */
            v.grade = GRADE_SUSPECT;
        return v;
    }
    v.status = (uint8_t)most_frequent_status(st);
    v.grade = st->used ? GRADE_BAD : GRADE_MISSING;
    v.reasons = st->reasons;
    return v;
}

/* An empty open period. A counter's last reading stays, so that nothing falls between periods. */
static void reset(const struct agg_config *c, struct agg_state *st, int64_t start_ms)
{
    bool is_counter = c->how == AGG_DIFF && st->has_last;

    *st = (struct agg_state){ .start_ms = start_ms, .is_open = true,
                              .last = is_counter ? st->last : 0, .has_last = is_counter };
}

static struct agg_result close_period(const struct agg_config *c, struct agg_state *st)
{
    uint32_t expected = (uint32_t)(c->interval_ms > 0 ? c->period_ms / c->interval_ms : 1);
    struct agg_result r = {
        .start_ms = st->start_ms,
        .value = decimal_round(value_of(c, st), c->decimals),
        .verdict = verdict_of(c, st, expected),
        .min = st->used ? st->min : NAN,
        .max = st->used ? st->max : NAN,
        .used = st->used,
        .expected = expected,
    };

    reset(c, st, 0);
    st->is_open = false;
    if (!decimal_has_value(r.value)) {
        r.verdict.grade = GRADE_MISSING;
        if (!(r.verdict.reasons & (REASON_FRAME | REASON_COMM | REASON_POWER | REASON_DISABLED)))
            r.verdict.reasons |= REASON_NO_VALUE;
    }
    return r;
}

bool agg_step(const struct agg_config *c, struct agg_state *st, const struct sample *s,
              struct agg_result *ret)
{
    int64_t start_ms = period_start(s->time_ms, c->period_ms);
    bool is_closed = false;

    if (st->is_open && start_ms < st->start_ms)
        return false; /* late: its period is written already */
    if (st->is_open && start_ms > st->start_ms) {
        *ret = close_period(c, st);
        is_closed = true;
    }
    if (!st->is_open)
        reset(c, st, start_ms);
    add_sample(c, st, s);
    return is_closed;
}

bool agg_close(const struct agg_config *c, struct agg_state *st, int64_t now_ms,
               struct agg_result *ret)
{
    if (!st->is_open || now_ms < st->start_ms + c->period_ms)
        return false;
    *ret = close_period(c, st);
    return true;
}
