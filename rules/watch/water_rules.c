/* SPDX-License-Identifier: Apache-2.0 */
/* When the course of a water quantity is an event. */
#include <math.h>

#include "rules/watch/water.h"

/* How far the value stands from something towards the limit. */
static double from(const struct water_now *w, const struct water_bound *b, double reference)
{
    return (w->value - reference) * b->sign;
}

/* Over the limit: an alarm unless the value crept there over days. That is drift, or a change
 * so slow that a person has the time to decide. */
static enum water_rule beyond(const struct water_now *w, const struct water_bound *b)
{
    const struct water_figures *f = &water_figures;
    const double slow_room = (b->limit - w->slow) * b->sign;

    if (!w->is_ready || from(w, b, w->day) >= f->slow_share * from(w, b, w->slow) ||
        from(w, b, w->local) > f->slow_local * slow_room)
        return WATER_LIMIT;
    return WATER_SLOW;
}

enum water_rule water_rule_of(const struct water_now *w, const struct water_bound *b,
                              double *ret_level)
{
    const struct water_figures *f = &water_figures;

    *ret_level = b->limit;
    if (from(w, b, b->limit) > 0)
        return beyond(w, b);
    if (!w->is_ready)
        return WATER_NONE;
    const double room = (b->limit - w->day) * b->sign;
    const double slow_room = (b->limit - w->slow) * b->sign;
    if (room <= 0 || slow_room <= 0)
        return WATER_NONE;

    const double least = 4 * w->resolution;
    const double change =
        fmax(fmax(f->change * room, f->change_usual * w->usual_change), least);
    const double departure =
        fmax(fmax(f->departure * room, f->departure_usual * w->usual_distance), least);
    const bool is_away = from(w, b, w->slow) > f->away * slow_room;

    *ret_level = w->local + b->sign * change;
    if (is_away && from(w, b, w->local) > change && from(w, b, w->day) > f->change_day * change)
        return WATER_CHANGE;
    if (is_away && from(w, b, w->day) > departure &&
        from(w, b, w->slow) > f->departure * slow_room &&
        from(w, b, w->local) > f->departure_local * room) {
        *ret_level = w->day + b->sign * departure;
        return WATER_DEPARTURE;
    }
    return WATER_NONE;
}

double water_clear_level(const struct water_now *w, const struct water_bound *b)
{
    const bool is_inside = w->is_ready && (b->limit - w->day) * b->sign > 0;
    /* Without a baseline inside the limit: a little way inside. */
    const double base =
        is_inside ? w->day : b->limit - b->sign * water_figures.clear_inside * w->room;

    return base + b->sign * water_figures.clear * fabs(b->limit - base);
}
