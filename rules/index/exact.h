/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exact - rounding as the standards of indices and limits ask: on the decimal value, once.
 *
 * GB/T 8170-2008 rounds half to even on what is written, so 60.5 is 60 and 4.05 is 4.0 whatever
 * a binary double makes of them; US EPA truncates. A conversion of units takes part in the same
 * step as an exact ratio. Whole-number arithmetic of 128 bits; pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensors/core/decimal.h"
#include "sensors/core/unit.h"

enum exact_mode {
    EXACT_HALF_EVEN, /* GB/T 8170-2008 3.2; a negative value by its absolute value, 3.2.5 */
    EXACT_TRUNCATE   /* towards zero */
};

struct exact_ratio { /* both positive; all zero is one to one */
    int64_t num, den;
};

enum { EXACT_DIGITS_MIN = -9, EXACT_DIGITS_MAX = 12 };

/*
 * d x num / den with `digits` decimals (negative: tens, hundreds; then the result has none).
 * Returns 0, -ENODATA without a value, -ERANGE when it does not fit or is not finite.
 */
int exact_round(struct decimal d, struct exact_ratio by, int digits, enum exact_mode mode,
                struct decimal *ret);

/* The value itself when it has at most EXACT_DIGITS_MAX decimals and no ratio, else rounded
 * half to even to those. Returns as exact_round(). */
int exact_value(struct decimal d, struct exact_ratio by, struct decimal *ret);

/* -1, 0, 1. Both have a value and no DECIMAL_DOUBLE. */
int exact_compare(struct decimal a, struct decimal b);

/* Litres of a mole of gas x 1000: ppb = ug/m3 x litres / M. */
enum {
    MOLAR_ML_298_K = 24465, /* GB 3095-2026 3.14: 298.15 K, 1013.25 hPa */
    MOLAR_ML_293_K = 24055  /* European limits: 293 K, 101.3 kPa */
};

/*
 * How a value in `from` becomes one in `to`: the same dimension, or mass concentration and
 * share by volume of a gas with a molar mass. Returns 0, or -EDOM when they do not convert or
 * no exact ratio of whole numbers says how.
 */
int exact_ratio_between(const struct unit *from, const struct unit *to,
                        const struct quantity *q, int molar_ml, struct exact_ratio *ret);
