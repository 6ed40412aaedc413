/* SPDX-License-Identifier: Apache-2.0 */
/*
 * creep - where the baseline stood some time ago, and whether it drifts: a sensor that fouls or
 * loses its slope moves on, a little every day, always the same way. The slow baseline follows
 * the median of the day so slowly that it shows what has crept; it stays while it drifts.
 * Pure, plain data.
 */
#pragma once

#include <stdint.h>

struct creep_config {
    int window;  /* values of the median; two steps of drift span two windows */
    double rate; /* rooms a window that the slow baseline moves at most */
    double step; /* rooms that the median moves a window, twice: a drift */
    double sum;  /* rooms of both together */
    double even; /* the larger of both at most so many times the smaller */
};

enum { CREEP_PARTS = 8 }; /* medians kept a window */

struct creep {
    double base; /* NaN: none yet */
    float medians[2 * CREEP_PARTS + 1];
    uint8_t n, passed; /* medians kept; values since the last one */
    int8_t drift;      /* 1 up, -1 down, 0 none */
};

void creep_start(struct creep *s);
/* The median with the newest value in it; `room` > 0: what counts as much, in its unit. */
void creep_push(const struct creep_config *c, struct creep *s, double median, double room);
