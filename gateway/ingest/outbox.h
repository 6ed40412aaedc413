/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox - one batch of lines on its way to the database: the same bytes again until they are
 * taken, halves of it when it is refused, one line at a time in the end. Pure; time is an
 * argument; one thread.
 *
 * Entries are handed in with the place where their lines end and come out settled, in order,
 * once the database has answered for all their lines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/backoff.h"
#include "gateway/base/buf.h"
#include "gateway/uplink/uplink.h"

enum {
    OUTBOX_LINES = 5000,        /* of a batch, as databases like it; the last row may pass it */
    OUTBOX_BYTES = 1 << 20,     /* the same */
    OUTBOX_BYTES_MAX = 4 << 20, /* with the longest row: 1024 columns with names of 128 bytes */
    OUTBOX_MARKS_MAX = 4096,
    OUTBOX_DENIED_MS = 10000, /* between two tries at a database that denies us */
};

struct outbox_mark {
    void *item;
    size_t end;       /* of its lines in this batch */
    uint32_t refused; /* lines */
    char why[160];    /* the server's words, when there are refused ones */
};

struct outbox {
    struct buf text;
    size_t lines;
    struct outbox_mark *marks;
    size_t marks_n, settled_n; /* marks handed out by outbox_settled() */
    size_t from, to;       /* under way, or to be sent next; before `from` all is answered */
    size_t bad;            /* up to here a refused line is known to be; 0: none is known */
    bool is_closed;        /* being sent: nothing is added */
    uint32_t open_refused; /* lines of an entry that goes on in the next batch: no mark yet */
    char open_why[160];
    struct backoff later;
    int64_t retry_ms;
    enum uplink_verdict state; /* last verdict: DELIVERED, LATER or DENIED */
};

int outbox_init(struct outbox *o); /* 0 or -ENOMEM */
void outbox_done(struct outbox *o);

bool outbox_is_full(const struct outbox *o);
bool outbox_is_empty(const struct outbox *o);

/* All lines of the item are in `text`, up to here. */
void outbox_mark(struct outbox *o, void *item);

/* Lines that belong to no entry, copied. False when there is no room. */
bool outbox_put(struct outbox *o, const char *lines, size_t size);

/* No more is added until all of it is settled. An entry not marked goes on in the next batch.
 */
void outbox_close(struct outbox *o);

/* `next` takes the place of `o`, which is empty: what is known of the database, and the
 * refusals of an entry that goes on in it. */
void outbox_hand_on(struct outbox *o, struct outbox *next);

/* The bytes to be posted now: they stay until outbox_answer(). NULL when there is nothing to
 * post, or its time has not come (*ret_wait_ms says how long). */
const char *outbox_next(struct outbox *o, int64_t now_ms, size_t *ret_size,
                        int64_t *ret_wait_ms);

/* Returns true when this line alone was refused. */
bool outbox_answer(struct outbox *o, int64_t now_ms, enum uplink_verdict v,
                   const struct uplink_report *why);

/* The next entry whose lines are all answered; NULL when there is none. Lives until the next
 * call of any function. The batch is empty again after its last one. */
const struct outbox_mark *outbox_settled(struct outbox *o);
