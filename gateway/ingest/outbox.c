/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATER_FIRST_MS = 200, LATER_MAX_MS = 30000 };

int outbox_init(struct outbox *o)
{
    *o = (struct outbox){
        .text = BUF_INIT(OUTBOX_BYTES_MAX),
        .later = { .first_ms = LATER_FIRST_MS, .max_ms = LATER_MAX_MS },
    };
    o->marks = calloc(OUTBOX_MARKS_MAX, sizeof *o->marks);
    return o->marks ? 0 : -ENOMEM;
}

void outbox_done(struct outbox *o)
{
    buf_done(&o->text);
    free(o->marks);
    o->marks = NULL;
}

bool outbox_is_full(const struct outbox *o)
{
    return o->lines >= OUTBOX_LINES || o->text.size >= OUTBOX_BYTES ||
           o->marks_n == OUTBOX_MARKS_MAX;
}

bool outbox_is_empty(const struct outbox *o)
{
    return o->text.size == 0 && o->marks_n == 0;
}

void outbox_mark(struct outbox *o, void *item)
{
    o->marks[o->marks_n++] = (struct outbox_mark){ .item = item, .end = o->text.size };
}

bool outbox_put(struct outbox *o, const char *lines, size_t size)
{
    if (size > OUTBOX_BYTES_MAX - o->text.size)
        return false;
    buf_put(&o->text, lines, size);
    bool is_put = !o->text.has_failed;
    o->text.has_failed = false;
    return is_put;
}

void outbox_hand_on(struct outbox *o, struct outbox *next)
{
    next->later = o->later;
    next->retry_ms = o->retry_ms;
    next->state = o->state;
    next->open_refused = 0;
    if (o->open_refused && next->marks_n) { /* it began in the batch before */
        next->marks[0].refused = o->open_refused;
        snprintf(next->marks[0].why, sizeof next->marks[0].why, "%s", o->open_why);
    } else if (o->open_refused) {
        next->open_refused = o->open_refused;
        snprintf(next->open_why, sizeof next->open_why, "%s", o->open_why);
    }
    o->open_refused = 0;
}

void outbox_close(struct outbox *o)
{
    o->is_closed = true;
    o->from = o->bad = 0;
    o->to = o->text.size;
}

const char *outbox_next(struct outbox *o, int64_t now_ms, size_t *ret_size,
                        int64_t *ret_wait_ms)
{
    *ret_wait_ms = 0;
    if (!o->is_closed || o->from == o->text.size)
        return NULL;
    if (now_ms < o->retry_ms) {
        *ret_wait_ms = o->retry_ms - now_ms;
        return NULL;
    }
    *ret_size = o->to - o->from;
    return o->text.data + o->from;
}

/* The end of the line that holds the byte at `at`. */
static size_t line_end(const struct outbox *o, size_t at)
{
    const char *p = memchr(o->text.data + at, '\n', o->text.size - at);

    return p ? (size_t)(p - o->text.data) + 1 : o->text.size;
}

/* The end of the first half of from..to in whole lines; `to` itself when it is one line. */
static size_t middle(const struct outbox *o, size_t to)
{
    size_t half = line_end(o, o->from + (to - o->from) / 2);

    return half < to ? half : line_end(o, o->from);
}

static void note_refusal(struct outbox *o, const struct uplink_report *why)
{
    for (size_t i = o->settled_n; i < o->marks_n; i++) {
        struct outbox_mark *m = &o->marks[i];
        if (m->end <= o->from)
            continue;
        m->refused++;
        snprintf(m->why, sizeof m->why, "%s", why->text);
        return;
    }
    o->open_refused++;
    snprintf(o->open_why, sizeof o->open_why, "%s", why->text);
}

/* On to what follows: within what is known to hold a bad line its half, else twice as much as
 * just went, since behind a bad line others may stand. */
static void go_on(struct outbox *o)
{
    size_t size = o->to - o->from;

    o->from = o->to;
    if (o->bad > o->from) {
        o->to = middle(o, o->bad);
        return;
    }
    o->bad = 0;
    o->to = o->text.size - o->from > 2 * size ? line_end(o, o->from + 2 * size) : o->text.size;
}

static bool refused(struct outbox *o, const struct uplink_report *why)
{
    size_t half = middle(o, o->to);

    if (half < o->to) {
        o->bad = o->to;
        o->to = half;
        return false;
    }
    note_refusal(o, why);
    o->bad = 0;
    go_on(o);
    return true;
}

bool outbox_answer(struct outbox *o, int64_t now_ms, enum uplink_verdict v,
                   const struct uplink_report *why)
{
    o->retry_ms = 0;
    if (v == UPLINK_DELIVERED || v == UPLINK_REFUSED) {
        backoff_reset(&o->later);
        o->state = UPLINK_DELIVERED;
        if (v == UPLINK_REFUSED)
            return refused(o, why);
        go_on(o);
        return false;
    }
    o->state = v;
    if (v == UPLINK_DENIED) {
        o->retry_ms = now_ms + OUTBOX_DENIED_MS;
        return false;
    }
    int64_t wait = backoff_next(&o->later, random_u32());
    o->retry_ms = now_ms + (why->retry_after_ms > wait ? why->retry_after_ms : wait);
    return false;
}

const struct outbox_mark *outbox_settled(struct outbox *o)
{
    if (!o->is_closed)
        return NULL;
    if (o->settled_n < o->marks_n && o->marks[o->settled_n].end <= o->from)
        return &o->marks[o->settled_n++];
    if (o->settled_n < o->marks_n || o->from < o->text.size)
        return NULL;
    buf_clear(&o->text);
    o->lines = o->marks_n = o->settled_n = 0;
    o->is_closed = false;
    return NULL;
}
