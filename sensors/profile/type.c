/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/profile/type.h"

#include <math.h>
#include <string.h>

#include "sensors/core/bytes.h"

enum kind { KIND_UNSIGNED, KIND_SIGNED, KIND_FLOAT, KIND_BCD, KIND_BIT, KIND_TEXT };

static const struct {
    const char *name;
    enum kind kind;
    uint8_t words;
    double min, max; /* of numbers; doubles that convert back without overflow */
} types[] = {
    [TYPE_U16] = { "u16", KIND_UNSIGNED, 1, 0, UINT16_MAX },
    [TYPE_S16] = { "s16", KIND_SIGNED, 1, INT16_MIN, INT16_MAX },
    [TYPE_U32] = { "u32", KIND_UNSIGNED, 2, 0, UINT32_MAX },
    [TYPE_S32] = { "s32", KIND_SIGNED, 2, INT32_MIN, INT32_MAX },
    [TYPE_U64] = { "u64", KIND_UNSIGNED, 4, 0, 18446744073709549568.0 },
    [TYPE_S64] = { "s64", KIND_SIGNED, 4, -9223372036854775808.0, 9223372036854774784.0 },
    [TYPE_F32] = { "f32", KIND_FLOAT, 2, -3.4028234663852886e38, 3.4028234663852886e38 },
    [TYPE_F64] = { "f64", KIND_FLOAT, 4, -1.7976931348623157e308, 1.7976931348623157e308 },
    [TYPE_BCD16] = { "bcd16", KIND_BCD, 1, 0, 9999 },
    [TYPE_BCD32] = { "bcd32", KIND_BCD, 2, 0, 99999999 },
    [TYPE_BIT] = { "bit", KIND_BIT, 1, 0, 1 },
    [TYPE_TEXT] = { "str", KIND_TEXT, 0, 0, 0 },
};

size_t profile_type_words(enum value_type type)
{
    return types[type].words;
}

const char *type_name(enum value_type t)
{
    return types[t].name;
}

bool type_is_float(enum value_type t)
{
    return types[t].kind == KIND_FLOAT;
}

bool type_is_unsigned(enum value_type t)
{
    return types[t].kind == KIND_UNSIGNED;
}

uint64_t type_bits(enum value_type t)
{
    unsigned bits = types[t].kind == KIND_BIT ? 1 : 16u * types[t].words;

    return bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
}

bool type_is_valid(enum value_type t, uint64_t raw)
{
    for (; types[t].kind == KIND_BCD && raw; raw >>= 4)
        if ((raw & 0xF) > 9)
            return false;
    return true;
}

static int64_t integer_from_bcd(uint64_t raw)
{
    int64_t n = 0;

    for (int shift = 28; shift >= 0; shift -= 4)
        n = 10 * n + (int64_t)(raw >> shift & 0xF);
    return n;
}

static uint64_t bcd_from_integer(uint64_t n)
{
    uint64_t raw = 0;

    for (int shift = 0; n; shift += 4, n /= 10)
        raw |= n % 10 << shift;
    return raw;
}

static int64_t integer_from_raw(enum value_type t, uint64_t raw)
{
    switch (t) {
    case TYPE_S16:
        return (int16_t)raw;
    case TYPE_S32:
        return (int32_t)raw;
    case TYPE_BCD16:
    case TYPE_BCD32:
        return integer_from_bcd(raw);
    default:
        return (int64_t)raw;
    }
}

struct decimal type_decimal(enum value_type t, uint64_t raw)
{
    if (t == TYPE_F32)
        return decimal_from_float(float_from_bits((uint32_t)raw));
    if (t == TYPE_F64)
        return decimal_from_double(double_from_bits(raw));
    if (t == TYPE_U64 && raw > INT64_MAX)
        return decimal_from_double((double)raw);
    return (struct decimal){ integer_from_raw(t, raw), 0 };
}

double type_number(enum value_type t, uint64_t raw)
{
    if (t == TYPE_F32)
        return (double)float_from_bits((uint32_t)raw);
    if (t == TYPE_F64)
        return double_from_bits(raw);
    return t == TYPE_U64 ? (double)raw : (double)integer_from_raw(t, raw);
}

bool type_holds(enum value_type t, double x)
{
    double y = type_is_float(t) ? x : round(x);

    return types[t].kind != KIND_TEXT && y >= types[t].min && y <= types[t].max;
}

uint64_t type_raw(enum value_type t, double x)
{
    if (t == TYPE_F32)
        return bits_from_float((float)x);
    if (t == TYPE_F64)
        return bits_from_double(x);
    x = round(x);
    x = x > types[t].min ? x : types[t].min;
    x = x < types[t].max ? x : types[t].max;
    if (types[t].kind == KIND_BCD)
        return bcd_from_integer((uint64_t)x);
    return (t == TYPE_U64 ? (uint64_t)x : (uint64_t)(int64_t)x) & type_bits(t);
}

static bool is_low_word_first(enum word_order order)
{
    return order == ORDER_CDAB || order == ORDER_DCBA;
}

static uint16_t as_ordered(uint16_t w, enum word_order order)
{
    bool is_swapped = order == ORDER_BADC || order == ORDER_DCBA;

    return is_swapped ? (uint16_t)((unsigned)w << 8 | (unsigned)w >> 8) : w;
}

uint64_t raw_from_words(const uint16_t *words, size_t n, enum word_order order)
{
    uint64_t raw = 0;

    for (size_t i = 0; i < n; i++) {
        size_t from = is_low_word_first(order) ? n - 1 - i : i;
        raw = raw << 16 | as_ordered(words[from], order);
    }
    return raw;
}

void words_from_raw(uint64_t raw, size_t n, enum word_order order, uint16_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        size_t to = is_low_word_first(order) ? n - 1 - i : i;
        ret[to] = as_ordered((uint16_t)(raw >> 16 * (n - 1 - i)), order);
    }
}

size_t text_from_words(const uint16_t *words, size_t n, enum word_order order, char *ret,
                       size_t size)
{
    size_t len = 0, end = 0;

    for (size_t i = 0; i < 2 * n && len + 1 < size; i++) {
        uint16_t w = as_ordered(words[i / 2], order);
        unsigned char c = (unsigned char)(i % 2 ? w : w >> 8);
        if (!c)
            break;
        ret[len++] = c >= ' ' && c <= '~' ? (char)c : '?';
        if (c != ' ')
            end = len;
    }
    ret[end] = '\0';
    return end;
}

void words_from_text(const char *text, size_t n, enum word_order order, uint16_t *ret)
{
    size_t len = strnlen(text, 2 * n);

    for (size_t i = 0; i < n; i++) {
        unsigned hi = 2 * i < len ? (unsigned char)text[2 * i] : 0;
        unsigned lo = 2 * i + 1 < len ? (unsigned char)text[2 * i + 1] : 0;
        ret[i] = as_ordered((uint16_t)(hi << 8 | lo), order);
    }
}
