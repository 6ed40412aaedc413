/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dense_tables - logistic function and logarithm in integers, and the rates of adaptation, for
 * the codec DENSE (section 7.3 of the series format). scripts/series_tables.py writes them.
 */
#pragma once

#include <stdint.h>

#define DENSE_ONE ((uint32_t)1 << 22) /* probability 1 of a distribution function */

enum { DENSE_SQUASH_MAX = 3072, DENSE_ODDS_MAX = 2047 };

extern const uint32_t dense_squash[DENSE_SQUASH_MAX + 1]; /* 2^22 / (1 + exp(-i / 256)) */
extern const uint16_t dense_lg[512];                      /* 256 ln i */
extern const int16_t dense_stretch[4096];                 /* 256 ln(p / (1 - p)), p in 1/4096 */
extern const uint16_t dense_rate[256];                    /* 2^17 / (2 i + 3) */
extern const uint16_t dense_recip[47];                    /* 2^16 / (i + 2) */
extern const uint32_t dense_scale[16];                    /* 2^8 x 5678 / (16.5 + i) */

static inline int dense_bit_length(uint64_t v)
{
    return v ? 64 - __builtin_clzll(v) : 0;
}

/* v within -max..max. */
static inline int64_t dense_clip(int64_t v, int64_t max)
{
    return v < -max ? -max : v > max ? max : v;
}

/* 256 ln v of v >= 1. */
static inline int dense_log(uint32_t v)
{
    int s = 23 - __builtin_clz(v);

    return s <= 0 ? dense_lg[v] : dense_lg[v >> s] + (s * 45426 >> 8);
}

/* 256 ln(a / b); 0 counts as 1. */
static inline int dense_log_odds(uint32_t a, uint32_t b)
{
    return (int)dense_clip(dense_log(a | (a == 0)) - dense_log(b | (b == 0)), DENSE_ODDS_MAX);
}

/* 2^22 / (1 + exp(-z / 256)). */
static inline uint32_t dense_logistic(int64_t z)
{
    if (z >= DENSE_SQUASH_MAX)
        return DENSE_ONE;
    if (z <= -DENSE_SQUASH_MAX)
        return 0;
    return z < 0 ? DENSE_ONE - dense_squash[-z] : dense_squash[z];
}
