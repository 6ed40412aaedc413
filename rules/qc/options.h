/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - the checks of one channel as the configuration has them, where its defaults do not
 * fit: groups of the channel, each with a field table (sensors/core/field.h).
 */
#pragma once

#include "rules/qc/qc.h"
#include "sensors/core/field.h"

/* NaN, and -1 for times: not given, the default of the quantity stays. 0 turns a test off. */
struct qc_spike_conf {
    int method; /* enum qc_spike_method */
    double suspect, fail;
};

struct qc_rate_conf {
    int64_t per_ms; /* a step of so much within that time */
    double suspect, fail;
    double deviations; /* of the time `over`; 0: not tested by them */
    int64_t over_ms;
};

struct qc_flat_conf {
    int64_t suspect_ms, fail_ms; /* so long within the tolerance; 0: never */
    double tolerance;
};

struct qc_attenuated_conf {
    int statistic; /* enum qc_attenuated_kind */
    int64_t over_ms;
    double suspect, fail;
    int64_t least; /* values in that time */
};

struct qc_options {
    struct qc_spike_conf spike;
    struct qc_rate_conf rate;
    struct qc_flat_conf flat;
    struct qc_attenuated_conf attenuated;
    int64_t settle_ms, warmup_ms;
};

extern const struct field qc_spike_fields[], qc_rate_fields[], qc_flat_fields[],
    qc_attenuated_fields[];

/* What is given replaces the default in `c`; c->interval_ms must be set. Check the result with
 * qc_config_error(). */
void qc_configure(const struct qc_options *o, struct qc_config *c);
