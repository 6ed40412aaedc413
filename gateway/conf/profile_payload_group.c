/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of bytes: a message's own fields, blocks, TLV and LPP values, records. */
#include <string.h>

#include "gateway/conf/profile_payload.h"
#include "sensors/payload/lpp.h"
#include "sensors/payload/number.h"

static bool refuse(struct profile_reader *r, struct fy_node *node, enum diag_code code,
                   const char *why)
{
    yaml_error(r->y, r->d, node, code, "%s", why);
    return false;
}

/* Numbers that begin at different bytes and share some: usually a slip of the pen. */
static bool overlaps(const struct payload_place *a, const struct payload_place *b)
{
    int a_end = a->off + (int)number_bytes((enum number_type)a->type);
    int b_end = b->off + (int)number_bytes((enum number_type)b->type);
    bool has_same_origin = (a->off < 0) == (b->off < 0);

    return has_same_origin && a->off != b->off && !a->mask && !b->mask && a->off < b_end &&
           b->off < a_end;
}

static void warn_overlaps(struct profile_reader *r, struct fy_node *list,
                          const struct payload_group *g)
{
    for (size_t i = 0; i < g->fields_n; i++)
        for (size_t k = 0; k < i; k++)
            if (overlaps(&g->fields[i].at, &g->fields[k].at))
                yaml_warning(r->y, r->d, fy_node_sequence_get_by_index(list, (int)i),
                             E_CONFLICT, "the bytes of '%s' overlap those of '%s'",
                             r->p->points[g->fields[i].point].id,
                             r->p->points[g->fields[k].point].id);
}

static bool read_fields(struct profile_reader *r, struct fy_node *list, enum endian endian,
                        struct payload_group *ret)
{
    struct payload_cursor c = { .endian = endian };
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;

    if (!profile_read_list(r, list, PAYLOAD_FIELDS_MAX))
        return false;
    struct payload_field *fields =
        arena_alloc(r->arena, ((size_t)fy_node_sequence_item_count(list) + 1) * sizeof *fields);
    if (!fields)
        return false;
    ret->fields = fields;
    while ((node = fy_node_sequence_iterate(list, &state)))
        if (profile_read_keys(r, node, "a field", payload_field_keys) &&
            payload_read_field(r, node, &c, &fields[ret->fields_n]))
            ret->fields_n++;
        else
            is_ok = false;
    if (is_ok)
        warn_overlaps(r, list, ret);
    return is_ok;
}

static bool read_flag(struct profile_reader *r, struct fy_node *node, enum endian endian,
                      struct payload_flag *f)
{
    static const char *const keys[] = { "off", "type", "endian", "mask",   "shift", "when",
                                        "set", "map",  "bits",   "points", "help",  NULL };
    struct payload_cursor c = { .endian = endian };

    if (!profile_read_keys(r, node, "a flag of a payload", keys))
        return false;
    if (!yaml_find(node, "off"))
        return refuse(r, node, E_MISSING_KEY, "a flag of a payload needs 'off'");
    if (!payload_read_place(r, node, NUMBER_U8, &c, &f->at))
        return false;
    f->flag.map = payload_map_of(&f->at);
    return profile_read_flag_meaning(r, node, &f->flag);
}

static bool read_flags(struct profile_reader *r, struct fy_node *list, enum endian endian,
                       struct payload_group *ret)
{
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;

    if (!profile_read_list(r, list, PAYLOAD_FLAGS_MAX))
        return false;
    struct payload_flag *flags =
        arena_alloc(r->arena, ((size_t)fy_node_sequence_item_count(list) + 1) * sizeof *flags);
    if (!flags)
        return false;
    ret->flags = flags;
    while ((node = fy_node_sequence_iterate(list, &state)))
        if (read_flag(r, node, endian, &flags[ret->flags_n]))
            ret->flags_n++;
        else
            is_ok = false;
    return is_ok;
}

bool payload_read_group(struct profile_reader *r, struct fy_node *node, enum endian endian,
                        struct payload_group *ret)
{
    struct fy_node *fields = yaml_find(node, "fields"), *flags = yaml_find(node, "flags");
    bool is_ok = !fields || read_fields(r, fields, endian, ret);

    return (!flags || read_flags(r, flags, endian, ret)) && is_ok;
}

/* Bytes that the place needs, from either end. */
static size_t reach(const struct payload_place *at)
{
    return at->off < 0 ? (size_t)-at->off
                       : (size_t)at->off + number_bytes((enum number_type)at->type);
}

static size_t reach_of_group(const struct payload_group *g)
{
    size_t end = g->has_time ? reach(&g->time) : 0;

    for (size_t i = 0; i < g->fields_n; i++) {
        const struct payload_field *f = &g->fields[i];
        const struct payload_place *const places[] = { &f->at,
                                                       f->formula.has_y ? &f->formula.y : NULL,
                                                       f->quality.map.n ? &f->quality.at
                                                                        : NULL };
        for (size_t k = 0; k < 3; k++)
            if (places[k] && reach(places[k]) > end)
                end = reach(places[k]);
    }
    for (size_t i = 0; i < g->flags_n; i++)
        if (reach(&g->flags[i].at) > end)
            end = reach(&g->flags[i].at);
    return end;
}

bool payload_read_size(struct profile_reader *r, struct fy_node *node,
                       struct payload_group *ret)
{
    struct fy_node *size = yaml_find(node, "size");
    size_t end = reach_of_group(ret);
    int64_t n = (int64_t)end;

    if (size && !profile_read_int(r, size, 0, PAYLOAD_BYTES_MAX, &n))
        return false;
    if ((int64_t)end > n) {
        yaml_error(r->y, r->d, size, E_CONFLICT,
                   "the fields reach to byte %zu, more than the size allows", end);
        return false;
    }
    ret->size = (uint16_t)n;
    return true;
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

static bool read_start(struct profile_reader *r, struct fy_node *node,
                       struct payload_message *m)
{
    struct fy_node *start = yaml_find(node, "start");
    int64_t n = 0;

    if (start && !profile_read_int(r, start, 0, PAYLOAD_BYTES_MAX - 1, &n))
        return false;
    m->start = (uint8_t)n;
    return true;
}

/* Room for the groups of a list, or NULL after an error. */
static struct payload_group *begin_groups(struct profile_reader *r, struct fy_node *parent,
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
    bool is_ok = profile_read_keys(r, node, "blocks", keys) && read_start(r, node, m);

    m->form = FORM_BLOCKS;
    if (!bitmap)
        return refuse(r, node, E_MISSING_KEY, "blocks need 'bitmap'");
    if (!profile_read_keys(r, bitmap, "a bitmap", place_keys) ||
        !payload_read_place(r, bitmap, NUMBER_U16, &c, &m->bitmap))
        return false;
    if (number_is_float((enum number_type)m->bitmap.type))
        return refuse(r, bitmap, E_CONFLICT, "a float is no bitmap");
    struct payload_group *groups =
        begin_groups(r, node, "list", 8 * number_bytes((enum number_type)m->bitmap.type), m);
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
    bool is_ok = profile_read_keys(r, node, "tlv", keys) && read_start(r, node, m);

    m->form = FORM_TLV;
    if (!key)
        return refuse(r, node, E_MISSING_KEY, "tlv needs 'key': how many bytes a key has");
    if (!profile_read_int(r, key, 1, 2, &n) ||
        (length && !profile_read_bool(r, length, &m->has_length)))
        return false;
    m->key_bytes = (uint8_t)n;
    struct payload_group *groups = begin_groups(r, node, "items", PAYLOAD_GROUPS_MAX, m);
    if (!groups)
        return false;
    while ((item = fy_node_sequence_iterate(yaml_find(node, "items"), &state)))
        is_ok = read_item(r, item, endian, m, &groups[m->groups_n++]) && is_ok;
    return is_ok;
}

/* A number, or the name of the type. */
static const struct lpp_type *read_lpp_type(struct profile_reader *r, struct fy_node *node)
{
    const char *text = yaml_text(node);
    const struct lpp_type *t = text ? lpp_find_name(text) : NULL;
    char shown[DIAG_SHOWN_BYTES];

    for (size_t i = 0; !t && text && i < lpp_types_n; i++) {
        char number[8];
        snprintf(number, sizeof number, "%u", lpp_types[i].type);
        t = strcmp(number, text) ? NULL : &lpp_types[i];
    }
    if (!t)
        yaml_error(r->y, r->d, node, E_WORD,
                   "expected a type of Cayenne LPP such as 103 or temperature, found %s",
                   yaml_shown(node, shown));
    return t;
}

/* The value of the type in its own unit, then scale and offset of the field or the point. */
static bool read_lpp_field(struct profile_reader *r, struct fy_node *node,
                           const struct lpp_type *t, int64_t component, struct payload_field *f)
{
    struct payload_cursor c = { .endian = ENDIAN_BIG };
    bool is_last = component == t->parts - 1;
    double k = is_last && t->last_scale > 0 ? t->last_scale : t->scale;

    f->at.type = (uint8_t)t->number;
    f->at.off = (int16_t)(component * (int64_t)number_bytes(t->number));
    if (!payload_read_point(r, node, &f->point) || !payload_read_meaning(r, node, c, f))
        return false;
    const struct profile_point *pt = &r->p->points[f->point];
    const struct unit *unit = t->unit ? unit_find_ucum(t->unit) : NULL;
    if (unit && pt->unit && f->scale == 1 && f->offset == 0 && !f->formula.n && !f->table.n &&
        unit != pt->unit) {
        yaml_error(r->y, r->d, node, E_UNIT,
                   "type %s is in %s, the point in %s: a scale must say how they differ",
                   t->name, t->unit, pt->unit->code);
        return false;
    }
    if (!f->formula.n && !f->table.n) {
        f->scale *= k;
        f->scale_decimals += decimal_from_double(k).e;
    }
    return true;
}

static struct payload_group *lpp_group(struct payload_message *m, struct payload_group *groups,
                                       uint32_t key)
{
    for (size_t i = 0; i < m->groups_n; i++)
        if (groups[i].key == key)
            return &groups[i];
    groups[m->groups_n].key = key;
    return &groups[m->groups_n++];
}

static bool read_lpp_item(struct profile_reader *r, struct fy_node *node,
                          struct payload_group *groups, struct payload_message *m)
{
    static const char *const keys[] = { "channel", "type",    "component", "point",   "scale",
                                        "offset",  "formula", "table",     "invalid", NULL };
    struct fy_node *channel = yaml_find(node, "channel"), *type = yaml_find(node, "type"),
                   *component = yaml_find(node, "component");
    int64_t n, part = 0;

    if (!profile_read_keys(r, node, "an LPP value", keys))
        return false;
    if (!channel || !type)
        return refuse(r, node, E_MISSING_KEY, "an LPP value needs 'channel' and 'type'");
    const struct lpp_type *t = read_lpp_type(r, type);
    if (!t || !profile_read_int(r, channel, 0, 255, &n) ||
        (component && !profile_read_int(r, component, 0, t->parts - 1, &part)))
        return false;
    struct payload_group *g = lpp_group(m, groups, (uint32_t)n << 8 | t->type);
    struct payload_field *f = arena_alloc(r->arena, t->parts * sizeof *f);
    if (!f)
        return false;
    for (size_t i = 0; i < g->fields_n; i++)
        if (g->fields[i].at.off == part * (int64_t)number_bytes(t->number))
            return refuse(r, node, E_DUPLICATE_KEY, "the value stands twice in this list");
    if (g->fields_n)
        memcpy(f, g->fields, g->fields_n * sizeof *f);
    g->size = (uint16_t)lpp_bytes(t);
    if (!read_lpp_field(r, node, t, part, &f[g->fields_n]))
        return false;
    g->fields = f;
    g->fields_n++;
    return true;
}

static bool read_lpp(struct profile_reader *r, struct fy_node *node, enum endian endian,
                     struct payload_message *m)
{
    static const char *const keys[] = { "start", "items", NULL };
    struct fy_node *item;
    void *state = NULL;
    bool is_ok = profile_read_keys(r, node, "lpp", keys) && read_start(r, node, m);

    (void)endian; /* LPP is big-endian */
    m->form = FORM_LPP;
    m->key_bytes = 2;
    struct payload_group *groups = begin_groups(r, node, "items", PAYLOAD_GROUPS_MAX, m);
    if (!groups)
        return false;
    while ((item = fy_node_sequence_iterate(yaml_find(node, "items"), &state)))
        is_ok = read_lpp_item(r, item, groups, m) && is_ok;
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
    bool is_ok = profile_read_keys(r, node, "records", keys) && read_start(r, node, m);

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
        { "lpp", read_lpp },
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
