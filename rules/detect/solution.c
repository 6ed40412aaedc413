/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/solution.h"

#include <math.h>

static bool is_standard(const struct solution_config *c, double x)
{
    for (size_t i = 0; i < c->n; i++)
        if (fabs(x - c->values[i]) <= c->tolerance)
            return true;
    return false;
}

/* Comparisons with NaN are false: nothing is recognised from what is not known. */
static void enter(const struct solution_config *c, struct solution *s, bool on_standard,
                  bool jumped)
{
    s->n = on_standard && (s->n || jumped) ? (uint8_t)(s->n + 1) : 0;
    s->is_in = s->n >= c->enough;
    s->off = 0;
}

static void stay(const struct solution_config *c, struct solution *s, bool on_standard,
                 bool is_back)
{
    s->n++;
    s->off = on_standard ? 0 : (uint8_t)(s->off + 1);
    if (is_back || s->n > c->longest || s->off >= c->off)
        *s = (struct solution){ .last = s->last };
}

bool solution_push(const struct solution_config *c, struct solution *s, double x,
                   double baseline, double away)
{
    const bool on_standard = is_standard(c, x);
    const bool jumped = fabs(x - baseline) > away && fabs(s->last - baseline) <= away;

    const bool is_back = s->is_in && !on_standard && fabs(x - baseline) <= away;

    s->last = x;
    if (s->is_in)
        stay(c, s, on_standard, is_back);
    else
        enter(c, s, on_standard, jumped);
    return s->is_in || is_back;
}

void solution_start(struct solution *s)
{
    *s = (struct solution){ .last = NAN };
}

void solution_announced(struct solution *s, double x)
{
    *s = (struct solution){ .last = x };
}
