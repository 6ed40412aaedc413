/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes: which name means which binding, and what has to change for blocks to have their own
 * in a language that only knows functions.
 *
 * First every binding is declared, then every name is looked up. A let or const of a block
 * becomes a var of its function, under another name where anybody else could see it; one that
 * a closure keeps, in a loop, becomes the variable of a catch clause, the one block scope that
 * ES5 has: break, continue and return pass through it as they are.
 */
#include <string.h>

#include "gateway/codec/lower_tree.h"

enum { OCCURRENCES_MAX = 500 }; /* looked at for one binding; more of them: it is renamed */

struct walk {
    struct lowering *l;
    struct scope *scope;
    struct function *function;
    struct node *loop;
    struct scope *params; /* of the function whose default values these are */
};

/* ---- Declaring ---- */

static void declare_all(struct walk *w, struct node *n);

static struct scope *open_scope(struct walk *w, struct node *n)
{
    struct scope *s = lower_alloc(w->l, sizeof *s);

    if (!s)
        return NULL;
    *s = (struct scope){ .parent = w->scope, .function = w->function, .loop = w->loop };
    if (n)
        n->scope = s;
    w->scope = s;
    return s;
}

static void declare(struct walk *w, struct scope *s, uint32_t name, enum binding_kind kind)
{
    struct binding *b;

    if (!s || name == LOWER_NO_NAME)
        return;
    b = lower_alloc(w->l, sizeof *b);
    if (!b)
        return;
    *b = (struct binding){ .name = name,
                           .kind = (uint8_t)kind,
                           .is_inner = kind == BINDING_LEXICAL && !s->is_top,
                           .scope = s,
                           .next = s->first };
    s->first = b;
}

/* Names of a binding pattern; what else it holds is walked as usual. */
static void declare_target(struct walk *w, struct node *n, struct scope *s,
                           enum binding_kind kind)
{
    switch (n->kind) {
    case NODE_IDENT:
        declare(w, s, n->name, kind);
        n->function = w->function;
        return;
    case NODE_ASSIGN:
        declare_target(w, n->first, s, kind);
        declare_all(w, n->first->next);
        return;
    case NODE_PROPERTY:
        if (n->first != n->last)
            declare_all(w, n->first);
        declare_target(w, n->last, s, kind);
        return;
    case NODE_SPREAD:
    case NODE_ARRAY_PATTERN:
    case NODE_OBJECT_PATTERN:
        for (struct node *c = n->first; c; c = c->next)
            declare_target(w, c, s, kind);
        return;
    case NODE_HOLE:
        return;
    default:
        lower_refuse(w->l, n->start, "This cannot be declared.");
    }
}

static void declare_children(struct walk *w, struct node *n)
{
    for (struct node *c = n->first; c; c = c->next)
        declare_all(w, c);
}

static struct function *open_function(struct walk *w, struct node *n)
{
    struct function *f = lower_alloc(w->l, sizeof *f);

    if (!f)
        return NULL;
    *f = (struct function){ .node = n,
                            .parent = w->function,
                            .is_arrow = n && n->flags & IS_ARROW };
    w->function = f;
    w->loop = NULL;
    return f;
}

static void declare_function(struct walk *w, struct node *n)
{
    struct walk inner = *w;
    struct node *c = n->first;

    if (n->flags & IS_NAMED && n->flags & IS_DECLARED) {
        declare(w, w->function->scope, c->name, BINDING_FUNCTION);
        c->function = w->function;
    } else if (n->flags & IS_NAMED) {
        struct scope *own = open_scope(&inner, NULL);
        if (!own)
            return;
        own->is_function_name = own->is_top = true;
        declare(&inner, own, c->name, BINDING_FUNCTION);
        c->function = w->function;
    }
    struct function *f = open_function(&inner, n);
    struct scope *s = open_scope(&inner, NULL);
    if (!f || !s)
        return;
    n->own = f;
    f->scope = s;
    s->is_top = true;
    if (n->flags & IS_NAMED)
        c = c->next;
    for (struct node *p = c->first; p; p = p->next)
        declare_target(&inner, p, s, BINDING_PARAM);
    if (n->flags & IS_CONCISE)
        declare_all(&inner, c->next);
    else
        declare_children(&inner, c->next);
}

static void declare_declaration(struct walk *w, struct node *n)
{
    bool is_lexical = n->flags & IS_LEXICAL;

    for (struct node *d = n->first; d; d = d->next) {
        declare_target(w, d->first, is_lexical ? w->scope : w->function->scope,
                       is_lexical ? BINDING_LEXICAL : BINDING_VAR);
        if (d->first->next)
            declare_all(w, d->first->next);
    }
}

/* Its head is a scope of its own; the body has it as parent. */
static void declare_for(struct walk *w, struct node *n)
{
    struct walk inner = *w;
    struct scope *s;

    inner.loop = n;
    s = open_scope(&inner, n);
    if (!s)
        return;
    s->head = n;
    declare_children(&inner, n);
    for (struct binding *b = s->first; b; b = b->next)
        b->body_start = n->last->start;
}

static void declare_block(struct walk *w, struct node *n)
{
    struct walk inner = *w;

    if (open_scope(&inner, n))
        declare_children(&inner, n);
}

static void declare_catch(struct walk *w, struct node *n)
{
    struct walk inner = *w;

    if (!open_scope(&inner, n))
        return;
    if (!(n->flags & IS_BARE)) /* a name is scoped by the engine, a pattern becomes var */
        declare_target(&inner, n->first, inner.scope,
                       n->first->kind == NODE_IDENT ? BINDING_FUNCTION : BINDING_LEXICAL);
    declare_all(&inner, n->last);
}

/* What only makes sense as the parameters of an arrow that did not come. */
static void check_paren(struct walk *w, struct node *n)
{
    bool has_rest = false;

    for (struct node *c = n->first; c; c = c->next)
        has_rest |= c->kind == NODE_SPREAD;
    if (!n->first || has_rest || n->flags & HAS_COMMA)
        lower_refuse(w->l, n->start, "These parentheses hold no expression.");
    declare_children(w, n);
}

static void check_property(struct walk *w, struct node *n)
{
    if (n->flags & IS_SHORTHAND && n->last->kind == NODE_ASSIGN)
        lower_refuse(w->l, n->start, "A default value is only possible in a pattern.");
    declare_children(w, n);
}

static void declare_loop(struct walk *w, struct node *n)
{
    struct walk inner = *w;

    if (n->flags & IS_LOOP)
        inner.loop = n;
    declare_children(&inner, n);
}

static void declare_this(struct walk *w, struct node *n)
{
    struct function *f = w->function;

    while (f->is_arrow)
        f = f->parent;
    if (n->kind == NODE_NEW_TARGET && f != w->function)
        lower_refuse(w->l, n->start, "new.target in an arrow function is not supported.");
    if (f != w->function)
        f->lends_this = true;
    n->user = f == w->function ? NULL : f;
}

static void declare_assign_pattern(struct walk *w, struct node *n)
{
    for (struct node *c = n->first; c; c = c->next) {
        if (c->kind == NODE_PROPERTY)
            declare_children(w, c); /* defaults are allowed */
        else
            declare_all(w, c);
    }
}

/* Only now it is known that they are no patterns. */
static void note_spread(struct walk *w, const struct node *n)
{
    if (n->flags & HAS_SPREAD)
        w->l->found |= n->kind == NODE_ARRAY ? LOWER_SPREAD : LOWER_OBJECT_SPREAD;
}

static void declare_all(struct walk *w, struct node *n)
{
    if (w->l->error)
        return;
    switch (n->kind) {
    case NODE_FUNCTION:
        declare_function(w, n);
        return;
    case NODE_DECLARATION:
        declare_declaration(w, n);
        return;
    case NODE_FOR:
    case NODE_FOR_EACH:
        declare_for(w, n);
        return;
    case NODE_BLOCK:
    case NODE_SWITCH:
        declare_block(w, n);
        return;
    case NODE_CATCH:
        declare_catch(w, n);
        return;
    case NODE_PAREN:
        check_paren(w, n);
        return;
    case NODE_PROPERTY:
        check_property(w, n);
        return;
    case NODE_STATEMENT:
        declare_loop(w, n);
        return;
    case NODE_ARRAY_PATTERN:
    case NODE_OBJECT_PATTERN:
        declare_assign_pattern(w, n);
        return;
    case NODE_THIS:
    case NODE_NEW_TARGET:
        declare_this(w, n);
        return;
    case NODE_ARRAY:
    case NODE_OBJECT:
        note_spread(w, n);
        declare_children(w, n);
        return;
    case NODE_IDENT:
        n->function = w->function;
        return;
    default:
        declare_children(w, n);
    }
}

/* ---- Looking up ---- */

static void push_scope(struct lowering *l, struct scope *s)
{
    for (struct binding *b = s->first; b; b = b->next) {
        struct binding **top = &l->names[b->name].top;
        if (*top && (*top)->scope == s) {
            b->is_again = true;
            if (b->kind == BINDING_PARAM)
                (*top)->kind = BINDING_PARAM;
            continue;
        }
        b->hidden = *top;
        *top = b;
    }
}

static void pop_scope(struct lowering *l, struct scope *s)
{
    for (struct binding *b = s->first; b; b = b->next)
        if (!b->is_again)
            l->names[b->name].top = b->hidden;
}

static bool is_arguments(const struct lowering *l, const struct node *n)
{
    const struct name *name = &l->names[n->name];

    return name->size == 9 && memcmp(name->text, "arguments", 9) == 0;
}

/* The arguments of an arrow are those of the function around it. */
static void lend_arguments(struct node *n)
{
    struct function *f = n->function;

    while (f->is_arrow)
        f = f->parent;
    if (f != n->function && f->node)
        f->lends_arguments = true;
}

static void note_capture(struct walk *w, struct node *n, struct binding *b)
{
    struct scope *s = b->scope;

    if (b->kind != BINDING_LEXICAL)
        return;
    if (s->head && n->flags & IS_WRITTEN && n->start >= b->body_start)
        b->is_assigned = true;
    if (n->function == s->function || !s->loop)
        return;
    b->is_captured = true;
    if (s->head && s->head->kind == NODE_FOR && n->start < b->body_start)
        lower_refuse(w->l, n->start,
                     "A function in the head of a for statement that uses its variable '%.*s' "
                     "is not supported.",
                     (int)(w->l->names[b->name].size > 60 ? 60 : w->l->names[b->name].size),
                     w->l->names[b->name].text);
}

static void look_up(struct walk *w, struct node *n)
{
    struct name *name = &w->l->names[n->name];
    struct binding *b = name->top;

    /* Default values do not see what the body of their function declares. */
    if (b && b->scope == w->params && b->kind != BINDING_PARAM) {
        b->is_renamed = true;
        b = b->hidden;
    }
    n->binding = b;
    n->same = name->occurrence;
    name->occurrence = n;
    if (b)
        note_capture(w, n, b);
    else if (is_arguments(w->l, n))
        lend_arguments(n);
}

static void look_up_all(struct walk *w, struct node *n);

static void look_up_children(struct walk *w, struct node *n)
{
    for (struct node *c = n->first; c; c = c->next)
        look_up_all(w, c);
}

static void look_up_function(struct walk *w, struct node *n)
{
    struct scope *s = n->own->scope;
    struct node *c = n->first;
    struct scope *params = w->params;

    if (n->flags & IS_NAMED && !(n->flags & IS_DECLARED))
        push_scope(w->l, s->parent);
    if (n->flags & IS_NAMED) {
        look_up(w, c);
        c = c->next;
    }
    push_scope(w->l, s);
    w->params = s;
    look_up_children(w, c);
    w->params = params;
    if (n->flags & IS_CONCISE)
        look_up_all(w, c->next);
    else
        look_up_children(w, c->next);
    pop_scope(w->l, s);
    if (n->flags & IS_NAMED && !(n->flags & IS_DECLARED))
        pop_scope(w->l, s->parent);
}

static bool is_scope(const struct node *n)
{
    return n->kind == NODE_BLOCK || n->kind == NODE_SWITCH || n->kind == NODE_FOR ||
           n->kind == NODE_FOR_EACH || n->kind == NODE_CATCH;
}

static void look_up_all(struct walk *w, struct node *n)
{
    if (n->kind == NODE_IDENT) {
        look_up(w, n);
    } else if (n->kind == NODE_FUNCTION) {
        look_up_function(w, n);
    } else if (is_scope(n)) {
        push_scope(w->l, n->scope);
        look_up_children(w, n);
        pop_scope(w->l, n->scope);
    } else {
        look_up_children(w, n);
    }
}

/* ---- Renaming ---- */

static bool is_within(const struct function *f, const struct function *outer)
{
    while (f && f != outer)
        f = f->parent;
    return f == outer;
}

/* Somebody else in the function of the binding uses the name for something from there or from
 * farther out, and would see the var. */
static bool has_rival(const struct lowering *l, const struct binding *b)
{
    int looked = 0;

    for (struct node *n = l->names[b->name].occurrence; n; n = n->same) {
        if (++looked > OCCURRENCES_MAX)
            return true;
        if (n->binding == b || !is_within(n->function, b->scope->function))
            continue;
        if (!n->binding || n->binding->scope->function == b->scope->function ||
            !is_within(n->binding->scope->function, b->scope->function))
            return true;
    }
    return false;
}

static void name_scope(struct lowering *l, struct scope *s, const struct node *n)
{
    for (struct binding *b = s->first; b; b = b->next) {
        const struct name name = l->names[b->name];
        /* The catch clause of a switch goes around what it switches on too. */
        bool is_widened = b->is_captured && n->kind == NODE_SWITCH;
        if (b->is_again)
            continue;
        if (b->is_renamed || is_widened || (b->is_inner && has_rival(l, b)))
            b->text = lower_fresh(l, name.text, name.size);
        if (b->is_captured && s->head && n->kind == NODE_FOR)
            b->head_text = lower_fresh(l, name.text, name.size);
    }
}

static void name_all(struct lowering *l, struct node *n)
{
    if (l->error || n->kind == NODE_IDENT)
        return;
    if (n->kind == NODE_FUNCTION)
        name_scope(l, n->own->scope, n);
    else if (is_scope(n) && n->scope) /* the body of a function has none of its own */
        name_scope(l, n->scope, n);
    for (struct node *c = n->first; c; c = c->next)
        name_all(l, c);
}

/* ---- Function declarations in loops ---- */

/* The engine makes them when their function begins: out of reach of the catch clause. */
static bool uses_captured(const struct function *f, const struct node *n)
{
    if (n->kind == NODE_IDENT)
        return n->binding && n->binding->is_captured && n->binding->scope->function == f;
    for (const struct node *c = n->first; c; c = c->next)
        if (uses_captured(f, c))
            return true;
    return false;
}

static void check_functions(struct walk *w, struct node *n, const struct function *f, int depth)
{
    if (w->l->error || n->kind == NODE_IDENT)
        return;
    if (n->kind == NODE_FUNCTION) {
        if (n->flags & IS_DECLARED && depth > 0 && uses_captured(f, n->last))
            lower_refuse(
                w->l, n->start,
                "A function declared in a loop that uses a variable of the loop is not "
                "supported: assign it to a variable.");
        f = n->own;
        depth = 0;
    }
    bool is_loop = n->kind == NODE_FOR || n->kind == NODE_FOR_EACH ||
                   (n->kind == NODE_STATEMENT && n->flags & IS_LOOP);
    for (struct node *c = n->first; c; c = c->next)
        check_functions(w, c, f, depth + is_loop);
}

void lower_resolve(struct lowering *l)
{
    struct walk w = { .l = l };
    struct function *root = open_function(&w, NULL);
    struct scope *s = root ? open_scope(&w, l->program) : NULL;

    if (!s)
        return;
    root->scope = s;
    s->is_top = true;
    l->root = root;
    declare_children(&w, l->program);
    if (l->error)
        return;
    push_scope(l, s);
    look_up_children(&w, l->program);
    if (!l->error)
        check_functions(&w, l->program, root, 0);
    name_all(l, l->program);
}
