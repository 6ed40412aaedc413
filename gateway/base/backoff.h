/* SPDX-License-Identifier: Apache-2.0 */
/* backoff - how long to wait after the n-th failure in a row: doubling, with full jitter. Pure.
 */
#pragma once

#include <stdint.h>

struct backoff {
    int64_t first_ms, max_ms;
    int64_t now_ms; /* the bound of the next wait; 0 after success */
};

/* The next wait: uniform in (bound / 2 .. bound], bound doubling from first_ms to max_ms.
 * `random` is any 32 random bits. */
int64_t backoff_next(struct backoff *b, uint32_t random);

/* It worked: start again from first_ms. */
void backoff_reset(struct backoff *b);

/* 32 random bits from the system, for jitter and identifiers. */
uint32_t random_u32(void);
uint64_t random_u64(void);
