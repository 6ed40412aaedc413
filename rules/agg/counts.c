/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/counts.h"

#include <errno.h>
#include <math.h>

#define SECONDS_A_MINUTE 60

int counts_correct(double per_minute, double dead_s, double minutes, struct counts_rate *ret)
{
    const double dead = per_minute / SECONDS_A_MINUTE * dead_s;
    const double live = 1 - dead;

    if (!(per_minute >= 0) || dead > COUNTS_DEAD_MAX)
        return -ERANGE;
    ret->rate = per_minute / live;
    ret->variance = minutes > 0 ? per_minute / minutes / (live * live * live * live) : NAN;
    return 0;
}

struct counts_net counts_net_of(double gross, double gross_minutes, double background,
                                double background_minutes)
{
    return (struct counts_net){
        .rate = gross - background,
        .uncertainty = sqrt(gross / gross_minutes + background / background_minutes),
    };
}

double counts_decision_limit(double background_counts)
{
    return 2.33 * sqrt(background_counts);
}

double counts_detection_limit(double background_counts)
{
    return 2.71 + 4.65 * sqrt(background_counts);
}
