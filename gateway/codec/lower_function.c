/* SPDX-License-Identifier: Apache-2.0 */
/* Functions: arrows get a body, parameters become names, and what they did besides becomes
 * statements at the beginning of the body. */
#include <stdio.h>

#include "gateway/codec/lower_print.h"

static bool is_pattern(const struct node *n)
{
    return n->kind == NODE_ARRAY_PATTERN || n->kind == NODE_OBJECT_PATTERN;
}

/* The name or pattern without its default value. */
static struct node *bare_target(struct node *n)
{
    return n->kind == NODE_ASSIGN ? n->first : n;
}

static void print_params(struct printer *p, struct node *params)
{
    uint32_t from = params->start;

    if (params->flags & IS_BARE)
        print_text(p, "(");
    for (struct node *c = params->first; c; c = c->next) {
        struct node *target = bare_target(c);
        if (c->kind == NODE_SPREAD) {
            if (c == params->first)
                print_copy(p, from, c->start);
            p->edits++;
            from = c->end;
            break;
        }
        print_copy(p, from, c->start);
        if (is_pattern(target)) {
            target->holder = lower_fresh(p->l, "_p", 2);
            print_text(p, target->holder);
        } else {
            print_node(p, target);
        }
        p->edits += c->kind == NODE_ASSIGN;
        from = c->end;
    }
    for (; params->flags & HAS_COMMA && from < params->end; from++) {
        if (p->l->src[from] == ',') {
            from++;
            p->edits++;
            break;
        }
        print_copy(p, from, from + 1);
    }
    print_copy(p, from, params->end);
    if (params->flags & IS_BARE)
        print_text(p, ")");
}

/* "if (a === void 0) a = (value);" */
static void print_default(struct printer *p, struct node *target, const char *holder,
                          struct node *value)
{
    print_text(p, " if (");
    if (holder)
        print_text(p, holder);
    else
        print_node(p, target);
    print_text(p, " === void 0) ");
    if (holder)
        print_text(p, holder);
    else
        print_node(p, target);
    print_text(p, " = (");
    print_moved(p, value);
    print_text(p, ");");
}

static void print_rest(struct printer *p, struct node *target, unsigned index)
{
    char text[60];
    bool is_first = true;
    const char *holder = is_pattern(target) ? print_temporary(p) : NULL;

    print_text(p, " var ");
    if (holder)
        print_text(p, holder);
    else
        print_node(p, target);
    snprintf(text, sizeof text, " = [].slice.call(arguments, %u);", index);
    print_text(p, text);
    if (!holder)
        return;
    print_text(p, " var ");
    print_bind(p, target, &(struct place){ .base = holder }, &is_first);
    print_text(p, is_first ? "_;" : ";");
}

static void print_head(struct printer *p, struct node *params)
{
    unsigned index = 0;

    for (struct node *c = params->first; c; c = c->next, index++) {
        struct node *target = bare_target(c);
        bool is_first = true;
        if (c->kind == NODE_SPREAD) {
            print_rest(p, c->first, index);
            continue;
        }
        const char *holder = is_pattern(target) ? target->holder : NULL;
        if (c->kind == NODE_ASSIGN)
            print_default(p, target, holder, c->last);
        if (!holder || !target->first)
            continue;
        print_text(p, " var ");
        print_bind(p, target, &(struct place){ .base = holder }, &is_first);
        print_text(p, is_first ? "_;" : ";");
    }
}

static void print_body(struct printer *p, struct node *params, struct node *body)
{
    struct node *c = body->first;
    uint32_t from = body->start + 1;
    bool is_open = false;

    print_copy(p, body->start, from);
    while (c && c->kind == NODE_STATEMENT && c->flags & IS_DIRECTIVE &&
           params->flags & IS_SIMPLE) {
        print_copy(p, from, c->start);
        print_node(p, c);
        from = c->end;
        is_open = c->flags & IS_OPEN_ENDED;
        c = c->next;
    }
    uint32_t hole = print_hole(p, p->function);
    if (p->holes)
        p->holes[hole].has_semicolon = is_open;
    if (!(params->flags & IS_SIMPLE)) {
        print_head(p, params);
        print_sync(p, from);
    }
    print_statements(p, c, from, body->end);
}

static void print_concise(struct printer *p, struct node *n, struct node *params)
{
    struct node *body = n->last;

    print_text(p, " {");
    print_copy(p, n->at + 2, body->start);
    print_hole(p, p->function);
    if (!(params->flags & IS_SIMPLE)) {
        print_head(p, params);
        print_sync(p, body->start);
    }
    print_text(p, " return ");
    print_node(p, body);
    print_text(p, "; }");
}

void print_function(struct printer *p, struct node *n)
{
    struct node *params = n->flags & IS_NAMED ? n->first->next : n->first;
    struct function *outer = p->function;

    if (n->flags & IS_ARROW)
        print_text(p, "function ");
    else
        print_copy(p, n->start, n->first->start);
    if (n->flags & IS_NAMED) {
        print_node(p, n->first);
        print_copy(p, n->first->end, params->start);
    }
    p->function = n->own;
    print_params(p, params);
    if (n->flags & IS_ARROW)
        print_copy(p, params->end, n->at);
    if (n->flags & IS_CONCISE) {
        print_concise(p, n, params);
    } else {
        print_copy(p, n->flags & IS_ARROW ? n->at + 2 : params->end, n->last->start);
        print_body(p, params, n->last);
    }
    p->function = outer;
}
