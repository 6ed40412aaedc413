/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claim - one ingest at a time for a shard: each says on CLAIM_TOPIC, whenever it connects,
 * what it serves and since when. The one that began later has it; one whose shards are all
 * served by a later one ends. Two at once would be harmless, but double the work. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

#define CLAIM_TOPIC "sluice/1/ingest"

struct claim {
    uint64_t id; /* random */
    int64_t start_ms;
    char region[65]; /* "": all */
    uint64_t shards;
};

enum claim_verdict {
    CLAIM_NONE,   /* nothing in common, or our own */
    CLAIM_YIELD,  /* a later one serves all of ours */
    CLAIM_SHARED, /* a later one serves some of ours: to be told */
    CLAIM_ASSERT, /* an earlier one serves some of ours: it is to hear our claim */
};

/* {"id":"<16 hex>","start":1795346308123,"region":"north","shards":"<16 hex>"} */
void claim_write(struct buf *b, const struct claim *c);
int claim_parse(const char *json, size_t size, struct claim *ret); /* 0 or -EINVAL */

enum claim_verdict claim_judge(const struct claim *ours, const struct claim *heard);
