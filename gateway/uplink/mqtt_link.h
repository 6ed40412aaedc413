/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mqtt_link - one connection to a broker by Paho's MQTTAsync, made so that its weaknesses do
 * not reach us: nothing is queued or kept in it, its callbacks only enqueue, and a lost
 * connection is answered by destroying the handle. Used by the uplink `mqtt`, by ingest and by
 * the feeds of network servers.
 *
 * Calls come from one thread; mqtt_link_stop() may come from any. Nothing here retries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/uplink/uplink.h"

enum {
    MQTT_WINDOW_MAX = 16,        /* publications without PUBACK; less if the broker says so */
    MQTT_PACKET_MAX = 256 << 10, /* ours; the broker may ask for less */
    MQTT_ALIASES_MAX = 4,        /* topics that we repeat: fewer if the broker says so */
    MQTT_PACKET_HEAD = 16, /* of a PUBLISH beside topic and payload, properties included */
};

enum mqtt_version { MQTT_VERSION_AUTO, MQTT_VERSION_3_1_1, MQTT_VERSION_5 };

struct mqtt_link_options { /* texts are not copied: they must outlive the link */
    const char *url, *client_id;
    const char *username, *password;
    const char *ca, *cert, *key; /* files; ca NULL: the system's */
    int64_t keepalive_ms;
    enum mqtt_version version; /* AUTO: 5, and 3.1.1 with a broker that refuses it */
    const char *will_topic, *will;
    uint32_t will_delay_s;      /* MQTT 5 */
    bool has_topic_alias;       /* MQTT 5: topics that are not retained are said once */
    const char *const *filters; /* subscribed with QoS 1 after each connect */
    size_t filters_n;
    bool is_frugal;       /* with QoS 0: what is lost with a connection comes again anyway */
    bool is_qos0;         /* the broker knows no other: publications too */
    uint32_t session_s;   /* so long the broker keeps what came while away; 0: not at all */
    size_t packet_in_max; /* larger ones the broker is told not to send */
    size_t inbox_max, inbox_bytes_max; /* messages not yet taken; beyond, they are dropped */
};

enum mqtt_note_kind {
    MQTT_NOTE_NONE,      /* woken, or nothing within the time */
    MQTT_NOTE_PUBLISHED, /* PUBACK, or failure of a publication */
    MQTT_NOTE_MESSAGE,
    MQTT_NOTE_LOST, /* the connection is gone: mqtt_link_disconnect(), then connect anew */
};

struct mqtt_note {
    enum mqtt_note_kind kind;
    uint64_t tag; /* PUBLISHED: as given to mqtt_link_publish() */
    int reason;   /* PUBLISHED: reason code, negative when the library failed */
    char *topic;  /* MESSAGE: with the payload behind it, released by mqtt_note_done() */
    const uint8_t *data;
    size_t size;
    bool is_retained;
    char text[120]; /* LOST */
};

struct mqtt_link;

/* Does not connect. -EINVAL (address), -ENOMEM. */
int mqtt_link_create(const struct mqtt_link_options *o, struct mqtt_link **ret);
void mqtt_link_destroy(struct mqtt_link *l);

/* Connects and subscribes, or has given up after timeout_ms. UPLINK_DELIVERED: connected;
 * otherwise UPLINK_LATER or UPLINK_DENIED with the reason in `why`. */
enum uplink_verdict mqtt_link_connect(struct mqtt_link *l, int64_t timeout_ms,
                                      struct uplink_report *why);
bool mqtt_link_is_connected(const struct mqtt_link *l);
/* Orderly when still connected. Publications under way are forgotten; messages taken in stay.
 */
void mqtt_link_disconnect(struct mqtt_link *l);

/* The largest payload that fits one PUBLISH to a topic of this length. */
size_t mqtt_link_payload_max(const struct mqtt_link *l, size_t topic_size);
bool mqtt_link_has_room(const struct mqtt_link *l); /* in the window */
bool mqtt_link_is_idle(const struct mqtt_link *l);  /* nothing without PUBACK */

/* QoS 1. 0, -EAGAIN (no room in the window), -ENOTCONN, -EMSGSIZE, -EIO. */
int mqtt_link_publish(struct mqtt_link *l, const char *topic, const void *data, size_t size,
                      bool is_retained, uint64_t tag);

/* Waits at most timeout_ms for what happened; kind NONE when nothing did. */
void mqtt_link_next(struct mqtt_link *l, int64_t timeout_ms, struct mqtt_note *ret);
void mqtt_note_done(struct mqtt_note *n);

/* What a reason code of a PUBACK means: UPLINK_DELIVERED only when somebody has the message. */
enum uplink_verdict mqtt_reason_verdict(int reason);
const char *mqtt_reason_text(int reason);

/* A mqtt_link_next() in progress, or the next one, returns at once. Any thread. */
void mqtt_link_wake(struct mqtt_link *l);
uint64_t mqtt_link_dropped(const struct mqtt_link *l); /* messages that found the inbox full */
void mqtt_link_stop(struct mqtt_link *l);
bool mqtt_link_is_stopping(const struct mqtt_link *l);
