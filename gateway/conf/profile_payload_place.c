/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in a message: where they stand, and the codes that they can hold. */
#include <string.h>

#include "gateway/conf/profile_payload.h"
#include "sensors/payload/number.h"

static bool refuse(struct profile_reader *r, struct fy_node *node, enum diag_code code,
                   const char *why)
{
    char shown[DIAG_SHOWN_BYTES];

    yaml_error(r->y, r->d, node, code, "%s, found %s", why, yaml_shown(node, shown));
    return false;
}

static bool read_off(struct profile_reader *r, struct fy_node *place, struct payload_cursor *c,
                     struct payload_place *at)
{
    struct fy_node *node = yaml_find(place, "off");
    int64_t bytes = (int64_t)number_bytes((enum number_type)at->type), off = c->off;

    if (node && !profile_read_int(r, node, -PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX - 1, &off))
        return false;
    if (off < 0 ? off + bytes > 0 : off + bytes > PAYLOAD_BYTES_MAX)
        return refuse(r, node ? node : place, E_RANGE,
                      off < 0 ? "the number ends beyond the end it is counted from"
                              : "the number ends beyond the longest message, 255 bytes");
    at->off = (int16_t)off;
    c->off = off < 0 && off + bytes == 0 ? 0 : off + bytes;
    return true;
}

static bool is_one_run(uint64_t bits)
{
    while (bits && !(bits & 1))
        bits >>= 1;
    return bits && !(bits & (bits + 1));
}

static bool read_mask(struct profile_reader *r, struct fy_node *node, struct payload_place *at)
{
    struct fy_node *mask = yaml_find(node, "mask"), *shift = yaml_find(node, "shift");
    enum number_type t = (enum number_type)at->type;
    uint64_t all = place_bits(at);
    int64_t n = 0;

    if (!mask && !shift)
        return true;
    if (number_is_float(t))
        return refuse(r, mask ? mask : shift, E_CONFLICT, "a float has no bit field");
    if (mask && !profile_read_bits(r, mask, &at->mask))
        return false;
    if (mask && (!at->mask || (at->mask & ~all)))
        return refuse(r, mask, E_RANGE, "the mask does not lie in the number");
    if (mask && number_is_signed(t) && !is_one_run(at->mask))
        return refuse(r, mask, E_CONFLICT, "a signed bit field is one run of bits");
    if (shift && !profile_read_int(r, shift, 0, (int64_t)number_bytes(t) * 8 - 1, &n))
        return false;
    if (at->mask & ((UINT64_C(1) << n) - 1))
        return refuse(r, shift, E_CONFLICT,
                      "the shift drops bits of the mask, which counts before it");
    at->shift = (uint8_t)n;
    return true;
}

static bool read_sign(struct profile_reader *r, struct fy_node *node, struct payload_place *at)
{
    if (!node)
        return true;
    if (number_is_float((enum number_type)at->type) ||
        number_is_signed((enum number_type)at->type))
        return refuse(r, node, E_CONFLICT, "only an unsigned type can have a bit for its sign");
    if (!profile_read_bits(r, node, &at->sign))
        return false;
    uint64_t field = place_bits(at) << at->shift;
    if (at->sign & (at->sign - 1) || !(at->sign & field))
        return refuse(r, node, E_RANGE, "expected one bit of the field, such as 0x8000");
    return true;
}

bool payload_read_place(struct profile_reader *r, struct fy_node *node, int type,
                        struct payload_cursor *c, struct payload_place *ret)
{
    struct fy_node *t = yaml_find(node, "type"), *endian = yaml_find(node, "endian");
    struct payload_place at = { 0 };
    int order = (int)c->endian;

    if (!t && type < 0) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a number in a message needs 'type'");
        return false;
    }
    if ((t && !profile_read_word(r, t, number_type_names, &type)) ||
        (endian && !profile_read_word(r, endian, endian_names, &order)))
        return false;
    at.type = (uint8_t)type;
    at.endian = (uint8_t)order;
    if (!read_off(r, node, c, &at) || !read_mask(r, node, &at) ||
        !read_sign(r, yaml_find(node, "sign"), &at))
        return false;
    *ret = at;
    return true;
}

bool payload_read_code(struct profile_reader *r, struct fy_node *node,
                       const struct payload_place *at, uint64_t *ret)
{
    const char *text = yaml_text(node);
    bool is_hex = text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    double x, min, max;
    int64_t n = 0;

    if (is_hex) {
        if (!profile_read_bits(r, node, ret))
            return false;
        return !(*ret & ~place_bits(at)) ||
               refuse(r, node, E_RANGE, "the code lies outside the bits that are read here");
    }
    bool is_float = number_is_float((enum number_type)at->type);
    if (is_float ? !profile_read_number(r, node, &x)
                 : !profile_read_int(r, node, INT64_MIN, INT64_MAX, &n))
        return false;
    if (!is_float)
        x = (double)n;
    place_range(at, &min, &max);
    if (x < min || x > max)
        return refuse(r, node, E_RANGE, "the code lies outside the bits that are read here");
    *ret = place_raw(at, x);
    return true;
}

struct profile_map payload_map_of(const struct payload_place *at)
{
    size_t bytes = number_bytes((enum number_type)at->type);
    uint64_t bits = place_bits(at);
    uint8_t count = bytes <= 2 ? 1 : bytes <= 4 ? 2 : 4;

    return (struct profile_map){ .at = { SPACE_HOLDING, 0, count, bits == 1 ? 0 : -1 },
                                 .mask = bits };
}
