/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger - what has become of the entries of one station's log: kept by us, or stored in the
 * database and to be acknowledged. Pure; one thread.
 *
 * An entry is known by its number and the checksum of its bytes. What has been stored long ago
 * is forgotten; what is kept is never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/uplink/uplink.h"

enum {
    LEDGER_SLOTS_MAX = 8192, /* entries: twice the window of a station (forward/window.h) */
    LEDGER_RANGES_MAX =
        1024, /* not yet published; more are acknowledged when they come again */
};

enum ledger_fate {
    LEDGER_UNKNOWN,
    LEDGER_KEPT,
    LEDGER_STORED,
    LEDGER_OTHER, /* the number is known, but with other bytes */
};

struct ledger_slot {
    uint64_t seq;
    uint32_t crc;
    enum ledger_fate fate;
};

struct ledger {
    struct ledger_slot *slots; /* at seq modulo cap */
    size_t cap;
    struct uplink_range *acked; /* sorted, apart by at least one entry */
    size_t acked_n;
};

int ledger_init(struct ledger *l); /* 0 or -ENOMEM */
void ledger_done(struct ledger *l);
size_t ledger_bytes(const struct ledger *l);

enum ledger_fate ledger_find(const struct ledger *l, uint64_t seq, uint32_t crc);

/* Until ledger_drop() or ledger_store(). -ENOSPC when too many are kept, -ENOMEM. */
int ledger_keep(struct ledger *l, uint64_t seq, uint32_t crc);
/* Not kept any more; without effect on a stored entry. */
void ledger_drop(struct ledger *l, uint64_t seq);
/* In the database: joins the ranges to be acknowledged. */
void ledger_store(struct ledger *l, uint64_t seq, uint32_t crc);

/* The first n ranges have been published. */
void ledger_published(struct ledger *l, size_t n);
