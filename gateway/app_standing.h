/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_standing - the alerts that stand, passed from the book of alerts (main thread) to the
 * uplinks that say them again and again (each in its own thread).
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/alerts/book.h"
#include "gateway/uplink/uplink.h"

struct app_standing {
    struct uplink_standing given; /* to the uplinks */
    pthread_mutex_t lock;         /* of text and its time */
    char *text;
    int64_t mono_ms;
    char *next; /* main thread: told when the log has committed so much */
    int64_t next_mono_ms;
    uint64_t next_batch;
    bool is_wanted; /* main thread: some uplink of the configuration says them again */
};

void app_standing_init(struct app_standing *s); /* must not move from here on */
void app_standing_done(struct app_standing *s);

/* As the book has them now; about once a second. What the log does not have yet is not told. A
 * gateway without a book passes NULL. */
void app_standing_put(struct app_standing *s, const struct book *b, struct store *store,
                      int64_t now_ms);
