/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decimal - a value as the source wrote it: v x 10^-e.
 *
 * Measurements travel as decimals so that 21.3 stays 21.3 at the centre: a float32 register is
 * the shortest decimal that reads back as that float, a scaled integer keeps the decimals of
 * its scale. Pure; safe from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DECIMAL_MAX_E = 18,   /* as in the series format, section 1 */
    DECIMAL_NONE = -1,    /* e of "no value" */
    DECIMAL_DOUBLE = -2,  /* e of a double that is no short decimal: v holds its 64 bits */
    DECIMAL_TEXT_MAX = 32 /* bytes any decimal prints into, NUL included */
};

struct decimal {
    int64_t v;
    int8_t e; /* decimals 0..DECIMAL_MAX_E, DECIMAL_NONE or DECIMAL_DOUBLE */
};

static const struct decimal DECIMAL_MISSING = { 0, DECIMAL_NONE };

/* True when there is a value. */
static inline bool decimal_has_value(struct decimal d)
{
    return d.e != DECIMAL_NONE;
}

/* The double nearest v x 10^-e; NaN when there is no value. */
double decimal_to_double(struct decimal d);

/* The shortest decimal that reads back as exactly `x` as a float32. NaN gives DECIMAL_MISSING;
 * an infinity or a value that needs more than 18 decimals or 64 bits gives DECIMAL_DOUBLE;
 * minus zero is zero. */
struct decimal decimal_from_float(float x);

/* The shortest decimal that reads back as exactly `x`. NaN and others as above. */
struct decimal decimal_from_double(double x);

/* `x` rounded to `e` decimals (half away from zero); e is lowered where 64 bits do not hold it.
 * NaN gives DECIMAL_MISSING. */
struct decimal decimal_round(double x, int e);

/* Shortest text, "-12.50" with exactly e decimals; "" when there is no value; a DECIMAL_DOUBLE
 * prints as %.17g. Returns the length; `buf` holds at least DECIMAL_TEXT_MAX bytes. */
size_t decimal_print(struct decimal d, char *buf);

/* Reads "[-]digits[.digits]" of `len` bytes, e.g. from YAML or CSV. Returns 0, or -EINVAL. */
int decimal_parse(const char *text, size_t len, struct decimal *ret);
