/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - the checks of one channel as the configuration has them, and the setup made of
 * them: what is given over what is usual for the quantity.
 */
#pragma once

#include "rules/calibration/calibration.h"
#include "sensors/core/field.h"
#include "sensors/core/unit.h"

struct calibration_step_conf {
    int kind;                      /* enum calibration_kind */
    double value;                  /* NaN: 0 at zero */
    int64_t settle_ms, measure_ms; /* -1: those of the channel */
    const char *command; /* of the profile, to turn the value on; NULL: it comes by itself */
};

struct calibration_limits_conf {
    double zero_warn, zero, warn, fail; /* in the unit; NaN: the quantity's */
    double warn_pct, fail_pct;
};

struct calibration_conf {
    int64_t every_ms; /* -1: the quantity's; 0: never due */
    const char *unit; /* of values, limits and full; NULL: canonical */
    const char *at;   /* "01:30" local time; NULL: the station begins none by itself */
    int64_t settle_ms, measure_ms;
    struct field_array steps; /* struct calibration_step_conf */
    const char *end;          /* command of the profile when all is over */
    double full;              /* drift is told as a share of it; NaN: the span's value */
    struct calibration_limits_conf limits;
    int correct; /* enum calibration_policy */
    int revise;  /* enum calibration_revise */
    int scope;   /* enum calibration_scope */
    bool is_recognised;
    const char *certificate;
};

enum calibration_scope {
    CALIBRATION_SCOPE_DEVICE, /* nothing that the device reads meanwhile is environment */
    CALIBRATION_SCOPE_CHANNEL,
};

/* What a failed check does to the readings since the last passed one. */
enum calibration_revise {
    CALIBRATION_REVISE_OFF,   /* an event names them */
    CALIBRATION_REVISE_FLAG,  /* they are written again, as doubtful */
    CALIBRATION_REVISE_DRIFT, /* and corrected by what zero and factor were at their time */
};

extern const struct field calibration_fields[];

/* Texts live as long as the configuration. */
struct calibration_setup {
    struct calibration_limits limits;
    struct calibration_plan plan;               /* the whole sequence; may have no steps */
    const char *command[CALIBRATION_STEPS_MAX]; /* of each step, NULL: none */
    const char *end, *certificate;
    int64_t every_ms, at_ms; /* 0: never due; -1: not begun by the station */
    int64_t settle_ms, measure_ms;
    double full;                 /* NaN: unknown */
    struct unit_conversion unit; /* of values as people write them */
    enum calibration_policy correct;
    enum calibration_revise revise;
    enum calibration_scope scope;
    bool is_recognised;
    bool is_unit_wrong;
    bool is_known; /* limits or steps are known: an instrument's own checks are recorded too */
};

struct calibration_setup calibration_setup_of(const struct calibration_conf *c,
                                              const struct quantity *q);
/* How values in that unit (NULL: canonical) become canonical. 0 or -EDOM: it does not fit. */
int calibration_unit(const char *unit, const struct quantity *q, struct unit_conversion *ret);
/* NULL, or what is wrong as a sentence. */
const char *calibration_setup_error(const struct calibration_setup *s);

/* "01:30" -> milliseconds. 0 or -EINVAL. */
int calibration_hour_parse(const char *text, int64_t *ret_ms);
