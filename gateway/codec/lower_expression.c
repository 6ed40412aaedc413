/* SPDX-License-Identifier: Apache-2.0 */
/* Operators and assignments. Chains of operators and alternatives become flat nodes: what
 * follows copies operators as they are and has no need of their precedence. */
#include "gateway/codec/lower_parse.h"

/* ---- Operators ---- */

static bool is_prefix(const struct parser *p)
{
    static const char *const signs[] = { "+", "-", "~", "!", "++", "--" };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (token_is(&p->t, signs[i]))
            return true;
    return token_is_word(&p->t, "typeof") || token_is_word(&p->t, "void") ||
           token_is_word(&p->t, "delete");
}

static struct node *parse_unary(struct parser *p)
{
    struct node *group = NULL;
    bool is_step = false;

    while (is_prefix(p)) {
        if (!group)
            group = lower_node(p->l, NODE_GROUP, p->t.now.start);
        group->flags |= token_is_word(&p->t, "delete") ? IS_DELETE : 0;
        is_step = token_is(&p->t, "++") || token_is(&p->t, "--");
        token_next(&p->t);
    }
    struct node *n = parse_postfix(p);
    if (!group)
        return n;
    if (is_step && n->kind == NODE_IDENT)
        n->flags |= IS_WRITTEN;
    lower_append(p->l, group, n);
    return parse_close(p, group);
}

static bool is_binary(const struct parser *p)
{
    static const char *const signs[] = { "||",  "&&", "|", "^",  "&",  "==", "!=", "===",
                                         "!==", "<",  ">", "<=", ">=", "<<", ">>", ">>>",
                                         "+",   "-",  "*", "/",  "%",  "**" };

    if (p->t.now.type == TOKEN_NAME)
        return token_is_word(&p->t, "instanceof") ||
               (token_is_word(&p->t, "in") && !p->has_no_in);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (token_is(&p->t, signs[i]))
            return true;
    return false;
}

/* Operands between operators that are copied. `is_logical` when || or && was among them. */
static struct node *parse_operands(struct parser *p, bool *is_logical)
{
    struct node *n = parse_unary(p), *group = NULL;

    while (is_binary(p) && !p->l->error) {
        if (!group) {
            group = lower_node(p->l, NODE_GROUP, n->start);
            lower_append(p->l, group, n);
        }
        *is_logical |= token_is(&p->t, "||") || token_is(&p->t, "&&");
        token_next(&p->t);
        lower_append(p->l, group, parse_unary(p));
        parse_close(p, group);
    }
    return group ? group : n;
}

static struct node *parse_binary(struct parser *p)
{
    bool is_logical = false;
    struct node *n = parse_operands(p, &is_logical), *nullish = NULL;

    while (token_is(&p->t, "\?\?") && !p->l->error) {
        if (!nullish) {
            nullish = lower_node(p->l, NODE_NULLISH, n->start);
            lower_append(p->l, nullish, n);
            parse_found(p, LOWER_NULLISH);
        }
        token_next(&p->t);
        lower_append(p->l, nullish, parse_operands(p, &is_logical));
        parse_close(p, nullish);
        if (is_logical)
            lower_refuse(p->l, nullish->start, "\?\? beside || or && needs parentheses.");
    }
    return nullish ? nullish : n;
}

struct node *parse_conditional(struct parser *p)
{
    struct node *n = parse_binary(p);

    if (!token_is(&p->t, "?"))
        return n;
    struct node *group = lower_node(p->l, NODE_GROUP, n->start);
    bool had_no_in = p->has_no_in;
    lower_append(p->l, group, n);
    token_next(&p->t);
    p->has_no_in = false;
    lower_append(p->l, group, parse_assignment(p));
    p->has_no_in = had_no_in;
    parse_expect(p, ":");
    lower_append(p->l, group, parse_assignment(p));
    return parse_close(p, group);
}

/* ---- Assignments ---- */

static bool is_assignment(const struct parser *p)
{
    static const char *const signs[] = { "=",   "+=",   "-=", "*=", "/=", "%=", "<<=",
                                         ">>=", ">>>=", "&=", "|=", "^=", "**=" };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (token_is(&p->t, signs[i]))
            return true;
    return false;
}

/* `at` stays 0 for a plain =. */
static struct node *parse_value(struct parser *p, struct node *target)
{
    struct node *n = lower_node(p->l, NODE_ASSIGN, target->start);

    n->at = token_is(&p->t, "=") ? 0 : p->t.now.start;
    if (target->kind == NODE_IDENT)
        target->flags |= IS_WRITTEN;
    if (n->at == 0 && (target->kind == NODE_ARRAY || target->kind == NODE_OBJECT))
        parse_as_pattern(p, target);
    token_next(&p->t);
    lower_append(p->l, n, target);
    lower_append(p->l, n, parse_assignment(p));
    return parse_close(p, n);
}

static struct node *parse_arrow_or_value(struct parser *p)
{
    struct node *n = parse_conditional(p);

    if (token_is(&p->t, "\?\?=") || token_is(&p->t, "||=") || token_is(&p->t, "&&="))
        lower_refuse(p->l, p->t.now.start, "Logical assignment is not supported.");
    if (is_assignment(p))
        return parse_value(p, n);
    if (!token_is(&p->t, "=>"))
        return n;
    if (n->kind == NODE_CHAIN)
        lower_refuse(p->l, n->start,
                     "async is not supported: this script needs ES5 transpiling.");
    parse_require(p, (n->kind == NODE_IDENT || n->kind == NODE_PAREN) &&
                         !p->t.now.is_after_newline);
    return p->l->error ? n : parse_arrow(p, n);
}

struct node *parse_assignment(struct parser *p)
{
    struct node *n = parse_enter(p) ? parse_arrow_or_value(p) : &p->l->spare;

    parse_leave(p);
    return n;
}

struct node *parse_expression(struct parser *p)
{
    struct node *n = parse_assignment(p), *group = NULL;

    while (token_is(&p->t, ",") && !p->l->error) {
        if (!group) {
            group = lower_node(p->l, NODE_GROUP, n->start);
            lower_append(p->l, group, n);
        }
        token_next(&p->t);
        lower_append(p->l, group, parse_assignment(p));
        parse_close(p, group);
    }
    return group ? group : n;
}
