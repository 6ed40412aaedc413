/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/creep.h"

#include <math.h>
#include <string.h>

enum { KEPT = 2 * CREEP_PARTS + 1 };

void creep_start(struct creep *s)
{
    *s = (struct creep){ .base = NAN };
}

static int drift_of(const struct creep_config *c, const struct creep *s, double room)
{
    if (s->n < KEPT)
        return 0;
    const double late = (double)s->medians[KEPT - 1] - (double)s->medians[CREEP_PARTS];
    const double early = (double)s->medians[CREEP_PARTS] - (double)s->medians[0];
    const double small = fmin(fabs(late), fabs(early)), large = fmax(fabs(late), fabs(early));

    if (late * early <= 0 || small <= c->step * room || large >= c->even * small ||
        fabs(late + early) <= c->sum * room)
        return 0;
    return late > 0 ? 1 : -1;
}

static void keep(struct creep *s, double median)
{
    if (s->n == KEPT)
        memmove(s->medians, s->medians + 1, (size_t)--s->n * sizeof s->medians[0]);
    s->medians[s->n++] = (float)median;
}

void creep_push(const struct creep_config *c, struct creep *s, double median, double room)
{
    const double most = c->rate * room / c->window;

    if (isnan(s->base))
        s->base = median;
    if (!s->drift)
        s->base += fmax(-most, fmin(most, median - s->base));
    if (++s->passed < c->window / CREEP_PARTS)
        return;
    s->passed = 0;
    keep(s, median);
    s->drift = (int8_t)drift_of(c, s, room);
}
