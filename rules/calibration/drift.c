/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "rules/calibration/calibration.h"

static bool course_is_known(const struct calibration_course *c)
{
    return isfinite(c->from) && isfinite(c->to) && c->from_ms < c->to_ms;
}

static bool factor_is_sane(double x)
{
    return x <= CALIBRATION_FACTOR_MAX && x >= 1 / CALIBRATION_FACTOR_MAX;
}

bool calibration_drift_is_known(const struct calibration_drift *d)
{
    if (course_is_known(&d->factor) &&
        !(factor_is_sane(d->factor.from) && factor_is_sane(d->factor.to)))
        return false;
    return course_is_known(&d->zero) || course_is_known(&d->factor);
}

static double figure_at(const struct calibration_course *c, int64_t time_ms, double unknown)
{
    if (!course_is_known(c))
        return unknown;
    if (time_ms <= c->from_ms)
        return c->from;
    if (time_ms >= c->to_ms)
        return c->to;
    const double share = (double)(time_ms - c->from_ms) / (double)(c->to_ms - c->from_ms);
    return c->from + share * (c->to - c->from);
}

struct calibration_correction calibration_drift_at(const struct calibration_drift *d,
                                                   int64_t time_ms)
{
    return (struct calibration_correction){ figure_at(&d->zero, time_ms, 0),
                                            figure_at(&d->factor, time_ms, 1) };
}
