/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    (24 * HOUR_MS)

/* Who is read less often has too few values in an hour for its percentiles. */
#define PERCENTILE_INTERVAL_MS 1000

const struct agg_period_info agg_periods[AGG_PERIODS] = {
    [AGG_1MIN] = { "1min", MINUTE_MS, MINUTE_MS, false },
    [AGG_10MIN] = { "10min", 10 * MINUTE_MS, 10 * MINUTE_MS, false },
    [AGG_1H] = { "1h", HOUR_MS, HOUR_MS, false },
    [AGG_8H] = { "8h", 8 * HOUR_MS, HOUR_MS, true },
    [AGG_DAY] = { "day", DAY_MS, DAY_MS, true },
};

static const char *const figures[AGG_FIGURES] = {
    [AGG_VALUE] = "",
    [AGG_FIGURE_MIN] = "min",
    [AGG_FIGURE_MAX] = "max",
    [AGG_FIGURE_N] = "n",
    [AGG_FIGURE_L5] = "l5",
    [AGG_FIGURE_L10] = "l10",
    [AGG_FIGURE_L50] = "l50",
    [AGG_FIGURE_L90] = "l90",
    [AGG_FIGURE_L95] = "l95",
    [AGG_FIGURE_SIGMA] = "sigma",
    [AGG_FIGURE_VECTOR] = "vector",
    [AGG_FIGURE_VECTOR_SPEED] = "vector_speed",
    [AGG_FIGURE_U] = "u",
    [AGG_FIGURE_LD] = "ld",
    [AGG_FIGURE_LN] = "ln",
    [AGG_FIGURE_LDN] = "ldn",
    [AGG_FIGURE_MAX8H] = "max8h",
};

const char *agg_figure_id(enum agg_figure f)
{
    return figures[f];
}

/* ---- names ---- */

static int find_period(const char *text, size_t n, enum agg_period *ret)
{
    for (int i = 0; i < AGG_PERIODS; i++)
        if (strlen(agg_periods[i].id) == n && memcmp(agg_periods[i].id, text, n) == 0) {
            *ret = (enum agg_period)i;
            return 0;
        }
    return -EINVAL;
}

static int find_figure(const char *text, enum agg_figure *ret)
{
    for (int i = AGG_FIGURE_MIN; i < AGG_FIGURES; i++)
        if (i != AGG_FIGURE_VECTOR_SPEED && strcmp(figures[i], text) == 0) {
            *ret = (enum agg_figure)i;
            return 0;
        }
    return -EINVAL;
}

int agg_want_parse(const char *text, struct agg_want *ret, char *why, size_t size)
{
    const char *dot = strchr(text, '.');
    const size_t n = dot ? (size_t)(dot - text) : strlen(text);
    struct agg_want w = { .figure = AGG_VALUE };

    if (find_period(text, n, &w.period) < 0) {
        snprintf(why, size, "expected a period, 1min, 10min, 1h, 8h or day, got '%.32s'", text);
        return -EINVAL;
    }
    if (dot && find_figure(dot + 1, &w.figure) < 0) {
        snprintf(why, size,
                 "expected min, max, n, l5, l10, l50, l90, l95, sigma, vector, u, ld, ln, ldn "
                 "or max8h behind the period, got '%.32s'",
                 dot + 1);
        return -EINVAL;
    }
    *ret = w;
    return 0;
}

bool agg_want_is_ok(const char *text, char *why, size_t size)
{
    struct agg_want w;

    return agg_want_parse(text, &w, why, size) == 0;
}

const char *agg_want_name(struct agg_want w, char buf[AGG_NAME_MAX])
{
    snprintf(buf, AGG_NAME_MAX, "%s%s%s", agg_periods[w.period].id,
             w.figure == AGG_VALUE ? "" : ".", figures[w.figure]);
    return buf;
}

/* ---- what fits ---- */

static bool is_sound(const struct quantity *q)
{
    return q->agg == AGG_ENERGY;
}

bool agg_figure_is_percentile(enum agg_figure f)
{
    return f >= AGG_FIGURE_L5 && f <= AGG_FIGURE_L95;
}

static const char *misfit_of_figure(const struct quantity *q, enum agg_figure f)
{
    if ((agg_figure_is_percentile(f) || f == AGG_FIGURE_LD || f == AGG_FIGURE_LN ||
         f == AGG_FIGURE_LDN) &&
        !is_sound(q))
        return "only a sound level has it";
    if (f == AGG_FIGURE_SIGMA && q->agg != AGG_VECTOR)
        return "only a direction has it";
    if (f == AGG_FIGURE_VECTOR && strcmp(q->id, "wind_dir") != 0 &&
        strcmp(q->id, "wind_speed") != 0)
        return "only wind_dir and wind_speed have it";
    if (f == AGG_FIGURE_U && q->agg != AGG_COUNTS)
        return "only a count rate has it";
    if (f == AGG_FIGURE_MAX8H && q->agg != AGG_MEAN)
        return "only means have it";
    return NULL;
}

static bool is_of_day(enum agg_figure f)
{
    return f >= AGG_FIGURE_LD && f <= AGG_FIGURE_MAX8H;
}

static const char *misfit_of_period(struct agg_want w)
{
    if (is_of_day(w.figure))
        return w.period == AGG_DAY ? NULL : "only a day has it";
    if (!agg_periods[w.period].is_of_hours)
        return NULL;
    if (w.figure == AGG_FIGURE_U)
        return "periods up to 1h have it";
    return NULL;
}

bool agg_want_fits(const struct quantity *q, struct agg_want w, char *why, size_t size)
{
    const char *misfit = misfit_of_figure(q, w.figure);
    char name[AGG_NAME_MAX];

    if (!misfit)
        misfit = misfit_of_period(w);
    if (misfit)
        snprintf(why, size, "%s has no statistic %s: %s", q->id, agg_want_name(w, name),
                 misfit);
    return misfit == NULL;
}

/* ---- what a standard asks for ---- */

/* GB 3095-2026 table 4; the day's largest 8 h mean by HJ 663 (14 of those that end from 08:00
 * to 24:00, or one that is beyond the limit of grade 2). */
static const struct rule {
    const char *quantity;
    enum agg_period period;
    enum agg_figure figure;
    uint32_t need, expected;
    double enough;
} rules[] = {
    { "ozone", AGG_8H, AGG_VALUE, 6, 0, 0 },
    { "ozone", AGG_DAY, AGG_FIGURE_MAX8H, 14, 17, 160 },
    { "sulfur_dioxide", AGG_DAY, AGG_VALUE, 20, 0, 0 },
    { "nitrogen_dioxide", AGG_DAY, AGG_VALUE, 20, 0, 0 },
    { "nitrogen_oxides", AGG_DAY, AGG_VALUE, 20, 0, 0 },
    { "carbon_monoxide", AGG_DAY, AGG_VALUE, 20, 0, 0 },
    { "pm2_5", AGG_DAY, AGG_VALUE, 20, 0, 0 },
    { "pm10", AGG_DAY, AGG_VALUE, 20, 0, 0 },
    { "tsp", AGG_DAY, AGG_VALUE, 24, 0, 0 },
};
enum { RULES_N = sizeof rules / sizeof rules[0] };

static bool is_same(struct agg_want a, struct agg_want b)
{
    return a.period == b.period && a.figure == b.figure;
}

static const struct rule *rule_of(const struct quantity *q, struct agg_want w)
{
    for (size_t i = 0; i < RULES_N; i++)
        if (strcmp(rules[i].quantity, q->id) == 0 &&
            is_same((struct agg_want){ rules[i].period, rules[i].figure }, w))
            return &rules[i];
    return NULL;
}

bool agg_is_of_hours(const struct quantity *q, enum agg_period p, int64_t interval_ms)
{
    return q->agg != AGG_VECTOR && agg_periods[p].is_of_hours && interval_ms <= HOUR_MS;
}

bool agg_want_is_of_hours(const struct quantity *q, struct agg_want w, int64_t interval_ms)
{
    return agg_is_of_hours(q, w.period, interval_ms) && !agg_figure_is_percentile(w.figure);
}

/* ---- defaults ---- */

struct wants {
    struct agg_want *w;
    size_t n;
};

static void want(struct wants *all, enum agg_period p, enum agg_figure f)
{
    const struct agg_want w = { p, f };

    for (size_t i = 0; i < all->n; i++)
        if (is_same(all->w[i], w))
            return;
    if (all->n < AGG_WANTS_MAX)
        all->w[all->n++] = w;
}

static void want_sound(struct wants *all, int64_t interval_ms)
{
    if (interval_ms <= PERCENTILE_INTERVAL_MS) {
        want(all, AGG_1H, AGG_FIGURE_MAX);
        want(all, AGG_1H, AGG_FIGURE_MIN);
        for (int f = AGG_FIGURE_L5; f <= AGG_FIGURE_L95; f++)
            want(all, AGG_1H, (enum agg_figure)f);
    }
    want(all, AGG_DAY, AGG_FIGURE_LD);
    want(all, AGG_DAY, AGG_FIGURE_LN);
    want(all, AGG_DAY, AGG_FIGURE_LDN);
}

static bool is_a_weighted(const struct quantity *q)
{
    return strcmp(q->id, "sound_level") == 0 || strcmp(q->id, "laeq") == 0;
}

size_t agg_default_wants(const struct quantity *q, int64_t interval_ms,
                         struct agg_want ret[AGG_WANTS_MAX])
{
    struct wants all = { ret, 0 };

    want(&all, AGG_1MIN, AGG_VALUE);
    want(&all, AGG_1H, AGG_VALUE);
    for (size_t i = 0; i < RULES_N; i++)
        if (strcmp(rules[i].quantity, q->id) == 0)
            want(&all, rules[i].period, rules[i].figure);
    if (strcmp(q->id, "precip") == 0)
        want(&all, AGG_DAY, AGG_VALUE);
    if (q->agg == AGG_COUNTS)
        want(&all, AGG_1H, AGG_FIGURE_U);
    if (is_a_weighted(q))
        want_sound(&all, interval_ms);
    return agg_complete_wants(q, interval_ms, ret, all.n);
}

/* Levels and rates of a day weigh the samples of their hours: how many is kept. */
size_t agg_complete_wants(const struct quantity *q, int64_t interval_ms,
                          struct agg_want wants[AGG_WANTS_MAX], size_t n)
{
    struct wants all = { wants, n };

    for (size_t i = 0; i < n; i++) {
        if (!agg_want_is_of_hours(q, wants[i], interval_ms))
            continue;
        want(&all, AGG_1H, AGG_VALUE);
        if (q->agg == AGG_ENERGY || q->agg == AGG_COUNTS)
            want(&all, AGG_1H, AGG_FIGURE_N);
        if (wants[i].figure == AGG_FIGURE_MAX8H)
            want(&all, AGG_8H, AGG_VALUE);
        if (wants[i].figure == AGG_FIGURE_MIN || wants[i].figure == AGG_FIGURE_MAX)
            want(&all, AGG_1H, wants[i].figure);
    }
    return all.n;
}

/* ---- accumulations ---- */

/* A total of totals is their sum; the mean of minutes or hours is formed as that of samples. */
static enum aggregate how_of(const struct quantity *q, struct agg_want w, bool is_of_hours)
{
    if (w.figure == AGG_FIGURE_MAX8H)
        return AGG_MAX;
    return is_of_hours && q->agg == AGG_DIFF ? AGG_SUM : q->agg;
}

struct agg_config agg_config_for(const struct quantity *q, struct agg_want w,
                                 int64_t interval_ms, int64_t zone_ms,
                                 const struct agg_settings *s)
{
    const bool is_of_hours = agg_want_is_of_hours(q, w, interval_ms);
    const bool is_weighed = q->agg == AGG_ENERGY || q->agg == AGG_COUNTS;
    const struct rule *rule = rule_of(q, w);
    struct agg_config c = {
        .how = how_of(q, w, is_of_hours),
        .period_ms = agg_periods[w.period].ms,
        .interval_ms = is_of_hours && !is_weighed ? HOUR_MS : interval_ms,
        .zone_ms = zone_ms,
        .valid_share = 0.75,
        .wrap = s->wrap,
        .dead_s = s->dead_s,
        .decimals = agg_decimals(q, w),
    };

    if (w.figure == AGG_FIGURE_LD || w.figure == AGG_FIGURE_LN || w.figure == AGG_FIGURE_LDN)
        c.expected = (uint32_t)(HOUR_MS / interval_ms * (24 - levels_night_hours(s->night)));
    if (rule && is_of_hours) {
        c.need = rule->need;
        c.expected = rule->expected;
        c.enough = rule->enough;
    }
    return c;
}

int agg_decimals(const struct quantity *q, struct agg_want w)
{
    return w.figure == AGG_FIGURE_N ? 0 : q->decimals + (w.period == AGG_1MIN ? 1 : 2);
}

const char *agg_unit(const struct quantity *q, enum agg_figure f)
{
    return f == AGG_FIGURE_N ? "1" : q->unit;
}
