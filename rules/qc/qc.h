/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qc - checks of one channel, sample by sample, in the order of facts/quality-control
 * section 5.
 *
 * Pure: O(1) memory, no clock, no allocation. One `struct qc_state` per channel, zero at start.
 */
#pragma once

#include <stdint.h>

#include "sensors/core/quantity.h"
#include "sensors/core/sample.h"

struct qc_config {
    double fail_min, fail_max;       /* gross range: outside is bad; NaN: not applied */
    double suspect_min, suspect_max; /* outside is suspect; NaN: not applied */
    unsigned stuck;                  /* equal raw values in a row that are stuck; 0: never */
    double stuck_exempt_min,
        stuck_exempt_max;   /* values that may repeat (zero rain); NaN: none */
    int64_t interval_ms;    /* of the channel */
    unsigned gap_intervals; /* a longer pause is a gap; 0: never */
    unsigned gap_hold;      /* samples after a gap that are not evaluated */
};

struct qc_state {
    int64_t last_ms;
    int64_t raw_v;
    int8_t raw_e;
    uint32_t equal; /* raw values equal in a row */
    uint32_t hold;  /* samples still to be held */
};

/* The defaults of a quantity at a poll interval (table with sources in qc.c). */
struct qc_config qc_default(const struct quantity *q, int64_t interval_ms);

/* Returns NULL, or what is wrong with the configuration (spans must lie inside each other). */
const char *qc_config_error(const struct qc_config *c);

/* Judge one sample: `raw` is the value as read (stuck compares it), s->value the calibrated
 * one. Adds to s->verdict, never improves it. */
void qc_step(const struct qc_config *c, struct qc_state *st, struct decimal raw,
             struct sample *s);

/* The clock moved by that much: no gap, and no sample of it is late. */
void qc_shift(struct qc_state *st, int64_t by_ms);
