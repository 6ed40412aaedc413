/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backtest - what rules raised during a replay, counted, and against labels.
 *
 * An episode is judged by the time at which it was told, which of a mean is the end of its
 * period. With `step` the interval of the rule's channel, in this order:
 *
 *   in [start - early_ok - 2 step, end + 2 step] of an event: the first one detects it, when it
 *     is told by must_alarm_by; later ones are repeats, one told too late is "late"
 *   in [start, end + 3 step] of a fault: a fault raised as an event
 *   in [start, end] of a benign change; in [start - step, end + step] of what is to be ignored
 *   else: spurious
 *
 * False are spurious ones, faults raised and benign changes raised. An event that none detects
 * is missed. A label counts for the rules and channels that it names, else for all.
 */
#pragma once

#include "gateway/cmd/backtest_labels.h"
#include "gateway/cmd/replay_source.h"
#include "gateway/table.h"

struct backtest_count {
    const char *rule; /* id; NULL: all of them together */
    unsigned channels;
    uint64_t raised, by_level[LEVEL_COUNT_]; /* by the highest level */
    int64_t standing_ms, longest_ms;
    double sensor_months;
    /* with labels */
    uint64_t events, detected, missed, late, repeats;
    uint64_t spurious, faults, benign, ignored; /* episodes */
    double delay_s;                             /* median; NaN: none was detected */
};

struct backtest_faults { /* notices of watches; all channels together */
    uint64_t notices, labelled, noticed, false_notices;
};

struct backtest;

/* `labels` NULL: none. Both must outlive it. 0 or -ENOMEM. */
int backtest_create(const struct table *t, const struct backtest_labels *labels,
                    struct backtest **ret);
void backtest_destroy(struct backtest *b); /* takes NULL */

/* What the pipeline tells, at that time. */
void backtest_take_alert(struct backtest *b, const struct alert_rule *rule,
                         const struct alert_change *c, int64_t now_ms);
void backtest_take_event(struct backtest *b, const char *json, int64_t now_ms);

/* Behind the last: what stands ends there. Rules of channels that the source has not are no
 * part of it. 0 or -ENOMEM. */
int backtest_end(struct backtest *b, const struct replay_source *source, int64_t first_ms,
                 int64_t last_ms);

/* One per rule of the configuration that judged something, then all together. */
const struct backtest_count *backtest_counts(const struct backtest *b, size_t *ret_n);
const struct backtest_faults *backtest_faults(const struct backtest *b);
bool backtest_has_labels(const struct backtest *b);
uint64_t backtest_false(const struct backtest_count *c);

/* Ids of a rule's version as alerts have it: a hash of what decides. */
enum { BACKTEST_VERSION_MAX = 17 };
