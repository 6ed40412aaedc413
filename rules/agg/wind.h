/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wind - directions and speeds of one instrument brought together by their time.
 *
 * A speed of zero has no direction: such a sample counts, but its direction does not enter the
 * mean of unit vectors. With the speed as weight the same samples give the vector mean, which
 * tells where the air went. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/agg/agg.h"

struct wind {
    double east, north; /* sums of speed times unit vector, towards where the wind comes from */
    uint32_t n;
    double speed; /* the newest; NaN: not usable */
    int64_t speed_ms;
    struct agg_input pending; /* a direction whose speed is not known yet */
    bool has_speed, has_pending;
};

/* Speed (m/s) up to which there is no direction. */
#define WIND_CALM 0.0

/* An empty period; what waits for its other half stays. */
void wind_clear(struct wind *w);

/* The direction as it enters the period, when its speed (NaN: not known) is found. */
struct agg_input wind_join(struct wind *w, struct agg_input direction, double speed);

/* Speed and direction of the mean vector; direction NaN where there is none. */
void wind_mean(const struct wind *w, double *ret_speed, double *ret_direction);
