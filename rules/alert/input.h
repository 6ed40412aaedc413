/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input - what of a channel a rule judges: the value itself, a statistic, or what can be seen
 * only over some time (facts: alerting section 7).
 *
 *     raw                 the sample
 *     mean(1h) max(1h)    a statistic that the station forms; also min, and the percentiles of
 *                         levels (l10(1h) ...)
 *     event               what a watch finds (rules/watch)
 *     rate(10min)         change within that time: slope of the line of least squares x time
 *     residual(24h)       value less the running median of that time; counts where it is also
 *                         `k` robust standard deviations off (4.5)
 *     cusum(24h)          sum of what exceeds `k` (0.5) robust standard deviations from that
 *                         median, on the side of the rule; its levels are in deviations (5)
 *     forecast(2h)        where the line through the last hours will be in that time; counts
 *                         where the slope is `k` (3) standard errors off; with the time of
 *                         crossing
 *
 * Pure, bounded, no allocation: the caller keeps a block of alert_input_size() bytes for each
 * rule on each channel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alert_input_kind {
    ALERT_RAW,
    ALERT_STATISTIC,
    ALERT_EVENT,
    ALERT_RATE,
    ALERT_RESIDUAL,
    ALERT_CUSUM,
    ALERT_FORECAST
};

enum { ALERT_STATISTIC_MAX = 16 };

struct alert_input {
    enum alert_input_kind kind;
    char statistic[ALERT_STATISTIC_MAX]; /* as channels are named: "1h", "1h.max", "1h.l10" */
    int64_t window_ms;                   /* of a statistic: its period */
    int64_t step_ms;                     /* from sample to sample of the channel */
    double k;                            /* NaN: as usual */
    int side;                            /* of a cusum: 1 up, -1 down */
    double resolution;                   /* floor of the standard deviation; > 0 */
};

/* 0, or -EINVAL with a sentence in `why`. Leaves step, k, side and resolution as they are. */
int alert_input_parse(const char *text, struct alert_input *ret, char *why, size_t size);
bool alert_input_is_ok(const char *text, char *why, size_t size); /* for field tables */
/* NULL, or a sentence: the window does not fit the interval of the samples. */
const char *alert_input_error(const struct alert_input *in);

/* 0: it needs none. */
size_t alert_input_size(const struct alert_input *in);
void alert_input_init(const struct alert_input *in, void *state);

struct alert_score {
    double x;               /* in the unit of the levels; NaN: not enough has been seen */
    bool is_significant;    /* else nothing is meant by x */
    double slope, slope_se; /* per second; of a rate or a forecast */
};

/* A sample that passed the gate. While `is_active`, an alert of the rule stands: it does not
 * become normal by lasting. */
void alert_input_step(const struct alert_input *in, void *state, int64_t time_ms, double x,
                      bool is_active, struct alert_score *ret);

/* When the line reaches `limit`, and how far off that may be (both ms from now); false: never,
 * or later than any forecast is worth. */
bool alert_input_crossing(const struct alert_score *s, double value, double limit,
                          int64_t *ret_ms, int64_t *ret_plus_minus_ms);
