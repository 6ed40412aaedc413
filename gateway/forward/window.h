/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window - entries under way: sent, and not yet acknowledged by the destination. Time is an
 * argument. Pure; one thread.
 *
 * An entry goes again when its time is over (doubling), or at once when it was overtaken:
 * messages keep their order, so an acknowledged entry that was sent well after it says that it
 * was lost.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WINDOW_ENTRIES_MAX = 4096,
    WINDOW_SPARE = 512, /* of them: full before, so that one more batch finds a place */
    WINDOW_BYTES_MAX = 16 << 20, /* what a destination may have to hold for us */
};

struct flight {
    uint64_t seq;
    int64_t sent_ms, due_ms, wait_ms;
    uint32_t size;
    bool was_overtaken; /* counts once */
};

struct window {
    int64_t first_ms, max_ms, overtaken_ms;
    struct flight *flights; /* sorted by seq */
    size_t n, bytes;
    int64_t acked_sent_ms; /* when the newest acknowledged entry was sent */
};

/* Resend after first_ms, doubling to max_ms. 0 or -ENOMEM. */
int window_init(struct window *w, int64_t first_ms, int64_t max_ms, int64_t overtaken_ms);
void window_done(struct window *w);
void window_clear(struct window *w);

bool window_has(const struct window *w, uint64_t seq);
bool window_is_full(const struct window *w);

/* Sent now, for the first time or again. Ignored when there is no place. */
void window_sent(struct window *w, uint64_t seq, uint32_t size, int64_t now_ms);

/* Acknowledged or given up: from..to are no longer under way. Returns how many were. */
size_t window_ack(struct window *w, uint64_t from, uint64_t to);

/* from..to go again at once. */
void window_hurry(struct window *w, uint64_t from, uint64_t to, int64_t now_ms);

/* Up to `max` entries whose time is over, oldest first. */
size_t window_due(struct window *w, int64_t now_ms, uint64_t *out, size_t max);

/* When the next one is due; INT64_MAX when none is under way. */
int64_t window_next_due(const struct window *w);
