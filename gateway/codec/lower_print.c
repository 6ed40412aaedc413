/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/lower_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Core ---- */

void print_text(struct printer *p, const char *text)
{
    buf_puts(&p->out, text);
    p->edits++;
}

static void copy_squashed(struct printer *p, uint32_t from, uint32_t to)
{
    const char *src = p->l->src;

    for (uint32_t i = from; i < to; i++) {
        if (src[i] == '/' && i + 1 < to && src[i + 1] == '/') {
            while (i + 1 < to && src[i + 1] != '\n' && src[i + 1] != '\r')
                i++;
        } else if (src[i] == '/' && i + 1 < to && src[i + 1] == '*') {
            for (i += 2; i + 1 < to && !(src[i] == '*' && src[i + 1] == '/'); i++)
                continue;
            i++;
            buf_puts(&p->out, " ");
        } else if (src[i] == '\n' || src[i] == '\r') {
            buf_puts(&p->out, " ");
        } else {
            buf_put(&p->out, src + i, 1);
        }
    }
}

void print_copy(struct printer *p, uint32_t from, uint32_t to)
{
    if (from >= to)
        return;
    if (p->is_squashed) {
        copy_squashed(p, from, to);
        return;
    }
    buf_put(&p->out, p->l->src + from, to - from);
    p->line += lower_line_of(p->l, to) - lower_line_of(p->l, from);
}

void print_sync(struct printer *p, uint32_t at)
{
    uint32_t line = lower_line_of(p->l, at);

    for (; !p->is_squashed && p->line < line; p->line++)
        print_text(p, "\n");
}

void print_between(struct printer *p, struct node *first, uint32_t from, uint32_t to)
{
    for (struct node *c = first; c; c = c->next) {
        print_copy(p, from, c->start);
        print_node(p, c);
        from = c->end;
    }
    print_copy(p, from, to);
}

void print_moved(struct printer *p, struct node *n)
{
    bool was_squashed = p->is_squashed;

    print_sync(p, n->start);
    p->is_squashed |= p->line > lower_line_of(p->l, n->start);
    print_node(p, n);
    p->is_squashed = was_squashed;
}

void print_declare(struct printer *p, const char *name)
{
    struct temporary *t = lower_alloc(p->l, sizeof *t);

    if (!t)
        return;
    *t = (struct temporary){ .next = p->function->temporaries, .text = name };
    p->function->temporaries = t;
}

const char *print_temporary(struct printer *p)
{
    const char *name = lower_fresh(p->l, "_s", 2);

    print_declare(p, name);
    return name;
}

const char *print_binding(struct printer *p, const struct binding *b)
{
    const struct name *name = &p->l->names[b->name];

    if (b->text)
        return b->text;
    char *text = lower_alloc(p->l, name->size + 1);
    if (!text)
        return "_";
    memcpy(text, name->text, name->size);
    return text;
}

uint32_t print_hole(struct printer *p, const struct function *f)
{
    if (p->holes_n == p->holes_cap) {
        uint32_t cap = p->holes_cap ? p->holes_cap * 2 : 64;
        struct hole *holes = realloc(p->holes, cap * sizeof *holes);
        if (!holes) {
            lower_fail(p->l, -ENOMEM, 0, "There is not enough memory to rewrite the script.");
            return 0;
        }
        p->holes = holes;
        p->holes_cap = cap;
    }
    p->holes[p->holes_n] = (struct hole){ .pos = (uint32_t)p->out.size, .function = f };
    return p->holes_n++;
}

/* ---- Leaves ---- */

static void print_ident(struct printer *p, struct node *n)
{
    const struct binding *b = n->binding;
    const struct name *name = &p->l->names[n->name];

    if (b && b->head_text && n->start < b->body_start)
        print_text(p, b->head_text);
    else if (b && b->text)
        print_text(p, b->text);
    else if (!b && n->function->is_arrow && name->size == 9 &&
             memcmp(name->text, "arguments", 9) == 0 && p->arguments_name)
        print_text(p, p->arguments_name);
    else
        print_copy(p, n->start, n->end);
}

static void print_this(struct printer *p, struct node *n)
{
    if (n->user)
        print_text(p, p->this_name);
    else
        print_copy(p, n->start, n->end);
}

static void print_number(struct printer *p, struct node *n)
{
    for (uint32_t i = n->start; i < n->end; i++)
        if (p->l->src[i] != '_')
            buf_put(&p->out, p->l->src + i, 1);
    p->edits++;
}

/* A string may go on over lines behind a backslash. */
static void print_leaf(struct printer *p, struct node *n)
{
    if (!p->is_squashed) {
        print_copy(p, n->start, n->end);
        return;
    }
    const char *src = p->l->src;
    for (uint32_t i = n->start; i < n->end; i++) {
        if (src[i] == '\\' && i + 1 < n->end && (src[i + 1] == '\n' || src[i + 1] == '\r'))
            i += src[i + 1] == '\r' && i + 2 < n->end && src[i + 2] == '\n' ? 2 : 1;
        else
            buf_put(&p->out, src + i, 1);
        if (src[i] == '\\' && i + 1 < n->end)
            buf_put(&p->out, src + ++i, 1);
    }
}

static void print_group(struct printer *p, struct node *n)
{
    if (n->flags & IS_DELETE && n->first && n->first->kind == NODE_CHAIN)
        for (const struct node *c = n->first->first->next; c; c = c->next)
            if (c->flags & IS_OPTIONAL)
                lower_refuse(p->l, n->start, "delete with ?. is not supported.");
    print_between(p, n->first, n->start, n->end);
}

static void (*const printers[])(struct printer *p, struct node *n) = {
    [NODE_GROUP] = print_group,
    [NODE_STATEMENT] = print_statement,
    [NODE_BLOCK] = print_block,
    [NODE_FOR] = print_for,
    [NODE_FOR_EACH] = print_for_each,
    [NODE_CATCH] = print_catch,
    [NODE_DECLARATION] = print_declaration,
    [NODE_FUNCTION] = print_function,
    [NODE_IDENT] = print_ident,
    [NODE_THIS] = print_this,
    [NODE_LEAF] = print_leaf,
    [NODE_NUMBER] = print_number,
    [NODE_TEMPLATE] = print_template,
    [NODE_ARRAY] = print_array,
    [NODE_OBJECT] = print_object,
    [NODE_PROPERTY] = print_property,
    [NODE_ASSIGN] = print_assign,
    [NODE_NULLISH] = print_nullish,
    [NODE_CHAIN] = print_chain,
    [NODE_CALL] = print_call,
    [NODE_OBJECT_PATTERN] = NULL,
};

void print_node(struct printer *p, struct node *n)
{
    if (p->l->error)
        return;
    if (n->kind < sizeof printers / sizeof printers[0] && printers[n->kind])
        printers[n->kind](p, n);
    else if (n->kind == NODE_SWITCH)
        print_statements(p, n->first, n->start, n->end);
    else
        print_between(p, n->first, n->start, n->end);
}

/* ---- The whole ---- */

static void put_declared(struct buf *out, const char *name, const char *value, bool *is_first)
{
    buf_puts(out, *is_first ? " var " : ", ");
    buf_puts(out, name);
    if (value) {
        buf_puts(out, " = ");
        buf_puts(out, value);
    }
    *is_first = false;
}

static void fill_hole(const struct printer *p, const struct hole *h, struct buf *out)
{
    const struct function *f = h->function;
    bool is_first = true;

    if (!f) {
        if (h->has_semicolon)
            buf_puts(out, ";");
        return;
    }
    if (!f->lends_this && !f->lends_arguments && !f->temporaries)
        return;
    if (h->has_semicolon)
        buf_puts(out, ";");
    if (f->lends_this)
        put_declared(out, p->this_name, "this", &is_first);
    if (f->lends_arguments)
        put_declared(out, p->arguments_name, "arguments", &is_first);
    for (const struct temporary *t = f->temporaries; t; t = t->next)
        put_declared(out, t->text, NULL, &is_first);
    buf_puts(out, "; ");
}

static void print_program(struct printer *p)
{
    struct node *n = p->l->program, *first = n->first;
    uint32_t from = 0;

    if (p->l->size >= 2 && memcmp(p->l->src, "#!", 2) == 0) {
        print_text(p, "//");
        from = 2;
    }
    while (first && first->kind == NODE_STATEMENT && first->flags & IS_DIRECTIVE) {
        print_copy(p, from, first->start);
        print_node(p, first);
        from = first->end;
        if (!first->next || !(first->next->flags & IS_DIRECTIVE))
            break;
        first = first->next;
    }
    bool is_behind = from > 2;
    uint32_t hole = print_hole(p, p->l->root);
    if (is_behind && p->holes)
        p->holes[hole].has_semicolon = first->flags & IS_OPEN_ENDED;
    print_statements(p, is_behind ? first->next : first, from, n->end);
}

static int merge_holes(struct printer *p, char **ret, size_t *ret_size)
{
    struct buf out = BUF_INIT(LOWER_TEXT_MAX);
    uint32_t pos = 0;

    for (uint32_t i = 0; i < p->holes_n; i++) {
        buf_put(&out, p->out.data + pos, p->holes[i].pos - pos);
        pos = p->holes[i].pos;
        fill_hole(p, &p->holes[i], &out);
    }
    buf_put(&out, p->out.data + pos, p->out.size - pos);
    if (!buf_text(&out)) {
        buf_done(&out);
        return -E2BIG;
    }
    *ret = out.data;
    *ret_size = out.size;
    return 0;
}

void lower_print(struct lowering *l, char **ret, size_t *ret_size)
{
    struct printer p = { .l = l,
                         .out = BUF_INIT(LOWER_TEXT_MAX),
                         .line = 1,
                         .function = l->root,
                         .this_name = lower_fresh(l, "_this", 5),
                         .arguments_name = lower_fresh(l, "_arguments", 10) };

    print_program(&p);
    bool is_whole = !p.out.has_failed;
    if (is_whole && !l->error && p.edits > 0)
        is_whole = merge_holes(&p, ret, ret_size) == 0;
    if (!is_whole)
        lower_fail(l, -E2BIG, 0, "The rewritten script would be too large.");
    buf_done(&p.out);
    free(p.holes);
}
