/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - which statistics a channel has: their names, what each is formed of, what its standard
 * asks for, and the default by quantity. Pure.
 *
 * A statistic is a period and a figure of it: "1h", "1h.max", "day.ld". Periods up to the hour
 * are formed of samples, 8 h and day of hours (GB 3095-2026 3.8; the day mean is the mean of
 * hourly means, not of minutes), by a channel that has fewer than one value an hour of values.
 * Percentiles and directions are always formed of samples: of shorter ones they are not to be
 * had.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/agg/agg.h"
#include "rules/agg/levels.h"

enum agg_period { AGG_1MIN, AGG_10MIN, AGG_1H, AGG_8H, AGG_DAY, AGG_PERIODS };

struct agg_period_info {
    const char *id;
    int64_t ms;
    int64_t step_ms; /* from one to the next: 8 h slide by the hour */
    bool is_of_hours;
};
extern const struct agg_period_info agg_periods[AGG_PERIODS];

enum agg_figure {
    AGG_VALUE,      /* the mean, level, total ... by the quantity */
    AGG_FIGURE_MIN, /* of what the period is formed of */
    AGG_FIGURE_MAX, /* levels: Lmax of the samples */
    AGG_FIGURE_N,   /* usable samples */
    AGG_FIGURE_L5,
    AGG_FIGURE_L10,
    AGG_FIGURE_L50,
    AGG_FIGURE_L90,
    AGG_FIGURE_L95,
    AGG_FIGURE_SIGMA,        /* standard deviation of a direction, degrees */
    AGG_FIGURE_VECTOR,       /* direction of the mean vector; of a speed: its length */
    AGG_FIGURE_VECTOR_SPEED, /* its length, as the direction's accumulation gives it */
    AGG_FIGURE_U,            /* uncertainty of a count rate, k = 1 */
    AGG_FIGURE_LD,
    AGG_FIGURE_LN,
    AGG_FIGURE_LDN,
    AGG_FIGURE_MAX8H, /* the day's largest running 8 h mean */
    AGG_FIGURES
};

/* Figures that one accumulation gives together. */
enum agg_kind {
    AGG_KIND_PLAIN,
    AGG_KIND_LEVELS,         /* with percentiles */
    AGG_KIND_WIND,           /* direction with the speed beside it */
    AGG_KIND_RUNNING,        /* 8 h, of hours */
    AGG_KIND_RUNNING_LEVELS, /* 8 h with percentiles, of samples */
    AGG_KIND_RUNNING_WIND,   /* 8 h of a direction, of samples */
    AGG_KIND_DAYNIGHT,
    AGG_KIND_MAX8H,
    AGG_KINDS
};

struct agg_want {
    enum agg_period period;
    enum agg_figure figure;
};

/* "1h.l90". 0 or -EINVAL with a sentence in `why`. */
int agg_want_parse(const char *text, struct agg_want *ret, char *why, size_t size);
bool agg_want_is_ok(const char *text, char *why, size_t size);
/* Whether the quantity has that figure; a sentence when not. */
bool agg_want_fits(const struct quantity *q, struct agg_want w, char *why, size_t size);

enum { AGG_NAME_MAX = 16, AGG_WANTS_MAX = 32 };
/* "1h.l90" into `buf`; returns it. */
const char *agg_want_name(struct agg_want w, char buf[AGG_NAME_MAX]);
const char *agg_figure_id(enum agg_figure f);

/*
 * The statistics of a quantity that nobody chose; returns how many. Every channel has 1 min and
 * 1 h; beyond these only what the standard of the quantity judges by.
 */
size_t agg_default_wants(const struct quantity *q, int64_t interval_ms,
                         struct agg_want ret[AGG_WANTS_MAX]);

/* Adds what the wanted ones are formed of; no two are the same afterwards. Returns how many. */
size_t agg_complete_wants(const struct quantity *q, int64_t interval_ms,
                          struct agg_want wants[AGG_WANTS_MAX], size_t n);

/* What a channel's configuration may say. */
struct agg_settings {
    double dead_s, wrap;
    struct levels_night night;
};
#define AGG_NIGHT ((struct levels_night){ 22, 6 }) /* GB 3096-2008 */

/* How the accumulation of that figure works. */
struct agg_config agg_config_for(const struct quantity *q, struct agg_want w,
                                 int64_t interval_ms, int64_t zone_ms,
                                 const struct agg_settings *s);

/* Whether a period is formed of the hours of a channel with that interval; directions are
 * never: the mean of mean directions is none. */
bool agg_is_of_hours(const struct quantity *q, enum agg_period p, int64_t interval_ms);

/* The same of one figure: percentiles are never. */
bool agg_want_is_of_hours(const struct quantity *q, struct agg_want w, int64_t interval_ms);
bool agg_figure_is_percentile(enum agg_figure f);

/* Decimals of a figure: two beyond the published ones (one at 1 min), so that rounding for the
 * publication is not the second one. */
int agg_decimals(const struct quantity *q, struct agg_want w);

/* UCUM unit of a figure. */
const char *agg_unit(const struct quantity *q, enum agg_figure f);
