/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other layouts of the same model: each is read as a whole profile, its keys in place of the
 * base's. Data must not depend on which one a device is: the points are the same.
 */
#include <string.h>

#include "gateway/conf/profile_read.h"

enum { VARIANTS_MAX = 8 }; /* of one model; the largest known has 3 */

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* What makes the two points different channels; NULL when nothing does. */
static const char *difference(const struct profile_point *a, const struct profile_point *b)
{
    if (!is_same_text(a->id, b->id))
        return "id";
    if (a->role != b->role)
        return "list";
    if (a->quantity != b->quantity)
        return "quantity";
    if (!is_same_text(a->stat, b->stat))
        return "stat";
    /* With a quantity values come in its unit, whatever the instrument writes. */
    return a->quantity || a->unit == b->unit ? NULL : "unit";
}

static bool check_points(struct profile_reader *v, const struct profile *base)
{
    const struct profile *p = v->p;
    size_t n = p->points_n < base->points_n ? p->points_n : base->points_n;

    for (size_t i = 0; i < n; i++) {
        const char *what = difference(&p->points[i], &base->points[i]);
        if (!what)
            continue;
        yaml_error(v->y, v->d, v->nodes[i], E_CONFLICT,
                   "a variant has the same points in the same order: the %s of '%s' is another "
                   "one than that of '%s' of the profile",
                   what, p->points[i].id, base->points[i].id);
        return false;
    }
    if (p->points_n == base->points_n)
        return true;
    yaml_error(v->y, v->d, v->variant, E_CONFLICT,
               "a variant has the same points in the same order: %zu here, %zu in the profile",
               p->points_n, base->points_n);
    return false;
}

static bool read_when(struct profile_reader *r, struct fy_node *node, struct profile *p)
{
    struct fy_node *when = yaml_find(node, "when");

    if (!when || (fy_node_is_sequence(when) && fy_node_sequence_is_empty(when))) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a variant needs 'when': the tests that tell it from the others");
        return false;
    }
    return profile_read_tests(r, when, &p->when, &p->when_n);
}

static bool read_name(struct profile_reader *r, struct fy_node *node, struct profile *p)
{
    struct fy_node *id = yaml_find(node, "id");

    if (!id) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a variant needs 'id'");
        return false;
    }
    if (!profile_read_id(r, id, true, &p->variant))
        return false;
    for (size_t i = 0; i < r->p->variants_n; i++)
        if (is_same_text(r->p->variants[i]->variant, p->variant)) {
            yaml_error(r->y, r->d, id, E_DUPLICATE_ID, "the variant '%s' stands twice",
                       p->variant);
            return false;
        }
    return true;
}

static bool read_variant(struct profile_reader *r, struct fy_node *node, struct profile *p)
{
    struct profile_reader v = {
        .y = r->y, .d = r->d, .arena = r->arena, .p = p, .root = r->root, .variant = node
    };

    if (!profile_check_keys(&v) || !profile_read_whole(&v))
        return false;
    /* Tests are asked before the layout is known: their addresses are the base's. */
    p->identify = r->p->identify;
    p->identify_n = r->p->identify_n;
    return read_name(r, node, p) && read_when(r, node, p) && check_points(&v, r->p);
}

bool profile_read_variants(struct profile_reader *r, struct fy_node *list)
{
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;

    if (!profile_read_list(r, list, VARIANTS_MAX))
        return false;
    struct profile **variants = arena_alloc(r->arena, VARIANTS_MAX * sizeof *variants);
    if (!variants)
        return false;
    r->p->variants = variants;
    while ((node = fy_node_sequence_iterate(list, &state))) {
        struct profile *p = arena_alloc(r->arena, sizeof *p);
        if (!p)
            return false;
        is_ok = read_variant(r, node, p) && is_ok;
        variants[r->p->variants_n++] = p;
    }
    return is_ok;
}
