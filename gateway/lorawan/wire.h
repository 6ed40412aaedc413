/* SPDX-License-Identifier: Apache-2.0 */
/* wire - fields one after the other as LoRaWAN has them: least significant byte first. */
#pragma once

#include "sensors/core/bytes.h"

/* The n lowest bytes of x; returns what is behind them. */
static inline uint8_t *put_le(uint8_t *p, uint64_t x, int n)
{
    for (int i = 0; i < n; i++)
        *p++ = (uint8_t)(x >> 8 * i);
    return p;
}
