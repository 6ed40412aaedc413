/* SPDX-License-Identifier: Apache-2.0 */
/* Values of Cayenne LPP: keys and values whose types are known. */
#include <stdio.h>
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

bool payload_read_lpp(struct profile_reader *r, struct fy_node *node, enum endian endian,
                      struct payload_message *m)
{
    static const char *const keys[] = { "start", "items", NULL };
    struct fy_node *item;
    void *state = NULL;
    bool is_ok = profile_read_keys(r, node, "lpp", keys) && payload_read_start(r, node, m);

    (void)endian; /* LPP is big-endian */
    m->form = FORM_LPP;
    m->key_bytes = 2;
    struct payload_group *groups =
        payload_begin_groups(r, node, "items", PAYLOAD_GROUPS_MAX, m);
    if (!groups)
        return false;
    while ((item = fy_node_sequence_iterate(yaml_find(node, "items"), &state)))
        is_ok = read_lpp_item(r, item, groups, m) && is_ok;
    return is_ok;
}
