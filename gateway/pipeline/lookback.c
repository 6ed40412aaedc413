/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a restart the chain goes on where the log ends: the newest rows of every stream are
 * judged once more, and what comes of it is thrown away but for the state. So the first sample
 * is no first one, a spike across the restart is seen as one, and the row that was open gets
 * its final flags.
 *
 * Not restored: peers (they come with the next scans), rows that wait for the clock, and what
 * lies further back than the budget of rows. A stream whose newest row is older than a gap is
 * left alone: its next sample begins anew in any case.
 */
#include <errno.h>
#include <string.h>

#include "gateway/pipeline/internal.h"

enum {
    ROWS_MAX = 4000,     /* of one stream: more than an hour at 1 s */
    CELLS_MAX = 4000000, /* of all: half a second of a slow machine */
};

struct look {
    struct pipeline *p;
    const struct channel_stream *stream;
    uint32_t layout;
    int64_t newest_ms; /* of the rows read; 0: none */
};

static void judge_again(struct pipeline *p, uint32_t channel, int64_t time_ms,
                        const struct series_cell *cell)
{
    struct qc_state *st = &p->qc[channel];
    struct sample s = {
        .time_ms = time_ms,
        .channel = channel,
        .value = series_value(cell),
        .verdict = verdict_from_flag(cell->flag),
    };
    const struct verdict known = s.verdict;

    qc_step(&p->o->channels[channel].qc, st, s.value, &s);
    st->now.sample.verdict = known; /* it was given once, and stands */
    s.verdict = known;
    look_note(p, &s);
    watches_learn(p, &s);
    look_learn(p, &s);
}

static bool on_row(void *user, int64_t time_ms, const struct series_cell *cells,
                   unsigned columns, uint32_t layout)
{
    struct look *l = user;

    if (layout != l->layout || columns != l->stream->n)
        return true; /* of another configuration */
    for (uint32_t i = 0; i < columns; i++)
        judge_again(l->p, l->stream->first + i, time_ms, &cells[i]);
    memcpy(&l->p->last_cells[l->stream->first], cells, columns * sizeof *cells);
    l->newest_ms = time_ms;
    return true;
}

static int64_t span_of(const struct pipeline *p, const struct channel_stream *s, int64_t rows)
{
    int64_t longest = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        const int64_t span_ms = qc_lookback(&p->o->channels[s->first + i].qc);
        if (span_ms > longest)
            longest = span_ms;
        if (watches_lookback(p, s->first + i) > longest)
            longest = watches_lookback(p, s->first + i);
        if (look_back(p, s->first + i) > longest)
            longest = look_back(p, s->first + i);
    }
    return longest < rows * s->period_ms ? longest : rows * s->period_ms;
}

/* Equal values are counted as read: where they are converted they are in a stream of their own.
 */
static bool on_raw_row(void *user, int64_t time_ms, const struct series_cell *cells,
                       unsigned columns, uint32_t layout)
{
    const struct look *l = user;
    const struct pipeline *p = l->p;
    const struct pipeline_device *d = p->o->devices;

    (void)time_ms, (void)layout;
    while (&p->o->table->streams[d->stream] != l->stream)
        d++;
    for (uint32_t i = 0; i < columns && i < d->raw_n; i++) {
        struct qc_stuck_state *st = &p->qc[d->channel_of[d->raw_points[i]]].stuck;
        const struct decimal raw = series_value(&cells[i]);
        st->raw_v = raw.v;
        st->raw_e = raw.e;
    }
    return true;
}

static int look_at_raw(struct pipeline *p, struct look *l)
{
    int rc = 0;

    for (size_t i = 0; i < p->o->devices_n && rc == 0; i++) {
        const struct pipeline_device *d = &p->o->devices[i];
        if (d->raw_n && &p->o->table->streams[d->stream] == l->stream)
            rc = store_read_rows(p->reader, d->raw_stream, l->newest_ms, l->newest_ms + 1,
                                 on_raw_row, l);
    }
    return rc;
}

static void take_up(struct pipeline *p, uint32_t stream, int64_t newest_ms)
{
    const struct channel_stream *s = &p->o->table->streams[stream];
    struct last_row *last = &p->streams[stream].last;

    last->judged_ms = last->time_ms = newest_ms;
    for (uint32_t i = 0; i < s->n; i++)
        last->is_open |= !p->qc[s->first + i].now.is_final;
}

static int look_at(struct pipeline *p, uint32_t stream, int64_t newest_ms, int64_t rows)
{
    struct look l = { .p = p, .stream = &p->o->table->streams[stream] };
    const uint32_t number = l.stream->number;

    l.layout = store_read_stream_layout(p->reader, number);
    int rc = store_read_rows(p->reader, number, newest_ms - span_of(p, l.stream, rows),
                             newest_ms + 1, on_row, &l);
    if (rc < 0 || l.newest_ms == 0)
        return rc;
    take_up(p, stream, l.newest_ms);
    return look_at_raw(p, &l);
}

int lookback(struct pipeline *p)
{
    const struct channel_table *t = p->o->table;
    const struct timeline *clock = p->o->timeline;
    const int64_t share = CELLS_MAX / (int64_t)(t->n + 1),
                  rows = share < ROWS_MAX ? share : ROWS_MAX;
    int rc = 0;

    for (uint32_t i = 0; i < t->streams_n && rc == 0; i++) {
        const struct stream_state *s = &p->streams[i];
        const int64_t newest_ms = s->times.newest_ms;
        const int64_t now_ms = clock ? timeline_at(clock, clock->reading.boot_ms) : newest_ms;
        if (s->is_statistic || t->streams[i].n == 0 || newest_ms == 0 || now_ms < newest_ms ||
            now_ms - newest_ms > s->last.wait_ms)
            continue;
        rc = look_at(p, i, newest_ms, rows);
    }
    return rc;
}
