/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

enum qc_flag qc_time_check(const struct qc_time *c, int64_t time_ms, int64_t now_ms)
{
    if (time_ms == QC_NO_TIME)
        return QC_MISSING;
    if (now_ms != QC_NO_TIME && time_ms - now_ms > c->ahead_ms)
        return QC_FAIL;
    if (c->from_ms != 0 && time_ms < c->from_ms)
        return QC_FAIL;
    return c->to_ms != 0 && time_ms > c->to_ms ? QC_FAIL : QC_GOOD;
}

enum qc_flag qc_pause_check(int64_t limit_ms, int64_t before_ms, int64_t time_ms)
{
    if (time_ms == QC_NO_TIME)
        return QC_MISSING;
    if (before_ms == QC_NO_TIME)
        return QC_NOT_EVALUATED;
    return time_ms - before_ms > limit_ms ? QC_FAIL : QC_GOOD;
}

enum qc_flag qc_pause_first(int64_t first_ms, int64_t second_ms, enum qc_flag second)
{
    return first_ms != QC_NO_TIME && second_ms == QC_NO_TIME ? QC_NOT_EVALUATED : second;
}

enum qc_flag qc_reception_check(int64_t limit_ms, int64_t time_ms, int64_t now_ms)
{
    if (time_ms == QC_NO_TIME)
        return QC_MISSING;
    return now_ms - time_ms > limit_ms ? QC_FAIL : QC_GOOD;
}
