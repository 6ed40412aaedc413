/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dying - the transient of a power-on: behind a gap the first value stands out, and from there
 * it only falls until it stands out no more. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dying_config {
    int gap;          /* missed in a row: it was off */
    int longest;      /* values of a transient at most */
    double out, done; /* how far the first value stands out, and the last one still */
    double rise;      /* times the value before: a rise ends it, no transient does that */
};

struct dying {
    double last;
    uint16_t missed; /* in a row, up to now */
    uint16_t n;      /* values of the transient; 0: none */
};

/* A slot without a value. How many in a row. */
int dying_miss(struct dying *d);
/* A value, and how far it stands out. Whether it belongs to a transient. */
bool dying_push(const struct dying_config *c, struct dying *d, double x, double out);
