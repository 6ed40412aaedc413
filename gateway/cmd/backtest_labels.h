/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backtest_labels - what is known to have happened, for a back-test to be counted against: a
 * table (start,end,kind,...), a JSON array of the same, or a scenario of the alert benchmark.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum backtest_kind {
    LABEL_EVENT,  /* should have been raised */
    LABEL_FAULT,  /* of an instrument: must not be raised */
    LABEL_BENIGN, /* a change that is none of anybody's business */
    LABEL_IGNORE, /* not judged */
    LABEL_KINDS
};

enum { LABELS_MAX = 20000 }; /* 55 a day of a year */

struct backtest_label {
    enum backtest_kind kind;
    int64_t start_ms, end_ms;
    int64_t deadline_ms;  /* of an event: it must be raised by then */
    int64_t early_ms;     /* and may be so much before its start */
    char *rule, *channel; /* whose it is alone, the latter a pattern; NULL: everybody's */
    char *name;           /* "spill_pulse"; NULL */
};

struct backtest_labels {
    struct backtest_label *items; /* by start */
    size_t n;
};

/* 0, -EINVAL: told on standard error with line, or -ENOMEM. */
int backtest_labels_read(const char *path, struct backtest_labels *ret);
void backtest_labels_done(struct backtest_labels *l);

const char *backtest_kind_id(enum backtest_kind k);
