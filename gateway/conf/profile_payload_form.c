/* SPDX-License-Identifier: Apache-2.0 */
/* Groups one after another: blocks, keys and values, records. */
#include "gateway/conf/profile_payload.h"
#include "sensors/payload/number.h"

static bool refuse(struct profile_reader *r, struct fy_node *node, enum diag_code code,
                   const char *why)
{
    yaml_error(r->y, r->d, node, code, "%s", why);
    return false;
}

static bool read_time(struct profile_reader *r, struct fy_node *node, enum endian endian,
                      struct payload_group *ret)
{
    static const char *const keys[] = { "off", "type", "endian", "mask", "shift", NULL };
    struct payload_cursor c = { .endian = endian };

    if (!node)
        return true;
    if (!profile_read_keys(r, node, "a time", keys) ||
        !payload_read_place(r, node, NUMBER_U32, &c, &ret->time))
        return false;
    if (number_is_float((enum number_type)ret->time.type))
        return refuse(r, node, E_CONFLICT, "a time is in whole Unix seconds");
    ret->has_time = true;
    return true;
}

bool payload_read_start(struct profile_reader *r, struct fy_node *node,
                        struct payload_message *m)
{
    struct fy_node *start = yaml_find(node, "start");
    int64_t n = 0;

    if (start && !profile_read_int(r, start, 0, PAYLOAD_BYTES_MAX - 1, &n))
        return false;
    m->start = (uint8_t)n;
    return true;
}

struct payload_group *payload_begin_groups(struct profile_reader *r, struct fy_node *parent,
                                           const char *key, size_t max,
                                           struct payload_message *m)
{
    struct fy_node *list = yaml_find(parent, key);

    if (!list) {
        yaml_error(r->y, r->d, parent, E_MISSING_KEY, "the list is missing: key '%s'", key);
        return NULL;
    }
    if (!profile_read_list(r, list, max))
        return NULL;
    struct payload_group *groups =
        arena_alloc(r->arena, ((size_t)fy_node_sequence_item_count(list) + 1) * sizeof *groups);
    m->groups = groups;
    return groups;
}

static bool has_size(struct profile_reader *r, struct fy_node *node,
                     const struct payload_group *g)
{
    return g->size || refuse(r, node, E_MISSING_KEY, "the length is not known: key 'size'");
}

static bool read_blocks(struct profile_reader *r, struct fy_node *node, enum endian endian,
                        struct payload_message *m)
{
    static const char *const keys[] = { "bitmap", "start", "list", NULL };
    static const char *const place_keys[] = { "off", "type", "endian", "mask", "shift", NULL };
    static const char *const block_keys[] = { "size", "fields", "flags", NULL };
    struct fy_node *bitmap = yaml_find(node, "bitmap"), *item;
    struct payload_cursor c = { .endian = endian };
    void *state = NULL;
    bool is_ok = profile_read_keys(r, node, "blocks", keys) && payload_read_start(r, node, m);

    m->form = FORM_BLOCKS;
    if (!bitmap)
        return refuse(r, node, E_MISSING_KEY, "blocks need 'bitmap'");
    if (!profile_read_keys(r, bitmap, "a bitmap", place_keys) ||
        !payload_read_place(r, bitmap, NUMBER_U16, &c, &m->bitmap))
        return false;
    if (number_is_float((enum number_type)m->bitmap.type))
        return refuse(r, bitmap, E_CONFLICT, "a float is no bitmap");
    struct payload_group *groups = payload_begin_groups(
        r, node, "list", 8 * number_bytes((enum number_type)m->bitmap.type), m);
    if (!groups)
        return false;
    while ((item = fy_node_sequence_iterate(yaml_find(node, "list"), &state))) {
        struct payload_group *g = &groups[m->groups_n++];
        is_ok = profile_read_keys(r, item, "a block", block_keys) &&
                payload_read_group(r, item, endian, g) && payload_read_size(r, item, g) &&
                has_size(r, item, g) && is_ok;
    }
    return is_ok;
}

/* An item that is its one field: the keys of both in one mapping. */
static bool read_only_field(struct profile_reader *r, struct fy_node *node, enum endian endian,
                            struct payload_group *g)
{
    struct payload_cursor c = { .endian = endian };
    struct payload_field *f = arena_alloc(r->arena, sizeof *f);

    if (!f || !payload_read_field(r, node, &c, f))
        return false;
    g->fields = f;
    g->fields_n = 1;
    return true;
}

static bool read_item(struct profile_reader *r, struct fy_node *node, enum endian endian,
                      const struct payload_message *m, struct payload_group *g)
{
    static const char *const keys[] = { "key",   "size",  "time",    "fields",  "flags",
                                        "point", "off",   "type",    "endian",  "mask",
                                        "shift", "sign",  "scale",   "offset",  "formula",
                                        "with",  "table", "invalid", "quality", "option",
                                        NULL };
    struct fy_node *key = yaml_find(node, "key"), *point = yaml_find(node, "point");
    uint64_t n;

    if (!profile_read_keys(r, node, "a value", keys))
        return false;
    if (!key)
        return refuse(r, node, E_MISSING_KEY, "a value needs its 'key'");
    if (!profile_read_bits(r, key, &n))
        return false;
    if (n >> 8 * m->key_bytes)
        return refuse(r, key, E_RANGE, "the key has more bytes than tlv.key says");
    for (size_t i = 0; i < m->groups_n; i++)
        if (m->groups[i].key == n && &m->groups[i] != g)
            return refuse(r, key, E_DUPLICATE_KEY, "the key stands twice in this list");
    g->key = (uint32_t)n;
    if (point && yaml_find(node, "fields"))
        return refuse(r, node, E_CONFLICT, "'point' and 'fields' exclude each other");
    if (!read_time(r, yaml_find(node, "time"), endian, g) ||
        (point && !read_only_field(r, node, endian, g)))
        return false;
    if (!payload_read_group(r, node, endian, g) || !payload_read_size(r, node, g))
        return false;
    return m->has_length || has_size(r, node, g);
}

static bool read_tlv(struct profile_reader *r, struct fy_node *node, enum endian endian,
                     struct payload_message *m)
{
    static const char *const keys[] = { "key", "length", "start", "items", NULL };
    struct fy_node *key = yaml_find(node, "key"), *length = yaml_find(node, "length"), *item;
    void *state = NULL;
    int64_t n;
    bool is_ok = profile_read_keys(r, node, "tlv", keys) && payload_read_start(r, node, m);

    m->form = FORM_TLV;
    if (!key)
        return refuse(r, node, E_MISSING_KEY, "tlv needs 'key': how many bytes a key has");
    if (!profile_read_int(r, key, 1, 2, &n) ||
        (length && !profile_read_bool(r, length, &m->has_length)))
        return false;
    m->key_bytes = (uint8_t)n;
    struct payload_group *groups =
        payload_begin_groups(r, node, "items", PAYLOAD_GROUPS_MAX, m);
    if (!groups)
        return false;
    while ((item = fy_node_sequence_iterate(yaml_find(node, "items"), &state)))
        is_ok = read_item(r, item, endian, m, &groups[m->groups_n++]) && is_ok;
    return is_ok;
}

enum {
    STEP_MIN_MS = 1000,
    STEP_MAX_MS = 24 * 60 * 60 * 1000 /* of a history; longer ones tell times of their own */
};

static bool read_step(struct profile_reader *r, struct fy_node *node, enum endian endian,
                      struct payload_message *m)
{
    static const char *const keys[] = {
        "off", "type", "endian", "mask", "shift", "unit", NULL
    };
    struct payload_cursor c = { .endian = endian };

    if (!fy_node_is_mapping(node))
        return profile_read_duration(r, node, STEP_MIN_MS, STEP_MAX_MS, &m->step_ms);
    if (!profile_read_keys(r, node, "a step", keys))
        return false;
    struct fy_node *unit = yaml_find(node, "unit");
    if (!unit)
        return refuse(r, node, E_MISSING_KEY,
                      "a step in the message needs 'unit', such as 1min");
    if (!profile_read_duration(r, unit, STEP_MIN_MS, STEP_MAX_MS, &m->step_ms) ||
        !payload_read_place(r, node, NUMBER_U16, &c, &m->step))
        return false;
    if (number_is_float((enum number_type)m->step.type))
        return refuse(r, node, E_CONFLICT, "a step is a whole number of units");
    m->has_step = true;
    return true;
}

static bool read_count(struct profile_reader *r, struct fy_node *node, enum endian endian,
                       struct payload_message *m)
{
    static const char *const keys[] = { "off", "type", "endian", "mask", "shift", NULL };
    struct payload_cursor c = { .endian = endian };

    if (!node)
        return true;
    if (!profile_read_keys(r, node, "a count", keys) ||
        !payload_read_place(r, node, NUMBER_U8, &c, &m->count))
        return false;
    if (number_is_float((enum number_type)m->count.type))
        return refuse(r, node, E_CONFLICT, "a count is a whole number");
    m->has_count = true;
    return true;
}

static bool read_sequence(struct profile_reader *r, struct fy_node *node,
                          struct payload_message *m)
{
    static const char *const orders[] = { "newest_first", "oldest_first", NULL };
    static const char *const newest_words[] = { "now", "step", NULL };
    struct fy_node *order = yaml_find(node, "order"), *newest = yaml_find(node, "newest");
    int first = 0, is_old = 0;

    if ((order && !profile_read_word(r, order, orders, &first)) ||
        (newest && !profile_read_word(r, newest, newest_words, &is_old)))
        return false;
    m->is_oldest_first = first == 1;
    m->is_present = is_old == 0;
    return true;
}

static bool read_records(struct profile_reader *r, struct fy_node *node, enum endian endian,
                         struct payload_message *m)
{
    static const char *const keys[] = { "start",  "size", "count",  "step",  "order",
                                        "newest", "time", "fields", "flags", NULL };
    struct fy_node *step = yaml_find(node, "step"), *time = yaml_find(node, "time");
    struct payload_group *g = arena_alloc(r->arena, sizeof *g);
    bool is_ok = profile_read_keys(r, node, "records", keys) && payload_read_start(r, node, m);

    m->form = FORM_RECORDS;
    if (!g)
        return false;
    if (!step == !time || (time && (yaml_find(node, "order") || yaml_find(node, "newest"))))
        return refuse(r, node, E_CONFLICT,
                      "records have 'time', or 'step' with 'order' and 'newest'");
    is_ok = (!step || read_step(r, step, endian, m)) && is_ok;
    is_ok = read_time(r, time, endian, g) && read_sequence(r, node, m) && is_ok;
    is_ok = read_count(r, yaml_find(node, "count"), endian, m) && is_ok;
    if (!payload_read_group(r, node, endian, g) || !payload_read_size(r, node, g))
        return false;
    m->groups = g;
    m->groups_n = 1;
    return has_size(r, node, g) && is_ok;
}

bool payload_read_forms(struct profile_reader *r, struct fy_node *node, enum endian endian,
                        struct payload_message *m)
{
    static const struct {
        const char *key;
        bool (*read)(struct profile_reader *r, struct fy_node *node, enum endian endian,
                     struct payload_message *m);
    } forms[] = {
        { "blocks", read_blocks },
        { "tlv", read_tlv },
        { "lpp", payload_read_lpp },
        { "records", read_records },
    };
    bool has_form = false, is_ok = true;

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct fy_node *form = yaml_find(node, forms[i].key);
        if (!form)
            continue;
        if (has_form)
            return refuse(r, form, E_CONFLICT,
                          "a message has one of 'blocks', 'tlv', 'lpp' and 'records'");
        has_form = true;
        is_ok = forms[i].read(r, form, endian, m);
    }
    return is_ok;
}
