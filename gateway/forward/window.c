/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int window_init(struct window *w, int64_t first_ms, int64_t max_ms, int64_t overtaken_ms)
{
    *w = (struct window){ first_ms, max_ms, overtaken_ms, NULL, 0, 0, INT64_MIN };
    w->flights = calloc(WINDOW_ENTRIES_MAX, sizeof *w->flights);
    return w->flights ? 0 : -ENOMEM;
}

void window_done(struct window *w)
{
    free(w->flights);
    w->flights = NULL;
    w->n = 0;
}

void window_clear(struct window *w)
{
    w->n = w->bytes = 0;
    w->acked_sent_ms = INT64_MIN;
}

/* Index of the first flight not below `seq`. */
static size_t find_flight(const struct window *w, uint64_t seq)
{
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->flights[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool window_has(const struct window *w, uint64_t seq)
{
    size_t i = find_flight(w, seq);

    return i < w->n && w->flights[i].seq == seq;
}

bool window_is_full(const struct window *w)
{
    return w->n > WINDOW_ENTRIES_MAX - WINDOW_SPARE || w->bytes >= WINDOW_BYTES_MAX;
}

void window_sent(struct window *w, uint64_t seq, uint32_t size, int64_t now_ms)
{
    size_t i = find_flight(w, seq);
    struct flight *f = &w->flights[i];

    if (i < w->n && f->seq == seq) {
        f->wait_ms = f->wait_ms > w->max_ms / 2 ? w->max_ms : f->wait_ms * 2;
    } else if (w->n < WINDOW_ENTRIES_MAX) {
        memmove(f + 1, f, (w->n - i) * sizeof *f);
        *f = (struct flight){ .seq = seq, .size = size, .wait_ms = w->first_ms };
        w->n++;
        w->bytes += size;
    } else {
        return;
    }
    f->sent_ms = now_ms;
    f->due_ms = now_ms + f->wait_ms;
}

/* Messages keep their order: what was sent well before an acknowledged entry did not arrive. */
static void hurry_overtaken(struct window *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct flight *f = &w->flights[i];
        if (f->was_overtaken || f->sent_ms >= w->acked_sent_ms - w->overtaken_ms)
            continue;
        f->was_overtaken = true;
        f->due_ms = w->acked_sent_ms;
    }
}

size_t window_ack(struct window *w, uint64_t from, uint64_t to)
{
    size_t first = find_flight(w, from), end = first;
    int64_t newest = w->acked_sent_ms;

    if (first == w->n)
        return 0;
    for (; end < w->n && w->flights[end].seq <= to; end++) {
        w->bytes -= w->flights[end].size;
        if (w->flights[end].sent_ms > newest)
            newest = w->flights[end].sent_ms;
    }
    memmove(w->flights + first, w->flights + end, (w->n - end) * sizeof *w->flights);
    w->n -= end - first;
    if (newest > w->acked_sent_ms) {
        w->acked_sent_ms = newest;
        hurry_overtaken(w);
    }
    return end - first;
}

void window_hurry(struct window *w, uint64_t from, uint64_t to, int64_t now_ms)
{
    for (size_t i = find_flight(w, from); i < w->n && w->flights[i].seq <= to; i++)
        w->flights[i].due_ms = now_ms;
}

size_t window_due(struct window *w, int64_t now_ms, uint64_t *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n && n < max; i++)
        if (w->flights[i].due_ms <= now_ms)
            out[n++] = w->flights[i].seq;
    return n;
}

int64_t window_next_due(const struct window *w)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < w->n; i++)
        if (w->flights[i].due_ms < next)
            next = w->flights[i].due_ms;
    return next;
}
