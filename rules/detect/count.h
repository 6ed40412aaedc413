/* SPDX-License-Identifier: Apache-2.0 */
/* count - samples in a row, counted without ever starting over. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline uint16_t count_up(uint16_t n)
{
    return n < UINT16_MAX ? (uint16_t)(n + 1) : n;
}

/* One more when it holds, else none. */
static inline uint16_t count_while(uint16_t n, bool holds)
{
    return holds ? count_up(n) : 0;
}
