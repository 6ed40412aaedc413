/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/agg.h"

#include <math.h>

#include "rules/agg/counts.h"

/* Of the used samples: beyond this share of suspect ones the period is suspect too. */
#define SUSPECT_SHARE 0.25

/* Further back than this is no late sample but a clock that was put right. */
#define STEP_BACK_MS (INT64_C(24) * 3600 * 1000)

/* Shorter than this share of its samples, a mean wind vector points nowhere. */
#define VECTOR_MIN 1e-6

/* A step this far, as a share of the whole counter, is a reset rather than a wrap. */
#define WRAP_SHARE 0.25

/* Means nearer to a decimal than this share of themselves are it: the noise of sums. */
#define SUM_NOISE 0x1p-40

#define DEGREE    (3.14159265358979323846 / 180)

int64_t agg_start_of(int64_t time_ms, int64_t period_ms, int64_t zone_ms)
{
    const int64_t rest = (time_ms + zone_ms) % period_ms;

    return time_ms - (rest < 0 ? rest + period_ms : rest);
}

int64_t agg_end_label(int64_t start_ms, int64_t period_ms)
{
    return start_ms + period_ms;
}

static uint32_t expected_n(const struct agg_config *c)
{
    const int64_t n = c->interval_ms > 0 ? c->period_ms / c->interval_ms : 1;

    if (c->expected)
        return c->expected;
    return n > UINT32_MAX ? UINT32_MAX : n > 0 ? (uint32_t)n : 1;
}

bool agg_is_usable(const struct sample *s, double x)
{
    return isfinite(x) && s->verdict.status != STATUS_MANUAL &&
           (s->verdict.grade == GRADE_GOOD || s->verdict.grade == GRADE_SUSPECT ||
            s->verdict.grade == GRADE_NOT_EVALUATED);
}

/* ---- inputs ---- */

static void set_counts(const struct agg_config *c, struct agg_input *in)
{
    const int64_t count_ms = c->count_ms > 0 ? c->count_ms : c->interval_ms;
    struct counts_rate r;

    if (counts_correct(in->x, c->dead_s, (double)count_ms / 60000, &r) < 0) {
        in->is_usable = false;
        in->verdict = (struct verdict){ STATUS_OVER_RANGE, GRADE_BAD, REASON_ABOVE_RANGE };
        return;
    }
    in->x = in->lo = in->hi = in->a = r.rate;
    in->b = r.variance;
}

static void set_terms(const struct agg_config *c, struct agg_input *in)
{
    in->a = in->x;
    switch (c->how) {
    case AGG_VECTOR:
        in->a = sin(in->x * DEGREE);
        in->b = cos(in->x * DEGREE);
        break;
    case AGG_ENERGY:
        in->a = pow(10, in->x / 10);
        break;
    case AGG_COUNTS:
        set_counts(c, in);
        break;
    default:
        break;
    }
}

struct agg_input agg_input_of(const struct agg_config *c, const struct sample *s)
{
    struct agg_input in = {
        .time_ms = s->time_ms,
        .x = decimal_to_double(s->value),
        .n = 1,
        .verdict = s->verdict,
    };

    in.lo = in.hi = in.x;
    in.is_usable = agg_is_usable(s, in.x);
    if (in.is_usable)
        set_terms(c, &in);
    return in;
}

static bool is_weighed(enum aggregate how)
{
    return how == AGG_ENERGY || how == AGG_COUNTS;
}

/* A rate of counts is corrected once, where it is read. */
struct agg_input agg_input_of_period(const struct agg_config *c, const struct sample *row,
                                     uint32_t n, uint32_t expected)
{
    struct agg_input in = {
        .time_ms = row->time_ms,
        .x = decimal_to_double(row->value),
        .n = 1,
        .verdict = row->verdict,
    };

    in.lo = in.hi = in.x;
    in.is_usable = is_weighed(c->how) ? isfinite(in.x) && n > 0 : agg_is_usable(row, in.x);
    if (is_weighed(c->how)) {
        in.n = in.is_usable ? n : 0;
        in.unused = expected > in.n ? expected - in.n : 0;
    }
    in.a = in.x;
    if (in.is_usable && c->how != AGG_COUNTS)
        set_terms(c, &in);
    return in;
}

/* ---- summing ---- */

static void count_unused(struct agg_state *st, struct verdict v, uint32_t n)
{
    st->unused += n;
    st->status_n[v.status < STATUS_COUNT_ ? v.status : STATUS_FAULT] += n;
    st->reasons |= v.reasons;
}

static void count_used(struct agg_state *st, struct verdict v, uint32_t n)
{
    st->used += n;
    if (v.grade == GRADE_GOOD || v.grade >= GRADE_BAD)
        return; /* bad: a period with too few samples, of which these are the usable ones */
    st->suspect += v.grade == GRADE_SUSPECT ? n : 0;
    st->not_evaluated += v.grade == GRADE_NOT_EVALUATED ? n : 0;
    st->used_reasons |= v.reasons;
}

/* What the counter moved since its last value, also across the border of a period and a pause.
 * A smaller value went on behind the counter's end, or began again at zero. */
static double counter_step(const struct agg_config *c, const struct agg_state *st, double x)
{
    if (!st->has_last)
        return 0;
    if (x >= st->last)
        return x - st->last;
    const double wrapped = c->wrap - st->last + x;
    return c->wrap > st->last && wrapped <= c->wrap * WRAP_SHARE ? wrapped : x;
}

static void add_value(const struct agg_config *c, struct agg_state *st,
                      const struct agg_input *in)
{
    const double x = in->x;

    st->sum += c->how == AGG_DIFF ? counter_step(c, st, x) : in->a * in->n;
    st->sum2 += in->b * in->n;
    st->min = st->used && st->min < in->lo ? st->min : in->lo;
    st->max = st->used && st->max > in->hi ? st->max : in->hi;
}

/* A counter's older value is no step, and of the last value only a newer one can tell. */
void agg_take(const struct agg_config *c, struct agg_state *st, const struct agg_input *in)
{
    const bool is_newer = !st->has_last || in->time_ms > st->last_ms;

    if (!in->is_usable) {
        count_unused(st, in->verdict, in->unused ? in->unused : in->n);
        return;
    }
    if (is_newer || c->how != AGG_DIFF)
        add_value(c, st, in);
    count_used(st, in->verdict, in->n);
    st->calm += in->is_calm;
    if (in->unused)
        count_unused(st, in->verdict, in->unused);
    if (!is_newer)
        return;
    st->last = in->x;
    st->last_ms = in->time_ms;
    st->has_last = true;
}

void agg_merge(struct agg_state *st, const struct agg_state *part)
{
    if (part->used) {
        st->min = st->used && st->min < part->min ? st->min : part->min;
        st->max = st->used && st->max > part->max ? st->max : part->max;
    }
    st->sum += part->sum;
    st->sum2 += part->sum2;
    st->used += part->used;
    st->suspect += part->suspect;
    st->unused += part->unused;
    for (int i = 0; i < STATUS_COUNT_; i++)
        st->status_n[i] += part->status_n[i];
    st->reasons |= part->reasons;
    st->not_evaluated += part->not_evaluated;
    st->used_reasons |= part->used_reasons;
    st->calm += part->calm;
}

/* ---- results ---- */

static double direction(const struct agg_state *st)
{
    if (st->used == st->calm || hypot(st->sum, st->sum2) < VECTOR_MIN * (st->used - st->calm))
        return NAN;
    const double x = atan2(st->sum, st->sum2) / DEGREE;
    return x < 0 ? x + 360 : x;
}

/* Yamartino 1984, as EPA-454/R-99-005 6.2.1 recommends it. */
static double direction_spread(const struct agg_state *st)
{
    const double n = st->used - st->calm;
    const double r2 = (st->sum * st->sum + st->sum2 * st->sum2) / (n * n);
    const double e = sqrt(r2 < 1 ? 1 - r2 : 0);

    return n > 0 ? asin(e) * (1 + (2 / sqrt(3) - 1) * e * e * e) / DEGREE : NAN;
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

static double spread_of(const struct agg_config *c, const struct agg_state *st)
{
    if (c->how == AGG_VECTOR)
        return direction_spread(st);
    return c->how == AGG_COUNTS ? sqrt(st->sum2) / st->used : NAN;
}

struct decimal agg_round(double x, int decimals)
{
    struct decimal near = decimal_round(x, decimals);

    if (near.e <= 0 || near.v % 5 != 0)
        return near;
    const double off = x - decimal_to_double(near);
    if (fabs(off) > fabs(x) * SUM_NOISE)
        near.v += off > 0 ? 1 : -1;
    return near;
}

static struct decimal rounded(const struct agg_config *c, double x)
{
    struct decimal d = agg_round(x, c->decimals);

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

static bool is_enough(const struct agg_config *c, const struct agg_state *st, uint32_t expected)
{
    const double need = c->need ? c->need : c->valid_share * expected;

    if (st->used == 0)
        return false;
    return st->used >= need || (c->enough > 0 && value_of(c, st) > c->enough);
}

static struct verdict verdict_of(const struct agg_config *c, const struct agg_state *st,
                                 uint32_t expected)
{
    struct verdict v = { STATUS_VALID, GRADE_GOOD, 0 };

    if (!is_enough(c, st, expected)) {
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

struct agg_result agg_result_of(const struct agg_config *c, const struct agg_state *st)
{
    struct agg_result r = {
        .start_ms = st->start_ms,
        .value = DECIMAL_MISSING,
        .min = NAN,
        .max = NAN,
        .spread = NAN,
        .used = st->used,
        .expected = expected_n(c),
    };

    r.verdict = verdict_of(c, st, r.expected);
    if (st->used == 0)
        return r;
    r.value = rounded(c, value_of(c, st));
    r.min = st->min;
    r.max = st->max;
    r.spread = spread_of(c, st);
    if (!decimal_has_value(r.value))
        r.verdict = verdict_add(r.verdict, GRADE_MISSING, REASON_NO_VALUE);
    return r;
}

/* ---- periods ---- */

/* An empty period; the last value stays, for the next step of a counter. */
void agg_open(struct agg_state *st, int64_t start_ms)
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

static bool is_of_open_period(const struct agg_config *c, const struct agg_state *st,
                              int64_t time_ms)
{
    return st->is_open && time_ms >= st->start_ms && time_ms - st->start_ms < c->period_ms;
}

enum agg_entry agg_enter(const struct agg_config *c, struct agg_state *st, int64_t time_ms,
                         struct agg_result *ret)
{
    if (is_of_open_period(c, st, time_ms))
        return AGG_ENTRY_OPEN;
    const int64_t start_ms = agg_start_of(time_ms, c->period_ms, c->zone_ms);
    const bool is_later = st->is_open && start_ms > st->start_ms;
    if (is_late(st, start_ms))
        return AGG_ENTRY_LATE;
    if (is_later)
        *ret = agg_result_of(c, st);
    agg_open(st, start_ms);
    return is_later ? AGG_ENTRY_NEXT : AGG_ENTRY_NEW;
}

bool agg_add(const struct agg_config *c, struct agg_state *st, const struct agg_input *in,
             struct agg_result *ret)
{
    const enum agg_entry e = agg_enter(c, st, in->time_ms, ret);

    if (e != AGG_ENTRY_LATE)
        agg_take(c, st, in);
    return e == AGG_ENTRY_NEXT;
}

bool agg_step(const struct agg_config *c, struct agg_state *st, const struct sample *s,
              struct agg_result *ret)
{
    const struct agg_input in = agg_input_of(c, s);

    return agg_add(c, st, &in, ret);
}

bool agg_close(const struct agg_config *c, struct agg_state *st, int64_t now_ms,
               struct agg_result *ret)
{
    if (!st->is_open || now_ms - st->start_ms < c->period_ms)
        return false;
    *ret = agg_result_of(c, st);
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
