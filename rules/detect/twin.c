/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/twin.h"

#include <math.h>

/* With many counts sigma is small, and a drift would be clipped away. */
static const double CLIP_LEAST = 1.5; /* times `apart` */

bool twin_push(const struct twin_config *c, struct twin *t, double excess, double excess_other,
               double background, double root)
{
    const double most = fmax(c->clip * root, CLIP_LEAST * c->apart * background);
    const double own = fmin(excess, most);

    t->own += (own - t->own) / c->slow;
    t->other += (fmin(excess_other, most) - t->other) / c->slow;
    t->lately += (own - t->lately) / c->fast;
    const double followed = t->own > 0 ? t->other : -t->other;
    const bool is_apart =
        fabs(t->own) > c->apart * background && followed < c->share * fabs(t->own);
    if (mofn_push(&t->apart, is_apart, c->confirm, c->confirm)) {
        t->is_apart = true;
    } else if (t->is_apart && fabs(t->lately) < c->apart / 2 * background) {
        t->is_apart = false;
        t->own = t->other = t->lately = 0;
    }
    return t->is_apart;
}
