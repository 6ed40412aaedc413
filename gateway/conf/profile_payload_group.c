/* SPDX-License-Identifier: Apache-2.0 */
/* A group of bytes: its fields, its status words, its size. */
#include "gateway/conf/profile_payload.h"
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
