/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow - one uplink following the log: what to send next, what became of it, when to try
 * again.
 *
 * Lanes: while the backlog is more than a batch, new entries and the newest events go first and
 * the backlog fills the rest. One thread; the forwarder gives it one, a test drives it by hand
 * with a time of its own.
 */
#pragma once

#include "gateway/base/backoff.h"
#include "gateway/forward/batch.h"
#include "gateway/forward/forward.h"
#include "gateway/forward/window.h"

enum { FOLLOW_NEEDS_MAX = 64 };

struct follow {
    const struct forward_options *o;
    const struct forward_uplink *fu;
    struct forward_times times; /* defaults filled in */
    struct uplink_station station;
    struct store_reader *reader;
    struct uplink *u;
    struct store_cursor cursor;
    struct window window; /* windowed kinds */
    struct batch batch;
    struct backoff backoff;
    uint64_t next;                 /* first entry of the backlog lane not yet sent */
    uint64_t live_from, live_next; /* live lane; 0: there is one lane */
    bool events_first;
    size_t limit; /* entries of one try: halved by a refusal, grows with success */
    struct uplink_need needs[FOLLOW_NEEDS_MAX];
    size_t needs_n;
    bool is_connected, is_denied, is_cursor_new;
    int64_t wait_until_ms, cursor_ms, status_ms;
    struct forward_status status, told;
};

/* Opens reader, cursor and uplink. 0 or a negative errno. */
int follow_init(struct follow *f, const struct forward_options *o,
                const struct forward_uplink *fu);
/* Keeps the cursor, closes everything. Takes a half-made one. */
void follow_done(struct follow *f);

/* One move. Returns real milliseconds until the next is due, unless new entries come. A
 * windowed kind that is connected waits in here, for at most max_wait_ms. */
int64_t follow_step(struct follow *f, int64_t now_ms, int64_t max_wait_ms);
