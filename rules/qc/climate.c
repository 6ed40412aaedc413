/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "rules/qc/checks.h"

#define DAY_MS INT64_C(86400000)

static const struct {
    const char *name;
    enum qc_calendar calendar;
} names[] = {
    { "year", QC_YEAR },
    { "quarter", QC_QUARTER },
    { "month", QC_MONTH },
    { "week", QC_WEEK },
    { "weekofyear", QC_WEEK },
    { "dayofyear", QC_DAY_OF_YEAR },
    { "day_of_year", QC_DAY_OF_YEAR },
    { "day", QC_DAY },
    { "dayofweek", QC_DAY_OF_WEEK },
    { "day_of_week", QC_DAY_OF_WEEK },
    { "weekday", QC_DAY_OF_WEEK },
    { "hour", QC_HOUR },
    { "minute", QC_MINUTE },
    { "second", QC_SECOND },
};

int qc_calendar_find(const char *name, enum qc_calendar *ret)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, name) == 0) {
            *ret = names[i].calendar;
            return 0;
        }
    return -ENOENT;
}

struct date {
    int64_t year;
    int month, day, of_year; /* from 1 */
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Of a day since 1970, Gregorian. Years are counted from March, so that the leap day ends one.
 */
static struct date date_of(int64_t day)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    const int64_t z = day + 719468; /* from 0000-03-01 */
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t of_era = z - era * 146097;
    const int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int from_march = (int)(of_era - (365 * y + y / 4 - y / 100));
    const int m = (5 * from_march + 2) / 153;
    struct date d = {
        .month = m < 10 ? m + 3 : m - 9,
        .day = from_march - (153 * m + 2) / 5 + 1,
    };

    d.year = y + era * 400 + (d.month <= 2);
    d.of_year = before[d.month - 1] + d.day + (d.month > 2 && is_leap(d.year));
    return d;
}

/* The week of ISO 8601 is that of its Thursday. */
static int week_of(int64_t day, int of_week)
{
    return (date_of(day - of_week + 3).of_year - 1) / 7 + 1;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int of_day(enum qc_calendar c, int64_t ms)
{
    switch (c) {
    case QC_HOUR:
        return (int)(ms / 3600000);
    case QC_MINUTE:
        return (int)(ms / 60000 % 60);
    default:
        return (int)(ms / 1000 % 60);
    }
}

int qc_calendar_of(enum qc_calendar c, int64_t time_ms)
{
    const int64_t day = floor_div(time_ms, DAY_MS);
    const int of_week = (int)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */

    if (c == QC_HOUR || c == QC_MINUTE || c == QC_SECOND)
        return of_day(c, time_ms - day * DAY_MS);
    if (c == QC_DAY_OF_WEEK)
        return of_week;
    if (c == QC_WEEK)
        return week_of(day, of_week);
    const struct date d = date_of(day);
    switch (c) {
    case QC_YEAR:
        return (int)d.year;
    case QC_QUARTER:
        return (d.month - 1) / 3 + 1;
    case QC_MONTH:
        return d.month;
    case QC_DAY:
        return d.day;
    default:
        return d.of_year;
    }
}

static bool is_in(const struct qc_season *s, int64_t time_ms, double depth)
{
    const double at =
        s->calendar == QC_INSTANT ? (double)time_ms : qc_calendar_of(s->calendar, time_ms);

    if (qc_is_outside(s->time, at))
        return false;
    if (isnan(s->depth.min) && isnan(s->depth.max))
        return true;
    return isfinite(depth) && !qc_is_outside(s->depth, depth);
}

enum qc_flag qc_climate_check(const struct qc_season *seasons, size_t n, int64_t time_ms,
                              double x, double depth)
{
    if (!isfinite(x))
        return QC_MISSING;
    if (time_ms == QC_NO_TIME)
        return QC_NOT_EVALUATED;
    for (size_t i = n; i-- > 0;) {
        const struct qc_season *s = &seasons[i];
        if (!is_in(s, time_ms, depth))
            continue;
        return qc_is_outside(s->fail, x)    ? QC_FAIL
               : qc_is_outside(s->usual, x) ? QC_SUSPECT
                                            : QC_GOOD;
    }
    return QC_NOT_EVALUATED;
}
