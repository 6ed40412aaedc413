/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index/dose.h"

#include <math.h>

#include "sensors/core/words.h"

const struct dose_config dose_default = { 3, 100, 2, 1000, 72 };

const char *dose_config_error(const struct dose_config *c)
{
    if (!(c->deviations > 0))
        return "the notice needs a positive number of deviations";
    if (!(c->net_alarm > 0) || !(c->factor_alarm > 1))
        return "the alarm needs a positive net rate and a factor above 1";
    if (!(c->high > 0) || c->hours_least == 0)
        return "the high alarm and the hours of background must be positive";
    return NULL;
}

struct dose_background dose_background_of(const struct dose_config *c, double mean,
                                          double deviation)
{
    const double n = c->hours_least > 1 ? c->hours_least - 1.0 : 1.0;

    return (struct dose_background){ c->hours_least, mean, deviation * deviation * n };
}

double dose_background_deviation(const struct dose_background *b)
{
    return b->hours > 1 ? sqrt(b->squares / (b->hours - 1.0)) : 0;
}

bool dose_background_add(const struct dose_config *c, struct dose_background *b, double hour,
                         bool is_rain)
{
    if (!isfinite(hour) || is_rain || b->hours == UINT32_MAX)
        return false;
    const enum dose_level l = dose_judge(c, b, hour, false).level;
    if (l != DOSE_NORMAL && l != DOSE_UNKNOWN)
        return false;
    const double off = hour - b->mean;
    b->hours++;
    b->mean += off / b->hours;
    b->squares += off * (hour - b->mean);
    return true;
}

struct dose_verdict dose_judge(const struct dose_config *c, const struct dose_background *b,
                               double value, bool is_rain)
{
    struct dose_verdict v = { DOSE_UNKNOWN, NAN, NAN };

    if (!isfinite(value))
        return v;
    const bool is_known = b->hours >= c->hours_least && b->mean > 0;
    if (is_known) {
        v.net = value - b->mean;
        v.times = value / b->mean;
        v.level = DOSE_NORMAL;
    }
    if (is_known && v.net > c->deviations * dose_background_deviation(b))
        v.level = is_rain ? DOSE_RAIN : DOSE_NOTICE;
    if (is_known && (v.net >= c->net_alarm || v.times >= c->factor_alarm))
        v.level = DOSE_ALARM;
    if (value >= c->high)
        v.level = DOSE_HIGH;
    return v;
}

static const struct {
    const char *id, *zh, *en;
} levels[] = {
    [DOSE_NORMAL] = { "normal", "正常", "within the background" },
    [DOSE_RAIN] = { "rain", "降雨引起的升高", "raised during rain" },
    [DOSE_NOTICE] = { "notice", "高于本底", "above the background" },
    [DOSE_ALARM] = { "alarm", "异常", "far above the background" },
    [DOSE_HIGH] = { "high", "严重异常", "high" },
    [DOSE_UNKNOWN] = { "unknown", "无法判断", "cannot be judged" },
};

const char *dose_level_id(enum dose_level l)
{
    return levels[l].id;
}

const char *dose_level_name(enum dose_level l, const char *lang)
{
    return lang_is_zh(lang) ? levels[l].zh : levels[l].en;
}
