/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations and destructuring. */
#include <stdio.h>

#include "gateway/codec/lower_print.h"

static bool is_pattern(const struct node *n)
{
    return n->kind == NODE_ARRAY_PATTERN || n->kind == NODE_OBJECT_PATTERN;
}

static bool is_plain_key(const struct printer *p, const struct node *key)
{
    char c = p->l->src[key->start];

    return !(key->kind == NODE_NUMBER || (c >= '0' && c <= '9') || c == '.' || c == '"' ||
             c == '\'');
}

void print_place(struct printer *p, const struct place *from)
{
    char index[16];

    print_text(p, from->base);
    if (from->key_text) {
        print_text(p, "[");
        print_text(p, from->key_text);
        print_text(p, "]");
    } else if (from->has_index) {
        snprintf(index, sizeof index, "[%u]", (unsigned)from->index);
        print_text(p, index);
    } else if (from->key && is_plain_key(p, from->key)) {
        print_text(p, ".");
        print_copy(p, from->key->start, from->key->end);
    } else if (from->key) {
        print_text(p, "[");
        print_moved(p, from->key);
        print_text(p, "]");
    }
}

static void print_comma(struct printer *p, bool *is_first)
{
    if (!*is_first)
        print_text(p, ", ");
    *is_first = false;
}

/* "t = from": a value that is looked at twice. */
static const char *print_held(struct printer *p, const struct place *from, bool *is_first)
{
    const char *t = print_temporary(p);

    print_comma(p, is_first);
    print_text(p, t);
    print_text(p, " = ");
    print_place(p, from);
    return t;
}

/* "(t === void 0 ? (value) : t)" */
static void print_or_default(struct printer *p, const char *t, struct node *value)
{
    print_text(p, t);
    print_text(p, " === void 0 ? (");
    print_moved(p, value);
    print_text(p, ") : ");
    print_text(p, t);
}

static void print_key_string(struct printer *p, const struct node *key, const char *text)
{
    if (text) {
        print_text(p, text);
        return;
    }
    bool is_quoted = is_plain_key(p, key);
    print_text(p, is_quoted ? "\"" : "");
    if (key->kind == NODE_NUMBER)
        print_moved(p, (struct node *)key);
    else
        print_copy(p, key->start, key->end);
    print_text(p, is_quoted ? "\"" : "");
}

/* "rest = __sluice_rest(base, [keys before it])" */
static void print_object_rest(struct printer *p, const struct node *pattern,
                              const struct node *spread, const char *base,
                              const char *const *computed, bool *is_first)
{
    size_t i = 0;

    print_comma(p, is_first);
    print_node(p, spread->first);
    print_text(p, " = __sluice_rest(");
    print_text(p, base);
    print_text(p, ", [");
    for (const struct node *c = pattern->first; c != spread; c = c->next, i++) {
        const struct node *key = c->flags & IS_SHORTHAND && c->first->kind == NODE_ASSIGN
                                     ? c->first->first
                                     : c->first;
        print_text(p, i ? ", " : "");
        print_key_string(p, key, computed[i]);
    }
    print_text(p, "])");
}

static void bind_object(struct printer *p, struct node *n, const char *base, bool *is_first)
{
    size_t count = 0, i = 0;
    bool has_rest = n->last && n->last->kind == NODE_SPREAD;

    for (const struct node *c = n->first; c; c = c->next)
        count++;
    const char **computed = lower_alloc(p->l, (count + 1) * sizeof *computed);
    if (!computed)
        return;
    for (struct node *c = n->first; c; c = c->next, i++) {
        if (c->kind == NODE_SPREAD) {
            print_object_rest(p, n, c, base, computed, is_first);
            continue;
        }
        struct place from = { .base = base, .key = c->first };
        if (c->flags & IS_SHORTHAND && c->first->kind == NODE_ASSIGN)
            from.key = c->first->first;
        if (c->flags & IS_COMPUTED) {
            computed[i] = print_temporary(p);
            print_comma(p, is_first);
            print_text(p, computed[i]);
            print_text(p, has_rest ? " = \"\" + (" : " = (");
            print_moved(p, c->first);
            print_text(p, ")");
            from.key_text = computed[i];
        }
        print_bind(p, c->last, &from, is_first);
    }
}

static void bind_array(struct printer *p, struct node *n, const struct place *whole,
                       bool *is_first)
{
    const char *base = print_temporary(p);
    uint32_t i = 0;
    char text[40];

    print_comma(p, is_first);
    print_text(p, base);
    print_text(p, " = __sluice_arr(");
    print_place(p, whole);
    print_text(p, ")");
    for (struct node *c = n->first; c; c = c->next, i++) {
        if (c->kind == NODE_HOLE)
            continue;
        if (c->kind != NODE_SPREAD) {
            print_bind(p, c, &(struct place){ .base = base, .has_index = true, .index = i },
                       is_first);
            continue;
        }
        const char *rest = print_temporary(p);
        snprintf(text, sizeof text, ".slice(%u)", (unsigned)i);
        print_text(p, ", ");
        print_text(p, rest);
        print_text(p, " = ");
        print_text(p, base);
        print_text(p, text);
        print_bind(p, c->first, &(struct place){ .base = rest }, is_first);
    }
}

static bool is_bare(const struct place *from)
{
    return !from->key && !from->key_text && !from->has_index;
}

void print_bind(struct printer *p, struct node *target, const struct place *from,
                bool *is_first)
{
    struct node *value = NULL;
    const char *held = NULL;

    if (target->kind == NODE_ASSIGN) {
        value = target->last;
        target = target->first;
        held = print_held(p, from, is_first);
    }
    while (target->kind == NODE_PAREN)
        target = target->first;
    if (value && is_pattern(target)) {
        print_text(p, ", ");
        print_text(p, held);
        print_text(p, " = ");
        print_or_default(p, held, value);
    } else if (target->kind == NODE_OBJECT_PATTERN && !is_bare(from)) {
        held = print_held(p, from, is_first);
    }
    if (target->kind == NODE_OBJECT_PATTERN) {
        bind_object(p, target, held ? held : from->base, is_first);
    } else if (target->kind == NODE_ARRAY_PATTERN) {
        bind_array(p, target, held ? &(struct place){ .base = held } : from, is_first);
    } else {
        print_comma(p, is_first);
        print_moved(p, target);
        print_text(p, " = ");
        if (value)
            print_or_default(p, held, value);
        else
            print_place(p, from);
    }
}

/* ---- Declarations ---- */

bool print_is_captured(const struct node *n)
{
    if (n->kind == NODE_IDENT)
        return n->binding && n->binding->is_captured;
    if (n->kind == NODE_ASSIGN)
        return print_is_captured(n->first);
    if (n->kind == NODE_PROPERTY)
        return print_is_captured(n->last);
    if (!is_pattern(n) && n->kind != NODE_SPREAD)
        return false;
    for (const struct node *c = n->first; c; c = c->next)
        if (print_is_captured(c))
            return true;
    return false;
}

void print_declare_others(struct printer *p, struct node *n)
{
    if (n->kind == NODE_IDENT) {
        if (n->binding && !n->binding->is_captured)
            print_declare(p, print_binding(p, n->binding));
    } else if (n->kind == NODE_ASSIGN) {
        print_declare_others(p, n->first);
    } else if (n->kind == NODE_PROPERTY) {
        print_declare_others(p, n->last);
    } else if (is_pattern(n) || n->kind == NODE_SPREAD) {
        for (struct node *c = n->first; c; c = c->next)
            print_declare_others(p, c);
    }
}

/* A declaration without a value sets none in ES5; in a loop the one of the turn before would
 * be left. */
static bool is_reset(const struct node *name)
{
    const struct binding *b = name->binding;

    return b && b->kind == BINDING_LEXICAL && b->scope->loop &&
           !(b->scope->head && b->scope->head->kind == NODE_FOR_EACH);
}

static void print_declarator(struct printer *p, struct node *n)
{
    struct node *target = n->first, *value = target->next;
    bool is_first = false;

    if (is_pattern(target) && value) {
        const char *t = print_temporary(p);
        print_sync(p, value->start);
        print_text(p, t);
        print_text(p, " = ");
        print_node(p, value);
        print_bind(p, target, &(struct place){ .base = t }, &is_first);
        return;
    }
    if (is_pattern(target))
        lower_refuse(p->l, target->start, "A pattern needs a value.");
    print_between(p, n->first, n->start, n->end);
    if (!value && is_reset(target))
        print_text(p, " = void 0");
}

void print_declaration(struct printer *p, struct node *n)
{
    bool is_captured = false;
    uint32_t from = n->at;

    for (const struct node *d = n->first; d; d = d->next) {
        const struct node *target = d->first;
        is_captured |= print_is_captured(target) && n->flags & IS_LEXICAL;
        /* The head of a for statement has names of its own for them. */
        if (target->kind == NODE_IDENT && target->binding && target->binding->head_text)
            is_captured = false;
    }
    if (is_captured)
        for (struct node *d = n->first; d; d = d->next)
            print_declare_others(p, d->first);
    if (is_captured) {
        p->edits++;
        from = n->first->start;
        print_sync(p, from);
    } else if (n->flags & IS_LEXICAL) {
        print_text(p, "var");
    } else {
        print_copy(p, n->start, from);
    }
    for (struct node *d = n->first; d; d = d->next) {
        print_copy(p, from, d->start);
        print_declarator(p, d);
        from = d->end;
    }
    print_copy(p, from, n->end);
}

void print_assign(struct printer *p, struct node *n)
{
    struct node *target = n->first, *value = target->next;
    bool is_first = false;

    if (!is_pattern(target)) {
        if (target->kind == NODE_CHAIN)
            for (const struct node *c = target->first->next; c; c = c->next)
                if (c->flags & IS_OPTIONAL)
                    lower_refuse(p->l, n->start, "?. cannot be assigned to.");
        print_between(p, n->first, n->start, n->end);
        return;
    }
    const char *t = print_temporary(p);
    print_text(p, "(");
    print_text(p, t);
    print_text(p, " = ");
    print_sync(p, value->start);
    print_node(p, value);
    print_bind(p, target, &(struct place){ .base = t }, &is_first);
    print_text(p, ", ");
    print_text(p, t);
    print_text(p, ")");
}
