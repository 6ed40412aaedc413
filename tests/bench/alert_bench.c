/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_bench LOG [DAYS [BYTES_PER_S]] - how long an alert takes to its destination while a
 * backlog of DAYS (30) days, 50 channels a minute, goes over a link of BYTES_PER_S (32000). The
 * link is real time: a send lasts as long as its bytes take. Prints the worst and the middle of
 * 40 alerts; exit status 1 when one took more than a second.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/forward/forward.h"

enum {
    COLUMNS = 50,
    ALERTS = 40,
    BETWEEN_MS = 500,
    SETTLE_MS = 8000, /* so long the pace learns the link */
    HOLD_MS = 1000,
    BATCH_ROWS = 500,
};

struct uplink { /* the link, and what came over it */
    int64_t bytes_per_s;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t alert; /* the alert's number, told by its event */
    int64_t arrived_ms;
    uint64_t bytes;
};

struct bench {
    struct store *store;
    struct forward *forward;
    struct uplink link;
    pthread_mutex_t lock;
    pthread_cond_t committed;
    uint64_t batches, seq_last;
};

/* ---- the link ---- */

static int link_create(const void *options, const struct uplink_station *station,
                       struct uplink **ret)
{
    (void)station;
    *ret = (struct uplink *)(uintptr_t)options;
    return 0;
}

static void link_destroy(struct uplink *u)
{
    (void)u;
}

static void take_event(struct uplink *u, const struct uplink_entry *e)
{
    char text[256];
    const char *at;

    snprintf(text, sizeof text, "%.*s", (int)e->size, (const char *)e->data);
    at = strstr(text, "\"alert\":");
    if (!at)
        return;
    pthread_mutex_lock(&u->lock);
    u->alert = strtoull(at + 8, NULL, 10);
    u->arrived_ms = mono_ms();
    pthread_cond_signal(&u->changed);
    pthread_mutex_unlock(&u->lock);
}

static enum uplink_verdict link_send(struct uplink *u, const struct uplink_batch *b,
                                     struct uplink_report *why)
{
    size_t size = 0;

    *why = (struct uplink_report){ .text = "delivered" };
    for (size_t i = 0; i < b->n; i++)
        size += b->entries[i].size;
    u->bytes += size;
    usleep(
        (useconds_t)(50000 + (int64_t)size * 1000000 / u->bytes_per_s)); /* and 50 ms there */
    for (size_t i = 0; i < b->n; i++)
        if (b->entries[i].is_event)
            take_event(u, &b->entries[i]);
    return UPLINK_DELIVERED;
}

static void link_stop(struct uplink *u)
{
    (void)u;
}

static const struct uplink_kind link_kind = {
    .name = "link",
    .wants_rows = true,
    .create = link_create,
    .destroy = link_destroy,
    .send = link_send,
    .stop = link_stop,
};

/* ---- the log ---- */

static void on_commit(void *user, const struct store_commit *c)
{
    struct bench *b = user;

    pthread_mutex_lock(&b->lock);
    b->batches = c->batches;
    b->seq_last = c->seq_last;
    pthread_cond_signal(&b->committed);
    pthread_mutex_unlock(&b->lock);
    if (b->forward)
        forward_wake(b->forward, c->seq_last);
}

static void commit(struct bench *b, struct store_batch *batch)
{
    store_batch_submit(batch, STORE_AT_ONCE);
    uint64_t mine = store_submitted(b->store);
    pthread_mutex_lock(&b->lock);
    while (b->batches < mine)
        pthread_cond_wait(&b->committed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static int fill(struct bench *b, int64_t rows)
{
    char json[COLUMNS * 64 + 256];
    struct series_cell cells[COLUMNS];
    size_t n = (size_t)snprintf(json, sizeof json,
                                "{\"sf1\":1,\"station\":\"s\",\"period_ms\":60000,"
                                "\"unit_ms\":1000,\"channels\":[");
    uint32_t stream;

    for (int i = 0; i < COLUMNS; i++)
        n += (size_t)snprintf(json + n, sizeof json - n,
                              "%s{\"id\":\"d/c%d\",\"quantity\":\"ozone\"}", i ? "," : "", i);
    snprintf(json + n, sizeof json - n, "]}");
    int rc = store_stream_open(b->store, "d", COLUMNS, 60000, 1000, NULL, json, &stream);
    for (int64_t row = 0; rc == 0 && row < rows;) {
        struct store_batch *batch;
        rc = store_batch_begin(b->store, &batch);
        for (int k = 0; rc == 0 && k < BATCH_ROWS && row < rows; k++, row++) {
            for (int i = 0; i < COLUMNS; i++)
                cells[i] =
                    (struct series_cell){ 400 + (row * (i + 7) * 2654435761) % 37, 0, 1 };
            rc = store_batch_row(batch, stream, 1760000000000 + row * 60000, cells, COLUMNS);
        }
        if (rc == 0)
            commit(b, batch);
    }
    return rc;
}

/* One alert; milliseconds from its commit to the other end, or INT64_MAX. */
static int64_t raise(struct bench *b, uint64_t number)
{
    struct store_batch *batch;
    char json[128];
    struct timespec until = mono_deadline(20000);
    int rc = 0;

    if (store_batch_begin(b->store, &batch) < 0)
        return INT64_MAX;
    snprintf(json, sizeof json, "{\"kind\":\"alert\",\"time\":5,\"alert\":%" PRIu64 "}",
             number);
    store_batch_event(batch, json);
    commit(b, batch);
    int64_t begin_ms = mono_ms();
    pthread_mutex_lock(&b->link.lock);
    while (b->link.alert != number && rc == 0)
        rc = pthread_cond_timedwait(&b->link.changed, &b->link.lock, &until);
    int64_t took_ms = rc == 0 ? b->link.arrived_ms - begin_ms : INT64_MAX;
    pthread_mutex_unlock(&b->link.lock);
    return took_ms;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int measure(struct bench *b, int64_t rows)
{
    int64_t took[ALERTS];

    usleep(SETTLE_MS * 1000);
    for (int i = 0; i < ALERTS; i++) {
        usleep((useconds_t)(BETWEEN_MS + i * 7) * 1000);
        took[i] = raise(b, (uint64_t)i + 1);
    }
    qsort(took, ALERTS, sizeof took[0], compare);
    bool holds = took[ALERTS - 1] <= HOLD_MS;
    printf("backlog of %" PRId64 " frames x %d channels over %" PRId64
           " bytes/s: an alert takes %" PRId64 " ms, at most %" PRId64
           " ms (hold %d: %s); %" PRIu64 " bytes of the backlog went meanwhile\n",
           rows, COLUMNS, b->link.bytes_per_s, took[ALERTS / 2], took[ALERTS - 1], HOLD_MS,
           holds ? "holds" : "MISSED", b->link.bytes);
    return holds ? 0 : 1;
}

static void init_condition(pthread_cond_t *c)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(c, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int main(int argc, char **argv)
{
    static struct bench b;
    char error[256];
    int64_t days = argc > 2 ? strtoll(argv[2], NULL, 10) : 30;

    b.link.bytes_per_s = argc > 3 ? strtoll(argv[3], NULL, 10) : 32000;
    if (argc < 2 || days < 1 || b.link.bytes_per_s < 1) {
        fprintf(stderr, "alert_bench LOG [DAYS [BYTES_PER_S]]\n");
        return 2;
    }
    pthread_mutex_init(&b.lock, NULL);
    pthread_mutex_init(&b.link.lock, NULL);
    init_condition(&b.committed);
    init_condition(&b.link.changed);
    const struct store_options so = { .path = argv[1],
                                      .commit_ms = 50,
                                      .seal_ms = 3600000,
                                      .seal_rows = 1,
                                      .dense_columns_max = COLUMNS,
                                      .speed = 1 };
    if (store_open(&so, on_commit, &b, &b.store, error, sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    const struct forward_uplink fu = { .id = "out", .kind = &link_kind, .options = &b.link };
    const struct forward_options fo = {
        .store = b.store, .station = { .id = "s" }, .uplinks = &fu, .uplinks_n = 1
    };
    int status = fill(&b, days * 1440) == 0 && forward_create(&fo, &b.forward) == 0
                     ? measure(&b, days * 1440)
                     : 1;
    forward_destroy(b.forward);
    b.forward = NULL;
    store_close(b.store);
    return status;
}
