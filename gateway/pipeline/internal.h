/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share: the pipeline's state. Nobody else includes
 * it. */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/pipeline/pipeline.h"
#include "rules/agg/agg.h"

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

/* The newest row of a stream of readings, as long as a flag of it may change. */
struct last_row {
    bool is_open, is_revised;
    bool is_held; /* it waits for the clock, under that number */
    uint64_t held_id;
    int64_t judged_ms; /* the time of its samples when they were judged */
    int64_t time_ms;   /* the row's, in the log */
    int64_t wait_ms;   /* so long a row of the stream may be open */
};

struct stream_state { /* one per stream of the table */
    struct row_times times;
    struct last_row last;
    int64_t period_start; /* statistics: the period that is open; 0: none yet */
    bool is_statistic;
};

/* Which statistics and rules follow a channel: slices of the two index arrays. */
struct followers {
    uint32_t statistics_from, statistics_n;
    uint32_t rules_from, rules_n;
};

/* The newest sample of a channel that conditions of rules ask for. */
struct newest_sample {
    int64_t time_ms; /* 0: none yet */
    double value;    /* NaN: bad, or none */
    struct verdict verdict;
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
    struct qc_state *qc;            /* per channel */
    void *qc_windows;               /* what their checks remember */
    struct series_cell *last_cells; /* per channel: the open row of its stream */
    bool *is_waiting;   /* per channel: its newest sample is not in the statistics yet */
    int64_t flushed_ms; /* samples of the minutes before do not wait */
    bool *is_peer;      /* per channel: others are compared with it */
    uint32_t *peer;     /* those channels */
    size_t peers_n;
    double *newest; /* per channel: of a peer, its newest usable value; NaN: none */
    int64_t *newest_ms;
    struct statistics *statistics;
    struct pipeline_index_state *indices; /* per index of the options */
    struct stream_state *streams;         /* per stream */
    struct followers *followers;          /* per channel */
    uint32_t *rule_index;                 /* rules, grouped by their channel */
    struct alert_state *alerts;           /* per rule */
    struct alert_rule **former_rules;     /* per rule: by which an alert is judged that another
                                           * version of it raised; NULL: none is */
    void **inputs; /* per rule: what its input remembers; NULL: nothing */
    struct newest_sample *newest_samples; /* per channel; NULL: nobody asks */
    struct watched *watched;              /* per watch of the options */
    uint32_t *watch_of;                   /* per channel: number of its watch + 1; 0: none */
    struct series_cell *cells;            /* one row, of the widest stream */
    struct sample *samples;               /* those of the row, for live view and rules */
    struct recent_row *recent;            /* a ring */
    size_t recent_n, recent_at;
    struct held held;
    struct pipeline_service *services; /* of devices, then of channels */
    bool is_clock_due;                 /* the clock's record goes with the next batch */
    struct buf text;                   /* an event being written */
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
/* It may be open for wait_ms; 0: it is final. */
void change_open_row(struct pipeline *p, struct change *c, const struct row *r,
                     int64_t wait_ms);
/* 0, or a negative errno: the log does not have it. */
int change_submit(struct pipeline *p, struct change *c);
/* The first n of p->samples, noted already, to live view and rules. */
void tell_samples(struct pipeline *p, struct change *c, size_t n);
/* To whom a pipeline without a store tells its rows. */
void tell_row(const struct pipeline *p, uint32_t stream, int64_t time_ms,
              const struct series_cell *cells);

/* judge.c */
bool judge_init(struct pipeline *p);
void judge_done(struct pipeline *p);
/* The samples of one scan, before any of them is judged: what they are compared with. */
void judge_foresee(struct pipeline *p, const struct sample *s);
/* The verdict of a sample, which is counted; the last row learns what it is for good. */
void judge_sample(struct pipeline *p, struct last_row *last, struct qc_input *in,
                  struct sample *s, bool is_held);
/* The row of a scan in p->cells. */
void judge_keep_row(struct pipeline *p, struct change *c, uint32_t stream, const struct row *r,
                    bool is_held);
/* Samples before that time are counted as they are. */
void judge_flush(struct pipeline *p, int64_t before_ms);
/* Open rows that no sample can change any more at that time. */
void judge_end_rows(struct pipeline *p, int64_t now_ms);
/* Before statistics_tick(). */
void judge_tick(struct pipeline *p, int64_t now_ms);
void judge_shift(struct pipeline *p, int64_t by_ms);

/* lookback.c: the chain goes on where the log ends. */
int lookback(struct pipeline *p);

/* statistics.c */
int statistics_init(struct pipeline *p);
void statistics_done(struct pipeline *p);
void statistics_step(struct pipeline *p, const struct sample *s);
void statistics_tick(struct pipeline *p, struct change *c, int64_t now_ms);
void statistics_go_on(struct pipeline *p, struct change *c, int64_t time_ms);
/* The clock jumped: periods under way are closed, but for those that go on at to_ms. */
void statistics_jump(struct pipeline *p, struct change *c, int64_t from_ms, int64_t to_ms);
int statistics_restore(struct pipeline *p);

/* alerts.c */
int alerts_restore(struct pipeline *p);
void alerts_done(struct pipeline *p);
void alerts_step(struct pipeline *p, struct change *c, const struct sample *s);
void alerts_tick(struct pipeline *p, struct change *c, int64_t now_ms);
void alerts_shift(struct pipeline *p, struct change *c, int64_t by_ms);

/* watches.c */
bool watches_init(struct pipeline *p);
void watches_done(struct pipeline *p);
void watches_restore(struct pipeline *p);
/* A judged sample: its verdict gains what the watch finds. Before it is kept, behind
 * look_note() of all samples of its scan. */
void watches_step(struct pipeline *p, struct change *c, struct sample *s);
/* One that the log has already. */
void watches_learn(struct pipeline *p, const struct sample *s);
int64_t watches_lookback(const struct pipeline *p, uint32_t channel);
void watches_tick(struct pipeline *p, struct change *c, int64_t now_ms);
void watches_shift(struct pipeline *p, int64_t by_ms);
/* NULL: the channel is not watched. */
const struct watch_result *watches_result(struct pipeline *p, uint32_t channel);

/* alert_event.c: into p->text; e: its episode in the book, NULL: none. */
void alert_event_write(struct pipeline *p, const struct alert_rule *r,
                       const struct alert_change *a, const struct episode *e);

/* look.c: what rules see beside the sample that they judge. */
bool look_init(struct pipeline *p);
void look_done(struct pipeline *p);
/* Before any rule judges a sample of its scan. */
void look_note(struct pipeline *p, const struct sample *s);
struct alert_look look_of(struct pipeline *p, uint32_t rule, const struct sample *s);
/* A sample that the log has already: inputs over some time remember it. */
void look_learn(struct pipeline *p, const struct sample *s);
int64_t look_back(const struct pipeline *p, uint32_t channel);

/* times.c */
int times_init(struct pipeline *p);
void times_done(struct pipeline *p);
void times_restore(struct pipeline *p, uint32_t stream);
/* The clock went back, or rows of an earlier time come: older rows may be met. */
void times_new_stretch(struct pipeline *p);
bool times_is_used(struct pipeline *p, uint32_t stream, int64_t time_ms);
void times_note(struct pipeline *p, uint32_t stream, int64_t time_ms);
/* A row of the past: those of now go on as they were. */
void times_note_late(struct pipeline *p, uint32_t stream, int64_t time_ms);
/* A row's time: the next one that is free; flagged when that is another. */
int64_t times_take(struct pipeline *p, uint32_t stream, int64_t time_ms,
                   struct verdict *verdict);

/* held.c */
int held_restore(struct pipeline *p);
void held_done(struct pipeline *p);
bool held_is_open(const struct pipeline *p); /* rows are to be held */
/* Returns its number. */
uint64_t held_put(struct pipeline *p, struct change *c, const struct row *r);
/* What the row's flags are for good. */
void held_final(struct pipeline *p, struct change *c, uint64_t id,
                const struct series_cell *cells);
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
