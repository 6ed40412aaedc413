/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation order of facts/alerting section 2, behind the gate (gate.c): hold-off, condition
 * per level, delays, raise or change or clear. Each level keeps two windows of usable samples:
 * which met `set`, and which lay behind `clear` since the level was entered.
 */
#include "rules/alert/alert.h"

#include <math.h>
#include <string.h>

enum { WINDOW_MAX = 32 }; /* bits of a window */

#define LATE_MS (INT64_C(3600) * 1000) /* of a sample, for rules that are never stale */

/* How far out a value is, so that more is always worse. */
static double outwards(const struct alert_rule *r, double x)
{
    if (r->direction == ALERT_BELOW)
        return -x;
    return r->direction == ALERT_OUTSIDE ? fabs(x) : x;
}

/* At set is an exceedance; cleared is only what lies strictly behind clear. A limit that is
 * kept at equality: the other way round. */
static bool is_on(const struct alert_rule *r, double x, double set)
{
    const double out = outwards(r, x), limit = outwards(r, set);

    if (r->direction == ALERT_EQUAL)
        return x == set;
    return r->is_kept_at_limit ? out > limit : out >= limit;
}

static bool is_off(const struct alert_rule *r, double x, double clear)
{
    const double out = outwards(r, x), limit = outwards(r, clear);

    if (r->direction == ALERT_EQUAL)
        return x != clear;
    return r->is_kept_at_limit ? out <= limit : out < limit;
}

static int lowest_level(const struct alert_rule *r)
{
    int l = LEVEL_BLUE;

    while (l < LEVEL_RED && !r->level[l].is_set)
        l++;
    return l;
}

bool alert_crossing(const struct alert_rule *r, int64_t now_ms, double value,
                    const struct alert_score *s, struct alert_crossing *ret)
{
    int64_t after_ms, plus_minus_ms;

    if (!alert_input_crossing(s, value, r->level[lowest_level(r)].set, &after_ms,
                              &plus_minus_ms))
        return false;
    *ret = (struct alert_crossing){ now_ms + after_ms, plus_minus_ms };
    return true;
}

static bool is_further(const struct alert_rule *r, double x, double than)
{
    return outwards(r, x) > outwards(r, than);
}

/* ---- hold-off ---- */

/* How long ago the last usable sample may be before the rule cannot judge; 0: any time. */
static bool is_gap(const struct alert_rule *r, const struct alert_state *st, int64_t now_ms)
{
    return r->stale_ms > 0 && st->last_sample_ms != 0 &&
           now_ms - st->last_sample_ms > r->stale_ms;
}

/* A clock that went back further than a sample can be late. */
static bool is_clock_back(const struct alert_rule *r, const struct alert_state *st,
                          int64_t time_ms)
{
    const int64_t late_ms = r->stale_ms > 0 ? r->stale_ms : LATE_MS;

    return st->last_sample_ms - time_ms > late_ms;
}

/* Durations start anew behind a gap: nobody saw what was in it. Windows count samples and stay.
 */
static void forget_durations(struct alert_state *st)
{
    memset(st->on_since_ms, 0, sizeof st->on_since_ms);
    memset(st->off_since_ms, 0, sizeof st->off_since_ms);
}

static void begin_hold(const struct alert_rule *r, struct alert_state *st)
{
    st->hold = r->hold_samples;
    forget_durations(st);
}

/* ---- conditions and delays ---- */

static uint32_t window_mask(unsigned n)
{
    return n < WINDOW_MAX ? (UINT32_C(1) << n) - 1 : UINT32_MAX;
}

static void push(const struct alert_delay *d, uint32_t *bits, int64_t *since_ms, bool is_met,
                 int64_t time_ms)
{
    *bits = (*bits << 1 | is_met) & window_mask(d->n);
    if (d->n != 0 || !is_met)
        *since_ms = 0;
    else if (*since_ms == 0)
        *since_ms = time_ms;
}

/* How a sample stands to a level: a watch speaks for the lowest one of a rule on events. */
enum stand { AT_REST, BETWEEN, EXCEEDING, UNKNOWN };

static enum stand stand_of(const struct alert_rule *r, int level, const struct alert_look *look)
{
    const struct alert_threshold *t = &r->level[level];

    if (look->is_refuted)
        return AT_REST;
    if (r->input.kind == ALERT_EVENT && level == lowest_level(r))
        return look->is_event ? EXCEEDING : AT_REST;
    if (isnan(look->x))
        return UNKNOWN;
    if (is_on(r, look->x, t->set))
        return EXCEEDING;
    return is_off(r, look->x, t->clear) ? AT_REST : BETWEEN;
}

static void take_value(const struct alert_rule *r, struct alert_state *st,
                       const struct alert_look *look)
{
    const double x = look->x;

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        const struct alert_threshold *t = &r->level[l];
        if (!t->is_set)
            continue;
        const enum stand is = stand_of(r, l, look);
        if (is == UNKNOWN)
            continue;
        push(&t->on, &st->on_bits[l], &st->on_since_ms[l],
             is == EXCEEDING && !look->is_inhibited, look->time_ms);
        if (l <= st->level)
            push(&t->off, &st->off_bits[l], &st->off_since_ms[l], is == AT_REST, look->time_ms);
    }
    if (st->level != LEVEL_NONE && is_further(r, x, st->extreme))
        st->extreme = x;
}

static bool is_delay_over(const struct alert_delay *d, uint32_t bits, int64_t since_ms,
                          int64_t now_ms)
{
    if (d->n == 0)
        return since_ms != 0 && now_ms - since_ms >= d->duration_ms;
    return __builtin_popcount(bits & window_mask(d->n)) >= d->m;
}

/* The highest level above the present one whose on-delay is over. */
static int level_up(const struct alert_rule *r, const struct alert_state *st, int64_t now_ms)
{
    for (int l = LEVEL_RED; l > st->level; l--)
        if (r->level[l].is_set &&
            is_delay_over(&r->level[l].on, st->on_bits[l], st->on_since_ms[l], now_ms))
            return l;
    return st->level;
}

static bool may_leave(const struct alert_threshold *t, const struct alert_state *st, int level,
                      int64_t now_ms)
{
    if (level == st->level && now_ms - st->level_ms < t->min_ms)
        return false;
    return is_delay_over(&t->off, st->off_bits[level], st->off_since_ms[level], now_ms);
}

/* Down past every level whose off-delay is over; the value was beyond all of them. */
static int level_down(const struct alert_rule *r, const struct alert_state *st, int64_t now_ms)
{
    for (int l = st->level; l > LEVEL_NONE; l--)
        if (r->level[l].is_set && !may_leave(&r->level[l], st, l, now_ms))
            return l;
    return LEVEL_NONE;
}

/* Flapping: the same episode is not told twice within rearm_ms, unless it is worse than it was.
 */
static bool is_held_back(const struct alert_rule *r, const struct alert_state *st, int to,
                         int64_t now_ms)
{
    return st->level == LEVEL_NONE && st->last_raise_ms != 0 && to <= st->peak &&
           now_ms >= st->last_raise_ms && now_ms - st->last_raise_ms < r->rearm_ms;
}

/* ---- transitions ---- */

static struct alert_change change_of(const struct alert_state *st, enum alert_transition what,
                                     int64_t time_ms)
{
    return (struct alert_change){
        .what = what,
        .time_ms = time_ms,
        .raised_ms = st->raised_ms,
        .level = st->level,
        .from_level = st->level,
        .peak = st->peak,
        .value = NAN,
        .limit = NAN,
        .extreme = st->level == LEVEL_NONE ? NAN : st->extreme,
    };
}

static enum alert_transition transition_of(int from, int to)
{
    if (to > from)
        return from == LEVEL_NONE ? ALERT_RAISED : ALERT_UPGRADED;
    return to == LEVEL_NONE ? ALERT_CLEARED : ALERT_DOWNGRADED;
}

/* Windows of what was entered or left begin anew: an old sample must not decide twice. */
static void forget_windows(struct alert_state *st, int from, int to)
{
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        if (l > from && l <= to) {
            st->off_bits[l] = 0;
            st->off_since_ms[l] = 0;
        } else if (l > to && l <= from) {
            st->on_bits[l] = st->off_bits[l] = 0;
            st->on_since_ms[l] = st->off_since_ms[l] = 0;
        }
    }
}

static struct alert_change move_to(const struct alert_rule *r, struct alert_state *st, int to,
                                   int64_t now_ms)
{
    const int from = st->level;

    if (from == LEVEL_NONE) {
        st->raised_ms = st->last_raise_ms = now_ms;
        st->peak = LEVEL_NONE;
        st->extreme = st->last_value;
    }
    st->level = (uint8_t)to;
    st->level_ms = now_ms;
    if (to > st->peak)
        st->peak = (uint8_t)to;
    forget_windows(st, from, to);

    struct alert_change c = change_of(st, transition_of(from, to), now_ms);
    c.from_level = (uint8_t)from;
    c.value = st->last_value;
    c.limit = to > from ? r->level[to].set : r->level[from].clear;
    if (r->input.kind == ALERT_EVENT && (to > from ? to : from) == lowest_level(r))
        c.limit = st->event_limit;
    c.extreme = st->extreme;
    c.verdict = st->last_verdict;
    c.crossing = st->crossing;
    return c;
}

enum fall {
    MAY_FALL,
    MAY_NOT_FALL /* no new sample: missing data never clears */
};

/* Up before down: where one sample completes both, the worse is told. */
static bool decide(const struct alert_rule *r, struct alert_state *st, int64_t now_ms,
                   enum fall fall, struct alert_change *ret)
{
    int to = level_up(r, st, now_ms);

    if (to == st->level && fall == MAY_FALL)
        to = level_down(r, st, now_ms);
    if (to == st->level || is_held_back(r, st, to, now_ms))
        return false;
    *ret = move_to(r, st, to, now_ms);
    return true;
}

/* A quiet rule with nothing pending can be forgotten: a restart finds it quiet. */
static bool is_pending(const struct alert_state *st)
{
    bool is_any = st->level != LEVEL_NONE || st->is_stale || st->hold;

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        is_any |= st->on_bits[l] != 0 || st->on_since_ms[l] != 0;
    return is_any;
}

static void judge(const struct alert_rule *r, struct alert_state *st,
                  const struct alert_look *look, struct alert_change *ret)
{
    const bool was_stale = st->is_stale;

    st->is_stale = false;
    st->crossing = look->crossing;
    st->event_limit = look->has_event ? look->limit : NAN;
    if (!isnan(look->x))
        st->last_value = look->x;
    st->last_verdict = look->verdict;
    take_value(r, st, look);
    if (decide(r, st, look->time_ms, MAY_FALL, ret) || !was_stale)
        return;
    *ret = change_of(st, ALERT_JUDGES_AGAIN, look->time_ms);
    ret->value = look->x;
    ret->verdict = look->verdict;
}

/* One step of the hold-off; the samples that quality control holds off count into it. */
static bool hold_off(struct alert_state *st)
{
    if (st->hold == 0)
        return false;
    st->hold--;
    return true;
}

void alert_judge(const struct alert_rule *r, struct alert_state *st,
                 const struct alert_look *look, struct alert_change *ret, bool *ret_touched)
{
    const bool was_pending = is_pending(st);

    *ret = (struct alert_change){ .what = ALERT_QUIET };
    *ret_touched = false;
    if (look->is_serviced && r->hold_samples > 0) {
        begin_hold(r, st);
        *ret_touched = !was_pending;
    }
    if (isnan(look->x) && !look->is_held && !look->has_event && !look->is_suppressed)
        return;
    if (look->time_ms <= st->last_sample_ms && !is_clock_back(r, st, look->time_ms))
        return;
    if (is_gap(r, st, look->time_ms) || is_clock_back(r, st, look->time_ms))
        begin_hold(r, st);
    st->last_sample_ms = look->time_ms;
    if (look->is_suppressed)
        forget_durations(st); /* nobody asked what lies in between */
    else if (!hold_off(st) && (!isnan(look->x) || look->has_event))
        judge(r, st, look, ret);
    *ret_touched = was_pending || is_pending(st);
    if (was_pending && !is_pending(st))
        st->last_sample_ms = 0; /* as stored: a quiet rule's silence is not told by its state */
}

void alert_step(const struct alert_rule *r, struct alert_state *st, const struct sample *s,
                struct alert_change *ret, bool *ret_touched)
{
    const struct alert_look look = alert_look_at(r, s);

    alert_judge(r, st, &look, ret, ret_touched);
}

void alert_tick(const struct alert_rule *r, struct alert_state *st, int64_t now_ms,
                struct alert_change *ret, bool *ret_touched)
{
    *ret = (struct alert_change){ .what = ALERT_QUIET };
    *ret_touched = false;
    if (st->is_stale)
        return;
    if (is_gap(r, st, now_ms)) {
        st->is_stale = true;
        *ret = change_of(st, ALERT_CANNOT_JUDGE, now_ms);
        ret->verdict = (struct verdict){ STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM };
        *ret_touched = true;
    } else if (st->hold == 0) {
        *ret_touched = decide(r, st, now_ms, MAY_NOT_FALL, ret);
    }
}

static void shift(int64_t *time_ms, int64_t by_ms)
{
    if (*time_ms != 0)
        *time_ms += by_ms;
}

void alert_shift(struct alert_state *st, int64_t by_ms)
{
    shift(&st->last_raise_ms, by_ms);
    shift(&st->last_sample_ms, by_ms);
    shift(&st->level_ms, by_ms);
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        shift(&st->on_since_ms[l], by_ms);
        shift(&st->off_since_ms[l], by_ms);
    }
}

/* ---- rules ---- */

void alert_threshold_default(enum alert_direction direction, struct alert_threshold *t)
{
    const double dead_band = fabs(t->set) * ALERT_DEAD_BAND;

    if (isnan(t->clear) && direction == ALERT_EQUAL)
        t->clear = t->set;
    if (isnan(t->clear))
        t->clear = direction == ALERT_BELOW ? t->set + dead_band : t->set - dead_band;
    if (t->on.n == 0 && t->on.duration_ms == 0)
        t->on = (struct alert_delay){ 3, 3, 0 };
    if (t->off.n == 0 && t->off.duration_ms == 0) {
        const int m = 2 * t->on.m, n = 2 * t->on.n;
        t->off = (struct alert_delay){ (uint8_t)(m < WINDOW_MAX ? m : WINDOW_MAX),
                                       (uint8_t)(n < WINDOW_MAX ? n : WINDOW_MAX),
                                       2 * t->on.duration_ms };
    }
}

static bool is_delay_sane(const struct alert_delay *d)
{
    return d->n == 0 ? d->duration_ms > 0 : d->m >= 1 && d->m <= d->n && d->n <= WINDOW_MAX;
}

bool alert_delay_is_longer(const struct alert_delay *a, const struct alert_delay *b)
{
    if (a->n == 0 || b->n == 0)
        return a->n == 0 && b->n == 0 && a->duration_ms > b->duration_ms;
    return a->m > b->m && a->n >= b->n;
}

static bool is_above(const struct alert_rule *r, const struct alert_threshold *t,
                     const struct alert_threshold *lower)
{
    return is_further(r, t->set, lower->set) ||
           (t->set == lower->set && alert_delay_is_longer(&t->on, &lower->on));
}

const char *alert_rule_error(const struct alert_rule *r)
{
    int lower = LEVEL_NONE;

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        const struct alert_threshold *t = &r->level[l];
        if (!t->is_set)
            continue;
        if (!isfinite(t->set) || !isfinite(t->clear))
            return "Set and clear must be finite numbers.";
        if (is_further(r, t->clear, t->set))
            return "Clear must not lie beyond set: the alert would never rest.";
        if (r->direction == ALERT_OUTSIDE && !(t->set > 0 && t->clear >= 0))
            return "Outside needs a set above zero: it is a distance.";
        if (!is_delay_sane(&t->on) || !is_delay_sane(&t->off))
            return "A delay is m of n samples with 1 <= m <= n <= 32, or a duration.";
        if (lower != LEVEL_NONE && r->direction != ALERT_EQUAL &&
            !is_above(r, t, &r->level[lower]))
            return "A higher level needs a set further out than the one below it, or the same "
                   "one for longer.";
        lower = l;
    }
    return lower == LEVEL_NONE ? "A rule needs at least one level." : NULL;
}
