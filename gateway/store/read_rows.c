/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of one stream by time. First the rows in no frame are copied, with the number of the
 * newest entry, in one short transaction; then the frames up to that entry are decoded, segment
 * by segment; so a row that is sealed meanwhile is seen once.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/journal.h"
#include "gateway/store/reader.h"
#include "gateway/store/tail.h"

/* Beyond any time of a row, and far enough from overflow. */
#define TIME_LIMIT (INT64_C(1) << 52)

struct span { /* a segment, and the last frame of it that matters */
    uint32_t segment, last;
};

struct query {
    struct store_reader *r;
    uint32_t stream;
    int64_t from, to; /* from <= time < to */
    int64_t seq_last;
    unsigned columns; /* of the rows in no frame */
    uint32_t layout;
    uint64_t rows_sealed;
    uint64_t next;      /* number of the next row in no frame */
    bool has_last;      /* the one before was copied */
    bool is_for_newest; /* nothing is copied, only the newest time is wanted */
    int64_t newest;
    bool (*each)(void *user, int64_t time_ms, const struct series_cell *cells, unsigned columns,
                 uint32_t layout);
    unsigned (*wanted)(void *user, uint32_t layout); /* leading columns; NULL: all */
    bool (*each_entry)(void *user, const struct store_entry *e);
    void *user;
    bool is_stopped;
};

/* ---- rows in no frame ---- */

static int reserve(struct store_reader *r, size_t rows, unsigned columns)
{
    if (rows > r->time_cap) {
        size_t cap = rows * 2;
        int64_t *time_ms = realloc(r->time_ms, cap * sizeof *time_ms);
        if (!time_ms)
            return -ENOMEM;
        r->time_ms = time_ms;
        r->time_cap = cap;
    }
    if (rows * columns > r->cells_cap) {
        size_t cap = rows * columns * 2;
        struct series_cell *cells = realloc(r->cells, cap * sizeof *cells);
        if (!cells)
            return -ENOMEM;
        r->cells = cells;
        r->cells_cap = cap;
    }
    return 0;
}

static int copy_row(struct query *q, int64_t time_ms, const struct series_cell *cells)
{
    struct store_reader *r = q->r;

    if (time_ms > q->newest)
        q->newest = time_ms;
    q->has_last = !q->is_for_newest && time_ms >= q->from && time_ms < q->to;
    if (!q->has_last)
        return 0;
    int rc = reserve(r, r->rows + 1, q->columns);
    if (rc < 0)
        return rc;
    memcpy(r->cells + r->rows * q->columns, cells, q->columns * sizeof *cells);
    r->time_ms[r->rows++] = time_ms;
    return 0;
}

static int copy_record(struct query *q, struct journal_record *rec)
{
    struct series_cell cells[SERIES_COLUMNS_MAX];
    int64_t time_ms = 0;

    if (rec->stream != q->stream || rec->columns != q->columns ||
        rec->first + rec->rows <= q->rows_sealed)
        return 0;
    for (unsigned i = 0; i < rec->rows; i++) {
        int rc = journal_row(rec, &time_ms, cells);
        if (rc < 0)
            return rc;
        if (rec->first + i < q->rows_sealed)
            continue;
        if (rec->first + i < q->next) /* the last one once more, its flags are final now */
            q->r->rows -= q->has_last;
        rc = copy_row(q, time_ms, cells);
        if (rc < 0)
            return rc;
        q->next = rec->first + i + 1;
    }
    return 0;
}

static int copy_blob(struct query *q, sqlite3_stmt *st)
{
    const uint8_t *p = sqlite3_column_blob(st, 1);
    struct journal_record rec;
    int rc;

    if (!p)
        return -ENOMEM;
    const uint8_t *end = p + sqlite3_column_bytes(st, 1);
    while ((rc = journal_next(&p, end, &rec)) > 0) {
        rc = copy_record(q, &rec);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int copy_pending(struct query *q)
{
    sqlite3_stmt *st = db_query(&q->r->db, SQL_PENDING, NULL, 0);
    int rc;

    while ((rc = db_step(st)) > 0) {
        rc = copy_blob(q, st);
        if (rc < 0) {
            sqlite3_reset(st);
            return rc;
        }
    }
    return rc;
}

/* 1 when there is such a stream. */
static int get_stream(struct query *q)
{
    sqlite3_stmt *st = db_query(&q->r->db, SQL_STREAM_GET, DB_VALUES(db_int(q->stream)));
    int rc = db_step(st);

    if (rc <= 0)
        return rc;
    q->columns = (unsigned)sqlite3_column_int(st, 0);
    q->layout = (uint32_t)sqlite3_column_int64(st, 1);
    q->rows_sealed = (uint64_t)sqlite3_column_int64(st, 2);
    sqlite3_reset(st);
    return 1;
}

/* One moment of the log. 1 when there is such a stream. */
static int take_snapshot(struct query *q)
{
    struct db *db = &q->r->db;
    int rc = db_run(db, SQL_BEGIN_READ, NULL, 0);

    if (!q->is_for_newest)
        q->r->rows = 0;
    if (rc < 0)
        return rc;
    int found = get_stream(q);
    rc = found < 0 ? found : db_number(db, SQL_LOG_LAST, NULL, 0, 0, &q->seq_last);
    if (rc == 0 && found)
        rc = copy_pending(q);
    db_run(db, SQL_COMMIT, NULL, 0);
    return rc < 0 ? rc : found;
}

static void deliver_pending(struct query *q)
{
    const struct store_reader *r = q->r;

    for (size_t i = 0; i < r->rows && !q->is_stopped; i++)
        q->is_stopped =
            !q->each(q->user, r->time_ms[i], r->cells + i * q->columns, q->columns, q->layout);
}

/* ---- frames ---- */

/* The segments with rows of that time, in order; *ret is freed by the caller. */
static int find_spans(struct query *q, struct span **ret, size_t *ret_n)
{
    sqlite3_stmt *st = db_query(&q->r->db, SQL_SPANS,
                                DB_VALUES(db_int(q->stream), db_int(q->from),
                                          db_int(q->to + 2 * TAIL_FRAME_SPAN_MS), db_int(q->to),
                                          db_int(q->seq_last)));
    struct span *spans = NULL;
    size_t n = 0, cap = 0;
    int rc;

    while ((rc = db_step(st)) > 0) {
        if (n == cap) {
            cap = cap ? cap * 2 : 64;
            struct span *grown = realloc(spans, cap * sizeof *spans);
            if (!grown) {
                sqlite3_reset(st);
                free(spans);
                return -ENOMEM;
            }
            spans = grown;
        }
        spans[n++] = (struct span){ (uint32_t)sqlite3_column_int64(st, 0),
                                    (uint32_t)sqlite3_column_int64(st, 1) };
    }
    if (rc < 0) {
        free(spans);
        return rc;
    }
    *ret = spans;
    *ret_n = n;
    return 0;
}

static void deliver_frame(struct query *q, const struct series_frame *f)
{
    const struct series_cell *cells = f->cells;

    for (unsigned i = 0; i < f->info.rows && !q->is_stopped; i++, cells += f->info.columns)
        if (f->time_ms[i] >= q->from && f->time_ms[i] < q->to)
            q->is_stopped =
                !q->each(q->user, f->time_ms[i], cells, f->info.columns, f->info.layout);
}

/* Which columns of the segment that begins. False: none. */
static bool choose_columns(const struct query *q, const struct store_entry *key)
{
    struct series_info info;
    unsigned columns = UINT_MAX;

    if (q->wanted && series_peek(key->data, key->size, &info) == 0)
        columns = q->wanted(q->user, info.layout);
    series_decoder_limit(q->r->decoder, columns);
    return columns > 0;
}

/* Decodes a chunk of a segment. 1 when the segment ends here: it cannot be decoded further. */
static int deliver_chunk(struct query *q, const struct chunk *c)
{
    for (unsigned i = 0; i < c->n && !q->is_stopped; i++) {
        const struct store_entry *e = &c->entries[i];
        struct series_frame f;
        if (e->frame_seq == 0 && !choose_columns(q, e))
            return 1;
        int rc = series_decode(q->r->decoder, e->data, e->size, &f);
        if (rc < 0)
            return rc == -ENOMEM ? rc : 1;
        if (e->t_last >= q->from && e->t_first < q->to)
            deliver_frame(q, &f);
    }
    return 0;
}

/* What becomes of each chunk of a segment: 1 ends the segment. */
typedef int take_chunk(struct query *q, const struct chunk *c);

static int walk_segment(struct query *q, const struct span *span, take_chunk *take)
{
    struct chunk *c = &q->r->frames;
    uint32_t next = 0;
    int rc;

    do {
        rc = chunk_fill(c, db_query(&q->r->db, SQL_SEGMENT,
                                    DB_VALUES(db_int(q->stream), db_int(span->segment),
                                              db_int(next), db_int(span->last))));
        if (rc == 0 && c->n > 0) {
            next = c->entries[c->n - 1].frame_seq + 1;
            rc = take(q, c);
        }
    } while (rc == 0 && c->is_full && !q->is_stopped);
    return rc < 0 ? rc : 0;
}

static int walk_frames(struct query *q, take_chunk *take)
{
    struct span *spans;
    size_t n;
    int rc = find_spans(q, &spans, &n);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n && rc == 0 && !q->is_stopped; i++)
        rc = walk_segment(q, &spans[i], take);
    free(spans);
    return rc;
}

/* ---- */

static int64_t within_limits(int64_t t)
{
    return t > TIME_LIMIT ? TIME_LIMIT : t < -TIME_LIMIT ? -TIME_LIMIT : t;
}

int store_read_columns(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                       unsigned (*wanted)(void *user, uint32_t layout),
                       bool (*each)(void *user, int64_t time_ms,
                                    const struct series_cell *cells, unsigned columns,
                                    uint32_t layout),
                       void *user)
{
    struct query q = {
        .r = r,
        .stream = stream,
        .from = within_limits(t_from),
        .to = within_limits(t_to),
        .wanted = wanted,
        .each = each,
        .user = user,
    };
    int rc = take_snapshot(&q);

    if (rc <= 0)
        return rc;
    rc = walk_frames(&q, deliver_chunk);
    if (rc == 0)
        deliver_pending(&q);
    return rc;
}

int store_read_rows(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                    bool (*each)(void *user, int64_t time_ms, const struct series_cell *cells,
                                 unsigned columns, uint32_t layout),
                    void *user)
{
    return store_read_columns(r, stream, t_from, t_to, NULL, each, user);
}

int store_read_pending(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                       bool (*each)(void *user, int64_t time_ms,
                                    const struct series_cell *cells, unsigned columns,
                                    uint32_t layout),
                       void *user, uint64_t *ret_seq_last)
{
    struct query q = {
        .r = r,
        .stream = stream,
        .from = within_limits(t_from),
        .to = within_limits(t_to),
        .each = each,
        .user = user,
    };
    int rc = take_snapshot(&q);

    if (rc < 0)
        return rc;
    *ret_seq_last = (uint64_t)q.seq_last;
    deliver_pending(&q);
    return 0;
}

static int take_frames(struct query *q, const struct chunk *c)
{
    for (unsigned i = 0; i < c->n && !q->is_stopped; i++)
        q->is_stopped = !q->each_entry(q->user, &c->entries[i]);
    return 0;
}

int store_read_frames(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                      uint64_t seq_last, bool (*each)(void *user, const struct store_entry *e),
                      void *user)
{
    struct query q = {
        .r = r,
        .stream = stream,
        .from = within_limits(t_from),
        .to = within_limits(t_to),
        .seq_last = seq_last > INT64_MAX ? INT64_MAX : (int64_t)seq_last,
        .each_entry = each,
        .user = user,
    };

    return walk_frames(&q, take_frames);
}

uint64_t store_count_frames(struct store_reader *r, uint32_t stream, int64_t t_from,
                            int64_t t_to)
{
    int64_t from = within_limits(t_from), to = within_limits(t_to), n;
    int rc = db_number(&r->db, SQL_FRAME_COUNT,
                       DB_VALUES(db_int(stream), db_int(from),
                                 db_int(to + 2 * TAIL_FRAME_SPAN_MS), db_int(to)),
                       0, &n);

    return rc < 0 ? 0 : (uint64_t)n;
}

int64_t store_read_last_time(struct store_reader *r, uint32_t stream)
{
    struct query q = { .r = r, .stream = stream, .is_for_newest = true, .newest = INT64_MIN };
    int64_t last;

    if (take_snapshot(&q) <= 0 ||
        db_number(&r->db, SQL_TIME_LAST, DB_VALUES(db_int(stream)), INT64_MIN, &last) < 0)
        return 0;
    if (q.newest > last)
        last = q.newest;
    return last == INT64_MIN ? 0 : last;
}

uint32_t store_read_stream_layout(struct store_reader *r, uint32_t stream)
{
    struct query q = { .r = r, .stream = stream };

    return get_stream(&q) > 0 ? q.layout : 0;
}
