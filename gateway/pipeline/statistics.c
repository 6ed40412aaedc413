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

#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)
#define MONTH_MS (31 * DAY_MS)

enum {
    CELLS_AT_ONCE = 50000,  /* in one tick: 0.8 MB of the log's queue */
    MADE_UP_CELLS = 2000000 /* of a period behind an outage: 40 ticks, less than a minute, for
                             * the minute that goes on meanwhile must find its turn */
};

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
        p->statistics->columns += p->streams[i].is_statistic ? s->n : 0;
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
    if (!k->has_any && st->figure[channel] == AGG_FIGURE_N) {
        r.value = (struct decimal){ 0, 0 };
        r.verdict = (struct verdict){ STATUS_VALID, GRADE_GOOD, 0 };
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
        look_note(p, &r);
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

/* Of an outage that long the periods that nothing came in for get rows: below the hour of a
 * day, from the hour on of a month. A longer one stays a gap; so does one of more than a day by
 * a clock that nobody synchronises, for rows of a time that was wrong stand in the way of those
 * that come when it is put right. */
static int64_t made_up_ms(const struct pipeline *p, int64_t period_ms)
{
    const struct timeline *t = p->o->timeline;
    const bool is_certain = !t || t->state >= CLOCK_HOLDOVER;
    const int64_t longest_ms = period_ms < HOUR_MS || !is_certain ? DAY_MS : MONTH_MS;
    const int64_t rows = (int64_t)(MADE_UP_CELLS / (p->statistics->columns + 1));

    return rows * period_ms < longest_ms ? rows * period_ms : longest_ms;
}

/* Where each stream goes on. Returns the first end of a period that is over by then. */
static int64_t look_ahead(struct pipeline *p, struct change *c, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;

    for (uint32_t i = 0; i < p->o->table->streams_n; i++) {
        const int64_t period_ms = p->o->table->streams[i].period_ms;
        struct stream_state *st = &p->streams[i];
        if (!st->is_statistic)
            continue;

        /* nothing is made up for a period before the first */
        if (st->period_start == 0)
            st->period_start = period_start_of(p, now_ms, period_ms);
        const int64_t start = period_start_of(p, now_ms - GRACE_MS, period_ms);
        const bool is_gap = start - st->period_start > made_up_ms(p, period_ms) + period_ms;
        if (is_gap)
            close_period(p, c, i, now_ms);
        if (is_gap || st->period_start - start > period_ms)
            st->period_start = start;
        if (start > st->period_start && st->period_start + period_ms < next_ms)
            next_ms = st->period_start + period_ms;
    }
    return next_ms;
}

/* In the order of time, and periods behind those that they are formed of. Returns how many
 * cells that are. */
static size_t close_those_that_end(struct pipeline *p, struct change *c, int64_t end_ms,
                                   int64_t now_ms)
{
    size_t cells = 0;

    for (uint32_t i = 0; i < p->o->table->streams_n; i++) {
        const struct channel_stream *s = &p->o->table->streams[i];
        struct stream_state *st = &p->streams[i];
        if (!st->is_statistic || st->period_start + s->period_ms != end_ms)
            continue;
        close_period(p, c, i, now_ms);
        st->period_start = end_ms;
        cells += s->n;
    }
    return cells;
}

/* Mostly nothing is over, or one period. Behind an outage there are more: some of them in each
 * tick, which must not hold up polling. */
void statistics_tick(struct pipeline *p, struct change *c, int64_t now_ms)
{
    int64_t end_ms;
    size_t cells = 0;

    p->statistics->is_restored = false;
    while (cells < CELLS_AT_ONCE && (end_ms = look_ahead(p, c, now_ms)) < INT64_MAX)
        cells += close_those_that_end(p, c, end_ms, now_ms);
}

/* Periods of an outage are closed ahead of the first reading behind it, which takes the place
 * of what came nine hours before. */
void statistics_go_on(struct pipeline *p, struct change *c, int64_t time_ms)
{
    if (p->statistics->is_restored)
        statistics_tick(p, c, time_ms + GRACE_MS);
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
        const int64_t start = period_start_of(p, to_ms, s->period_ms);
        const bool is_same = start == st->period_start;
        if (!is_same)
            close_period(p, c, i, st->period_start + s->period_ms);
        jump_channels(p, s, to_ms - from_ms, is_same);
        st->period_start = start;
    }
}
