/* SPDX-License-Identifier: Apache-2.0 */
/* The notation of collectd.conf(5): statements of a key and values, blocks in angle brackets.
 */
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/import/tree.h"

enum { VALUE_MAX = 4096 }; /* bytes of one value; collectd's own limit is near */

struct blocks {
    struct tree_maker *m;
    const char *p, *end, *line_start;
    int line;
};

static int column_of(const struct blocks *b, const char *p)
{
    int column = 1;

    for (const char *q = b->line_start; q < p; q++)
        column += ((unsigned char)*q & 0xc0) != 0x80;
    return column;
}

static struct tree *refuse(struct blocks *b, const char *p, const char *what)
{
    diag_error(b->m->d, (struct field_mark){ b->m->file, b->line, column_of(b, p) }, 1,
               E_SYNTAX, "%s", what);
    return NULL;
}

static bool is_at(const struct blocks *b, char c)
{
    return b->p < b->end && *b->p == c;
}

static void take_newline(struct blocks *b)
{
    b->p++;
    b->line++;
    b->line_start = b->p;
}

/* Blanks, and a backslash at the end of a line. */
static void skip_blanks(struct blocks *b)
{
    for (;;) {
        const char *p = b->p;
        while (p < b->end && (*p == ' ' || *p == '\t' || *p == '\r'))
            p++;
        b->p = p;
        if (!is_at(b, '\\'))
            return;
        p++;
        while (p < b->end && *p == '\r')
            p++;
        if (p == b->end || *p != '\n')
            return;
        b->p = p;
        take_newline(b);
    }
}

static void skip_lines(struct blocks *b)
{
    while (b->p < b->end) {
        skip_blanks(b);
        if (is_at(b, '#'))
            while (b->p < b->end && *b->p != '\n')
                b->p++;
        if (!is_at(b, '\n'))
            return;
        take_newline(b);
    }
}

static bool ends_word(char c, bool is_tag)
{
    return strchr(" \t\r\n#\"", c) || (is_tag && c == '>');
}

/* A quoted text or a word; NULL after an error. */
static struct tree *read_value(struct blocks *b, struct tree *parent, bool is_tag)
{
    struct buf text = BUF_INIT(VALUE_MAX);
    bool is_quoted = is_at(b, '"');
    const char *start = b->p;

    b->p += is_quoted;
    while (b->p < b->end && (is_quoted ? *b->p != '"' : !ends_word(*b->p, is_tag))) {
        if (*b->p == '\n') {
            buf_done(&text);
            return refuse(b, start, "a quoted text is not closed on its line");
        }
        if (is_quoted && *b->p == '\\' && b->p + 1 < b->end && b->p[1] != '\n')
            b->p++;
        buf_put(&text, b->p++, 1);
    }
    const char *whole = buf_text(&text);
    struct tree *node = NULL;
    if (is_quoted && !is_at(b, '"'))
        refuse(b, start, "a quoted text is never closed");
    else if (!whole)
        refuse(b, start, "a value has more than 4096 bytes");
    else
        node = tree_add(b->m, parent, is_quoted ? TREE_TEXT : TREE_WORD, NULL);
    b->p += is_quoted && node;
    if (node) {
        node->text = arena_text(b->m->arena, whole, text.size);
        node->line = b->line;
        node->column = column_of(b, start);
        node->width = column_of(b, b->p) - node->column;
    }
    buf_done(&text);
    return node && node->text ? node : NULL;
}

/* "Key value value" up to the end of the line, or of the tag. */
static struct tree *read_statement(struct blocks *b, struct tree *parent, bool is_tag)
{
    const char *start = b->p;

    while (b->p < b->end && !ends_word(*b->p, is_tag))
        b->p++;
    if (b->p == start)
        return refuse(b, start, "expected the name of a setting");
    struct tree *node = tree_add(b->m, parent, TREE_TABLE, "");
    if (!node)
        return NULL;
    node->key = arena_text(b->m->arena, start, (size_t)(b->p - start));
    node->line = b->line;
    node->column = column_of(b, start);
    node->width = column_of(b, b->p) - node->column;
    for (skip_blanks(b); b->p < b->end && !strchr("\n#", *b->p) && !(is_tag && *b->p == '>');
         skip_blanks(b)) {
        struct tree *value = read_value(b, node, is_tag);
        if (!value)
            return NULL;
        if (value == node->first)
            node->text = value->text;
    }
    return node->key ? node : NULL;
}

static struct tree *open_block(struct blocks *b, struct tree *parent)
{
    b->p++;
    struct tree *block = read_statement(b, parent, true);
    if (!block)
        return NULL;
    if (!is_at(b, '>'))
        return refuse(b, b->p, "expected '>' at the end of the block's name");
    b->p++;
    return block;
}

static bool close_block(struct blocks *b, const struct tree *open)
{
    const char *start = b->p;

    b->p += 2;
    const char *name = b->p;
    while (b->p < b->end && *b->p != '>' && *b->p != '\n')
        b->p++;
    if (!is_at(b, '>'))
        return refuse(b, start, "expected '>' at the end of the block's name");
    size_t n = (size_t)(b->p - name);
    b->p++;
    if (open && open->key && strlen(open->key) == n && strncasecmp(name, open->key, n) == 0)
        return true;
    return refuse(b, start, "this closes another block than the one that is open");
}

struct tree *blocks_read(struct tree_maker *m, const char *text, size_t size)
{
    struct blocks b = { .m = m, .p = text, .end = text + size, .line_start = text, .line = 1 };
    struct tree *open[TREE_DEPTH_MAX + 1] = { tree_add(m, NULL, TREE_TABLE, NULL) };
    int depth = 0;

    for (;;) {
        skip_lines(&b);
        if (!open[0] || b.p == b.end)
            break;
        if (b.p + 1 < b.end && b.p[0] == '<' && b.p[1] == '/') {
            if (!close_block(&b, depth ? open[depth] : NULL))
                return NULL;
            depth--;
        } else if (is_at(&b, '<')) {
            if (depth == TREE_DEPTH_MAX)
                return refuse(&b, b.p, "more than 32 levels of blocks");
            open[depth + 1] = open_block(&b, open[depth]);
            if (!open[++depth])
                return NULL;
        } else if (!read_statement(&b, open[depth], false)) {
            return NULL;
        }
    }
    if (depth > 0) {
        tree_error(m, open[depth], E_SYNTAX, "the block <%s> is never closed",
                   open[depth]->key);
        return NULL;
    }
    return open[0];
}
