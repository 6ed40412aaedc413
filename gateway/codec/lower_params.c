/* SPDX-License-Identifier: Apache-2.0 */
/* Functions and their parameters; what looked like expressions and turns out to be patterns. */
#include "gateway/codec/lower_parse.h"

/* ---- Patterns ---- */

static void property_as_pattern(struct parser *p, struct node *n)
{
    struct node *value = n->last;

    if (n->kind == NODE_SPREAD) {
        parse_as_pattern(p, n->first);
        return;
    }
    if (n->kind != NODE_PROPERTY || n->flags & (IS_METHOD | IS_ACCESSOR) || !value) {
        lower_refuse(p->l, n->start, "This cannot be assigned to.");
        return;
    }
    parse_as_pattern(p, value);
}

void parse_as_pattern(struct parser *p, struct node *n)
{
    if (n->kind == NODE_IDENT) {
        n->flags |= IS_WRITTEN;
    } else if (n->kind == NODE_ASSIGN && n->at == 0) { /* target = default */
        parse_as_pattern(p, n->first);
    } else if (n->kind == NODE_SPREAD) {
        parse_as_pattern(p, n->first);
    } else if (n->kind == NODE_ARRAY) {
        n->kind = NODE_ARRAY_PATTERN;
        parse_found(p, LOWER_DESTRUCTURING);
        for (struct node *c = n->first; c; c = c->next)
            parse_as_pattern(p, c);
    } else if (n->kind == NODE_OBJECT) {
        n->kind = NODE_OBJECT_PATTERN;
        parse_found(p, LOWER_DESTRUCTURING);
        for (struct node *c = n->first; c; c = c->next)
            property_as_pattern(p, c);
    } else if (n->kind == NODE_CHAIN) {
        if (n->last && n->last->kind == NODE_CALL)
            lower_refuse(p->l, n->start, "A call cannot be assigned to.");
    } else if (n->kind == NODE_PAREN && n->first && !n->first->next) {
        parse_as_pattern(p, n->first);
    } else if (n->kind != NODE_HOLE && n->kind != NODE_ARRAY_PATTERN &&
               n->kind != NODE_OBJECT_PATTERN) {
        lower_refuse(p->l, n->start, "This cannot be assigned to.");
    }
}

struct node *parse_target(struct parser *p)
{
    struct node *n;

    if (token_is(&p->t, "[") || token_is(&p->t, "{")) {
        bool had_no_in = p->has_no_in;
        n = parse_conditional(p);
        p->has_no_in = had_no_in;
        parse_as_pattern(p, n);
        parse_require(p, n->kind == NODE_ARRAY_PATTERN || n->kind == NODE_OBJECT_PATTERN);
        return n;
    }
    n = parse_ident(p);
    n->flags |= IS_WRITTEN;
    return n;
}

/* ---- Functions ---- */

static void note_params(struct parser *p, struct node *params)
{
    params->flags |= IS_SIMPLE;
    for (struct node *n = params->first; n; n = n->next) {
        if (n->kind != NODE_IDENT)
            params->flags &= ~(uint32_t)IS_SIMPLE;
        if (n->kind == NODE_ASSIGN)
            parse_found(p, LOWER_DEFAULT);
        if (n->kind == NODE_SPREAD)
            parse_found(p, LOWER_REST);
        if (n->kind == NODE_CHAIN || n->kind == NODE_PAREN ||
            (n->kind == NODE_SPREAD && n->next))
            lower_refuse(p->l, n->start, "This cannot be a parameter.");
        parse_as_pattern(p, n);
    }
    if (params->flags & HAS_COMMA)
        parse_found(p, LOWER_TRAILING_COMMA);
}

static struct node *parse_body(struct parser *p)
{
    bool had_no_in = p->has_no_in;

    p->has_no_in = false;
    struct node *body = parse_block(p);
    p->has_no_in = had_no_in;
    return body;
}

struct node *parse_arrow(struct parser *p, struct node *params)
{
    struct node *n = lower_node(p->l, NODE_FUNCTION, params->start);

    parse_found(p, LOWER_ARROW);
    n->flags |= IS_ARROW;
    n->at = p->t.now.start;
    if (params->kind == NODE_IDENT) {
        struct node *list = lower_node(p->l, NODE_PARAMS, params->start);
        list->end = params->end;
        list->flags |= IS_BARE;
        lower_append(p->l, list, params);
        params = list;
    }
    params->kind = NODE_PARAMS;
    note_params(p, params);
    lower_append(p->l, n, params);
    token_next(&p->t);
    if (token_is(&p->t, "{")) {
        lower_append(p->l, n, parse_body(p));
    } else {
        n->flags |= IS_CONCISE;
        lower_append(p->l, n, parse_assignment(p));
    }
    return parse_close(p, n);
}

void parse_function_rest(struct parser *p, struct node *function)
{
    struct node *params = lower_node(p->l, NODE_PARAMS, p->t.now.start);

    parse_expect(p, "(");
    parse_elements(p, params, ")", false);
    params->flags &= ~(uint32_t)HAS_SPREAD;
    note_params(p, params);
    lower_append(p->l, function, params);
    parse_require(p, token_is(&p->t, "{"));
    lower_append(p->l, function, parse_body(p));
    parse_close(p, function);
}

struct node *parse_function(struct parser *p, bool is_declared)
{
    struct node *n = lower_node(p->l, NODE_FUNCTION, p->t.now.start);

    n->flags |= is_declared ? IS_DECLARED : 0;
    token_next(&p->t);
    if (token_is(&p->t, "*"))
        lower_refuse(p->l, n->start,
                     "Generators are not supported: this script needs ES5 transpiling.");
    if (!token_is(&p->t, "(")) {
        n->flags |= IS_NAMED;
        lower_append(p->l, n, parse_ident(p));
    }
    parse_function_rest(p, n);
    return n;
}
