/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair - an uplink and the one that takes over when it is down. They have one cursor, so that
 * nothing is lost at a change and little is sent twice: what both have sent are the same bytes.
 * Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/store.h"

struct pair {
    pthread_mutex_t lock;
    const char *cursor_id; /* the first uplink's */
    int64_t failover_ms;
    /* under the lock: */
    struct store_cursor cursor;
    bool has_cursor;
    int64_t trouble_ms; /* since when the first has not got on; INT64_MAX: it is well */
};

void pair_init(struct pair *p, const char *cursor_id, int64_t failover_ms);
void pair_done(struct pair *p);

/* Each learns what the other has delivered. True when *c has changed. */
bool pair_share(struct pair *p, struct store_cursor *c);

/* The first uplink does not get on since then; INT64_MAX: it does. */
void pair_report(struct pair *p, int64_t trouble_ms);

/* Whether the second one has to deliver. */
bool pair_has_failed_over(struct pair *p, int64_t now_ms);
