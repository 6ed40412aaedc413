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
#include "gateway/pipeline/indices.h"

struct change change_begin(struct pipeline *p)
{
    struct change c = { .urgency = STORE_WITH_INTERVAL };

    if (!p->o->store || store_batch_begin(p->o->store, &c.batch) < 0)
        c.batch = NULL;
    return c;
}

void change_open_row(struct pipeline *p, struct change *c, const struct row *r, int64_t wait_ms)
{
    int rc = p->o->store ? -ENOMEM : 0;

    if (c->batch && wait_ms > 0)
        rc = store_batch_open_row(c->batch, r->number, r->time_ms, p->cells, r->columns,
                                  wait_ms);
    else if (c->batch)
        rc = store_batch_row(c->batch, r->number, r->time_ms, p->cells, r->columns);
    if (rc < 0)
        p->counters.refused += r->columns;
    else
        p->counters.rows++;
}

void change_row(struct pipeline *p, struct change *c, const struct row *r)
{
    change_open_row(p, c, r, 0);
}

int change_submit(struct pipeline *p, struct change *c)
{
    int rc = p->o->store && !c->batch ? -ENOMEM : 0;

    if (c->batch)
        rc = store_batch_submit(c->batch, c->urgency);
    p->counters.refused += rc < 0;
    c->batch = NULL;
    return rc;
}

void tell_row(const struct pipeline *p, uint32_t stream, int64_t time_ms,
              const struct series_cell *cells)
{
    if (p->o->on_row)
        p->o->on_row(p->o->user, stream, time_ms, cells);
}

void event_put(struct pipeline *p, struct change *c)
{
    const char *json = buf_text(&p->text);

    if (json && (!p->o->store || (c->batch && store_batch_event(c->batch, json) == 0)))
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

void tell_samples(struct pipeline *p, struct change *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p->o->on_sample)
            p->o->on_sample(p->o->user, &p->samples[i]);
        alerts_step(p, c, &p->samples[i]);
    }
}

/* What the instrument said before conversion and calibration. A failed scan has nothing to
 * keep. */
static void keep_raw(struct pipeline *p, struct change *c, const struct scan *s,
                     const struct row *row, bool is_held)
{
    const struct pipeline_device *d = &p->o->devices[s->device];
    const struct row raw = { d->raw_stream, d->raw_n, row->boot_ms, row->time_ms };

    if (d->raw_n == 0 || s->outcome != SCAN_OK)
        return;
    for (uint32_t i = 0; i < d->raw_n; i++) {
        const struct reading *r = &s->readings[d->raw_points[i]];
        p->cells[i] = series_cell_of(r->raw, verdict_to_flag(r->verdict));
    }
    if (is_held)
        held_put(p, c, &raw);
    else
        change_row(p, c, &raw);
}

static struct sample sample_of(const struct pipeline *p, uint32_t channel,
                               const struct reading *r, int64_t time_ms, struct verdict clock)
{
    return (struct sample){
        .time_ms = time_ms,
        .channel = channel,
        .value = calibrated(&p->o->channels[channel], r->value),
        .verdict = verdict_merge(r->verdict, clock),
    };
}

static bool says(const struct scan *s, size_t point)
{
    return !s->has || s->has[point];
}

/* Quantities of one device are compared with each other as they are in this very scan. */
static void foresee(struct pipeline *p, const struct scan *s, int64_t time_ms)
{
    const struct pipeline_device *d = &p->o->devices[s->device];

    for (size_t i = 0; p->peers_n && i < s->n && i < d->points_n; i++) {
        int32_t at = d->channel_of[i];
        if (at == PIPELINE_NO_CHANNEL || !p->is_peer[at] || !says(s, i))
            continue;
        const struct sample sample =
            sample_of(p, (uint32_t)at, &s->readings[i], time_ms, (struct verdict){ 0 });
        judge_foresee(p, &sample);
    }
}

/* 0: the clock is not believed, nothing can be called too late or too early by it. */
static int64_t believed_now(const struct pipeline *p, int64_t boot_ms)
{
    const struct timeline *t = p->o->timeline;

    return t && !timeline_is_doubtful(t) ? timeline_at(t, boot_ms) : 0;
}

/* Nothing was said of the channel at that time. */
static struct series_cell unsaid_cell(void)
{
    const struct verdict none = { .grade = GRADE_MISSING, .reasons = REASON_NO_VALUE };

    return series_cell_of(DECIMAL_MISSING, verdict_to_flag(none));
}

/* The samples of a scan, judged, in p->cells. */
static void take_samples(struct pipeline *p, struct change *c, const struct scan *s,
                         const struct row *r, struct verdict clock, bool is_held)
{
    const struct pipeline_device *d = &p->o->devices[s->device];
    struct qc_input in = { .now_ms = believed_now(p, s->boot_ms) };
    size_t n = 0;

    for (size_t i = 0; i < s->n && i < d->points_n; i++) {
        int32_t at = d->channel_of[i];
        if (at == PIPELINE_NO_CHANNEL)
            continue;
        if (!says(s, i)) {
            p->cells[p->o->table->channels[at].column] = unsaid_cell();
            continue;
        }
        struct sample sample = sample_of(p, (uint32_t)at, &s->readings[i], r->time_ms, clock);
        in.raw = s->readings[i].raw;
        in.told = service_told(p, s->device, (size_t)at, r->time_ms);
        judge_sample(p, &p->streams[d->stream].last, &in, &sample, is_held);
        p->samples[n++] = sample;
        look_note(p, &sample);
    }
    for (size_t i = 0; i < n; i++) {
        struct sample *sample = &p->samples[i];
        watches_step(p, c, sample);
        p->cells[p->o->table->channels[sample->channel].column] =
            series_cell_of(sample->value, verdict_to_flag(sample->verdict));
    }
    p->counters.samples += n;
    tell_samples(p, c, n);
}

/* What its maker wants in the log beside the row. */
static void keep_beside(struct pipeline *p, struct change *c, const struct scan *s)
{
    bool is_kept = c->batch || !p->o->store;

    if (s->is_urgent)
        c->urgency = STORE_AT_ONCE;
    for (size_t i = 0; c->batch && i < s->states_n; i++)
        is_kept &= store_batch_state(c->batch, s->states[i].key, s->states[i].data,
                                     s->states[i].size) == 0;
    if (c->batch && s->note)
        is_kept &= store_batch_note(c->batch, s->note) == 0;
    p->counters.refused += !is_kept;
}

/* A row of the past: in the log at its time, unless that has a row already. What came after it
 * is judged and counted, so it is neither; its grade says so. */
static int take_late(struct pipeline *p, struct change *c, const struct scan *s, uint32_t at)
{
    const struct pipeline_device *d = &p->o->devices[s->device];
    const struct channel_stream *stream = &p->o->table->streams[at];
    const int64_t time_ms =
        p->o->timeline ? timeline_at(p->o->timeline, s->boot_ms) : s->time_ms;

    if (times_is_used(p, at, time_ms))
        return change_submit(p, c);
    for (size_t i = 0; i < s->n && i < d->points_n; i++) {
        int32_t channel = d->channel_of[i];
        if (channel == PIPELINE_NO_CHANNEL)
            continue;
        struct sample sample =
            sample_of(p, (uint32_t)channel, &s->readings[i], time_ms, (struct verdict){ 0 });
        if (sample.verdict.grade == GRADE_GOOD)
            sample.verdict.grade = GRADE_NOT_EVALUATED;
        p->cells[p->o->table->channels[channel].column] =
            says(s, i) ? series_cell_of(sample.value, verdict_to_flag(sample.verdict))
                       : unsaid_cell();
    }
    change_row(p, c, &(struct row){ stream->number, stream->n, s->boot_ms, time_ms });
    times_note_late(p, at, time_ms);
    return change_submit(p, c);
}

int pipeline_scan(struct pipeline *p, const struct scan *s)
{
    uint32_t at = p->o->devices[s->device].stream;
    const struct channel_stream *stream = &p->o->table->streams[at];
    bool is_held = held_is_open(p);
    struct verdict clock = clock_verdict(p);
    struct row row = { stream->number, stream->n, s->boot_ms, s->time_ms };

    bool has_row = stream->n > 0 && s->n > 0;

    if (!has_row && s->states_n == 0 && !s->note)
        return 0;
    struct change c = change_begin(p);
    keep_beside(p, &c, s);
    if (!has_row)
        return change_submit(p, &c);
    if (s->is_late)
        return take_late(p, &c, s, at);
    if (p->o->timeline)
        row.time_ms = timeline_at(p->o->timeline, s->boot_ms);
    if (!is_held) {
        row.time_ms = times_take(p, at, row.time_ms, &clock);
        statistics_go_on(p, &c, row.time_ms);
    }
    foresee(p, s, row.time_ms);
    take_samples(p, &c, s, &row, clock, is_held);
    judge_keep_row(p, &c, at, &row, is_held);
    keep_raw(p, &c, s, &row, is_held);
    clock_keep(p, &c);
    return change_submit(p, &c);
}

int64_t pipeline_newest_ms(const struct pipeline *p, uint32_t device)
{
    return p->streams[p->o->devices[device].stream].times.newest_ms;
}

void pipeline_tick(struct pipeline *p, int64_t now_ms)
{
    held_release(p); /* what found no room before, or waited for longer than memory lasts */
    struct change c = change_begin(p);
    uint64_t rows = p->counters.rows, events = p->counters.events;

    p->is_clock_due = true;
    judge_tick(p, now_ms);
    if (!held_is_open(p))
        statistics_tick(p, &c, now_ms);
    watches_tick(p, &c, now_ms);
    alerts_tick(p, &c, now_ms);
    if (p->counters.rows == rows && p->counters.events == events &&
        c.urgency == STORE_WITH_INTERVAL) {
        store_batch_drop(c.batch);
        return;
    }
    clock_keep(p, &c);
    change_submit(p, &c);
}

void pipeline_end_rows(struct pipeline *p)
{
    judge_end_rows(p, INT64_MAX);
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
    clock_put(p, &p->text);
    buf_puts(&p->text, "}");
    event_put(p, &c);
    clock_keep(p, &c);
    change_submit(p, &c);
}

void pipeline_counters_get(const struct pipeline *p, struct pipeline_counters *ret)
{
    *ret = p->counters;
    ret->held = p->held.n;
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
    p->streams = calloc(t->streams_n + 1, sizeof *p->streams);
    p->followers = calloc(t->n + 1, sizeof *p->followers);
    p->rule_index = calloc(p->o->rules_n + 1, sizeof *p->rule_index);
    p->alerts = calloc(p->o->rules_n + 1, sizeof *p->alerts);
    p->cells = calloc(SERIES_COLUMNS_MAX, sizeof *p->cells);
    p->samples = calloc(SERIES_COLUMNS_MAX, sizeof *p->samples);
    return p->streams && judge_init(p) && p->followers && p->rule_index && p->alerts &&
           p->cells && p->samples && look_init(p) && watches_init(p) && times_init(p) == 0;
}

/* What the log knows. */
static int take_up(struct pipeline *p)
{
    int rc = store_reader_open(p->o->store, &p->reader);

    if (rc == 0)
        rc = statistics_restore(p);
    if (rc == 0)
        rc = alerts_restore(p);
    if (rc == 0)
        watches_restore(p);
    if (rc == 0)
        rc = lookback(p);
    if (rc == 0)
        rc = held_restore(p);
    if (rc == 0)
        indices_tell(p);
    return rc;
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
    index_rules(p);
    int rc = statistics_init(p);
    if (rc == 0)
        rc = indices_init(p);
    if (rc == 0)
        rc = service_restore(p);
    if (rc == 0 && o->store)
        rc = take_up(p);
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
    held_done(p);
    times_done(p);
    store_reader_close(p->reader);
    buf_done(&p->text);
    watches_done(p);
    look_done(p);
    free(p->samples);
    free(p->cells);
    alerts_done(p);
    free(p->alerts);
    free(p->rule_index);
    free(p->followers);
    free(p->streams);
    indices_done(p);
    statistics_done(p);
    free(p->services);
    judge_done(p);
    free(p);
}
