/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 64 };

int ledger_init(struct ledger *l)
{
    *l = (struct ledger){ .cap = SLOTS_FIRST };
    l->slots = calloc(l->cap, sizeof *l->slots);
    l->acked = calloc(LEDGER_RANGES_MAX, sizeof *l->acked);
    if (l->slots && l->acked)
        return 0;
    ledger_done(l);
    return -ENOMEM;
}

void ledger_done(struct ledger *l)
{
    free(l->slots);
    free(l->acked);
    *l = (struct ledger){ .cap = 0 };
}

size_t ledger_bytes(const struct ledger *l)
{
    return l->cap * sizeof *l->slots + LEDGER_RANGES_MAX * sizeof *l->acked;
}

/* The capacity is a power of two. */
static struct ledger_slot *slot_of(const struct ledger *l, uint64_t seq)
{
    return &l->slots[seq & (l->cap - 1)];
}

enum ledger_fate ledger_find(const struct ledger *l, uint64_t seq, uint32_t crc)
{
    const struct ledger_slot *s = slot_of(l, seq);

    if (s->fate == LEDGER_UNKNOWN || s->seq != seq)
        return LEDGER_UNKNOWN;
    return s->crc == crc ? s->fate : LEDGER_OTHER;
}

/* What is kept finds its own place in the larger table, since it had one in the smaller. */
static int grow(struct ledger *l)
{
    struct ledger wide = { .cap = l->cap * 2 };

    if (wide.cap > LEDGER_SLOTS_MAX)
        return -ENOSPC;
    wide.slots = calloc(wide.cap, sizeof *wide.slots);
    if (!wide.slots)
        return -ENOMEM;
    for (size_t i = 0; i < l->cap; i++)
        if (l->slots[i].fate != LEDGER_UNKNOWN)
            *slot_of(&wide, l->slots[i].seq) = l->slots[i];
    free(l->slots);
    l->slots = wide.slots;
    l->cap = wide.cap;
    return 0;
}

int ledger_keep(struct ledger *l, uint64_t seq, uint32_t crc)
{
    for (;;) {
        struct ledger_slot *s = slot_of(l, seq);
        bool is_taken = s->fate == LEDGER_KEPT && s->seq != seq;
        if (is_taken) {
            int rc = grow(l);
            if (rc < 0)
                return rc;
            continue;
        }
        *s = (struct ledger_slot){ seq, crc, LEDGER_KEPT };
        return 0;
    }
}

void ledger_drop(struct ledger *l, uint64_t seq)
{
    struct ledger_slot *s = slot_of(l, seq);

    if (s->seq == seq && s->fate == LEDGER_KEPT)
        s->fate = LEDGER_UNKNOWN;
}

/* The first range that ends at or behind `seq`. */
static size_t place_of(const struct ledger *l, uint64_t seq)
{
    size_t lo = 0, hi = l->acked_n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (l->acked[mid].to < seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void remove_ranges(struct ledger *l, size_t at, size_t n)
{
    memmove(l->acked + at, l->acked + at + n, (l->acked_n - at - n) * sizeof *l->acked);
    l->acked_n -= n;
}

static void acknowledge(struct ledger *l, uint64_t seq)
{
    size_t at = place_of(l, seq);
    struct uplink_range *before = at > 0 ? &l->acked[at - 1] : NULL;
    struct uplink_range *behind = at < l->acked_n ? &l->acked[at] : NULL;

    if (behind && behind->from <= seq)
        return;
    bool joins_before = before && before->to + 1 == seq;
    bool joins_behind = behind && behind->from - 1 == seq;
    if (joins_before && joins_behind) {
        before->to = behind->to;
        remove_ranges(l, at, 1);
    } else if (joins_before) {
        before->to = seq;
    } else if (joins_behind) {
        behind->from = seq;
    } else if (l->acked_n < LEDGER_RANGES_MAX) {
        memmove(l->acked + at + 1, l->acked + at, (l->acked_n - at) * sizeof *l->acked);
        l->acked[at] = (struct uplink_range){ seq, seq };
        l->acked_n++;
    }
}

void ledger_store(struct ledger *l, uint64_t seq, uint32_t crc)
{
    struct ledger_slot *s = slot_of(l, seq);
    bool is_taken = s->fate == LEDGER_KEPT && s->seq != seq;

    if (!is_taken)
        *s = (struct ledger_slot){ seq, crc, LEDGER_STORED };
    acknowledge(l, seq);
}

void ledger_published(struct ledger *l, size_t n)
{
    remove_ranges(l, 0, n < l->acked_n ? n : l->acked_n);
}
