/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail - the end of the log as the writer holds it in memory: how far the numbers have got, and
 * of every stream the rows that are not in a frame yet. It is what the database says plus what
 * the open transaction adds; when a transaction fails it is read anew (tail_load). Writer's
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/series/series.h"
#include "gateway/store/db.h"

enum {
    TAIL_STREAMS_MAX = 16384,     /* numbers ever given out in one log */
    TAIL_FRAME_CELLS_MAX = 32768, /* whatever the cells hold, such a frame stays below 1 MiB */
};

/* A frame's rows lie within so much of its first row, as those of a segment do: readers find a
 * frame by the time of its last row. */
#define TAIL_FRAME_SPAN_MS (INT64_C(7) * 86400000)

struct tail_stream {
    uint32_t number, layout, unit_ms;
    unsigned columns;
    int64_t period_ms;
    uint32_t segment_next;
    uint64_t rows_sealed;
    struct series_encoder *encoder; /* NULL until the first frame */
    bool is_dense;                  /* the encoder's codec */
    bool needs_key;
    bool is_local;   /* its frames stay in the station, its cells are not counted as samples */
    bool is_touched; /* has rows that the open transaction brought */
    /* rows not in a frame; of these the first `journaled` are in the table pending */
    int64_t *time_ms;
    struct series_cell *cells;
    unsigned rows, rows_max, cap, journaled;
    int64_t since_ms, last_since_ms; /* monotonic: when the first and the last of them came */
    int64_t pending_first, pending_last; /* the oldest and the newest blob with a row of it */
    /* The last row's flags are not final. It is in no frame until then. */
    bool is_open;
    int64_t wait_ms, open_until_ms; /* monotonic */
    struct series_hint *hints;
};

struct tail_options {
    unsigned seal_rows;         /* rows of a frame, at most */
    unsigned dense_columns_max; /* columns coded DENSE; streams beyond are coded PLAIN */
};

struct tail {
    struct db *db;
    uint64_t epoch, commits, seq_last, samples, rows, events;
    int64_t pending_next;         /* number of the next blob */
    struct tail_stream **streams; /* by number; NULL where there is none */
    size_t streams_n;
    uint32_t *touched;
    size_t touched_n;
    uint64_t dense_columns; /* of the encoders that are there */
    struct tail_options opt;
    struct series_workspace *work;
    uint8_t *frame;
    struct buf journal, scratch;
};

/* Room; reads nothing. 0 or -ENOMEM. */
int tail_init(struct tail *t, struct db *db, const struct tail_options *o);
void tail_done(struct tail *t);

/* Takes everything from the database. Encoders start anew with a key frame. */
int tail_load(struct tail *t);

/* NULL when there is no such stream. */
struct tail_stream *tail_stream(const struct tail *t, uint32_t number);

/* Columns, layout, period and unit are the same: the encoder and its segment may go on. */
bool tail_has_shape(const struct tail_stream *s, const struct tail_stream *shape);

/* What a stream is from now on; its rows must have been sealed. hints may be NULL. 0 or
 * -ENOMEM, -ENOSPC (too many streams). */
int tail_shape(struct tail *t, const struct tail_stream *shape,
               const struct series_hint *hints);

/* ---- within a transaction ---- */

/* Takes a row, sealing those before it where a frame is full. It is open for wait_ms, 0: not.
 * The one before it is open no more. 0 or a negative errno. */
int tail_append(struct tail *t, struct tail_stream *s, int64_t time_ms,
                const struct series_cell *cells, int64_t wait_ms, int64_t now_ms);

/* The open row as it is for good; nothing when there is none of that time. 0 or a negative
 * errno. */
int tail_final(struct tail *t, struct tail_stream *s, int64_t time_ms,
               const struct series_cell *cells);

/* Puts all rows of the stream into a frame. 0 or a negative errno. */
int tail_seal(struct tail *t, struct tail_stream *s);

/* Seals every stream whose oldest row came before `since_ms`; open rows stay until their time
 * is up. */
int tail_seal_due(struct tail *t, int64_t since_ms, int64_t now_ms);

/* Writes what is in no frame to the table pending, drops blobs that are of no use any more. */
int tail_journal(struct tail *t);

/* ---- between transactions ---- */

/* The next frame of every stream begins a segment. */
void tail_end_segments(struct tail *t);

/* When the next frame is due, each `seal_ms` after the first of its rows came; INT64_MAX when
 * no row waits. */
int64_t tail_seal_at(const struct tail *t, int64_t seal_ms);

/* No row is open any more. */
void tail_close_rows(struct tail *t);
