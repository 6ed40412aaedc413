/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index - air quality indices: concentrations of one hour or one day to sub-indices, the index,
 * its level and the primary pollutants, or NA and why.
 *
 * Every scheme is a table (hj633.c, us_epa.c, eaqi.c); this is what reads them. Arithmetic is
 * on decimals, so a value at a breakpoint gives the index of that breakpoint. Pure: no clock,
 * no state. Store scheme and version with every index and never mix two in one series.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/index/exact.h"
#include "sensors/core/status.h"

enum index_pollutant {
    INDEX_SO2,
    INDEX_NO2,
    INDEX_CO,
    INDEX_O3,
    INDEX_PM10,
    INDEX_PM2_5,
    INDEX_POLLUTANTS
};

enum index_mean {
    INDEX_1H,
    INDEX_8H,  /* running in a report of the hour, the day's largest in one of the day */
    INDEX_24H, /* running, or of the day */
    INDEX_MEANS
};

enum index_report { INDEX_HOUR, INDEX_DAY, INDEX_REPORTS };

/* Why a sub-index or an index is not there. */
enum index_cause {
    INDEX_OK,
    INDEX_MISSING,    /* no value */
    INDEX_INVALID,    /* the value was judged bad: grade bad or missing, or a status */
    INDEX_NEGATIVE,   /* below zero after rounding */
    INDEX_UNLIKELY,   /* no concentration at all: infinite, or 10^9 and more */
    INDEX_BELOW,      /* the column begins higher (US ozone 1 h below 0.125 ppm) */
    INDEX_BEYOND,     /* the column ends; another mean of the pollutant counts there */
    INDEX_UNPLANNED,  /* not in the monitoring plan */
    INDEX_NO_COLUMN,  /* the scheme has no such mean of the pollutant */
    INDEX_INCOMPLETE, /* HJ 633-2026 5.3.1: one is missing and the others are not above 100 */
    INDEX_NOTHING,    /* no sub-index at all */
    INDEX_CAUSE_COUNT_
};

enum {
    INDEX_NONE = -1,
    INDEX_ROWS_MAX = 7,  /* of a table of breakpoints */
    INDEX_LINES_MAX = 9, /* of a report: HJ 633-2012 lists nine indicators for the hour */
    INDEX_MORE = INT32_MAX
};

struct index_column { /* one mean of one pollutant */
    enum index_pollutant pollutant;
    enum index_mean mean;
    const char *unit; /* UCUM */
    int8_t digits;    /* the concentration is rounded to so many decimals */
    int8_t scale;     /* decimals of lo and hi */
    uint8_t first, n; /* rows first..n-1 of the scheme have a segment here */
    int32_t lo[INDEX_ROWS_MAX], hi[INDEX_ROWS_MAX];
    int16_t beyond;   /* sub-index above the last row; INDEX_NONE: INDEX_BEYOND */
    bool is_extended; /* above the last row its slope goes on */
    bool is_by_24h;   /* above the last row the mean of 24 h stands in, when there is one */
    int16_t least;    /* above the last row a report counts at least this; 0: no such rule */
};

struct index_level {
    int16_t to;                      /* largest index of the level */
    const char *zh, *en;             /* 一级, level I */
    const char *class_zh, *class_en; /* 优, excellent */
    const char *colour_zh, *colour_en;
    uint8_t rgb[3];
};

struct index_line { /* what a report lists */
    enum index_pollutant pollutant;
    enum index_mean mean;
    bool is_optional; /* counts when it is there; no gap when it is not */
    bool is_bare;     /* a column of a table named by its pollutant alone means this one */
};

struct index_scheme {
    const char *id;                /* "hj633-2026" */
    const char *standard;          /* "HJ 633-2026": stored with every index */
    const char *clauses;           /* where the table and its rules are written */
    const char *name_zh, *name_en; /* of the index: 空气质量指数, air quality index */
    enum exact_mode mode;          /* how concentrations are rounded */
    bool is_raw;                   /* they are not rounded at all */
    bool is_up;                    /* sub-indices are rounded up; else to the nearest */
    bool is_withheld;              /* HJ 633-2026 5.3.1 */
    bool is_nowcast;               /* the hour's particles are NowCasts of twelve hours */
    int16_t primary_above;         /* pollutants are primary when the index is above this */
    int16_t exceeding_above;       /* HJ 633-2012 4.4; INDEX_NONE: no such thing */
    uint8_t need_24h;              /* hourly means that make one of 24 h */
    int molar_ml;                  /* state of its gases, MOLAR_ML_... */
    uint8_t rows;
    int16_t lo[INDEX_ROWS_MAX], hi[INDEX_ROWS_MAX]; /* sub-indices of the rows */
    const struct index_column *columns;
    uint8_t columns_n;
    const struct index_level *levels; /* rising, the last open */
    uint8_t levels_n;
    struct index_line lines[INDEX_REPORTS][INDEX_LINES_MAX];
    uint8_t lines_n[INDEX_REPORTS];
};

extern const struct index_scheme *const index_schemes[];
extern const size_t index_schemes_n;

/* By id ("hj633-2026") or standard ("HJ 633-2026"); NULL when unknown. */
const struct index_scheme *index_find(const char *name);
/* The scheme in force at a Chinese station on that local day: HJ 633-2026 from 2026-03-01. */
const struct index_scheme *index_of_china(int year, int month, int day);

/* Values of an index are valid ones: status valid, grade good, not evaluated or suspect. */
bool index_accepts(struct verdict v);

/* NULL when the scheme has no breakpoints for it. */
const struct index_column *index_column_find(const struct index_scheme *s,
                                             enum index_pollutant p, enum index_mean m);

struct index_sub {
    int sub; /* INDEX_NONE with a cause */
    enum index_cause cause;
    struct decimal rounded; /* the concentration that counts, in the column's unit */
};

/* One sub-index. `by` turns the value into the column's unit; {0}: it is in it. */
struct index_sub index_sub(const struct index_scheme *s, const struct index_column *c,
                           struct decimal value, struct exact_ratio by);

enum index_plan {
    INDEX_PLANNED,
    INDEX_UNPLANNED_CLEAN, /* and in three years never primary at light pollution or worse */
    INDEX_UNPLANNED_OTHER
};

struct index_input {
    struct decimal value;
    struct verdict verdict;
    struct exact_ratio by; /* into the unit of the scheme's column; {0}: in it */
};

struct index_inputs {
    struct index_input in[INDEX_POLLUTANTS][INDEX_MEANS];
    enum index_plan plan[INDEX_POLLUTANTS];
    /* Noise around zero of a good instrument (value below zero and valid) counts as zero. */
    bool is_negative_zero;
};

/* All missing, all planned. */
void index_inputs_clear(struct index_inputs *x);

struct index_part {
    uint8_t line; /* of the scheme's report */
    enum index_pollutant pollutant;
    enum index_mean mean; /* that counts: where a column ends another may stand in */
    int sub;
    enum index_cause cause;
    struct decimal rounded;
    struct verdict verdict; /* of the input: why it is invalid */
    /* Of the largest sub-index; to be named only together with an index. */
    bool is_primary;
    bool is_exceeding;
    bool is_gap; /* counts as missing for the index */
};

struct index_result {
    struct index_part parts[INDEX_LINES_MAX];
    uint8_t parts_n;
    int largest;                     /* of the sub-indices there are; INDEX_NONE */
    int index;                       /* what may be published; INDEX_NONE: NA */
    enum index_cause cause;          /* of NA */
    const struct index_level *level; /* NULL with NA */
};

void index_judge(const struct index_scheme *s, enum index_report report,
                 const struct index_inputs *x, struct index_result *ret);

const struct index_level *index_level_of(const struct index_scheme *s, int index);

/* "so2", "pm2_5"; SO2, PM2.5; the quantity's id. */
const char *index_pollutant_id(enum index_pollutant p);
const char *index_pollutant_label(enum index_pollutant p);
const char *index_pollutant_quantity(enum index_pollutant p);
/* "1h", "8h", "24h". */
const char *index_mean_id(enum index_mean m);
/* "missing" and the sentence for people. */
const char *index_cause_id(enum index_cause c);
const char *index_cause_text(enum index_cause c, const char *lang);
/* HJ 633-2026 table 2: whom to name when the pollutant's sub-index is above 100. */
const char *index_sensitive_groups(enum index_pollutant p, const char *lang);

/*
 * NowCast of particles (EPA-454/B-24-002): twelve hourly means, newest first, missing ones
 * without a value. Returns 0, or -ENODATA with fewer than two of the newest three.
 * *ret_raw: in full; *ret: truncated to `digits` decimals (1 PM2.5, 0 PM10), exactly.
 */
enum { NOWCAST_HOURS = 12 };
int index_nowcast(const struct decimal hours[NOWCAST_HOURS], int digits, double *ret_raw,
                  struct decimal *ret);

/* The hours of one pollutant for it; all zero at the start. Plain data. */
struct nowcast {
    struct decimal hours[NOWCAST_HOURS]; /* newest first */
    int64_t newest;                      /* its number: hours since 1970 */
    bool has_begun;
};

/* Put an hour in: hours that never came are missing, a late one takes its place, one older
 * than twelve is left out. */
void nowcast_put(struct nowcast *n, int64_t hour, struct decimal value);
