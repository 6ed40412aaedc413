/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/subscriber.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/backoff.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/ingest/claim.h"
#include "gateway/uplink/mqtt_topic.h"

enum {
    LEAVES = 4,
    FILTERS_MAX = MQTT_SHARDS * LEAVES + 1,
    FILTER_MAX = MQTT_TOPIC_MAX,
    KEEPALIVE_MS = 15000,
    STALL_MS = 30000, /* no PUBACK for so long: dead, whatever TCP says */
    RETRY_FIRST_MS = 200,
    RETRY_MAX_MS = 30000,
    PACKET_IN_MAX = 2 << 20, /* a series message of a frame of 1 MiB */
    INBOX_MAX = 4096,
    INBOX_BYTES_MAX = 32 << 20,
};

struct subscriber {
    struct mqtt_link_options options;
    struct mqtt_link *link;
    char client_id[48];
    char filters[FILTERS_MAX][FILTER_MAX];
    const char *filter[FILTERS_MAX];
    struct backoff pause;
    int64_t retry_ms, progress_ms;
    char trouble[160]; /* as logged last; empty while connected */
};

/* ---- life ---- */

static int parse_shard(const char **p, unsigned *ret)
{
    char *end;
    unsigned long v = strtoul(*p, &end, 16);

    if (end - *p != 2 || strspn(*p, "0123456789abcdefABCDEF") < 2 || v >= MQTT_SHARDS)
        return -EINVAL;
    *p = end;
    *ret = (unsigned)v;
    return 0;
}

int shards_parse(const char *text, uint64_t *ret)
{
    uint64_t set = 0;
    unsigned from, to;

    for (const char *p = text;; p++) {
        if (parse_shard(&p, &from) < 0)
            return -EINVAL;
        to = from;
        if (*p == '-') {
            p++;
            if (parse_shard(&p, &to) < 0 || to < from)
                return -EINVAL;
        }
        for (unsigned i = from; i <= to; i++)
            set |= UINT64_C(1) << i;
        if (!*p)
            break;
        if (*p != ',')
            return -EINVAL;
    }
    *ret = set;
    return 0;
}

static void add_filters(struct subscriber *s, const char *region, const char *shard)
{
    /* dictionaries first: they are retained and come before the frames that need them */
    static const char *const leaves[LEAVES] = { "layout/+", "series", "event", "status" };

    for (size_t i = 0; i < LEAVES; i++) {
        size_t at = s->options.filters_n++;
        snprintf(s->filters[at], FILTER_MAX, "sluice/1/%s/%s/+/%s", region, shard, leaves[i]);
        s->filter[at] = s->filters[at];
    }
}

static void set_filters(struct subscriber *s, const struct subscriber_options *o)
{
    const char *region = o->region ? o->region : "+";
    char shard[4];

    s->options.filters = s->filter;
    s->filter[s->options.filters_n++] = CLAIM_TOPIC;
    if (o->shards == UINT64_MAX) {
        add_filters(s, region, "+");
        return;
    }
    for (unsigned i = 0; i < MQTT_SHARDS; i++) {
        if (!(o->shards >> i & 1))
            continue;
        snprintf(shard, sizeof shard, "%02x", i);
        add_filters(s, region, shard);
    }
}

int subscriber_create(const struct subscriber_options *o, struct subscriber **ret)
{
    struct subscriber *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->options = (struct mqtt_link_options){
        .url = o->broker,
        .client_id = s->client_id,
        .username = o->username,
        .password = o->password,
        .ca = o->ca,
        .cert = o->cert,
        .key = o->key,
        .keepalive_ms = KEEPALIVE_MS,
        .version = MQTT_VERSION_AUTO,
        .packet_in_max = PACKET_IN_MAX,
        .inbox_max = INBOX_MAX,
        .inbox_bytes_max = INBOX_BYTES_MAX,
    };
    s->pause = (struct backoff){ .first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS };
    /* a new name each time: nothing is left for us at the broker; see claim.h for two of us */
    snprintf(s->client_id, sizeof s->client_id, "sluice-ingest-%016" PRIx64, random_u64());
    set_filters(s, o);
    int rc = mqtt_link_create(&s->options, &s->link);
    if (rc < 0) {
        free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void subscriber_destroy(struct subscriber *s)
{
    if (!s)
        return;
    mqtt_link_destroy(s->link);
    free(s);
}

/* ---- the connection ---- */

static void note_trouble(struct subscriber *s, enum uplink_verdict v, const char *text)
{
    if (strcmp(s->trouble, text) == 0)
        return;
    snprintf(s->trouble, sizeof s->trouble, "%s", text);
    log_write(v == UPLINK_DENIED ? LOG_ERROR : LOG_WARNING,
              "no connection to %s, trying again: %s", s->options.url, text);
}

static void pause_first(struct subscriber *s)
{
    s->retry_ms = mono_ms() + backoff_next(&s->pause, random_u32());
}

static void connect_now(struct subscriber *s)
{
    struct uplink_report why;
    enum uplink_verdict v = mqtt_link_connect(s->link, SUBSCRIBER_CONNECT_MS, &why);

    if (v == UPLINK_DELIVERED) {
        log_notice("connected to %s", s->options.url);
        s->trouble[0] = '\0';
        s->progress_ms = mono_ms();
        backoff_reset(&s->pause);
        return;
    }
    if (!mqtt_link_is_stopping(s->link))
        note_trouble(s, v, why.text);
    pause_first(s);
}

static void give_up_connection(struct subscriber *s, const char *why)
{
    mqtt_link_disconnect(s->link);
    note_trouble(s, UPLINK_LATER, why);
    pause_first(s);
}

bool subscriber_hold(struct subscriber *s)
{
    bool is_stalled = mqtt_link_is_connected(s->link) && !mqtt_link_is_idle(s->link) &&
                      mono_ms() - s->progress_ms > STALL_MS;

    if (is_stalled)
        give_up_connection(s, "the broker stopped answering");
    if (!mqtt_link_is_connected(s->link) && !mqtt_link_is_stopping(s->link) &&
        mono_ms() >= s->retry_ms)
        connect_now(s);
    return mqtt_link_is_connected(s->link);
}

bool subscriber_next(struct subscriber *s, int64_t timeout_ms, struct mqtt_note *ret)
{
    mqtt_link_next(s->link, timeout_ms, ret);
    if (ret->kind == MQTT_NOTE_MESSAGE)
        return true;
    if (ret->kind == MQTT_NOTE_PUBLISHED)
        s->progress_ms = mono_ms();
    if (ret->kind == MQTT_NOTE_LOST)
        give_up_connection(s, ret->text);
    mqtt_note_done(ret);
    return false;
}

bool subscriber_publish(struct subscriber *s, const char *topic, const void *data, size_t size)
{
    if (!mqtt_link_has_room(s->link))
        return false;
    if (mqtt_link_is_idle(s->link))
        s->progress_ms = mono_ms();
    return mqtt_link_publish(s->link, topic, data, size, false, 0) == 0;
}

void subscriber_flush(struct subscriber *s, int64_t timeout_ms)
{
    int64_t deadline = mono_ms() + timeout_ms;
    struct mqtt_note n;

    for (int64_t left; (left = deadline - mono_ms()) > 0 && mqtt_link_is_connected(s->link) &&
                       !mqtt_link_is_idle(s->link);)
        if (subscriber_next(s, left, &n))
            mqtt_note_done(&n);
}

void subscriber_wake(struct subscriber *s)
{
    mqtt_link_wake(s->link);
}

void subscriber_stop(struct subscriber *s)
{
    mqtt_link_stop(s->link);
}

uint64_t subscriber_dropped(const struct subscriber *s)
{
    return mqtt_link_dropped(s->link);
}
