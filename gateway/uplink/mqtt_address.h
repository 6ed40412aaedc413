/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_address - the broker's address as written by the user, and whether its name resolves. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MQTT_HOST_MAX = 256 };

struct mqtt_address {
    char uri[MQTT_HOST_MAX + 32]; /* as the client library wants it: "tcp://host:1883" */
    char host[MQTT_HOST_MAX];
    bool is_tls;
};

/* "mqtt://host[:port]" or "mqtts://host[:port]". -EINVAL with a sentence in `why`. */
int mqtt_address_parse(const char *url, struct mqtt_address *ret, char *why, size_t size);

/*
 * Whether the host's name resolves within timeout_ms, or is an address. The client library
 * looks names up while it holds its only lock: one silent name server would hold up every
 * connection, so we ask first, in a thread that may be left behind. False as soon as
 * *is_stopping.
 */
bool mqtt_address_resolves(const struct mqtt_address *a, int64_t timeout_ms,
                           const atomic_bool *is_stopping);
