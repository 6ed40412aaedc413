/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sample at a time: is it usable, does each level's condition hold, have the delays run out.
 * On-histories say "beyond set", off-histories "back behind clear"; a level stands from the moment
 * its on-delay is over until its off-delay is. The alert's colour is the highest level standing.
 */
#include "rules/alert/alert.h"

#include <math.h>
#include <string.h>

static bool is_beyond(const struct alert_rule *r, double x, double limit)
{
    return r->direction == ALERT_ABOVE ? x > limit : x < limit;
}

/* Good, suspect and not evaluated samples count; a saturated one is "at least the limit". */
static bool is_usable(const struct alert_rule *r, const struct sample *s)
{
    if (!decimal_has_value(s->value) || isnan(decimal_to_double(s->value)))
        return false;
    if (s->verdict.status == STATUS_OVER_RANGE)
        return r->direction == ALERT_ABOVE;
    return s->verdict.grade == GRADE_GOOD || s->verdict.grade == GRADE_SUSPECT ||
           s->verdict.grade == GRADE_NOT_EVALUATED;
}

static unsigned count_bits(uint32_t bits, unsigned n)
{
    return (unsigned)__builtin_popcount(n < 32 ? bits & ((UINT32_C(1) << n) - 1) : bits);
}

/* One more usable sample into a history. */
static void remember(bool is_met, uint32_t *bits, uint8_t *n, int64_t *since_ms, int64_t now_ms)
{
    *bits = *bits << 1 | is_met;
    if (*n < 32)
        ++*n;
    if (!is_met)
        *since_ms = 0;
    else if (*since_ms == 0)
        *since_ms = now_ms;
}

static bool is_over(const struct alert_delay *d, uint32_t bits, uint8_t n, int64_t since_ms,
                    int64_t now_ms)
{
    if (d->n == 0)
        return since_ms != 0 && now_ms - since_ms >= d->duration_ms;
    return n >= d->m && count_bits(bits, d->n) >= d->m;
}

static void forget(struct alert_state *st, int level)
{
    st->on_bits[level] = st->off_bits[level] = 0;
    st->on_n[level] = st->off_n[level] = 0;
    st->on_since_ms[level] = st->off_since_ms[level] = 0;
}

static void remember_sample(const struct alert_rule *r, struct alert_state *st, double x,
                            bool is_saturated, int64_t now_ms)
{
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        const struct alert_threshold *h = &r->level[l];
        if (!h->is_set)
            continue;
        bool is_on = is_saturated || is_beyond(r, x, h->set);
        bool is_off = !is_saturated && !is_beyond(r, x, h->clear);
        remember(is_on, &st->on_bits[l], &st->on_n[l], &st->on_since_ms[l], now_ms);
        remember(is_off, &st->off_bits[l], &st->off_n[l], &st->off_since_ms[l], now_ms);
    }
}

/* The colour that the histories give: up to the highest whose on-delay is over; down past every
 * level whose off-delay is. */
static int judged_level(const struct alert_rule *r, const struct alert_state *st, int64_t now_ms)
{
    for (int l = LEVEL_RED; l > st->level; l--) {
        if (r->level[l].is_set && is_over(&r->level[l].on, st->on_bits[l], st->on_n[l],
                                          st->on_since_ms[l], now_ms))
            return l;
    }
    for (int l = st->level; l > LEVEL_NONE; l--) {
        if (r->level[l].is_set && !is_over(&r->level[l].off, st->off_bits[l], st->off_n[l],
                                           st->off_since_ms[l], now_ms))
            return l;
    }
    return LEVEL_NONE;
}

static double limit_of(const struct alert_rule *r, int from, int to)
{
    return to > from ? r->level[to].set : r->level[from].clear;
}

static enum alert_transition transition_of(int from, int to)
{
    if (from == LEVEL_NONE)
        return ALERT_RAISED;
    if (to == LEVEL_NONE)
        return ALERT_CLEARED;
    return to > from ? ALERT_UPGRADED : ALERT_DOWNGRADED;
}

/* Within the rearm time a new raise waits: its histories stay, so it comes when the time is over. */
static bool is_held_back(const struct alert_rule *r, const struct alert_state *st, int to,
                         int64_t now_ms)
{
    return st->level == LEVEL_NONE && to > LEVEL_NONE && st->last_raise_ms != 0 &&
           now_ms - st->last_raise_ms < r->rearm_ms && now_ms >= st->last_raise_ms;
}

static void start_episode(struct alert_state *st, double x, int64_t now_ms)
{
    st->raised_ms = st->last_raise_ms = now_ms;
    st->peak = LEVEL_NONE;
    st->extreme = x;
}

static void move_to(const struct alert_rule *r, struct alert_state *st, int to, double x,
                    int64_t now_ms, struct alert_change *ret)
{
    int from = st->level;

    if (to == from || is_held_back(r, st, to, now_ms))
        return;
    if (from == LEVEL_NONE)
        start_episode(st, x, now_ms);
    st->level = (uint8_t)to;
    if (to > st->peak)
        st->peak = (uint8_t)to;
    /* A level that was just left or entered starts its delays anew; an old history would let the
     * next single sample throw it back. */
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        if ((l > from && l <= to) || (l > to && l <= from))
            forget(st, l);
    }
    *ret = (struct alert_change){
        .what = transition_of(from, to),
        .time_ms = now_ms,
        .raised_ms = st->raised_ms,
        .level = (uint8_t)to,
        .from_level = (uint8_t)from,
        .peak = st->peak,
        .value = x,
        .limit = limit_of(r, from, to),
        .extreme = st->extreme,
    };
}

static void judge_again(struct alert_state *st, const struct sample *s, double x,
                        struct alert_change *ret)
{
    *ret = (struct alert_change){
        .what = ALERT_JUDGES_AGAIN, .time_ms = s->time_ms, .raised_ms = st->raised_ms,
        .level = st->level, .from_level = st->level, .peak = st->peak, .value = x,
        .limit = NAN, .extreme = st->extreme, .verdict = s->verdict,
    };
    st->is_stale = false;
}

static void keep_extreme(const struct alert_rule *r, struct alert_state *st, double x)
{
    if (st->level != LEVEL_NONE && is_beyond(r, x, st->extreme))
        st->extreme = x;
}

/* What matters after a restart: everything but the time of the last sample of a quiet rule. */
static bool has_moved(const struct alert_state *a, const struct alert_state *b)
{
    struct alert_state x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x.last_sample_ms = y.last_sample_ms = 0;
    for (int l = 0; l < LEVEL_COUNT_; l++) {
        bool is_quiet = x.level == LEVEL_NONE && y.level == LEVEL_NONE && x.on_bits[l] == 0 &&
                        y.on_bits[l] == 0;
        if (!is_quiet)
            continue;
        /* counts of ordinary samples and how long they have been ordinary: nothing hangs on it */
        x.on_n[l] = y.on_n[l] = x.off_n[l] = y.off_n[l] = 0;
        x.off_bits[l] = y.off_bits[l] = 0;
        x.off_since_ms[l] = y.off_since_ms[l] = 0;
    }
    return memcmp(&x, &y, sizeof x) != 0;
}

/* The first sample after a gap starts the hold; the rest of the same gap's samples do not. */
static void begin_hold(const struct alert_rule *r, struct alert_state *st, const struct sample *s)
{
    bool is_after_gap = s->verdict.reasons & REASON_AFTER_GAP;

    if (is_after_gap && !st->is_after_gap)
        st->hold = r->hold_samples;
    st->is_after_gap = is_after_gap;
}

void alert_step(const struct alert_rule *r, struct alert_state *st, const struct sample *s,
                struct alert_change *ret, bool *ret_touched)
{
    struct alert_state before;

    memcpy(&before, st, sizeof before); /* padding too: has_moved() compares bytes */
    *ret = (struct alert_change){ .what = ALERT_QUIET };
    *ret_touched = false;
    begin_hold(r, st, s);
    if (!is_usable(r, s) || s->time_ms < st->last_sample_ms) {
        *ret_touched = has_moved(&before, st);
        return;
    }
    double x = decimal_to_double(s->value);
    st->last_sample_ms = s->time_ms;
    if (st->hold > 0) {
        st->hold--;
        *ret_touched = has_moved(&before, st);
        return;
    }
    keep_extreme(r, st, x);
    remember_sample(r, st, x, s->verdict.status == STATUS_OVER_RANGE, s->time_ms);
    move_to(r, st, judged_level(r, st, s->time_ms), x, s->time_ms, ret);
    if (ret->what == ALERT_QUIET && st->is_stale)
        judge_again(st, s, x, ret);
    st->is_stale = false;
    ret->verdict = s->verdict;
    *ret_touched = has_moved(&before, st);
}

void alert_tick(const struct alert_rule *r, struct alert_state *st, int64_t now_ms,
                struct alert_change *ret, bool *ret_touched)
{
    *ret = (struct alert_change){ .what = ALERT_QUIET };
    *ret_touched = false;
    if (st->is_stale || st->last_sample_ms == 0 || r->stale_ms <= 0 ||
        now_ms - st->last_sample_ms <= r->stale_ms)
        return;
    st->is_stale = true;
    *ret_touched = true;
    *ret = (struct alert_change){
        .what = ALERT_CANNOT_JUDGE, .time_ms = now_ms, .raised_ms = st->raised_ms,
        .level = st->level, .from_level = st->level, .peak = st->peak, .value = NAN,
        .limit = NAN, .extreme = st->extreme,
        .verdict = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
    };
}

/* The limits of two levels, the higher colour second, in the wrong order. */
static bool is_wrong_order(const struct alert_rule *r, int low, int high)
{
    return is_beyond(r, r->level[low].set, r->level[high].set);
}

const char *alert_rule_error(const struct alert_rule *r)
{
    int below = LEVEL_NONE;

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        if (!r->level[l].is_set)
            continue;
        if (!isfinite(r->level[l].set) || !isfinite(r->level[l].clear))
            return "set and clear must be finite numbers";
        if (is_beyond(r, r->level[l].clear, r->level[l].set))
            return "clear must not lie beyond set";
        if (below != LEVEL_NONE && is_wrong_order(r, below, l))
            return "a higher level must have the more extreme set";
        below = l;
    }
    return below == LEVEL_NONE ? "a rule needs at least one level" : NULL;
}
