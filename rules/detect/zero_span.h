/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zero_span - a calibration nobody announced: zero gas, and at once a high plateau that stands
 * as still as only span gas does. Pure, plain data.
 */
#pragma once

#include <stdbool.h>

struct zero_span_config {
    double zero;      /* values up to here are zero gas */
    double span;      /* a plateau lies above */
    double tolerance; /* of the plateau, relative */
};

struct zero_span {
    bool was_zero;
    double plateau; /* its first value; 0: none */
};

/* A zero that was refused as impossible. */
void zero_span_zero(struct zero_span *z);
/* A value. Whether it is on a plateau: from its second value on. */
bool zero_span_push(const struct zero_span_config *c, struct zero_span *z, double x);
