/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/mqtt_topic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/core/crc.h"

#define ROOT "sluice/1/"

static const char *const leaf_names[] = {
    [MQTT_STATUS] = "status",   [MQTT_LAYOUT] = "layout", [MQTT_SERIES] = "series",
    [MQTT_EVENT] = "event",     [MQTT_LATEST] = "latest", [MQTT_ACK] = "ack",
    [MQTT_COMMAND] = "command", [MQTT_REPLY] = "reply",
};

unsigned mqtt_topic_shard(const char *station)
{
    return crc32c(0, station, strlen(station)) % MQTT_SHARDS;
}

static bool is_level(const char *text)
{
    size_t n = strlen(text);

    return n >= 1 && n <= MQTT_LEVEL_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

int mqtt_topic_print(const struct mqtt_topic *t, char *out)
{
    char id[16] = "";

    if (!is_level(t->region) || !is_level(t->station) || t->leaf >= MQTT_LEAF_COUNT_)
        return -EINVAL;
    if (t->leaf == MQTT_LAYOUT)
        snprintf(id, sizeof id, "/%08" PRIx32, t->layout);
    snprintf(out, MQTT_TOPIC_MAX, ROOT "%s/%02x/%s/%s%s", t->region,
             mqtt_topic_shard(t->station), t->station, leaf_names[t->leaf], id);
    return 0;
}

/* The next level into `out`; what stands behind its slash, NULL when there is none or no room.
 */
static const char *take_level(const char *text, char *out, size_t size)
{
    size_t n = strcspn(text, "/");

    if (text[n] != '/' || n >= size)
        return NULL;
    memcpy(out, text, n);
    out[n] = '\0';
    return text + n + 1;
}

static int parse_leaf(const char *text, struct mqtt_topic *t)
{
    size_t n = strcspn(text, "/");

    for (unsigned i = 0; i < MQTT_LEAF_COUNT_; i++) {
        if (strlen(leaf_names[i]) != n || memcmp(leaf_names[i], text, n) != 0)
            continue;
        t->leaf = (enum mqtt_leaf)i;
        if (i == MQTT_LAYOUT && text[n])
            t->layout = (uint32_t)strtoul(text + n + 1, NULL, 16);
        return 0;
    }
    return -EINVAL;
}

/* Taken apart leniently, then printed again: only what comes out the same is one of ours. */
int mqtt_topic_parse(const char *text, size_t size, struct mqtt_topic *ret)
{
    struct mqtt_topic t = { .layout = 0 };
    char copy[MQTT_TOPIC_MAX], again[MQTT_TOPIC_MAX], shard[4];

    if (size >= sizeof copy || size <= strlen(ROOT) || memcmp(text, ROOT, strlen(ROOT)) != 0)
        return -EINVAL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    const char *p = take_level(copy + strlen(ROOT), t.region, sizeof t.region);
    if (p)
        p = take_level(p, shard, sizeof shard);
    if (p)
        p = take_level(p, t.station, sizeof t.station);
    if (!p || parse_leaf(p, &t) < 0 || mqtt_topic_print(&t, again) < 0)
        return -EINVAL;
    if (strlen(again) != size || memcmp(again, text, size) != 0)
        return -EINVAL;
    *ret = t;
    return 0;
}
