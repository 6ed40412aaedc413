/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics after a restart: open periods are computed again, those up to the hour from the
 * readings in the log, longer ones from the rows of the hours, so that a day costs 24 of them.
 */
#include "gateway/pipeline/statistics.h"

#include <errno.h>

#include "gateway/pipeline/layouts.h"

struct restore {
    struct pipeline *p;
    uint32_t stream; /* its index */
    struct layout_view view;
    int64_t oldest_ms; /* of the rows read, 0: none */
};

static int64_t period_start_of(const struct pipeline *p, int64_t time_ms, int64_t period_ms)
{
    return agg_start_of(time_ms, period_ms, p->o->table->zone_ms);
}

static void note_time(struct restore *r, int64_t time_ms)
{
    time_ms += statistics_lag(r->p, r->stream);
    if (r->oldest_ms == 0 || time_ms < r->oldest_ms)
        r->oldest_ms = time_ms;
}

static bool on_reading(void *user, int64_t time_ms, const struct series_cell *cells,
                       unsigned columns, uint32_t layout)
{
    struct restore *r = user;
    const struct channel_stream *stream = &r->p->o->table->streams[r->stream];
    const struct series_cell *row = layout_view_row(&r->view, cells, columns, layout);

    if (!row)
        return true; /* of quite another configuration */
    note_time(r, time_ms);
    for (uint32_t i = 0; i < stream->n; i++) {
        struct sample s = {
            .time_ms = time_ms,
            .channel = stream->first + i,
            .value = series_value(&row[i]),
            .verdict = verdict_from_flag(row[i].flag),
        };
        if (!layout_view_has(&r->view, layout, i))
            continue;
        statistics_step(r->p, &s);
    }
    return true;
}

static bool on_period(void *user, int64_t time_ms, const struct series_cell *cells,
                      unsigned columns, uint32_t layout)
{
    struct restore *r = user;
    const struct series_cell *row = layout_view_row(&r->view, cells, columns, layout);

    if (!row)
        return true;
    note_time(r, time_ms);
    groups_feed(r->p, r->stream, time_ms, row);
    return true;
}

/* Where every stream had got to; the newest time of a reading, but no later than it is now: the
 * clock may have been ahead for a while. */
static int64_t find_ends(struct pipeline *p)
{
    const struct timeline *t = p->o->timeline;
    int64_t newest_ms = 0;

    for (uint32_t i = 0; i < p->o->table->streams_n; i++) {
        const struct stream_state *st = &p->streams[i];
        times_restore(p, i);
        if (!st->is_statistic && st->times.newest_ms > newest_ms)
            newest_ms = st->times.newest_ms;
    }
    int64_t now_ms = t ? timeline_at(t, t->reading.boot_ms) : newest_ms;
    return now_ms < newest_ms ? now_ms : newest_ms;
}

/* Each statistic stream goes on behind its last row; what lies further back than one period was
 * over before, and is not made up now. */
static void reopen_periods(struct pipeline *p, int64_t newest_ms)
{
    for (uint32_t i = 0; i < p->o->table->streams_n; i++) {
        struct stream_state *st = &p->streams[i];
        const int64_t period_ms = p->o->table->streams[i].period_ms;
        if (!st->is_statistic)
            continue;
        const int64_t open = period_start_of(p, newest_ms, period_ms);
        const bool is_written = times_is_used(p, i, open - period_ms - statistics_lag(p, i));
        st->period_start = is_written ? open : open - period_ms;
    }
}

/* From when on the rows of a stream are needed by the groups that take its channels. */
static int64_t needed_from(const struct pipeline *p, const struct channel_stream *s)
{
    const struct statistics *st = p->statistics;
    int64_t from_ms = INT64_MAX;

    for (uint32_t i = s->first; i < s->first + s->n; i++) {
        const struct followers *f = &p->followers[i];
        for (uint32_t k = 0; k < f->statistics_n; k++) {
            const struct group *g = &st->groups[st->takers[f->statistics_from + k]];
            const int64_t start =
                p->streams[g->stream].period_start - statistics_lag(p, g->stream);
            if (start < from_ms)
                from_ms = start;
        }
    }
    return from_ms;
}

/* The same of a stream of periods; 8 h look back behind their hour. */
static int64_t rows_needed_from(const struct pipeline *p, const struct channel_stream *s)
{
    const struct statistics *st = p->statistics;
    int64_t from_ms = INT64_MAX;

    for (uint32_t i = s->first; i < s->first + s->n; i++) {
        uint32_t at = st->of[i] == NO_GROUP ? NO_GROUP : st->groups[st->of[i]].first;
        for (; at != NO_GROUP; at = st->groups[at].next) {
            const uint32_t stream = st->groups[at].stream;
            const int64_t start = p->streams[stream].period_start - statistics_lag(p, stream);
            if (start < from_ms)
                from_ms = start;
        }
    }
    return from_ms;
}

static int read_stream(struct pipeline *p, uint32_t i, int64_t from_ms, int64_t to_ms,
                       int64_t *ret_oldest_ms)
{
    const uint32_t number = p->o->table->streams[i].number;
    struct restore r = {
        .p = p,
        .stream = i,
        .oldest_ms = *ret_oldest_ms,
    };

    if (p->streams[i].times.newest_ms < from_ms)
        return 0;
    int rc = layout_view_init(&r.view, p, i);
    if (rc == 0)
        rc = store_read_rows(p->reader, number, from_ms, to_ms,
                             p->streams[i].is_statistic ? on_period : on_reading, &r);
    layout_view_done(&r.view);
    *ret_oldest_ms = r.oldest_ms;
    return rc;
}

/* Streams of longer periods stand behind those that they are formed of. */
static int read_all(struct pipeline *p, int64_t newest_ms, int64_t *ret_oldest_ms)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < p->o->table->streams_n; i++) {
        const struct channel_stream *s = &p->o->table->streams[i];
        const int64_t from_ms =
            p->streams[i].is_statistic ? rows_needed_from(p, s) : needed_from(p, s);
        rc = read_stream(p, i, from_ms, newest_ms + 1, ret_oldest_ms);
    }
    return rc;
}

/* The very first period began with the first reading: none before it gets a row. */
static void skip_empty_periods(struct pipeline *p, int64_t oldest_ms)
{
    for (size_t i = 0; i < p->o->table->streams_n; i++) {
        struct stream_state *st = &p->streams[i];
        int64_t first = period_start_of(p, oldest_ms, p->o->table->streams[i].period_ms);
        if (st->is_statistic && st->period_start < first)
            st->period_start = first;
    }
}

int statistics_restore(struct pipeline *p)
{
    int64_t oldest_ms = 0;
    int64_t newest_ms = find_ends(p);
    int rc = 0;

    if (newest_ms) {
        reopen_periods(p, newest_ms);
        rc = read_all(p, newest_ms, &oldest_ms);
        skip_empty_periods(p, oldest_ms);
        p->statistics->is_restored = true;
    }
    return rc;
}
