/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/agg.h"

#include <math.h>

/* Of the used samples: beyond this share of suspect ones the period is suspect too. */
#define SUSPECT_SHARE 0.25

/* Further back than this is no late sample but a clock that was put right. */
#define STEP_BACK_MS (INT64_C(24) * 3600 * 1000)

/* Shorter than this share of its samples, a mean wind vector points nowhere. */
#define VECTOR_MIN 1e-6

#define DEGREE     (3.14159265358979323846 / 180)

static int64_t period_start(const struct agg_config *c, int64_t time_ms)
{
    const int64_t rest = time_ms % c->period_ms;

    return time_ms - (rest < 0 ? rest + c->period_ms : rest);
}

static uint32_t expected_n(const struct agg_config *c)
{
    const int64_t n = c->interval_ms > 0 ? c->period_ms / c->interval_ms : 1;

    return n > UINT32_MAX ? UINT32_MAX : n > 0 ? (uint32_t)n : 1;
}

/* A manual value never enters a mean with automatic ones. */
static bool is_usable(const struct sample *s, double x)
{
    return isfinite(x) && s->verdict.status != STATUS_MANUAL &&
           (s->verdict.grade == GRADE_GOOD || s->verdict.grade == GRADE_SUSPECT ||
            s->verdict.grade == GRADE_NOT_EVALUATED);
}

static void count_unused(struct agg_state *st, struct verdict v)
{
    st->unused++;
    st->status_n[v.status < STATUS_COUNT_ ? v.status : STATUS_FAULT]++;
    st->reasons |= v.reasons;
}

static void count_used(struct agg_state *st, struct verdict v)
{
    st->used++;
    if (v.grade == GRADE_GOOD)
        return;
    st->suspect += v.grade == GRADE_SUSPECT;
    st->not_evaluated += v.grade == GRADE_NOT_EVALUATED;
    st->used_reasons |= v.reasons;
}

/* What the counter moved since its last value, also across the border of a period and a pause.
 * A smaller value began again at zero. */
static double counter_step(const struct agg_state *st, double x)
{
    if (!st->has_last)
        return 0;
    return x >= st->last ? x - st->last : x;
}

static void add_value(const struct agg_config *c, struct agg_state *st, double x)
{
    switch (c->how) {
    case AGG_VECTOR:
        st->sum += sin(x * DEGREE);
        st->sum2 += cos(x * DEGREE);
        break;
    case AGG_ENERGY:
        st->sum += pow(10, x / 10);
        break;
    case AGG_DIFF:
        st->sum += counter_step(st, x);
        break;
    default:
        st->sum += x;
    }
    st->min = st->used && st->min < x ? st->min : x;
    st->max = st->used && st->max > x ? st->max : x;
}

/* A counter's older value is no step, and of the last value only a newer one can tell. */
static void add(const struct agg_config *c, struct agg_state *st, const struct sample *s)
{
    const double x = decimal_to_double(s->value);
    const bool is_newer = !st->has_last || s->time_ms > st->last_ms;

    if (!is_usable(s, x)) {
        count_unused(st, s->verdict);
        return;
    }
    if (is_newer || c->how != AGG_DIFF)
        add_value(c, st, x);
    count_used(st, s->verdict);
    if (!is_newer)
        return;
    st->last = x;
    st->last_ms = s->time_ms;
    st->has_last = true;
}

static double direction(const struct agg_state *st)
{
    if (hypot(st->sum, st->sum2) < VECTOR_MIN * st->used)
        return NAN;
    const double x = atan2(st->sum, st->sum2) / DEGREE;
    return x < 0 ? x + 360 : x;
}

static double value_of(const struct agg_config *c, const struct agg_state *st)
{
    switch (c->how) {
    case AGG_VECTOR:
        return direction(st);
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
    case AGG_MEAN:
    case AGG_COUNTS:
        break;
    }
    return st->sum / st->used;
}

static struct decimal rounded(const struct agg_config *c, double x)
{
    struct decimal d = decimal_round(x, c->decimals);

    if (c->how == AGG_VECTOR && decimal_to_double(d) >= 360)
        d.v = 0; /* 359.7 is north, not a second name of it */
    return d;
}

/* The most frequent status of what was not used; what never came counts as no communication. */
static enum status worst_status(const struct agg_state *st, uint32_t expected)
{
    const uint32_t came = st->used + st->unused;
    uint32_t most = expected > came ? expected - came : 0;
    int status = STATUS_NO_COMMUNICATION;

    most += st->status_n[STATUS_NO_COMMUNICATION];
    for (int s = 0; s < STATUS_COUNT_; s++)
        if (st->status_n[s] > most) {
            most = st->status_n[s];
            status = s;
        }
    return (enum status)status;
}

static struct verdict verdict_of(const struct agg_config *c, const struct agg_state *st,
                                 uint32_t expected)
{
    struct verdict v = { STATUS_VALID, GRADE_GOOD, 0 };

    if (st->used < c->valid_share * expected || st->used == 0) {
        v.status = (uint8_t)worst_status(st, expected);
        v.reasons = st->reasons | (v.status == STATUS_NO_COMMUNICATION ? REASON_COMM : 0);
        v.grade = st->used ? GRADE_BAD : GRADE_MISSING;
    } else if (st->suspect > SUSPECT_SHARE * st->used) {
        v.grade = GRADE_SUSPECT;
        v.reasons = st->used_reasons;
    } else if (st->not_evaluated > SUSPECT_SHARE * st->used) {
        v.grade = GRADE_NOT_EVALUATED;
        v.reasons = st->used_reasons;
    }
    return v;
}

static struct agg_result result_of(const struct agg_config *c, const struct agg_state *st)
{
    struct agg_result r = {
        .start_ms = st->start_ms,
        .value = DECIMAL_MISSING,
        .min = NAN,
        .max = NAN,
        .used = st->used,
        .expected = expected_n(c),
    };

    r.verdict = verdict_of(c, st, r.expected);
    if (st->used == 0)
        return r;
    r.value = rounded(c, value_of(c, st));
    r.min = st->min;
    r.max = st->max;
    if (!decimal_has_value(r.value))
        r.verdict = verdict_add(r.verdict, GRADE_MISSING, REASON_NO_VALUE);
    return r;
}

/* An empty period; the last value stays, for the next step of a counter. */
static void open_period(struct agg_state *st, int64_t start_ms)
{
    *st = (struct agg_state){
        .start_ms = start_ms,
        .last = st->last,
        .last_ms = st->last_ms,
        .has_last = st->has_last,
        .is_open = true,
    };
}

/* A closed period is sealed: what comes late for it is not counted anywhere. */
static bool is_late(const struct agg_state *st, int64_t start_ms)
{
    const bool is_before =
        start_ms < st->start_ms || (st->is_sealed && start_ms == st->start_ms);

    return is_before && (st->is_open || st->is_sealed) &&
           st->start_ms - start_ms <= STEP_BACK_MS;
}

bool agg_step(const struct agg_config *c, struct agg_state *st, const struct sample *s,
              struct agg_result *ret)
{
    const int64_t start_ms = period_start(c, s->time_ms);
    const bool is_later = st->is_open && start_ms > st->start_ms;

    if (is_late(st, start_ms))
        return false;
    if (is_later)
        *ret = result_of(c, st);
    if (!st->is_open || start_ms != st->start_ms)
        open_period(st, start_ms);
    add(c, st, s);
    return is_later;
}

bool agg_close(const struct agg_config *c, struct agg_state *st, int64_t now_ms,
               struct agg_result *ret)
{
    if (!st->is_open || now_ms - st->start_ms < c->period_ms)
        return false;
    *ret = result_of(c, st);
    st->is_open = false;
    st->is_sealed = true;
    return true;
}

void agg_shift(struct agg_state *st, int64_t by_ms, bool is_same_period)
{
    if (st->has_last)
        st->last_ms += by_ms;
    if (is_same_period)
        return;
    st->is_open = false;
    st->is_sealed = false;
}
