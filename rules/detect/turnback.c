/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/turnback.h"

void turnback_start(struct turnback *t, double resolution)
{
    *t = (struct turnback){ .last = NAN, .move = NAN };
    quantile_start(&t->step, resolution);
}

static bool count(const struct turnback_config *c, struct turnback *t, bool is_turn)
{
    const bool enough = mofn_push(&t->turns, is_turn, c->turns, c->of);

    t->is_on = enough || (t->is_on && mofn_count(&t->turns) > 0);
    return t->is_on;
}

bool turnback_push(const struct turnback_config *c, struct turnback *t, double x, double floor,
                   double baseline, double resolution)
{
    const double move = x - t->last;
    const double large =
        fmax(fmax(c->times * t->step.value, floor), c->share * fabs(t->last - baseline));
    const bool is_turn = move * t->move < 0 && fabs(move) > large && fabs(t->move) > large;

    if (!t->is_on && !isnan(move))
        quantile_push(&t->step, c->usual, resolution, fabs(move));
    t->last = x;
    t->move = move;
    return count(c, t, is_turn);
}

bool turnback_impossible(const struct turnback_config *c, struct turnback *t)
{
    turnback_break(t);
    return count(c, t, true);
}

void turnback_break(struct turnback *t)
{
    t->last = t->move = NAN;
}
