/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_kind - what the standards of `sluice index` have in common: a table is read row by row,
 * each column is bound to something the standard judges, each row gives a line of output.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/index_json.h"
#include "rules/index/dose.h"
#include "rules/index/gb3095.h"
#include "rules/index/gb3096.h"
#include "rules/index/gb3838.h"
#include "rules/index/index.h"
#include "sensors/core/quantity.h"
#include "sensors/core/sample.h"
#include "sensors/core/unit.h"

enum {
    INDEX_COLUMNS_MAX = 64, /* of a table; more than any standard has items */
    INDEX_NAME_MAX = 96     /* of a column */
};

enum index_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct index_options {
    const char *standard, *report, *format, *columns, *unplanned, *clean, *zone, *as_of,
        *zoning, *night;
    int64_t grade;
    double background, deviation;
    bool is_lake, is_negative_zero, is_annual, is_list, is_quiet;
};

struct index_heading { /* "o3_8h (ppb)" */
    char name[INDEX_NAME_MAX], base[INDEX_NAME_MAX];
    char mean[16]; /* "8h"; "" when none is named */
    const struct quantity *quantity;
    const struct unit *unit; /* NULL: the canonical one */
};

struct index_row {
    int64_t time_ms, local_ms;
    const char *time; /* as written */
    int time_n;
    const struct sample *cells; /* value and verdict */
};

struct index_air_column {
    enum index_pollutant pollutant;
    enum index_mean mean;
    struct exact_ratio by;
    bool is_used, is_hourly; /* hourly: into the NowCast */
};

struct index_air {
    const struct index_scheme *scheme;
    enum index_report report;
    struct index_inputs inputs;
    struct index_air_column columns[INDEX_COLUMNS_MAX];
    struct nowcast casts[2]; /* PM10, PM2.5 */
};

struct index_limits_column {
    const struct gb3095_limit *limit; /* NULL: not used */
    struct exact_ratio by;
    struct gb3095_day days[GB3095_DAYS_MAX]; /* of the year under way */
    unsigned days_n;
};

struct index_limits {
    struct index_limits_column columns[INDEX_COLUMNS_MAX];
    bool has_as_of;
    struct gb3095_date as_of;
    int year;    /* under way; 0 before the first row */
    int64_t day; /* number of the last row's local day */
};

struct index_water {
    struct {
        const struct gb3838_item *item; /* NULL: not used */
        struct exact_ratio by;
    } columns[INDEX_COLUMNS_MAX];
    int saturation; /* column of the oxygen saturation; -1 */
};

enum index_noise_column { NOISE_UNUSED, NOISE_BY_TIME, NOISE_DAY, NOISE_NIGHT, NOISE_MAX };

struct index_noise {
    const struct gb3096_zone *zone;
    int night_begin, night_end;
    enum index_noise_column columns[INDEX_COLUMNS_MAX];
};

struct index_dose {
    struct dose_config config;
    struct dose_background background;
    bool is_learning;
    int rate, rain; /* columns; -1 */
    double factor;  /* of the rate's unit to the canonical one */
};

struct index_job {
    const struct index_options *o;
    const struct index_kind *kind;
    enum index_format format;
    bool is_zh;
    int64_t zone_ms;
    const char *file;
    uint64_t line;
    unsigned columns_n;
    struct index_heading columns[INDEX_COLUMNS_MAX];
    struct buf out;
    union {
        struct index_air air;
        struct index_limits limits;
        struct index_water water;
        struct index_noise noise;
        struct index_dose dose;
    } u;
};

enum index_bound { BOUND_NOT, BOUND, BOUND_WRONG }; /* wrong: told */

struct index_kind {
    int (*begin)(struct index_job *j); /* 0, or -EINVAL: told */
    enum index_bound (*bind)(struct index_job *j, unsigned column);
    void (*head)(struct index_job *j); /* of CSV; NULL: the standard has no such table */
    int (*row)(struct index_job *j, const struct index_row *r); /* as begin */
    void (*end)(struct index_job *j);                           /* NULL: nothing at the end */
};

extern const struct index_kind index_kind_air, index_kind_limits, index_kind_water,
    index_kind_noise, index_kind_dose;

/* "file:line: sentence." on standard error; -EINVAL. */
int index_complain(const struct index_job *j, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What both formats begin a row with: the time, or {"time":..,"standard":"...". */
void index_row_begin(struct index_job *j, const struct index_row *r, const char *standard);
void index_put_decimal(struct buf *b, struct decimal d);
bool index_is_usable(const struct sample *s);
struct gb3095_date index_date_of(int64_t local_ms);

/* The exact ratio from the heading's unit to `unit`; tells when they do not convert. */
int index_ratio(const struct index_job *j, unsigned column, const char *unit, int molar_ml,
                struct exact_ratio *ret);
