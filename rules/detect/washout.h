/* SPDX-License-Identifier: Apache-2.0 */
/*
 * washout - how much of an excess rain may explain: real rain brings radon's daughters down,
 * and they die away within two hours. A store that rain fills and that halves. Pure, plain
 * data.
 */
#pragma once

#include <math.h>

struct washout_config {
    double heavy; /* mm/h from which rain washes out; less does nothing */
    double gain;  /* relative excess that one mm/h brings a slot */
    double most;  /* relative excess that is ever explained */
    double keep;  /* share of it that a slot leaves: 2^(-1 / half-life in slots) */
};

struct washout {
    double excess;
};

/* Every slot; `rain` mm/h, NaN: not known, and then it only dies away. The relative excess that
 * may be radon. */
static inline double washout_step(const struct washout_config *c, struct washout *w,
                                  double rain)
{
    w->excess *= c->keep;
    if (rain >= c->heavy)
        w->excess = fmin(c->most, w->excess + c->gain * rain);
    return w->excess > 0.02 ? w->excess : 0; /* the tail would last for hours */
}
