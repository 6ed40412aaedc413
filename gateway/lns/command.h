/* SPDX-License-Identifier: Apache-2.0 */
/* command - a command to a device as its server wants it, and the topics of a feed. Pure. */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/lns/feed.h"

#define TTN_ID_PREFIX "sluice:" /* of the correlation id that carries the id of a command */

enum {
    FEED_TOPIC_MAX = 256,
    FEED_FILTERS_MAX = 8,
    FEED_COMMAND_MAX = 2048, /* bytes of a command: 222 of payload in base64 and names */
    FEED_DOWN_MAX = 242,     /* bytes of payload that any data rate of any region carries */
};

/* Filters to subscribe to. How many, or -EINVAL (feed_check()). */
int feed_filters(const struct feed_conf *c, char out[FEED_FILTERS_MAX][FEED_TOPIC_MAX]);

struct feed_command {
    uint64_t dev_eui;
    const char *device_id, *application;
    uint8_t fport;
    const uint8_t *bytes;
    size_t n;
    bool is_confirmed;
    const char *id; /* NULL: none */
};

/* `topic` holds FEED_TOPIC_MAX. 0, -EMSGSIZE, -EINVAL (port, id, names). */
int feed_command_print(const struct feed_conf *c, const struct feed_command *k, char *topic,
                       struct buf *json);
