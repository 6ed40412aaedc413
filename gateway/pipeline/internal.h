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

/* The times that rows of a stream have already. */
struct row_times {
    int64_t last_ms;        /* newest row since the clock was set back; INT64_MIN: none */
    int64_t newest_ms;      /* of all rows; 0: none */
    int64_t from_ms, to_ms; /* what `used` covers */
    int64_t *used;          /* sorted */
    size_t n, cap;
};

struct recent_row { /* may not be in the log yet */
    int64_t time_ms;
    uint32_t stream;
};

struct stream_state { /* one per stream of the table */
    struct row_times times;
    int64_t period_start; /* statistics: the period that is open; 0: none yet */
    bool is_statistic;
};

/* Which statistics and rules follow a channel: slices of the two index arrays. */
struct followers {
    uint32_t statistics_from, statistics_n;
    uint32_t rules_from, rules_n;
};

/* Rows that wait for the clock to be believed, oldest first (held.c). */
struct held {
    struct held_row *first, *last;
    uint64_t next; /* number of the next */
    size_t n, bytes;
};

struct pipeline {
    const struct pipeline_options *o;
    struct store_reader *reader;
    struct qc_state *qc;          /* per channel */
    void *qc_windows;             /* what their checks remember */
    struct statistic *statistics; /* per channel; unused for readings */
    struct stream_state *streams; /* per stream */
    struct followers *followers;  /* per channel */
    uint32_t *statistic_index;    /* channels, grouped by their source */
    uint32_t *rule_index;         /* rules, grouped by their channel */
    struct alert_state *alerts;   /* per rule */
    struct series_cell *cells;    /* one row, of the widest stream */
    struct recent_row *recent;    /* a ring */
    size_t recent_n, recent_at;
    struct held held;
    struct pipeline_service *services; /* of devices, then of channels */
    bool is_clock_due; /* the clock's record goes with the next batch */
    struct buf text;   /* an event being written */
    struct pipeline_counters counters;
};

/* The change of one scan or tick on its way into the log. */
struct change {
    struct store_batch *batch; /* NULL: no memory; what happens is shown but not kept */
    enum store_urgency urgency;
};

/* One row on its way into a stream: p->cells, `columns` of them. */
struct row {
    uint32_t number; /* of the stream in the log */
    unsigned columns;
    int64_t boot_ms, time_ms;
};

struct change change_begin(struct pipeline *p);
void change_row(struct pipeline *p, struct change *c, const struct row *r);
void change_submit(struct pipeline *p, struct change *c);

/* statistics.c */
void statistics_init(struct pipeline *p);
void statistics_step(struct pipeline *p, const struct sample *s);
void statistics_tick(struct pipeline *p, struct change *c, int64_t now_ms);
/* The clock jumped: periods under way are closed, but for those that go on at to_ms. */
void statistics_jump(struct pipeline *p, struct change *c, int64_t from_ms, int64_t to_ms);
int statistics_restore(struct pipeline *p);

/* alerts.c */
int alerts_restore(struct pipeline *p);
void alerts_step(struct pipeline *p, struct change *c, const struct sample *s);
void alerts_tick(struct pipeline *p, struct change *c, int64_t now_ms);
void alerts_shift(struct pipeline *p, struct change *c, int64_t by_ms);

/* times.c */
int times_init(struct pipeline *p);
void times_done(struct pipeline *p);
void times_restore(struct pipeline *p, uint32_t stream);
/* The clock went back, or rows of an earlier time come: older rows may be met. */
void times_new_stretch(struct pipeline *p);
bool times_is_used(struct pipeline *p, uint32_t stream, int64_t time_ms);
void times_note(struct pipeline *p, uint32_t stream, int64_t time_ms);
/* A row's time: the next one that is free; flagged when that is another. */
int64_t times_take(struct pipeline *p, uint32_t stream, int64_t time_ms,
                   struct verdict *verdict);

/* held.c */
int held_restore(struct pipeline *p);
void held_done(struct pipeline *p);
bool held_is_open(const struct pipeline *p); /* rows are to be held */
void held_put(struct pipeline *p, struct change *c, const struct row *r);
/* Rows go into the log as far as its queue has room. Returns how many. */
size_t held_release(struct pipeline *p);

/* service.c */
int service_restore(struct pipeline *p);
enum qc_service service_told(const struct pipeline *p, size_t device, size_t channel,
                             int64_t now_ms);
void service_shift(struct pipeline *p, struct change *c, int64_t by_ms);

/* clock.c */
void clock_keep(struct pipeline *p, struct change *c);
struct verdict clock_verdict(const struct pipeline *p);
/* ,"clock":"waiting" when times are doubtful: events say so themselves. */
void clock_put(const struct pipeline *p, struct buf *b);

/* Appends p->text as an event to the change and tells the live view. */
void event_put(struct pipeline *p, struct change *c);
