/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow - one uplink following the log: what to send next, what became of it, when to try
 * again.
 *
 * Lanes. While there is more than a batch to send, the log is followed at two places: the
 * backlog lane goes on from the oldest entry, the live lane takes what is new. In this order:
 *   1. new events, alerts among them, newest 64 first of all when the lanes part;
 *   2. what the destination asks for, and the beginning of a segment whose end is live: a
 *      continuing frame is of no use without its predecessors;
 *   3. what is to be repeated;
 *   4. new frames, in the order of the log;
 *   5. the backlog, as much as the pace allows: what is under way never holds up an alert.
 *
 * One thread; the forwarder gives it one, a test drives it by hand with a time of its own.
 */
#pragma once

#include <stdatomic.h>

#include "gateway/base/backoff.h"
#include "gateway/forward/batch.h"
#include "gateway/forward/forward.h"
#include "gateway/forward/isolate.h"
#include "gateway/forward/pace.h"
#include "gateway/forward/pair.h"
#include "gateway/forward/window.h"

enum {
    FOLLOW_NEEDS_MAX = 64,
    FOLLOW_LOG_BUSY_MS = 1000, /* after the log could not be read or written */
};

enum follow_origin { FROM_LANES, FROM_SUSPECTS, FROM_ASIDE }; /* of a batch */

struct follow_need {
    struct uplink_need need;
    bool is_asked; /* by the destination: acknowledged frames too */
};

struct follow {
    const struct forward_options *o;
    const struct forward_uplink *fu;
    struct forward_times times; /* defaults filled in */
    struct uplink_station station;
    struct store_reader *reader;
    struct uplink *u;
    struct pair *pair; /* NULL: it stands alone */
    bool is_second;    /* of the pair */
    struct store_cursor cursor;
    struct window window; /* windowed kinds */
    struct batch batch;
    enum follow_origin origin; /* of the batch */
    struct isolate isolate;
    struct pace pace;
    struct backoff backoff;
    uint64_t next;                 /* first entry of the backlog lane not yet sent */
    uint64_t live_from, live_next; /* live lane; 0: there is one lane */
    uint64_t events_to;            /* events up to here have been looked at in the live lane */
    size_t limit; /* entries of one try: halved by a refusal, grows with success */
    struct follow_need needs[FOLLOW_NEEDS_MAX];
    size_t needs_n;
    bool is_connected, is_denied, is_cursor_new;
    bool has_passed_over; /* entries that nobody remembers: the lane begins anew at its end */
    atomic_bool is_stopping; /* by any thread: what fails from now on is no news */
    int64_t repeat_ms;       /* when what stands is due to be said again */
    int64_t wait_until_ms, cursor_ms, status_ms, measured_ms, took_ms, anew_ms;
    int64_t trouble_ms; /* of the first of a pair: since when; INT64_MAX: none */
    struct {
        int64_t told_ms;
        uint64_t n, first; /* entries set aside since the last event that told of it */
        /* trying them again, a round at a time: */
        uint64_t at;
        int64_t next_ms;
        size_t limit;
        unsigned failures;
    } aside;
    struct {                         /* of suspects */
        int64_t due_ms, answered_ms; /* the next one; when the destination took anything */
        unsigned lane_failures;      /* of the batch from the lanes, in a row */
        bool is_turn, is_told;       /* while nothing gets through they take turns with it */
        char why[160];
    } trial;
    struct forward_status status, told;
};

/* Opens reader, cursor and uplink. 0 or a negative errno. `pair` outlives it; NULL: none. */
int follow_init(struct follow *f, const struct forward_options *o,
                const struct forward_uplink *fu, struct pair *pair, bool is_second);
/* Keeps the cursor, closes everything. Takes a half-made one. */
void follow_done(struct follow *f);

/* Whether the destination takes entries like this one. */
bool follow_concerns(const struct follow *f, const struct store_entry *e);

/* Under which the log has the cursor and what was set aside: of a pair that of the first. */
const char *follow_cursor_id(const struct follow *f);

/* One move. Returns real milliseconds until the next is due, unless new entries come. A
 * windowed kind that is connected waits in here, for at most max_wait_ms. */
int64_t follow_step(struct follow *f, int64_t now_ms, int64_t max_wait_ms);
