/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scan is one row of its device's stream, judged cell by cell; statistics and rules follow
 * the sample. All of it goes to the log as one batch, so that after a kill either the whole
 * scan with its consequences is there, or nothing of it.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/pipeline/internal.h"

/* A clock that steps back by less than this is waited for, times going on by 1 ms a row;
 * beyond, the new time is believed. */
#define STEP_BACK_MAX_MS 600000

struct change change_begin(struct pipeline *p)
{
    struct change c = { .urgency = STORE_WITH_INTERVAL };

    if (store_batch_begin(p->o->store, &c.batch) < 0)
        c.batch = NULL;
    return c;
}

void change_row(struct pipeline *p, struct change *c, const struct channel_stream *s,
                int64_t time_ms)
{
    if (!c->batch || store_batch_row(c->batch, s->number, time_ms, p->cells, s->n) < 0)
        p->counters.refused += s->n;
    else
        p->counters.rows++;
}

void change_submit(struct pipeline *p, struct change *c)
{
    if (c->batch && store_batch_submit(c->batch, c->urgency) < 0)
        p->counters.refused++;
    c->batch = NULL;
}

void event_put(struct pipeline *p, struct change *c)
{
    const char *json = buf_text(&p->text);

    if (json && c->batch && store_batch_event(c->batch, json) == 0)
        p->counters.events++;
    else
        p->counters.refused++;
    if (json && p->o->on_event)
        p->o->on_event(p->o->user, json);
}

/* Value x factor + offset; the identity keeps the very decimal that was read. A corrected value
 * keeps one decimal more than the instrument gives. */
static struct decimal calibrated(const struct pipeline_channel *c, struct decimal value)
{
    if (!decimal_has_value(value) || (c->factor == 1 && c->offset == 0))
        return value;
    double x = decimal_to_double(value) * c->factor + c->offset;
    return value.e < 0 ? decimal_from_double(x) : decimal_round(x, value.e + 1);
}

/* The time of a row: as measured, but never one that the stream has used already. */
static int64_t row_time(struct stream_state *st, int64_t time_ms, struct verdict *verdict)
{
    if (time_ms <= st->last_ms && st->last_ms - time_ms < STEP_BACK_MAX_MS) {
        time_ms = st->last_ms + 1;
        *verdict = verdict_add(*verdict, GRADE_SUSPECT, REASON_CLK_DUP);
    }
    st->last_ms = time_ms;
    return time_ms;
}

static void take_sample(struct pipeline *p, struct change *c, const struct sample *s)
{
    p->counters.samples++;
    if (p->o->on_sample)
        p->o->on_sample(p->o->user, s);
    statistics_step(p, s);
    alerts_step(p, c, s);
}

/* What the instrument said before conversion and calibration. A failed scan has nothing to
 * keep. */
static void keep_raw(struct pipeline *p, struct change *c, const struct pipeline_device *d,
                     const struct scan *s, int64_t time_ms)
{
    if (!c->batch || d->raw_n == 0 || s->outcome != SCAN_OK)
        return;
    for (uint32_t i = 0; i < d->raw_n; i++) {
        const struct reading *r = &s->readings[d->raw_points[i]];
        p->cells[i] = series_cell_of(r->raw, verdict_to_flag(r->verdict));
    }
    if (store_batch_row(c->batch, d->raw_stream, time_ms, p->cells, d->raw_n) < 0)
        p->counters.refused += d->raw_n;
}

void pipeline_scan(struct pipeline *p, const struct scan *s)
{
    const struct pipeline_device *d = &p->o->devices[s->device];
    const struct channel_stream *stream = &p->o->table->streams[d->stream];
    struct verdict clock = { 0 };
    struct change c = change_begin(p);
    int64_t time_ms = row_time(&p->streams[d->stream], s->time_ms, &clock);

    if (stream->n == 0) {
        store_batch_drop(c.batch);
        return;
    }
    for (size_t i = 0; i < s->n && i < d->points_n; i++) {
        int32_t at = d->channel_of[i];
        if (at == PIPELINE_NO_CHANNEL)
            continue;
        const struct pipeline_channel *how = &p->o->channels[at];
        struct sample sample = {
            .time_ms = time_ms,
            .channel = (uint32_t)at,
            .value = calibrated(how, s->readings[i].value),
            .verdict = verdict_merge(s->readings[i].verdict, clock),
        };
        qc_step(&how->qc, &p->qc[at], s->readings[i].raw, &sample);
        p->cells[p->o->table->channels[at].column] =
            series_cell_of(sample.value, verdict_to_flag(sample.verdict));
        take_sample(p, &c, &sample);
    }
    change_row(p, &c, stream, time_ms);
    keep_raw(p, &c, d, s, time_ms);
    change_submit(p, &c);
}

void pipeline_tick(struct pipeline *p, int64_t now_ms)
{
    struct change c = change_begin(p);
    uint64_t rows = p->counters.rows, events = p->counters.events;

    statistics_tick(p, &c, now_ms);
    alerts_tick(p, &c, now_ms);
    if (p->counters.rows == rows && p->counters.events == events &&
        c.urgency == STORE_WITH_INTERVAL) {
        store_batch_drop(c.batch);
        return;
    }
    change_submit(p, &c);
}

void pipeline_notice(struct pipeline *p, int64_t now_ms, const char *what, const char *subject,
                     const char *text_en, const char *text_zh, const char *details)
{
    struct change c = change_begin(p);
    char when[TIME_TEXT_MAX];

    time_print_utc(now_ms, when);
    buf_clear(&p->text);
    buf_printf(&p->text, "{\"kind\":\"notice\",\"time\":\"%s\",\"what\":", when);
    buf_json(&p->text, what);
    buf_puts(&p->text, ",\"subject\":");
    buf_json(&p->text, subject);
    buf_puts(&p->text, ",\"text\":{\"en\":");
    buf_json(&p->text, text_en);
    buf_puts(&p->text, ",\"zh\":");
    buf_json(&p->text, text_zh);
    buf_puts(&p->text, "}");
    if (details) {
        buf_puts(&p->text, ",\"details\":");
        buf_puts(&p->text, details);
    }
    buf_puts(&p->text, "}");
    event_put(p, &c);
    change_submit(p, &c);
}

void pipeline_counters_get(const struct pipeline *p, struct pipeline_counters *ret)
{
    *ret = p->counters;
}

/* Counting sort: statistic_index holds the statistics of every source side by side. */
static void index_statistics(struct pipeline *p)
{
    const struct channel_table *t = p->o->table;
    uint32_t at = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (t->channels[i].statistic)
            p->followers[t->channels[i].source].statistics_n++;
    }
    for (size_t i = 0; i < t->n; i++) {
        p->followers[i].statistics_from = at;
        at += p->followers[i].statistics_n;
        p->followers[i].statistics_n = 0;
    }
    for (size_t i = 0; i < t->n; i++) {
        struct followers *f = &p->followers[t->channels[i].source];
        if (t->channels[i].statistic)
            p->statistic_index[f->statistics_from + f->statistics_n++] = (uint32_t)i;
    }
}

static void index_rules(struct pipeline *p)
{
    uint32_t at = 0;

    for (size_t i = 0; i < p->o->rules_n; i++)
        p->followers[p->o->rules[i].channel].rules_n++;
    for (size_t i = 0; i < p->o->table->n; i++) {
        p->followers[i].rules_from = at;
        at += p->followers[i].rules_n;
        p->followers[i].rules_n = 0;
    }
    for (size_t i = 0; i < p->o->rules_n; i++) {
        struct followers *f = &p->followers[p->o->rules[i].channel];
        p->rule_index[f->rules_from + f->rules_n++] = (uint32_t)i;
    }
}

static bool allocate(struct pipeline *p)
{
    const struct channel_table *t = p->o->table;

    /* calloc(0) may be NULL: one spare element keeps "no memory" the only meaning of NULL */
    p->qc = calloc(t->n + 1, sizeof *p->qc);
    p->statistics = calloc(t->n + 1, sizeof *p->statistics);
    p->streams = calloc(t->streams_n + 1, sizeof *p->streams);
    p->followers = calloc(t->n + 1, sizeof *p->followers);
    p->statistic_index = calloc(t->n + 1, sizeof *p->statistic_index);
    p->rule_index = calloc(p->o->rules_n + 1, sizeof *p->rule_index);
    p->alerts = calloc(p->o->rules_n + 1, sizeof *p->alerts);
    p->cells = calloc(SERIES_COLUMNS_MAX, sizeof *p->cells);
    return p->qc && p->statistics && p->streams && p->followers && p->statistic_index &&
           p->rule_index && p->alerts && p->cells;
}

int pipeline_create(const struct pipeline_options *o, struct pipeline **ret)
{
    struct pipeline *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    p->o = o;
    p->text = BUF_INIT(STORE_EVENT_MAX - 64); /* the store adds epoch and seq */
    if (!allocate(p)) {
        pipeline_destroy(p);
        return -ENOMEM;
    }
    index_statistics(p);
    index_rules(p);
    statistics_init(p);
    int rc = statistics_restore(p);
    if (rc == 0)
        rc = alerts_restore(p);
    if (rc < 0) {
        pipeline_destroy(p);
        return rc;
    }
    *ret = p;
    return 0;
}

void pipeline_destroy(struct pipeline *p)
{
    if (!p)
        return;
    buf_done(&p->text);
    free(p->cells);
    free(p->alerts);
    free(p->rule_index);
    free(p->statistic_index);
    free(p->followers);
    free(p->streams);
    free(p->statistics);
    free(p->qc);
    free(p);
}
