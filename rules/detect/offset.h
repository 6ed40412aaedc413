/* SPDX-License-Identifier: Apache-2.0 */
/*
 * offset - a sensor that has moved away from its neighbours: pollution comes and goes, a
 * difference that stays high for most of two days does not. Plain data over a ring of the
 * differences that whoever uses it holds. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/detect/ring.h"

struct offset_config {
    int least;       /* differences before it says anything */
    double quantile; /* of the differences, that must lie ... */
    double from;     /* ... above: it has moved */
    double over;     /* of `from`, that it must fall below: it is over */
    int back;        /* differences in a row that are half or less: it was set right */
};

struct offset {
    bool is_up;
    uint8_t back;
};

/* Whether it has moved. */
bool offset_push(const struct offset_config *c, struct offset *o, struct ring *differences,
                 double difference);
/* How far, while it has moved; else 0. */
double offset_size(const struct offset *o, const struct ring *differences);
