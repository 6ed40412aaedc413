/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index/gb3095.h"

#include <errno.h>
#include <string.h>

#include "sensors/core/words.h"

/* clang-format off */
#define LIMIT(kind_, item_, quantity_, label_, mean_, unit_, digits_, pct, a1, a2, b1, b2) \
    { item_, quantity_, label_, GB3095_##mean_, GB3095_##kind_, unit_, digits_, { a1, a2 }, \
      { b1, b2 }, pct }
#define SAME(kind, item, quantity, label, mean, digits, g1, g2) \
    LIMIT(kind, item, quantity, label, mean, "ug/m3", digits, 0, g1, g2, g1, g2)
#define SO2(m, ...) LIMIT(BASIC, "so2", "sulfur_dioxide", "SO2", m, "ug/m3", 0, __VA_ARGS__)
#define NO2(m, ...) LIMIT(BASIC, "no2", "nitrogen_dioxide", "NO2", m, "ug/m3", 0, __VA_ARGS__)
#define CO(m, ...) LIMIT(BASIC, "co", "carbon_monoxide", "CO", m, "mg/m3", 1, __VA_ARGS__)
#define O3(m, ...) LIMIT(BASIC, "o3", "ozone", "O3", m, "ug/m3", 0, __VA_ARGS__)
#define PM10(m, ...) LIMIT(BASIC, "pm10", "pm10", "PM10", m, "ug/m3", 0, __VA_ARGS__)
#define PM2_5(m, ...) LIMIT(BASIC, "pm2_5", "pm2_5", "PM2.5", m, "ug/m3", 0, __VA_ARGS__)
#define NOX(m, ...) LIMIT(OTHER, "nox", "nitrogen_oxides", "NOx", m, "ug/m3", 0, __VA_ARGS__)

const struct gb3095_limit gb3095_limits[] = {
    /* Table 1. Percentile (HJ 663-2013 table 1), to 2030 grade 1 and 2, from 2031 grade 1 and 2. */
    SO2(YEAR,   0,  20,  60,  20,  20),
    SO2(DAY,   98,  50, 150,  50,  50),
    SO2(1H,     0, 150, 500, 150, 150),
    NO2(YEAR,   0,  40,  40,  30,  30),
    NO2(DAY,   98,  80,  80,  50,  50),
    NO2(1H,     0, 200, 200, 200, 200),
    CO(DAY,    95,  40,  40,  40,  40),
    CO(1H,      0, 100, 100, 100, 100),
    O3(8H,     90, 100, 160, 100, 160),
    O3(1H,      0, 160, 200, 160, 200),
    PM10(YEAR,  0,  40,  60,  20,  50),
    PM10(DAY,  95,  50, 120,  50, 100),
    PM2_5(YEAR, 0,  15,  30,  10,  25),
    PM2_5(DAY, 95,  35,  60,  25,  50),
    /* Table 2. */
    NOX(YEAR,   0,  50,  50,  40,  40),
    NOX(DAY,    0, 100, 100,  70,  70),
    NOX(1H,     0, 250, 250, 250, 250),
    SAME(OTHER, "tsp", "tsp", "TSP", YEAR, 0, 80, 200),
    SAME(OTHER, "tsp", "tsp", "TSP", DAY, 0, 120, 300),
    SAME(OTHER, "pb", NULL, "Pb", YEAR, 1, 5, 5),
    SAME(OTHER, "pb", NULL, "Pb", QUARTER, 1, 10, 10),
    SAME(OTHER, "bap", NULL, "BaP", YEAR, 3, 1, 1),
    SAME(OTHER, "bap", NULL, "BaP", DAY, 4, 25, 25),
    /* Table A.1. */
    SAME(REFERENCE, "cd", NULL, "Cd", YEAR, 3, 5, 5),
    SAME(REFERENCE, "hg", NULL, "Hg", YEAR, 2, 5, 5),
    SAME(REFERENCE, "as", NULL, "As", YEAR, 3, 6, 6),
    SAME(REFERENCE, "cr6", NULL, "Cr(VI)", YEAR, 6, 25, 25),
    SAME(REFERENCE, "f", NULL, "F", 1H, 0, 20, 20),
    SAME(REFERENCE, "f", NULL, "F", DAY, 0, 7, 7),
};
/* clang-format on */
const size_t gb3095_limits_n = sizeof gb3095_limits / sizeof *gb3095_limits;

/* Table 4. */
static const struct {
    const char *items; /* by blanks */
    enum gb3095_mean mean;
    int least;
} needs[] = {
    { "so2 no2 co o3 nox", GB3095_1H, 45 },
    { "o3", GB3095_8H, 6 },
    { "so2 no2 co pm10 pm2_5 nox", GB3095_DAY, 20 },
    { "so2 no2 pm10 pm2_5 nox", GB3095_YEAR, 324 },
    { "tsp bap pb", GB3095_DAY, 24 },
    { "tsp bap pb", GB3095_YEAR, 60 },
    { "pb", GB3095_QUARTER, 15 },
};

enum {
    VALUE_DIGITS = 6, /* of a day's mean that take part in the year's */
    DAYS_OF_YEAR = 324,
    DAYS_OF_MONTH = 27,
    DAYS_OF_FEBRUARY = 25
};

const struct gb3095_limit *gb3095_find(const char *name, enum gb3095_mean mean)
{
    for (size_t i = 0; i < gb3095_limits_n; i++) {
        const struct gb3095_limit *l = &gb3095_limits[i];
        if (l->mean == mean &&
            (strcmp(l->item, name) == 0 || (l->quantity && strcmp(l->quantity, name) == 0)))
            return l;
    }
    return NULL;
}

const char *gb3095_mean_id(enum gb3095_mean mean)
{
    static const char *const ids[GB3095_MEANS] = { "1h", "8h", "24h", "quarter", "year" };

    return ids[mean];
}

bool gb3095_is_in_force(struct gb3095_date d)
{
    return d.year * 10000 + d.month * 100 + d.day >= 20260301;
}

struct decimal gb3095_limit_on(const struct gb3095_limit *l, int grade, struct gb3095_date d)
{
    const int32_t *by_grade = d.year <= 2030 ? l->until_2030 : l->from_2031;

    return (struct decimal){ by_grade[grade == 1 ? 0 : 1], l->digits };
}

static int judge_against(struct decimal limit, struct decimal value, struct exact_ratio by,
                         struct gb3095_verdict *ret)
{
    struct gb3095_verdict v = { .limit = limit, .times_over = { 0, 2 } };

    int rc = exact_round(value, by, limit.e, EXACT_HALF_EVEN, &v.rounded);
    if (rc < 0)
        return rc;
    v.is_exceeded = exact_compare(v.rounded, limit) > 0;
    if (v.is_exceeded) {
        const struct decimal excess = { v.rounded.v - limit.v, 0 };
        rc = exact_round(excess, (struct exact_ratio){ 1, limit.v }, 2, EXACT_HALF_EVEN,
                         &v.times_over);
    }
    if (rc == 0)
        *ret = v;
    return rc;
}

int gb3095_judge(const struct gb3095_limit *l, int grade, struct gb3095_date d,
                 struct decimal value, struct exact_ratio by, struct gb3095_verdict *ret)
{
    if (grade != 1 && grade != 2)
        return -EINVAL;
    return judge_against(gb3095_limit_on(l, grade, d), value, by, ret);
}

int gb3095_least(const char *item, enum gb3095_mean mean)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (needs[i].mean == mean && words_have(needs[i].items, item))
            return needs[i].least;
    return 0;
}

int gb3095_least_of_month(int month)
{
    return month == 2 ? DAYS_OF_FEBRUARY : DAYS_OF_MONTH;
}

/* ---- a year ---- */

struct days {
    int64_t v[GB3095_DAYS_MAX]; /* rising, in 10^-VALUE_DIGITS */
    size_t n;
    int of_month[13];
};

static void insert(struct days *d, int64_t v)
{
    size_t i = d->n++;

    for (; i > 0 && d->v[i - 1] > v; i--)
        d->v[i] = d->v[i - 1];
    d->v[i] = v;
}

static int take_days(const struct gb3095_day *days, size_t n, struct days *ret)
{
    if (n > GB3095_DAYS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        struct decimal x;
        if (days[i].month < 1 || days[i].month > 12)
            return -EINVAL;
        const int rc = exact_round(days[i].value, (struct exact_ratio){ 0 }, VALUE_DIGITS,
                                   EXACT_HALF_EVEN, &x);
        if (rc == -ENODATA)
            continue;
        if (rc < 0 || x.v > INT64_MAX / (GB3095_DAYS_MAX * 100) ||
            x.v < INT64_MIN / (GB3095_DAYS_MAX * 100))
            return -ERANGE;
        insert(ret, x.v);
        ret->of_month[days[i].month]++;
    }
    return 0;
}

static bool is_complete(const struct days *d)
{
    for (int month = 1; month <= 12; month++)
        if (d->of_month[month] < gb3095_least_of_month(month))
            return false;
    return d->n >= DAYS_OF_YEAR;
}

/* HJ 663-2013 annex A: rank 1 + (n - 1) p / 100, between two values in proportion. */
static struct decimal percentile(const struct days *d, int p)
{
    const size_t at = (d->n - 1) * (size_t)p, i = at / 100, rest = at % 100;
    const int64_t next = rest ? d->v[i + 1] : d->v[i];

    return (struct decimal){ d->v[i] * 100 + (next - d->v[i]) * (int64_t)rest,
                             VALUE_DIGITS + 2 };
}

static int count_kept(const struct days *d, struct decimal limit)
{
    int kept = 0;

    for (size_t i = 0; i < d->n; i++) {
        struct gb3095_verdict v;
        const struct decimal x = { d->v[i], VALUE_DIGITS };
        kept += judge_against(limit, x, (struct exact_ratio){ 0 }, &v) == 0 && !v.is_exceeded;
    }
    return kept;
}

static int judge_year(const struct days *d, const struct gb3095_limit *day_limit, int grade,
                      struct gb3095_date date, struct gb3095_year *y)
{
    const struct gb3095_limit *year = gb3095_find(day_limit->item, GB3095_YEAR);
    const struct decimal limit = gb3095_limit_on(day_limit, grade, date);
    struct decimal sum = { 0, VALUE_DIGITS };

    for (size_t i = 0; i < d->n; i++)
        sum.v += d->v[i];
    y->days_kept = count_kept(d, limit);
    int rc = exact_round(sum, (struct exact_ratio){ 1, (int64_t)d->n },
                         year ? year->digits : limit.e, EXACT_HALF_EVEN, &y->mean);
    if (rc == 0)
        rc = exact_round((struct decimal){ y->days_kept, 0 },
                         (struct exact_ratio){ 100, (int64_t)d->n }, 1, EXACT_HALF_EVEN,
                         &y->kept_pct);
    if (rc == 0 && year)
        rc = judge_against(gb3095_limit_on(year, grade, date), sum,
                           (struct exact_ratio){ 1, (int64_t)d->n }, &y->of_mean);
    if (rc < 0 || day_limit->percentile == 0)
        return rc;
    rc = judge_against(limit, percentile(d, day_limit->percentile), (struct exact_ratio){ 0 },
                       &y->of_percentile);
    y->percentile = y->of_percentile.rounded;
    return rc;
}

int gb3095_year(const struct gb3095_limit *day_limit, int grade, int year,
                const struct gb3095_day *days, size_t n, struct gb3095_year *ret)
{
    const struct gb3095_verdict none = { DECIMAL_MISSING, DECIMAL_MISSING, DECIMAL_MISSING,
                                         false };
    struct gb3095_year y = { .mean = DECIMAL_MISSING,
                             .percentile = DECIMAL_MISSING,
                             .kept_pct = DECIMAL_MISSING,
                             .of_mean = none,
                             .of_percentile = none };
    struct days sorted = { .n = 0 };

    if (grade != 1 && grade != 2)
        return -EINVAL;
    int rc = take_days(days, n, &sorted);
    if (rc == 0 && sorted.n > 0) {
        y.days = (int)sorted.n;
        y.is_complete = is_complete(&sorted);
        rc = judge_year(&sorted, day_limit, grade, (struct gb3095_date){ year, 12, 31 }, &y);
    }
    if (rc == 0)
        *ret = y;
    return rc;
}
