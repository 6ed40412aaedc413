/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg - statistics of one channel over fixed periods, labelled by their start.
 *
 * Pure: O(1) memory, time is an argument. Expected samples = period / interval, never the
 * number received; a period is valid from 75 % usable samples (grade good, suspect or not
 * evaluated) or from as many as its standard asks for. The state is plain data and is computed
 * again from the log after a restart. Longer periods are formed of shorter ones with the same
 * functions: see statistic.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensors/core/quantity.h"
#include "sensors/core/sample.h"

struct agg_config {
    enum aggregate how;
    int64_t period_ms, interval_ms; /* interval: of what the period is formed of */
    int64_t zone_ms;                /* east of UTC: periods begin at full ones of that zone */
    double valid_share;             /* 0.75 */
    uint32_t need;                  /* usable ones at least; 0: by valid_share */
    uint32_t expected;              /* 0: period / interval */
    double enough;                  /* a larger result is valid with fewer, too; 0: none is */
    double wrap;                    /* counters go on at 0 from here; 0: they do not wrap */
    double dead_s;                  /* AGG_COUNTS: dead time of the tube, seconds */
    int64_t count_ms;               /* AGG_COUNTS: how long one reading counts; 0: interval */
    int decimals;                   /* of the result */
};

struct agg_state {    /* all zero: no period open */
    int64_t start_ms; /* of the open period, UTC */
    double sum, sum2; /* vector: sine and cosine; energy: 10^(L/10); counts: rate, variance */
    double min, max, last;
    uint32_t used, suspect, unused;
    uint32_t status_n[STATUS_COUNT_]; /* of the unused samples */
    uint32_t reasons;                 /* united, of the unused samples */
    uint32_t not_evaluated;           /* of the used samples */
    uint32_t used_reasons;            /* united, of the used samples that are not good */
    uint32_t calm;                    /* of the used samples: without a direction */
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
    double spread; /* directions: standard deviation, degrees; counts: uncertainty of the rate
                    * (k = 1); NaN without */
    uint32_t used, expected;
};

/* A sample, or a shorter period, made ready: the same for every period of its channel. */
struct agg_input {
    int64_t time_ms;
    double x;           /* the value, counts corrected for dead time */
    double lo, hi;      /* the smallest and largest that it stands for */
    double a, b;        /* what is summed for it */
    uint32_t n, unused; /* samples it stands for: 1, 0; of a period: those used, and not */
    struct verdict verdict;
    bool is_usable;
    bool is_calm; /* a direction that is none */
};

struct agg_input agg_input_of(const struct agg_config *c, const struct sample *s);

/* A period's row as the input of a longer one; set lo and hi where they are known. Levels and
 * count rates weigh as many samples as they were formed of (n of expected, whether the period
 * was valid or not); all others weigh the same, and what is not usable does not enter. */
struct agg_input agg_input_of_period(const struct agg_config *c, const struct sample *row,
                                     uint32_t n, uint32_t expected);

/* A manual value never enters a mean with automatic ones. */
bool agg_is_usable(const struct sample *s, double x);

/* Add what belongs to the open period (or opens one). Returns true and fills *ret when it
 * belongs to a later period than the open one: that one is closed first, the input is then in.
 * One of an earlier period is left out, unless it is a day back: then the clock was set.
 */
bool agg_add(const struct agg_config *c, struct agg_state *st, const struct agg_input *in,
             struct agg_result *ret);
bool agg_step(const struct agg_config *c, struct agg_state *st, const struct sample *s,
              struct agg_result *ret);

/* Closes the open period when it ended at or before now_ms. */
bool agg_close(const struct agg_config *c, struct agg_state *st, int64_t now_ms,
               struct agg_result *ret);

/* The clock moved by that much. A counter goes on from its last value; the period under way is
 * forgotten unless `is_same_period`: close it before. */
void agg_shift(struct agg_state *st, int64_t by_ms, bool is_same_period);

/* The parts of agg_add(). */
enum agg_entry {
    AGG_ENTRY_OPEN, /* the time lies in the open period */
    AGG_ENTRY_NEW,  /* its period is open now */
    AGG_ENTRY_NEXT, /* the same, and the one before was closed into *ret */
    AGG_ENTRY_LATE  /* it lies in a period that is over: nothing was done */
};
enum agg_entry agg_enter(const struct agg_config *c, struct agg_state *st, int64_t time_ms,
                         struct agg_result *ret);
void agg_open(struct agg_state *st, int64_t start_ms);
void agg_take(const struct agg_config *c, struct agg_state *st, const struct agg_input *in);
/* Adds a part of the period; counters cannot be put together so. */
void agg_merge(struct agg_state *st, const struct agg_state *part);
struct agg_result agg_result_of(const struct agg_config *c, const struct agg_state *st);

/* The start of the period that a time lies in, and the label of who labels by the end. */
int64_t agg_start_of(int64_t time_ms, int64_t period_ms, int64_t zone_ms);
int64_t agg_end_label(int64_t start_ms, int64_t period_ms);

/*
 * x rounded to so many decimals such that rounding the result again to fewer, in whatever
 * manner, gives what x itself would have given: a last digit 0 or 5 stands only where x is at
 * it, else the next digit towards x. Nearest otherwise.
 */
struct decimal agg_round(double x, int decimals);
