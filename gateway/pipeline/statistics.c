/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics: one row per stream and period, written when the period is over. Nothing of an open
 * period is stored: after a restart it is computed anew from the rows in the log, which costs no
 * write and cannot disagree with them.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/pipeline/internal.h"

/* A row may be handed over a little after its time stamp (line threads): periods close later. */
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

static void close_period(struct pipeline *p, struct change *c, const struct channel_stream *s,
                         int64_t start_ms, int64_t now_ms)
{
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t channel = s->first + i;
        struct sample r = result_of(&p->statistics[channel], channel, start_ms, now_ms);
        p->cells[i] = series_cell_of(r.value, verdict_to_flag(r.verdict));
        if (p->o->on_sample)
            p->o->on_sample(p->o->user, &r);
        alerts_step(p, c, &r);
    }
    p->counters.statistics += s->n;
    change_row(p, c, s, start_ms);
}

void statistics_tick(struct pipeline *p, struct change *c, int64_t now_ms)
{
    for (size_t i = 0; i < p->o->table->streams_n; i++) {
        const struct channel_stream *s = &p->o->table->streams[i];
        struct stream_state *st = &p->streams[i];
        if (!st->is_statistic)
            continue;

        int64_t start = period_start_of(now_ms - GRACE_MS, s->period_ms);
        /* A row that stands already is never written again: the clock went back over it. */
        if (st->period_start && start > st->period_start && st->period_start > st->last_ms) {
            close_period(p, c, s, st->period_start, now_ms);
            st->last_ms = st->period_start;
        }
        st->period_start = start;
    }
}

/* ---- after a restart ---- */

struct restore {
    struct pipeline *p;
    const struct channel_stream *stream;
    uint32_t layout;
    struct stream_state *state;
};

static bool on_old_row(void *user, int64_t time_ms, const struct series_cell *cells,
                       unsigned columns, uint32_t layout)
{
    struct restore *r = user;

    if (time_ms > r->state->last_ms)
        r->state->last_ms = time_ms;
    if (layout != r->layout || columns != r->stream->n || r->state->is_statistic)
        return true;
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

/* The longest period of any statistic: how far back open periods reach. */
static int64_t longest_period(const struct channel_table *t)
{
    int64_t longest = 0;

    for (size_t i = 0; i < t->streams_n; i++) {
        bool is_statistic = t->streams[i].n && t->channels[t->streams[i].first].statistic;
        if (is_statistic && t->streams[i].period_ms > longest)
            longest = t->streams[i].period_ms;
    }
    return longest;
}

/* Each statistic stream goes on behind its last row; what lies further back than one period was
 * over before, and is not made up now. */
static void reopen_periods(struct pipeline *p, int64_t newest_ms)
{
    for (size_t i = 0; i < p->o->table->streams_n; i++) {
        struct stream_state *st = &p->streams[i];
        int64_t period_ms = p->o->table->streams[i].period_ms;
        if (!st->is_statistic || newest_ms == 0)
            continue;
        int64_t open = period_start_of(newest_ms, period_ms);
        bool is_one_behind = st->last_ms && st->last_ms + period_ms == open - period_ms;
        st->period_start = is_one_behind ? open - period_ms : open;
    }
}

int statistics_restore(struct pipeline *p)
{
    const struct channel_table *t = p->o->table;
    struct store_reader *reader = NULL;
    int64_t newest_ms = 0;
    int rc = store_reader_open(p->o->store, &reader);

    for (size_t i = 0; rc == 0 && i < t->streams_n; i++) {
        int64_t last_ms = store_read_last_time(reader, t->streams[i].number);
        int64_t from_ms = period_start_of(last_ms, longest_period(t) ? longest_period(t) : 1);
        struct restore r = {
            .p = p,
            .stream = &t->streams[i],
            .layout = store_read_stream_layout(reader, t->streams[i].number),
            .state = &p->streams[i],
        };
        if (last_ms == 0)
            continue;
        rc = store_read_rows(reader, t->streams[i].number, from_ms, INT64_MAX, on_old_row, &r);
        if (!r.state->is_statistic && r.state->last_ms > newest_ms)
            newest_ms = r.state->last_ms;
    }
    reopen_periods(p, newest_ms);
    store_reader_close(reader);
    return rc;
}
