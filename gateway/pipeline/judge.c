/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of checks on the live path. A spike is known one sample later: the row of a scan is
 * committed at once with the flags of that moment and stays open in the log
 * (store_batch_open_row) until the next scan has judged it. Nothing that is told outside waits:
 * live view and rules take the sample as it comes, for what a late verdict adds is suspect and
 * suspect samples count. Statistics do wait, by one sample: they count it with its final
 * verdict, unless their period ends first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/pipeline/internal.h"

enum {
    PERIOD_MS = 60000,  /* periods of statistics are whole minutes */
    GRACE_MS = 1000,    /* and are closed so long after their end, not before */
    WAIT_INTERVALS = 3, /* for channels that know no gap */
    PEER_INTERVALS = 3, /* a peer's value is older: it is none */
};

/* ---- values that other channels are compared with ---- */

static void note_peer(struct pipeline *p, unsigned channel)
{
    if (channel < p->o->table->n && !p->is_peer[channel]) {
        p->is_peer[channel] = true;
        p->peer[p->peers_n++] = channel;
    }
}

static void find_peers(struct pipeline *p, const struct qc_config *c)
{
    for (unsigned i = 0; i < c->relations_n; i++) {
        note_peer(p, c->relations[i].a);
        note_peer(p, c->relations[i].b);
    }
    for (unsigned i = 0; i < c->references_n; i++)
        for (unsigned k = 0; k < c->references[i].n; k++)
            note_peer(p, c->references[i].peer[k]);
}

void judge_foresee(struct pipeline *p, const struct sample *s)
{
    p->newest[s->channel] =
        qc_as_peer(&p->o->channels[s->channel].qc, s->verdict, decimal_to_double(s->value));
    p->newest_ms[s->channel] = s->time_ms;
}

static void forget_silent_peers(struct pipeline *p, int64_t now_ms)
{
    for (size_t i = 0; i < p->peers_n; i++) {
        const uint32_t ch = p->peer[i];
        if (now_ms - p->newest_ms[ch] > PEER_INTERVALS * p->o->table->channels[ch].period_ms)
            p->newest[ch] = NAN;
    }
}

/* ---- samples ---- */

/* The row of the sample before is still open: its cell gets what is known now. */
static void revise(struct pipeline *p, struct last_row *last, const struct qc_judged *before)
{
    struct series_cell *cell = &p->last_cells[before->sample.channel];

    if (!last->is_open || before->sample.time_ms != last->judged_ms)
        return;
    const struct verdict v =
        verdict_merge(verdict_from_flag(cell->flag), before->sample.verdict);
    cell->flag = verdict_to_flag(v);
    last->is_revised = true;
}

/* `now` of the chain is `before` by the next step: there it is final, if it can be. */
static void count(struct pipeline *p, const struct sample *s, bool is_held)
{
    const struct qc_state *st = &p->qc[s->channel];

    if (p->is_waiting[s->channel])
        statistics_step(p, &st->before.sample);
    p->is_waiting[s->channel] = !is_held && !st->now.is_final;
    if (!is_held && st->now.is_final)
        statistics_step(p, s);
}

void judge_sample(struct pipeline *p, struct last_row *last, struct qc_input *in,
                  struct sample *s, bool is_held)
{
    struct qc_state *st = &p->qc[s->channel];

    in->peers = p->newest;
    in->peers_n = p->peers_n ? (unsigned)p->o->table->n : 0;
    qc_judge(&p->o->channels[s->channel].qc, st, in, s);
    if (st->is_revised)
        revise(p, last, &st->before);
    if (p->is_peer[s->channel] && s->verdict.grade >= GRADE_BAD)
        p->newest[s->channel] = NAN;
    count(p, s, is_held);
}

/* ---- rows ---- */

static bool is_final(const struct pipeline *p, const struct channel_stream *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (!p->qc[s->first + i].now.is_final)
            return false;
    return true;
}

static void end_last(struct pipeline *p, struct change *c, const struct channel_stream *s,
                     struct last_row *last)
{
    const struct series_cell *cells = &p->last_cells[s->first];

    if (last->is_held)
        held_final(p, c, last->held_id, cells);
    else if (c->batch)
        store_batch_final(c->batch, s->number, last->time_ms, cells, s->n);
    last->is_open = last->is_revised = false;
}

void judge_keep_row(struct pipeline *p, struct change *c, uint32_t stream, const struct row *r,
                    bool is_held)
{
    const struct channel_stream *s = &p->o->table->streams[stream];
    struct last_row *last = &p->streams[stream].last;

    if (last->is_open)
        tell_row(p, stream, last->time_ms, &p->last_cells[s->first]);
    if (last->is_revised)
        end_last(p, c, s, last);
    *last = (struct last_row){ .is_open = !is_final(p, s),
                               .is_held = is_held,
                               .judged_ms = r->time_ms,
                               .time_ms = r->time_ms,
                               .wait_ms = last->wait_ms };
    if (last->is_open)
        memcpy(&p->last_cells[s->first], p->cells, s->n * sizeof *p->cells);
    else
        tell_row(p, stream, r->time_ms, p->cells);
    if (is_held)
        last->held_id = held_put(p, c, r);
    else
        change_open_row(p, c, r, last->is_open ? last->wait_ms : 0);
}

/* ---- time ---- */

void judge_flush(struct pipeline *p, int64_t before_ms)
{
    for (uint32_t i = 0; i < p->o->table->n; i++) {
        const struct sample *s = &p->qc[i].now.sample;
        if (!p->is_waiting[i] || s->time_ms >= before_ms)
            continue;
        p->is_waiting[i] = false;
        statistics_step(p, s);
    }
}

void judge_end_rows(struct pipeline *p, int64_t now_ms)
{
    for (uint32_t i = 0; p->o->on_row && i < p->o->table->streams_n; i++) {
        struct last_row *last = &p->streams[i].last;
        if (!last->is_open || last->time_ms >= now_ms - last->wait_ms)
            continue;
        tell_row(p, i, last->time_ms, &p->last_cells[p->o->table->streams[i].first]);
        last->is_open = false;
    }
}

void judge_tick(struct pipeline *p, int64_t now_ms)
{
    const int64_t at_ms = now_ms - GRACE_MS, end_ms = at_ms - at_ms % PERIOD_MS;

    forget_silent_peers(p, now_ms);
    judge_end_rows(p, now_ms);
    if (end_ms == p->flushed_ms)
        return;
    p->flushed_ms = end_ms;
    judge_flush(p, end_ms);
}

void judge_shift(struct pipeline *p, int64_t by_ms)
{
    for (size_t i = 0; i < p->o->table->n; i++)
        if (!p->o->table->channels[i].statistic)
            qc_shift(&p->qc[i], by_ms);
    for (size_t i = 0; i < p->peers_n; i++)
        p->newest_ms[p->peer[i]] += by_ms;
}

/* ---- start ---- */

/* Windows of checks that look back, in one piece of memory. */
static bool start_checks(struct pipeline *p)
{
    size_t n = p->o->table->n, size = 0;

    for (size_t i = 0; i < n; i++)
        size += qc_memory(&p->o->channels[i].qc);
    char *memory = p->qc_windows = calloc(1, size + 1);
    if (!memory)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p->o->table->channels[i].statistic)
            continue; /* its state is never touched: no memory of the machine goes into it */
        qc_start(&p->o->channels[i].qc, &p->qc[i], memory);
        p->qc[i].now.is_final = true;
        memory += qc_memory(&p->o->channels[i].qc);
    }
    return true;
}

/* A sample behind a gap is no neighbour: by then the one before it is final as it stands. */
static int64_t longest_wait(const struct pipeline *p, const struct channel_stream *s)
{
    int64_t longest = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        const struct qc_config *c = &p->o->channels[s->first + i].qc;
        const unsigned n = c->hold.gap_intervals ? c->hold.gap_intervals : WAIT_INTERVALS;
        if (n * s->period_ms > longest)
            longest = n * s->period_ms;
    }
    return longest;
}

bool judge_init(struct pipeline *p)
{
    const struct channel_table *t = p->o->table;

    p->qc = calloc(t->n + 1, sizeof *p->qc);
    p->is_waiting = calloc(t->n + 1, sizeof *p->is_waiting);
    p->is_peer = calloc(t->n + 1, sizeof *p->is_peer);
    p->peer = calloc(t->n + 1, sizeof *p->peer);
    p->newest = calloc(t->n + 1, sizeof *p->newest);
    p->newest_ms = calloc(t->n + 1, sizeof *p->newest_ms);
    p->last_cells = calloc(t->n + 1, sizeof *p->last_cells);
    if (!p->qc || !p->is_waiting || !p->is_peer || !p->peer || !p->newest || !p->newest_ms ||
        !p->last_cells || !start_checks(p))
        return false;
    for (size_t i = 0; i < t->n; i++) {
        p->newest[i] = NAN;
        find_peers(p, &p->o->channels[i].qc);
    }
    for (size_t i = 0; i < t->streams_n; i++)
        p->streams[i].last.wait_ms = longest_wait(p, &t->streams[i]);
    return true;
}

void judge_done(struct pipeline *p)
{
    free(p->last_cells);
    free(p->newest_ms);
    free(p->newest);
    free(p->peer);
    free(p->is_peer);
    free(p->is_waiting);
    free(p->qc_windows);
    free(p->qc);
}
