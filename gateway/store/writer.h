/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer - the thread that commits, and what it shares with the others: the queue of batches,
 * the request for a stream, the state of health. All of that is under `lock`.
 */
#pragma once

#include <pthread.h>

#include "gateway/base/backoff.h"
#include "gateway/base/clock.h"
#include "gateway/store/ballast.h"
#include "gateway/store/commit.h"
#include "gateway/store/mark.h"

struct writer_request {
    const struct commit_stream *want;
    uint32_t number;
    int rc;
    bool is_done;
};

struct store {
    struct store_options options;
    char *path;
    uint64_t epoch;
    void (*on_commit)(void *user, const struct store_commit *c);
    void *user;
    int64_t commit_ms, seal_ms; /* real milliseconds */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;     /* for the writer */
    pthread_cond_t answered; /* for who made the request */
    struct store_batch *queue, *queue_last, *spare;
    unsigned spare_n;
    int64_t queued_since_ms;
    uint64_t submitted; /* batches */
    bool is_urgent, is_stopping;
    struct writer_request *request;
    struct store_health health;

    /* writer's thread */
    struct commit commit;
    struct mark mark;
    struct store_batch *taken, *taken_last;
    struct backoff backoff;
    int64_t retry_at_ms, seal_at_ms, maintain_at_ms;
    int64_t judged_end, judged_from; /* of the chapter that ends there, what is known to be old
                                        begins here (retain.c) */
    struct ballast ballast;
    bool is_full;                   /* a commit found no room */
    int64_t limit_bytes;            /* of the log: size_max or what the disk has; 0: none */
    int64_t frames_from, losing_to; /* no frame lies below; all those below are being lost */

    /* main thread */
    struct db reading;
    uint16_t *columns; /* of streams, by number; 0: none */
    size_t columns_n;
};

/* 0 or a negative errno. */
int writer_start(struct store *s);
/* Commits and seals all, ends the thread. */
void writer_stop(struct store *s);

/* Hands a batch over. 0, or -EAGAIN when the queue is full; it is gone in any case. */
int writer_submit(struct store *s, struct store_batch *b, bool is_urgent);

/* Waits for the writer. */
int writer_open_stream(struct store *s, const struct commit_stream *want, uint32_t *ret_number);
/* Leaves it to the writer; both must live until writer_is_answered(). -EBUSY: there is one. */
int writer_ask_stream(struct store *s, struct writer_request *r);
bool writer_is_answered(struct store *s, const struct writer_request *r, bool is_to_wait);

/* An empty batch, one that was used before if possible; NULL without memory. */
struct store_batch *writer_spare(struct store *s);
void writer_give_back(struct store *s, struct store_batch *b);

/* store.c: how long that is by a clock that does not run faster; 0: `dflt`. */
int64_t real_interval(const struct store_options *o, int64_t station_ms, int64_t dflt);

/* Station time, ms UTC. */
int64_t station_now(const struct store *s);

/* Whether the disk ends before size_max. */
bool retain_is_disk_short(const struct store *s);

/* Sets limit_bytes and SQLite's own limit; retain_step() does it by itself. */
void retain_limit(struct store *s);

/* Begins a chapter when it is time; trims a few entries if there are too many or too old ones.
 * True when more remains to be done. */
bool retain_step(struct store *s);
