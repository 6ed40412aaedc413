/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backfill - fetches from the storage integration of The Things Stack what was missed. Called
 * from one thread; backfill_stop() may come from any. Knows nothing of repetitions.
 */
#pragma once

#include "gateway/lns/feed.h"

struct backfill;

/* With storage_url of `c`; does not connect. 0, -ENOMEM, -EINVAL. */
int backfill_create(const struct feed_conf *c, struct backfill **ret);
void backfill_destroy(struct backfill *b);

struct backfill_sink {
    /* One stored uplink, or `m` NULL and a sentence about a line that is none. False: enough.
     */
    bool (*take)(void *user, struct feed_message *m, const char *why);
    void *user;
};

/*
 * Everything from *from_ms on, UTC by the server, oldest first. *from_ms moves with what was
 * taken, so that a failure may be followed by another try. 0; -EAGAIN with a sentence in `why`
 * when the server does not give it, -ECANCELED when stopped.
 */
int backfill_fetch(struct backfill *b, int64_t *from_ms, const struct backfill_sink *sink,
                   char *why, size_t size);
void backfill_stop(struct backfill *b);
