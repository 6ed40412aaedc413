/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/bind.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/bind_scalar.h"

enum { LISTS_MAX = 16 }; /* at the root; five exist */

struct place {
    const void *address;
    bool is_item; /* a list item or group, not its first member */
    struct field_mark mark;
    int width;
};

struct ref { /* a FIELD_REF to be looked up when all lists are there */
    const char *const *slot;
    const char *path;
};

struct bind {
    struct place *places;
    size_t places_n, places_cap;
};

/* State of one bind_create(). */
struct job {
    const struct bind_input *in;
    struct bind *b;
    const struct yaml *yaml; /* of the value being bound */
    const char *file;        /* its name, owned by the arena */
    const char *list;        /* name of the root field being bound */
    struct ref *refs;
    size_t refs_n, refs_cap;
    const struct field
        *broken[LISTS_MAX]; /* lists that are none: nothing is known of their ids */
    size_t broken_n;
    bool is_partial; /* as in bind_input, or a file is no mapping */
    bool has_failed; /* no memory */
};

size_t field_count(const struct field *fields)
{
    size_t n = 0;

    while (fields[n].name)
        n++;
    return n;
}

static void *member(void *base, const struct field *f)
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

static void note_place(struct job *j, struct fy_node *node, const void *address, bool is_item)
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

static void *alloc(struct job *j, size_t n, size_t size)
{
    void *p = n && size > SIZE_MAX / n ? NULL : arena_alloc(j->in->arena, n * size);

    if (!p)
        j->has_failed = true;
    return p;
}

static void bind_fields(struct job *j, const struct field *fields, const struct field *key,
                        struct fy_node *map, void *base);

/* A single value; the text of the file or of a default. */
static void bind_text(struct job *j, const struct field *f, const char *text,
                      struct fy_node *node, void *base)
{
    struct scalar_problem problem;
    int err = bind_scalar(f, text, j->in->arena, member(base, f), &problem);

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
    note_place(j, node, member(base, f), false);
    if (!err && f->type == FIELD_REF)
        note_ref(j, member(base, f), f->path);
}

static void bind_single(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    char shown[DIAG_SHOWN_BYTES], expected[SCALAR_TEXT_MAX];
    const char *text = yaml_text(node);

    if (f->flags & FIELD_SECRET)
        diag_hide(j->in->d, yaml_mark(j->yaml, node), yaml_width(node));
    if (text && !yaml_is_null(node)) {
        bind_text(j, f, text, node, base);
        return;
    }
    bind_expected(f, expected, sizeof expected);
    yaml_error(j->yaml, j->in->d, node, text ? E_VALUE : E_KIND, "expected %s for '%s', got %s",
               expected, f->name, yaml_shown(node, shown));
    note_place(j, node, member(base, f), false);
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
    *(struct field_range *)member(base, f) = r;
    note_place(j, node, member(base, f), false);
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
    struct field_array *a = member(base, f);
    bool is_list = node && fy_node_is_sequence(node);
    size_t n = is_list ? (size_t)fy_node_sequence_item_count(node) : 1;
    void *prev = NULL;

    if (node && yaml_is_null(node))
        return;
    if (node &&
        !expect_kind(j, f, node, "a text or a list of texts", !fy_node_is_mapping(node)))
        return;
    const char **items = alloc(j, n, sizeof *items);
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
        note_place(j, node, a, false);
}

static const struct field *id_field(const struct field *fields)
{
    for (; fields->name; fields++) {
        if (strcmp(fields->name, "id") == 0)
            return fields;
    }
    return NULL;
}

static void bind_item(struct job *j, const struct field *f, struct fy_node *node, void *item)
{
    note_place(j, node, item, true);
    if (fy_node_is_mapping(node) || (f->type == FIELD_MAP && yaml_is_null(node)))
        bind_fields(j, f->fields, f->type == FIELD_MAP ? id_field(f->fields) : NULL, node,
                    item);
    else
        expect_kind(j, f, node, "a mapping (key: value)", false);
}

/* The items of one node into `items`; returns how many. */
static size_t bind_items(struct job *j, const struct field *f, struct fy_node *node,
                         char *items)
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
        const struct field *id = id_field(f->fields);
        assert(id);
        bind_single(j, id, fy_node_pair_key(pair), items + n * f->size);
        bind_item(j, f, fy_node_pair_value(pair), items + n * f->size);
    }
    return n;
}

static bool is_list_node(const struct field *f, struct fy_node *node)
{
    return f->type == FIELD_LIST ? fy_node_is_sequence(node) : fy_node_is_mapping(node);
}

/* Number of items a node brings to a list; 0 after an error. */
static size_t count_items(struct job *j, const struct field *f, struct fy_node *node)
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

static void finish_list(struct job *j, const struct field *f, struct fy_node *node,
                        const struct field_array *a)
{
    bool is_checked = f->min != 0 || f->max != 0;

    if (node && is_checked && ((double)a->n < f->min || (double)a->n > f->max))
        yaml_error(j->yaml, j->in->d, node, E_RANGE, "'%s' takes %g to %g items, got %zu",
                   f->name, f->min, f->max, a->n);
}

static void bind_list(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    struct field_array *a = member(base, f);
    size_t n = count_items(j, f, node);

    note_place(j, node, a, false);
    if (n == 0)
        return;
    char *items = alloc(j, n, f->size);
    if (!items)
        return;
    *a = (struct field_array){ items, bind_items(j, f, node, items) };
    finish_list(j, f, node, a);
}

static void bind_group(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    if (node && !yaml_is_null(node) &&
        !expect_kind(j, f, node, "a mapping (key: value)", fy_node_is_mapping(node)))
        return;
    if (node)
        note_place(j, node, member(base, f), true);
    bind_fields(j, f->fields, NULL, node, member(base, f));
}

/* A field that is not there: its default. */
static void bind_absent(struct job *j, const struct field *f, void *base)
{
    if (f->type == FIELD_GROUP)
        bind_group(j, f, NULL, base);
    else if (f->type == FIELD_RANGE)
        *(struct field_range *)member(base, f) = (struct field_range){ NAN, NAN };
    else if (f->type == FIELD_TEXTS && f->dflt)
        bind_texts(j, f, NULL, base);
    else if (f->dflt)
        bind_text(j, f, f->dflt, NULL, base);
    else if (f->type == FIELD_DOUBLE)
        *(double *)member(base, f) = NAN;
}

static void bind_present(struct job *j, const struct field *f, struct fy_node *node, void *base)
{
    bind_absent(j, f, base); /* what stays after an error */
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

/* "password_file" beside a secret "password". */
static bool is_file_of(const struct field *f, const char *key)
{
    size_t n = strlen(f->name);

    return (f->flags & FIELD_SECRET) && strncmp(key, f->name, n) == 0 &&
           strcmp(key + n, "_file") == 0;
}

static struct fy_node *find_secret_file(struct fy_node *map, const struct field *f)
{
    char key[80];
    int n = snprintf(key, sizeof key, "%s_file", f->name);

    return n > 0 && (size_t)n < sizeof key ? yaml_find(map, key) : NULL;
}

static void bind_secret_file(struct job *j, const struct field *f, struct fy_node *node,
                             void *base)
{
    struct scalar_problem problem;
    const char *path = yaml_text(node);
    bool is_warning = false;
    char *text = NULL;

    if (!path || yaml_is_null(node)) {
        yaml_error(j->yaml, j->in->d, node, E_KIND, "expected the path of a file for '%s_file'",
                   f->name);
        return;
    }
    int err = bind_read_secret(j->file, path, j->in->arena, &text, &is_warning, &problem);
    if (err == -ENOMEM)
        j->has_failed = true;
    else if (err)
        yaml_error(j->yaml, j->in->d, node, problem.code, "%s", problem.text);
    else if (is_warning)
        yaml_warning(j->yaml, j->in->d, node, problem.code, "%s", problem.text);
    if (!err)
        bind_text(j, f, text, node, base);
}

/* One field of a mapping, present or not. */
static void bind_field(struct job *j, const struct field *f, struct fy_node *map, void *base)
{
    struct fy_node *node = yaml_find(map, f->name);
    struct fy_node *file = f->flags & FIELD_SECRET ? find_secret_file(map, f) : NULL;

    if (node)
        bind_present(j, f, node, base);
    else
        bind_absent(j, f, base);
    if (file && node)
        yaml_error(j->yaml, j->in->d, file, E_CONFLICT, "'%s' and '%s_file' exclude each other",
                   f->name, f->name);
    else if (file)
        bind_secret_file(j, f, file, base);
    /* a mapping that is not there asks for nothing */
    if (!node && !file && (f->flags & FIELD_REQUIRED) && map)
        yaml_error(j->yaml, j->in->d, map, E_MISSING_KEY, "key '%s' is missing here", f->name);
}

/* The tables that apply to one mapping: its own, and those of the chosen kind. */
struct scope {
    const struct field *own, *more; /* more: NULL without a variant */
    const struct field *key;        /* of `own`: given before the mapping, not in it */
    bool is_open;                   /* the kind is not known: neither are its keys */
};

static const struct field *field_named(const struct scope *s, const char *key)
{
    for (const struct field *f = s->own; f->name; f++) {
        if (f != s->key && (strcmp(f->name, key) == 0 || is_file_of(f, key)))
            return f;
    }
    for (const struct field *f = s->more; f && f->name; f++) {
        if (strcmp(f->name, key) == 0 || is_file_of(f, key))
            return f;
    }
    return NULL;
}

enum { KEYS_MAX = 128 }; /* keys offered as suggestions; the largest table has 30 */

static size_t add_keys(const struct field *f, const struct field *not_this, char (*files)[80],
                       const char **words, size_t n)
{
    for (; f && f->name && n + 2 < KEYS_MAX; f++) {
        if (f == not_this)
            continue;
        words[n++] = f->name;
        if (!(f->flags & FIELD_SECRET))
            continue;
        snprintf(files[n], sizeof files[n], "%.70s_file", f->name);
        words[n] = files[n];
        n++;
    }
    return n;
}

static void report_unknown(struct job *j, const struct scope *s, struct fy_node_pair *pair)
{
    struct fy_node *key = fy_node_pair_key(pair);
    char files[KEYS_MAX][80], shown[DIAG_SHOWN_BYTES], all[SCALAR_TEXT_MAX];
    const char *words[KEYS_MAX];
    size_t n = add_keys(s->own, s->key, files, words, 0);

    n = add_keys(s->more, NULL, files, words, n);

    words[n] = NULL;
    const char *near = nearest_word(yaml_text(key), words);
    const struct field *meant = near ? field_named(s, near) : NULL;
    if (meant && (meant->flags & FIELD_SECRET) && yaml_text(fy_node_pair_value(pair)))
        diag_hide(j->in->d, yaml_mark(j->yaml, fy_node_pair_value(pair)),
                  yaml_width(fy_node_pair_value(pair)));
    utf8_shown(yaml_text(key), DIAG_SHOWN_MAX, shown, sizeof shown);
    if (near)
        yaml_error(j->yaml, j->in->d, key, E_UNKNOWN_KEY,
                   "unknown key '%s', did you mean '%s'?", shown, near);
    else
        yaml_error(j->yaml, j->in->d, key, E_UNKNOWN_KEY, "unknown key '%s', known here: %s",
                   shown, bind_join(words, all, sizeof all));
}

static void check_keys(struct job *j, const struct scope *s, struct fy_node *map)
{
    void *prev = NULL;
    struct fy_node_pair *pair;

    if (s->is_open || !map || !fy_node_is_mapping(map))
        return;
    while ((pair = fy_node_mapping_iterate(map, &prev))) {
        if (!field_named(s, yaml_text(fy_node_pair_key(pair))))
            report_unknown(j, s, pair);
    }
}

static const struct field_kind *kinds_of(const struct job *j, const struct field *f)
{
    if (f->kinds)
        return f->kinds;
    for (const struct bind_kinds *k = j->in->kinds; k && k->list; k++) {
        if (j->list && strcmp(k->list, j->list) == 0)
            return k->kinds;
    }
    return NULL;
}

static void report_kind(struct job *j, const struct field *f, struct fy_node *node,
                        const struct field_kind *kinds)
{
    const char *words[KEYS_MAX];
    char shown[DIAG_SHOWN_BYTES], all[SCALAR_TEXT_MAX];
    size_t n = 0;

    for (; kinds && kinds->name && n + 1 < KEYS_MAX; kinds++)
        words[n++] = kinds->name;
    words[n] = NULL;
    const char *near = yaml_text(node) ? nearest_word(yaml_text(node), words) : NULL;
    yaml_shown(node, shown);
    if (near)
        yaml_error(j->yaml, j->in->d, node, E_WORD,
                   "expected one of %s for '%s', got %s, did you mean '%s'?",
                   bind_join(words, all, sizeof all), f->name, shown, near);
    else
        yaml_error(j->yaml, j->in->d, node, E_WORD, "expected one of %s for '%s', got %s",
                   bind_join(words, all, sizeof all), f->name, shown);
}

/* Which kind the mapping names; its options struct is made, and the scope widened. */
static void choose_kind(struct job *j, const struct field *f, struct fy_node *map, void *base,
                        struct scope *s)
{
    struct field_variant *v = member(base, f);
    struct fy_node *node = yaml_find(map, f->name);
    const char *text = yaml_text(node);
    const struct field_kind *kinds = kinds_of(j, f);

    s->is_open = true;
    if (!node) {
        if (map && (f->flags & FIELD_REQUIRED))
            yaml_error(j->yaml, j->in->d, map, E_MISSING_KEY, "key '%s' is missing here",
                       f->name);
        return;
    }
    note_place(j, node, v, false);
    for (const struct field_kind *k = kinds; text && k && k->name; k++) {
        if (strcmp(k->name, text) != 0)
            continue;
        v->options = alloc(j, 1, k->size ? k->size : 1);
        if (!v->options)
            return;
        v->kind = k;
        s->more = k->fields;
        s->is_open = false;
        return;
    }
    report_kind(j, f, node, kinds);
}

/* A mapping and its table; `key` is the field that the key before the mapping gave. */
static void bind_fields(struct job *j, const struct field *fields, const struct field *key,
                        struct fy_node *map, void *base)
{
    struct scope s = { .own = fields, .key = key };
    void *options = NULL;

    for (const struct field *f = fields; f->name; f++) {
        if (f->type != FIELD_VARIANT)
            continue;
        choose_kind(j, f, map, base, &s);
        options = ((struct field_variant *)member(base, f))->options;
    }
    check_keys(j, &s, map);
    for (const struct field *f = fields; f->name; f++) {
        if (f->type != FIELD_VARIANT && f != key)
            bind_field(j, f, map, base);
    }
    for (const struct field *f = s.more; f && f->name; f++)
        bind_field(j, f, map, options);
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
    struct field_array *a = member(base, f);
    struct fy_node *last = NULL;
    size_t n = 0, done = 0;

    for (size_t i = 0; i < in->n; i++) {
        struct fy_node *node = yaml_find(yaml_root(in->files[i]), f->name);
        enter(j, in->files[i]);
        n += node ? count_items(j, f, node) : 0;
        if (node && !is_list_node(f, node) && !yaml_is_null(node) && j->broken_n < LISTS_MAX)
            j->broken[j->broken_n++] = f;
    }
    char *items = n ? alloc(j, n, f->size) : NULL;
    for (size_t i = 0; items && i < in->n; i++) {
        struct fy_node *node = yaml_find(yaml_root(in->files[i]), f->name);
        if (!node || !is_list_node(f, node))
            continue;
        enter(j, in->files[i]);
        done += bind_items(j, f, node, items + done * f->size);
        last = node;
    }
    *a = (struct field_array){ items, done };
    if (last)
        finish_list(j, f, last, a);
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
        bind_field(j, f, map, base);
    else
        bind_absent(j, f, base);
    if (!map && (f->flags & FIELD_REQUIRED) && !j->is_partial)
        diag_error(in->d, (struct field_mark){ .file = j->file }, 0, E_MISSING_KEY,
                   "key '%s' is missing", f->name);
}

static void bind_root(struct job *j, void *out)
{
    struct scope s = { .own = j->in->fields };

    for (size_t i = 0; i < j->in->n; i++) {
        struct fy_node *root = yaml_root(j->in->files[i]);
        enter(j, j->in->files[i]);
        if (!root || yaml_is_null(root))
            continue;
        if (fy_node_is_mapping(root)) {
            check_keys(j, &s, root);
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
        const char *const *slot = member((char *)a->items + i * f->size, id);
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
            check_unique(j, f, i, member(out, f));
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
    const struct field_array *a = member(base, f);
    const struct field *id = id_field(f->fields);
    const char **ids = calloc(a->n + 1, sizeof *ids);
    size_t n = 0;

    for (size_t i = 0; ids && id && i < a->n; i++) {
        const char *text = *(const char *const *)member((char *)a->items + i * f->size, id);
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
    qsort(b->places, b->places_n, sizeof *b->places, compare_places);
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
