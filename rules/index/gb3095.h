/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gb3095 - ambient air against the limits of GB 3095-2026 (tables 1, 2, 4 and A.1): transition
 * limits to 2030-12-31, final ones from 2031-01-01, grade 1 and 2, by the local date.
 *
 * A value is rounded by GB/T 8170 to the decimals of its limit and compared. How many values a
 * mean needs is table 4. Percentiles of a year follow HJ 663-2013 annex A, as the text of
 * HJ 663-2026 is not at hand. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rules/index/exact.h"

enum gb3095_mean {
    GB3095_1H,
    GB3095_8H, /* the day's largest */
    GB3095_DAY,
    GB3095_QUARTER,
    GB3095_YEAR,
    GB3095_MEANS
};

enum gb3095_kind {
    GB3095_BASIC,    /* table 1: everywhere */
    GB3095_OTHER,    /* table 2: as the ministry or a province decides */
    GB3095_REFERENCE /* table A.1: advice */
};

struct gb3095_limit {
    const char *item, *quantity; /* "so2"; the vocabulary's id, NULL where it has none */
    const char *label;           /* SO2 */
    enum gb3095_mean mean;
    enum gb3095_kind kind;
    const char *unit;                    /* UCUM */
    int8_t digits;                       /* of limits and values */
    int32_t until_2030[2], from_2031[2]; /* grade 1, 2; in units of 10^-digits */
    uint8_t percentile; /* of the days of a year, held against this limit; 0: none */
};

extern const struct gb3095_limit gb3095_limits[];
extern const size_t gb3095_limits_n;

struct gb3095_date {
    int year, month, day; /* local */
};

/* NULL when the standard limits no such mean. By item ("pm2_5") or quantity id. */
const struct gb3095_limit *gb3095_find(const char *name, enum gb3095_mean mean);
/* "1h", "8h", "24h", "quarter", "year". */
const char *gb3095_mean_id(enum gb3095_mean mean);
/* The standard holds from 2026-03-01. */
bool gb3095_is_in_force(struct gb3095_date d);
/* grade 1: parks and reserves, 2: everywhere else. */
struct decimal gb3095_limit_on(const struct gb3095_limit *l, int grade, struct gb3095_date d);

struct gb3095_verdict {
    struct decimal rounded, limit;
    struct decimal times_over; /* (value - limit) / limit, two decimals; 0 when kept */
    bool is_exceeded;
};

/* `by` turns the value into the limit's unit; {0}: it is in it. Returns as exact_round(), or
 * -EINVAL for a grade that is none. */
int gb3095_judge(const struct gb3095_limit *l, int grade, struct gb3095_date d,
                 struct decimal value, struct exact_ratio by, struct gb3095_verdict *ret);

/*
 * Table 4: minutes of sampling in an hour, hours of an 8 h mean or a day, day means of a year;
 * 0 where it has no rule (the hour of particles among them).
 */
int gb3095_least(const char *item, enum gb3095_mean mean);
/* Day means that a month of a year needs: 27, in February 25. */
int gb3095_least_of_month(int month);

enum { GB3095_DAYS_MAX = 366 };

struct gb3095_year {
    int days;                            /* with a value */
    int days_kept;                       /* within the day's (ozone: the 8 h) limit */
    bool is_complete;                    /* enough days in the year and in every month */
    struct decimal mean, percentile;     /* rounded; missing without a day */
    struct decimal kept_pct;             /* one decimal */
    struct gb3095_verdict of_mean;       /* of the year's limit; limit missing: none */
    struct gb3095_verdict of_percentile; /* of the day's limit */
};

struct gb3095_day {
    int month;
    struct decimal value; /* in the limit's unit; missing: no valid mean */
};

/* A calendar year of day means (ozone: of daily 8 h maxima), in any order. Returns 0, -EINVAL
 * with more days than a year has or a month that is none, or as exact_round(). */
int gb3095_year(const struct gb3095_limit *day_limit, int grade, int year,
                const struct gb3095_day *days, size_t n, struct gb3095_year *ret);
