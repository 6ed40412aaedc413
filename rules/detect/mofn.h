/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mofn - at least m of the last n samples: true from the m-th on, before n have been seen.
 * A mean over n samples is carried by one wild value; m of n is not. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MOFN_MAX = 32 }; /* n: the bits of the register */

struct mofn {
    uint32_t bits; /* newest: bit 0 */
};

static inline int mofn_count(const struct mofn *r)
{
    return __builtin_popcount(r->bits);
}

static inline bool mofn_push(struct mofn *r, bool hit, int m, int n)
{
    const uint32_t mask = n < MOFN_MAX ? (UINT32_C(1) << n) - 1 : UINT32_MAX;

    r->bits = (r->bits << 1 | hit) & mask;
    return mofn_count(r) >= m;
}

static inline void mofn_clear(struct mofn *r)
{
    r->bits = 0;
}
