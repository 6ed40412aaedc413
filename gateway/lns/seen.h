/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen - knows the uplinks of each device that came last, so that none is a measurement twice:
 * a broker delivers again, two regions of a server hand over the same frame, what was missed is
 * fetched with an overlap. Its state is bytes per device, kept in the log together with what it
 * let through; a repetition after a restart is so known, too. Pure but for memory; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/lns/feed.h"

enum {
    SEEN_RING = 48, /* uplinks a device: 8 minutes at one in 10 s, beyond the overlap */
    SEEN_DEVICES_MAX = 4096, /* beyond, whoever was silent longest is forgotten */
    SEEN_STATE_MAX = 24 + SEEN_RING * 24,
    /* The same counter with the same content is a repetition within this time only: a device
     * with a fixed session may begin again at 0 after a reset, with the same bytes. */
    SEEN_AGAIN_MS = 10 * 60000,
};

struct seen;

int seen_create(struct seen **ret); /* 0 or -ENOMEM */
void seen_destroy(struct seen *s);

enum seen_answer {
    SEEN_NEW,
    SEEN_AGAIN,
    SEEN_NO_MEMORY, /* not remembered; as good as new */
};

struct seen_found {
    enum seen_answer answer;
    uint32_t missed; /* counters between the newest before and this; 0 after a new session */
    bool is_late;    /* older than one that came already: one of those missed came after all */
    bool is_reset;   /* the counter began anew without a new session */
};

/* Of an uplink, and remembers it. */
struct seen_found seen_take(struct seen *s, const struct feed_message *m);
/* A device joined: its counters begin anew. */
void seen_join(struct seen *s, uint64_t dev_eui, uint32_t dev_addr);

/* State of a device, after seen_take(): the bytes written to `out` of SEEN_STATE_MAX; 0: there
 * is none. Little endian, of this layout:
 *   u8 version 1, u8 n, u8 has_counter, u8 0, u32 dev_addr, u32 fcnt, u32 0, i64 time,
 *   n of { u64 server's id, u64 device, session, counter and content, i64 time }, oldest first
 */
size_t seen_save(const struct seen *s, uint64_t dev_eui, uint8_t *out);
/* 0, -EBADMSG (not such bytes; nothing is known of the device then), -ENOMEM. */
int seen_restore(struct seen *s, uint64_t dev_eui, const void *state, size_t n);
