/* SPDX-License-Identifier: Apache-2.0 */
/* Codes that mean "no value", and the repeating block. */
#include <string.h>

#include "gateway/conf/profile_read.h"
#include "sensors/core/bytes.h"

static bool is_float_type(enum value_type t)
{
    return t == TYPE_F32 || t == TYPE_F64;
}

static uint64_t width_mask(enum value_type t)
{
    size_t bits = t == TYPE_BIT ? 1 : 16 * profile_type_words(t);

    return bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
}

/* Hexadecimal is the raw register; decimal is the number as the type shows it. */
static bool read_code(struct profile_reader *r, struct fy_node *node, enum value_type type,
                      uint64_t *ret)
{
    const char *text = yaml_text(node);
    bool is_hex = text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint64_t raw;
    double x;
    char shown[DIAG_SHOWN_BYTES];

    if (!is_hex && is_float_type(type)) {
        if (!profile_read_number(r, node, &x))
            return false;
        *ret = type == TYPE_F32 ? bits_from_float((float)x) : bits_from_double(x);
        return true;
    }
    if (text && text[0] == '-') {
        int64_t low = type == TYPE_S16 ? INT16_MIN : type == TYPE_S32 ? INT32_MIN : INT64_MIN;
        int64_t v;
        bool is_signed = type == TYPE_S16 || type == TYPE_S32 || type == TYPE_S64;
        if (!profile_read_int(r, node, is_signed ? low : 0, INT64_MAX, &v))
            return false;
        *ret = (uint64_t)v & width_mask(type);
        return true;
    }
    if (!profile_read_bits(r, node, &raw))
        return false;
    if (raw & ~width_mask(type)) {
        yaml_error(r->y, r->d, node, E_RANGE, "%s does not fit type %s",
                   yaml_shown(node, shown), profile_type_words_text[type]);
        return false;
    }
    *ret = raw;
    return true;
}

static bool add_code(struct profile_reader *r, struct fy_node *node, enum value_type type,
                     uint64_t *codes, size_t max, size_t *n)
{
    uint64_t raw;

    if (!read_code(r, node, type, &raw))
        return false;
    if (*n == max) {
        yaml_error(r->y, r->d, node, E_RANGE, "more than %zu codes that mean no value", max);
        return false;
    }
    codes[(*n)++] = raw;
    return true;
}

/* One code or a list of them. */
static bool read_codes(struct profile_reader *r, struct fy_node *node, enum value_type type,
                       uint64_t *codes, size_t max, size_t *n)
{
    struct fy_node *item;
    void *state = NULL;
    bool is_ok = true;

    if (!fy_node_is_sequence(node))
        return add_code(r, node, type, codes, max, n);
    while ((item = fy_node_sequence_iterate(node, &state)))
        is_ok = add_code(r, item, type, codes, max, n) && is_ok;
    return is_ok;
}

bool profile_read_invalid(struct profile_reader *r, struct fy_node *node)
{
    static const char *const types[] = { "u16", "s16", "u32", "s32", "u64",
                                         "s64", "f32", "f64", NULL };
    bool is_ok = profile_read_keys(r, node, "invalid", types);

    for (int t = 0; node && types[t]; t++) {
        struct fy_node *codes = yaml_find(node, types[t]);
        struct profile_codes *to = &r->invalid[t];
        is_ok =
            (!codes || read_codes(r, codes, (enum value_type)t, to->code, 8, &to->n)) && is_ok;
    }
    return is_ok;
}

/* The point's own codes first: the encoder writes the first one. */
bool profile_read_invalid_of(struct profile_reader *r, struct fy_node *node,
                             struct profile_point *pt)
{
    struct fy_node *codes = yaml_find(node, "invalid"), *from = yaml_find(node, "invalid_from");
    size_t max = sizeof pt->invalid / sizeof pt->invalid[0];
    const struct profile_codes *more = &r->invalid[pt->type];
    bool is_ok = !codes || read_codes(r, codes, pt->type, pt->invalid, max, &pt->invalid_n);

    for (size_t i = 0; i < more->n && pt->invalid_n < max; i++)
        pt->invalid[pt->invalid_n++] = more->code[i];
    if (from && profile_read_address(r, from, &pt->invalid_from))
        is_ok = profile_fit_type(r, from, &pt->invalid_from, pt->type) && is_ok;
    return is_ok;
}
