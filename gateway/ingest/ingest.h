/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest - the service of the regional centre: broker -> centre -> database -> acknowledgement.
 *
 * Two threads: one owns the connection to the broker and the centre and decodes, the other
 * posts one batch at a time; between them only values travel. Keeps nothing on disk.
 */
#pragma once

#include "gateway/base/clock.h"
#include "gateway/ingest/database.h"
#include "gateway/ingest/subscriber.h"

struct ingest_options { /* texts must outlive the service */
    struct subscriber_options subscriber;
    struct database_options database;
    int64_t retention_ms; /* of the database; 0: as it says itself */
    int64_t ack_interval_ms;
    struct clock clock;
    const char *listen; /* for /metrics and /healthz; NULL: none */
    /* Connected for the first time; from the service's thread. May be NULL. */
    void (*on_ready)(void *user);
    /* Another ingest has taken over: this one does no more and is to be stopped. May be NULL.
     */
    void (*on_replaced)(void *user);
    void *user;
};

struct ingest;

/* 0, -ENOMEM, -EINVAL (an address, or credentials that no header can carry), -EADDRINUSE; told
 * in the log where an errno does not tell it. */
int ingest_start(const struct ingest_options *o, struct ingest **ret);

/* Ends the post under way, publishes what is to be acknowledged, joins: within 2 s. */
void ingest_stop(struct ingest *g);
