/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subscriber - ingest's connection to the broker, held up whatever happens: a lost or silent
 * one is thrown away and made anew after a pause. One thread; subscriber_wake() and
 * subscriber_stop() may come from any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/uplink/mqtt_link.h"

struct subscriber_options {      /* texts must outlive the subscriber */
    const char *broker, *region; /* region NULL: all */
    uint64_t shards;             /* a bit for each */
    const char *client_id;       /* NULL: one for this region and set of shards */
    const char *username, *password, *ca, *cert, *key;
};

struct subscriber;

/* "00-3f", "07", "00-0f,20-2f" into a set. 0 or -EINVAL. */
int shards_parse(const char *text, uint64_t *ret);

/* Does not connect. 0, -ENOMEM, -EINVAL (address). */
int subscriber_create(const struct subscriber_options *o, struct subscriber **ret);
void subscriber_destroy(struct subscriber *s);

/* Connects when it is time to, which may take SUBSCRIBER_CONNECT_MS. True when connected. */
bool subscriber_hold(struct subscriber *s);
enum { SUBSCRIBER_CONNECT_MS = 10000 };

/* The next message, waited for at most timeout_ms: true, and mqtt_note_done() after use. */
bool subscriber_next(struct subscriber *s, int64_t timeout_ms, struct mqtt_note *ret);

/* False when it cannot go out now. */
bool subscriber_publish(struct subscriber *s, const char *topic, const void *data, size_t size);
/* Waits at most timeout_ms for the broker to have what was published. */
void subscriber_flush(struct subscriber *s, int64_t timeout_ms);

void subscriber_wake(struct subscriber *s);
void subscriber_stop(struct subscriber *s);
uint64_t subscriber_dropped(const struct subscriber *s); /* messages that came too fast */
