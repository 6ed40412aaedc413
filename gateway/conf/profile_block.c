/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/profile_read.h"

static const char *const field_names[] = { "value", "quality", "unit", "sentinel", NULL };

/* "h:0", or a bare number for a holding register. */
static bool read_base(struct profile_reader *r, struct fy_node *node,
                      struct register_address *ret)
{
    const char *text = yaml_text(node);
    int base = r->p->doc_base;
    int64_t n;

    if (!text || *text < '0' || *text > '9')
        return profile_read_address(r, node, ret);
    if (!profile_read_int(r, node, base, 65535, &n))
        return false;
    *ret = (struct register_address){ SPACE_HOLDING, (uint16_t)(n - base), 1, -1 };
    return true;
}

static bool read_field(struct profile_reader *r, struct fy_node *node, enum block_field f)
{
    static const char *const keys[] = { "off", "type", NULL };
    static const struct register_address whole = { SPACE_HOLDING, 0, 1, -1 };
    struct profile_block *b = &r->block;
    struct fy_node *off = yaml_find(node, "off"), *type = yaml_find(node, "type");

    if (!profile_read_keys(r, node, "a field of a block", keys))
        return false;
    if (!off || (f == BLOCK_VALUE && !type)) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a field of a block needs 'off'%s",
                   f == BLOCK_VALUE ? " and 'type'" : "");
        return false;
    }
    b->field[f].type = f == BLOCK_SENTINEL ? b->field[BLOCK_VALUE].type : TYPE_U16;
    if (type && !profile_read_type(r, type, &whole, &b->field[f].type))
        return false;
    size_t words = profile_type_words(b->field[f].type);
    return profile_read_int(r, off, 0, b->stride - (int64_t)(words ? words : 1),
                            &b->field[f].off);
}

static bool read_fields(struct profile_reader *r, struct fy_node *node)
{
    bool is_ok = profile_read_keys(r, node, "block.fields", field_names);

    for (int f = 0; f < BLOCK_FIELDS; f++) {
        struct fy_node *field = yaml_find(node, field_names[f]);
        r->block.field[f].off = -1;
        is_ok = (!field || read_field(r, field, (enum block_field)f)) && is_ok;
    }
    return is_ok;
}

bool profile_read_block(struct profile_reader *r, struct fy_node *node)
{
    static const char *const keys[] = { "base", "stride", "count", "fields", NULL };
    struct profile_block *b = &r->block;
    struct fy_node *part[4];

    if (!profile_read_keys(r, node, "block", keys))
        return false;
    for (size_t i = 0; i < 4; i++) {
        part[i] = yaml_find(node, keys[i]);
        if (!part[i]) {
            yaml_error(r->y, r->d, node, E_MISSING_KEY, "a block needs '%s'", keys[i]);
            return false;
        }
    }
    b->is_given = read_base(r, part[0], &b->base) &&
                  profile_read_int(r, part[1], 1, PROFILE_REQUEST_MAX, &b->stride) &&
                  profile_read_int(r, part[2], 1, PROFILE_SLOTS_MAX, &b->count) &&
                  read_fields(r, part[3]);
    if (b->is_given && b->base.first + b->stride * b->count > 65536) {
        yaml_error(r->y, r->d, node, E_ADDRESS, "the block ends beyond register 65535");
        b->is_given = false;
    }
    return b->is_given;
}

bool profile_slot_address(const struct profile_reader *r, int64_t slot, enum block_field f,
                          struct register_address *ret)
{
    const struct profile_block *b = &r->block;
    size_t words = profile_type_words(b->field[f].type);

    if (b->field[f].off < 0)
        return false;
    *ret = (struct register_address){
        b->base.space, (uint16_t)(b->base.first + slot * b->stride + b->field[f].off),
        (uint8_t)(words ? words : 1), -1
    };
    return true;
}
