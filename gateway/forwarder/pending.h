/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending - transmissions that wait: held until they may be handed over, or sent and not yet
 * answered. A token stands for one of them, whatever its concentrator. Pure.
 */
#pragma once

#include "gateway/lorawan/radio.h"

/* Sent ones stay a second at most; nobody radiates a hundred a second through 16 concentrators.
 */
enum { PENDING_MAX = 128 };

enum pending_state { PENDING_FREE, PENDING_HELD, PENDING_SENT };

struct pending_tx {
    enum pending_state state;
    uint16_t token;
    int64_t due_us; /* held: hand over; sent: no answer will come */
    struct radio_tx tx;
};

struct pending {
    uint16_t token; /* of the last one */
    struct pending_tx txs[PENDING_MAX];
};

/* A place of its own with a token nobody else has, held; NULL: full. */
struct pending_tx *pending_add(struct pending *p, const struct radio_tx *tx, int64_t due_us);
/* The sent one that a concentrator answers; NULL: none. */
struct pending_tx *pending_find(struct pending *p, uint32_t gateway, uint16_t token);
/* The first that is due; NULL: none. */
struct pending_tx *pending_next_due(struct pending *p, int64_t now_us);
/* When the next is due; INT64_MAX: none waits. */
int64_t pending_due(const struct pending *p);
