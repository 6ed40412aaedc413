/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold - gaps, and the values behind them that are not believed yet: an instrument that comes
 * back after `gap` missed samples was off, and swings when it is switched on. Also for any
 * other reason to hold off for a number of samples. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hold {
    uint16_t missed; /* in a row, up to now */
    uint16_t left;   /* values still held off, this one not counted */
};

/* A slot without a value. How many in a row. */
int hold_miss(struct hold *h);
/* A value. Whether it is held off: one of the next `length` behind `gap` missed ones, or of
 * those requested. */
bool hold_value(struct hold *h, int gap, int length);
/* The same without an eye on gaps: of those requested. */
bool hold_pass(struct hold *h);
/* At least the next `n` values; the one that hold_value() tells next is the first. */
void hold_request(struct hold *h, int n);
