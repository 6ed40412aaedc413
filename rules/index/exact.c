/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index/exact.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { RATIO_MAX = 1000000000 }; /* of units: g/m3 to ng/m3 */

static const uint64_t power_of_ten[] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
};

/* ---- 128 bits, since 32-bit boards have no type for them ---- */

struct wide {
    uint64_t high, low;
};

static struct wide wide_product(uint64_t a, uint64_t b)
{
    const uint64_t mask = UINT32_MAX;
    const uint64_t a1 = a >> 32, a0 = a & mask, b1 = b >> 32, b0 = b & mask;
    const uint64_t low = a0 * b0;
    const uint64_t mid = a1 * b0 + (low >> 32);
    const uint64_t mid2 = a0 * b1 + (mid & mask);

    return (struct wide){ a1 * b1 + (mid >> 32) + (mid2 >> 32), mid2 << 32 | (low & mask) };
}

/* Bit by bit; d < 2^63 so that the shifted rest stays in 64 bits. */
static struct wide wide_divide(struct wide n, uint64_t d, uint64_t *ret_rest)
{
    struct wide q = { 0, 0 };
    uint64_t rest = 0;

    if (n.high == 0) {
        *ret_rest = n.low % d;
        return (struct wide){ 0, n.low / d };
    }
    for (int i = 127; i >= 0; i--) {
        const uint64_t bit = i >= 64 ? n.high >> (i - 64) & 1 : n.low >> i & 1;
        rest = rest << 1 | bit;
        q.high = q.high << 1 | q.low >> 63;
        q.low = q.low << 1 | (rest >= d);
        if (rest >= d)
            rest -= d;
    }
    *ret_rest = rest;
    return q;
}

/* ---- rounding ---- */

/* A double that is no short decimal is huge, tiny or minus zero: the last two are zero here. */
static int to_plain(struct decimal d, struct decimal *ret)
{
    if (!decimal_has_value(d))
        return -ENODATA;
    *ret = d;
    if (d.e != DECIMAL_DOUBLE)
        return 0;
    const double x = decimal_to_double(d);
    if (isnan(x))
        return -ENODATA;
    if (!(fabs(x) < 1e6))
        return -ERANGE;
    *ret = decimal_round(x, EXACT_DIGITS_MAX);
    return 0;
}

/*
 * v x num / den / 10^down, half to even or truncated. The two divisions leave a rest of the
 * second, in units of the result's 10^-down, and behind it one of the first, which only decides
 * where the second rest is exactly half.
 */
static int divide_and_round(uint64_t v, struct exact_ratio by, int down, enum exact_mode mode,
                            uint64_t *ret)
{
    uint64_t behind, rest;
    const struct wide scaled =
        wide_divide(wide_product(v, (uint64_t)by.num), (uint64_t)by.den, &behind);
    const uint64_t unit = power_of_ten[down];
    const struct wide q = wide_divide(scaled, unit, &rest);

    if (q.high != 0 || q.low >= (uint64_t)INT64_MAX)
        return -ERANGE;
    *ret = q.low;
    if (mode == EXACT_TRUNCATE)
        return 0;
    /* The fraction (rest + behind / den) / unit against one half, on whole numbers. */
    const uint64_t den = (uint64_t)by.den;
    const bool is_unit = unit == 1;
    const uint64_t twice = is_unit ? 2 * behind : 2 * rest;
    const uint64_t whole = is_unit ? den : unit;
    const bool is_above = twice > whole || (twice == whole && !is_unit && behind > 0);
    const bool is_half = twice == whole && (is_unit || behind == 0);
    *ret += is_above || (is_half && q.low % 2 == 1);
    return 0;
}

int exact_round(struct decimal d, struct exact_ratio by, int digits, enum exact_mode mode,
                struct decimal *ret)
{
    struct decimal plain;
    uint64_t v, rounded;

    const int rc = to_plain(d, &plain);
    if (rc < 0)
        return rc;
    if (by.den == 0)
        by = (struct exact_ratio){ 1, 1 };
    if (digits < EXACT_DIGITS_MIN || digits > EXACT_DIGITS_MAX || plain.v == INT64_MIN ||
        by.num <= 0 || by.den < 0)
        return -ERANGE;
    v = (uint64_t)(plain.v < 0 ? -plain.v : plain.v);
    const int down = plain.e - digits, up = down < 0 ? -down : 0;
    if (down > DECIMAL_MAX_E) { /* nine tens below eighteen decimals: nothing is left of v */
        *ret = (struct decimal){ 0, 0 };
        return 0;
    }
    if (__builtin_mul_overflow(by.num, (int64_t)power_of_ten[up], &by.num))
        return -ERANGE;
    if (divide_and_round(v, by, down < 0 ? 0 : down, mode, &rounded) < 0)
        return -ERANGE;
    if (digits < 0 && __builtin_mul_overflow(rounded, power_of_ten[-digits], &rounded))
        return -ERANGE;
    if (rounded >= (uint64_t)INT64_MAX)
        return -ERANGE;
    *ret = (struct decimal){ plain.v < 0 ? -(int64_t)rounded : (int64_t)rounded,
                             (int8_t)(digits < 0 ? 0 : digits) };
    return 0;
}

int exact_value(struct decimal d, struct exact_ratio by, struct decimal *ret)
{
    struct decimal plain;
    const int rc = to_plain(d, &plain);

    if (rc < 0)
        return rc;
    if (by.num != by.den || plain.e > EXACT_DIGITS_MAX)
        return exact_round(plain, by, EXACT_DIGITS_MAX, EXACT_HALF_EVEN, ret);
    *ret = plain;
    return 0;
}

/* The whole parts first, then what is behind the point, both at eighteen decimals. */
int exact_compare(struct decimal a, struct decimal b)
{
    const int64_t unit_a = (int64_t)power_of_ten[a.e], unit_b = (int64_t)power_of_ten[b.e];
    const int64_t whole_a = a.v / unit_a, whole_b = b.v / unit_b;

    if (whole_a != whole_b)
        return whole_a < whole_b ? -1 : 1;
    const int64_t part_a = a.v % unit_a * (int64_t)power_of_ten[DECIMAL_MAX_E - a.e];
    const int64_t part_b = b.v % unit_b * (int64_t)power_of_ten[DECIMAL_MAX_E - b.e];
    return (part_a > part_b) - (part_a < part_b);
}

/* ---- units ---- */

/* 1000, or 1/1000 as the table of units has it. */
static bool ratio_of_factor(double factor, struct exact_ratio *ret)
{
    const bool is_part = factor < 1;
    const double whole = is_part ? 1 / factor : factor, near = round(whole);

    if (!(factor > 0) || near > RATIO_MAX || fabs(whole - near) > 1e-9 * whole)
        return false;
    *ret = is_part ? (struct exact_ratio){ 1, (int64_t)near }
                   : (struct exact_ratio){ (int64_t)near, 1 };
    return true;
}

static int64_t divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static bool multiply(struct exact_ratio *r, int64_t num, int64_t den)
{
    const int64_t cross1 = divisor(r->num, den), cross2 = divisor(num, r->den);

    return !__builtin_mul_overflow(r->num / cross1, num / cross2, &r->num) &&
           !__builtin_mul_overflow(r->den / cross2, den / cross1, &r->den);
}

/* Molar masses have two decimals; `molar_ml` has three. */
static bool molar_step(const struct unit *from, const struct unit *to, const struct quantity *q,
                       int molar_ml, struct exact_ratio *r)
{
    const int64_t mass = llround(q->molar_mass * 1000);
    const bool is_from_share = strcmp(from->dimension, unit_find_ucum("[ppb]")->dimension) == 0;
    const bool is_to_share = strcmp(to->dimension, unit_find_ucum("[ppb]")->dimension) == 0;
    const bool is_mass =
        strcmp((is_from_share ? to : from)->dimension, unit_find_ucum("ug/m3")->dimension) == 0;

    if (mass <= 0 || is_from_share == is_to_share || !is_mass)
        return false;
    return is_from_share ? multiply(r, mass, molar_ml) : multiply(r, molar_ml, mass);
}

int exact_ratio_between(const struct unit *from, const struct unit *to,
                        const struct quantity *q, int molar_ml, struct exact_ratio *ret)
{
    struct exact_ratio r, to_base;

    if (from == to) {
        *ret = (struct exact_ratio){ 1, 1 };
        return 0;
    }
    if (from->offset != 0 || to->offset != 0 || !ratio_of_factor(from->factor, &r) ||
        !ratio_of_factor(to->factor, &to_base) || !multiply(&r, to_base.den, to_base.num))
        return -EDOM;
    if (strcmp(from->dimension, to->dimension) != 0 && !molar_step(from, to, q, molar_ml, &r))
        return -EDOM;
    *ret = r;
    return 0;
}
