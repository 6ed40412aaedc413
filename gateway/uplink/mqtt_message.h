/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mqtt_message - what travels in the payloads: series messages, acknowledgements, the numbers
 * of an event, a station's status. Pure.
 *
 *   series   C0h | epoch, 8 bytes little endian | varint seq, varint length, frame | ...
 *   ack      {"epoch":"<16 hex>","seq":[[from,to],...],"need":[{"stream":,"segment":,"from":}],
 *             "refused":[{"seq":,"why":""}]}                  (`refused` only when there is
 * any) event    {"epoch":"<16 hex>","seq":n,...}
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/uplink/uplink.h"

enum {
    MQTT_SERIES_FIRST = 0xc0,
    MQTT_SERIES_HEAD = 9,    /* bytes before the first entry */
    MQTT_ENTRY_HEAD = 20,    /* at most before a frame: two varints */
    MQTT_ACK_MAX = 16 << 10, /* bytes; all of these with the longest numbers and texts fit */
    MQTT_ACK_RANGES = 64,
    MQTT_ACK_NEEDS = 64,
    MQTT_ACK_REFUSED = 8,
};

/* An entry that can never be stored, and why: the station sets it aside. */
struct mqtt_refused {
    uint64_t seq;
    char why[96];
};

/* Into an empty buffer; then one entry after the other. */
void mqtt_series_begin(struct buf *b, uint64_t epoch);
void mqtt_series_add(struct buf *b, uint64_t seq, const uint8_t *frame, size_t size);

struct mqtt_series_reader {
    const uint8_t *p, *end;
    uint64_t epoch;
};

struct mqtt_series_entry {
    uint64_t seq;
    const uint8_t *frame; /* in the message */
    size_t size;
};

/* 0, or -EINVAL when it is no series message. */
int mqtt_series_open(const uint8_t *data, size_t size, struct mqtt_series_reader *ret);
/* 1 and the next entry, 0 at the end, -EINVAL when the rest is malformed. */
int mqtt_series_next(struct mqtt_series_reader *r, struct mqtt_series_entry *ret);

struct mqtt_ack {
    uint64_t epoch;
    const struct uplink_range *acked;
    const struct uplink_need *need;
    const struct mqtt_refused *refused;
    size_t acked_n, need_n, refused_n;
};

/* Takes what fits one message off the front of each list: at most MQTT_ACK_RANGES,
 * MQTT_ACK_NEEDS and MQTT_ACK_REFUSED. */
void mqtt_ack_write(struct buf *b, const struct mqtt_ack *a);

/*
 * Adds what a message acknowledges and asks for to *acks. -EINVAL when it is malformed or
 * larger than agreed, -ESTALE when it speaks of another epoch, -ENOSPC when *acks has no room:
 * *acks is then as before.
 */
int mqtt_ack_parse(const char *json, size_t size, uint64_t epoch, struct uplink_acks *acks);

/* Epoch and number of an event. 0 or -EINVAL. */
int mqtt_event_parse(const char *json, size_t size, uint64_t *ret_epoch, uint64_t *ret_seq);

/* "online" (birth), "offline" (will), "stopped" (orderly end). */
void mqtt_status_write(struct buf *b, const char *state, uint64_t epoch);
