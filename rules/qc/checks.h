/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks - the tests of a series, one file each; definitions of facts/quality-control
 * section 3, which are those of the QARTOD manuals as ioos_qc computes them.
 *
 * Pure: a test is its options, a state that is zero at the start, and a step. A value is NaN
 * or infinite when it is missing; comparisons with a threshold are strict, a threshold of NaN
 * is never passed. Tests of options return NULL, or what is wrong with them as a sentence.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/qc/flag.h"
#include "rules/qc/window.h"

/* ---- range.c: gross range, valid range ---- */

struct qc_range {
    struct qc_span fail;    /* what instrument and quantity can be */
    struct qc_span suspect; /* what is usual; lies within `fail` */
};

const char *qc_range_error(const struct qc_range *c);
enum qc_flag qc_range_check(const struct qc_range *c, double x);

struct qc_valid {
    double min, max;
    bool is_min_out, is_max_in; /* the bounds themselves; usual: the lower in, the upper out */
};

enum qc_flag qc_valid_check(const struct qc_valid *c, double x);

/* ---- time.c: impossible date, gap, reception ---- */

struct qc_time {
    int64_t from_ms, to_ms; /* the span that can be; 0: open on that side */
    int64_t ahead_ms;       /* a sample may be so much later than now: clocks differ */
};

/* now_ms may be QC_NO_TIME: then only the span counts. */
enum qc_flag qc_time_check(const struct qc_time *c, int64_t time_ms, int64_t now_ms);

/* Fails the later one of two samples further apart than limit_ms. The first sample has the
 * flag of the second: it comes from qc_pause_first() once there is one. */
enum qc_flag qc_pause_check(int64_t limit_ms, int64_t before_ms, int64_t time_ms);
enum qc_flag qc_pause_first(int64_t first_ms, int64_t second_ms, enum qc_flag second);

/* Older than limit_ms at now_ms. */
enum qc_flag qc_reception_check(int64_t limit_ms, int64_t time_ms, int64_t now_ms);

/* ---- sentinel.c ---- */

enum { QC_SENTINELS_MAX = 4 };

struct qc_sentinels { /* values that mean "no value"; NaN and infinities always do */
    double value[QC_SENTINELS_MAX];
    unsigned n;
};

bool qc_is_sentinel(const struct qc_sentinels *c, double x);

/* ---- hold.c: samples behind a gap or a power-on ---- */

struct qc_hold {
    unsigned gap_intervals; /* a longer pause is a gap; 0: never */
    unsigned gap_samples;   /* behind a gap not evaluated */
    int64_t warmup_ms;      /* after the instrument got power: bad; 0: none */
};

struct qc_hold_state {
    int64_t last_ms;  /* 0: no sample yet */
    int64_t power_ms; /* when the instrument got power; 0: unknown */
    uint32_t left;    /* samples still to be held */
    bool had_power_loss;
};

/* Takes a sample with a value: QC_GOOD, QC_NOT_EVALUATED (held), QC_FAIL (warming up).
 * *ret_gap: it is the first one behind a gap. */
enum qc_flag qc_hold_step(const struct qc_hold *c, int64_t interval_ms,
                          struct qc_hold_state *st, int64_t time_ms, bool *ret_gap);

/* ---- service.c: calibration and maintenance ---- */

enum qc_service { /* what is done to the instrument */
                  QC_MEASURING,
                  QC_ZERO,
                  QC_SPAN,
                  QC_CALIBRATION,
                  QC_SETTLING,
                  QC_MAINTENANCE,
};

enum { QC_STANDARDS_MAX = 4 };

struct qc_service_options {
    int64_t settle_ms; /* after a calibration or maintenance: still bad */
    int64_t most_ms;   /* a longer calibration is overdue to end; 0: unlimited */
    /* Recognised from the pattern: the standards in their order, each within the tolerance for
     * so many samples. None: not looked for. */
    double standard[QC_STANDARDS_MAX];
    double tolerance;
    unsigned standards_n, standard_samples;
};

struct qc_service_state {
    int64_t since_ms;     /* of the service under way; 0: measuring */
    int64_t settle_to_ms; /* 0: settled */
    uint8_t service;      /* enum qc_service of the last sample */
    uint8_t matched;      /* standards of the pattern that were met */
    uint32_t at_standard; /* samples in a row at the one that is looked for */
    uint32_t away;        /* samples in a row between standards */
    bool is_overlong;     /* told once: a notice is due */
};

const char *qc_service_error(const struct qc_service_options *c);
/* What the sample is part of; `told` is what instrument, operator or schedule say. */
enum qc_service qc_service_step(const struct qc_service_options *c, struct qc_service_state *st,
                                int64_t time_ms, double x, enum qc_service told);

/* ---- stuck.c: exactly equal values as read ---- */

struct qc_stuck {
    unsigned n;            /* equal raw values in a row that are stuck; 0: never */
    struct qc_span exempt; /* values that may repeat (no rain, calm); NaN: none */
};

struct qc_stuck_state {
    int64_t raw_v;
    int8_t raw_e;
    uint32_t equal; /* in a row; 0: none yet */
};

const char *qc_stuck_error(const struct qc_stuck *c);
enum qc_flag qc_stuck_step(const struct qc_stuck *c, struct qc_stuck_state *st, int64_t raw_v,
                           int8_t raw_e, double x);

/* ---- spike.c: its verdict is known one sample later ---- */

enum qc_spike_method {
    QC_SPIKE_DIFFERENTIAL, /* the smaller one of two opposite steps */
    QC_SPIKE_AVERAGE       /* distance from the middle of both neighbours */
};

struct qc_spike {
    enum qc_spike_method method;
    double suspect, fail; /* 0 or NaN: not applied */
};

struct qc_spike_state {
    double before, last; /* before: of the one before the last */
    uint8_t n;           /* samples seen, up to 2 */
};

const char *qc_spike_error(const struct qc_spike *c);
/* Takes a sample and gives the final flag of the one before; QC_NONE for the very first. */
enum qc_flag qc_spike_step(const struct qc_spike *c, struct qc_spike_state *st, double x);
/* The flag of the last sample when no other follows. */
enum qc_flag qc_spike_end(const struct qc_spike_state *st);

/* ---- rate.c ---- */

struct qc_rate {
    double suspect, fail; /* units a second */
    double share;         /* suspect only beyond this share of the value; 0: any */
    /* Time is counted in whole ticks, one at least: with the tick at which a limit was given,
     * it is a limit of the step for who polls faster. 1000 is what ioos_qc does. */
    int64_t tick_ms;
    /* Suspect, too, when a step is more than so many standard deviations of the samples of
     * dev_ms before it (exponentially weighted), and more than dev_least. 0: not tested. */
    double n_dev, dev_least;
    int64_t dev_ms;
};

struct qc_rate_state {
    double last;
    int64_t last_ms;
    double mean, variance;
    int64_t since_ms; /* of the first sample in mean and variance; 0: none */
    bool has_last;
};

const char *qc_rate_error(const struct qc_rate *c);
enum qc_flag qc_rate_step(const struct qc_rate *c, struct qc_rate_state *st, int64_t time_ms,
                          double x);
/* Forgets the last sample: the next one is no step. */
void qc_rate_restart(struct qc_rate_state *st);

/* ---- flat.c ---- */

struct qc_flat {
    unsigned suspect, fail; /* intervals: the window is one sample more; QC_FLAT_OFF: never */
    double tolerance;       /* flagged when the window moves less; 0 never flags */
};

#define QC_FLAT_OFF UINT32_MAX

struct qc_flat_state {
    int64_t n; /* samples, missing ones too */
    struct qc_window suspect, fail;
};

/* Whole intervals of `interval_s` in `threshold_s`: what suspect and fail are made of. */
unsigned qc_flat_count(double threshold_s, double interval_s);
const char *qc_flat_error(const struct qc_flat *c);
enum qc_flag qc_flat_step(const struct qc_flat *c, struct qc_flat_state *st, double x);
void qc_flat_restart(struct qc_flat_state *st);

/* ---- attenuated.c ---- */

enum qc_attenuated_kind { QC_DEVIATION, QC_RANGE_OF_VALUES };

struct qc_attenuated {
    enum qc_attenuated_kind kind;
    double suspect, fail; /* a statistic below */
    int64_t period_ms;    /* the window (t - period, t]; 0: not tested on line */
    unsigned min_n;       /* values of the window, else not evaluated */
};

struct qc_attenuated_state {
    struct qc_window window;
    int64_t missing_ms; /* of the last missing value: it makes a range unknown */
    bool had_missing;
};

const char *qc_attenuated_error(const struct qc_attenuated *c);
enum qc_flag qc_attenuated_step(const struct qc_attenuated *c, struct qc_attenuated_state *st,
                                int64_t time_ms, double x);
void qc_attenuated_restart(struct qc_attenuated_state *st);
/* The flag that a statistic (NaN: unknown) stands for. */
enum qc_flag qc_attenuated_flag(const struct qc_attenuated *c, double statistic);

/* ---- relate.c: consistency between quantities of one device ---- */

enum qc_relation_kind {
    QC_AT_MOST,    /* x <= a, as PM2.5 <= PM10, dew point <= air temperature */
    QC_AT_LEAST,   /* x >= a, as L10 >= L90 */
    QC_SUM_OF,     /* x = factor a + b, as NOx = 46/30 NO + NO2 */
    QC_MOVES_WITH, /* suspect when x moves by more than `limit` and a by no more than `rest` */
};

struct qc_relation {
    enum qc_relation_kind kind;
    unsigned a, b; /* peers (qc.h) */
    double factor; /* SUM_OF */
    double limit;  /* by so much it may be missed; MOVES_WITH: of x */
    double share;  /* and by this share of the larger side */
    double rest;   /* MOVES_WITH: of a */
};

struct qc_moves_state {
    double x, a; /* of the sample before; NaN: none */
    bool has_last;
};

/* x, a, b: NaN when missing. */
enum qc_flag qc_relation_check(const struct qc_relation *c, double x, double a, double b);
enum qc_flag qc_moves_step(const struct qc_relation *c, struct qc_moves_state *st, double x,
                           double a);

/* ---- reference.c: another instrument or the weather disagrees ---- */

enum qc_reference_kind {
    QC_TWIN,        /* the mean of the peers is more than limit + share off */
    QC_NEIGHBOURS,  /* their median is */
    QC_WHILE_ABOVE, /* any of them is above the limit: rain, wind above 5 m/s at a microphone */
};

enum { QC_REFERENCE_PEERS_MAX = 8 };

struct qc_reference {
    enum qc_reference_kind kind;
    unsigned peer[QC_REFERENCE_PEERS_MAX], n;
    unsigned least; /* peers that must have a value; fewer: no veto */
    double limit, share;
};

const char *qc_reference_error(const struct qc_reference *c);
/* `value`: of c->peer[0..n), NaN where there is none: a dead twin vetoes nothing. */
enum qc_flag qc_reference_check(const struct qc_reference *c, double x, const double *value);

/* ---- climate.c: the usual range of season and hour ---- */

enum qc_calendar {
    QC_INSTANT, /* spans of milliseconds */
    QC_YEAR,
    QC_QUARTER,
    QC_MONTH,
    QC_WEEK,        /* ISO 8601 */
    QC_DAY_OF_YEAR, /* from 1 */
    QC_DAY,         /* of the month */
    QC_DAY_OF_WEEK, /* Monday 0 */
    QC_HOUR,
    QC_MINUTE,
    QC_SECOND,
    QC_CALENDAR_COUNT_
};

struct qc_season {
    enum qc_calendar calendar;
    struct qc_span time;  /* in its unit, UTC, both ends inside */
    struct qc_span usual; /* outside is suspect */
    struct qc_span fail;  /* outside fails */
    struct qc_span depth; /* metres down; QC_OPEN_SPAN: whatever the depth */
};

/* "month", "dayofyear" ...; 0 or -ENOENT. */
int qc_calendar_find(const char *name, enum qc_calendar *ret);
int qc_calendar_of(enum qc_calendar c, int64_t time_ms);
/* The last season that the sample lies in decides; depth is NaN when unknown. */
enum qc_flag qc_climate_check(const struct qc_season *seasons, size_t n, int64_t time_ms,
                              double x, double depth);
