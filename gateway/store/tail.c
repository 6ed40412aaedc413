/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/store/journal.h"

enum {
    JOURNAL_MAX = 64 << 20, /* bytes of one blob: twice what the queue of batches can hold */
    ROWS_FIRST = 8,         /* of a stream that begins */
    BLOBS_MAX = 256,        /* kept for a row that is open for long; then it is written again */
};

int tail_init(struct tail *t, struct db *db, const struct tail_options *o)
{
    *t = (struct tail){
        .db = db, .opt = *o, .journal = BUF_INIT(JOURNAL_MAX), .scratch = BUF_INIT(JOURNAL_MAX)
    };
    t->frame = malloc(SERIES_FRAME_MAX);
    if (!t->frame || series_workspace_create(&t->work) < 0) {
        free(t->frame);
        t->frame = NULL;
        return -ENOMEM;
    }
    return 0;
}

static void stream_destroy(struct tail_stream *s)
{
    if (!s)
        return;
    series_encoder_destroy(s->encoder);
    free(s->time_ms);
    free(s->cells);
    free(s->hints);
    free(s);
}

void tail_done(struct tail *t)
{
    for (size_t i = 0; i < t->streams_n; i++)
        stream_destroy(t->streams[i]);
    free(t->streams);
    free(t->touched);
    free(t->frame);
    series_workspace_destroy(t->work);
    buf_done(&t->journal);
    buf_done(&t->scratch);
}

struct tail_stream *tail_stream(const struct tail *t, uint32_t number)
{
    return number < t->streams_n ? t->streams[number] : NULL;
}

/* ---- streams ---- */

static int reserve_numbers(struct tail *t, uint32_t number)
{
    if (number >= TAIL_STREAMS_MAX)
        return -ENOSPC;
    if (number < t->streams_n)
        return 0;

    size_t n = (size_t)number + 64;
    struct tail_stream **streams = realloc(t->streams, n * sizeof *streams);
    if (!streams)
        return -ENOMEM;
    memset(streams + t->streams_n, 0, (n - t->streams_n) * sizeof *streams);
    t->streams = streams;
    uint32_t *touched = realloc(t->touched, n * sizeof *touched);
    if (!touched)
        return -ENOMEM;
    t->touched = touched;
    t->streams_n = n;
    return 0;
}

/* How many rows a frame takes: as wished, while any cells fit. */
static unsigned frame_rows(const struct tail *t, unsigned columns)
{
    unsigned fit = TAIL_FRAME_CELLS_MAX / columns;
    unsigned rows = t->opt.seal_rows < fit ? t->opt.seal_rows : fit;

    if (rows > SERIES_SEGMENT_ROWS_MAX)
        rows = SERIES_SEGMENT_ROWS_MAX;
    return rows > 0 ? rows : 1;
}

static void forget_rows(struct tail_stream *s)
{
    s->rows = s->journaled = 0;
    s->is_touched = s->is_open = false;
}

bool tail_has_shape(const struct tail_stream *s, const struct tail_stream *shape)
{
    return s->columns == shape->columns && s->layout == shape->layout &&
           s->period_ms == shape->period_ms && s->unit_ms == shape->unit_ms;
}

static int take_hints(struct tail_stream *s, const struct series_hint *hints, unsigned columns)
{
    struct series_hint *copy = NULL;

    if (hints) {
        copy = calloc(columns, sizeof *copy);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, hints, columns * sizeof *copy);
    }
    free(s->hints);
    s->hints = copy;
    return 0;
}

/* The rows' memory comes with the first row: most streams of an old log never get one. */
static void reshape(struct tail *t, struct tail_stream *s, const struct tail_stream *shape)
{
    t->dense_columns -= s->encoder && s->is_dense ? s->columns : 0;
    series_encoder_destroy(s->encoder);
    free(s->time_ms);
    free(s->cells);
    s->encoder = NULL;
    s->time_ms = NULL;
    s->cells = NULL;
    s->cap = 0;
    s->columns = shape->columns;
    s->layout = shape->layout;
    s->period_ms = shape->period_ms;
    s->unit_ms = shape->unit_ms;
    s->is_local = shape->is_local;
    s->rows_max = frame_rows(t, s->columns);
}

int tail_shape(struct tail *t, const struct tail_stream *shape, const struct series_hint *hints)
{
    int rc = reserve_numbers(t, shape->number);

    if (rc < 0)
        return rc;
    struct tail_stream *s = t->streams[shape->number];
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s)
            return -ENOMEM;
        s->number = shape->number;
        s->segment_next = 1;
        t->streams[shape->number] = s;
    }
    if (!tail_has_shape(s, shape))
        reshape(t, s, shape);
    return hints ? take_hints(s, hints, shape->columns) : 0;
}

/* ---- rows ---- */

/* Room for `rows` more. Of thousands of streams that have a row now and then, none needs that
 * of a whole frame. An earlier run may have left more than a frame of this one. */
static int reserve_rows(struct tail_stream *s, unsigned rows)
{
    unsigned wanted = s->rows + rows, need = s->cap ? s->cap : ROWS_FIRST;

    if (wanted <= s->cap)
        return 0;
    while (need < wanted)
        need *= 2;
    if (need > s->rows_max && wanted <= s->rows_max)
        need = s->rows_max;
    int64_t *time_ms = realloc(s->time_ms, need * sizeof *time_ms);
    if (!time_ms)
        return -ENOMEM;
    s->time_ms = time_ms;
    struct series_cell *cells = realloc(s->cells, (size_t)need * s->columns * sizeof *cells);
    if (!cells)
        return -ENOMEM;
    s->cells = cells;
    s->cap = need;
    return 0;
}

static void touch(struct tail *t, struct tail_stream *s)
{
    if (s->is_touched)
        return;
    s->is_touched = true;
    t->touched[t->touched_n++] = s->number;
}

static void take_row(struct tail_stream *s, int64_t time_ms, const struct series_cell *cells,
                     int64_t now_ms)
{
    if (s->rows == 0)
        s->since_ms = now_ms;
    s->last_since_ms = now_ms;
    s->time_ms[s->rows] = time_ms;
    memcpy(s->cells + (size_t)s->rows * s->columns, cells, s->columns * sizeof *cells);
    s->rows++;
}

static bool is_far(const struct tail_stream *s, int64_t time_ms)
{
    return time_ms - s->time_ms[0] > TAIL_FRAME_SPAN_MS ||
           s->time_ms[0] - time_ms > TAIL_FRAME_SPAN_MS;
}

static void open_last(struct tail_stream *s, int64_t wait_ms, int64_t now_ms)
{
    s->is_open = wait_ms > 0;
    s->wait_ms = wait_ms;
    s->open_until_ms = now_ms + wait_ms;
}

int tail_append(struct tail *t, struct tail_stream *s, int64_t time_ms,
                const struct series_cell *cells, int64_t wait_ms, int64_t now_ms)
{
    s->is_open = false;
    int rc =
        s->rows > 0 && (s->rows >= s->rows_max || is_far(s, time_ms)) ? tail_seal(t, s) : 0;

    if (rc == 0)
        rc = reserve_rows(s, 1);
    if (rc < 0)
        return rc;
    take_row(s, time_ms, cells, now_ms);
    open_last(s, wait_ms, now_ms);
    touch(t, s);
    t->rows++;
    t->samples += s->is_local ? 0 : s->columns;
    return s->rows == s->rows_max && !s->is_open ? tail_seal(t, s) : 0;
}

/* A row in the table pending is written there again. */
static bool change_last(struct tail_stream *s, const struct series_cell *cells)
{
    struct series_cell *last = s->cells + (size_t)(s->rows - 1) * s->columns;
    bool is_changed = false;

    for (unsigned i = 0; i < s->columns; i++) {
        is_changed |= last[i].flag != cells[i].flag;
        last[i].flag = cells[i].flag;
    }
    if (is_changed && s->journaled == s->rows)
        s->journaled--;
    return is_changed;
}

int tail_final(struct tail *t, struct tail_stream *s, int64_t time_ms,
               const struct series_cell *cells)
{
    if (!s->is_open || s->rows == 0 || s->time_ms[s->rows - 1] != time_ms)
        return 0;
    s->is_open = false;
    if (change_last(s, cells))
        touch(t, s);
    return s->rows == s->rows_max ? tail_seal(t, s) : 0;
}

/* ---- journal ---- */

static void journal_stream(struct tail *t, struct tail_stream *s)
{
    unsigned from = s->journaled;

    s->is_touched = false;
    if (s->rows == from)
        return;
    if (from == 0)
        s->pending_first = t->pending_next;
    s->pending_last = t->pending_next;
    journal_put(&t->journal, &t->scratch,
                &(struct journal_rows){ .stream = s->number,
                                        .first = s->rows_sealed + from,
                                        .rows = s->rows - from,
                                        .columns = s->columns,
                                        .wait_ms = s->is_open ? s->wait_ms : 0,
                                        .time_ms = s->time_ms + from,
                                        .cells = s->cells + (size_t)from * s->columns });
    s->journaled = s->rows;
}

static int64_t oldest_pending(const struct tail *t)
{
    int64_t oldest = t->pending_next;

    for (size_t i = 0; i < t->streams_n; i++) {
        const struct tail_stream *s = t->streams[i];
        if (s && s->journaled > 0 && s->pending_first < oldest)
            oldest = s->pending_first;
    }
    return oldest;
}

/* A row may be open for days, and all blobs behind the oldest that is needed are kept. Such a
 * row is alone: those before it went into a frame. */
static void renew_open_rows(struct tail *t)
{
    for (size_t i = 0; i < t->streams_n; i++) {
        struct tail_stream *s = t->streams[i];
        if (!s || !s->is_open || s->rows != 1 || s->journaled != 1 ||
            t->pending_next - s->pending_first < BLOBS_MAX)
            continue;
        s->journaled = 0;
        touch(t, s);
    }
}

int tail_journal(struct tail *t)
{
    buf_clear(&t->journal);
    renew_open_rows(t);
    for (size_t i = 0; i < t->touched_n; i++)
        journal_stream(t, t->streams[t->touched[i]]);
    t->touched_n = 0;
    if (t->journal.has_failed)
        return -ENOMEM;

    int rc = db_run(t->db, SQL_PENDING_TRIM, DB_VALUES(db_int(oldest_pending(t))));
    if (rc < 0 || t->journal.size == 0)
        return rc;
    return db_run(
        t->db, SQL_PENDING_ADD,
        DB_VALUES(db_int(t->pending_next++), db_blob(t->journal.data, t->journal.size)));
}

void tail_close_rows(struct tail *t)
{
    for (size_t i = 0; i < t->streams_n; i++)
        if (t->streams[i])
            t->streams[i]->is_open = false;
}

/* ---- from the database ---- */

static int load_counters(struct tail *t)
{
    sqlite3_stmt *st = db_query(t->db, SQL_LOG_GET, NULL, 0);
    int rc = db_step(st);

    if (rc <= 0)
        return rc < 0 ? rc : -EBADMSG;
    t->epoch = (uint64_t)sqlite3_column_int64(st, 0);
    t->commits = (uint64_t)sqlite3_column_int64(st, 1);
    t->seq_last = (uint64_t)sqlite3_column_int64(st, 2);
    t->samples = (uint64_t)sqlite3_column_int64(st, 3);
    t->rows = (uint64_t)sqlite3_column_int64(st, 4);
    t->events = (uint64_t)sqlite3_column_int64(st, 5);
    sqlite3_reset(st);

    int64_t id = 0;
    rc = db_number(t->db, SQL_PENDING_LAST, NULL, 0, 0, &id);
    t->pending_next = id + 1;
    return rc;
}

static int load_stream(struct tail *t, sqlite3_stmt *st)
{
    int64_t number = sqlite3_column_int64(st, 0), columns = sqlite3_column_int64(st, 1);
    struct tail_stream shape = {
        .number = (uint32_t)number,
        .columns = (unsigned)columns,
        .period_ms = sqlite3_column_int64(st, 2),
        .unit_ms = (uint32_t)sqlite3_column_int64(st, 3),
        .layout = (uint32_t)sqlite3_column_int64(st, 4),
        .is_local = sqlite3_column_int(st, 7) != 0,
    };

    if (number < 1 || number > UINT32_MAX || columns < 1 || columns > SERIES_COLUMNS_MAX)
        return -EBADMSG;
    int rc = tail_shape(t, &shape, NULL);
    if (rc < 0)
        return rc;
    struct tail_stream *s = t->streams[shape.number];
    forget_rows(s);
    s->needs_key = true;
    s->rows_sealed = (uint64_t)sqlite3_column_int64(st, 5);
    s->segment_next = (uint32_t)sqlite3_column_int64(st, 6);
    return 0;
}

static int load_streams(struct tail *t)
{
    sqlite3_stmt *st = db_query(t->db, SQL_STREAMS, NULL, 0);
    int rc;

    while ((rc = db_step(st)) > 0) {
        rc = load_stream(t, st);
        if (rc < 0) {
            sqlite3_reset(st);
            return rc;
        }
    }
    return rc;
}

/* The number follows, or it is the last one's once more: a row that was open, with its flags.
 */
static int load_row(struct tail_stream *s, const struct journal_record *r, uint64_t number,
                    int64_t time_ms, const struct series_cell *cells)
{
    const uint64_t next = s->rows_sealed + s->rows;

    if (r->columns != s->columns || number > next || number + 1 < next ||
        (number == next && (size_t)s->rows * s->columns >= TAIL_FRAME_CELLS_MAX))
        return -EBADMSG;
    s->rows -= number < next;
    take_row(s, time_ms, cells, INT64_MIN);
    return 0;
}

/* The rows of one record that are in no frame. */
static int load_record(struct tail *t, struct journal_record *r, int64_t id)
{
    struct tail_stream *s = tail_stream(t, r->stream);
    struct series_cell cells[SERIES_COLUMNS_MAX];
    int64_t time_ms = 0;
    int rc = s ? reserve_rows(s, r->rows) : 0;

    for (unsigned i = 0; rc == 0 && s && i < r->rows; i++) {
        rc = journal_row(r, &time_ms, cells);
        if (rc < 0 || r->first + i < s->rows_sealed)
            continue;
        rc = load_row(s, r, r->first + i, time_ms, cells);
        if (rc == 0 && s->rows == 1)
            s->pending_first = id;
        s->pending_last = id;
        s->journaled = s->rows;
    }
    if (s && r->first + r->rows > s->rows_sealed) /* else a frame took its open row as it was */
        open_last(s, r->wait_ms, mono_ms());
    return rc;
}

static int load_blob(struct tail *t, sqlite3_stmt *st)
{
    const uint8_t *p = sqlite3_column_blob(st, 1);
    int64_t id = sqlite3_column_int64(st, 0);
    struct journal_record r;
    int rc;

    if (!p) /* none is empty */
        return -ENOMEM;
    const uint8_t *end = p + sqlite3_column_bytes(st, 1);
    while ((rc = journal_next(&p, end, &r)) > 0) {
        rc = load_record(t, &r, id);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int load_rows(struct tail *t)
{
    sqlite3_stmt *st = db_query(t->db, SQL_PENDING, NULL, 0);
    int rc;

    while ((rc = db_step(st)) > 0) {
        rc = load_blob(t, st);
        if (rc < 0) {
            sqlite3_reset(st);
            return rc;
        }
    }
    return rc;
}

int tail_load(struct tail *t)
{
    int rc = load_counters(t);

    for (size_t i = 0; i < t->streams_n; i++)
        if (t->streams[i])
            forget_rows(t->streams[i]);
    t->touched_n = 0;
    if (rc == 0)
        rc = load_streams(t);
    return rc == 0 ? load_rows(t) : rc;
}
