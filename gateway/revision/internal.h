/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share. Nobody else includes it. */
#pragma once

#include "gateway/revision/reader.h"
#include "gateway/revision/revisions.h"
#include "gateway/revision/spans.h"

enum { REVISION_ID_MAX = 160, CHECK_MAX = 16 };

#define NOWHERE UINT32_MAX /* of a channel that the configuration has no more */
#define REVISED "@rev"     /* behind the id of a channel: contract of the line protocol */

/* One stream that has rows of the channel: its readings first, then its statistics. */
struct stage {
    uint32_t stream;   /* in the log */
    int64_t period_ms; /* that a row stands for; 0: a reading */
    int64_t step_ms;   /* from row to row */
    unsigned part;     /* of several streams of that period */
    unsigned n;
    uint32_t channel[REVISION_COLUMNS_MAX]; /* of the table */
};

enum step {
    STEP_BEGIN, /* asks what the stream has */
    STEP_OPEN,  /* the stream of revisions is being opened */
    STEP_ROWS,
    STEP_ALERTS, /* behind the readings */
};

struct revision {
    struct revision *next;
    uint64_t number;
    char channel_id[REVISION_ID_MAX], check[CHECK_MAX];
    uint32_t channel;
    int64_t from_ms, to_ms; /* from 0: everything */
    int64_t began_ms;
    bool is_corrected;
    struct calibration_drift drift;
    struct spans before; /* revised by others already */
    bool is_begun;       /* and told so */
    bool is_cut;         /* the log does not go back as far as the bracket */
    int64_t period_ms;   /* of the stage, or the one that is over; with `part` it is known by */
    unsigned part;
    int64_t next_ms; /* of the stage, up to there it is done; 0: not begun */
    uint64_t rows, statistic_rows, alerts;
    int64_t oldest_ms; /* row that was revised; 0: none yet */
    /* of this run */
    unsigned stage; /* its number in the configuration in force */
    enum step step;
    uint32_t out; /* stream of revisions, as long as the step is STEP_ROWS */
    int64_t window_ms;
    bool is_warned;
    uint64_t after_batch; /* of the log: before, rows of the bracket may be missing */
};

struct cover { /* what was revised of a channel, at any time */
    struct cover *next;
    char channel_id[REVISION_ID_MAX];
    struct spans spans;
};

struct revisions {
    struct store *store;
    struct revisions_station station; /* table NULL: none is attached */
    struct revision *first;
    struct cover *covers;
    json_t *finished; /* events, oldest first */
    uint64_t number;
    int64_t now_ms;
    struct revision *busy; /* waits for the reader or the log; NULL: none */
    struct reader *reader; /* NULL: none is needed */
    struct store_asked *asked;
    struct job job;
};

/* ---- stage.c ---- */

/* The k-th; false: there are no more. */
bool stage_of(const struct channel_table *t, uint32_t channel, unsigned k, struct stage *ret);
/* Goes on in the stage that it was in, as the configuration has it now, or the next one. */
void stage_find(const struct channel_table *t, struct revision *x);
int64_t stage_from(const struct revision *x, const struct stage *s); /* begin of its rows */
int64_t stage_to(const struct revision *x, const struct stage *s);
/* Rows before that time will not change any more, and none will come. */
int64_t stage_settled(const struct stage *s, int64_t now_ms);
/* Name and dictionary of its stream of revisions, made of the dictionary of its own; NULL: it
 * has none of the channels. */
void stage_name(const struct channel_table *t, const struct revision *x, const struct stage *s,
                char name[STORE_NAME_MAX]);
char *stage_dictionary(const struct channel_table *t, const struct stage *s,
                       const char *dictionary);

/* ---- cell.c ---- */

/* Whether a row of that time is for this revision. */
bool row_is_revised(const struct revision *x, const struct stage *s, int64_t time_ms);
/* A cell of channel `ch` as it is now known. False: it stays as it is. */
bool cell_revise(const struct revision *x, const struct stage *s, const struct channel *ch,
                 int64_t time_ms, struct series_cell *cell);

/* ---- work.c ---- */

void work_begin(struct revisions *r, struct revision *x); /* x becomes busy, or not */
void work_go_on(struct revisions *r);                     /* of what is busy */
bool work_is_due(const struct revisions *r, const struct revision *x,
                 const struct store_health *log);
void work_forget(struct revisions *r); /* what is busy begins its step anew */

/* ---- order.c ---- */

int orders_restore(struct revisions *r);
int order_put(struct store_batch *b, const struct revision *x);
int order_drop(struct store_batch *b, const struct revision *x);
int order_put_cover(struct store_batch *b, const struct cover *c);

/* ---- told.c ---- */

json_t *told_begun(const struct revisions *r, const struct revision *x);
json_t *told_revised(const struct revisions *r, const struct revision *x);
json_t *told_ended(const struct revisions *r, const struct revision *x, bool is_gone);
/* Of an alert's last event; `n` tells several of one moment apart. */
json_t *told_alert(const struct revisions *r, const struct revision *x, const json_t *last,
                   size_t n);
int told_put(struct store_batch *b, const json_t *event);
void told_show(const struct revisions *r, const json_t *event);

/* ---- revisions.c ---- */

void revision_finish(struct revisions *r, struct revision *x, json_t *ended); /* frees x */
