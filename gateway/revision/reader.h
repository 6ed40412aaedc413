/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader - the thread that reads the log for revisions, so that nothing else waits for it. One
 * job at a time: given, done, taken back.
 */
#pragma once

#include <jansson.h>

#include "gateway/store/store.h"

enum {
    REVISION_COLUMNS_MAX = 64,
    READER_ROWS_MAX = 2000, /* more than a slice where a channel was once polled faster */
    READER_ALERT_EVENTS_MAX = 20000,
};

enum job_kind {
    JOB_STREAM, /* its dictionary, and whether the log goes back to `from` */
    JOB_ROWS,
    JOB_ALERTS, /* of the channel id[0] and its statistics that stood within from..to */
};

struct job {
    enum job_kind kind;
    uint32_t stream;
    int64_t from_ms, to_ms;
    unsigned columns;
    const char *id[REVISION_COLUMNS_MAX]; /* of channels; must live until it is taken back */
    /* what came of it */
    int rc;
    char *dictionary; /* the taker frees it */
    bool is_trimmed;  /* the log once went further back than `from` and does no more */
    bool is_too_much; /* more rows than READER_ROWS_MAX: nothing of use was read */
    size_t rows;
    int64_t *time_ms;          /* the reader's, until the next job */
    struct series_cell *cells; /* rows x columns; a cell that a row has not is missing */
    json_t *alerts;            /* key -> last event, the newest first; the taker's */
};

struct reader;

/* 0 or a negative errno. */
int reader_start(struct store *store, struct reader **ret);
/* Gives up what it does. Takes NULL. */
void reader_stop(struct reader *r);
/* Copies the job. There must be none. */
void reader_ask(struct reader *r, const struct job *job);
/* False: it is not done yet, or there is none. */
bool reader_take(struct reader *r, struct job *ret);
