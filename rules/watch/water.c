/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow quantities of water, a sample every minute to every hour. An event is a value over the
 * limit, a sudden change towards it or a lasting departure towards it; none is what the sensor
 * does when it is calibrated, dry, stuck, loose or drifting.
 */
#include "rules/watch/water.h"

#include <math.h>
#include <string.h>

#include "rules/detect/count.h"
#include "rules/detect/notice.h"
#include "rules/detect/quantile.h"
#include "rules/detect/ring.h"
#include "rules/detect/solution.h"

enum { HIGH, LOW, BOUNDS };

struct water {
    double resolution;
    uint8_t quantity; /* row */
    uint8_t lag, on;  /* samples of "sudden"; in a row that make an event */
    uint16_t faults;  /* that stand */
    double last;      /* possible value; NaN: none since a gap */
    /* faults */
    struct notice garbage;
    struct settle gap;
    struct solution solution;
    struct hold calibration; /* and a sample or two behind it */
    struct frozen frozen;
    struct turnback scatter;
    struct creep creep;
    struct hold creeping; /* notice of a slow way over the limit */
    /* what is usual */
    struct quantile change, distance;
    /* event */
    uint16_t seen[BOUNDS], slow[BOUNDS]; /* samples in a row */
    uint16_t undecided;                  /* in a row */
    uint8_t recent_n;
    double recent[WATER_RECENT]; /* oldest first */
    struct notice event;
    uint8_t side; /* of the event */
    uint16_t age;
    double clear;
    double level; /* what the value was compared with last */
    /* behind it: struct ring of the day */
};

static struct ring *day_of(struct water *w)
{
    return (struct ring *)(w + 1);
}

static struct water_bound bound_of(const struct watch_config *c, int side)
{
    return side == HIGH ? (struct water_bound){ c->limit_high, 1 }
                        : (struct water_bound){ c->limit_low, -1 };
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
    double sorted[WATER_REFERENCE];

    for (int i = 0; i < WATER_REFERENCE; i++) {
        const double x = ring_newest(day, lag - 1 + i);
        int at = i;
        for (; at > 0 && sorted[at - 1] > x; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = x;
    }
    return sorted[WATER_REFERENCE / 2];
}

static double median_of(const struct ring *day)
{
    return ring_ranked(day, day->n / 2);
}

static struct water_now now_of(const struct watch_config *c, struct water *w, double value)
{
    const struct ring *day = day_of(w);
    const bool has_local = day->n >= w->lag + WATER_REFERENCE;
    struct water_now now = {
        .value = value,
        .resolution = w->resolution,
        .day = day->n >= water_figures.known ? median_of(day) : NAN,
        .local = has_local ? local_of(day, w->lag) : NAN,
        .usual_change = w->change.value,
        .usual_distance = w->distance.value,
        .is_ready = day->n >= water_figures.enough && has_local,
    };

    now.slow = isnan(w->creep.base) ? now.day : w->creep.base;
    now.room = room_of(c, now.day, w->resolution);
    return now;
}

/* ---- faults ---- */

static bool note(struct water *w, uint16_t fault, bool is_on)
{
    w->faults = (uint16_t)(is_on ? w->faults | fault : w->faults & ~fault);
    return is_on;
}

/* Whether the water can have got to the bottom of the range from where it was. */
static bool is_bottom_possible(const struct watch_config *c, const struct water *w, double day)
{
    const double high =
        c->range_min + water_figures.bottom_from * (c->range_max - c->range_min);

    switch (water_quantity_at(w->quantity)->bottom) {
    case WATER_BOTTOM_NEVER:
        return !(day > high);
    case WATER_BOTTOM_GRADUAL:
        return !(w->last > high);
    default:
        return true;
    }
}

static bool is_possible(const struct watch_config *c, const struct water *w,
                        const struct water_now *now)
{
    const double x = now->value;

    if (!(x >= c->range_min && x <= c->range_max))
        return false;
    return x > c->range_min + 2 * w->resolution || is_bottom_possible(c, w, now->day);
}

static bool is_calibrating(struct water *w, const struct water_now *now, bool announced)
{
    const struct water_figures *f = &water_figures;
    const struct water_quantity *q = water_quantity_at(w->quantity);
    const struct solution_config c = {
        .values = q->standards,
        .n = q->standards_n,
        .tolerance = fmax(q->tolerance, 2 * w->resolution),
        .enough = f->recognised,
        .longest = f->in_solution,
        .off = f->off_solution,
    };

    if (announced) {
        solution_announced(&w->solution, now->value);
        hold_request(&w->calibration, f->after_calibration);
        return true;
    }
    if (solution_push(&c, &w->solution, now->value, now->day, f->away * now->room))
        return true;
    return hold_pass(&w->calibration);
}

static bool is_stuck(struct water *w, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const struct ring *day = day_of(w);
    const bool is_away = fabs(now->value - now->day) > f->away * now->room && !w->creep.drift;
    /* Half of the day in one step of the instrument: it does not move by itself. */
    const bool is_lively =
        now->is_ready && ring_ranked(day, 3 * day->n / 4) > ring_ranked(day, day->n / 4);
    const int run = frozen_push(&f->frozen, &w->frozen, now->value,
                                f->small_step * w->resolution, is_lively);

    return is_away ? run >= f->repeats_away : frozen_is(&w->frozen);
}

static bool is_held(struct water *w, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const double step =
        fmax(fmax(f->calm * w->scatter.step.value, f->quiet * now->room), 2 * w->resolution);

    return settle_value(&f->gap, &w->gap, now->value, step);
}

static bool is_scattered(struct water *w, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const double floor = fmax(f->jump * now->room, 4 * w->resolution);

    return turnback_push(&f->scatter, &w->scatter, now->value, floor, now->day, w->resolution);
}

/* ---- the event ---- */

static void forget_beginning(struct water *w)
{
    memset(w->seen, 0, sizeof w->seen);
    memset(w->slow, 0, sizeof w->slow);
    w->recent_n = 0;
}

static void remember(struct water *w, double x)
{
    if (w->recent_n == w->on)
        memmove(w->recent, w->recent + 1, (size_t)--w->recent_n * sizeof w->recent[0]);
    w->recent[w->recent_n++] = x;
}

/* Whether the newest values build up towards the limit: no large step back, not held. */
static bool is_building_up(const struct water *w, const struct water_now *now, int sign)
{
    double back = 0;
    bool moves = false;

    if (w->recent_n < w->on)
        return false;
    for (int i = 1; i < w->recent_n; i++) {
        back = fmax(back, (w->recent[i - 1] - w->recent[i]) * sign);
        moves = moves || w->recent[i] != w->recent[i - 1];
    }
    return moves &&
           (!now->is_ready || back <= water_figures.steady * fabs(now->value - now->local));
}

static void raise_event(struct water *w, const struct water_now *now,
                        const struct water_bound *b, int side)
{
    notice_raise(&w->event);
    w->side = (uint8_t)side;
    w->age = 0;
    w->clear = water_clear_level(now, b);
}

/* Of two sides, the level that is nearer. */
static void keep_level(struct water *w, double value, double level)
{
    if (!(fabs(w->level - value) <= fabs(level - value)))
        w->level = level;
}

/* Whether the event is raised on this side. */
static bool judge_side(const struct watch_config *c, struct water *w,
                       const struct water_now *now, int side)
{
    const struct water_figures *f = &water_figures;
    const struct water_bound b = bound_of(c, side);
    double level;
    const int need = w->on + (mofn_count(&w->scatter.turns) ? f->doubtful : 0);

    if (isnan(b.limit))
        return false;
    const enum water_rule rule = water_rule_of(now, &b, &level);
    keep_level(w, now->value, level);
    w->slow[side] = count_while(w->slow[side], rule == WATER_SLOW);
    if (w->slow[side] >= w->on)
        hold_request(&w->creeping, f->slow_hold);
    w->seen[side] = count_while(w->seen[side], rule > WATER_SLOW);
    if (w->seen[side] < need || !is_building_up(w, now, b.sign))
        return false;
    raise_event(w, now, &b, side);
    w->level = level;
    return true;
}

static void follow_event(const struct watch_config *c, struct water *w, double x)
{
    const struct water_bound b = bound_of(c, w->side);
    const bool is_inside = (x - b.limit) * b.sign < 0;
    const bool still = (x - w->clear) * b.sign >= 0;

    if (!is_inside)
        w->level = b.limit; /* it has grown: from a change to the limit */
    w->age = count_up(w->age);
    if (w->age > water_figures.ageing && is_inside)
        notice_end(&w->event);
    if (!notice_pass(&w->event, still, 2 * w->on))
        forget_beginning(w);
}

static void judge(const struct watch_config *c, struct water *w, const struct water_now *now)
{
    remember(w, now->value);
    if (w->event.is_up) {
        follow_event(c, w, now->value);
        return;
    }
    w->level = NAN;
    if (!judge_side(c, w, now, HIGH))
        judge_side(c, w, now, LOW);
}

/* ---- learning: last, so that no value is judged against itself ---- */

static void learn_value(struct water *w, const struct water_now *now)
{
    ring_push(day_of(w), now->value);
    if (isnan(now->local))
        return;
    quantile_push(&w->change, water_figures.usual, w->resolution,
                  fabs(now->value - now->local));
    quantile_push(&w->distance, water_figures.usual, w->resolution,
                  fabs(now->value - now->day));
}

static void learn(struct water *w, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const bool is_pending = now->is_ready && !w->creep.drift && (w->seen[HIGH] || w->seen[LOW]);

    if (!is_pending || w->undecided > f->undecided)
        learn_value(w, now);
    w->undecided = count_while(w->undecided, is_pending);
    if (day_of(w)->n >= f->enough)
        creep_push(&f->creep, &w->creep, median_of(day_of(w)), now->room);
    hold_pass(&w->creeping);
    note(w, WATCH_DRIFT, w->creep.drift || w->creeping.left > 0);
}

/* ---- slots ---- */

/* What was before a pause this long is no baseline any more. */
static void forget_day(struct water *w)
{
    ring_clear(day_of(w));
    creep_start(&w->creep);
    forget_beginning(w);
}

static void miss(struct water *w)
{
    const int missed = settle_miss(&w->gap);

    frozen_break(&w->frozen);
    if (missed >= water_figures.gap.gap) {
        note(w, WATCH_NO_DATA, true);
        w->last = NAN;
    }
    if (missed == WATER_DAY)
        forget_day(w);
}

static void take_impossible(struct water *w, const struct water_now *now)
{
    struct water_now nothing = *now;

    nothing.value = NAN;
    note(w, WATCH_NO_DATA, false);
    note(w, WATCH_CALIBRATION, is_calibrating(w, &nothing, false));
    note(w, WATCH_STUCK, false);
    note(w, WATCH_SCATTER, turnback_impossible(&water_figures.scatter, &w->scatter));
}

/* Whether a fault keeps the value from being judged; it takes a beginning event with it, and
 * all but a gap end one that stands: what was seen is the sensor. */
static bool is_obstructed(struct water *w, const struct water_now *now, bool announced)
{
    const bool has_value = !isnan(now->value);
    const bool held = note(w, WATCH_NO_DATA, has_value && is_held(w, now));
    const bool calibrating = note(w, WATCH_CALIBRATION, is_calibrating(w, now, announced));
    const bool stuck = note(w, WATCH_STUCK, has_value && is_stuck(w, now));

    if (calibrating || held)
        turnback_break(&w->scatter);
    else
        note(w, WATCH_SCATTER, is_scattered(w, now));
    const bool is_fault = calibrating || stuck || w->scatter.is_on;
    if (is_fault)
        notice_end(&w->event);
    if (is_fault || held)
        forget_beginning(w);
    return is_fault || held;
}

/* Whether the slot was judged. */
static bool take(const struct watch_config *c, struct water *w, const struct watch_slot *s)
{
    const bool announced = s->gate == WATCH_GATE_CALIBRATION;
    struct water_now now = now_of(c, w, s->value);
    const bool impossible =
        !announced && (s->gate == WATCH_GATE_BAD || !is_possible(c, w, &now));

    note(w, WATCH_GARBAGE,
         notice_step(&w->garbage, impossible, impossible, water_figures.garbage_off));
    if (impossible) {
        take_impossible(w, &now);
        return false;
    }
    /* While it is calibrated it may show anything. */
    if (!(now.value >= c->range_min && now.value <= c->range_max))
        now.value = NAN;
    w->last = now.value;
    if (is_obstructed(w, &now, announced))
        return false;
    judge(c, w, &now);
    if (!w->event.is_up)
        learn(w, &now);
    return true;
}

/* ---- the kind ---- */

static size_t size(const struct watch_config *c)
{
    (void)c;
    return sizeof(struct water) + ring_size(WATER_DAY);
}

/* Of the configuration, or of what is displayed; a threshold of 0 would let everything pass. */
static double resolution_of(const struct watch_config *c)
{
    const double span = c->range_max - c->range_min;

    if (c->resolution > 0 && c->resolution < span)
        return c->resolution;
    return c->quantity ? pow(10, -c->quantity->decimals) : span / 10000;
}

static void init(const struct watch_config *c, void *state)
{
    const struct water_figures *f = &water_figures;
    const int64_t sudden = (f->sudden_ms + c->step_ms - 1) / c->step_ms;
    const double lag = fmax(f->sudden, fmin((double)sudden, WATER_DAY - WATER_REFERENCE));
    struct water *w = state;

    *w = (struct water){
        .resolution = resolution_of(c),
        .quantity = (uint8_t)water_quantity_row(c->quantity),
        .lag = (uint8_t)lag,
        .on = (uint8_t)(c->step_ms >= f->slow_step_ms ? f->on : f->on_fast),
        .last = NAN,
        .level = NAN,
    };
    solution_start(&w->solution);
    frozen_start(&f->frozen, &w->frozen);
    turnback_start(&w->scatter, w->resolution);
    creep_start(&w->creep);
    quantile_start(&w->change, w->resolution);
    quantile_start(&w->distance, w->resolution);
    ring_init(day_of(w), WATER_DAY);
}

static void slot(const struct watch_config *c, void *state, const struct watch_slot *s,
                 struct watch_result *ret)
{
    struct water *w = state;
    const bool is_missing =
        s->gate == WATCH_GATE_MISSING || (s->gate == WATCH_GATE_OK && isnan(s->value));

    ret->use = WATCH_SET_ASIDE;
    if (is_missing)
        miss(w);
    else if (take(c, w, s))
        ret->use = WATCH_JUDGED;
    ret->is_event = w->event.is_up;
    if (w->event.is_up)
        ret->side = w->side == HIGH ? 1 : -1;
    ret->limit = w->level;
    ret->faults = w->faults;
}

const struct watch_ops watch_water = { size, init, slot };
