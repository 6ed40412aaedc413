/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of a Geiger or scintillation counter, a minute each. An event is more than chance,
 * rain and the counter itself explain: a lasting rise is found by its evidence (Poisson CUSUM),
 * a source that passes by two or three counts far out. A second counter beside decides what one
 * alone cannot: whether the place or the instrument has changed.
 */
#include <math.h>

#include "rules/detect/block_mean.h"
#include "rules/detect/hold.h"
#include "rules/detect/mofn.h"
#include "rules/detect/notice.h"
#include "rules/detect/poisson_cusum.h"
#include "rules/detect/repeat.h"
#include "rules/detect/twin.h"
#include "rules/detect/washout.h"
#include "rules/watch/pool.h"

enum { MINUTE_MS = 60000 };

/* Source, where none is named: own measurement on the alert benchmark and on generated series;
 * what + or - 20 % of each does: docs/watching.md. "min" are minutes, which become slots of the
 * channel; all else are counts of slots, whatever their length. */
static const struct {
    double gap_min, switched_on_min, calibrated_min, repaired_min;
    int gap_least;
    int garbage, garbage_of;
    int repeats, repeats_high, repeats_told;
    double zero_from;
    double block_min;
    double wet_half_min;
    double far, far_share, far_beside;
    int far_alone, far_shared;
    double quiet;
    int off;
    double unconfirmed_min;
    double learn_below;
} counts = {
    .gap_min = 3,          /* it delivers no data */
    .gap_least = 2,        /* slots; one lost on the line is no gap, however long it is */
    .switched_on_min = 15, /* not believed behind a gap: a power-on swings up to 14 min */
    .calibrated_min = 2,   /* not believed behind a calibration */
    .repaired_min = 4,     /* not believed behind a value that stood still */

    .garbage = 2,     /* values that cannot be ... */
    .garbage_of = 12, /* ... in so many: a single one is a hiccup */

    .repeats = 7,      /* the same count: stuck. By chance once in 25 million at 20 a minute */
    .repeats_high = 3, /* beyond the limit: not believed ... */
    .repeats_told = 5, /* ... and told from here on */

    .zero_from = 10, /* background a minute from which a count of 0 cannot be: once in 22000 */

    .block_min = 15, /* background: armed 45 min behind the first value */

    .wet_half_min = 30, /* radon's daughters, Pb-214 and Bi-214 together */

    .far = 6,          /* sigma over the background: far out ... */
    .far_share = 0.3,  /* ... and so much of it, where many counts make sigma small */
    .far_beside = 0.5, /* of both, that the second counter must show */
    .far_alone = 3,    /* such counts in a row: an event */
    .far_shared = 2,   /* the same, when the second counter shows them too */

    .quiet = 0.5,           /* of the evidence: an event ends when less is left ... */
    .off = 5,               /* ... for so many slots */
    .unconfirmed_min = 360, /* an event that nothing confirms: ask for a check */

    .learn_below = 3, /* times the background: more is not learnt, whatever it is */
};

static const struct poisson_cusum_config rise = {
    .ratio = 1.3,
    .ln_ratio = 0.26236426446749106,
    /* By chance once in a million minutes or more; + 30 % is found in 16 minutes, twice the
     * background in 5 (facts on alerting, section 7, with the clip) */
    .enough = 12.5,
    .clip = 3, /* two wild counts at once bring less than half of it */
    .clip_least = 2,
    .share = 0.35,
    .significant = 3,
};

/* Radon washed out by rain raises the background to 1.8 times of it. Drizzle brings none, and
 * plumes come with drizzle: the figure to set by back-test at another site. */
static const struct washout_config washing = {
    .heavy = 4,   /* mm/h */
    .gain = 0.08, /* relative excess for 1 mm/h, a minute */
    .most = 0.9,
};

static const struct block_mean_config background = {
    .blocks = 24, /* 6 h: radon's day goes with it */
    .lag = 6,     /* 90 min: as long as a weak plume takes to be found */
    .least = 3,
};

static const struct twin_config drifting = {
    .slow = 60, /* minutes */
    .fast = 8,
    .apart = 0.25,
    .share = 0.35,
    .clip = 3,
    .confirm = 10,
};

struct tempo { /* figures in minutes, in slots of this channel */
    uint32_t pool;
    uint16_t gap, switched_on, calibrated, repaired, unconfirmed;
    struct washout_config washing;
    struct block_mean_config background;
    struct twin_config drifting;
};

struct counter {
    struct block_mean background;
    struct repeat repeat;
};

struct counts {
    struct tempo tempo;
    struct pool pool;
    struct hold hold;
    struct mofn garbage;
    struct counter own, beside;
    struct washout washout;
    struct twin twin;
    struct poisson_cusum rise;
    struct mofn far_alone, far_shared;
    struct notice event;
    uint16_t stood; /* slots of the event that were judged */
    uint16_t faults;
    bool is_far; /* what raised the event */
    enum watch_use use;
};

/* A count, and what is to be expected of it. */
struct count {
    double x, beside; /* beside: NaN where no second counter is fit */
    double expected, expected_beside;
    double allow;     /* relative excess that rain explains */
    bool is_compared; /* with the second counter, whose background is known */
};

/* ---- steps ---- */

static int slots_of(double minutes, double slot_ms, int least)
{
    const double slots = round(minutes * MINUTE_MS / slot_ms);

    return (int)fmax(least, fmin(slots, UINT16_MAX));
}

static void set_tempo(const struct watch_config *c, struct counts *n)
{
    struct tempo *t = &n->tempo;

    t->pool = pool_of(c, MINUTE_MS);
    const double slot_ms = (double)c->step_ms * t->pool;
    t->gap = (uint16_t)slots_of(counts.gap_min, slot_ms, counts.gap_least);
    t->switched_on = (uint16_t)slots_of(counts.switched_on_min, slot_ms, 1);
    t->calibrated = (uint16_t)slots_of(counts.calibrated_min, slot_ms, 1);
    t->repaired = (uint16_t)slots_of(counts.repaired_min, slot_ms, 1);
    t->unconfirmed = (uint16_t)slots_of(counts.unconfirmed_min, slot_ms, 1);
    t->washing = washing;
    t->washing.gain *= slot_ms / MINUTE_MS;
    t->washing.keep = exp2(-slot_ms / (counts.wet_half_min * MINUTE_MS));
    t->background = background;
    t->background.block = slots_of(counts.block_min, slot_ms, 1);
    t->drifting = drifting;
    t->drifting.slow = slots_of(drifting.slow, slot_ms, 1);
    t->drifting.fast = slots_of(drifting.fast, slot_ms, 1);
    t->drifting.confirm = slots_of(drifting.confirm, slot_ms, 2);
}

/* ---- faults ---- */

static void tell(struct counts *n, uint16_t fault, bool stands)
{
    n->faults = (uint16_t)(stands ? n->faults | fault : n->faults & ~fault);
}

/* A recognised fault: what has been collected was none of the environment. */
static void supersede(struct counts *n)
{
    notice_end(&n->event);
    poisson_cusum_clear(&n->rise);
    mofn_clear(&n->far_alone);
    mofn_clear(&n->far_shared);
    tell(n, WATCH_UNCONFIRMED, false);
}

static bool is_possible(const struct watch_config *c, const struct counter *of, double x)
{
    const bool is_rare = of->background.is_known && of->background.mean < counts.zero_from;

    return x >= c->range_min && x <= c->range_max && (x > 0 || (x == 0 && is_rare));
}

static enum watch_gate gate_of(const struct watch_config *c, const struct counts *n,
                               const struct watch_slot *s)
{
    if (s->gate == WATCH_GATE_OK && !is_possible(c, &n->own, s->value))
        return WATCH_GATE_BAD;
    return s->gate;
}

static void judge_garbage(struct counts *n, enum watch_gate gate)
{
    const bool is_bad = gate == WATCH_GATE_BAD;

    if (mofn_push(&n->garbage, is_bad, counts.garbage, counts.garbage_of)) {
        if (!(n->faults & WATCH_GARBAGE))
            supersede(n);
        tell(n, WATCH_GARBAGE, true);
    } else if (mofn_count(&n->garbage) == 0) {
        tell(n, WATCH_GARBAGE, false);
    }
}

/* Whether the slot holds a value to go on with. */
static bool is_value(struct counts *n, enum watch_gate gate)
{
    tell(n, WATCH_CALIBRATION, gate == WATCH_GATE_CALIBRATION);
    if (gate == WATCH_GATE_CALIBRATION) {
        supersede(n);
        hold_request(&n->hold, n->tempo.calibrated);
        n->hold.missed = 0;
    }
    if (gate == WATCH_GATE_MISSING && hold_miss(&n->hold) >= n->tempo.gap)
        tell(n, WATCH_NO_DATA, true);
    return gate == WATCH_GATE_OK;
}

static bool is_repeated(const struct watch_config *c, struct counts *n, double x)
{
    const bool is_high = x >= c->limit_high;
    const int run = repeat_push(&n->own.repeat, x);

    if (run < (is_high ? counts.repeats_high : counts.repeats))
        return false;
    if (run >= (is_high ? counts.repeats_told : counts.repeats)) {
        tell(n, WATCH_STUCK, true);
        supersede(n);
    }
    return true;
}

/* Whether the value is believed: neither held off nor stuck. */
static bool is_believed(const struct watch_config *c, struct counts *n, double x)
{
    bool is_held = hold_value(&n->hold, n->tempo.gap, n->tempo.switched_on);

    if (is_repeated(c, n, x))
        return false;
    if (n->faults & WATCH_STUCK) {
        tell(n, WATCH_STUCK, false);
        hold_request(&n->hold, n->tempo.repaired - 1);
        is_held = true;
    }
    if (is_held)
        return false;
    tell(n, WATCH_NO_DATA, false);
    return !(n->faults & WATCH_GARBAGE);
}

/* ---- events ---- */

static double background_of(const struct block_mean *b, double allow)
{
    /* What is not well known yet makes the test blunter, not wrong. */
    return (b->mean + b->error) * (1 + allow);
}

static bool is_fit(const struct watch_config *c, struct counter *beside, double x)
{
    return is_possible(c, beside, x) && repeat_push(&beside->repeat, x) < counts.repeats;
}

static struct count count_of(const struct watch_config *c, struct counts *n,
                             const struct watch_slot *s, double allow)
{
    const double twin = s->aside[WATCH_TWIN];
    struct count v = { .x = s->value, .beside = NAN, .allow = allow };

    if (is_fit(c, &n->beside, twin))
        v.beside = twin;
    v.is_compared = !isnan(v.beside) && n->beside.background.is_known;
    v.expected = background_of(&n->own.background, allow);
    v.expected_beside = background_of(&n->beside.background, allow);
    return v;
}

static void judge_drift(struct counts *n, const struct count *v)
{
    const struct block_mean *own = &n->own.background, *beside = &n->beside.background;
    const bool was_apart = n->twin.is_apart;

    if (twin_push(&n->tempo.drifting, &n->twin, v->x - own->mean, v->beside - beside->mean,
                  own->mean, own->root) ||
        was_apart)
        supersede(n);
    tell(n, WATCH_DRIFT, n->twin.is_apart);
}

static double far_from(double expected)
{
    return fmax(counts.far * sqrt(expected), counts.far_share * expected);
}

static bool judge_far(struct counts *n, const struct count *v)
{
    const bool is_far = v->x > v->expected + far_from(v->expected);

    if (!v->is_compared)
        return mofn_push(&n->far_alone, is_far, counts.far_alone, counts.far_alone);
    const double beside = v->expected_beside + counts.far_beside * far_from(v->expected_beside);
    return mofn_push(&n->far_shared, is_far && v->beside > beside, counts.far_shared,
                     counts.far_shared);
}

static void begin_event(struct counts *n, bool is_far)
{
    notice_raise(&n->event);
    n->stood = 0;
    n->is_far = is_far;
    if (is_far)
        n->rise.evidence = fmax(n->rise.evidence, rise.enough);
}

static void go_on_with_event(struct counts *n, const struct count *v, bool is_far)
{
    const bool still = n->rise.evidence >= counts.quiet * rise.enough || is_far;

    n->stood = count_up(n->stood);
    if (!notice_pass(&n->event, still, counts.off)) {
        poisson_cusum_clear(&n->rise);
        tell(n, WATCH_UNCONFIRMED, false);
    } else if (!v->is_compared && n->stood >= n->tempo.unconfirmed) {
        tell(n, WATCH_UNCONFIRMED, true);
    }
}

static void judge_event(struct counts *n, const struct count *v)
{
    const bool is_rise =
        poisson_cusum_push(&rise, &n->rise, v->x, v->expected, v->is_compared ? v->beside : NAN,
                           v->expected_beside) &&
        poisson_cusum_is_shared(&rise, &n->rise);
    const bool is_far = judge_far(n, v);

    if (n->event.is_up)
        go_on_with_event(n, v, is_far);
    else if ((is_rise || is_far) && !n->twin.is_apart)
        begin_event(n, is_far);
}

/* Only in undisturbed time. */
static void learn(struct counts *n, const struct count *v)
{
    const struct block_mean *own = &n->own.background;

    if (n->event.is_up || n->twin.is_apart || v->allow > 0 ||
        n->rise.evidence >= counts.quiet * rise.enough ||
        (own->is_known && v->x >= counts.learn_below * own->mean))
        return;
    block_mean_push(&n->tempo.background, &n->own.background, v->x);
    if (!isnan(v->beside))
        block_mean_push(&n->tempo.background, &n->beside.background, v->beside);
}

/* ---- slots ---- */

/* Above it a count speaks for an event. */
static double limit_of(const struct counts *n, double expected)
{
    if (n->event.is_up && n->is_far)
        return expected + far_from(expected);
    return expected * (rise.ratio - 1) / rise.ln_ratio;
}

/* Whether the slot was judged. The order of the steps is binding: faults before events. */
static bool take(const struct watch_config *c, struct counts *n, const struct watch_slot *s,
                 double *ret_limit)
{
    const double allow = washout_step(&n->tempo.washing, &n->washout, s->aside[WATCH_RAIN]);
    const enum watch_gate gate = gate_of(c, n, s);

    judge_garbage(n, gate);
    if (!is_value(n, gate) || !is_believed(c, n, s->value))
        return false;
    const struct count v = count_of(c, n, s, allow);
    const bool is_armed = n->own.background.is_known;
    if (is_armed) {
        if (v.is_compared)
            judge_drift(n, &v);
        judge_event(n, &v);
        *ret_limit = limit_of(n, v.expected);
    }
    learn(n, &v);
    return is_armed;
}

static size_t size(const struct watch_config *c)
{
    (void)c;
    return sizeof(struct counts);
}

static void init(const struct watch_config *c, void *state)
{
    struct counts *n = state;

    *n = (struct counts){ .use = WATCH_SET_ASIDE };
    set_tempo(c, n);
}

static void slot(const struct watch_config *c, void *state, const struct watch_slot *s,
                 struct watch_result *ret)
{
    struct counts *n = state;
    struct watch_slot whole;

    if (pool_add(c, &n->pool, n->tempo.pool, s, &whole))
        n->use = take(c, n, &whole, &ret->limit) ? WATCH_JUDGED : WATCH_SET_ASIDE;
    ret->use = n->use;
    ret->side = 1;
    ret->is_event = n->event.is_up;
    ret->faults = n->faults;
}

const struct watch_ops watch_counts = { size, init, slot };
