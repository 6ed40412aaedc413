/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watched channels: what rules/watch finds joins the sample's verdict before it is kept, a
 * fault that begins or ends is a notice in the same batch, and rules with `input: event` see
 * the result. Which faults were told stands in the log, so that a restart neither repeats nor
 * forgets one.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/pipeline/internal.h"
#include "rules/detect/known.h"

#define STATE_PREFIX "watch/"

enum { KEY_MAX = 256, AGE_MAX = 3 /* intervals: an older value beside says nothing of now */ };

struct watched {
    const struct pipeline_watch *o;
    void *state;
    struct watch_result now;
    uint16_t told; /* faults that notices stand for */
};

bool watches_init(struct pipeline *p)
{
    const size_t n = p->o->watches_n;

    if (n == 0)
        return true;
    p->watched = calloc(n, sizeof *p->watched);
    p->watch_of = calloc(p->o->table->n, sizeof *p->watch_of);
    if (!p->watched || !p->watch_of)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct watched *w = &p->watched[i];
        w->o = &p->o->watches[i];
        w->state = calloc(1, watch_size(&w->o->config));
        if (!w->state)
            return false;
        watch_init(&w->o->config, w->state);
        p->watch_of[w->o->channel] = (uint32_t)i + 1;
    }
    return true;
}

void watches_done(struct pipeline *p)
{
    for (size_t i = 0; p->watched && i < p->o->watches_n; i++)
        free(p->watched[i].state);
    free(p->watched);
    free(p->watch_of);
}

static struct watched *watched_of(struct pipeline *p, uint32_t channel)
{
    if (!p->watch_of || p->watch_of[channel] == 0)
        return NULL;
    return &p->watched[p->watch_of[channel] - 1];
}

const struct watch_result *watches_result(struct pipeline *p, uint32_t channel)
{
    const struct watched *w = watched_of(p, channel);

    return w ? &w->now : NULL;
}

/* ---- what is beside ---- */

static double newest_value(const struct pipeline *p, uint32_t channel, int64_t time_ms)
{
    const struct newest_sample *n = &p->newest_samples[channel];
    const int64_t age_ms = AGE_MAX * p->o->table->channels[channel].period_ms;

    return n->time_ms != 0 && time_ms - n->time_ms < age_ms ? n->value : NAN;
}

static double aside_of(const struct pipeline *p, const struct pipeline_aside *a,
                       int64_t time_ms)
{
    double values[WATCH_NEIGHBOURS_MAX], known[WATCH_NEIGHBOURS_MAX];

    for (unsigned i = 0; i < a->n; i++)
        values[i] = newest_value(p, a->channel[i], time_ms);
    const unsigned n = known_sort(values, a->n, known);
    return n ? known_median(known, n) : NAN;
}

static struct watch_sample sample_of(const struct pipeline *p, const struct watched *w,
                                     const struct sample *s)
{
    struct watch_sample ret = { .time_ms = s->time_ms,
                                .value = decimal_to_double(s->value),
                                .verdict = s->verdict };

    for (int i = 0; i < WATCH_ASIDES; i++)
        ret.aside[i] = aside_of(p, &w->o->aside[i], s->time_ms);
    return ret;
}

/* ---- notices ---- */

static void keep_told(struct pipeline *p, struct change *c, const struct watched *w)
{
    char key[KEY_MAX];
    const int n =
        snprintf(key, sizeof key, STATE_PREFIX "%s", p->o->table->channels[w->o->channel].id);

    if (!p->o->store || !c->batch || n < 0 || n >= (int)sizeof key)
        return;
    if (store_batch_state(c->batch, key, &w->told, w->told ? sizeof w->told : 0) < 0)
        p->counters.refused++;
}

static void write_notice(struct pipeline *p, const struct watched *w, uint16_t fault,
                         bool has_begun, int64_t time_ms)
{
    const struct channel *ch = &p->o->table->channels[w->o->channel];
    struct buf *b = &p->text;
    char when[TIME_TEXT_MAX];

    time_print_utc(time_ms, when);
    buf_clear(b);
    buf_printf(b, "{\"kind\":\"notice\",\"time\":\"%s\",\"what\":\"sensor_fault\"", when);
    buf_printf(b, ",\"transition\":\"%s\",\"fault\":\"%s\",\"subject\":",
               has_begun ? "raised" : "cleared", watch_fault_id(fault));
    buf_json(b, ch->id);
    buf_puts(b, ",\"channel\":");
    buf_json(b, ch->id);
    buf_puts(b, ",\"device\":");
    buf_json(b, ch->device);
    buf_printf(b, ",\"text\":{\"en\":\"%s%s\",\"zh\":\"%s%s\"}",
               has_begun ? "" : "over: ", watch_fault_text(fault, "en"),
               has_begun ? "" : "已结束：", watch_fault_text(fault, "zh"));
    clock_put(p, b);
    buf_puts(b, "}");
}

/* Faults that say that the values were none of the environment. */
#define DECISIVE (WATCH_GARBAGE | WATCH_STUCK | WATCH_STEADY | WATCH_SCATTER | WATCH_TRANSIENT)

static void supersede(struct pipeline *p, struct change *c, const struct watched *w,
                      uint16_t fault, int64_t time_ms)
{
    if (!p->o->book || !(fault & DECISIVE))
        return;
    c->urgency = STORE_AT_ONCE;
    book_fault(p->o->book, p->o->table->channels[w->o->channel].id,
               watch_fault_text(fault, "en"), time_ms, c->batch);
}

static void tell_faults(struct pipeline *p, struct change *c, struct watched *w,
                        int64_t time_ms)
{
    const uint16_t changed = w->told ^ w->now.faults;

    if (!changed)
        return;
    for (int i = 0; i < WATCH_FAULTS; i++) {
        const uint16_t fault = (uint16_t)(1u << i);
        if (!(changed & fault))
            continue;
        write_notice(p, w, fault, w->now.faults & fault, time_ms);
        event_put(p, c);
        if (w->now.faults & fault)
            supersede(p, c, w, fault, time_ms);
    }
    w->told = w->now.faults;
    keep_told(p, c, w);
}

/* ---- samples and time ---- */

void watches_step(struct pipeline *p, struct change *c, struct sample *s)
{
    struct watched *w = watched_of(p, s->channel);

    if (!w)
        return;
    const struct watch_sample beside = sample_of(p, w, s);
    watch_step(&w->o->config, w->state, &beside, &w->now);
    s->verdict = watch_verdict(s->verdict, w->now.faults);
    tell_faults(p, c, w, s->time_ms);
}

void watches_learn(struct pipeline *p, const struct sample *s)
{
    struct watched *w = watched_of(p, s->channel);

    if (!w)
        return;
    const struct watch_sample beside = sample_of(p, w, s);
    watch_step(&w->o->config, w->state, &beside, &w->now);
}

int64_t watches_lookback(const struct pipeline *p, uint32_t channel)
{
    if (!p->watch_of || p->watch_of[channel] == 0)
        return 0;
    return watch_lookback(&p->watched[p->watch_of[channel] - 1].o->config);
}

void watches_tick(struct pipeline *p, struct change *c, int64_t now_ms)
{
    for (size_t i = 0; i < p->o->watches_n; i++) {
        struct watched *w = &p->watched[i];
        watch_elapse(&w->o->config, w->state, now_ms, &w->now);
        tell_faults(p, c, w, now_ms);
    }
}

void watches_shift(struct pipeline *p, int64_t by_ms)
{
    for (size_t i = 0; i < p->o->watches_n; i++)
        watch_shift(p->watched[i].state, by_ms);
}

/* A fault that ended while nobody looked is told with the first sample. */
void watches_restore(struct pipeline *p)
{
    char key[KEY_MAX];

    for (size_t i = 0; i < p->o->watches_n; i++) {
        struct watched *w = &p->watched[i];
        size_t size = 0;
        snprintf(key, sizeof key, STATE_PREFIX "%s", p->o->table->channels[w->o->channel].id);
        void *data = store_state_get(p->o->store, key, &size);
        if (data && size == sizeof w->told)
            memcpy(&w->told, data, sizeof w->told);
        free(data);
    }
}
