/* SPDX-License-Identifier: Apache-2.0 */
/* repeat - how often a value has come in a row, exactly: a held input repeats, the real world
 * does not. Pure, plain data. */
#pragma once

#include <stdint.h>

#include "rules/detect/count.h"

struct repeat {
    double last;
    uint16_t run; /* equal values up to now; 0: none yet */
};

static inline int repeat_push(struct repeat *r, double x)
{
    r->run = r->run && x == r->last ? count_up(r->run) : 1;
    r->last = x;
    return r->run;
}
