/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

const char *qc_range_error(const struct qc_range *c)
{
    if (c->fail.min > c->fail.max)
        return "The range ends below its start.";
    if (c->suspect.min > c->suspect.max)
        return "The suspect range ends below its start.";
    if (c->suspect.min < c->fail.min || c->suspect.max > c->fail.max ||
        c->suspect.min > c->fail.max || c->suspect.max < c->fail.min)
        return "The suspect range must lie within the range.";
    return NULL;
}

enum qc_flag qc_range_check(const struct qc_range *c, double x)
{
    if (!isfinite(x))
        return QC_MISSING;
    if (qc_is_outside(c->fail, x))
        return QC_FAIL;
    return qc_is_outside(c->suspect, x) ? QC_SUSPECT : QC_GOOD;
}

enum qc_flag qc_valid_check(const struct qc_valid *c, double x)
{
    if (!isfinite(x))
        return QC_MISSING;
    const bool is_low = c->is_min_out ? x <= c->min : x < c->min;
    const bool is_high = c->is_max_in ? x > c->max : x >= c->max;
    return is_low || is_high ? QC_FAIL : QC_GOOD;
}
