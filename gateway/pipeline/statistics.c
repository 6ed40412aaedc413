/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics: one row per stream and period, written when the period is over. Nothing of an
 * open period is stored: after a restart it is computed anew from the rows in the log, which
 * costs no write and cannot disagree with them.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/pipeline/internal.h"

/* A row may be handed over a little after its time stamp (line threads): periods close later.
 */
#define GRACE_MS 1000

static int64_t period_start_of(int64_t time_ms, int64_t period_ms)
{
    int64_t rest = time_ms % period_ms;

    return time_ms - (rest < 0 ? rest + period_ms : rest);
}

void statistics_init(struct pipeline *p)
{
    const struct channel_table *t = p->o->table;

    for (size_t i = 0; i < t->n; i++) {
        const struct channel *ch = &t->channels[i];
        if (!ch->statistic)
            continue;
        p->statistics[i].config = (struct agg_config){
            .how = ch->quantity->agg,
            .period_ms = ch->period_ms,
            .interval_ms = t->channels[ch->source].period_ms,
            .valid_share = 0.75,
            .decimals = ch->decimals,
        };
    }
    for (size_t i = 0; i < t->streams_n; i++) {
        const struct channel_stream *s = &t->streams[i];
        p->streams[i].is_statistic = s->n && t->channels[s->first].statistic;
    }
}

void statistics_step(struct pipeline *p, const struct sample *s)
{
    const struct followers *f = &p->followers[s->channel];

    for (uint32_t i = 0; i < f->statistics_n; i++) {
        struct statistic *st = &p->statistics[p->statistic_index[f->statistics_from + i]];
        struct agg_result closed;
        if (agg_step(&st->config, &st->state, s, &closed)) {
            st->closed = closed;
            st->has_closed = true;
        }
    }
}

/* The channel's result for the period, or "no value" when nothing at all came in. */
static struct sample result_of(struct statistic *st, uint32_t channel, int64_t start_ms,
                               int64_t now_ms)
{
    struct agg_result r;
    struct sample none = {
        .time_ms = start_ms,
        .channel = channel,
        .value = DECIMAL_MISSING,
        .verdict = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE },
    };

    if (st->has_closed && st->closed.start_ms == start_ms)
        r = st->closed;
    else if (!agg_close(&st->config, &st->state, now_ms, &r) || r.start_ms != start_ms)
        return none;
    st->has_closed = false;
    return (struct sample){ start_ms, channel, r.value, r.verdict };
}

/* A row that stands already is never written again: the clock went back over it. Rules and live
 * view see the period all the same. */
static void close_period(struct pipeline *p, struct change *c, uint32_t stream, int64_t now_ms)
{
    const struct channel_stream *s = &p->o->table->streams[stream];
    int64_t start_ms = p->streams[stream].period_start;

    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t channel = s->first + i;
        struct sample r = result_of(&p->statistics[channel], channel, start_ms, now_ms);
        p->cells[i] = series_cell_of(r.value, verdict_to_flag(r.verdict));
        if (p->o->on_sample)
            p->o->on_sample(p->o->user, &r);
        alerts_step(p, c, &r);
    }
    if (times_is_used(p, stream, start_ms))
        return;
    times_note(p, stream, start_ms);
    p->counters.statistics += s->n;
    change_row(p, c, &(struct row){ s->number, s->n, 0, start_ms });
}

void statistics_tick(struct pipeline *p, struct change *c, int64_t now_ms)
{
    for (uint32_t i = 0; i < p->o->table->streams_n; i++) {
        const struct channel_stream *s = &p->o->table->streams[i];
        struct stream_state *st = &p->streams[i];
        if (!st->is_statistic)
            continue;

        /* nothing is made up for a period before the first */
        if (st->period_start == 0)
            st->period_start = period_start_of(now_ms, s->period_ms);
        int64_t start = period_start_of(now_ms - GRACE_MS, s->period_ms);
        if (start > st->period_start)
            close_period(p, c, i, now_ms);
        if (start > st->period_start || st->period_start - start > s->period_ms)
            st->period_start = start;
    }
}

/* Readings go on in another period, unless it is the same. */
static void jump_channels(struct pipeline *p, const struct channel_stream *s, int64_t by_ms,
                          bool is_same_period)
{
    for (uint32_t i = 0; i < s->n; i++) {
        struct statistic *st = &p->statistics[s->first + i];
        agg_shift(&st->state, by_ms, is_same_period);
        st->has_closed = false;
    }
}

void statistics_jump(struct pipeline *p, struct change *c, int64_t from_ms, int64_t to_ms)
{
    statistics_tick(p, c, from_ms + GRACE_MS); /* what is over by the old time */
    for (uint32_t i = 0; i < p->o->table->streams_n; i++) {
        const struct channel_stream *s = &p->o->table->streams[i];
        struct stream_state *st = &p->streams[i];
        if (!st->is_statistic || st->period_start == 0)
            continue;
        int64_t start = period_start_of(to_ms, s->period_ms);
        if (start != st->period_start)
            close_period(p, c, i, st->period_start + s->period_ms);
        jump_channels(p, s, to_ms - from_ms, start == st->period_start);
        st->period_start = start;
    }
}

/* ---- after a restart ---- */

struct restore {
    struct pipeline *p;
    const struct channel_stream *stream;
    uint32_t layout;
    int64_t oldest_ms; /* of the rows read, 0: none */
};

static bool on_old_row(void *user, int64_t time_ms, const struct series_cell *cells,
                       unsigned columns, uint32_t layout)
{
    struct restore *r = user;

    if (layout != r->layout || columns != r->stream->n)
        return true; /* of another configuration */
    if (r->oldest_ms == 0 || time_ms < r->oldest_ms)
        r->oldest_ms = time_ms;
    for (uint32_t i = 0; i < columns; i++) {
        struct sample s = {
            .time_ms = time_ms,
            .channel = r->stream->first + i,
            .value = series_value(&cells[i]),
            .verdict = verdict_from_flag(cells[i].flag),
        };
        statistics_step(r->p, &s);
    }
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
 * over before, and is not made up now. Returns from when on readings are needed. */
static int64_t reopen_periods(struct pipeline *p, int64_t newest_ms)
{
    int64_t from_ms = INT64_MAX;

    for (uint32_t i = 0; i < p->o->table->streams_n; i++) {
        struct stream_state *st = &p->streams[i];
        int64_t period_ms = p->o->table->streams[i].period_ms;
        if (!st->is_statistic)
            continue;
        int64_t open = period_start_of(newest_ms, period_ms);
        bool is_written = times_is_used(p, i, open - period_ms);
        st->period_start = is_written ? open : open - period_ms;
        if (st->period_start < from_ms)
            from_ms = st->period_start;
    }
    return from_ms;
}

static int read_readings(struct pipeline *p, int64_t from_ms, int64_t newest_ms,
                         int64_t *ret_oldest_ms)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < p->o->table->streams_n; i++) {
        uint32_t number = p->o->table->streams[i].number;
        struct restore r = {
            .p = p,
            .stream = &p->o->table->streams[i],
            .layout = store_read_stream_layout(p->reader, number),
            .oldest_ms = *ret_oldest_ms,
        };
        if (p->streams[i].is_statistic || p->streams[i].times.newest_ms < from_ms)
            continue;
        rc = store_read_rows(p->reader, number, from_ms, newest_ms + 1, on_old_row, &r);
        *ret_oldest_ms = r.oldest_ms;
    }
    return rc;
}

/* The very first period began with the first reading: none before it gets a row. */
static void skip_empty_periods(struct pipeline *p, int64_t oldest_ms)
{
    for (size_t i = 0; i < p->o->table->streams_n; i++) {
        struct stream_state *st = &p->streams[i];
        int64_t first = period_start_of(oldest_ms, p->o->table->streams[i].period_ms);
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
        rc = read_readings(p, reopen_periods(p, newest_ms), newest_ms, &oldest_ms);
        skip_empty_periods(p, oldest_ms);
    }
    return rc;
}
