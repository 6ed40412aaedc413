/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disturbance - what goes wrong with one quantity of a simulated instrument while its answers
 * are sound: what quality control is there to find. A function of the seed and the time alone.
 * Pure; any thread.
 *
 *   TARGET=KIND[:SIZE]@START+LENGTH[/EVERY]      pm2_5=spike:400@2min+5s/3min
 *
 *   drift step spike noise show stuck dropout
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/sim/signal.h"

enum disturbance_kind {
    DISTURB_DRIFT,   /* goes off evenly, by the size at the end */
    DISTURB_STEP,    /* is off by the size */
    DISTURB_SPIKE,   /* is off by the size, up and down in turn */
    DISTURB_NOISE,   /* scatters by the size more, a standard deviation */
    DISTURB_SHOW,    /* shows the size itself: out of range, a code for "no value" */
    DISTURB_STUCK,   /* stands still as it was at the beginning */
    DISTURB_DROPOUT, /* has no value */
};

struct disturbance {
    char target[SIGNAL_TARGET_MAX]; /* "pm2_5", "roof-o3/ozone" */
    enum disturbance_kind kind;
    double size; /* canonical unit */
    struct signal_times times;
};

/* 0, or -EINVAL with a sentence in `why` that names the column. */
int disturbance_parse(const char *text, struct disturbance *ret, char *why, size_t size);

struct disturbed { /* one point */
    const struct disturbance *items;
    size_t n;
    int64_t origin_ms; /* times count from here */
    uint64_t seed;
};

/* The time whose value the point shows at t_ms: an earlier one when it is stuck. */
int64_t disturbed_instant(const struct disturbed *d, int64_t t_ms);

/* What becomes of x at an instant, in the order given; NaN: no value. Additions keep to what
 * the instrument can show, min to max; NaN: unlimited. */
double disturbed_value(const struct disturbed *d, double x, double min, double max,
                       int64_t instant_ms);
