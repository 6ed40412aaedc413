/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern - a calibration that nobody announced, seen in the readings: they jump to zero and
 * stay there, then to a known standard; or to zero alone, at the hour when checks use to be.
 *
 * A suggestion for a notice, nothing more: clean air after rain reads zero too. Pure, one state
 * per channel, zero at the start.
 */
#pragma once

#include "rules/calibration/calibration.h"

enum { CALIBRATION_STANDARDS_MAX = 7 };

struct calibration_pattern {
    double zero, zero_tolerance;                /* NaN: no zero is known */
    double standard[CALIBRATION_STANDARDS_MAX]; /* each within CALIBRATION_STANDARD_SHARE */
    unsigned standards_n;
    unsigned samples; /* in a row that are a plateau, at least 3 */
    int64_t usual_ms; /* UTC of any earlier check: its time of day is usual; 0: none */
};

/* facts/alerting: "a known standard within 1.2 %". */
#define CALIBRATION_STANDARD_SHARE 0.012

struct calibration_pattern_state {
    double before;                /* the last reading that was neither zero nor standard */
    unsigned at;                  /* the level that is read: 0 none, 1 zero, 2.. standards */
    unsigned n;                   /* readings in a row there */
    int64_t since_ms;             /* of the first of them */
    int64_t zero_ms, zero_end_ms; /* the last zero plateau; 0: none */
    bool has_before, was_jump, is_told;
};

enum calibration_hint {
    CALIBRATION_NO_HINT,
    CALIBRATION_LIKE_ZERO,     /* zero at the usual hour */
    CALIBRATION_LIKE_SEQUENCE, /* zero, then a standard */
};

/* *ret_since_ms: when the zero began. Told once a plateau. */
enum calibration_hint calibration_pattern_step(const struct calibration_pattern *c,
                                               struct calibration_pattern_state *st,
                                               int64_t time_ms, double x,
                                               int64_t *ret_since_ms);
