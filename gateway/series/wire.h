/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - the integers of an SF1 frame. Writers have reserved the room (series_frame_bound) and
 * only move a pointer; readers trust nothing: a read past the end or out of range sets is_bad
 * and gives 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/bytes.h"

struct wire_in {
    const uint8_t *p, *end;
    bool is_bad;
};

/* Signed to unsigned with small magnitudes small: 0 -1 1 -2 2 ... */
static inline uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t u)
{
    return (int64_t)(u >> 1 ^ (0 - (u & 1)));
}

static inline uint8_t *wire_put_varint(uint8_t *p, uint64_t v)
{
    for (; v > 127; v >>= 7)
        *p++ = (uint8_t)(v | 128);
    *p++ = (uint8_t)v;
    return p;
}

static inline uint8_t *wire_put_zigzag(uint8_t *p, int64_t v)
{
    return wire_put_varint(p, zigzag(v));
}

/* The general case of wire_get_varint: more than one byte, or none. */
uint64_t wire_get_long_varint(struct wire_in *in);

static inline uint8_t wire_get_byte(struct wire_in *in)
{
    if (in->p < in->end)
        return *in->p++;
    in->is_bad = true;
    return 0;
}

static inline uint64_t wire_get_varint(struct wire_in *in)
{
    if (in->p < in->end && *in->p < 128)
        return *in->p++;
    return wire_get_long_varint(in);
}

static inline int64_t wire_get_zigzag(struct wire_in *in)
{
    return unzigzag(wire_get_varint(in));
}

/* A varint that must lie in min..max. */
static inline uint64_t wire_get_between(struct wire_in *in, uint64_t min, uint64_t max)
{
    uint64_t v = wire_get_varint(in);

    if (v >= min && v <= max)
        return v;
    in->is_bad = true;
    return 0;
}

/* `size` bytes to be looked at in place; NULL when they are not there. */
static inline const uint8_t *wire_get_bytes(struct wire_in *in, size_t size)
{
    const uint8_t *p = in->p;

    if ((size_t)(in->end - p) < size) {
        in->is_bad = true;
        return NULL;
    }
    in->p += size;
    return p;
}
