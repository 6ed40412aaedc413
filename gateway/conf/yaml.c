/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser's events become records: a flat array in the order of the file, where every start
 * knows its end. From it come the checks (duplicate keys, depth, number of values with aliases
 * expanded), and then the tree of fy_nodes, each with its record as meta data. Building the
 * tree here rather than with fy_document_build() keeps the place of every node, also of
 * mappings and empty values, and bounds what an alias may unfold to before any of it is made.
 */
#include "gateway/conf/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/conf/arena.h"
#include "gateway/conf/utf8.h"

enum record_type { RECORD_SCALAR, RECORD_SEQUENCE, RECORD_MAPPING, RECORD_END, RECORD_ALIAS };

struct record {
    enum record_type type;
    int line, column, width; /* from 1 */
    bool is_plain, is_flow, is_key, is_duplicate;
    size_t parent; /* record of the collection; NO_RECORD at the root */
    size_t next;   /* the record after this value */
    size_t target; /* of an alias */
    const char *text, *anchor;
};

#define NO_RECORD ((size_t)-1)

enum { ANCHORS_MAX = 256 }; /* each alias looks through all of them */

struct yaml {
    const char *name;
    struct arena arena;
    struct record *records;
    size_t n, cap;
    struct fy_document *doc;
};

/* State of one parse. */
struct reader {
    struct yaml *y;
    struct diag *d;
    size_t open[YAML_DEPTH_MAX];  /* collections not yet closed */
    size_t items[YAML_DEPTH_MAX]; /* values so far in each: an even one of a mapping is a key */
    size_t anchors[ANCHORS_MAX];
    size_t depth, anchors_n, documents;
};

/* What the library says, and what a person should read. */
static const struct {
    const char *from, *to;
} sentences[] = {
    { "tab character may not be used as indentation",
      "a tab stands in the indentation, only blanks may indent" },
    { "invalid tab as indendation in a mapping",
      "a tab stands in the indentation, only blanks may indent" },
    { "invalid tab used as indentation",
      "a tab stands in the indentation, only blanks may indent" },
    { "did not find expected '-' indicator", "the indentation fits no line above" },
    { "wrongly indented double-quoted scalar",
      "a double quote is not closed on its line, and the next line is not indented further" },
    { "wrongly indented single-quoted scalar",
      "a single quote is not closed on its line, and the next line is not indented further" },
    { "single-quoted scalar without closing quote", "a single quote is never closed" },
    { "double-quoted scalar without closing quote", "a double quote is never closed" },
    { "flow sequence without a closing bracket", "'[' is never closed" },
    { "flow mapping without a closing brace", "'{' is never closed" },
    { "flow sequence with invalid extra closing bracket", "']' closes nothing" },
    { "flow mapping with invalid extra closing brace", "'}' closes nothing" },
    { "invalid multiline plain key",
      "expected the end of the value, the next line is indented further and looks like a key" },
    { "invalid nested block mapping on the same line",
      "a second ': ' on one line, quote the value if the colon belongs to it" },
    { "invalid indentation in mapping", "the indentation fits no line above" },
    { "could not find expected ':'", "expected ':' after the key" },
    { "missing document start", "more stands behind the end of the value, a file holds one" },
    { "invalid scalar at the end of block sequence", "expected '- ' as in the items above" },
    { "invalid value after mapping", "expected a key and ':' as in the lines above" },
    { "undefined tag prefix", "tags such as !name have no meaning here" },
};

static struct field_mark mark_at(const struct yaml *y, int line, int column)
{
    return (struct field_mark){ .file = y->name, .line = line, .column = column };
}

/* Line and column of byte `pos`. */
static struct field_mark mark_of_byte(const struct yaml *y, const char *text, size_t pos)
{
    int line = 1, column = 1;
    int32_t c;

    for (size_t i = 0; i < pos;) {
        i += utf8_next(text + i, pos - i, &c);
        line += c == '\n';
        column = c == '\n' ? 1 : column + 1;
    }
    return mark_at(y, line, column);
}

static bool is_control(int32_t c)
{
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    return c == 0x7f || (c >= 0x80 && c < 0xa0 && c != 0x85);
}

/* UTF-8 without controls; false and an error otherwise. */
static bool text_is_clean(const struct yaml *y, const char *text, size_t size, struct diag *d)
{
    int32_t c;

    for (size_t i = 0, step; i < size; i += step) {
        step = utf8_next(text + i, size - i, &c);
        if (c < 0) {
            diag_error(d, mark_of_byte(y, text, i), 1, E_SYNTAX,
                       "the file is not UTF-8 text, found byte 0x%02x",
                       (unsigned)(unsigned char)text[i]);
            return false;
        }
        if (is_control(c)) {
            diag_error(d, mark_of_byte(y, text, i), 1, E_SYNTAX,
                       "a control character (code 0x%02x) stands in the file", (unsigned)c);
            return false;
        }
    }
    return true;
}

static bool is_utf16(const char *text, size_t size)
{
    return size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

static struct record *record_add(struct reader *r)
{
    struct yaml *y = r->y;

    if (y->n == y->cap) {
        size_t cap = y->cap ? 2 * y->cap : 256;
        struct record *more = realloc(y->records, cap * sizeof *more);
        if (!more)
            return NULL;
        y->records = more;
        y->cap = cap;
    }
    struct record *rec = &y->records[y->n++];
    *rec = (struct record){ .parent = r->depth ? r->open[r->depth - 1] : NO_RECORD };
    return rec;
}

static const char *token_copy(struct reader *r, struct fy_token *token)
{
    size_t size = 0;
    const char *text = token ? fy_token_get_text(token, &size) : NULL;

    return arena_text(&r->y->arena, text ? text : "", size);
}

/* Start and width of a token; an implicit one (an empty value) stands where its key stands. */
static void place(struct reader *r, struct record *rec, struct fy_event *e)
{
    struct fy_token *token = fy_event_get_token(e);
    const struct fy_mark *from = token ? fy_token_start_mark(token) : NULL;
    const struct fy_mark *to = token ? fy_token_end_mark(token) : NULL;

    if (e->type == FYET_ALIAS && from) { /* the token begins behind the asterisk */
        rec->line = from->line + 1;
        rec->column = from->column;
        rec->width = to->column - from->column + 1;
    } else if (from && from->line >= 0) {
        rec->line = from->line + 1;
        rec->column = from->column + 1;
        rec->width = to && to->line == from->line ? to->column - from->column : 1;
    } else if (r->y->n > 1) {
        const struct record *last = &r->y->records[r->y->n - 2];
        rec->line = last->line;
        rec->column = last->column;
        rec->width = last->width;
    }
    if (rec->width < 1)
        rec->width = 1;
}

static int fail(struct reader *r, const struct record *rec, enum diag_code code,
                const char *text)
{
    diag_error(r->d, mark_at(r->y, rec->line, rec->column), rec->width, code, "%s", text);
    return -EINVAL;
}

static int add_anchor(struct reader *r, struct record *rec, struct fy_token *token)
{
    if (r->anchors_n == ANCHORS_MAX)
        return fail(r, rec, E_FILE, "more than 256 anchors in one file");
    rec->anchor = token_copy(r, token);
    if (!rec->anchor)
        return -ENOMEM;
    r->anchors[r->anchors_n++] = (size_t)(rec - r->y->records);
    return 0;
}

/* The latest anchor of that name counts (YAML 1.2, 3.2.2.2). */
static size_t anchor_find(const struct reader *r, const char *name)
{
    for (size_t i = r->anchors_n; i-- > 0;) {
        if (strcmp(r->y->records[r->anchors[i]].anchor, name) == 0)
            return r->anchors[i];
    }
    return NO_RECORD;
}

static int read_alias(struct reader *r, struct record *rec, struct fy_event *e)
{
    char shown[DIAG_SHOWN_BYTES];

    rec->type = RECORD_ALIAS;
    rec->text = token_copy(r, fy_event_get_token(e));
    if (!rec->text)
        return -ENOMEM;
    rec->target = anchor_find(r, rec->text);
    if (rec->target == NO_RECORD) {
        utf8_shown(rec->text, DIAG_SHOWN_MAX, shown, sizeof shown);
        diag_error(r->d, mark_at(r->y, rec->line, rec->column), rec->width, E_SYNTAX,
                   "no anchor '&%s' stands above", shown);
        return -EINVAL;
    }
    if (r->y->records[rec->target].next == 0)
        return fail(r, rec, E_SYNTAX, "an alias stands inside what it repeats");
    return 0;
}

static int refuse_tag(struct reader *r, struct fy_token *tag)
{
    const struct fy_mark *m = fy_token_start_mark(tag);
    struct field_mark mark = mark_at(r->y, m ? m->line + 1 : 0, m ? m->column + 1 : 0);

    diag_error(r->d, mark, 1, E_SYNTAX, "tags such as !name have no meaning here");
    return -EINVAL;
}

static void close_value(struct reader *r, size_t i)
{
    r->y->records[i].next = r->y->n;
    if (r->depth)
        r->items[r->depth - 1]++;
}

/* A text after its escapes: "\\0", "\\e" and half surrogates are as unwelcome as the bytes. */
static int check_scalar(struct reader *r, const struct record *rec, size_t size)
{
    int32_t c;

    for (size_t i = 0; i < size; i += utf8_next(rec->text + i, size - i, &c)) {
        utf8_next(rec->text + i, size - i, &c);
        if (c < 0 || is_control(c))
            return fail(r, rec, E_SYNTAX, "a control character stands in the text");
    }
    return 0;
}

static int read_scalar(struct reader *r, struct record *rec, struct fy_token *token)
{
    rec->is_plain = fy_token_scalar_style(token) == FYSS_PLAIN;
    rec->text = token_copy(r, token);
    return rec->text ? check_scalar(r, rec, fy_token_get_text_length(token)) : -ENOMEM;
}

static int read_value(struct reader *r, struct fy_event *e)
{
    size_t i = r->y->n;
    struct record *rec = record_add(r);
    struct fy_token *anchor = fy_event_get_anchor_token(e);
    bool is_open = e->type == FYET_MAPPING_START || e->type == FYET_SEQUENCE_START;
    int err = 0;

    if (!rec)
        return -ENOMEM;
    place(r, rec, e);
    rec->type = e->type == FYET_MAPPING_START    ? RECORD_MAPPING
                : e->type == FYET_SEQUENCE_START ? RECORD_SEQUENCE
                                                 : RECORD_SCALAR;
    rec->is_key = r->depth && r->y->records[rec->parent].type == RECORD_MAPPING &&
                  r->items[r->depth - 1] % 2 == 0;
    if (fy_event_get_tag_token(e))
        return refuse_tag(r, fy_event_get_tag_token(e));
    if (rec->is_key && e->type != FYET_SCALAR)
        return fail(r, rec, E_SYNTAX, "a key must be a single word");
    if (e->type == FYET_ALIAS) {
        err = read_alias(r, rec, e);
    } else if (anchor) {
        err = add_anchor(r, rec, anchor);
    }
    if (!err && e->type == FYET_SCALAR)
        err = read_scalar(r, rec, e->scalar.value);
    if (err)
        return err;
    if (!is_open) {
        close_value(r, i);
        return 0;
    }
    rec->is_flow = fy_token_get_text_length(fy_event_get_token(e)) > 0;
    if (r->depth == YAML_DEPTH_MAX)
        return fail(r, rec, E_FILE, "more than 64 levels of lists and mappings");
    r->open[r->depth] = i;
    r->items[r->depth++] = 0;
    return 0;
}

static int read_end(struct reader *r)
{
    struct record *rec = record_add(r);

    if (!rec)
        return -ENOMEM;
    r->depth--;
    *rec = r->y->records[r->open[r->depth]];
    rec->type = RECORD_END;
    rec->is_key = false;
    close_value(r, r->open[r->depth]);
    return 0;
}

static int read_event(struct reader *r, struct fy_event *e)
{
    switch (e->type) {
    case FYET_DOCUMENT_START:
        if (r->documents++ == 0)
            return 0;
        struct fy_token *token = fy_event_get_token(e);
        const struct fy_mark *m = token ? fy_token_start_mark(token) : NULL;
        diag_error(r->d, mark_at(r->y, m ? m->line + 1 : 0, m ? m->column + 1 : 0), 3, E_SYNTAX,
                   "a second document starts here, a file holds one");
        return -EINVAL;
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
    case FYET_SCALAR:
    case FYET_ALIAS:
        if (r->y->n < 2 * YAML_NODES_MAX)
            return read_value(r, e);
        diag_error(r->d, mark_at(r->y, 0, 0), 0, E_FILE, "more than %d values in one file",
                   YAML_NODES_MAX);
        return -EINVAL;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return read_end(r);
    default:
        return 0;
    }
}

/* '[' or '{' that is still open, for messages about the end of the file. */
static const struct record *innermost_flow(const struct reader *r)
{
    for (size_t i = r->depth; i-- > 0;) {
        if (r->y->records[r->open[i]].is_flow)
            return &r->y->records[r->open[i]];
    }
    return NULL;
}

static const char *sentence_of(const char *text)
{
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        if (strcmp(text, sentences[i].from) == 0)
            return sentences[i].to;
    }
    return text;
}

/* The parser's first error: what it says after that follows from it. */
static void report_syntax(struct reader *r, struct fy_diag *fy)
{
    void *prev = NULL;
    struct fy_diag_error *e = fy_diag_errors_iterate(fy, &prev);
    const struct record *flow = innermost_flow(r);
    struct field_mark mark = mark_at(r->y, 0, 0);

    if (!e) {
        diag_error(r->d, mark, 0, E_SYNTAX, "the file is not well-formed YAML");
        return;
    }
    if (flow && strstr(e->msg, "missing comma in flow")) {
        diag_error(r->d, mark_at(r->y, e->line, e->column), 1, E_SYNTAX,
                   "expected ',' or '%c' for the '%c' in line %d column %d",
                   flow->type == RECORD_MAPPING ? '}' : ']',
                   flow->type == RECORD_MAPPING ? '{' : '[', flow->line, flow->column);
        return;
    }
    if (flow && strstr(e->msg, "without a closing"))
        mark = mark_at(r->y, flow->line, flow->column);
    else if (e->line > 0)
        mark = mark_at(r->y, e->line, e->column);
    diag_error(r->d, mark, 1, E_SYNTAX, "%s", sentence_of(e->msg));
}

static int read_events(struct reader *r, struct fy_parser *parser)
{
    struct fy_event *e;
    int err = 0;

    while (!err && (e = fy_parser_parse(parser))) {
        err = read_event(r, e);
        fy_parser_event_free(parser, e);
    }
    return err;
}

static int read_text(struct reader *r, const char *text, size_t size)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    struct fy_diag *fy = fy_diag_create(&diag_cfg);
    if (!fy)
        return -ENOMEM;
    fy_diag_set_collect_errors(fy, true);

    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2, .diag = fy
    };
    struct fy_parser *parser = fy_parser_create(&cfg);
    int err = parser ? fy_parser_set_string(parser, text, size) : -1;
    if (err) {
        err = -ENOMEM;
    } else {
        err = read_events(r, parser);
        if (!err && (fy_parser_get_stream_error(parser) || fy_diag_got_error(fy))) {
            report_syntax(r, fy);
            err = -EINVAL;
        }
    }
    fy_parser_destroy(parser);
    fy_diag_destroy(fy);
    return err;
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
        diag_error(d, mark_at(y, keys[i]->line, keys[i]->column), keys[i]->width,
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
        diag_error(b->d, mark_at(b->y, rec->line, rec->column), rec->width, E_FILE, "%s", text);
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
    struct reader r = { .y = y, .d = d };

    if (is_utf16(text, size)) {
        diag_error(d, mark_at(y, 0, 0), 0, E_SYNTAX, "the file is UTF-16, save it as UTF-8");
        return -EINVAL;
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    diag_add_source(d, y->name, text, size);
    if (!text_is_clean(y, text, size, d))
        return -EINVAL;
    int err = read_text(&r, text, size);
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
        diag_error(d, mark_at(y, 0, 0), 0, E_FILE, "the file is larger than 1 MiB");
    else if (err && diag_errors(d) == before)
        diag_error(d, mark_at(y, 0, 0), 0, E_FILE, "no memory to read the file");
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

    return rec ? mark_at(y, rec->line, rec->column) : mark_at(y, 0, 0);
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
