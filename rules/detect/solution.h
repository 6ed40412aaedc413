/* SPDX-License-Identifier: Apache-2.0 */
/*
 * solution - the sensor stands in a calibration solution and nobody has said so: the value goes
 * straight from the baseline onto a known standard and stays there. A spill passes a standard,
 * it does not jump onto it from one value to the next. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct solution_config {
    const double *values; /* of the standards */
    size_t n;
    double tolerance; /* of standard and sensor together */
    int enough;       /* values on a standard that tell it, the first one included */
    int longest;      /* values in solutions at most: longer is no calibration */
    int off; /* values off every standard in a row that end it: rinsing, next solution */
};

struct solution {
    double last; /* NaN: none that counts */
    bool is_in;
    uint8_t n, off;
};

void solution_start(struct solution *s);
/* `x`: NaN where a value came that cannot be. `baseline`: NaN where it is not known; within
 * `away` of it a value is at home. Whether the sensor is in a solution, or on its way home. */
bool solution_push(const struct solution_config *c, struct solution *s, double x,
                   double baseline, double away);
/* It was told: what was recognised counts no more. */
void solution_announced(struct solution *s, double x);
