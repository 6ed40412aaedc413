/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/bind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/bind_job.h"

size_t field_count(const struct field *fields)
{
    size_t n = 0;

    while (fields[n].name)
        n++;
    return n;
}
static void enter(struct job *j, const struct yaml *y)
{
    const char *name = yaml_mark(y, NULL).file;

    if (!j->file || strcmp(j->file, name) != 0)
        j->file = arena_text(j->in->arena, name, strlen(name));
    if (!j->file)
        j->has_failed = true;
    j->yaml = y;
}

/* A list at the root: the items of all files, one after another. */
static void bind_root_list(struct job *j, const struct field *f, void *base)
{
    const struct bind_input *in = j->in;
    struct field_array *a = job_member(base, f);
    struct fy_node *last = NULL;
    size_t n = 0, done = 0;

    for (size_t i = 0; i < in->n; i++) {
        struct fy_node *node = yaml_find(yaml_root(in->files[i]), f->name);
        enter(j, in->files[i]);
        n += node ? job_count_items(j, f, node) : 0;
        if (node && !job_is_list(f, node) && !yaml_is_null(node) && j->broken_n < LISTS_MAX)
            j->broken[j->broken_n++] = f;
    }
    char *items = n ? job_alloc(j, n, f->size) : NULL;
    for (size_t i = 0; items && i < in->n; i++) {
        struct fy_node *node = yaml_find(yaml_root(in->files[i]), f->name);
        if (!node || !job_is_list(f, node))
            continue;
        enter(j, in->files[i]);
        done += job_bind_items(j, f, node, items + done * f->size);
        last = node;
    }
    *a = (struct field_array){ items, done };
    if (last)
        job_finish_list(j, f, last, a);
}

/* Anything else at the root: one file may have it. */
static void bind_root_single(struct job *j, const struct field *f, void *base)
{
    const struct bind_input *in = j->in;
    struct field_mark first = { 0 };
    struct fy_node *map = NULL;
    const struct yaml *where = in->files[0];

    for (size_t i = 0; i < in->n; i++) {
        struct fy_node *root = yaml_root(in->files[i]), *node = yaml_find(root, f->name);
        if (!node)
            continue;
        if (!map) {
            first = yaml_mark(in->files[i], node);
            map = root;
            where = in->files[i];
            continue;
        }
        yaml_error(in->files[i], in->d, node, E_CONFLICT,
                   "'%s' may stand in one file only, it stands in %s:%d too", f->name,
                   first.file, first.line);
    }
    enter(j, where);
    if (map)
        job_bind_field(j, f, map, base);
    else
        job_bind_absent(j, f, base);
    if (!map && (f->flags & FIELD_REQUIRED) && !j->is_partial)
        diag_error(in->d, (struct field_mark){ .file = j->file }, 0, E_MISSING_KEY,
                   "key '%s' is missing", f->name);
}

/* One file's texts of `more` behind those of `all`. */
static void append_texts(struct job *j, struct field_array *all, const struct field_array *more)
{
    const char **items = job_alloc(j, all->n + more->n, sizeof *items);

    if (!items)
        return;
    if (all->n)
        memcpy(items, all->items, all->n * sizeof *items);
    if (more->n)
        memcpy(items + all->n, more->items, more->n * sizeof *items);
    *all = (struct field_array){ items, all->n + more->n };
}

/* Texts at the root: those of all files, one after another. */
static void bind_root_texts(struct job *j, const struct field *f, void *base)
{
    const struct bind_input *in = j->in;
    struct field_array all = { 0 }, *a = job_member(base, f);
    bool is_given = false;

    for (size_t i = 0; i < in->n; i++) {
        struct fy_node *root = yaml_root(in->files[i]);
        if (!yaml_find(root, f->name))
            continue;
        enter(j, in->files[i]);
        job_bind_field(j, f, root, base);
        append_texts(j, &all, a);
        is_given = true;
    }
    if (is_given)
        *a = all;
    else
        job_bind_absent(j, f, base);
}

static void bind_root(struct job *j, void *out)
{
    for (size_t i = 0; i < j->in->n; i++) {
        struct fy_node *root = yaml_root(j->in->files[i]);
        enter(j, j->in->files[i]);
        if (!root || yaml_is_null(root))
            continue;
        if (fy_node_is_mapping(root)) {
            job_check_root_keys(j, root);
            continue;
        }
        j->is_partial = true;
        yaml_error(j->yaml, j->in->d, root, E_KIND,
                   "expected a mapping (key: value) at the top of the file");
    }
    for (const struct field *f = j->in->fields; f->name; f++) {
        j->list = f->name;
        if (f->type == FIELD_LIST || f->type == FIELD_MAP)
            bind_root_list(j, f, out);
        else if (f->type == FIELD_TEXTS)
            bind_root_texts(j, f, out);
        else
            bind_root_single(j, f, out);
    }
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->address != y->address)
        return (const char *)x->address < (const char *)y->address ? -1 : 1;
    return (int)x->is_item - (int)y->is_item;
}

static void sort_places(struct bind *b)
{
    if (b->places_n)
        qsort(b->places, b->places_n, sizeof *b->places, compare_places);
}

static const struct place *place_find(const struct bind *b, const void *address, bool is_item)
{
    struct place key = { .address = address, .is_item = is_item };

    return b->places_n ? bsearch(&key, b->places, b->places_n, sizeof key, compare_places)
                       : NULL;
}

/* Two places of one text, the earlier one first. */
struct unique {
    const char *text;
    const char *const *slot;
};

static int compare_unique(const void *a, const void *b)
{
    const struct unique *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order ? order : (x->slot > y->slot) - (x->slot < y->slot);
}

static void report_twice(struct job *j, const struct field *f, const struct field *id,
                         const struct unique *first, const struct unique *again)
{
    const struct place *p = place_find(j->b, first->slot, false);
    const struct place *q = place_find(j->b, again->slot, false);
    char shown[DIAG_SHOWN_BYTES];

    if (!p || !q)
        return;
    utf8_shown(again->text, DIAG_SHOWN_MAX, shown, sizeof shown);
    diag_error(j->in->d, q->mark, q->width, E_DUPLICATE_ID,
               "%s '%s' is used twice in '%s', first in %s:%d", id->name, shown, f->name,
               p->mark.file, p->mark.line);
}

static void check_unique(struct job *j, const struct field *f, const struct field *id,
                         const struct field_array *a)
{
    struct unique *all = calloc(a->n + 1, sizeof *all);
    size_t n = 0;

    if (!all) {
        j->has_failed = true;
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        const char *const *slot = job_member((char *)a->items + i * f->size, id);
        if (*slot)
            all[n++] = (struct unique){ *slot, slot };
    }
    qsort(all, n, sizeof *all, compare_unique);
    size_t first = 0;
    for (size_t i = 1; i < n; i++) {
        if (strcmp(all[i].text, all[first].text) == 0)
            report_twice(j, f, id, &all[first], &all[i]);
        else
            first = i;
    }
    free(all);
}

/* Of the lists at the root alone: keys of a mapping stand once anyway. */
static void check_unique_fields(struct job *j, const struct field *f, void *out)
{
    for (const struct field *i = f->fields; i->name; i++) {
        bool is_text = i->type == FIELD_ID || i->type == FIELD_TEXT;
        if (is_text && (i->flags & FIELD_UNIQUE))
            check_unique(j, f, i, job_member(out, f));
    }
}

static void report_dangling(struct job *j, const struct ref *ref, const char **ids)
{
    const struct place *p = place_find(j->b, ref->slot, false);
    const char *near = nearest_word(*ref->slot, ids);
    char shown[DIAG_SHOWN_BYTES], all[SCALAR_TEXT_MAX];

    if (!p)
        return;
    utf8_shown(*ref->slot, DIAG_SHOWN_MAX, shown, sizeof shown);
    if (near)
        diag_error(j->in->d, p->mark, p->width, E_REFERENCE,
                   "nothing in '%s' is called '%s', did you mean '%s'?", ref->path, shown,
                   near);
    else if (ids[0])
        diag_error(j->in->d, p->mark, p->width, E_REFERENCE,
                   "nothing in '%s' is called '%s', there is only %s", ref->path, shown,
                   bind_join(ids, all, sizeof all));
    else
        diag_error(j->in->d, p->mark, p->width, E_REFERENCE,
                   "nothing in '%s' is called '%s', it is empty", ref->path, shown);
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The ids of a list, sorted, closed by NULL; free() it. */
static const char **list_ids(const struct field *f, void *base, size_t *ret_n)
{
    const struct field_array *a = job_member(base, f);
    const struct field *id = job_id_field(f->fields);
    const char **ids = calloc(a->n + 1, sizeof *ids);
    size_t n = 0;

    for (size_t i = 0; ids && id && i < a->n; i++) {
        const char *text = *(const char *const *)job_member((char *)a->items + i * f->size, id);
        if (text)
            ids[n++] = text;
    }
    if (!ids)
        return NULL;
    qsort(ids, n, sizeof *ids, compare_words);
    size_t different = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(ids[i], ids[different - 1]) != 0)
            ids[different++] = ids[i];
    }
    ids[different] = NULL;
    *ret_n = different;
    return ids;
}

static void check_refs_to(struct job *j, const struct field *f, void *out)
{
    size_t n;
    const char **ids = list_ids(f, out, &n);

    if (!ids) {
        j->has_failed = true;
        return;
    }
    for (size_t i = 0; i < j->refs_n; i++) {
        const struct ref *ref = &j->refs[i];
        if (*ref->slot && strcmp(ref->path, f->name) == 0 &&
            !bsearch(ref->slot, ids, n, sizeof *ids, compare_words))
            report_dangling(j, ref, ids);
    }
    free(ids);
}

/* Whether all ids of a list are known. */
static bool is_complete(const struct job *j, const struct field *f)
{
    for (size_t i = 0; i < j->broken_n; i++) {
        if (j->broken[i] == f)
            return false;
    }
    return !j->is_partial;
}

int bind_create(const struct bind_input *in, void *out, struct bind **ret)
{
    struct bind *b = calloc(1, sizeof *b);
    struct job j = { .in = in, .b = b, .is_partial = in->is_partial };

    if (!b)
        return -ENOMEM;
    bind_root(&j, out);
    sort_places(b);
    for (const struct field *f = in->fields; f->name; f++) {
        if (f->type != FIELD_LIST && f->type != FIELD_MAP)
            continue;
        check_unique_fields(&j, f, out);
        if (is_complete(&j, f))
            check_refs_to(&j, f, out);
    }
    free(j.refs);
    if (j.has_failed) {
        bind_destroy(b);
        return -ENOMEM;
    }
    *ret = b;
    return 0;
}

void bind_destroy(struct bind *b)
{
    if (!b)
        return;
    free(b->places);
    free(b);
}

void bind_move(struct bind *b, const void *from, size_t size, const void *to)
{
    const char *begin = from;

    for (size_t i = 0; i < b->places_n; i++) {
        const char *at = b->places[i].address;
        if (at >= begin && at < begin + size)
            b->places[i].address = (const char *)to + (at - begin);
    }
    sort_places(b);
}

int bind_note_items(struct bind *b, const void *items, size_t size, size_t n,
                    const struct field_mark *marks)
{
    const size_t cap = b->places_n + n;
    struct place *more = n ? realloc(b->places, cap * sizeof *more) : b->places;

    if (n && !more)
        return -ENOMEM;
    b->places = more;
    b->places_cap = cap;
    for (size_t i = 0; i < n; i++)
        more[b->places_n++] =
            (struct place){ (const char *)items + i * size, true, marks[i], 1 };
    sort_places(b);
    return 0;
}

struct field_mark bind_mark(const struct bind *b, const void *address)
{
    const struct place *p = place_find(b, address, false);

    return p ? p->mark : (struct field_mark){ 0 };
}

int bind_width(const struct bind *b, const void *address)
{
    const struct place *p = place_find(b, address, false);

    return p ? p->width : 1;
}

struct field_mark bind_item_mark(const struct bind *b, const void *item)
{
    const struct place *p = place_find(b, item, true);

    return p ? p->mark : (struct field_mark){ 0 };
}
