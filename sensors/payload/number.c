/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/payload/number.h"

#include <math.h>

#include "sensors/core/bytes.h"

enum kind { KIND_UNSIGNED, KIND_SIGNED, KIND_FLOAT };

static const struct {
    uint8_t bytes;
    enum kind kind;
} types[NUMBER_TYPES_] = {
    [NUMBER_U8] = { 1, KIND_UNSIGNED },  [NUMBER_S8] = { 1, KIND_SIGNED },
    [NUMBER_U16] = { 2, KIND_UNSIGNED }, [NUMBER_S16] = { 2, KIND_SIGNED },
    [NUMBER_U24] = { 3, KIND_UNSIGNED }, [NUMBER_S24] = { 3, KIND_SIGNED },
    [NUMBER_U32] = { 4, KIND_UNSIGNED }, [NUMBER_S32] = { 4, KIND_SIGNED },
    [NUMBER_U64] = { 8, KIND_UNSIGNED }, [NUMBER_S64] = { 8, KIND_SIGNED },
    [NUMBER_F32] = { 4, KIND_FLOAT },    [NUMBER_F64] = { 8, KIND_FLOAT },
};

const char *const number_type_names[] = { "u8",  "s8",  "u16", "s16", "u24", "s24", "u32",
                                          "s32", "u64", "s64", "f32", "f64", NULL };
const char *const endian_names[] = { "big", "little", "mixed", NULL };

size_t number_bytes(enum number_type t)
{
    return types[t].bytes;
}

bool number_is_float(enum number_type t)
{
    return types[t].kind == KIND_FLOAT;
}

bool number_is_signed(enum number_type t)
{
    return types[t].kind == KIND_SIGNED;
}

static uint64_t all_bits(enum number_type t)
{
    return types[t].bytes < 8 ? (UINT64_C(1) << 8 * types[t].bytes) - 1 : UINT64_MAX;
}

uint64_t place_bits(const struct payload_place *at)
{
    uint64_t all = all_bits((enum number_type)at->type);

    return (at->mask ? at->mask & all : all) >> at->shift;
}

/* Where the i-th byte from the most significant one stands among `size`. */
static size_t position(enum endian e, size_t i, size_t size)
{
    if (e == ENDIAN_BIG)
        return i;
    if (e == ENDIAN_LITTLE || size % 2)
        return size - 1 - i;
    return size - 2 - i / 2 * 2 + i % 2;
}

/* The first byte, or NULL when some byte lies beyond. */
static const uint8_t *find(const struct payload_place *at, const uint8_t *bytes, size_t n)
{
    int64_t first = at->off < 0 ? (int64_t)n + at->off : at->off;

    if (first < 0 || first + types[at->type].bytes > (int64_t)n)
        return NULL;
    return bytes + first;
}

static uint64_t get_bits(const struct payload_place *at, const uint8_t *from)
{
    size_t size = types[at->type].bytes;
    uint64_t bits = 0;

    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | from[position((enum endian)at->endian, i, size)];
    return bits;
}

bool place_read(const struct payload_place *at, const uint8_t *bytes, size_t n, uint64_t *ret)
{
    const uint8_t *from = find(at, bytes, n);

    if (!from)
        return false;
    *ret = get_bits(at, from) >> at->shift & place_bits(at);
    return true;
}

void place_write(const struct payload_place *at, uint8_t *bytes, size_t n, uint64_t raw)
{
    const uint8_t *from = find(at, bytes, n);
    size_t size = types[at->type].bytes;

    if (!from)
        return;
    uint64_t field = place_bits(at) << at->shift;
    uint64_t bits = (get_bits(at, from) & ~field) | (raw << at->shift & field);
    uint8_t *to = bytes + (from - bytes);
    for (size_t i = size; i-- > 0; bits >>= 8)
        to[position((enum endian)at->endian, i, size)] = (uint8_t)bits;
}

static int64_t sign_extended(uint64_t raw, uint64_t all)
{
    uint64_t top = all & ~(all >> 1); /* a field is one run of bits: the loader sees to it */

    return (int64_t)(raw & top ? raw | ~all : raw);
}

/* The bit that makes a magnitude negative, within the raw field. */
static uint64_t sign_bit(const struct payload_place *at)
{
    return at->sign >> at->shift;
}

struct decimal place_decimal(const struct payload_place *at, uint64_t raw)
{
    int64_t v;

    if (at->type == NUMBER_F32)
        return decimal_from_float(float_from_bits((uint32_t)raw));
    if (at->type == NUMBER_F64)
        return decimal_from_double(double_from_bits(raw));
    if (types[at->type].kind == KIND_SIGNED)
        return (struct decimal){ sign_extended(raw, place_bits(at)), 0 };
    if (at->sign) {
        v = (int64_t)(raw & ~sign_bit(at));
        return (struct decimal){ raw & sign_bit(at) ? -v : v, 0 };
    }
    if (raw > INT64_MAX)
        return decimal_from_double((double)raw);
    return (struct decimal){ (int64_t)raw, 0 };
}

double place_number(const struct payload_place *at, uint64_t raw)
{
    return at->type == NUMBER_F32 ? (double)float_from_bits((uint32_t)raw)
                                  : decimal_to_double(place_decimal(at, raw));
}

void place_range(const struct payload_place *at, double *ret_min, double *ret_max)
{
    uint64_t all = place_bits(at);

    *ret_min = 0;
    *ret_max = (double)all;
    if (at->type == NUMBER_F32)
        *ret_max = 3.4028234663852886e38;
    else if (at->type == NUMBER_F64)
        *ret_max = 1.7976931348623157e308;
    else if (at->sign)
        *ret_max = (double)(all & ~sign_bit(at));
    else if (types[at->type].kind == KIND_SIGNED)
        *ret_max = (double)(all >> 1);
    if (number_is_float((enum number_type)at->type) || at->sign)
        *ret_min = -*ret_max;
    else if (types[at->type].kind == KIND_SIGNED)
        *ret_min = -*ret_max - 1;
}

/* Whole numbers whose double would overflow on the way back are limited first. */
static uint64_t raw_from_integer(double x)
{
    if (x >= 18446744073709551615.0)
        return UINT64_MAX;
    if (x >= 9223372036854775808.0)
        return (uint64_t)x;
    return x < -9223372036854775808.0 ? UINT64_C(1) << 63 : (uint64_t)(int64_t)x;
}

uint64_t place_raw(const struct payload_place *at, double x)
{
    double min, max;

    if (at->type == NUMBER_F64)
        return bits_from_double(x);
    if (isnan(x))
        return at->type == NUMBER_F32 ? bits_from_float((float)x) : 0;
    place_range(at, &min, &max);
    x = x > min ? x : min;
    x = x < max ? x : max;
    if (at->type == NUMBER_F32)
        return bits_from_float((float)x);
    x = round(x);
    if (at->sign && x < 0)
        return raw_from_integer(-x) | sign_bit(at);
    if (types[at->type].kind == KIND_SIGNED && x >= max)
        return place_bits(at) >> 1;
    return raw_from_integer(x) & place_bits(at);
}
