/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into frames, and when. */
#include <errno.h>
#include <string.h>

#include "gateway/store/tail.h"

/* DENSE costs 6 KB a column: streams get it in the order of their first frames until so many
 * columns have it. */
static int reserve_encoder(struct tail *t, struct tail_stream *s)
{
    if (s->encoder)
        return 0;

    s->is_dense = t->dense_columns + s->columns <= t->opt.dense_columns_max;
    int rc =
        series_encoder_create(s->number, s->is_dense ? SERIES_DENSE : SERIES_PLAIN, s->columns,
                              s->layout, s->period_ms, s->unit_ms, s->hints, &s->encoder);
    if (rc < 0)
        return rc;
    t->dense_columns += s->is_dense ? s->columns : 0;
    series_encoder_share(s->encoder, t->work);
    return 0;
}

struct frame { /* the first rows of a stream, as they go into one */
    unsigned rows;
    int64_t t_first, t_last; /* earliest and latest */
};

static struct frame frame_of(const struct tail_stream *s, unsigned rows)
{
    struct frame f = { rows, s->time_ms[0], s->time_ms[0] };

    for (unsigned i = 1; i < rows; i++) {
        if (s->time_ms[i] < f.t_first)
            f.t_first = s->time_ms[i];
        if (s->time_ms[i] > f.t_last)
            f.t_last = s->time_ms[i];
    }
    return f;
}

static int put_frame(struct tail *t, const struct tail_stream *s, const struct frame *f,
                     size_t size)
{
    struct series_info info;

    if (series_peek(t->frame, size, &info) < 0)
        return -EIO;
    t->seq_last++;
    return db_run(t->db, SQL_FRAME_ADD,
                  DB_VALUES(db_int((int64_t)t->seq_last), db_int(s->number),
                            db_int(info.segment), db_int(info.seq), db_int(f->t_first),
                            db_int(f->t_last), db_int((int64_t)f->rows * s->columns),
                            db_int(s->is_local), db_blob(t->frame, size)));
}

/* The first rows are in a frame; one more at most is left, the open one. */
static void drop_rows(struct tail_stream *s, unsigned n)
{
    const bool is_journaled = s->journaled > n;

    s->rows_sealed += n;
    s->rows -= n;
    s->journaled = is_journaled;
    s->pending_first = s->pending_last;
    s->since_ms = s->last_since_ms;
    if (s->rows == 0) {
        s->is_open = false;
        return;
    }
    s->time_ms[0] = s->time_ms[n];
    memcpy(s->cells, s->cells + (size_t)n * s->columns, s->columns * sizeof *s->cells);
}

static int seal_first(struct tail *t, struct tail_stream *s, unsigned n)
{
    int rc = reserve_encoder(t, s);

    if (rc < 0)
        return rc;
    const struct frame f = frame_of(s, n);
    bool is_key = s->needs_key || !series_may_continue(s->encoder, n, f.t_first) ||
                  !series_may_continue(s->encoder, n, f.t_last);
    long size = series_encode(s->encoder, is_key, s->segment_next, s->time_ms, s->cells, n,
                              t->frame, SERIES_FRAME_MAX);
    if (size < 0)
        return (int)size;
    s->needs_key = false;
    s->segment_next += is_key;
    rc = put_frame(t, s, &f, (size_t)size);
    drop_rows(s, n);
    if (rc == 0)
        rc = db_run(t->db, SQL_STREAM_SEALED,
                    DB_VALUES(db_int((int64_t)s->rows_sealed), db_int(s->segment_next),
                              db_int(s->number)));
    return rc;
}

int tail_seal(struct tail *t, struct tail_stream *s)
{
    return s->rows > 0 ? seal_first(t, s, s->rows) : 0;
}

static unsigned closed_rows(const struct tail_stream *s, int64_t now_ms)
{
    return s->rows - (s->is_open && now_ms < s->open_until_ms);
}

int tail_seal_due(struct tail *t, int64_t since_ms, int64_t now_ms)
{
    int rc = 0;

    for (size_t i = 0; i < t->streams_n && rc == 0; i++) {
        struct tail_stream *s = t->streams[i];
        const unsigned n = s && s->since_ms <= since_ms ? closed_rows(s, now_ms) : 0;
        if (n > 0)
            rc = seal_first(t, s, n);
    }
    return rc;
}

void tail_end_segments(struct tail *t)
{
    for (size_t i = 0; i < t->streams_n; i++)
        if (t->streams[i])
            t->streams[i]->needs_key = true;
}

int64_t tail_seal_at(const struct tail *t, int64_t seal_ms)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < t->streams_n; i++) {
        const struct tail_stream *s = t->streams[i];
        if (!s || s->rows == 0)
            continue;
        int64_t at = s->since_ms + seal_ms;
        if (s->rows == 1 && s->is_open && s->open_until_ms > at)
            at = s->open_until_ms;
        if (at < first)
            first = at;
    }
    return first;
}
