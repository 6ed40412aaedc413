/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibration - what a check of an instrument against known values says: the course of a
 * sequence, its figures, its verdict, when the next one is due. Formulas of
 * facts/quality-control section 6.
 *
 * Pure: no clock, no allocation. Values are in the canonical unit of the quantity, times in UTC
 * milliseconds that the caller gives.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/qc/checks.h"
#include "sensors/core/quantity.h"

enum calibration_kind {
    CALIBRATION_ZERO,  /* zero gas, blank, dark: what must read (nearly) nothing */
    CALIBRATION_SPAN,  /* the one known value that the factor is made of */
    CALIBRATION_POINT, /* a further known value: buffer, check source, multipoint */
    CALIBRATION_KIND_COUNT_
};

/* ---- limits.c: control limits and intervals ---- */

/* How far a reading may be from the reference; NaN: not judged. */
struct calibration_limits {
    double zero_warn, zero_fail;   /* at zero, in the unit */
    double warn, fail;             /* elsewhere, in the unit */
    double share_warn, share_fail; /* or as a share of the reference; the larger one counts */
};

/* Of a quantity, with its source in limits.c. False: nothing is known of this quantity. */
bool calibration_default(const struct quantity *q, struct calibration_limits *ret,
                         int64_t *ret_every_ms);
/* Returns NULL, or what is wrong as a sentence. */
const char *calibration_limits_error(const struct calibration_limits *l);

/* ---- judge.c: figures and verdict ---- */

enum calibration_verdict {
    CALIBRATION_PASS,
    CALIBRATION_WARN,       /* passed, but near the limit, or corrected beyond it: adjust */
    CALIBRATION_FAIL,       /* what was measured since the last passed check is doubtful */
    CALIBRATION_UNSTABLE,   /* the reading moved more than the limit: no check */
    CALIBRATION_NO_DATA,    /* too few readings: no check */
    CALIBRATION_NOT_JUDGED, /* no limits or no reference: only recorded */
    CALIBRATION_VERDICT_COUNT_
};

/* x' = (x - zero) * factor; {0, 1} changes nothing. */
struct calibration_correction {
    double zero, factor;
};

enum calibration_policy {
    CALIBRATION_OFF,
    CALIBRATION_CORRECT_ZERO,
    CALIBRATION_CORRECT_ZERO_SPAN,
};

/* What one step of a sequence read. */
struct calibration_reading {
    enum calibration_kind kind;
    double reference; /* NaN: not known */
    unsigned n;
    double mean, sd; /* as reported, the correction in force applied; divisor n - 1 */
    int64_t start_ms, settled_ms, end_ms;
};

struct calibration_result {
    struct calibration_reading reading;
    double zero;       /* the reading at zero that the error is counted from; 0: not measured */
    double deviation;  /* mean - reference */
    double error;      /* zero: the deviation; span, point: (mean - zero - reference) */
    double factor;     /* span: reference / (mean - zero); NaN otherwise */
    double warn, fail; /* limits of the error in the unit; NaN: none */
    enum calibration_verdict verdict;
};

/*
 * `zero`: the deviation at zero of the same sequence, 0 when it was not measured.
 * `in_force`: the correction that the readings had; an instrument that is within its limits
 * only by it gets a warning. `least`: readings that a check needs.
 */
struct calibration_result calibration_judge(const struct calibration_limits *l,
                                            const struct calibration_reading *r, double zero,
                                            const struct calibration_correction *in_force,
                                            unsigned least);

/* It counts as a passed check: nothing before it is doubtful any more. */
bool calibration_is_passed(enum calibration_verdict v);

/*
 * The correction to come after a result, from step to step of a sequence; `next` is that of the
 * steps before, at first the one in force. A check that was not passed leaves it as it is: an
 * instrument beyond its limits needs a person. So does one that would have to be stretched by
 * more than CALIBRATION_FACTOR_MAX.
 */
struct calibration_correction calibration_correct(enum calibration_policy policy,
                                                  const struct calibration_correction *in_force,
                                                  struct calibration_correction next,
                                                  const struct calibration_result *r);
#define CALIBRATION_FACTOR_MAX 2.0

/* ---- drift.c: what was read between two checks, after the second one ---- */

/* A figure at two checks; what lies between them is taken to have moved evenly. */
struct calibration_course {
    int64_t from_ms, to_ms;
    double from, to; /* NaN: one of the two is not known */
};

struct calibration_drift {
    struct calibration_course zero, factor; /* figures of x' = (x - zero) * factor */
};

/* Whether both checks of a kind are known, and no factor is beyond CALIBRATION_FACTOR_MAX. */
bool calibration_drift_is_known(const struct calibration_drift *d);
/* The zero and factor of that time; of a kind that is not known 0, or 1. Before the first and
 * behind the second check it is that check's. */
struct calibration_correction calibration_drift_at(const struct calibration_drift *d,
                                                   int64_t time_ms);

/* ---- run.c: the course of a sequence ---- */

enum { CALIBRATION_STEPS_MAX = 8 };

#define CALIBRATION_OPEN INT64_MAX /* of measure_ms: until calibration_run_close() */

struct calibration_step {
    enum calibration_kind kind;
    double reference;
    int64_t settle_ms; /* until the reading counts */
    int64_t measure_ms;
};

struct calibration_plan {
    struct calibration_step step[CALIBRATION_STEPS_MAX];
    unsigned n;
    int64_t return_ms; /* to settle behind the last step */
};

enum calibration_phase {
    CALIBRATION_IDLE,
    CALIBRATION_WAITING, /* for the gas, by calibration_run_flow() */
    CALIBRATION_SETTLING,
    CALIBRATION_MEASURING,
    CALIBRATION_RETURNING,
};

struct calibration_run {
    struct calibration_plan plan;
    enum calibration_phase phase;
    unsigned step;
    int64_t since_ms; /* of the phase */
    int64_t step_ms, settled_ms;
    unsigned n; /* readings of the step, their mean and sum of squares (Welford) */
    double mean, squares;
};

enum calibration_news {
    CALIBRATION_NOTHING,
    CALIBRATION_STEP_BEGINS, /* turn the gas on, then calibration_run_flow() */
    CALIBRATION_STEP_ENDS,   /* *ret_reading is told */
    CALIBRATION_RETURNS,     /* the last step is over: turn the gas off */
    CALIBRATION_ENDS,
};

/* The first news is CALIBRATION_STEP_BEGINS, from calibration_run_tick(). */
void calibration_run_start(struct calibration_run *r, const struct calibration_plan *p,
                           int64_t now_ms);
/* The value that the step is about is on from now. */
void calibration_run_flow(struct calibration_run *r, int64_t now_ms);
/* One piece of news a call, in their order; call again until there is nothing. */
enum calibration_news calibration_run_tick(struct calibration_run *r, int64_t now_ms,
                                           struct calibration_reading *ret_reading);
/* A usable reading; counts while measuring. */
void calibration_run_sample(struct calibration_run *r, double x);
/* The step that is under way ends now, with what it has. */
void calibration_run_close(struct calibration_run *r);
/* Nothing more is measured: settles, then ends. */
void calibration_run_abort(struct calibration_run *r, int64_t now_ms);
/* The clock moved by so much. */
void calibration_run_shift(struct calibration_run *r, int64_t by_ms);
/* What readings of the channel are part of. */
enum qc_service calibration_run_service(const struct calibration_run *r);

/* ---- due.c: when ---- */

struct calibration_schedule {
    int64_t every_ms; /* 0: never */
    int64_t at_ms;    /* local time of day; -1: not by the station */
    int64_t zone_ms;
};

/* The number of the latest slot up to now; it only grows with time. */
int64_t calibration_slot(const struct calibration_schedule *s, int64_t now_ms);
int64_t calibration_slot_ms(const struct calibration_schedule *s, int64_t slot); /* its time */
/* More than `every` and a tenth of it (at most a day) after the last passed check. */
bool calibration_is_overdue(int64_t every_ms, int64_t passed_ms, int64_t now_ms);

/* ---- names ---- */

/* "zero", "span", "point"; "pass", "warn", "fail", "unstable", "no_data", "not_judged". */
const char *calibration_kind_id(enum calibration_kind k);
const char *calibration_kind_name(enum calibration_kind k, const char *lang);
const char *calibration_verdict_id(enum calibration_verdict v);
const char *calibration_verdict_name(enum calibration_verdict v, const char *lang);
int calibration_kind_find(const char *id, enum calibration_kind *ret); /* 0 or -ENOENT */
