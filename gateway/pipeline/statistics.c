/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics: one row per stream and period, written when the period is over. Nothing of an
 * open period is stored: after a restart it is computed anew from the rows in the log, which
 * costs no write and cannot disagree with them (statistics_restore.c).
 */
#include "gateway/pipeline/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gateway/pipeline/indices.h"

/* A row may be handed over a little after its time stamp (line threads): periods close later.
 */
#define GRACE_MS 1000

static int64_t period_start_of(const struct pipeline *p, int64_t time_ms, int64_t period_ms)
{
    return agg_start_of(time_ms, period_ms, p->o->table->zone_ms);
}

int statistics_init(struct pipeline *p)
{
    const struct channel_table *t = p->o->table;

    p->statistics = calloc(1, sizeof *p->statistics);
    if (!p->statistics)
        return -ENOMEM;
    for (size_t i = 0; i < t->streams_n; i++) {
        const struct channel_stream *s = &t->streams[i];
        p->streams[i].is_statistic = s->n && t->channels[s->first].statistic;
    }
    return groups_init(p);
}

void statistics_done(struct pipeline *p)
{
    struct statistics *st = p->statistics;

    if (!st)
        return;
    free(st->takers);
    free(st->extras);
    free(st->configs);
    free(st->figure);
    free(st->of);
    free(st->groups);
    free(st);
}

static const struct group *first_group(const struct pipeline *p, uint32_t stream)
{
    const struct statistics *st = p->statistics;
    const uint32_t at = st->of[p->o->table->streams[stream].first];

    return at == NO_GROUP ? NULL : &st->groups[at];
}

int64_t statistics_lag(const struct pipeline *p, uint32_t stream)
{
    const struct group *g = first_group(p, stream);
    const int64_t step_ms = p->o->table->streams[stream].period_ms;

    return g && g->s.config->period_ms > step_ms ? g->s.config->period_ms - step_ms : 0;
}

/* What is summed for a sample is the same in every period of its channel. */
void statistics_step(struct pipeline *p, const struct sample *s)
{
    const struct followers *f = &p->followers[s->channel];
    const struct statistics *st = p->statistics;
    struct agg_input in = { .n = 0 };

    for (uint32_t i = 0; i < f->statistics_n; i++) {
        struct group *g = &st->groups[st->takers[f->statistics_from + i]];
        if (g->source != s->channel) {
            const double x = decimal_to_double(s->value);
            agg_statistic_put_speed(&g->s, s->time_ms, agg_is_usable(s, x) ? x : NAN);
            continue;
        }
        if (in.n == 0)
            in = agg_input_of(g->s.config, s);
        agg_statistic_put(&g->s, &in);
    }
}

/* A group's figures stand side by side: it is closed once for all of them. */
struct closing {
    uint32_t group;
    bool has_any;
    struct agg_figures figures;
};

/* The channel's result for the period, or "no value" when nothing at all came in. */
static struct sample result_of(struct pipeline *p, struct closing *k, uint32_t channel,
                               int64_t label_ms, int64_t now_ms)
{
    const struct statistics *st = p->statistics;
    const uint32_t group = st->of[channel];
    struct sample r = {
        .time_ms = label_ms,
        .channel = channel,
        .value = DECIMAL_MISSING,
        .verdict = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE },
    };

    if (group == NO_GROUP) {
        indices_value(p, channel, label_ms, &r);
        return r;
    }
    if (group != k->group) {
        k->group = group;
        k->has_any = agg_statistic_close(&st->groups[group].s, label_ms, now_ms, &k->figures);
    }
    if (!k->has_any)
        return r;
    const struct agg_value v = agg_figure_of(&k->figures, (enum agg_figure)st->figure[channel],
                                             p->o->table->channels[channel].decimals);
    r.value = v.value;
    r.verdict = v.verdict;
    return r;
}

/* A row that stands already is never written again: the clock went back over it. Rules and live
 * view see the period all the same. */
static void close_period(struct pipeline *p, struct change *c, uint32_t stream, int64_t now_ms)
{
    const struct channel_stream *s = &p->o->table->streams[stream];
    const int64_t label_ms = p->streams[stream].period_start - statistics_lag(p, stream);
    struct closing k = { .group = NO_GROUP };

    for (uint32_t i = 0; i < s->n; i++) {
        const struct sample r = result_of(p, &k, s->first + i, label_ms, now_ms);
        p->cells[i] = series_cell_of(r.value, verdict_to_flag(r.verdict));
        p->samples[i] = r;
    }
    tell_samples(p, c, s->n);
    if (times_is_used(p, stream, label_ms))
        return;
    times_note(p, stream, label_ms);
    p->counters.statistics += s->n;
    change_row(p, c, &(struct row){ s->number, s->n, 0, label_ms });
    tell_row(p, stream, label_ms, p->cells);
    groups_feed(p, stream, label_ms, p->cells);
    indices_feed(p, stream, label_ms, p->cells);
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
            st->period_start = period_start_of(p, now_ms, s->period_ms);
        int64_t start = period_start_of(p, now_ms - GRACE_MS, s->period_ms);
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
    const struct statistics *st = p->statistics;
    uint32_t last = NO_GROUP;

    for (uint32_t i = 0; i < s->n; i++) {
        const uint32_t group = st->of[s->first + i];
        if (group != NO_GROUP && group != last)
            agg_statistic_shift(&st->groups[group].s, by_ms, is_same_period);
        last = group;
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
        int64_t start = period_start_of(p, to_ms, s->period_ms);
        if (start != st->period_start)
            close_period(p, c, i, st->period_start + s->period_ms);
        jump_channels(p, s, to_ms - from_ms, start == st->period_start);
        st->period_start = start;
    }
}
