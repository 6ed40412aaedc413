/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/ingest.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/backoff.h"
#include "gateway/base/log.h"
#include "gateway/base/queue.h"
#include "gateway/ingest/centre.h"
#include "gateway/ingest/claim.h"
#include "gateway/ingest/metrics.h"
#include "gateway/ingest/observe.h"
#include "gateway/uplink/mqtt_message.h"

enum {
    MESSAGES_AT_ONCE = 256, /* before the database and the acknowledgements have their turn */
    OBSERVE_MS = 1000,      /* between two texts for monitoring */
    METRICS_MAX = 16 << 20,
    STOP_POST_MS = 900, /* for the post under way, then it is broken off */
    STOP_PROOF_MS = 500,
    STOP_FLUSH_MS = 300, /* for the last acknowledgements */
};

struct post {         /* to the posting thread */
    const char *body; /* NULL: a proof */
    size_t size;
};

struct answer { /* and back */
    bool is_proof;
    enum uplink_verdict verdict;
    struct uplink_report why;
    struct database_facts facts;
};

struct ingest {
    struct ingest_options o;
    struct subscriber *subscriber;
    struct centre *centre;
    struct database *database;
    struct queue *posts, *answers;
    struct buf ack, metrics;
    struct observe *observe;
    int64_t observe_ms;
    struct claim claim;
    bool is_posting, is_ready, is_connected, has_claimed, is_replaced;
    uint64_t dropped_told;
    atomic_bool is_stopping;
    pthread_t worker, poster;
    bool has_worker, has_poster;
};

/* ---- the posting thread ---- */

static void *post_all(void *arg)
{
    struct ingest *g = arg;
    struct answer a;
    struct post p;

    while (queue_pop(g->posts, &p, -1)) {
        a.is_proof = !p.body;
        a.verdict = a.is_proof ? database_prove(g->database, &a.why)
                               : database_write(g->database, p.body, p.size, &a.why);
        a.facts = *database_facts(g->database);
        queue_push(g->answers, &a);
        subscriber_wake(g->subscriber);
    }
    return NULL;
}

/* ---- the working thread ---- */

static void tell(void *user, enum log_level level, const char *text)
{
    (void)user;
    log_write(level, "%s", text);
}

static void take_answer(struct ingest *g, int64_t timeout_ms)
{
    struct answer a;

    if (!g->is_posting || !queue_pop(g->answers, &a, timeout_ms))
        return;
    g->is_posting = false;
    centre_know_database(g->centre, a.facts.needs_proof,
                         g->o.retention_ms ? g->o.retention_ms : a.facts.retention_ms);
    if (a.is_proof)
        centre_proven(g->centre, mono_ms(), a.verdict, &a.why);
    else
        centre_answer(g->centre, mono_ms(), a.verdict, &a.why);
}

static void post_next(struct ingest *g)
{
    int64_t wall_ms = clock_wall_ms(&g->o.clock);
    struct post p = { .body = NULL };

    if (!g->is_posting && centre_next_proof(g->centre, mono_ms()))
        g->is_posting = queue_push(g->posts, &p);
    if (!g->is_posting) {
        p.body = centre_next_post(g->centre, mono_ms(), wall_ms, &p.size);
        g->is_posting = p.body && queue_push(g->posts, &p);
    }
    if (g->is_posting)
        centre_prepare(g->centre, mono_ms(), wall_ms);
}

/* `now_ms`: whose time has come by then. */
static void acknowledge(struct ingest *g, int64_t now_ms)
{
    struct centre_ack a;

    while (centre_next_ack(g->centre, now_ms, &a)) {
        const struct mqtt_ack message = { a.epoch,   a.acked,  a.need,     a.refused,
                                          a.acked_n, a.need_n, a.refused_n };
        buf_clear(&g->ack);
        mqtt_ack_write(&g->ack, &message);
        if (g->ack.has_failed ||
            !subscriber_publish(g->subscriber, a.topic, g->ack.data, g->ack.size))
            return;
        centre_ack_sent(g->centre, now_ms);
    }
}

static void take_claim(struct ingest *g, const struct mqtt_note *n)
{
    struct claim heard;

    if (claim_parse((const char *)n->data, n->size, &heard) < 0)
        return;
    switch (claim_judge(&g->claim, &heard)) {
    case CLAIM_NONE:
        break;
    case CLAIM_YIELD:
        if (!g->is_replaced && g->o.on_replaced)
            g->o.on_replaced(g->o.user);
        g->is_replaced = true;
        break;
    case CLAIM_SHARED:
        log_warning("another ingest serves some of our shards too, which doubles the work; "
                    "shards=%016" PRIx64,
                    heard.shards & g->claim.shards);
        break;
    case CLAIM_ASSERT:
        g->has_claimed = false;
        break;
    }
}

static void take_messages(struct ingest *g, int64_t timeout_ms)
{
    struct mqtt_note n;

    for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
        if (!subscriber_next(g->subscriber, i == 0 ? timeout_ms : 0, &n))
            return;
        if (strcmp(n.topic, CLAIM_TOPIC) == 0)
            take_claim(g, &n);
        else
            centre_take(g->centre, n.topic, n.data, n.size, mono_ms());
        mqtt_note_done(&n);
    }
}

static bool publish_claim(struct ingest *g)
{
    struct buf b = BUF_INIT(512);

    claim_write(&b, &g->claim);
    bool is_out = subscriber_publish(g->subscriber, CLAIM_TOPIC, b.data, b.size);
    buf_done(&b);
    return is_out;
}

static void hold_connection(struct ingest *g)
{
    uint64_t dropped = subscriber_dropped(g->subscriber);

    bool was_connected = g->is_connected;
    g->is_connected = subscriber_hold(g->subscriber);
    g->has_claimed &= was_connected && g->is_connected;
    if (g->is_connected && !g->has_claimed)
        g->has_claimed = publish_claim(g);
    if (g->is_connected && !g->is_ready) {
        g->is_ready = true;
        if (g->o.on_ready)
            g->o.on_ready(g->o.user);
    }
    if (dropped > g->dropped_told * 2) { /* at 1, 3, 7, ...: a line for each doubling */
        log_warning("messages come faster than they are taken and are dropped; they come "
                    "again; dropped=%" PRIu64,
                    dropped);
        g->dropped_told = dropped;
    }
}

static void tell_monitoring(struct ingest *g)
{
    const struct metrics_more more = { g->is_connected, subscriber_dropped(g->subscriber) };
    int64_t now_ms = mono_ms();

    if (!g->observe || now_ms < g->observe_ms)
        return;
    g->observe_ms = now_ms + OBSERVE_MS;
    buf_clear(&g->metrics);
    metrics_write(&g->metrics, g->centre, &more, now_ms, clock_wall_ms(&g->o.clock));
    if (buf_text(&g->metrics))
        observe_set(g->observe, g->metrics.data, g->metrics.size,
                    metrics_trouble(g->centre, &more));
}

static void finish(struct ingest *g)
{
    int64_t flush_by = mono_ms() + g->o.ack_interval_ms; /* nothing has to wait any longer */

    const struct post proof = { .body = NULL };

    take_answer(g, STOP_POST_MS);
    if (!g->is_posting && centre_last_proof(g->centre, mono_ms())) {
        g->is_posting = queue_push(g->posts, &proof);
        take_answer(g, STOP_PROOF_MS);
    }
    if (g->is_posting)
        database_stop(g->database);
    acknowledge(g, flush_by > mono_ms() ? flush_by : mono_ms());
    subscriber_flush(g->subscriber, STOP_FLUSH_MS);
}

static void *work(void *arg)
{
    struct ingest *g = arg;

    while (!atomic_load(&g->is_stopping)) {
        hold_connection(g);
        take_answer(g, 0);
        post_next(g);
        acknowledge(g, mono_ms());
        tell_monitoring(g);
        take_messages(g, centre_wait_ms(g->centre, mono_ms(), g->is_posting));
    }
    finish(g);
    return NULL;
}

/* ---- life ---- */

static int start_observing(struct ingest *g)
{
    char error[160];
    int rc = observe_start(g->o.listen, &g->observe, error, sizeof error);

    if (rc < 0)
        log_error("%s", error);
    else
        log_notice("metrics at port %u", observe_port(g->observe));
    return rc;
}

static int create_parts(struct ingest *g)
{
    const struct centre_options centre = {
        .ack_interval_ms = g->o.ack_interval_ms,
        .tell = tell,
    };
    int rc = subscriber_create(&g->o.subscriber, &g->subscriber);

    if (rc == 0)
        rc = database_create(&g->o.database, &g->database);
    if (rc == 0)
        rc = centre_create(&centre, &g->centre);
    if (rc == 0)
        rc = queue_create(sizeof(struct post), 1, &g->posts);
    if (rc == 0)
        rc = queue_create(sizeof(struct answer), 1, &g->answers);
    return rc == 0 && g->o.listen ? start_observing(g) : rc;
}

int ingest_start(const struct ingest_options *o, struct ingest **ret)
{
    struct ingest *g = calloc(1, sizeof *g);

    if (!g)
        return -ENOMEM;
    g->o = *o;
    g->ack = BUF_INIT(MQTT_ACK_MAX);
    g->metrics = BUF_INIT(METRICS_MAX);
    g->claim = (struct claim){ .id = random_u64(),
                               .start_ms = clock_wall_ms(&o->clock),
                               .shards = o->subscriber.shards };
    snprintf(g->claim.region, sizeof g->claim.region, "%s",
             o->subscriber.region ? o->subscriber.region : "");
    int rc = create_parts(g);
    if (rc == 0) {
        g->has_poster = pthread_create(&g->poster, NULL, post_all, g) == 0;
        g->has_worker = g->has_poster && pthread_create(&g->worker, NULL, work, g) == 0;
        rc = g->has_worker ? 0 : -EAGAIN;
    }
    if (rc < 0) {
        ingest_stop(g);
        return rc;
    }
    *ret = g;
    return 0;
}

static void log_counts(const struct centre_counts *n)
{
    log_info("ingest ends; entries=%" PRIu64 " lines=%" PRIu64 " duplicates=%" PRIu64
             " dropped=%" PRIu64 " malformed=%" PRIu64 " contradicting=%" PRIu64
             " undecodable=%" PRIu64 " refused_lines=%" PRIu64 " refused_rows=%" PRIu64
             " refused_entries=%" PRIu64 " rewritten=%" PRIu64,
             n->entries, n->lines, n->duplicates, n->dropped, n->malformed, n->contradicting,
             n->undecodable, n->refused_lines, n->refused_rows, n->refused_entries,
             n->rewritten);
}

void ingest_stop(struct ingest *g)
{
    if (!g)
        return;
    atomic_store(&g->is_stopping, true);
    if (g->has_worker) {
        subscriber_stop(g->subscriber);
        pthread_join(g->worker, NULL);
        log_counts(centre_counts(g->centre));
    }
    if (g->has_poster) {
        queue_close(g->posts);
        pthread_join(g->poster, NULL);
    }
    observe_stop(g->observe);
    centre_destroy(g->centre);
    subscriber_destroy(g->subscriber);
    database_destroy(g->database);
    queue_destroy(g->posts);
    queue_destroy(g->answers);
    buf_done(&g->ack);
    buf_done(&g->metrics);
    free(g);
}
