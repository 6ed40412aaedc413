/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/lower_parse.h"

#include <errno.h>

bool parse_enter(struct parser *p)
{
    if (++p->depth > LOWER_DEPTH_MAX)
        lower_fail(p->l, -E2BIG, p->t.now.start, "The script is nested too deeply.");
    return !p->l->error;
}

void parse_leave(struct parser *p)
{
    p->depth--;
}

void parse_found(struct parser *p, enum lower_feature f)
{
    p->l->found |= f;
}

void parse_require(struct parser *p, bool is_so)
{
    if (!is_so)
        token_unexpected(&p->t);
}

bool parse_accept(struct parser *p, const char *punctuator)
{
    if (!token_is(&p->t, punctuator))
        return false;
    token_next(&p->t);
    return true;
}

void parse_expect(struct parser *p, const char *punctuator)
{
    if (!parse_accept(p, punctuator))
        token_unexpected(&p->t);
}

struct node *parse_close(struct parser *p, struct node *n)
{
    n->end = p->t.end_before;
    return n;
}

struct node *parse_leaf(struct parser *p, enum node_kind kind)
{
    struct node *n = lower_node(p->l, kind, p->t.now.start);
    char c = n->start < p->l->size ? p->l->src[n->start] : 0;

    if (kind == NODE_LEAF && (c == '"' || c == '\''))
        n->flags |= IS_STRING;
    if (p->t.now.has_separator) {
        p->l->found |= LOWER_NUMERIC_SEPARATOR;
        n->kind = NODE_NUMBER;
    } else if (kind == NODE_NUMBER) {
        n->kind = NODE_LEAF;
    }
    token_next(&p->t);
    return parse_close(p, n);
}

struct node *parse_ident(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_IDENT, p->t.now.start);

    if (p->t.now.type != TOKEN_NAME || parse_is_reserved(p)) {
        token_unexpected(&p->t);
        return n;
    }
    n->name = token_name(&p->t);
    token_next(&p->t);
    return parse_close(p, n);
}

static struct node *parse_statement(struct parser *p);

/* Closed by ; or by what automatic insertion accepts. */
static struct node *end_statement(struct parser *p, struct node *n)
{
    if (parse_accept(p, ";"))
        return parse_close(p, n);
    if (!p->t.now.is_after_newline && !token_is(&p->t, "}") && p->t.now.type != TOKEN_END)
        token_unexpected(&p->t);
    n->flags |= IS_OPEN_ENDED;
    return parse_close(p, n);
}

static void parse_statements(struct parser *p, struct node *list)
{
    while (!token_is(&p->t, "}") && p->t.now.type != TOKEN_END && !p->l->error)
        lower_append(p->l, list, parse_statement(p));
}

struct node *parse_block(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_BLOCK, p->t.now.start);

    parse_expect(p, "{");
    parse_statements(p, n);
    parse_expect(p, "}");
    return parse_close(p, n);
}

/* ---- Declarations ---- */

static bool is_let(const struct parser *p)
{
    struct parser ahead = *p;
    struct lowering probe;

    if (!token_is_word(&p->t, "let"))
        return false;
    probe = *p->l; /* a bad token ahead is the next one's affair */
    ahead.t.l = ahead.l = &probe;
    token_next(&ahead.t);
    if (ahead.t.now.type == TOKEN_NAME)
        return !token_is_word(&ahead.t, "in") && !token_is_word(&ahead.t, "instanceof");
    return token_is(&ahead.t, "[") || token_is(&ahead.t, "{");
}

static bool is_declaration(const struct parser *p)
{
    return token_is_word(&p->t, "var") || token_is_word(&p->t, "const") || is_let(p);
}

static struct node *parse_declarator(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_DECLARATOR, p->t.now.start);

    lower_append(p->l, n, parse_target(p));
    if (parse_accept(p, "="))
        lower_append(p->l, n, parse_assignment(p));
    return parse_close(p, n);
}

/* Without its semicolon. */
static struct node *parse_declaration(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_DECLARATION, p->t.now.start);

    if (!token_is_word(&p->t, "var")) {
        n->flags |= IS_LEXICAL;
        p->l->found |= token_is_word(&p->t, "let") ? LOWER_LET : LOWER_CONST;
    }
    n->at = p->t.now.end;
    token_next(&p->t);
    do
        lower_append(p->l, n, parse_declarator(p));
    while (parse_accept(p, ","));
    return parse_close(p, n);
}

/* ---- Statements ---- */

static struct node *parse_expression_statement(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);
    struct node *e = parse_expression(p);

    if (e->kind == NODE_IDENT && token_is(&p->t, ":")) { /* a label */
        token_next(&p->t);
        lower_append(p->l, n, parse_statement(p));
        return parse_close(p, n);
    }
    if (e->kind == NODE_LEAF && e->flags & IS_STRING)
        n->flags |= IS_DIRECTIVE;
    lower_append(p->l, n, e);
    return end_statement(p, n);
}

static void parse_condition(struct parser *p, struct node *n)
{
    parse_expect(p, "(");
    lower_append(p->l, n, parse_expression(p));
    parse_expect(p, ")");
}

/* Flat, however long its chain of else if. */
static struct node *parse_if(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    for (;;) {
        token_next(&p->t);
        parse_condition(p, n);
        lower_append(p->l, n, parse_statement(p));
        if (!token_is_word(&p->t, "else"))
            break;
        token_next(&p->t);
        if (token_is_word(&p->t, "if"))
            continue;
        lower_append(p->l, n, parse_statement(p));
        break;
    }
    return parse_close(p, n);
}

static struct node *parse_while(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    n->flags |= IS_LOOP;
    token_next(&p->t);
    parse_condition(p, n);
    lower_append(p->l, n, parse_statement(p));
    return parse_close(p, n);
}

static struct node *parse_do(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    n->flags |= IS_LOOP;
    token_next(&p->t);
    lower_append(p->l, n, parse_statement(p));
    if (!token_is_word(&p->t, "while"))
        token_unexpected(&p->t);
    token_next(&p->t);
    parse_condition(p, n);
    parse_accept(p, ";"); /* inserted even on the same line */
    return parse_close(p, n);
}

static struct node *parse_for_each(struct parser *p, struct node *n, struct node *target)
{
    n->kind = NODE_FOR_EACH;
    n->at = p->t.now.start;
    if (token_is_word(&p->t, "of")) {
        n->flags |= IS_OF;
        p->l->found |= LOWER_FOR_OF;
    }
    if (target->kind != NODE_DECLARATION)
        parse_as_pattern(p, target);
    token_next(&p->t);
    lower_append(p->l, n, target);
    lower_append(p->l, n, n->flags & IS_OF ? parse_assignment(p) : parse_expression(p));
    parse_expect(p, ")");
    lower_append(p->l, n, parse_statement(p));
    return parse_close(p, n);
}

static struct node *parse_for(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_FOR, p->t.now.start), *init = NULL;

    token_next(&p->t);
    if (token_is_word(&p->t, "await"))
        lower_refuse(p->l, n->start,
                     "async is not supported: this script needs ES5 transpiling.");
    parse_expect(p, "(");
    p->has_no_in = true;
    if (!token_is(&p->t, ";"))
        init = is_declaration(p) ? parse_declaration(p) : parse_expression(p);
    p->has_no_in = false;
    if (init && (token_is_word(&p->t, "of") || token_is_word(&p->t, "in")))
        return parse_for_each(p, n, init);
    if (init) {
        n->flags |= HAS_INIT;
        lower_append(p->l, n, init);
    }
    parse_expect(p, ";");
    if (!token_is(&p->t, ";"))
        lower_append(p->l, n, parse_expression(p));
    parse_expect(p, ";");
    if (!token_is(&p->t, ")"))
        lower_append(p->l, n, parse_expression(p));
    parse_expect(p, ")");
    lower_append(p->l, n, parse_statement(p));
    return parse_close(p, n);
}

/* break, continue, return, throw; break and continue have a label at most. */
static struct node *parse_jump(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);
    bool has_label = token_is_word(&p->t, "break") || token_is_word(&p->t, "continue");

    token_next(&p->t);
    if (p->t.now.is_after_newline || token_is(&p->t, ";") || token_is(&p->t, "}") ||
        p->t.now.type == TOKEN_END)
        return end_statement(p, n);
    if (has_label)
        token_next(&p->t);
    else
        lower_append(p->l, n, parse_expression(p));
    return end_statement(p, n);
}

static struct node *parse_catch(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_CATCH, p->t.now.start);

    token_next(&p->t);
    if (token_is(&p->t, "{")) {
        n->flags |= IS_BARE;
        p->l->found |= LOWER_BARE_CATCH;
        n->at = p->t.end_before;
    } else {
        parse_expect(p, "(");
        lower_append(p->l, n, parse_target(p));
        parse_expect(p, ")");
    }
    lower_append(p->l, n, parse_block(p));
    return parse_close(p, n);
}

static struct node *parse_try(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    token_next(&p->t);
    lower_append(p->l, n, parse_block(p));
    if (token_is_word(&p->t, "catch"))
        lower_append(p->l, n, parse_catch(p));
    if (token_is_word(&p->t, "finally")) {
        token_next(&p->t);
        lower_append(p->l, n, parse_block(p));
    }
    return parse_close(p, n);
}

static struct node *parse_cases(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_SWITCH, p->t.now.start);

    parse_expect(p, "{");
    while (!token_is(&p->t, "}") && !p->l->error) {
        if (token_is_word(&p->t, "case")) {
            token_next(&p->t);
            lower_append(p->l, n, parse_expression(p));
        } else if (token_is_word(&p->t, "default")) {
            token_next(&p->t);
        } else {
            token_unexpected(&p->t);
        }
        parse_expect(p, ":");
        while (!token_is_word(&p->t, "case") && !token_is_word(&p->t, "default") &&
               !token_is(&p->t, "}") && !p->l->error)
            lower_append(p->l, n, parse_statement(p));
    }
    parse_expect(p, "}");
    return parse_close(p, n);
}

static struct node *parse_switch(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    token_next(&p->t);
    parse_condition(p, n);
    lower_append(p->l, n, parse_cases(p));
    return parse_close(p, n);
}

static struct node *parse_with(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    token_next(&p->t);
    parse_condition(p, n);
    lower_append(p->l, n, parse_statement(p));
    return parse_close(p, n);
}

static struct node *parse_single(struct parser *p) /* ; and debugger */
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    if (parse_accept(p, ";"))
        return parse_close(p, n);
    token_next(&p->t);
    return end_statement(p, n);
}

static struct node *parse_function_statement(struct parser *p)
{
    return parse_function(p, true);
}

static struct node *parse_var(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_STATEMENT, p->t.now.start);

    lower_append(p->l, n, parse_declaration(p));
    return end_statement(p, n);
}

static struct node *parse_module(struct parser *p)
{
    lower_refuse(p->l, p->t.now.start,
                 "import and export are not supported: scripts are no modules.");
    return &p->l->spare;
}

static const struct {
    const char *word;
    struct node *(*parse)(struct parser *p);
} statements[] = {
    { "if", parse_if },           { "for", parse_for },
    { "while", parse_while },     { "do", parse_do },
    { "switch", parse_switch },   { "try", parse_try },
    { "with", parse_with },       { "break", parse_jump },
    { "continue", parse_jump },   { "return", parse_jump },
    { "throw", parse_jump },      { "function", parse_function_statement },
    { "debugger", parse_single }, { "import", parse_module },
    { "export", parse_module },
};

static struct node *parse_any(struct parser *p)
{
    if (token_is(&p->t, "{"))
        return parse_block(p);
    if (token_is(&p->t, ";"))
        return parse_single(p);
    if (is_declaration(p))
        return parse_var(p);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (token_is_word(&p->t, statements[i].word))
            return statements[i].parse(p);
    return parse_expression_statement(p);
}

static struct node *parse_statement(struct parser *p)
{
    struct node *n = parse_enter(p) ? parse_any(p) : &p->l->spare;

    parse_leave(p);
    return n;
}

void lower_parse(struct lowering *l)
{
    struct parser p = { .t = { .l = l }, .l = l };
    struct node *program = lower_node(l, NODE_BLOCK, 0);

    token_next(&p.t);
    parse_statements(&p, program);
    if (!l->error && p.t.now.type != TOKEN_END)
        token_unexpected(&p.t);
    program->end = l->size;
    l->program = program;
}
