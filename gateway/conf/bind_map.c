/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/conf/bind_job.h"

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
        job_bind_text(j, f, text, node, base);
}

void job_bind_field(struct job *j, const struct field *f, struct fy_node *map, void *base)
{
    struct fy_node *node = yaml_find(map, f->name);
    struct fy_node *file = f->flags & FIELD_SECRET ? find_secret_file(map, f) : NULL;

    if (node)
        job_bind_present(j, f, node, base);
    else
        job_bind_absent(j, f, base);
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
    struct field_variant *v = job_member(base, f);
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
    job_note_place(j, node, v, false);
    for (const struct field_kind *k = kinds; text && k && k->name; k++) {
        if (strcmp(k->name, text) != 0)
            continue;
        v->options = job_alloc(j, 1, k->size ? k->size : 1);
        if (!v->options)
            return;
        v->kind = k;
        s->more = k->fields;
        s->is_open = false;
        return;
    }
    report_kind(j, f, node, kinds);
}

void job_bind_fields(struct job *j, const struct field *fields, const struct field *key,
                     struct fy_node *map, void *base)
{
    struct scope s = { .own = fields, .key = key };
    void *options = NULL;

    for (const struct field *f = fields; f->name; f++) {
        if (f->type != FIELD_VARIANT)
            continue;
        choose_kind(j, f, map, base, &s);
        options = ((struct field_variant *)job_member(base, f))->options;
    }
    check_keys(j, &s, map);
    for (const struct field *f = fields; f->name; f++) {
        if (f->type != FIELD_VARIANT && f != key)
            job_bind_field(j, f, map, base);
    }
    for (const struct field *f = s.more; f && f->name; f++)
        job_bind_field(j, f, map, options);
}

void job_check_root_keys(struct job *j, struct fy_node *map)
{
    const struct scope s = { .own = j->in->fields };

    check_keys(j, &s, map);
}
