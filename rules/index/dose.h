/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dose - gamma dose rate against the station's own background: the net rise and how far it is.
 *
 * No binding threshold exists for networks of stations: every figure is a setting, and these
 * defaults are practice (docs/indices.md). Rain washes radon progeny out of the air and lifts
 * the rate by tens of nGy/h, so a rise of that kind is told as rain. The background is the mean
 * and deviation of valid hourly means without rain. One quantity at a time: absorbed dose rate
 * (nGy/h) and ambient dose equivalent rate (nSv/h) never mix. Pure; state is the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum dose_level {
    DOSE_NORMAL,
    DOSE_RAIN,   /* above the notice while it rains, below the alarm */
    DOSE_NOTICE, /* above background + 3 deviations */
    DOSE_ALARM,  /* net 100 nGy/h, or twice the background */
    DOSE_HIGH,   /* 1 uGy/h */
    DOSE_UNKNOWN /* no value or no background yet */
};

struct dose_config {
    double deviations;    /* 3 */
    double net_alarm;     /* 100, in the unit of the quantity */
    double factor_alarm;  /* 2 times the background */
    double high;          /* 1000 */
    uint32_t hours_least; /* of background before anything is judged: 72 */
};

extern const struct dose_config dose_default;

struct dose_background { /* all zero at the start */
    uint32_t hours;
    double mean, squares; /* Welford: sum of squared differences from the mean */
};

/* NULL, or what is wrong with the settings. */
const char *dose_config_error(const struct dose_config *c);

/* A background known otherwise (a report of the site), ready at once. */
struct dose_background dose_background_of(const struct dose_config *c, double mean,
                                          double deviation);
/* Add a valid hourly mean. Hours with rain, and from a notice on, are not background: left out.
 * Returns whether it was taken. */
bool dose_background_add(const struct dose_config *c, struct dose_background *b, double hour,
                         bool is_rain);
double dose_background_deviation(const struct dose_background *b);

struct dose_verdict {
    enum dose_level level;
    double net;   /* value - background; NaN when unknown */
    double times; /* value / background */
};

struct dose_verdict dose_judge(const struct dose_config *c, const struct dose_background *b,
                               double value, bool is_rain);

/* "normal", "rain", "notice" ... */
const char *dose_level_id(enum dose_level l);
const char *dose_level_name(enum dose_level l, const char *lang);
