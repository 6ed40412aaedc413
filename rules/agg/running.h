/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running - eight hours that slide by the hour, of samples: percentiles of levels and
 * directions, which are not to be had of hourly ones. Every hour is summed by itself, eight of
 * them make a period. One more is kept: samples of the next hour come before this one is over.
 * Pure.
 */
#pragma once

#include "rules/agg/agg.h"
#include "rules/agg/levels.h"
#include "rules/agg/wind.h"

enum { AGG_RUNNING_HOURS = 8, RUNNING_KEPT = AGG_RUNNING_HOURS + 1 };

struct running_hour { /* all zero: empty */
    int64_t start_ms;
    struct agg_state state;
    double east, north; /* sums of speed times unit vector */
    uint32_t n;         /* of them */
    bool has_any;
};

struct running_levels {
    struct running_hour hours[RUNNING_KEPT];
    uint16_t count[RUNNING_KEPT][LEVELS_BINS]; /* 18 samples a second fill no bin */
};

struct running_winds {
    struct wind wind; /* first: brings speed and direction together */
    struct running_hour hours[RUNNING_KEPT];
};

/* What lies more than nine hours back is left out. */
void running_put_level(struct running_levels *r, const struct agg_config *c,
                       const struct agg_input *in);
/* The direction with its speed; NaN: not known. */
void running_put_wind(struct running_winds *r, const struct agg_config *c, struct agg_input in,
                      double speed);

/* The eight hours from start_ms on. False: nothing came in for them. */
bool running_levels_of(const struct running_levels *r, const struct agg_config *c,
                       int64_t start_ms, struct agg_result *ret,
                       struct levels_histogram *ret_histogram);
bool running_winds_of(const struct running_winds *r, const struct agg_config *c,
                      int64_t start_ms, struct agg_result *ret, double *ret_speed,
                      double *ret_direction);
