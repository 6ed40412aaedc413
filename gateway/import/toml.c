/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0 as configuration files use it: headers, dotted keys, all kinds of strings, numbers,
 * arrays and inline tables. Dates are kept as words. Inline tables may go over several lines,
 * as TOML 1.1 and the parser of Telegraf allow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/import/tree.h"

struct toml {
    struct tree_maker *m;
    const char *p, *end, *line_start;
    int line;
};

static struct tree *read_value(struct toml *t, struct tree *parent, const char *key, int depth);

static int column_of(const struct toml *t, const char *p)
{
    int column = 1;

    for (const char *q = t->line_start; q < p; q++)
        column += ((unsigned char)*q & 0xc0) != 0x80;
    return column;
}

static bool refuse(struct toml *t, const char *what)
{
    diag_error(t->m->d, (struct field_mark){ t->m->file, t->line, column_of(t, t->p) }, 1,
               E_SYNTAX, "%s", what);
    return false;
}

static bool is_at(const struct toml *t, char c)
{
    return t->p < t->end && *t->p == c;
}

static bool has(const struct toml *t, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(t->end - t->p) >= n && memcmp(t->p, text, n) == 0;
}

static void skip_blanks(struct toml *t)
{
    while (is_at(t, ' ') || is_at(t, '\t'))
        t->p++;
}

static void take_newline(struct toml *t)
{
    t->p++;
    t->line++;
    t->line_start = t->p;
}

/* Blanks, comments and ends of lines. */
static void skip_lines(struct toml *t)
{
    while (t->p < t->end) {
        skip_blanks(t);
        if (is_at(t, '#'))
            while (t->p < t->end && *t->p != '\n')
                t->p++;
        if (is_at(t, '\r'))
            t->p++;
        else if (is_at(t, '\n'))
            take_newline(t);
        else
            return;
    }
}

static bool expect_line_end(struct toml *t)
{
    skip_blanks(t);
    if (is_at(t, '#'))
        while (t->p < t->end && *t->p != '\n')
            t->p++;
    if (is_at(t, '\r'))
        t->p++;
    if (t->p < t->end && *t->p != '\n')
        return refuse(t, "expected the end of the line behind the value");
    return true;
}

/* ---- strings ---- */

static bool put_code_point(struct buf *b, uint32_t c)
{
    char out[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c < 0x20)
        return false;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
    buf_put(b, out, n);
    return true;
}

static bool take_escape(struct toml *t, struct buf *b)
{
    static const char from[] = "btnfr\"\\e", to[] = "\b\t\n\f\r\"\\\033";
    const char *found = t->p < t->end ? strchr(from, *t->p) : NULL;
    size_t digits = is_at(t, 'u') ? 4 : is_at(t, 'U') ? 8 : 0;
    uint32_t c = 0;

    if (found && *found) {
        buf_put(b, &to[found - from], 1);
        t->p++;
        return true;
    }
    if (!digits || (size_t)(t->end - t->p) <= digits)
        return refuse(t, "an unknown escape in a quoted text");
    for (size_t i = 1; i <= digits; i++) {
        const char *hex = "0123456789abcdef", *d = strchr(hex, t->p[i] | 0x20);
        if (!d || !*d)
            return refuse(t, "expected hexadecimal digits behind \\u");
        c = c << 4 | (uint32_t)(d - hex);
    }
    if (!put_code_point(b, c))
        return refuse(t, "no character has this number");
    t->p += digits + 1;
    return true;
}

/* A backslash at the end of a line joins the next one. */
static bool take_joint(struct toml *t)
{
    const char *p = t->p;

    while (p < t->end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    if (p == t->end || *p != '\n')
        return false;
    t->p = p;
    while (t->p < t->end && strchr(" \t\r\n", *t->p)) {
        if (*t->p == '\n')
            take_newline(t);
        else
            t->p++;
    }
    return true;
}

static bool take_text(struct toml *t, char quote, bool is_long, struct buf *b)
{
    char close[4] = { quote, is_long ? quote : '\0', is_long ? quote : '\0', '\0' };

    while (t->p < t->end && !has(t, close)) {
        if (*t->p == '\n' && !is_long)
            return refuse(t, "a quoted text is not closed on its line");
        if (*t->p == '\\' && quote == '"') {
            t->p++;
            if (!(is_long && take_joint(t)) && !take_escape(t, b))
                return false;
        } else {
            buf_put(b, t->p, 1);
            if (*t->p == '\n')
                take_newline(t);
            else
                t->p++;
        }
    }
    if (t->p == t->end)
        return refuse(t, "a quoted text is never closed");
    t->p += strlen(close);
    return true;
}

/* NULL after an error. */
static const char *read_text(struct toml *t)
{
    struct buf b = BUF_INIT(TREE_FILE_MAX);
    char quote = *t->p;
    char open[4] = { quote, quote, quote, '\0' };
    bool is_long = has(t, open);

    t->p += is_long ? 3 : 1;
    if (is_long && is_at(t, '\r'))
        t->p++;
    if (is_long && is_at(t, '\n'))
        take_newline(t);
    const char *copy = NULL;
    if (take_text(t, quote, is_long, &b)) {
        const char *text = buf_text(&b);
        copy = text ? arena_text(t->m->arena, text, b.size) : NULL;
        if (!copy)
            refuse(t, "no memory to read the file");
    }
    buf_done(&b);
    return copy;
}

/* ---- keys and tables ---- */

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
}

static const char *read_key(struct toml *t)
{
    const char *start = t->p;

    if (is_at(t, '"') || is_at(t, '\''))
        return read_text(t);
    while (t->p < t->end && is_bare(*t->p))
        t->p++;
    if (t->p == start) {
        refuse(t, "expected a key");
        return NULL;
    }
    return arena_text(t->m->arena, start, (size_t)(t->p - start));
}

static void place(struct toml *t, struct tree *node, const char *start, int line)
{
    node->line = line;
    node->column = line == t->line ? column_of(t, start) : 1;
    node->width = line == t->line ? column_of(t, t->p) - node->column : 1;
}

/* The table `key` names below `parent`, made when missing; of a list of tables its last. */
static struct tree *step_into(struct toml *t, struct tree *parent, const char *key)
{
    struct tree *found = tree_get(parent, key);

    if (!found && parent->n >= TREE_KEYS_MAX) {
        refuse(t, "more than 1000 keys in one table");
        return NULL;
    }
    if (!found) {
        found = tree_add(t->m, parent, TREE_TABLE, key);
        if (found)
            place(t, found, t->p, t->line);
        return found;
    }
    if (found->kind == TREE_LIST && !found->is_closed && found->last)
        found = found->last;
    if (found->kind == TREE_TABLE && !found->is_closed)
        return found;
    refuse(t, "the key in front of the dot is no table that may grow");
    return NULL;
}

/* "a.b.c": *ret_parent is where the last key belongs. */
static const char *read_path(struct toml *t, struct tree **ret_parent)
{
    struct tree *parent = *ret_parent;

    for (int depth = 0; depth < TREE_DEPTH_MAX; depth++) {
        skip_blanks(t);
        const char *key = read_key(t);
        if (!key)
            return NULL;
        skip_blanks(t);
        if (!is_at(t, '.')) {
            *ret_parent = parent;
            return key;
        }
        t->p++;
        parent = step_into(t, parent, key);
        if (!parent)
            return NULL;
    }
    refuse(t, "more than 32 levels of tables");
    return NULL;
}

static bool read_pair(struct toml *t, struct tree *table, int depth)
{
    struct tree *parent = table;
    const char *start = t->p;
    const char *key = read_path(t, &parent);

    if (!key)
        return false;
    if (parent->n >= TREE_KEYS_MAX)
        return refuse(t, "more than 1000 keys in one table");
    if (tree_get(parent, key)) {
        t->p = start;
        return refuse(t, "the same key stands twice in one table");
    }
    if (!is_at(t, '='))
        return refuse(t, "expected '=' behind the key");
    t->p++;
    skip_blanks(t);
    return read_value(t, parent, key, depth);
}

static struct tree *open_list(struct toml *t, struct tree *parent, const char *key)
{
    struct tree *list = tree_get(parent, key);

    if (!list) {
        list = tree_add(t->m, parent, TREE_LIST, key);
        if (list)
            place(t, list, t->p, t->line);
    } else if (list->kind != TREE_LIST || list->is_closed) {
        refuse(t, "the name in [[ ]] is no list of tables");
        return NULL;
    }
    struct tree *item = list ? tree_add(t->m, list, TREE_TABLE, NULL) : NULL;
    if (item)
        place(t, item, t->p, t->line);
    return item;
}

static struct tree *open_table(struct toml *t, struct tree *parent, const char *key)
{
    struct tree *found = tree_get(parent, key);

    if (found && (found->kind != TREE_TABLE || found->is_closed || found->is_defined)) {
        refuse(t, "the same table or key stands twice");
        return NULL;
    }
    if (!found)
        found = tree_add(t->m, parent, TREE_TABLE, key);
    if (found) {
        found->is_defined = true;
        place(t, found, t->p, t->line);
    }
    return found;
}

static struct tree *read_header(struct toml *t, struct tree *root)
{
    bool is_list = has(t, "[[");
    struct tree *parent = root;

    t->p += is_list ? 2 : 1;
    const char *key = read_path(t, &parent);
    if (!key)
        return NULL;
    if (parent->n >= TREE_KEYS_MAX) {
        refuse(t, "more than 1000 keys in one table");
        return NULL;
    }
    if (!has(t, is_list ? "]]" : "]")) {
        refuse(t, is_list ? "expected ']]'" : "expected ']'");
        return NULL;
    }
    struct tree *table = is_list ? open_list(t, parent, key) : open_table(t, parent, key);
    t->p += is_list ? 2 : 1;
    return table && expect_line_end(t) ? table : NULL;
}

/* ---- values ---- */

static bool read_items(struct toml *t, struct tree *list, int depth)
{
    t->p++;
    for (;;) {
        skip_lines(t);
        if (is_at(t, ']'))
            break;
        if (t->p == t->end)
            return refuse(t, "'[' is never closed");
        if (!read_value(t, list, NULL, depth))
            return false;
        skip_lines(t);
        if (is_at(t, ','))
            t->p++;
        else if (t->p < t->end && *t->p != ']')
            return refuse(t, "expected ',' or ']' in a list");
    }
    t->p++;
    return true;
}

static bool read_inline(struct toml *t, struct tree *table, int depth)
{
    t->p++;
    for (;;) {
        skip_lines(t);
        if (is_at(t, '}'))
            break;
        if (t->p == t->end)
            return refuse(t, "'{' is never closed");
        if (!read_pair(t, table, depth))
            return false;
        skip_lines(t);
        if (is_at(t, ','))
            t->p++;
        else if (t->p < t->end && *t->p != '}')
            return refuse(t, "expected ',' or '}' in an inline table");
    }
    t->p++;
    return true;
}

static bool is_of_word(char c)
{
    return is_bare(c) || c == '+' || c == '.' || c == ':';
}

/* Numbers without their underscores, dates, true and false. */
static bool read_word(struct toml *t, struct tree *node)
{
    const char *start = t->p;
    char word[64];
    size_t n = 0;

    for (; t->p < t->end && is_of_word(*t->p); t->p++) {
        if (*t->p != '_' && n + 1 < sizeof word)
            word[n++] = *t->p;
    }
    word[n] = '\0';
    bool is_bool = strcmp(word, "true") == 0 || strcmp(word, "false") == 0;
    bool is_number = n && (strchr("+-0123456789", word[0]) || strcmp(word, "inf") == 0 ||
                           strcmp(word, "nan") == 0);
    if (!is_bool && !is_number) {
        t->p = start;
        return refuse(t, n ? "expected a value: text stands in quotes" : "expected a value");
    }
    node->kind = is_bool ? TREE_BOOL : TREE_WORD;
    node->text = arena_text(t->m->arena, word, n);
    return node->text ? true : refuse(t, "no memory to read the file");
}

static struct tree *read_value(struct toml *t, struct tree *parent, const char *key, int depth)
{
    const char *start = t->p;
    int line = t->line;
    bool is_ok;

    if (depth > TREE_DEPTH_MAX) {
        refuse(t, "more than 32 levels of lists and tables");
        return NULL;
    }
    struct tree *node = tree_add(t->m, parent, TREE_TEXT, key);
    if (!node)
        return NULL;
    node->is_closed = true;
    if (is_at(t, '"') || is_at(t, '\'')) {
        const char *text = read_text(t);
        is_ok = text;
        node->text = text ? text : "";
    } else if (is_at(t, '[')) {
        node->kind = TREE_LIST;
        is_ok = read_items(t, node, depth + 1);
    } else if (is_at(t, '{')) {
        node->kind = TREE_TABLE;
        node->is_closed = false; /* while its own dotted keys are read */
        is_ok = read_inline(t, node, depth + 1);
        node->is_closed = true;
    } else {
        is_ok = read_word(t, node);
    }
    place(t, node, start, line);
    if (line != t->line)
        node->line = line;
    return is_ok ? node : NULL;
}

struct tree *toml_read(struct tree_maker *m, const char *text, size_t size)
{
    struct toml t = { .m = m, .p = text, .end = text + size, .line_start = text, .line = 1 };
    struct tree *root = tree_add(m, NULL, TREE_TABLE, NULL), *table = root;

    if (!root)
        return NULL;
    for (;;) {
        skip_lines(&t);
        if (t.p == t.end)
            return root;
        if (is_at(&t, '['))
            table = read_header(&t, root);
        else if (!read_pair(&t, table, 1) || !expect_line_end(&t))
            return NULL;
        if (!table)
            return NULL;
    }
}
