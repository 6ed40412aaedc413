/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/settle.h"

#include <math.h>

int settle_miss(struct settle *s)
{
    return hold_miss(&s->hold);
}

bool settle_value(const struct settle_config *c, struct settle *s, double x, double step)
{
    if (s->hold.missed >= c->gap) {
        s->last = NAN;
        s->calm = 0;
    }
    if (!hold_value(&s->hold, c->gap, c->longest))
        return false;
    s->calm = fabs(x - s->last) <= step ? (uint8_t)(s->calm + 1) : 0;
    s->last = x;
    if (s->calm < c->calm)
        return true;
    s->hold.left = 0;
    return false;
}
