/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/core/decimal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/core/bytes.h"

/* All exact as doubles: 10^22 is the last power of ten that is. */
static const double power_of_ten[DECIMAL_MAX_E + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,
                                                        1e5,  1e6,  1e7,  1e8,  1e9,
                                                        1e10, 1e11, 1e12, 1e13, 1e14,
                                                        1e15, 1e16, 1e17, 1e18 };

enum {
    FLOAT_E_EXACT = 12, /* 24 bits of a float x 5^12 fit the 53 bits of a double */
    FLOAT_DIGITS = 9,   /* enough to tell any two floats apart */
    DOUBLE_DIGITS = 17, /* and any two doubles */
    DOUBLE_DIGITS_SURE = 15,
    EXPONENT_TEXT_MAX = 32 /* "-1.2345678901234567e-308" and its NUL */
};

#define FLOAT_WHOLE  16777216.0         /* 2^24: from here floats are whole numbers */
#define DOUBLE_WHOLE 9007199254740992.0 /* 2^53 */
#define INT64_LIMIT  9223372036854775808.0

double decimal_to_double(struct decimal d)
{
    char text[EXPONENT_TEXT_MAX];

    if (d.e == DECIMAL_NONE)
        return NAN;
    if (d.e == DECIMAL_DOUBLE)
        return double_from_bits((uint64_t)d.v);
    assert(d.e >= 0 && d.e <= DECIMAL_MAX_E);
    /* Two exact operands: one division rounds once. */
    if (d.v <= (int64_t)DOUBLE_WHOLE && d.v >= -(int64_t)DOUBLE_WHOLE)
        return (double)d.v / power_of_ten[d.e];
    snprintf(text, sizeof text, "%" PRId64 "e-%d", d.v, d.e);
    return strtod(text, NULL);
}

static struct decimal from_bits(double x)
{
    return (struct decimal){ (int64_t)bits_from_double(x), DECIMAL_DOUBLE };
}

/* "-d.ddde±xx" as v x 10^-e without zeros at the end. False when it does not fit. */
static bool from_exponent_text(const char *text, struct decimal *ret)
{
    const bool is_negative = *text == '-';
    int64_t v = 0;
    int digits = 0, zeros = 0;

    for (text += is_negative; *text != 'e'; text++) {
        if (*text == '.')
            continue;
        v = v * 10 + (*text - '0');
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    int e = digits - 1 - (int)strtol(text + 1, NULL, 10);
    for (; e > 0 && zeros > 0; e--, zeros--)
        v /= 10;
    for (; e < 0; e++)
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    if (e > DECIMAL_MAX_E)
        return false;
    *ret = (struct decimal){ is_negative ? -v : v, (int8_t)e };
    return true;
}

static struct decimal from_float_by_text(float x)
{
    char text[EXPONENT_TEXT_MAX];
    struct decimal d;

    for (int digits = 1; digits <= FLOAT_DIGITS; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, (double)x);
        if (strtof(text, NULL) == x)
            break;
    }
    return from_exponent_text(text, &d) ? d : from_bits((double)x);
}

/*
 * The first e at which a whole number lies within the rounding interval of x x 10^e: half a
 * unit of the last place to both sides, a quarter below a power of two, ends included for an
 * even significand. Product, difference and width are exact up to FLOAT_E_EXACT, so the test
 * is.
 */
struct decimal decimal_from_float(float x)
{
    const uint32_t bits = bits_from_float(x);
    const uint32_t exponent = bits >> 23 & 255, fraction = bits & 0x7FFFFF;

    if (exponent == 255)
        return fraction ? DECIMAL_MISSING : from_bits((double)x);
    if (x == 0)
        return (struct decimal){ 0, 0 };

    const double abs_x = fabs((double)x);
    if (abs_x >= FLOAT_WHOLE || exponent < 64)
        return from_float_by_text(x);

    const double above = double_from_bits((uint64_t)(exponent - 127 - 24 + 1023) << 52);
    const double below = fraction ? above : above / 2;
    const bool is_even = !(fraction & 1);
    for (int e = 0; e <= FLOAT_E_EXACT; e++) {
        const double t = abs_x * power_of_ten[e];
        const int64_t v = (int64_t)(t + 0.5);
        const double off = (double)v - t;
        const double room = (off > 0 ? above : below) * power_of_ten[e];
        if (fabs(off) < room || (is_even && fabs(off) == room))
            return (struct decimal){ x < 0 ? -v : v, (int8_t)e };
    }
    return from_float_by_text(x);
}

static struct decimal from_double_by_text(double x)
{
    char text[EXPONENT_TEXT_MAX];
    struct decimal d;

    for (int digits = DOUBLE_DIGITS_SURE; digits <= DOUBLE_DIGITS; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, x);
        if (strtod(text, NULL) == x)
            break;
    }
    return from_exponent_text(text, &d) ? d : from_bits(x);
}

struct decimal decimal_from_double(double x)
{
    if (isnan(x))
        return DECIMAL_MISSING;
    if (isinf(x))
        return from_bits(x);

    const double abs_x = fabs(x);
    for (int e = 0; e <= DOUBLE_DIGITS_SURE; e++) {
        const double t = abs_x * power_of_ten[e] + 0.5;
        if (t >= DOUBLE_WHOLE / 2)
            break;
        const int64_t v = (int64_t)t;
        if ((double)v / power_of_ten[e] == abs_x)
            return (struct decimal){ x < 0 ? -v : v, (int8_t)e };
    }
    return from_double_by_text(x);
}

/*
 * A sum of decimals misses the half by its rounding: 1.005 is 1.00499999999999989 in binary.
 * Nearer to the half than that noise is the half.
 */
static double round_half_away(double t)
{
    const double whole = floor(t);
    const double noise = fmin(t * 0x1p-51, 0x1p-10);

    return t - whole >= 0.5 - noise ? whole + 1 : whole;
}

struct decimal decimal_round(double x, int e)
{
    if (isnan(x))
        return DECIMAL_MISSING;
    e = e < 0 ? 0 : e > DECIMAL_MAX_E ? DECIMAL_MAX_E : e;

    const double abs_x = fabs(x);
    for (; e >= 0; e--) {
        const double t = round_half_away(abs_x * power_of_ten[e]);
        if (t < INT64_LIMIT)
            return (struct decimal){ x < 0 ? -(int64_t)t : (int64_t)t, (int8_t)e };
    }
    return from_bits(x);
}

size_t decimal_print(struct decimal d, char *buf)
{
    char digits[DECIMAL_TEXT_MAX];
    char *p = digits + sizeof digits, *out = buf;

    if (d.e == DECIMAL_NONE) {
        *buf = '\0';
        return 0;
    }
    if (d.e == DECIMAL_DOUBLE)
        return (size_t)snprintf(buf, DECIMAL_TEXT_MAX, "%.17g", decimal_to_double(d));
    assert(d.e >= 0 && d.e <= DECIMAL_MAX_E);

    uint64_t rest = d.v < 0 ? -(uint64_t)d.v : (uint64_t)d.v;
    for (int n = 0; rest || n <= d.e; n++, rest /= 10) {
        if (n == d.e && n > 0)
            *--p = '.';
        *--p = (char)('0' + rest % 10);
    }
    if (d.v < 0)
        *out++ = '-';
    const size_t len = (size_t)(digits + sizeof digits - p);
    memcpy(out, p, len);
    out[len] = '\0';
    return len + (size_t)(out - buf);
}

/* Appends digits to *v, which stays at or below zero: INT64_MIN has no positive twin. */
static int take_digits(const char **p, const char *end, int64_t *v)
{
    int n = 0;

    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, n++)
        if (__builtin_mul_overflow(*v, 10, v) || __builtin_sub_overflow(*v, **p - '0', v))
            return -EINVAL;
    return n > 0 ? n : -EINVAL;
}

int decimal_parse(const char *text, size_t len, struct decimal *ret)
{
    const char *p = text, *end = text + len;
    const bool is_negative = p < end && *p == '-';
    int64_t v = 0;
    int e = 0;

    p += is_negative;
    if (take_digits(&p, end, &v) < 0)
        return -EINVAL;
    if (p < end && *p == '.') {
        p++;
        e = take_digits(&p, end, &v);
    }
    if (p != end || e < 0 || e > DECIMAL_MAX_E || (!is_negative && v == INT64_MIN))
        return -EINVAL;
    *ret = (struct decimal){ is_negative ? v : -v, (int8_t)e };
    return 0;
}
