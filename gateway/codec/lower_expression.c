/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions. Chains of operators, members and alternatives become flat nodes: what follows
 * copies operators as they are and has no need of their precedence. */
#include <errno.h>
#include <string.h>

#include "gateway/codec/lower_parse.h"

static void found(struct parser *p, enum lower_feature f)
{
    p->l->found |= f;
}

static void require(struct parser *p, bool is_so)
{
    if (!is_so)
        token_unexpected(&p->t);
}

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
        found(p, LOWER_DESTRUCTURING);
        for (struct node *c = n->first; c; c = c->next)
            parse_as_pattern(p, c);
    } else if (n->kind == NODE_OBJECT) {
        n->kind = NODE_OBJECT_PATTERN;
        found(p, LOWER_DESTRUCTURING);
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
        require(p, n->kind == NODE_ARRAY_PATTERN || n->kind == NODE_OBJECT_PATTERN);
        return n;
    }
    n = parse_ident(p);
    n->flags |= IS_WRITTEN;
    return n;
}

/* ---- Lists ---- */

static struct node *parse_spread(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_SPREAD, p->t.now.start);

    token_next(&p->t);
    lower_append(p->l, n, parse_assignment(p));
    return parse_close(p, n);
}

/* Elements up to `close`, which is passed over; holes count where `has_holes`. */
static void parse_elements(struct parser *p, struct node *list, const char *close,
                           bool has_holes)
{
    bool had_no_in = p->has_no_in;

    p->has_no_in = false;
    while (!token_is(&p->t, close) && !p->l->error) {
        struct node *n;
        if (has_holes && token_is(&p->t, ",")) {
            n = lower_node(p->l, NODE_HOLE, p->t.now.start);
        } else if (token_is(&p->t, "...")) {
            n = parse_spread(p);
            list->flags |= HAS_SPREAD;
        } else {
            n = parse_assignment(p);
        }
        lower_append(p->l, list, n);
        if (token_is(&p->t, close))
            break;
        parse_expect(p, ",");
        if (token_is(&p->t, close))
            list->flags |= HAS_COMMA;
    }
    p->has_no_in = had_no_in;
    parse_expect(p, close);
    parse_close(p, list);
}

static struct node *parse_array(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_ARRAY, p->t.now.start);

    token_next(&p->t);
    parse_elements(p, n, "]", true);
    return n;
}

static bool is_key_end(struct parser *p)
{
    return token_is(&p->t, ",") || token_is(&p->t, "}") || token_is(&p->t, ":") ||
           token_is(&p->t, "(") || token_is(&p->t, "=") || p->t.now.type == TOKEN_END;
}

/* The name of a property; a name may turn out to be shorthand. */
static struct node *parse_key(struct parser *p, struct node *property)
{
    if (token_is(&p->t, "[")) {
        token_next(&p->t);
        property->flags |= IS_COMPUTED;
        struct node *key = parse_assignment(p);
        parse_expect(p, "]");
        return key;
    }
    require(p, p->t.now.type == TOKEN_NAME || p->t.now.type == TOKEN_NUMBER ||
                   p->t.now.type == TOKEN_STRING);
    if (p->t.now.type == TOKEN_NUMBER)
        return parse_leaf(p, NODE_NUMBER);
    struct node *key = parse_leaf(p, NODE_LEAF);
    return key;
}

static void parse_method(struct parser *p, struct node *property)
{
    struct node *f = lower_node(p->l, NODE_FUNCTION, p->t.now.start);

    f->flags |= IS_METHOD;
    parse_function_rest(p, f);
    lower_append(p->l, property, f);
}

/* {a}, {a = 1}: the value is a name with the place of the key. */
static void parse_shorthand(struct parser *p, struct node *property, struct node *key,
                            uint32_t name)
{
    struct node *value = lower_node(p->l, NODE_IDENT, key->start);

    value->end = key->end;
    value->name = name;
    property->flags |= IS_SHORTHAND;
    if (!token_is(&p->t, "=")) {
        lower_append(p->l, property, value);
        return;
    }
    struct node *n = lower_node(p->l, NODE_ASSIGN, key->start);
    token_next(&p->t);
    lower_append(p->l, n, value);
    lower_append(p->l, n, parse_assignment(p));
    lower_append(p->l, property, parse_close(p, n));
}

static struct node *parse_property(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_PROPERTY, p->t.now.start);
    bool is_async = token_is_word(&p->t, "async");
    bool is_accessor = token_is_word(&p->t, "get") || token_is_word(&p->t, "set");
    bool is_name = p->t.now.type == TOKEN_NAME && !parse_is_reserved(p);

    if (token_is(&p->t, "*"))
        lower_refuse(p->l, n->start,
                     "Generators are not supported: this script needs ES5 transpiling.");
    uint32_t name = is_name ? token_name(&p->t) : LOWER_NO_NAME;
    struct node *key = parse_key(p, n);
    if (is_async && !is_key_end(p))
        lower_refuse(p->l, n->start,
                     "async is not supported: this script needs ES5 transpiling.");
    if (is_accessor && !is_key_end(p)) {
        n->flags |= IS_ACCESSOR;
        key = parse_key(p, n);
    }
    if (!(n->flags & IS_SHORTHAND) && token_is(&p->t, ":")) {
        token_next(&p->t);
        lower_append(p->l, n, key);
        lower_append(p->l, n, parse_assignment(p));
    } else if (token_is(&p->t, "(")) {
        n->flags |= n->flags & IS_ACCESSOR ? 0 : IS_METHOD;
        lower_append(p->l, n, key);
        parse_method(p, n);
    } else {
        require(p, is_name && !(n->flags & (IS_COMPUTED | IS_ACCESSOR)));
        parse_shorthand(p, n, key, name);
    }
    return parse_close(p, n);
}

static struct node *parse_object(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_OBJECT, p->t.now.start);
    bool had_no_in = p->has_no_in;

    p->has_no_in = false;
    token_next(&p->t);
    while (!token_is(&p->t, "}") && !p->l->error) {
        if (token_is(&p->t, "...")) {
            lower_append(p->l, n, parse_spread(p));
            n->flags |= HAS_SPREAD;
        } else {
            lower_append(p->l, n, parse_property(p));
        }
        if (!token_is(&p->t, "}"))
            parse_expect(p, ",");
    }
    p->has_no_in = had_no_in;
    parse_expect(p, "}");
    return parse_close(p, n);
}

/* ---- Primaries ---- */

static struct node *parse_template(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_TEMPLATE, p->t.now.start);
    uint32_t pos = p->t.now.end;
    bool had_no_in = p->has_no_in, is_last = false;

    found(p, LOWER_TEMPLATE);
    p->has_no_in = false;
    while (!p->l->error) {
        struct node *chunk = lower_node(p->l, NODE_CHUNK, pos);
        chunk->end = token_template_chunk(&p->t, pos, &is_last);
        lower_append(p->l, n, chunk);
        if (is_last)
            break;
        token_next(&p->t);
        lower_append(p->l, n, parse_expression(p));
        require(p, token_is(&p->t, "}"));
        pos = p->t.now.end;
    }
    p->has_no_in = had_no_in;
    p->t.now.end = p->t.pos;
    token_next(&p->t);
    return parse_close(p, n);
}

/* Parameters of an arrow look the same so far; lower_resolve() refuses what has turned out to
 * be none. */
static struct node *parse_paren(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_PAREN, p->t.now.start);

    token_next(&p->t);
    parse_elements(p, n, ")", false);
    return n;
}

bool parse_is_reserved(const struct parser *p)
{
    static const char *const words[] = {
        "break",  "case",     "catch",  "class",  "const",  "continue",   "debugger", "default",
        "delete", "do",       "else",   "enum",   "export", "extends",    "false",    "finally",
        "for",    "function", "if",     "import", "in",     "instanceof", "new",      "null",
        "return", "super",    "switch", "this",   "throw",  "true",       "try",      "typeof",
        "var",    "void",     "while",  "with",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (token_is_word(&p->t, words[i]))
            return true;
    return false;
}

/* Words of an expression that are no names; NULL for others. */
static struct node *parse_word(struct parser *p)
{
    if (token_is_word(&p->t, "this"))
        return parse_leaf(p, NODE_THIS);
    if (token_is_word(&p->t, "null") || token_is_word(&p->t, "true") ||
        token_is_word(&p->t, "false"))
        return parse_leaf(p, NODE_LEAF);
    if (token_is_word(&p->t, "function"))
        return parse_function(p, false);
    if (token_is_word(&p->t, "class"))
        lower_refuse(p->l, p->t.now.start,
                     "Classes are not supported: this script needs ES5 transpiling.");
    if (token_is_word(&p->t, "super") || token_is_word(&p->t, "import"))
        lower_refuse(p->l, p->t.now.start, "'%s' is not supported.",
                     token_is_word(&p->t, "super") ? "super" : "import");
    return NULL;
}

static struct node *parse_name(struct parser *p)
{
    bool is_async = token_is_word(&p->t, "async");
    struct node *n = parse_ident(p);

    if (!is_async || p->t.now.is_after_newline)
        return n;
    if (token_is(&p->t, "=>"))
        return n; /* async is the parameter */
    if (token_is_word(&p->t, "function") ||
        (p->t.now.type == TOKEN_NAME && !parse_is_reserved(p) && !token_is_word(&p->t, "of")))
        lower_refuse(p->l, n->start,
                     "async is not supported: this script needs ES5 transpiling.");
    return n;
}

static struct node *parse_primary(struct parser *p)
{
    struct node *n;

    switch (p->t.now.type) {
    case TOKEN_NAME:
        n = parse_word(p);
        if (n)
            return n;
        return parse_name(p);
    case TOKEN_NUMBER:
        return parse_leaf(p, NODE_NUMBER);
    case TOKEN_STRING:
        return parse_leaf(p, NODE_LEAF);
    case TOKEN_TEMPLATE:
        return parse_template(p);
    case TOKEN_PUNCTUATOR:
        if (token_is(&p->t, "("))
            return parse_paren(p);
        if (token_is(&p->t, "["))
            return parse_array(p);
        if (token_is(&p->t, "{"))
            return parse_object(p);
        if (token_is(&p->t, "/") || token_is(&p->t, "/=")) {
            token_as_regexp(&p->t);
            return parse_leaf(p, NODE_LEAF);
        }
        break;
    case TOKEN_END:
        break;
    }
    token_unexpected(&p->t);
    return &p->l->spare;
}

/* ---- Chains ---- */

static void parse_call(struct parser *p, struct node *n)
{
    n->kind = NODE_CALL;
    token_next(&p->t);
    parse_elements(p, n, ")", false);
    if (n->flags & HAS_COMMA)
        found(p, LOWER_TRAILING_COMMA);
    if (n->flags & HAS_SPREAD)
        found(p, LOWER_SPREAD);
}

static void parse_index(struct parser *p, struct node *n)
{
    bool had_no_in = p->has_no_in;

    n->kind = NODE_INDEX;
    p->has_no_in = false;
    token_next(&p->t);
    lower_append(p->l, n, parse_expression(p));
    p->has_no_in = had_no_in;
    parse_expect(p, "]");
}

static void parse_member(struct parser *p)
{
    require(p, p->t.now.type == TOKEN_NAME);
    token_next(&p->t);
}

/* One suffix; NULL when there is none. */
static struct node *parse_suffix(struct parser *p, bool may_call)
{
    struct node *n = lower_node(p->l, NODE_MEMBER, p->t.now.start);

    if (token_is(&p->t, "?.")) {
        n->flags |= IS_OPTIONAL;
        found(p, LOWER_OPTIONAL_CHAIN);
        token_next(&p->t);
        if (token_is(&p->t, "("))
            parse_call(p, n);
        else if (token_is(&p->t, "["))
            parse_index(p, n);
        else
            parse_member(p);
    } else if (token_is(&p->t, ".")) {
        token_next(&p->t);
        parse_member(p);
    } else if (token_is(&p->t, "[")) {
        parse_index(p, n);
    } else if (may_call && token_is(&p->t, "(")) {
        parse_call(p, n);
    } else {
        if (p->t.now.type == TOKEN_TEMPLATE)
            lower_refuse(p->l, p->t.now.start, "Tagged templates are not supported.");
        return NULL;
    }
    return parse_close(p, n);
}

static struct node *parse_suffixes(struct parser *p, struct node *head, bool may_call)
{
    struct node *chain = NULL, *suffix;

    while (!p->l->error && (suffix = parse_suffix(p, may_call)) != NULL) {
        if (!chain) {
            chain = lower_node(p->l, NODE_CHAIN, head->start);
            lower_append(p->l, chain, head);
        }
        lower_append(p->l, chain, suffix);
        parse_close(p, chain);
    }
    return chain ? chain : head;
}

static struct node *parse_new(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_NEW, p->t.now.start);
    bool may_go_on = parse_enter(p);

    token_next(&p->t);
    if (token_is(&p->t, ".")) {
        token_next(&p->t);
        parse_member(p);
        n->kind = NODE_NEW_TARGET;
    } else if (may_go_on) {
        struct node *callee = token_is_word(&p->t, "new") ? parse_new(p) : parse_primary(p);
        lower_append(p->l, n, parse_suffixes(p, callee, false));
        if (token_is(&p->t, "(")) {
            struct node *call = lower_node(p->l, NODE_CALL, p->t.now.start);
            parse_call(p, call);
            lower_append(p->l, n, call);
            if (call->flags & HAS_SPREAD)
                lower_refuse(p->l, n->start, "'new' with spread arguments is not supported.");
        }
    }
    parse_leave(p);
    return parse_close(p, n);
}

static struct node *parse_postfix(struct parser *p)
{
    struct node *head = token_is_word(&p->t, "new") ? parse_new(p) : parse_primary(p);
    struct node *n = parse_suffixes(p, head, true);

    if (p->t.now.is_after_newline || !(token_is(&p->t, "++") || token_is(&p->t, "--")))
        return n;
    struct node *group = lower_node(p->l, NODE_GROUP, n->start);
    if (n->kind == NODE_IDENT)
        n->flags |= IS_WRITTEN;
    token_next(&p->t);
    lower_append(p->l, group, n);
    return parse_close(p, group);
}

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
            found(p, LOWER_NULLISH);
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

/* ---- Functions ---- */

static void note_params(struct parser *p, struct node *params)
{
    params->flags |= IS_SIMPLE;
    for (struct node *n = params->first; n; n = n->next) {
        if (n->kind != NODE_IDENT)
            params->flags &= ~(uint32_t)IS_SIMPLE;
        if (n->kind == NODE_ASSIGN)
            found(p, LOWER_DEFAULT);
        if (n->kind == NODE_SPREAD)
            found(p, LOWER_REST);
        if (n->kind == NODE_CHAIN || n->kind == NODE_PAREN ||
            (n->kind == NODE_SPREAD && n->next))
            lower_refuse(p->l, n->start, "This cannot be a parameter.");
        parse_as_pattern(p, n);
    }
    if (params->flags & HAS_COMMA)
        found(p, LOWER_TRAILING_COMMA);
}

static struct node *parse_body(struct parser *p)
{
    bool had_no_in = p->has_no_in;

    p->has_no_in = false;
    struct node *body = parse_block(p);
    p->has_no_in = had_no_in;
    return body;
}

static struct node *parse_arrow(struct parser *p, struct node *params)
{
    struct node *n = lower_node(p->l, NODE_FUNCTION, params->start);

    found(p, LOWER_ARROW);
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
    require(p, token_is(&p->t, "{"));
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
    require(p, (n->kind == NODE_IDENT || n->kind == NODE_PAREN) && !p->t.now.is_after_newline);
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
