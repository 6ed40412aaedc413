/* SPDX-License-Identifier: Apache-2.0 */
/* wire - numbers as LoRaWAN has them on the air: least significant byte first. */
#pragma once

#include <stdint.h>

static inline uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_u24(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline uint32_t get_u32(const uint8_t *p)
{
    return get_u24(p) | (uint32_t)p[3] << 24;
}

static inline uint64_t get_u64(const uint8_t *p)
{
    return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

/* The n lowest bytes of x; returns what is behind them. */
static inline uint8_t *put_le(uint8_t *p, uint64_t x, int n)
{
    for (int i = 0; i < n; i++)
        *p++ = (uint8_t)(x >> 8 * i);
    return p;
}
