/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser's events become records (yaml_record.h). From them come the checks that need the
 * whole file, and then the tree of fy_nodes, each with its record as meta data. Making the tree
 * here rather than with fy_document_build() keeps the place of every node, also of mappings and
 * empty values, and bounds what aliases may unfold to.
 */
#include "gateway/conf/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/conf/utf8.h"
#include "gateway/conf/yaml_record.h"

static bool is_utf16(const char *text, size_t size)
{
    return size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

/* Keys of one mapping side by side, equal ones in the order of the file. */
static int compare_keys(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a, *y = *(struct record *const *)b;

    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    int order = strcmp(x->text, y->text);
    return order ? order : (x > y) - (x < y);
}

static int find_duplicates(const struct yaml *y, struct diag *d)
{
    char shown[DIAG_SHOWN_BYTES];
    size_t n = 0;
    struct record **keys = calloc(y->n + 1, sizeof *keys);

    if (!keys)
        return -ENOMEM;
    for (size_t i = 0; i < y->n; i++) {
        if (y->records[i].is_key && y->records[i].type == RECORD_SCALAR)
            keys[n++] = &y->records[i];
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    const struct record *first = n ? keys[0] : NULL;
    for (size_t i = 1; i < n; i++) {
        if (keys[i]->parent != first->parent || strcmp(keys[i]->text, first->text) != 0) {
            first = keys[i];
            continue;
        }
        keys[i]->is_duplicate = true;
        utf8_shown(first->text, DIAG_SHOWN_MAX, shown, sizeof shown);
        diag_error(d, yaml_mark_at(y, keys[i]->line, keys[i]->column), keys[i]->width,
                   E_DUPLICATE_KEY, "key '%s' stands twice, first in line %d", shown,
                   first->line);
    }
    free(keys);
    return 0;
}

/* State of the making of the tree. */
struct builder {
    struct yaml *y;
    struct diag *d;
    size_t made;
};

static struct fy_node *build(struct builder *b, size_t i, int depth);

static int build_items(struct builder *b, struct fy_node *seq, size_t i, int depth)
{
    const struct record *records = b->y->records;

    for (; records[i].type != RECORD_END; i = records[i].next) {
        struct fy_node *item = build(b, i, depth);
        if (!item)
            return -EINVAL;
        if (fy_node_sequence_append(seq, item)) {
            fy_node_free(item);
            return -ENOMEM;
        }
    }
    return 0;
}

static int build_pairs(struct builder *b, struct fy_node *map, size_t i, int depth)
{
    const struct record *records = b->y->records;

    for (size_t value; records[i].type != RECORD_END; i = records[value].next) {
        value = records[i].next;
        if (records[i].is_duplicate)
            continue;
        struct fy_node *k = build(b, i, depth), *v = k ? build(b, value, depth) : NULL;
        if (!v || fy_node_mapping_append(map, k, v)) {
            fy_node_free(k);
            fy_node_free(v);
            return -EINVAL;
        }
    }
    return 0;
}

static int refuse(struct builder *b, const struct record *rec, const char *text)
{
    if (diag_errors(b->d) == 0)
        diag_error(b->d, yaml_mark_at(b->y, rec->line, rec->column), rec->width, E_FILE, "%s",
                   text);
    return -EINVAL;
}

static struct fy_node *node_create(struct builder *b, const struct record *rec)
{
    struct fy_document *doc = b->y->doc;
    struct fy_node *node = rec->type == RECORD_MAPPING ? fy_node_create_mapping(doc)
                           : rec->type == RECORD_SEQUENCE
                               ? fy_node_create_sequence(doc)
                               : fy_node_create_scalar(doc, rec->text, strlen(rec->text));

    if (node && fy_node_set_meta(node, (void *)rec)) {
        fy_node_free(node);
        node = NULL;
    }
    return node;
}

/* The tree of the value at record i. Recursion is bounded by YAML_DEPTH_MAX, also through
 * aliases, and the number of nodes by YAML_NODES_MAX. */
static struct fy_node *build(struct builder *b, size_t i, int depth)
{
    const struct record *rec = &b->y->records[i];

    if (rec->type == RECORD_ALIAS) {
        i = rec->target;
        rec = &b->y->records[i];
    }
    if (depth > YAML_DEPTH_MAX && refuse(b, rec, "more than 64 levels of lists and mappings"))
        return NULL;
    if (b->made++ >= YAML_NODES_MAX &&
        refuse(b, rec, "more than 100000 values in one file, aliases counted in full"))
        return NULL;
    struct fy_node *node = node_create(b, rec);
    if (!node)
        return NULL;
    int err = rec->type == RECORD_SEQUENCE  ? build_items(b, node, i + 1, depth + 1)
              : rec->type == RECORD_MAPPING ? build_pairs(b, node, i + 1, depth + 1)
                                            : 0;
    if (err) {
        fy_node_free(node);
        return NULL;
    }
    return node;
}

static int build_tree(struct yaml *y, struct diag *d)
{
    struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_ALLOW_DUPLICATE_KEYS };
    struct builder b = { .y = y, .d = d };

    y->doc = fy_document_create(&cfg);
    if (!y->doc)
        return -ENOMEM;
    struct fy_node *root = build(&b, 0, 1);
    if (!root)
        return -EINVAL;
    fy_document_set_root(y->doc, root);
    return 0;
}

static struct yaml *yaml_create(const char *name)
{
    struct yaml *y = calloc(1, sizeof *y);

    if (!y)
        return NULL;
    y->name = arena_text(&y->arena, name, strlen(name));
    if (!y->name) {
        free(y);
        return NULL;
    }
    return y;
}

static int yaml_read(struct yaml *y, const char *text, size_t size, struct diag *d)
{
    if (is_utf16(text, size)) {
        diag_error(d, yaml_mark_at(y, 0, 0), 0, E_SYNTAX,
                   "the file is UTF-16, save it as UTF-8");
        return -EINVAL;
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    diag_add_source(d, y->name, text, size);
    int err = yaml_read_records(y, text, size, d);
    if (err || y->n == 0)
        return err;
    err = find_duplicates(y, d);
    return err ? err : build_tree(y, d);
}

struct yaml *yaml_load_text(const char *name, const char *text, size_t size, struct diag *d)
{
    struct yaml *y = yaml_create(name);
    size_t before = diag_errors(d);

    if (!y)
        return NULL;
    int err = size > YAML_FILE_MAX ? -EFBIG : yaml_read(y, text, size, d);
    if (err == -EFBIG)
        diag_error(d, yaml_mark_at(y, 0, 0), 0, E_FILE, "the file is larger than 1 MiB");
    else if (err && diag_errors(d) == before)
        diag_error(d, yaml_mark_at(y, 0, 0), 0, E_FILE, "no memory to read the file");
    if (err) {
        yaml_destroy(y);
        return NULL;
    }
    return y;
}

/* A regular file alone: a pipe or a device could make the program wait for ever. */
static int open_regular(const char *path, FILE **ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return -errno;
    int err = fstat(fd, &st)        ? -errno
              : S_ISREG(st.st_mode) ? 0
              : S_ISDIR(st.st_mode) ? -EISDIR
                                    : -EINVAL;
    FILE *f = err ? NULL : fdopen(fd, "r");
    if (!f) {
        err = err ? err : -errno;
        close(fd);
        return err;
    }
    *ret = f;
    return 0;
}

/* One byte beyond the limit is enough to know that a file is too large. */
static int read_file(const char *path, char **ret, size_t *ret_size)
{
    FILE *f = NULL;
    int err = open_regular(path, &f);
    if (err)
        return err;
    char *text = malloc(YAML_FILE_MAX + 2);
    if (!text) {
        fclose(f);
        return -ENOMEM;
    }
    errno = 0;
    size_t size = fread(text, 1, YAML_FILE_MAX + 1, f);
    err = ferror(f) ? -(errno ? errno : EIO) : 0;
    fclose(f);
    if (err) {
        free(text);
        return err;
    }
    *ret = text;
    *ret_size = size;
    return 0;
}

struct yaml *yaml_load_file(const char *path, struct diag *d)
{
    char *text = NULL;
    size_t size = 0;
    int err = read_file(path, &text, &size);

    diag_note_file(d, path);
    if (err) {
        diag_error(d, (struct field_mark){ .file = path }, 0, E_FILE,
                   "cannot read the file: %s",
                   err == -EINVAL ? "it is no regular file" : strerror(-err));
        return NULL;
    }
    struct yaml *y = yaml_load_text(path, text, size, d);
    free(text);
    return y;
}

void yaml_destroy(struct yaml *y)
{
    if (!y)
        return;
    fy_document_destroy(y->doc);
    arena_done(&y->arena);
    free(y->records);
    free(y);
}

struct fy_node *yaml_root(const struct yaml *y)
{
    return y->doc ? fy_document_root(y->doc) : NULL;
}

static const struct record *record_of(struct fy_node *node)
{
    return node ? fy_node_get_meta(node) : NULL;
}

struct field_mark yaml_mark(const struct yaml *y, struct fy_node *node)
{
    const struct record *rec = record_of(node);

    return rec ? yaml_mark_at(y, rec->line, rec->column) : yaml_mark_at(y, 0, 0);
}

int yaml_width(struct fy_node *node)
{
    const struct record *rec = record_of(node);

    return rec ? rec->width : 1;
}

const char *yaml_text(struct fy_node *node)
{
    const struct record *rec = record_of(node);

    return rec && rec->type == RECORD_SCALAR ? rec->text : NULL;
}

int yaml_is_null(struct fy_node *node)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };
    const struct record *rec = record_of(node);

    if (!rec)
        return 1;
    for (size_t i = 0; rec->is_plain && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(rec->text, words[i]) == 0)
            return 1;
    }
    return 0;
}

struct fy_node *yaml_find(struct fy_node *map, const char *key)
{
    void *prev = NULL;
    struct fy_node_pair *pair;

    if (!map || !fy_node_is_mapping(map))
        return NULL;
    while ((pair = fy_node_mapping_iterate(map, &prev))) {
        if (strcmp(yaml_text(fy_node_pair_key(pair)), key) == 0)
            return fy_node_pair_value(pair);
    }
    return NULL;
}

const char *yaml_shown(struct fy_node *node, char *out)
{
    const char *text = yaml_text(node);

    if (yaml_is_null(node)) {
        snprintf(out, DIAG_SHOWN_BYTES, "nothing");
    } else if (text) {
        out[0] = '\'';
        utf8_shown(text, DIAG_SHOWN_MAX, out + 1, DIAG_SHOWN_BYTES - 2);
        size_t n = strlen(out);
        out[n] = '\'';
        out[n + 1] = '\0';
    } else {
        snprintf(out, DIAG_SHOWN_BYTES, "%s",
                 fy_node_is_mapping(node) ? "a mapping" : "a list");
    }
    return out;
}
