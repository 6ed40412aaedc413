/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantile - a quantile learnt as the values come, without keeping them: each one pushes the
 * estimate up or down by a share of itself, a large one at first and 4 % at most later, so that
 * one wild value does no harm. Pure, plain data.
 */
#pragma once

#include <math.h>
#include <stdint.h>

struct quantile {
    double value;
    uint8_t n; /* values so far, as far as they matter */
};

enum { QUANTILE_LEARNT = 48 }; /* values behind which the share is the smallest */

static inline void quantile_start(struct quantile *q, double floor)
{
    *q = (struct quantile){ .value = floor };
}

/* `p`: which quantile, 0 to 1. Never below `floor` > 0: the resolution of the values. */
static inline void quantile_push(struct quantile *q, double p, double floor, double x)
{
    if (q->n < QUANTILE_LEARNT)
        q->n++;
    const double share = 2.0 / (q->n + 2);

    q->value = fmax(floor, q->value * (1 + share * (x > q->value ? p : p - 1)));
}
