/* SPDX-License-Identifier: Apache-2.0 */
/* What a water sensor does that is not the water. */
#include <math.h>

#include "rules/watch/water.h"

static bool note(struct water_faults *s, uint16_t fault, bool is_on)
{
    s->bits = (uint16_t)(is_on ? s->bits | fault : s->bits & ~fault);
    return is_on;
}

/* ---- values that cannot be ---- */

/* Whether the water can have got to the bottom of the range from where it was. */
static bool is_bottom_possible(const struct watch_config *c, const struct water_faults *s,
                               const struct water_now *now)
{
    const double high =
        c->range_min + water_figures.bottom_from * (c->range_max - c->range_min);

    switch (now->quantity->bottom) {
    case WATER_BOTTOM_NEVER:
        return !(now->day > high);
    case WATER_BOTTOM_GRADUAL:
        return !(s->last > high);
    default:
        return true;
    }
}

static bool is_in_range(const struct watch_config *c, double x)
{
    return x >= c->range_min && x <= c->range_max;
}

static bool is_possible(const struct watch_config *c, const struct water_faults *s,
                        const struct water_now *now)
{
    return is_in_range(c, now->value) &&
           (now->value > c->range_min + 2 * now->resolution || is_bottom_possible(c, s, now));
}

/* ---- possible values of a sensor that does not measure the water ---- */

static bool is_held(struct water_faults *s, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const double step =
        fmax(fmax(f->calm * s->scatter.step.value, f->quiet * now->room), 2 * now->resolution);

    return settle_value(&f->gap, &s->gap, now->value, step);
}

static bool is_in_solution(struct water_faults *s, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const struct solution_config c = {
        .values = now->quantity->standards,
        .n = now->quantity->standards_n,
        .tolerance = fmax(now->quantity->tolerance, 2 * now->resolution),
        .enough = f->recognised,
        .longest = f->in_solution,
        .off = f->off_solution,
    };

    return solution_push(&c, &s->solution, now->value, now->day, f->away * now->room);
}

static bool is_calibrating(struct water_faults *s, const struct water_now *now, bool announced)
{
    if (announced) {
        solution_announced(&s->solution, now->value);
        hold_request(&s->calibration, water_figures.after_calibration);
        return true;
    }
    return is_in_solution(s, now) || hold_pass(&s->calibration);
}

static bool is_stuck(struct water_faults *s, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const bool is_away = fabs(now->value - now->day) > f->away * now->room && !now->is_drifting;
    const int run = frozen_push(&f->frozen, &s->frozen, now->value,
                                f->small_step * now->resolution, now->is_lively);

    const double too_long =
        fmin(f->repeats_away_most, fmax(f->repeats_away, f->frozen.times * s->frozen.longest));

    return is_away ? run >= too_long : frozen_is(&s->frozen);
}

static bool is_scattered(struct water_faults *s, const struct water_now *now)
{
    const struct water_figures *f = &water_figures;
    const double floor = fmax(f->jump * now->room, 4 * now->resolution);

    return turnback_push(&f->scatter, &s->scatter, now->value, floor, now->day,
                         now->resolution);
}

/* ---- together ---- */

void water_faults_start(struct water_faults *s, double resolution)
{
    *s = (struct water_faults){ .last = NAN };
    solution_start(&s->solution);
    frozen_start(&water_figures.frozen, &s->frozen);
    turnback_start(&s->scatter, resolution);
}

int water_faults_miss(struct water_faults *s)
{
    const int missed = settle_miss(&s->gap);

    frozen_break(&s->frozen);
    if (missed >= water_figures.gap.gap) {
        note(s, WATCH_NO_DATA, true);
        s->last = NAN;
    }
    return missed;
}

static void take_impossible(struct water_faults *s, const struct water_now *now)
{
    struct water_now nothing = *now;

    nothing.value = NAN;
    note(s, WATCH_NO_DATA, false);
    note(s, WATCH_CALIBRATION, is_calibrating(s, &nothing, false));
    note(s, WATCH_STUCK, false);
    note(s, WATCH_SCATTER, turnback_impossible(&water_figures.scatter, &s->scatter));
}

static enum water_course course_of(struct water_faults *s, const struct water_now *now,
                                   bool announced)
{
    const bool has_value = !isnan(now->value);
    const bool held = note(s, WATCH_NO_DATA, has_value && is_held(s, now));
    const bool calibrating = note(s, WATCH_CALIBRATION, is_calibrating(s, now, announced));
    const bool stuck = note(s, WATCH_STUCK, has_value && is_stuck(s, now));

    if (calibrating || held)
        turnback_break(&s->scatter);
    else
        note(s, WATCH_SCATTER, is_scattered(s, now));
    if (calibrating || stuck || s->scatter.is_on)
        return WATER_FAULTY;
    return held ? WATER_HELD : WATER_FREE;
}

enum water_course water_faults_push(const struct watch_config *c, struct water_faults *s,
                                    struct water_now *now, enum watch_gate gate)
{
    const bool announced = gate == WATCH_GATE_CALIBRATION;
    const bool impossible = !announced && (gate == WATCH_GATE_BAD || !is_possible(c, s, now));

    note(s, WATCH_GARBAGE,
         notice_step(&s->garbage, impossible, impossible, water_figures.garbage_off));
    if (impossible) {
        take_impossible(s, now);
        return WATER_IMPOSSIBLE;
    }
    /* While it is calibrated it may show anything. */
    if (!is_in_range(c, now->value))
        now->value = NAN;
    s->last = now->value;
    return course_of(s, now, announced);
}
