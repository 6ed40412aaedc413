/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest - the service of the regional centre: broker -> centre -> database -> acknowledgement.
 *
 * Two threads: one owns the connection to the broker and the centre, the other posts one batch
 * at a time; between them only values travel. Keeps nothing on disk.
 */
#pragma once

#include "gateway/base/clock.h"
#include "gateway/ingest/subscriber.h"
#include "gateway/uplink/http_post.h"

struct ingest_options { /* texts must outlive the service */
    struct subscriber_options subscriber;
    struct http_post_options database;
    int64_t ack_interval_ms;
    struct clock clock;
    /* Connected for the first time; from the service's thread. May be NULL. */
    void (*on_ready)(void *user);
    void *user;
};

struct ingest;

/* 0, -ENOMEM, -EINVAL (an address, or credentials that no header can carry). */
int ingest_start(const struct ingest_options *o, struct ingest **ret);

/* Ends the post under way, publishes what is to be acknowledged, joins: within 2 s. */
void ingest_stop(struct ingest *g);
