/* SPDX-License-Identifier: Apache-2.0 */
/* One field: which point it is, and what its bits mean. */
#include <math.h>
#include <string.h>

#include "gateway/conf/profile_payload.h"
#include "sensors/payload/formula.h"
#include "sensors/payload/number.h"

enum { EXACT_DECIMALS = 9 }; /* a factor with more was not meant as a decimal */

const char *const payload_field_keys[] = { "point",   "off",     "type",   "endian",
                                           "mask",    "shift",   "sign",   "scale",
                                           "offset",  "formula", "with",   "table",
                                           "invalid", "quality", "option", NULL };

bool payload_read_point(struct profile_reader *r, struct fy_node *node, uint8_t *ret)
{
    struct fy_node *point = yaml_find(node, "point");
    size_t i;

    if (!point) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "the point is missing: key 'point'");
        return false;
    }
    if (!profile_read_reference(r, point, &i))
        return false;
    *ret = (uint8_t)i;
    return true;
}

static bool read_entry(struct profile_reader *r, struct fy_node_pair *pair,
                       const struct payload_place *at, struct payload_entry *e)
{
    struct fy_node *key = fy_node_pair_key(pair), *value = fy_node_pair_value(pair);
    double x;
    uint64_t raw = 0;

    if (at ? !payload_read_code(r, key, at, &raw) : !profile_read_text(r, key, &e->text))
        return false;
    if (!profile_read_number(r, value, &x))
        return false;
    e->raw = (int64_t)raw;
    e->value = decimal_from_double(x);
    return true;
}

static bool is_same(const struct payload_entry *a, const struct payload_entry *b)
{
    return a->text && b->text ? !strcmp(a->text, b->text)
                              : a->text == b->text && a->raw == b->raw;
}

bool payload_read_table(struct profile_reader *r, struct fy_node *node,
                        const struct payload_place *at, struct payload_table *ret)
{
    int n = node && fy_node_is_mapping(node) ? fy_node_mapping_item_count(node) : 0;
    struct fy_node_pair *pair;
    void *state = NULL;
    bool is_ok = true;

    if (n < 1 || n > PAYLOAD_TABLE_MAX) {
        yaml_error(r->y, r->d, node, E_KIND, "expected a mapping of 1 to %d codes",
                   PAYLOAD_TABLE_MAX);
        return false;
    }
    struct payload_entry *entry = arena_alloc(r->arena, (size_t)n * sizeof *entry);
    if (!entry)
        return false;
    for (size_t i = 0; (pair = fy_node_mapping_iterate(node, &state)); i++) {
        bool is_read = read_entry(r, pair, at, &entry[i]);
        for (size_t k = 0; is_read && k < i; k++)
            if (is_same(&entry[i], &entry[k])) {
                yaml_error(r->y, r->d, fy_node_pair_key(pair), E_DUPLICATE_KEY,
                           "the same code stands twice in this table");
                is_read = false;
            }
        is_ok = is_read && is_ok;
    }
    ret->entry = entry;
    ret->n = (size_t)n;
    return is_ok;
}

static bool read_invalid(struct profile_reader *r, struct fy_node *node,
                         struct payload_field *f)
{
    size_t max = sizeof f->invalid / sizeof f->invalid[0];
    bool is_list = fy_node_is_sequence(node), is_ok = true;
    struct fy_node *item = node;
    void *state = NULL;

    if (is_list && !profile_read_list(r, node, max))
        return false;
    while ((item = is_list ? fy_node_sequence_iterate(node, &state) : item)) {
        is_ok = payload_read_code(r, item, &f->at, &f->invalid[f->invalid_n++]) && is_ok;
        if (!is_list)
            break;
    }
    return is_ok;
}

static bool read_quality(struct profile_reader *r, struct fy_node *node,
                         struct payload_cursor c, struct payload_status *ret)
{
    static const char *const keys[] = { "off",   "type", "endian", "mask",
                                        "shift", "map",  "bits",   NULL };
    struct fy_node *map = yaml_find(node, "map"), *bits = yaml_find(node, "bits");

    if (!profile_read_keys(r, node, "a quality", keys))
        return false;
    if (!map == !bits || !yaml_find(node, "off")) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a quality needs 'off' and one of 'map' and 'bits'");
        return false;
    }
    if (!payload_read_place(r, node, NUMBER_U8, &c, &ret->at))
        return false;
    struct profile_map m = payload_map_of(&ret->at);
    m.is_bits = bits != NULL;
    if (!profile_read_choices(r, map ? map : bits, MAP_QUALITY, NULL, &m))
        return false;
    ret->map = m;
    return true;
}

/* A formula that is a decimal factor and offset is computed exactly, as those are. */
static void make_exact(struct payload_field *f)
{
    static const double tries[] = { 1, 2, 3, 77, 1000, 40000, 65535, 8388607, 4294967295.0 };
    const struct payload_formula *fm = &f->formula;
    double at0 = formula_value(fm, 0, 0);
    struct decimal offset = decimal_round(at0, EXACT_DECIMALS);
    struct decimal scale =
        decimal_round((formula_value(fm, 65536, 0) - at0) / 65536, EXACT_DECIMALS);

    scale = decimal_from_double(decimal_to_double(scale));
    offset = decimal_from_double(decimal_to_double(offset));
    if (fm->has_y || scale.e < 0 || offset.e < 0 || scale.v == 0)
        return;
    double k = decimal_to_double(scale), c = decimal_to_double(offset);
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        double x = tries[i], error = fabs(formula_value(fm, x, 0) - (x * k + c));
        if (!(error <= 1e-13 * (fabs(x * k) + fabs(c)))) /* what doubles round off, no more */
            return;
    }
    f->scale = k;
    f->offset = c;
    f->scale_decimals = scale.e > offset.e ? scale.e : offset.e;
    f->formula.n = 0;
}

static bool read_formula(struct profile_reader *r, struct fy_node *node,
                         struct fy_node *formula, struct payload_cursor c,
                         struct payload_field *f)
{
    static const char *const keys[] = {
        "off", "type", "endian", "mask", "shift", "sign", NULL
    };
    struct fy_node *with = yaml_find(node, "with");

    if (!payload_read_formula(r, formula, &f->formula))
        return false;
    if (f->formula.has_y != (with != NULL)) {
        yaml_error(r->y, r->d, with ? with : formula, E_CONFLICT,
                   with ? "the formula has no y: 'with' is of no use"
                        : "y is the number at 'with', which is missing");
        return false;
    }
    if (with && (!profile_read_keys(r, with, "the number beside", keys) ||
                 !payload_read_place(r, with, -1, &c, &f->formula.y)))
        return false;
    if (isnan(formula_value(&f->formula, 3, 5)) &&
        isnan(formula_value(&f->formula, 3e4, 2e4)) &&
        isnan(formula_value(&f->formula, 0.5, 2))) {
        yaml_error(r->y, r->d, formula, E_RANGE, "the formula has no value");
        return false;
    }
    make_exact(f);
    return true;
}

static bool read_value(struct profile_reader *r, struct fy_node *node, struct payload_cursor c,
                       struct payload_field *f)
{
    struct fy_node *formula = yaml_find(node, "formula"), *table = yaml_find(node, "table"),
                   *with = yaml_find(node, "with");
    const struct profile_point *pt = &r->p->points[f->point];

    f->scale = pt->scale;
    f->offset = pt->offset;
    f->scale_decimals = pt->scale_decimals;
    bool is_scaled = yaml_find(node, "scale") || yaml_find(node, "offset") || pt->scale != 1 ||
                     pt->offset != 0;
    if ((formula != NULL) + (table != NULL) + is_scaled > 1) {
        yaml_error(r->y, r->d, formula ? formula : table, E_CONFLICT,
                   "'scale' and 'offset', 'formula' and 'table' exclude each other");
        return false;
    }
    if (with && !formula) {
        yaml_error(r->y, r->d, with, E_CONFLICT, "'with' belongs to a formula");
        return false;
    }
    if (formula)
        return read_formula(r, node, formula, c, f);
    if (table && number_is_float((enum number_type)f->at.type)) {
        yaml_error(r->y, r->d, table, E_CONFLICT, "a float has no codes for a table");
        return false;
    }
    if (table)
        return payload_read_table(r, table, &f->at, &f->table);
    return profile_read_scale(r, node, &f->scale, &f->offset, &f->scale_decimals);
}

bool payload_read_meaning(struct profile_reader *r, struct fy_node *node,
                          struct payload_cursor c, struct payload_field *f)
{
    struct fy_node *invalid = yaml_find(node, "invalid"), *quality = yaml_find(node, "quality"),
                   *option = yaml_find(node, "option");
    bool is_ok = read_value(r, node, c, f);

    if (!invalid)
        invalid = yaml_find(r->nodes[f->point], "invalid");
    is_ok = (!invalid || read_invalid(r, invalid, f)) && is_ok;
    is_ok = (!quality || read_quality(r, quality, c, &f->quality)) && is_ok;
    return (!option || profile_read_bool(r, option, &f->is_option)) && is_ok;
}

bool payload_read_field(struct profile_reader *r, struct fy_node *node,
                        struct payload_cursor *c, struct payload_field *f)
{
    if (!payload_read_point(r, node, &f->point) || !payload_read_place(r, node, -1, c, &f->at))
        return false;
    return payload_read_meaning(r, node, *c, f);
}
