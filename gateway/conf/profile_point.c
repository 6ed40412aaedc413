/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_read.h"
#include "sensors/profile/type.h"

static const char *const point_keys[] = {
    "id",      "names",        "at",         "slot",  "mei",       "type",     "order",
    "scale",   "offset",       "scale_from", "unit",  "unit_from", "quantity", "range",
    "invalid", "invalid_from", "quality",    "stat",  "option",    "since",    "hj212",
    "sim",     "points",       "mask",       "shift", NULL
};
/* Of a point whose place a payload tells. */
static const char *const payload_point_keys[] = { "id",     "names",    "scale", "offset",
                                                  "unit",   "quantity", "range", "invalid",
                                                  "option", "since",    "stat",  "hj212",
                                                  "sim",    "points",   NULL };
static const char *const stat_words[] = { "avg", "min", "max", "sum", "std", "raw", NULL };

/* Keys that only have to be of the right kind: later parts of the product read them. */
static bool check_reserved(struct profile_reader *r, struct fy_node *node)
{
    static const char *const texts[] = { "since", "hj212" };
    const char *unused;
    bool is_ok = true;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fy_node *text = yaml_find(node, texts[i]);
        is_ok = (!text || profile_read_text(r, text, &unused)) && is_ok;
    }
    return is_ok;
}

static bool read_quantity(struct profile_reader *r, struct fy_node *node,
                          const struct quantity **ret)
{
    const char *text = yaml_text(node);
    const struct quantity *q = text ? quantity_find(text) : NULL;
    char shown[DIAG_SHOWN_BYTES];

    if (q) {
        *ret = q;
        return true;
    }
    const char **words = arena_alloc(r->arena, (quantities_n + 1) * sizeof *words);
    for (size_t i = 0; words && i < quantities_n; i++)
        words[i] = quantities[i].id;
    const char *near = words && text ? nearest_word(text, words) : NULL;
    yaml_error(r->y, r->d, node, E_WORD, "%s is no quantity of the vocabulary%s%s%s",
               yaml_shown(node, shown), near ? ", did you mean '" : "", near ? near : "",
               near ? "'?" : "");
    return false;
}

static bool read_identity(struct profile_reader *r, struct fy_node *node,
                          struct profile_point *pt)
{
    struct fy_node *id = yaml_find(node, "id"), *names = yaml_find(node, "names"),
                   *quantity = yaml_find(node, "quantity"), *stat = yaml_find(node, "stat"),
                   *option = yaml_find(node, "option");
    int word;
    bool is_ok = true;

    if (!id)
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a point needs 'id'");
    is_ok = id && profile_read_id(r, id, false, &pt->id);
    is_ok = (!names || profile_read_names(r, names, &pt->en, &pt->zh)) && is_ok;
    is_ok = (!quantity || read_quantity(r, quantity, &pt->quantity)) && is_ok;
    is_ok = (!option || profile_read_bool(r, option, &pt->is_option)) && is_ok;
    if (stat && profile_read_word(r, stat, stat_words, &word))
        pt->stat = stat_words[word];
    return is_ok && (!stat || pt->stat) && check_reserved(r, node);
}

/* Where a slot of the block stands; the key and its number are checked. */
static bool read_slot(struct profile_reader *r, struct fy_node *slot, struct profile_point *pt,
                      int64_t *ret)
{
    if (!r->block.is_given) {
        yaml_error(r->y, r->d, slot, E_REFERENCE, "'slot' needs a 'block' of the profile");
        return false;
    }
    if (!profile_read_int(r, slot, 0, r->block.count - 1, ret))
        return false;
    pt->type = r->block.field[BLOCK_VALUE].type;
    if (r->block.field[BLOCK_SENTINEL].off >= 0)
        profile_slot_address(r, *ret, BLOCK_SENTINEL, &pt->invalid_from);
    return profile_slot_address(r, *ret, BLOCK_VALUE, &pt->at);
}

static bool read_bit_field(struct profile_reader *r, struct fy_node *node,
                           struct profile_point *pt)
{
    struct fy_node *mask = yaml_find(node, "mask"), *shift = yaml_find(node, "shift");

    if (!mask && !shift)
        return true;
    if (!type_is_unsigned(pt->type)) {
        yaml_error(r->y, r->d, mask ? mask : shift, E_CONFLICT,
                   "a bit field lies in an unsigned type: u16, u32 or u64");
        return false;
    }
    return profile_read_mask(r, node, pt->at, &pt->mask, &pt->shift);
}

static bool read_place(struct profile_reader *r, struct fy_node *node, struct profile_point *pt,
                       int64_t *slot)
{
    struct fy_node *at = yaml_find(node, "at"), *s = yaml_find(node, "slot"),
                   *mei = yaml_find(node, "mei"), *type = yaml_find(node, "type"),
                   *order = yaml_find(node, "order");
    int64_t object;

    pt->order = -1;
    if (!at + !s + !mei != 2) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a point needs one of 'at', 'slot' and 'mei', which tell where it stands");
        return false;
    }
    if (order && !profile_read_word(r, order, profile_order_words, &pt->order))
        return false;
    if (mei) { /* read on request, never polled */
        pt->type = TYPE_TEXT;
        if (!profile_read_int(r, mei, 0, 255, &object))
            return false;
        pt->has_mei = true;
        pt->mei = (uint8_t)object;
        return true;
    }
    if (s)
        return read_slot(r, s, pt, slot) && read_bit_field(r, node, pt);
    if (!profile_read_address(r, at, &pt->at))
        return false;
    if (!type && pt->at.bit < 0 && pt->at.space >= SPACE_HOLDING) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a register needs 'type'");
        return false;
    }
    return profile_read_type(r, type, &pt->at, &pt->type) &&
           profile_fit_type(r, at, &pt->at, pt->type) && read_bit_field(r, node, pt);
}

bool profile_read_exact(struct profile_reader *r, struct fy_node *node, double *ret,
                        int *decimals)
{
    double x;
    struct decimal d;
    char shown[DIAG_SHOWN_BYTES];

    if (!profile_read_number(r, node, &x))
        return false;
    d = decimal_from_double(x);
    if (d.e < 0 || d.e > PROFILE_DECIMALS_MAX || fabs(x) * pow(10, d.e) > 1e15) {
        yaml_error(r->y, r->d, node, E_RANGE,
                   "expected a decimal number with at most %d decimals, "
                   "found %s",
                   PROFILE_DECIMALS_MAX, yaml_shown(node, shown));
        return false;
    }
    *ret = x;
    *decimals = d.e > *decimals ? d.e : *decimals;
    return true;
}

static bool read_scale_from(struct profile_reader *r, struct fy_node *node,
                            struct profile_point *pt)
{
    static const char *const keys[] = { "at", "type", "rule", NULL };
    static const char *const rules[] = { "factor", "pow10", "pow10_neg", NULL };
    struct fy_node *at = yaml_find(node, "at"), *type = yaml_find(node, "type"),
                   *rule = yaml_find(node, "rule");
    int i;

    if (!profile_read_keys(r, node, "scale_from", keys))
        return false;
    if (!at || !type || !rule) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "scale_from needs 'at', 'type' and 'rule'");
        return false;
    }
    if (!profile_read_address(r, at, &pt->scale_from) ||
        !profile_read_type(r, type, &pt->scale_from, &pt->scale_type) ||
        !profile_fit_type(r, at, &pt->scale_from, pt->scale_type) ||
        !profile_read_word(r, rule, rules, &i))
        return false;
    if (pt->scale_type == TYPE_TEXT || (i != SCALE_FACTOR && type_is_float(pt->scale_type))) {
        yaml_error(r->y, r->d, type, E_CONFLICT, "an exponent of ten is an integer");
        return false;
    }
    pt->scale_rule = i;
    return true;
}

bool profile_read_scale(struct profile_reader *r, struct fy_node *node, double *ret_scale,
                        double *ret_offset, int *decimals)
{
    struct fy_node *scale = yaml_find(node, "scale"), *offset = yaml_find(node, "offset");
    bool is_ok = true;

    if (scale)
        is_ok = profile_read_exact(r, scale, ret_scale, decimals);
    if (is_ok && *ret_scale == 0) {
        yaml_error(r->y, r->d, scale, E_RANGE, "a scale of 0 makes every value 0");
        is_ok = false;
    }
    if (offset)
        is_ok = profile_read_exact(r, offset, ret_offset, decimals) && is_ok;
    return is_ok;
}

static bool read_scaling(struct profile_reader *r, struct fy_node *node,
                         struct profile_point *pt)
{
    struct fy_node *from = yaml_find(node, "scale_from");

    pt->scale = 1;
    bool is_ok = profile_read_scale(r, node, &pt->scale, &pt->offset, &pt->scale_decimals);
    return (!from || read_scale_from(r, from, pt)) && is_ok;
}

static bool refuse_unit(struct profile_reader *r, struct fy_node *node,
                        const struct profile_point *pt)
{
    yaml_error(r->y, r->d, node, E_UNIT,
               "unit '%s' does not fit the quantity '%s', which is in %s", pt->unit->code,
               pt->quantity->id, pt->quantity->unit);
    return false;
}

static bool read_unit(struct profile_reader *r, struct fy_node *node, struct profile_point *pt,
                      int64_t slot)
{
    struct fy_node *unit = yaml_find(node, "unit"), *from = yaml_find(node, "unit_from");

    pt->conversion = (struct unit_conversion){ 1, 0, true };
    if (unit && from) {
        yaml_error(r->y, r->d, from, E_CONFLICT, "'unit' and 'unit_from' exclude each other");
        return false;
    }
    if (pt->quantity && !unit && !from) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a point with a quantity needs 'unit' or 'unit_from'");
        return false;
    }
    if (from) {
        if (slot >= 0)
            profile_slot_address(r, slot, BLOCK_UNIT, &pt->unit_from.at);
        return profile_read_map(r, from, MAP_UNITS, pt->quantity, &pt->unit_from);
    }
    if (!unit)
        return true;
    if (!profile_read_unit(r, unit, pt->quantity, &pt->unit, &pt->conversion))
        return false;
    return pt->conversion.factor != 0 || refuse_unit(r, unit, pt);
}

static bool read_sim(struct profile_reader *r, struct fy_node *node, struct profile_point *pt)
{
    static const char *const keys[] = { "base", "swing", "noise", NULL };
    double *const to[] = { &pt->sim_base, &pt->sim_swing, &pt->sim_noise };
    bool is_ok = profile_read_keys(r, node, "sim", keys);

    for (size_t i = 0; i < 3; i++) {
        struct fy_node *x = yaml_find(node, keys[i]);
        if (!x || !profile_read_number(r, x, to[i]))
            is_ok = is_ok && !x;
        else if (i > 0 && *to[i] < 0) {
            yaml_error(r->y, r->d, x, E_RANGE, "'%s' cannot be negative", keys[i]);
            is_ok = false;
        }
    }
    if (is_ok && (pt->sim_base < pt->range_min || pt->sim_base > pt->range_max)) {
        yaml_error(r->y, r->d, yaml_find(node, "base"), E_RANGE,
                   "the simulated level lies outside the point's range [%g, %g]", pt->range_min,
                   pt->range_max);
        is_ok = false;
    }
    return is_ok;
}

static bool read_limits(struct profile_reader *r, struct fy_node *node,
                        struct profile_point *pt)
{
    struct fy_node *range = yaml_find(node, "range"), *sim = yaml_find(node, "sim");
    bool is_ok = true;

    pt->range_min = pt->range_max = (double)NAN;
    pt->sim_base = pt->sim_swing = pt->sim_noise = (double)NAN;
    if (range) {
        is_ok = profile_read_range(r, range, &pt->range_min, &pt->range_max);
    } else if (pt->quantity) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a point with a quantity needs 'range', in %s", pt->quantity->unit);
        is_ok = false;
    }
    return (!sim || read_sim(r, sim, pt)) && is_ok;
}

/* Codes that mean "no value" are read with each of its fields: they follow their types. */
static bool read_payload_point(struct profile_reader *r, struct fy_node *node,
                               struct profile_point *pt)
{
    if (!profile_read_keys(r, node, "a point of a payload", payload_point_keys) &&
        !fy_node_is_mapping(node))
        return false;
    pt->order = -1;
    bool is_ok = read_identity(r, node, pt);
    is_ok = read_scaling(r, node, pt) && is_ok;
    is_ok = read_unit(r, node, pt, -1) && is_ok;
    return read_limits(r, node, pt) && is_ok;
}

static bool read_point(struct profile_reader *r, struct fy_node *node, struct profile_point *pt)
{
    struct fy_node *quality = yaml_find(node, "quality");
    int64_t slot = -1;

    if (!profile_read_keys(r, node, "a point", point_keys) && !fy_node_is_mapping(node))
        return false;
    bool is_ok = read_identity(r, node, pt);
    if (!read_place(r, node, pt, &slot))
        return false;
    is_ok = read_scaling(r, node, pt) && is_ok;
    is_ok = read_unit(r, node, pt, slot) && is_ok;
    is_ok = profile_read_invalid_of(r, node, pt) && is_ok;
    is_ok = read_limits(r, node, pt) && is_ok;
    if (quality && slot >= 0)
        profile_slot_address(r, slot, BLOCK_QUALITY, &pt->quality.at);
    return (!quality || profile_read_map(r, quality, MAP_QUALITY, NULL, &pt->quality)) && is_ok;
}

static bool find_point(const struct profile *p, const char *id, size_t *ret)
{
    for (size_t i = 0; id && i < p->points_n; i++)
        if (p->points[i].id && !strcmp(p->points[i].id, id)) {
            *ret = i;
            return true;
        }
    return false;
}

static bool refuse_reference(struct profile_reader *r, struct fy_node *node)
{
    const char **words = arena_alloc(r->arena, (r->p->points_n + 1) * sizeof *words);
    const char *text = yaml_text(node);
    char shown[DIAG_SHOWN_BYTES];
    size_t n = 0;

    for (size_t i = 0; words && i < r->p->points_n; i++)
        if (r->p->points[i].id)
            words[n++] = r->p->points[i].id;
    const char *near = words && text ? nearest_word(text, words) : NULL;
    yaml_error(r->y, r->d, node, E_REFERENCE, "no point has the id %s%s%s%s",
               yaml_shown(node, shown), near ? ", did you mean '" : "", near ? near : "",
               near ? "'?" : "");
    return false;
}

bool profile_read_reference(struct profile_reader *r, struct fy_node *node, size_t *ret)
{
    return find_point(r->p, yaml_text(node), ret) || refuse_reference(r, node);
}

bool profile_read_concerned(struct profile_reader *r, struct fy_node *node, uint8_t *set,
                            bool *is_for_all)
{
    struct fy_node *item;
    void *state = NULL;
    size_t i;
    bool is_ok = true;

    *is_for_all = !node;
    if (!node)
        return true;
    if (!profile_read_list(r, node, PROFILE_POINTS_MAX))
        return false;
    while ((item = fy_node_sequence_iterate(node, &state))) {
        if (profile_read_reference(r, item, &i))
            set[i / 8] |= (uint8_t)(1u << i % 8);
        else
            is_ok = false;
    }
    return is_ok;
}

static bool read_list(struct profile_reader *r, struct fy_node *list, enum point_role role)
{
    struct profile *p = r->p;
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;
    size_t same;

    while ((node = fy_node_sequence_iterate(list, &state))) {
        struct profile_point *pt = &p->points[p->points_n];
        pt->role = role;
        r->nodes[p->points_n] = node;
        is_ok = (yaml_find(r->root, "payload") ? read_payload_point(r, node, pt)
                                               : read_point(r, node, pt)) &&
                is_ok;
        if (find_point(p, pt->id, &same)) {
            yaml_error(r->y, r->d, yaml_find(node, "id"), E_DUPLICATE_ID,
                       "the id '%s' stands twice, first in line %d", pt->id,
                       yaml_mark(r->y, r->nodes[same]).line);
            is_ok = false;
        }
        p->points_n++;
    }
    return is_ok;
}

static bool read_guards(struct profile_reader *r)
{
    bool is_ok = true;

    for (size_t i = 0; i < r->p->points_n; i++) {
        struct profile_point *pt = &r->p->points[i];
        struct fy_node *named = yaml_find(r->nodes[i], "points");
        if (named && pt->role != POINT_DIAGNOSTIC) {
            yaml_error(r->y, r->d, named, E_CONFLICT,
                       "'points' belongs to diagnostics and flags only");
            is_ok = false;
        }
        is_ok = profile_read_concerned(r, named, pt->concerns, &pt->is_for_all) && is_ok;
    }
    return is_ok;
}

bool profile_read_points(struct profile_reader *r, struct fy_node *const lists[3])
{
    size_t n = 0;
    bool is_ok = true;

    for (size_t i = 0; i < 3; i++) {
        if (lists[i] && !profile_read_list(r, lists[i], PROFILE_POINTS_MAX))
            return false;
        n += lists[i] ? (size_t)fy_node_sequence_item_count(lists[i]) : 0;
    }
    if (n > PROFILE_POINTS_MAX) {
        yaml_error(r->y, r->d, lists[0], E_RANGE, "%zu points, at most %d are allowed", n,
                   PROFILE_POINTS_MAX);
        return false;
    }
    r->p->points = arena_alloc(r->arena, (n + 1) * sizeof *r->p->points);
    r->nodes = arena_alloc(r->arena, (n + 1) * sizeof(struct fy_node *));
    if (!r->p->points || !r->nodes)
        return false;
    for (int i = 0; i < 3; i++)
        is_ok = (!lists[i] || read_list(r, lists[i], (enum point_role)i)) && is_ok;
    return read_guards(r) && is_ok;
}
