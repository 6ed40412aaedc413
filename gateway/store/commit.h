/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit - one transaction of the log: everything that changed, or nothing. Writer's thread.
 *
 * When a transaction fails, nothing in memory is believed any more: the tail is read from the
 * database, which also tells whether a COMMIT that reported an error is there all the same.
 */
#pragma once

#include "gateway/store/batch.h"
#include "gateway/store/tail.h"

struct commit {
    const char *path;
    struct db db;
    struct tail tail;
    bool is_stale;      /* the tail must be read anew before the next transaction */
    bool is_suspect;    /* the file did not take or give its bytes: open and check it anew */
    uint64_t attempted; /* number of the transaction that failed; 0: none */
    bool is_done;       /* and it is there all the same */
    struct buf text;    /* an event with its number */
    char error[160];    /* why the last transaction failed; "" when it did not */
};

/* Opens, migrates, loads. 0 or a negative errno with a full sentence. */
int commit_open(struct commit *c, const char *path, const struct tail_options *o, char *error,
                size_t size);
void commit_close(struct commit *c);

/* Commits the list of batches, and puts into frames the rows that came before `seal_before_ms`
 * (INT64_MAX: all). 0, or a negative errno, and c->error; then the same batches are to be given
 * again, before any others. */
int commit_run(struct commit *c, const struct store_batch *batches, int64_t now_ms,
               int64_t seal_before_ms);

struct commit_stream { /* a stream as it is wanted */
    const char *name, *dictionary;
    unsigned columns;
    int64_t period_ms;
    uint32_t unit_ms;
    const struct series_hint *hints;
};

/* Finds or makes the stream; rows of another shape are sealed first. Not while batches that
 * failed wait to be given again. 0 or a negative errno. */
int commit_stream(struct commit *c, const struct commit_stream *want, uint32_t *ret_number);

/* The database was rolled back or restored: numbers given since then may come a second time, so
 * they get another epoch, and segments numbers that were never used. 0 or a negative errno. */
int commit_new_epoch(struct commit *c);

/* Begins a chapter with the next entry: no segment goes on into it. 0 or a negative errno. */
int commit_chapter(struct commit *c, int64_t now_ms);

/* Deletes entries up to `seq` and what is said of them, and the chapters below `chapter`. 0 or
 * a negative errno. */
int commit_trim(struct commit *c, uint64_t seq, uint64_t chapter);

/* Deletes the entries from..to of a kind (enum store_kind), whatever waits for them, and stores
 * `event`, as in store_batch_event, in the same transaction; NULL: none. 0 or a negative errno.
 */
int commit_lose(struct commit *c, uint64_t from, uint64_t to, int kind, const char *event);

/* After a failure: makes memory agree with the database, so that trimming may make the room
 * that the batches lack. They are still to be given again. 0 or a negative errno. */
int commit_recover(struct commit *c);
