/* SPDX-License-Identifier: Apache-2.0 */
/* Codes that mean "no value", and the repeating block. */
#include <string.h>

#include "gateway/conf/profile_read.h"
#include "sensors/profile/type.h"

/* Hexadecimal is the raw register; decimal is the number as the type shows it. */
static bool read_code(struct profile_reader *r, struct fy_node *node, enum value_type type,
                      uint64_t *ret)
{
    const char *text = yaml_text(node);
    bool is_hex = text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint64_t raw;
    double x;
    char shown[DIAG_SHOWN_BYTES];

    if (!is_hex && type_is_float(type)) {
        if (!profile_read_number(r, node, &x))
            return false;
        *ret = type_raw(type, x);
        return true;
    }
    if (text && text[0] == '-') {
        int64_t low = type == TYPE_S16 ? INT16_MIN : type == TYPE_S32 ? INT32_MIN : INT64_MIN;
        int64_t v;
        bool is_signed = type == TYPE_S16 || type == TYPE_S32 || type == TYPE_S64;
        if (!profile_read_int(r, node, is_signed ? low : 0, INT64_MAX, &v))
            return false;
        *ret = (uint64_t)v & type_bits(type);
        return true;
    }
    if (!profile_read_bits(r, node, &raw))
        return false;
    bool is_bcd = type == TYPE_BCD16 || type == TYPE_BCD32;
    if ((raw & ~type_bits(type)) || (is_bcd && !is_hex && !type_holds(type, (double)raw))) {
        yaml_error(r->y, r->d, node, E_RANGE, "%s does not fit type %s",
                   yaml_shown(node, shown), type_name(type));
        return false;
    }
    *ret = is_bcd && !is_hex ? type_raw(type, (double)raw) : raw;
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
    static const char *const types[] = { "u16", "s16", "u32",   "s32",   "u64", "s64",
                                         "f32", "f64", "bcd16", "bcd32", NULL };
    bool is_ok = profile_read_keys(r, node, "invalid", types);

    for (int t = 0; node && types[t]; t++) {
        struct fy_node *codes = yaml_find(node, types[t]);
        struct profile_codes *to = &r->invalid[t];
        is_ok =
            (!codes || read_codes(r, codes, (enum value_type)t, to->code, 8, &to->n)) && is_ok;
    }
    return is_ok;
}

/* A bit field has codes of its own: those of whole registers cannot stand in it. */
static bool check_codes_of_field(struct profile_reader *r, struct fy_node *codes,
                                 struct fy_node *from, const struct profile_point *pt)
{
    struct profile_map field = { .at = pt->at, .mask = pt->mask, .shift = pt->shift };

    if (from) {
        yaml_error(r->y, r->d, from, E_CONFLICT,
                   "'invalid_from' holds a code of whole registers, not of a bit field");
        return false;
    }
    for (size_t i = 0; i < pt->invalid_n; i++)
        if (!profile_code_fits(&field, pt->invalid[i])) {
            yaml_error(r->y, r->d, codes, E_RANGE,
                       "a code that means no value lies outside the bit field");
            return false;
        }
    return true;
}

/* The point's own codes first: the encoder writes the first one. */
bool profile_read_invalid_of(struct profile_reader *r, struct fy_node *node,
                             struct profile_point *pt)
{
    struct fy_node *codes = yaml_find(node, "invalid"), *from = yaml_find(node, "invalid_from");
    size_t max = sizeof pt->invalid / sizeof pt->invalid[0];
    const struct profile_codes *more = &r->invalid[pt->type];
    bool is_ok = !codes || read_codes(r, codes, pt->type, pt->invalid, max, &pt->invalid_n);

    if (pt->mask || pt->shift)
        return check_codes_of_field(r, codes, from, pt) && is_ok;
    for (size_t i = 0; i < more->n && pt->invalid_n < max; i++)
        pt->invalid[pt->invalid_n++] = more->code[i];
    if (from && profile_read_address(r, from, &pt->invalid_from))
        is_ok = profile_fit_type(r, from, &pt->invalid_from, pt->type) && is_ok;
    return is_ok;
}
