/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mqtt_topic - sluice/1/<region>/<shard>/<station>/<leaf>: printed and taken apart. Pure.
 *
 * The shard is CRC-32C of the station's id modulo 64, two hexadecimal digits: an ingest
 * subscribes to a set of shards on any broker.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    MQTT_SHARDS = 64,
    MQTT_LEVEL_MAX = 64,  /* bytes of a region or station id, as FIELD_ID */
    MQTT_TOPIC_MAX = 192, /* two levels, 32 bytes around them, NUL */
};

enum mqtt_leaf {
    MQTT_STATUS,
    MQTT_LAYOUT, /* has an id behind it */
    MQTT_SERIES,
    MQTT_EVENT,
    MQTT_LATEST,
    MQTT_ACK,
    MQTT_COMMAND,
    MQTT_REPLY,
    MQTT_LEAF_COUNT_
};

struct mqtt_topic {
    char region[MQTT_LEVEL_MAX + 1], station[MQTT_LEVEL_MAX + 1];
    enum mqtt_leaf leaf;
    uint32_t layout; /* of MQTT_LAYOUT */
};

unsigned mqtt_topic_shard(const char *station);

/* `out` holds MQTT_TOPIC_MAX bytes. -EINVAL when region or station is no topic level of ours:
 * 1 to 64 of [a-z0-9_-]. */
int mqtt_topic_print(const struct mqtt_topic *t, char *out);

/* -EINVAL for any topic that mqtt_topic_print() would not have made, a wrong shard included. */
int mqtt_topic_parse(const char *text, size_t size, struct mqtt_topic *ret);
