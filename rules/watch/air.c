/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concentrations in air, an hour each. Two kinds of event: the limit is exceeded, with the
 * neighbours or without; or there is more here than the neighbours and the habits of this place
 * explain, well below the limit (a local plume). All figures are shares of the limit, so that
 * none depends on the pollutant.
 */
#include <math.h>

#include "rules/detect/dying.h"
#include "rules/detect/hold.h"
#include "rules/detect/mofn.h"
#include "rules/detect/neighbours.h"
#include "rules/detect/notice.h"
#include "rules/detect/offset.h"
#include "rules/detect/repeat.h"
#include "rules/detect/there_and_back.h"
#include "rules/detect/zero_span.h"
#include "rules/watch/pool.h"

enum { HOUR_MS = 3600000 };

/* Source, where none is named: own measurement on the alert benchmark and on generated series;
 * what + or - 20 % of each does: docs/watching.md. Counts are slots of an hour. */
static const struct {
    int window;
    int gap;
    int garbage, garbage_of;
    int calibrated, repaired, switched_on;
    int repeats, repeats_high, repeats_told;
    double low, low_beside, moves_beside;
    double jump;
    int jumps, jumps_of;
    double alone;
    int over, over_beside;
    double high_beside, dead_band;
    int over_off;
    double excess, excess_sigma, excess_strong, times_beside, high_enough;
    int local, local_of;
    double local_clear;
    int local_off;
} air = {
    .window = 48, /* two days of differences to the neighbours; 38 h is worse */

    .gap = 24, /* it delivers no data: a day, since hours are often lost one by one */

    .garbage = 2,     /* values that cannot be ... */
    .garbage_of = 12, /* ... in so many: a single one is a hiccup */

    .calibrated = 1,  /* not believed behind a calibration */
    .repaired = 1,    /* not believed behind a value that stood still */
    .switched_on = 3, /* not believed behind a power-on transient */

    .repeats = 12,     /* the same value: stuck, if its neighbours moved */
    .repeats_high = 3, /* beyond the limit: not believed ... */
    .repeats_told = 5, /* ... and told from here on */
    .low = 0.02,       /* limits: the instrument's floor, where a value may stay as it is ... */
    .low_beside = 0.33,   /* ... unless the neighbours are so much higher */
    .moves_beside = 0.04, /* limits that the neighbours must move meanwhile, or it is calm */

    .jump = 0.3, /* limits there and back: no air does that twice in half a day */
    .jumps = 2,
    .jumps_of = 12,

    .alone = 0.3, /* limits: without neighbours a value behind a gap stands out from here on */

    .over = 3,           /* hours at the limit: an event */
    .over_beside = 2,    /* the same, when the neighbours are near it as well */
    .high_beside = 0.65, /* limits: near it */
    .dead_band = 0.95,   /* limits: below, it ends ... */
    .over_off = 3,       /* ... in so many hours */

    .excess = 0.33,    /* limits more than usual beside these neighbours: a local plume ... */
    .excess_sigma = 5, /* ... and so many sigma of what this place scatters. 4 takes scatter for
                          plumes, 6 misses more */
    .excess_strong = 0.55, /* limits: whatever it scatters ... */
    .times_beside = 2.2,   /* ... when it is so many times of what the neighbours have */
    .high_enough =
        0.58,           /* limits: less concerns nobody. 0.5 brings false alarms, 0.66 misses */
    .local = 3,         /* such hours ... */
    .local_of = 4,      /* ... of so many: an event */
    .local_clear = 0.6, /* of that excess: below, it ends ... */
    .local_off = 3,     /* ... in so many hours */
};

/* Those that are shares of the limit are multiplied with it. */
static const struct dying_config switching_on = {
    .gap = 3,
    .longest = 14,
    .out = 0.2,   /* limits */
    .done = 0.12, /* limits */
    .rise = 1.1,
};

static const struct zero_span_config calibrating = {
    .zero = 0.02, /* limits */
    .span = 0.9,  /* limits */
    .tolerance = 0.012,
};

static const struct offset_config moving = {
    .least = 36,
    .quantile = 0.2, /* four fifths of two days */
    .from = 0.28,    /* limits */
    .over = 0.6,
    .back = 3,
};

static const struct neighbours_config comparing = {
    .least = 12,
    .level = 0.5,  /* limits */
    .floor = 0.05, /* limits */
    .first = 0.1,  /* limits */
};

struct air {
    uint32_t pool_of;
    uint16_t faults;
    enum watch_use use;
    double limit; /* that raised the event */
    struct pool pool;
    struct hold hold;
    struct mofn garbage, jumps;
    struct zero_span calibration;
    struct repeat repeat;
    double lowest_beside, highest_beside; /* while it repeats; NaN: no neighbours */
    struct there_and_back jump;
    struct dying transient;
    struct offset offset;
    struct neighbours usual;
    struct mofn over, over_beside, local;
    struct notice over_limit, local_excess;
};

/* A value beside its neighbours. */
struct hour {
    double x, beside; /* beside: NaN, none */
    double limit;
    double out; /* more than usual beside these neighbours */
    bool is_beside;
};

/* ---- rings behind the state ---- */

static struct ring *differences_of(struct air *a)
{
    return (struct ring *)(void *)(a + 1);
}

static struct ring *ratios_of(struct air *a)
{
    return (struct ring *)(void *)((char *)(a + 1) + ring_size(air.window));
}

/* ---- figures in the unit of the channel ---- */

static struct dying_config switching_on_at(double limit)
{
    struct dying_config c = switching_on;

    c.out *= limit;
    c.done *= limit;
    return c;
}

static struct zero_span_config calibrating_at(double limit)
{
    struct zero_span_config c = calibrating;

    c.zero *= limit;
    c.span *= limit;
    return c;
}

static struct offset_config moving_at(double limit)
{
    struct offset_config c = moving;

    c.from *= limit;
    return c;
}

static struct neighbours_config comparing_at(double limit)
{
    struct neighbours_config c = comparing;

    c.level *= limit;
    c.floor *= limit;
    c.first *= limit;
    return c;
}

/* ---- faults ---- */

static void tell(struct air *a, uint16_t fault, bool stands)
{
    a->faults = (uint16_t)(stands ? a->faults | fault : a->faults & ~fault);
}

/* A recognised fault: what has been collected was none of the environment. */
static void supersede(struct air *a)
{
    notice_end(&a->over_limit);
    notice_end(&a->local_excess);
    mofn_clear(&a->over);
    mofn_clear(&a->over_beside);
    mofn_clear(&a->local);
}

/* A fault that ends events only where it begins. */
static void note(struct air *a, uint16_t fault, bool stands)
{
    if (stands && !(a->faults & fault))
        supersede(a);
    tell(a, fault, stands);
}

/* Instruments deliver their floor where there is nothing: 0 is none. */
static enum watch_gate gate_of(const struct watch_slot *s)
{
    return s->gate == WATCH_GATE_OK && s->value == 0 ? WATCH_GATE_BAD : s->gate;
}

/* A register that is on at m of n, and off when nothing is left in it. */
static void judge_rate(struct air *a, uint16_t fault, struct mofn *r, bool hit, int m, int n)
{
    if (mofn_push(r, hit, m, n))
        note(a, fault, true);
    else if (mofn_count(r) == 0)
        note(a, fault, false);
}

static void calibrate(struct air *a)
{
    tell(a, WATCH_CALIBRATION, true);
    supersede(a);
    hold_request(&a->hold, air.calibrated);
}

/* Whether the slot holds a value to go on with. */
static bool is_value(struct air *a, enum watch_gate gate, double x)
{
    if (gate == WATCH_GATE_CALIBRATION)
        calibrate(a);
    if (gate == WATCH_GATE_MISSING && dying_miss(&a->transient) >= air.gap)
        tell(a, WATCH_NO_DATA, true);
    if (gate == WATCH_GATE_BAD && x == 0)
        zero_span_zero(&a->calibration);
    return gate == WATCH_GATE_OK;
}

static bool is_calibrated(struct air *a, const struct hour *h)
{
    const struct zero_span_config c = calibrating_at(h->limit);

    if (zero_span_push(&c, &a->calibration, h->x)) {
        calibrate(a);
        return true;
    }
    tell(a, WATCH_CALIBRATION, false);
    return false;
}

/* Neighbours that do not move either, or a station at its floor, excuse a constant value. */
static bool is_excused(const struct air *a, const struct hour *h)
{
    const bool is_known = !isnan(a->highest_beside);
    const double highest = is_known ? a->highest_beside : h->x;
    const double lowest = is_known ? a->lowest_beside : h->x;

    if (h->x <= air.low * h->limit)
        return highest - h->x < air.low_beside * h->limit;
    return highest - lowest < air.moves_beside * h->limit;
}

static bool is_stuck(struct air *a, const struct hour *h)
{
    const bool is_high = h->x >= h->limit;
    const int run = repeat_push(&a->repeat, h->x);

    if (run == 1) {
        a->lowest_beside = a->highest_beside = NAN;
        if (a->faults & WATCH_STUCK)
            hold_request(&a->hold, air.repaired);
        tell(a, WATCH_STUCK, false);
    }
    a->lowest_beside = fmin(a->lowest_beside, h->beside);
    a->highest_beside = fmax(a->highest_beside, h->beside);
    if (run >= (is_high ? air.repeats_told : air.repeats) && (is_high || !is_excused(a, h))) {
        tell(a, WATCH_STUCK, true);
        supersede(a);
    }
    return run >= (is_high ? air.repeats_high : air.repeats) &&
           (is_high || a->faults & WATCH_STUCK);
}

static bool is_transient(struct air *a, const struct hour *h)
{
    const struct dying_config c = switching_on_at(h->limit);
    const bool is_one = dying_push(&c, &a->transient, h->x, h->out);

    if (!is_one && a->faults & WATCH_TRANSIENT)
        hold_request(&a->hold, air.switched_on);
    note(a, WATCH_TRANSIENT, is_one);
    return is_one;
}

/* Whether the value is believed. */
static bool is_believed(struct air *a, const struct hour *h)
{
    tell(a, WATCH_NO_DATA, false);
    if (is_calibrated(a, h) || is_stuck(a, h))
        return false;
    judge_rate(a, WATCH_SCATTER, &a->jumps,
               there_and_back(&a->jump, h->x) > air.jump * h->limit, air.jumps, air.jumps_of);
    if (is_transient(a, h))
        return false;
    if (a->faults & (WATCH_GARBAGE | WATCH_SCATTER)) {
        a->hold.left = 0;
        return false;
    }
    return !hold_pass(&a->hold);
}

static void judge_drift(struct air *a, const struct hour *h)
{
    const struct offset_config c = moving_at(h->limit);

    note(a, WATCH_DRIFT, offset_push(&c, &a->offset, differences_of(a), h->x - h->beside));
}

/* ---- events ---- */

static void begin_event(struct air *a, struct notice *n, double limit)
{
    if (!a->over_limit.is_up)
        a->limit = limit;
    notice_raise(n);
}

static void judge_limit(struct air *a, const struct hour *h)
{
    const double limit = h->limit + offset_size(&a->offset, differences_of(a));
    const bool is_over = h->x >= limit;
    const bool shared =
        is_over && a->repeat.run == 1 && h->beside >= air.high_beside * h->limit;
    const bool alone = mofn_push(&a->over, is_over, air.over, air.over);
    const bool together = mofn_push(&a->over_beside, shared, air.over_beside, air.over_beside);

    if (a->over_limit.is_up)
        notice_pass(&a->over_limit, h->x >= air.dead_band * h->limit, air.over_off);
    else if (alone || together)
        begin_event(a, &a->over_limit, limit);
}

/* More than usual from which it is a local plume. */
static double excess_of(const struct air *a, const struct hour *h)
{
    const struct neighbours_config c = comparing_at(h->limit);
    const double least = air.excess * h->limit;

    if (!h->is_beside)
        return least;
    return fmax(least, air.excess_sigma * neighbours_sigma(&c, &a->usual, h->beside));
}

/* Whether this hour speaks for a local plume. */
static bool judge_local(struct air *a, const struct hour *h)
{
    const double excess = excess_of(a, h);
    const double strong = air.excess_strong * h->limit;
    const bool is_strong = h->out > strong && h->x > air.times_beside * h->beside;
    const bool is_local = a->usual.is_known && h->is_beside && (h->out > excess || is_strong) &&
                          h->x > air.high_enough * h->limit && !a->offset.is_up;

    if (mofn_push(&a->local, is_local, air.local, air.local_of) && !a->local_excess.is_up)
        begin_event(a, &a->local_excess,
                    fmax(air.high_enough * h->limit,
                         h->x - h->out + (h->out > excess ? excess : strong)));
    notice_pass(&a->local_excess, h->out >= air.local_clear * excess, air.local_off);
    return is_local;
}

static void judge_events(struct air *a, const struct hour *h)
{
    const struct neighbours_config c = comparing_at(h->limit);

    judge_limit(a, h);
    const bool is_local = judge_local(a, h);
    if (h->is_beside && !a->local_excess.is_up && !is_local)
        neighbours_learn(&c, &a->usual, ratios_of(a), h->x, h->beside);
}

/* ---- slots ---- */

static struct hour hour_of(const struct watch_config *c, const struct air *a,
                           const struct watch_slot *s)
{
    const struct neighbours_config usual = comparing_at(c->limit_high);
    struct hour h = { .x = s->value,
                      .beside = fmax(0, s->aside[WATCH_NEIGHBOURS]),
                      .limit = c->limit_high };

    h.is_beside = s->aside[WATCH_NEIGHBOURS] <= c->range_max;
    if (h.is_beside) {
        h.out = h.x - h.beside - neighbours_usual(&usual, &a->usual, h.beside);
    } else {
        h.beside = NAN;
        h.out = h.x - air.alone * h.limit;
    }
    return h;
}

/* Whether the slot was judged. The order of the steps is binding: faults before events. */
static bool take(const struct watch_config *c, struct air *a, const struct watch_slot *s)
{
    const enum watch_gate gate = gate_of(s);

    if (gate != WATCH_GATE_CALIBRATION)
        judge_rate(a, WATCH_GARBAGE, &a->garbage, gate == WATCH_GATE_BAD, air.garbage,
                   air.garbage_of);
    if (!is_value(a, gate, s->value))
        return false;
    const struct hour h = hour_of(c, a, s);
    if (!is_believed(a, &h))
        return false;
    if (h.is_beside)
        judge_drift(a, &h);
    judge_events(a, &h);
    return true;
}

static size_t size(const struct watch_config *c)
{
    (void)c;
    return sizeof(struct air) + 2 * ring_size(air.window);
}

static void init(const struct watch_config *c, void *state)
{
    struct air *a = state;

    *a = (struct air){ .pool_of = pool_of(c, HOUR_MS), .use = WATCH_SET_ASIDE };
    ring_init(differences_of(a), air.window);
    ring_init(ratios_of(a), air.window);
}

static void slot(const struct watch_config *c, void *state, const struct watch_slot *s,
                 struct watch_result *ret)
{
    struct air *a = state;
    struct watch_slot whole;

    if (pool_add(c, &a->pool, a->pool_of, s, &whole))
        a->use = take(c, a, &whole) ? WATCH_JUDGED : WATCH_SET_ASIDE;
    ret->use = a->use;
    ret->side = 1;
    ret->is_event = a->over_limit.is_up || a->local_excess.is_up;
    ret->limit = ret->is_event ? a->limit : c->limit_high;
    ret->faults = a->faults;
}

const struct watch_ops watch_air = { size, init, slot };
