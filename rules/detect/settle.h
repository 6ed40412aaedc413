/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settle - a gap, and the values behind it until they stand still: a sensor that comes back
 * wets, warms up or drains first. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/detect/hold.h"

struct settle_config {
    int gap;     /* missed in a row: the instrument was off */
    int longest; /* values held off behind it at most */
    int calm;    /* small steps in a row: settled */
};

struct settle {
    struct hold hold;
    double last; /* held off, NaN: none yet */
    uint8_t calm;
};

/* A slot without a value. How many in a row. */
int settle_miss(struct settle *s);
/* A value; `step`: from value to value, that much is calm. Whether it is held off. */
bool settle_value(const struct settle_config *c, struct settle *s, double x, double step);
