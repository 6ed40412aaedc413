/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trend - the straight line through what was measured lately, by least squares, with what it is
 * worth: a slope of noise has a standard error as large as itself.
 *
 * Long windows are kept as means of equal stretches, 60 of them at most. Pure, plain data,
 * O(60) a fit, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TREND_POINTS = 60, TREND_LEAST = 6 };

struct trend_config {
    int64_t window_ms;
    int64_t step_ms; /* from sample to sample */
};

struct trend { /* all zero: nothing measured */
    int64_t base_ms;
    uint8_t n, head;     /* points; where the next one goes */
    uint16_t in_stretch; /* samples of the one that is open */
    double sum_s, sum;   /* of it: seconds since base_ms, values */
    float s[TREND_POINTS], x[TREND_POINTS];
};

struct trend_line {
    double value;    /* of the line, now */
    double slope;    /* per second */
    double slope_se; /* its standard error */
    double scatter;  /* standard deviation of the points about the line */
    int64_t span_ms; /* of the points it is drawn through */
};

/* x: finite. A time before the newest point begins anew. */
void trend_push(const struct trend_config *c, struct trend *t, int64_t time_ms, double x);
/* False: fewer than TREND_LEAST points within the window, or all at one time. */
bool trend_fit(const struct trend_config *c, const struct trend *t, int64_t now_ms,
               struct trend_line *ret);
