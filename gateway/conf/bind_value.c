/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/bind_job.h"

void *job_member(void *base, const struct field *f)
{
    return (char *)base + f->offset;
}

/* Room for one more in an array that doubles; NULL without memory. */
static void *grow(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    size_t more = *cap ? 2 * *cap : 64;
    void *p = realloc(items, more * size);
    if (p)
        *cap = more;
    return p;
}

void job_note_place(struct job *j, struct fy_node *node, const void *address, bool is_item)
{
    struct bind *b = j->b;
    struct place *more = grow(b->places, b->places_n, &b->places_cap, sizeof *more);

    if (!more) {
        j->has_failed = true;
        return;
    }
    b->places = more;
    struct field_mark mark = yaml_mark(j->yaml, node);
    mark.file = j->file;
    more[b->places_n++] = (struct place){ address, is_item, mark, yaml_width(node) };
}

static void note_ref(struct job *j, const char *const *slot, const char *path)
{
    struct ref *more = grow(j->refs, j->refs_n, &j->refs_cap, sizeof *more);

    if (!more) {
        j->has_failed = true;
        return;
    }
    j->refs = more;
    more[j->refs_n++] = (struct ref){ slot, path };
}

void *job_alloc(struct job *j, size_t n, size_t size)
{
    void *p = n && size > SIZE_MAX / n ? NULL : arena_alloc(j->in->arena, n * size);

    if (!p)
        j->has_failed = true;
    return p;
}

void job_bind_text(struct job *j, const struct field *f, const char *text, struct fy_node *node,
                   void *base)
{
    struct scalar_problem problem;
    int err = bind_scalar(f, text, j->in->arena, job_member(base, f), &problem);

    if (err == -ENOMEM) {
        j->has_failed = true;
        return;
    }
    if (!node) {
        assert(err != -EINVAL); /* a default that its own field refuses */
        return;
    }
    if (err)
        yaml_error(j->yaml, j->in->d, node, problem.code, "%s", problem.text);
    job_note_place(j, node, job_member(base, f), false);
    if (!err && f->type == FIELD_REF)
        note_ref(j, job_member(base, f), f->path);
}

static void bind_single(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    char shown[DIAG_SHOWN_BYTES], expected[SCALAR_TEXT_MAX];
    const char *text = yaml_text(node);

    if (f->flags & FIELD_SECRET)
        diag_hide(j->in->d, yaml_mark(j->yaml, node), yaml_width(node));
    if (text && !yaml_is_null(node)) {
        job_bind_text(j, f, text, node, base);
        return;
    }
    bind_expected(f, expected, sizeof expected);
    yaml_error(j->yaml, j->in->d, node, text ? E_VALUE : E_KIND, "expected %s for '%s', got %s",
               expected, f->name, yaml_shown(node, shown));
    job_note_place(j, node, job_member(base, f), false);
}

static bool expect_kind(struct job *j, const struct field *f, struct fy_node *node,
                        const char *what, bool is_right)
{
    char shown[DIAG_SHOWN_BYTES];

    if (!is_right)
        yaml_error(j->yaml, j->in->d, node, E_KIND, "expected %s for '%s', got %s", what,
                   f->name, yaml_shown(node, shown));
    return is_right;
}

/* One end of a range: a number, or null for "no limit". */
static bool range_end(struct job *j, const struct field *f, struct fy_node *node, double *ret)
{
    char shown[DIAG_SHOWN_BYTES];
    const char *text = yaml_text(node);

    if (text && yaml_is_null(node)) {
        *ret = NAN;
        return true;
    }
    if (text && value_parse_double(text, ret) == 0)
        return true;
    yaml_error(j->yaml, j->in->d, node, E_VALUE, "expected a number in '%s', got %s", f->name,
               yaml_shown(node, shown));
    return false;
}

static void bind_range(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    struct field_range r = { NAN, NAN };

    if (!expect_kind(j, f, node, "two numbers [min, max]",
                     fy_node_is_sequence(node) && fy_node_sequence_item_count(node) == 2))
        return;
    bool is_read = range_end(j, f, fy_node_sequence_get_by_index(node, 0), &r.min);
    is_read &= range_end(j, f, fy_node_sequence_get_by_index(node, 1), &r.max);
    if (!is_read)
        return;
    if (r.min >= r.max) {
        yaml_error(j->yaml, j->in->d, node, E_RANGE,
                   "the first number of '%s' must be below the second, got %g and %g", f->name,
                   r.min, r.max);
        return;
    }
    *(struct field_range *)job_member(base, f) = r;
    job_note_place(j, node, job_member(base, f), false);
}

/* One text of a FIELD_TEXTS, with the same checks as a FIELD_TEXT. */
static void bind_one_of_texts(struct job *j, const struct field *f, struct fy_node *node,
                              const char **slot)
{
    struct field one = *f;

    one.type = FIELD_TEXT;
    one.offset = 0;
    bind_single(j, &one, node, slot);
}

static void bind_texts(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    struct field_array *a = job_member(base, f);
    bool is_list = node && fy_node_is_sequence(node);
    size_t n = is_list ? (size_t)fy_node_sequence_item_count(node) : 1;
    void *prev = NULL;

    if (node && yaml_is_null(node))
        return;
    if (node &&
        !expect_kind(j, f, node, "a text or a list of texts", !fy_node_is_mapping(node)))
        return;
    const char **items = job_alloc(j, n, sizeof *items);
    if (!items)
        return;
    if (!node)
        items[0] = f->dflt; /* constant data of the table */
    else if (!is_list)
        bind_one_of_texts(j, f, node, items);
    for (size_t i = 0; is_list && i < n; i++)
        bind_one_of_texts(j, f, fy_node_sequence_iterate(node, &prev), &items[i]);
    *a = (struct field_array){ items, n };
    if (node)
        job_note_place(j, node, a, false);
}

const struct field *job_id_field(const struct field *fields)
{
    for (; fields->name; fields++) {
        if (strcmp(fields->name, "id") == 0)
            return fields;
    }
    return NULL;
}

static void bind_item(struct job *j, const struct field *f, struct fy_node *node, void *item)
{
    job_note_place(j, node, item, true);
    if (fy_node_is_mapping(node) || (f->type == FIELD_MAP && yaml_is_null(node)))
        job_bind_fields(j, f->fields, f->type == FIELD_MAP ? job_id_field(f->fields) : NULL,
                        node, item);
    else
        expect_kind(j, f, node, "a mapping (key: value)", false);
}

/* The items of one node into `items`; returns how many. */
size_t job_bind_items(struct job *j, const struct field *f, struct fy_node *node, char *items)
{
    void *prev = NULL;
    size_t n = 0;
    struct fy_node *item;
    struct fy_node_pair *pair;

    if (f->type == FIELD_LIST) {
        for (; (item = fy_node_sequence_iterate(node, &prev)); n++)
            bind_item(j, f, item, items + n * f->size);
        return n;
    }
    for (; (pair = fy_node_mapping_iterate(node, &prev)); n++) {
        const struct field *id = job_id_field(f->fields);
        assert(id);
        bind_single(j, id, fy_node_pair_key(pair), items + n * f->size);
        bind_item(j, f, fy_node_pair_value(pair), items + n * f->size);
    }
    return n;
}

bool job_is_list(const struct field *f, struct fy_node *node)
{
    return f->type == FIELD_LIST ? fy_node_is_sequence(node) : fy_node_is_mapping(node);
}

/* Number of items a node brings to a list; 0 after an error. */
size_t job_count_items(struct job *j, const struct field *f, struct fy_node *node)
{
    bool is_list = f->type == FIELD_LIST;
    int n = 0;

    if (yaml_is_null(node))
        return 0;
    if (is_list) {
        if (expect_kind(j, f, node, "a list ('- ' before each item)",
                        fy_node_is_sequence(node)))
            n = fy_node_sequence_item_count(node);
    } else if (expect_kind(j, f, node, "a mapping (key: value)", fy_node_is_mapping(node))) {
        n = fy_node_mapping_item_count(node);
    }
    return n > 0 ? (size_t)n : 0;
}

void job_finish_list(struct job *j, const struct field *f, struct fy_node *node,
                     const struct field_array *a)
{
    bool is_checked = f->min != 0 || f->max != 0;

    if (node && is_checked && ((double)a->n < f->min || (double)a->n > f->max))
        yaml_error(j->yaml, j->in->d, node, E_RANGE, "'%s' takes %g to %g items, got %zu",
                   f->name, f->min, f->max, a->n);
}

static void bind_list(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    struct field_array *a = job_member(base, f);
    size_t n = job_count_items(j, f, node);

    job_note_place(j, node, a, false);
    if (n == 0)
        return;
    char *items = job_alloc(j, n, f->size);
    if (!items)
        return;
    *a = (struct field_array){ items, job_bind_items(j, f, node, items) };
    job_finish_list(j, f, node, a);
}

static void bind_group(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    if (node && !yaml_is_null(node) &&
        !expect_kind(j, f, node, "a mapping (key: value)", fy_node_is_mapping(node)))
        return;
    if (node)
        job_note_place(j, node, job_member(base, f), true);
    job_bind_fields(j, f->fields, NULL, node, job_member(base, f));
}

void job_bind_absent(struct job *j, const struct field *f, void *base)
{
    if (f->type == FIELD_GROUP)
        bind_group(j, f, NULL, base);
    else if (f->type == FIELD_RANGE)
        *(struct field_range *)job_member(base, f) = (struct field_range){ NAN, NAN };
    else if (f->type == FIELD_TEXTS && f->dflt)
        bind_texts(j, f, NULL, base);
    else if (f->dflt)
        job_bind_text(j, f, f->dflt, NULL, base);
    else if (f->type == FIELD_DOUBLE)
        *(double *)job_member(base, f) = NAN;
}

void job_bind_present(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    job_bind_absent(j, f, base); /* what stays after an error */
    switch (f->type) {
    case FIELD_GROUP:
        bind_group(j, f, node, base);
        break;
    case FIELD_LIST:
    case FIELD_MAP:
        bind_list(j, f, node, base);
        break;
    case FIELD_RANGE:
        bind_range(j, f, node, base);
        break;
    case FIELD_TEXTS:
        bind_texts(j, f, node, base);
        break;
    case FIELD_VARIANT:
        break; /* bound with the mapping it stands in */
    default:
        bind_single(j, f, node, base);
    }
}
