/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qc - the chain of checks of one channel, sample by sample, in the order of
 * facts/quality-control section 5: what is known to be wrong says so, with its reason.
 *
 * Pure: no clock, no allocation; bounded memory. One `struct qc_state` per channel, zero at
 * start. Checks over a window (flat line, attenuated signal) need memory that is given once
 * with qc_start(); without it they are not done. The value itself is never changed.
 */
#pragma once

#include <stdint.h>

#include "rules/qc/checks.h"
#include "sensors/core/quantity.h"
#include "sensors/core/sample.h"

enum { QC_RELATIONS_MAX = 4 };

/* In the order of the chain. */
enum qc_test {
    QC_TEST_TIME,       /* in the future, outside the span, time already used */
    QC_TEST_INSTRUMENT, /* what instrument and bus said */
    QC_TEST_SENTINEL,
    QC_TEST_RANGE,
    QC_TEST_HOLD, /* behind a gap, warming up */
    QC_TEST_SERVICE,
    QC_TEST_STUCK,
    QC_TEST_SPIKE,
    QC_TEST_RATE,
    QC_TEST_FLAT,
    QC_TEST_ATTENUATED,
    QC_TEST_MULTI,
    QC_TEST_REFERENCE,
    QC_TEST_CLIMATE,
    QC_TEST_COUNT_
};

struct qc_config {
    int64_t interval_ms; /* of the channel */
    struct qc_time time;
    struct qc_sentinels sentinels;
    struct qc_range range;
    struct qc_hold hold;
    struct qc_service_options service;
    struct qc_stuck stuck;
    struct qc_spike spike;
    struct qc_rate rate; /* neither suspect, fail nor n_dev above 0: not tested */
    struct qc_flat flat; /* tolerance 0: not tested */
    struct qc_attenuated attenuated;
    const struct qc_relation *relations;
    const struct qc_reference *references;
    const struct qc_season *seasons;
    unsigned relations_n, references_n, seasons_n;
    double depth; /* of the sensor, for seasons that ask for it; NaN: unknown */
};

/* A sample with the flag of each test: enum qc_flag, QC_NONE where a test was not done. */
struct qc_judged {
    struct sample sample;
    uint8_t flag[QC_TEST_COUNT_];
    bool is_final; /* false: a test still waits for the next sample */
};

struct qc_state {
    struct qc_hold_state hold;
    struct qc_service_state service;
    struct qc_stuck_state stuck;
    struct qc_spike_state spike;
    struct qc_rate_state rate;
    struct qc_flat_state flat;
    struct qc_attenuated_state attenuated;
    struct qc_moves_state moves[QC_RELATIONS_MAX];
    struct qc_judged now, before; /* the last sample, and the one before it */
    bool is_revised;              /* the last step changed the verdict of `before` */
    bool is_late;                 /* `now` was late: it stands beside the sequence */
};

/* What is known beside the sample itself. */
struct qc_input {
    struct decimal raw;   /* as read: stuck compares it */
    int64_t now_ms;       /* of the station's clock; 0: not told */
    enum qc_service told; /* by operator or schedule; the instrument's word is in the verdict */
    /* Newest usable values of the channels that relations and references name by number; NaN
     * where there is none. */
    const double *peers;
    unsigned peers_n;
};

/* The defaults of a quantity at a poll interval (table with sources in defaults.c). */
struct qc_config qc_default(const struct quantity *q, int64_t interval_ms);

/*
 * What quantities of one device cannot be together (PM2.5 above PM10, dew point above air
 * temperature ...). `find` gives the number of the peer that measures a quantity, -1 when the
 * device does not. Returns how many relations it wrote into ret[QC_RELATIONS_MAX].
 */
unsigned qc_default_relations(const struct quantity *q,
                              int (*find)(void *user, const char *quantity), void *user,
                              struct qc_relation *ret);

/* Returns NULL, or what is wrong with the configuration (spans must lie inside each other). */
const char *qc_config_error(const struct qc_config *c);

/* So far back the checks of a configuration look, in ms: after a restart the samples of that
 * time, judged again, bring a state to where it was. */
int64_t qc_lookback(const struct qc_config *c);

/* Bytes that the windows of a configuration need; 0 for the defaults. */
size_t qc_memory(const struct qc_config *c);
/* A state at its start; `memory` holds qc_memory() bytes, aligned as for a double. */
void qc_start(const struct qc_config *c, struct qc_state *st, void *memory);

/*
 * Judges one sample and adds to s->verdict, never improves it. What a spike is only the next
 * sample shows: then st->before holds the final verdict of the one before, and st->is_revised
 * tells that it is another than was given at its step.
 */
void qc_judge(const struct qc_config *c, struct qc_state *st, const struct qc_input *in,
              struct sample *s);
/* The same with nothing known beside the value as read. */
void qc_step(const struct qc_config *c, struct qc_state *st, struct decimal raw,
             struct sample *s);

/* A value as other channels are compared with it before it is judged itself: what is wrong
 * beyond doubt (missing, bad, outside the range) is NaN and makes nobody else suspect. */
double qc_as_peer(const struct qc_config *c, struct verdict v, double x);

/* QARTOD flag of all tests of a sample together; one that waits counts as not evaluated. */
enum qc_flag qc_judged_flag(const struct qc_judged *j);

/* The clock moved by that much: no gap, and no sample of it is late. */
void qc_shift(struct qc_state *st, int64_t by_ms);

/* "range", "spike" ... and for people; lang is "zh" or "en". */
const char *qc_test_id(enum qc_test t);
const char *qc_test_name(enum qc_test t, const char *lang);
