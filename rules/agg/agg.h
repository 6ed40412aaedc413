/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg - statistics of one channel over fixed periods (1 min, 1 h), start-labelled.
 *
 * Pure: O(1) memory. Expected samples = period / interval, never the number received; a period
 * is valid from 75 % usable samples (grade good, suspect or not evaluated). The state is plain
 * data and survives a restart through the log.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensors/core/quantity.h"
#include "sensors/core/sample.h"

struct agg_config {
    enum aggregate how;
    int64_t period_ms, interval_ms;
    double valid_share; /* 0.75 */
    int decimals;       /* of the result */
};

struct agg_state {    /* all zero: no period open */
    int64_t start_ms; /* of the open period, UTC, a multiple of period_ms (zone: caller) */
    double sum, sum2; /* vector: sine and cosine sums; energy: sum of 10^(L/10) */
    double min, max, last;
    uint32_t used, suspect, unused;
    uint32_t status_n[STATUS_COUNT_]; /* of the unused samples */
    uint32_t reasons;                 /* united, of the unused samples */
    uint32_t not_evaluated;           /* of the used samples */
    uint32_t used_reasons;            /* united, of the used samples that are not good */
    int64_t last_ms;                  /* of `last`; both outlive the period, for counters */
    bool has_last;
    bool is_open;
    bool is_sealed; /* the period at start_ms was closed */
};

/*
 * The verdict: valid when enough of the expected samples were usable; suspect (or not
 * evaluated) when more than a quarter of the used ones are. Otherwise bad, missing without any,
 * with the most frequent status of the samples not used; those that never came count as no
 * communication.
 */
struct agg_result {
    int64_t start_ms;
    struct decimal value; /* missing when nothing usable */
    struct verdict verdict;
    double min, max;
    uint32_t used, expected;
};

/* Add a sample of the open period (or opens one). Returns true and fills *ret when the sample
 * belongs to a later period than the open one: that one is closed first, the sample is then in.
 * A sample of an earlier period is left out, unless it is a day back: then the clock was set.
 */
bool agg_step(const struct agg_config *c, struct agg_state *st, const struct sample *s,
              struct agg_result *ret);

/* Closes the open period when it ended at or before now_ms. */
bool agg_close(const struct agg_config *c, struct agg_state *st, int64_t now_ms,
               struct agg_result *ret);

/* The clock moved by that much. A counter goes on from its last value; the period under way is
 * forgotten unless `is_same_period`: close it before. */
void agg_shift(struct agg_state *st, int64_t by_ms, bool is_same_period);
