/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share: the pipeline's state. Nobody else includes
 * it. */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/pipeline/pipeline.h"
#include "rules/agg/agg.h"

struct statistic { /* one per statistic channel */
    struct agg_config config;
    struct agg_state state;
    struct agg_result closed; /* the period that a later sample closed before the tick did */
    bool has_closed;
};

struct stream_state {     /* one per stream of the table */
    int64_t last_ms;      /* newest row: times of a stream never repeat */
    int64_t period_start; /* statistics: the period that is open; 0: none yet */
    bool is_statistic;
};

/* Which statistics and rules follow a channel: slices of the two index arrays. */
struct followers {
    uint32_t statistics_from, statistics_n;
    uint32_t rules_from, rules_n;
};

struct pipeline {
    const struct pipeline_options *o;
    struct qc_state *qc;          /* per channel */
    struct statistic *statistics; /* per channel; unused for readings */
    struct stream_state *streams; /* per stream */
    struct followers *followers;  /* per channel */
    uint32_t *statistic_index;    /* channels, grouped by their source */
    uint32_t *rule_index;         /* rules, grouped by their channel */
    struct alert_state *alerts;   /* per rule */
    struct series_cell *cells;    /* one row, of the widest stream */
    struct buf text;              /* an event being written */
    struct pipeline_counters counters;
};

/* The change of one scan or tick on its way into the log. */
struct change {
    struct store_batch *batch; /* NULL: no memory; what happens is shown but not kept */
    enum store_urgency urgency;
};

struct change change_begin(struct pipeline *p);
void change_row(struct pipeline *p, struct change *c, const struct channel_stream *s,
                int64_t time_ms);
void change_submit(struct pipeline *p, struct change *c);

/* statistics.c */
void statistics_init(struct pipeline *p);
void statistics_step(struct pipeline *p, const struct sample *s);
void statistics_tick(struct pipeline *p, struct change *c, int64_t now_ms);
int statistics_restore(struct pipeline *p);

/* alerts.c */
int alerts_restore(struct pipeline *p);
void alerts_step(struct pipeline *p, struct change *c, const struct sample *s);
void alerts_tick(struct pipeline *p, struct change *c, int64_t now_ms);

/* Appends p->text as an event to the change and tells the live view. */
void event_put(struct pipeline *p, struct change *c);
