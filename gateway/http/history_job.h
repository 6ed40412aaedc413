/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history_job - a question to the log: asked on libmicrohttpd's thread, answered on the one
 * thread that reads, with its own connection, while the request waits suspended.
 */
#pragma once

#include "gateway/http/bucket.h"
#include "gateway/http/server.h"
#include "gateway/store/reader.h"

enum { HISTORIES_MAX = 32 }; /* channels of one request */

struct log_access {
    struct http *http;
    struct store_reader *reader; /* NULL: the log does not open */
    int64_t deadline_ms;         /* a reader that stays longer lets the log's WAL grow */
    const atomic_bool *is_stopping;
};

/* The answer should end here. */
bool log_access_is_late(const struct log_access *a);

struct history_job {
    /* Fills `out` and returns the status of HTTP; on the history thread. */
    unsigned (*answer)(struct history_job *job, struct log_access *a);
    enum MHD_Result (*reply)(struct request *r); /* when it is done; on libmicrohttpd's */
    uint32_t channel, stream, layout;
    uint32_t channels[HISTORIES_MAX]; /* of histories */
    size_t channels_n;
    int64_t from, to; /* from <= time < to */
    unsigned points;  /* 0: every row */
    int64_t next_ms;  /* of frames: the answer was cut there */
    bool is_cut;
    struct MHD_Connection *connection;
    atomic_bool is_done;
    unsigned status;
    struct buf out;
};

/* The request's job, new and empty. NULL without memory. */
struct history_job *history_job_create(struct request *r, size_t out_max);
/* Hands it to the reading thread. */
enum MHD_Result history_job_submit(struct request *r);

/* True when the request waits for its job or has it done: *ret is what the handler returns. */
bool history_job_replies(struct request *r, enum MHD_Result *ret);

/* ---- parameters of requests ---- */

/* A whole number of min..max; `dflt` when the parameter is absent. False when it is none. */
bool parameter_number(struct request *r, const char *name, int64_t min, int64_t max,
                      int64_t dflt, int64_t *ret);
bool channel_find(const struct channel_table *t, const char *id, uint32_t *ret);
/* channel=ID; false when there is none of this name. */
bool parameter_channel(struct request *r, uint32_t *ret);
/* hours=N before now, or from=MS and to=MS. False when they are none. */
bool parameter_span(struct request *r, int64_t *from, int64_t *to);

/* ---- rows ---- */

struct history_rows {
    const struct channel *asked, *source; /* source NULL: there is no log */
    const struct row *rows;
    size_t n;
    bool is_cut;
    int64_t from, to;
    unsigned points; /* 0: every row */
};

/* The object that /api/v1/history answers. */
void history_put(struct buf *b, const struct history_rows *h);

/* Of a channel in a dictionary; -1 when it has none. */
int history_column(const char *dictionary, const char *id);
