/* SPDX-License-Identifier: Apache-2.0 */
/* there_and_back - how far a value left the one before and came back at once: the smaller of
 * the two steps (QARTOD's differential spike), known one value later. Pure, plain data. */
#pragma once

#include <math.h>
#include <stdint.h>

struct there_and_back {
    double last, before;
    uint8_t n; /* values up to 2 */
};

/* Of the value before `x`; 0 when it went on the same way. */
static inline double there_and_back(struct there_and_back *s, double x)
{
    double out = 0;

    if (s->n == 2) {
        const double there = s->last - s->before, back = x - s->last;
        if ((there > 0 && back < 0) || (there < 0 && back > 0))
            out = fmin(fabs(there), fabs(back));
    } else {
        s->n++;
    }
    s->before = s->last;
    s->last = x;
    return out;
}
