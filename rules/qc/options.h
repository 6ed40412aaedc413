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

struct qc_hold_conf {
    int64_t gap, samples;
};

/* Peers are channels: "DEVICE/POINT", or "POINT" of the same device. */
struct qc_relation_conf {
    int kind; /* enum qc_relation_kind */
    const char *of, *plus;
    double factor, limit, share, rest;
};

struct qc_reference_conf {
    int kind;              /* enum qc_reference_kind */
    struct field_array of; /* const char * */
    int64_t least;
    double limit, share;
};

enum qc_consistency {
    QC_CONSISTENCY_DEFAULT, /* as the station says, else usual */
    QC_CONSISTENCY_USUAL,
    QC_CONSISTENCY_OFF,
};

struct qc_options {
    int consistency;            /* enum: whether qc_default_relations() count */
    struct field_array missing; /* const char *: numbers */
    struct qc_hold_conf hold;
    struct field_array relations;  /* struct qc_relation_conf */
    struct field_array references; /* struct qc_reference_conf */
    struct field_array seasons;    /* struct qc_season */
    double depth;
    struct qc_spike_conf spike;
    struct qc_rate_conf rate;
    struct qc_flat_conf flat;
    struct qc_attenuated_conf attenuated;
    int64_t settle_ms, warmup_ms;
};

extern const struct field qc_spike_fields[], qc_rate_fields[], qc_flat_fields[],
    qc_attenuated_fields[], qc_hold_fields[], qc_relation_fields[], qc_reference_fields[],
    qc_season_fields[];
extern const char *const qc_consistency_words[];

/* One of `missing`. */
bool qc_number_is_ok(const char *text, char *why, size_t size);

/* What is given replaces the default in `c`; c->interval_ms must be set. Seasons stay those of
 * `o`; relations and references are left to those who know the channels. Check the result with
 * qc_config_error(). */
void qc_configure(const struct qc_options *o, struct qc_config *c);

/* Of relations and references, but for the numbers of the peers. */
struct qc_relation qc_relation_of(const struct qc_relation_conf *o);
struct qc_reference qc_reference_of(const struct qc_reference_conf *o);
