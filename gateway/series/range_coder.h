/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range_coder - a stream of binary decisions with their probabilities as bytes, and back
 * (sections 7.1 and 7.2 of the series format).
 *
 * One coder serves both directions, so that the model above it is written once: a decision goes
 * in and comes out again when writing; what goes in is ignored when reading. is_writing is a
 * parameter because it is a constant wherever it matters for speed. Nothing is written beyond
 * the room given and nothing read beyond the input (which goes on as zeros): is_bad tells.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/series/dense_tables.h"
#include "gateway/series/wire.h"

enum {
    PROBABILITY_ONE = 65536,
    PROBABILITY_EVEN = 32768,
    PROBABILITY_MIN = 24, /* of adaptive ones: no decision costs more than 11.4 bits */
    PROBABILITY_MAX = 65512,
};

struct range_coder {
    uint32_t lo, hi, x;
    uint8_t *out, *out_end;
    const uint8_t *in, *in_end;
    bool is_writing, is_bad;
};

void range_write_start(struct range_coder *r, uint8_t *out, uint8_t *out_end);
void range_read_start(struct range_coder *r, const uint8_t *in, const uint8_t *in_end);

/* The fewest bytes that tell the last decisions. `start` is where the payload began; returns
 * its end. */
uint8_t *range_write_end(struct range_coder *r, const uint8_t *start);

/* True when all of the payload was needed. */
static inline bool range_read_end(const struct range_coder *r)
{
    return r->in == r->in_end;
}

static inline void range_shift(struct range_coder *r, bool is_writing)
{
    if (is_writing) {
        if (r->out < r->out_end)
            *r->out++ = (uint8_t)(r->hi >> 24);
        else
            r->is_bad = true;
    } else {
        r->x = r->x << 8 | (r->in < r->in_end ? *r->in++ : 0);
    }
    r->lo <<= 8;
    r->hi = r->hi << 8 | 255;
}

/* p: probability of true, in 1/65536, 1..65535. */
static inline bool range_bit(struct range_coder *r, bool is_writing, bool bit, uint32_t p)
{
    uint32_t mid = r->lo + (uint32_t)((uint64_t)(r->hi - r->lo) * p >> 16);

    if (!is_writing)
        bit = r->x <= mid;
    if (bit)
        r->hi = mid;
    else
        r->lo = mid + 1;
    while ((r->lo ^ r->hi) >> 24 == 0)
        range_shift(r, is_writing);
    return bit;
}

/* n bits of equal chance, highest first. */
uint64_t range_raw(struct range_coder *r, uint64_t v, int n);

/* Any 64 bits: 6 bits of length, then the bits below the highest. */
uint64_t range_number(struct range_coder *r, uint64_t v);

static inline int64_t range_signed(struct range_coder *r, int64_t v)
{
    return unzigzag(range_number(r, zigzag(v)));
}

/* A probability that learns from what it predicted. */
struct adaptive {
    uint16_t p;
    uint8_t n; /* decisions seen, to 255: the more, the slower */
};

static const struct adaptive ADAPTIVE_EVEN = { PROBABILITY_EVEN, 0 };
static const struct adaptive ADAPTIVE_MOSTLY = { 64512, 12 };

static inline uint32_t probability_bounded(uint32_t p)
{
    return p < PROBABILITY_MIN ? PROBABILITY_MIN : p > PROBABILITY_MAX ? PROBABILITY_MAX : p;
}

static inline void adaptive_update(uint16_t *p, uint8_t *n, bool bit)
{
    int64_t error = (bit ? PROBABILITY_ONE - 1 : 0) - (int64_t)*p;

    *p = (uint16_t)(*p + (error * dense_rate[*n] >> 16));
    *n = (uint8_t)(*n + (*n < UINT8_MAX));
}

bool range_adaptive(struct range_coder *r, bool bit, struct adaptive *a);
