/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of rows: no two rows of a stream have the same, or a database that keys by time would
 * keep one of them. Between two steps back of the clock the last time is enough to see to that;
 * after one, times meet older rows, and these are looked up: in the log, a stretch ahead at a
 * time, and among the newest rows, which may not be committed yet.
 */
#include <stdlib.h>

#include "gateway/pipeline/internal.h"

enum {
    AHEAD_PERIODS = 1024, /* looked up at once */
    AHEAD_MIN_MS = 60000,
    RECENT_MAX = 128, /* rows of a stream that may wait for their commit: two minutes at 1 Hz */
    RECENT_MIN = 2,   /* and of one that has a row now and then */
    RECENT_MS = 120000,
};

/* Without a timeline nobody says that the clock went back: so far it must have. */
#define STEP_BACK_MS 600000

static size_t recent_of(const struct channel_stream *s)
{
    int64_t n = s->period_ms > 0 ? RECENT_MS / s->period_ms + RECENT_MIN : RECENT_MAX;

    return (size_t)(n < RECENT_MAX ? n : RECENT_MAX);
}

int times_init(struct pipeline *p)
{
    p->recent_n = RECENT_MAX;
    for (size_t i = 0; i < p->o->table->streams_n; i++)
        p->recent_n += recent_of(&p->o->table->streams[i]);
    p->recent = calloc(p->recent_n, sizeof *p->recent);
    return p->recent ? 0 : -1;
}

void times_done(struct pipeline *p)
{
    for (size_t i = 0; p->streams && i < p->o->table->streams_n; i++)
        free(p->streams[i].times.used);
    free(p->recent);
}

static void forget_used(struct row_times *t)
{
    t->from_ms = t->to_ms = 0;
    t->n = 0;
}

void times_restore(struct pipeline *p, uint32_t stream)
{
    struct row_times *t = &p->streams[stream].times;

    t->newest_ms = store_read_last_time(p->reader, p->o->table->streams[stream].number);
    t->last_ms = p->o->timeline ? INT64_MIN : t->newest_ms;
}

void times_new_stretch(struct pipeline *p)
{
    for (size_t i = 0; i < p->o->table->streams_n; i++) {
        p->streams[i].times.last_ms = INT64_MIN;
        forget_used(&p->streams[i].times);
    }
}

static bool add_used(struct row_times *t, int64_t time_ms)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : AHEAD_PERIODS;
        int64_t *used = realloc(t->used, cap * sizeof *used);
        if (!used)
            return false;
        t->used = used;
        t->cap = cap;
    }
    t->used[t->n++] = time_ms;
    return true;
}

static bool on_used(void *user, int64_t time_ms, const struct series_cell *cells,
                    unsigned columns, uint32_t layout)
{
    (void)cells, (void)columns, (void)layout;
    return add_used(user, time_ms);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* What is used from time_ms on, a stretch ahead. */
static void look_ahead(struct pipeline *p, uint32_t stream, int64_t time_ms)
{
    const struct channel_stream *s = &p->o->table->streams[stream];
    struct row_times *t = &p->streams[stream].times;
    int64_t ahead_ms = s->period_ms * AHEAD_PERIODS;

    t->n = 0;
    t->from_ms = time_ms;
    t->to_ms = time_ms + (ahead_ms > AHEAD_MIN_MS ? ahead_ms : AHEAD_MIN_MS);
    if (p->reader)
        store_read_rows(p->reader, s->number, t->from_ms, t->to_ms, on_used, t);
    for (size_t i = 0; i < p->recent_n; i++) {
        const struct recent_row *r = &p->recent[i];
        if (r->stream == stream && r->time_ms >= t->from_ms && r->time_ms < t->to_ms)
            add_used(t, r->time_ms);
    }
    if (t->n)
        qsort(t->used, t->n, sizeof *t->used, compare);
}

bool times_is_used(struct pipeline *p, uint32_t stream, int64_t time_ms)
{
    struct row_times *t = &p->streams[stream].times;

    if (time_ms > t->newest_ms)
        return false;
    if (time_ms < t->from_ms || time_ms >= t->to_ms)
        look_ahead(p, stream, time_ms);
    return t->n && bsearch(&time_ms, t->used, t->n, sizeof *t->used, compare);
}

void times_note(struct pipeline *p, uint32_t stream, int64_t time_ms)
{
    struct row_times *t = &p->streams[stream].times;

    t->last_ms = time_ms;
    if (time_ms > t->newest_ms)
        t->newest_ms = time_ms;
    p->recent[p->recent_at] = (struct recent_row){ time_ms, stream };
    p->recent_at = (p->recent_at + 1) % p->recent_n;
}

void times_note_late(struct pipeline *p, uint32_t stream, int64_t time_ms)
{
    struct row_times *t = &p->streams[stream].times;
    int64_t last_ms = t->last_ms;

    times_note(p, stream, time_ms);
    t->last_ms = last_ms;
    forget_used(t);
}

int64_t times_take(struct pipeline *p, uint32_t stream, int64_t time_ms,
                   struct verdict *verdict)
{
    struct row_times *t = &p->streams[stream].times;
    int64_t free_ms = time_ms;

    if (!p->o->timeline && t->last_ms != INT64_MIN && time_ms <= t->last_ms - STEP_BACK_MS) {
        t->last_ms = INT64_MIN;
        forget_used(t);
    }
    if (free_ms <= t->last_ms)
        free_ms = t->last_ms + 1;
    while (times_is_used(p, stream, free_ms))
        free_ms++;
    if (free_ms != time_ms)
        *verdict = verdict_add(*verdict, GRADE_SUSPECT, REASON_CLK_DUP);
    times_note(p, stream, free_ms);
    return free_ms;
}
