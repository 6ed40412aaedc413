/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow quantities of water, a sample every minute to every hour. An event is a value over the
 * limit, a sudden change towards it or a lasting departure towards it; none is what the sensor
 * does when it is calibrated, dry, stuck, loose or drifting.
 */
#include "rules/watch/water.h"

#include <math.h>

#include "rules/detect/count.h"
#include "rules/detect/known.h"
#include "rules/detect/quantile.h"
#include "rules/detect/ring.h"

struct water {
    double resolution;
    uint8_t quantity; /* row */
    uint8_t lag;      /* samples of "sudden" */
    struct water_faults faults;
    struct water_event event;
    struct creep creep;
    struct quantile change, distance; /* usual ones */
    uint16_t undecided;               /* samples in a row */
    /* behind it: struct ring of the day */
};

static struct ring *day_of(struct water *w)
{
    return (struct ring *)(w + 1);
}

/* ---- what a value is compared with ---- */

/* Distance to the nearest limit, or a guess from the limits alone while `day` is NaN. */
static double room_of(const struct watch_config *c, double day, double resolution)
{
    const double nearest = fmin(fabs(c->limit_high - day), fabs(c->limit_low - day));
    const double largest = fmax(c->limit_high, c->limit_low); /* fmin, fmax leave NaN out */
    const double span = c->limit_high - c->limit_low;
    const double guess = isnan(span) ? 0.3 * fabs(largest) : span / 2;

    if (isnan(day))
        return fmax(guess, 10 * resolution);
    return fmax(fmax(nearest, 0.05 * fabs(largest)), 10 * resolution);
}

/* Median of the values that are just too old to belong to a sudden change. */
static double local_of(const struct ring *day, int lag)
{
    double values[WATER_REFERENCE], sorted[WATER_REFERENCE];

    for (int i = 0; i < WATER_REFERENCE; i++)
        values[i] = ring_newest(day, lag - 1 + i);
    known_sort(values, WATER_REFERENCE, sorted);
    return sorted[WATER_REFERENCE / 2];
}

static double median_of(const struct ring *day)
{
    return ring_ranked(day, day->n / 2);
}

/* Half of the day in one step of the instrument: the water does not move by itself. */
static bool is_lively(const struct ring *day)
{
    return ring_ranked(day, 3 * day->n / 4) > ring_ranked(day, day->n / 4);
}

static struct water_now now_of(const struct watch_config *c, struct water *w, double value)
{
    const struct water_figures *f = &water_figures;
    const struct ring *day = day_of(w);
    const bool has_local = day->n >= w->lag + WATER_REFERENCE;
    const bool is_ready = has_local && day->n >= f->enough;
    struct water_now now = {
        .value = value,
        .quantity = water_quantity_at(w->quantity),
        .resolution = w->resolution,
        .day = day->n >= f->known ? median_of(day) : NAN,
        .local = has_local ? local_of(day, w->lag) : NAN,
        .usual_change = w->change.value,
        .usual_distance = w->distance.value,
        .is_ready = is_ready,
        .is_lively = is_ready && is_lively(day),
        .is_drifting = w->creep.drift != 0,
    };

    now.slow = isnan(w->creep.base) ? now.day : w->creep.base;
    now.room = room_of(c, now.day, w->resolution);
    return now;
}

/* ---- learning: last, so that no value is judged against itself ---- */

static void learn_value(struct water *w, const struct water_now *now)
{
    const double usual = water_figures.usual;

    ring_push(day_of(w), now->value);
    if (isnan(now->local))
        return;
    quantile_push(&w->change, usual, w->resolution, fabs(now->value - now->local));
    quantile_push(&w->distance, usual, w->resolution, fabs(now->value - now->day));
}

static void note_drift(struct water *w)
{
    hold_pass(&w->event.creeping);
    if (w->creep.drift || w->event.creeping.left)
        w->faults.bits |= WATCH_DRIFT;
    else
        w->faults.bits &= (uint16_t)~WATCH_DRIFT;
}

static void learn(struct water *w, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const struct ring *day = day_of(w);
    const bool is_pending =
        now->is_ready && !now->is_drifting && water_event_is_pending(&w->event);

    if (!is_pending || w->undecided > f->undecided)
        learn_value(w, now);
    w->undecided = count_while(w->undecided, is_pending);
    if (day->n >= f->enough)
        creep_push(&f->creep, &w->creep, median_of(day), now->room);
    note_drift(w);
}

/* ---- slots ---- */

/* What was before is no baseline any more. */
static void forget_day(struct water *w)
{
    ring_clear(day_of(w));
    creep_start(&w->creep);
    water_event_forget(&w->event);
}

/* A fault takes a beginning event with it, and all but a gap end one that stands. */
static void set_aside(struct water *w, enum water_course why)
{
    if (why == WATER_FAULTY)
        notice_end(&w->event.event);
    if (why != WATER_IMPOSSIBLE)
        water_event_forget(&w->event);
}

/* Whether the value was judged. */
static bool take(const struct watch_config *c, struct water *w, const struct watch_slot *s)
{
    struct water_now now = now_of(c, w, s->value);
    const enum water_course course = water_faults_push(c, &w->faults, &now, s->gate);

    if (course != WATER_FREE) {
        set_aside(w, course);
        return false;
    }
    if (water_event_push(c, &w->event, &now, mofn_count(&w->faults.scatter.turns) > 0))
        forget_day(w);
    else if (!w->event.event.is_up)
        learn(w, &now);
    return true;
}

static void slot(const struct watch_config *c, void *state, const struct watch_slot *s,
                 struct watch_result *ret)
{
    struct water *w = state;
    const bool is_missing =
        s->gate == WATCH_GATE_MISSING || (s->gate == WATCH_GATE_OK && isnan(s->value));

    ret->use = WATCH_SET_ASIDE;
    if (!is_missing && take(c, w, s))
        ret->use = WATCH_JUDGED;
    if (is_missing && water_faults_miss(&w->faults) == WATER_DAY)
        forget_day(w);
    ret->is_event = w->event.event.is_up;
    if (ret->is_event)
        ret->side = water_event_sign(&w->event);
    ret->limit = w->event.level;
    ret->faults = w->faults.bits;
}

/* ---- the kind ---- */

static size_t size(const struct watch_config *c)
{
    (void)c;
    return sizeof(struct water) + ring_size(WATER_DAY);
}

/* Of the configuration, or of what is displayed; at 0 every threshold of it would be passed. */
static double resolution_of(const struct watch_config *c)
{
    const double span = c->range_max - c->range_min;

    if (c->resolution > 0 && c->resolution < span)
        return c->resolution;
    return c->quantity ? pow(10, -c->quantity->decimals) : span / 10000;
}

/* Samples of a sudden change: bounded, so that fast channels keep a reference in the day. */
static uint8_t lag_of(const struct watch_config *c)
{
    const int64_t sudden = water_figures.sudden_ms;
    const int64_t lag = sudden / c->step_ms + (sudden % c->step_ms != 0);

    if (lag < water_figures.sudden)
        return (uint8_t)water_figures.sudden;
    return lag < WATER_DAY - WATER_REFERENCE ? (uint8_t)lag : WATER_DAY - WATER_REFERENCE;
}

static void init(const struct watch_config *c, void *state)
{
    const struct water_figures *f = &water_figures;
    struct water *w = state;

    *w = (struct water){ .resolution = resolution_of(c),
                         .quantity = (uint8_t)water_quantity_row(c->quantity),
                         .lag = lag_of(c) };
    water_faults_start(&w->faults, w->resolution);
    water_event_start(&w->event, c->step_ms >= f->slow_step_ms ? f->on : f->on_fast);
    creep_start(&w->creep);
    quantile_start(&w->change, w->resolution);
    quantile_start(&w->distance, w->resolution);
    ring_init(day_of(w), WATER_DAY);
}

const struct watch_ops watch_water = { size, init, slot };
