/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/dying.h"

#include "rules/detect/count.h"

int dying_miss(struct dying *d)
{
    d->missed = count_up(d->missed);
    return d->missed;
}

static bool goes_on(const struct dying_config *c, const struct dying *d, double x, double out)
{
    return out >= c->done && x <= c->rise * d->last && d->n <= c->longest;
}

bool dying_push(const struct dying_config *c, struct dying *d, double x, double out)
{
    const bool was_off = d->missed >= c->gap;
    const bool begins = d->n == 0;

    d->missed = 0;
    if (begins && !(was_off && out > c->out))
        return false;
    d->n = count_up(d->n);
    if (!begins && !goes_on(c, d, x, out)) {
        d->n = 0;
        return false;
    }
    d->last = x;
    return true;
}
