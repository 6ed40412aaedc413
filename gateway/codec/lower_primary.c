/* SPDX-License-Identifier: Apache-2.0 */
/* Names, literals and lists, and the chains of members and calls on them. */
#include "gateway/codec/lower_parse.h"

/* ---- Lists ---- */

static struct node *parse_spread(struct parser *p)
{
    struct node *n = lower_node(p->l, NODE_SPREAD, p->t.now.start);

    token_next(&p->t);
    lower_append(p->l, n, parse_assignment(p));
    return parse_close(p, n);
}

void parse_elements(struct parser *p, struct node *list, const char *close, bool has_holes)
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
    parse_require(p, p->t.now.type == TOKEN_NAME || p->t.now.type == TOKEN_NUMBER ||
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
        parse_require(p, is_name && !(n->flags & (IS_COMPUTED | IS_ACCESSOR)));
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

    parse_found(p, LOWER_TEMPLATE);
    p->has_no_in = false;
    while (!p->l->error) {
        struct node *chunk = lower_node(p->l, NODE_CHUNK, pos);
        chunk->end = token_template_chunk(&p->t, pos, &is_last);
        lower_append(p->l, n, chunk);
        if (is_last)
            break;
        token_next(&p->t);
        lower_append(p->l, n, parse_expression(p));
        parse_require(p, token_is(&p->t, "}"));
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
        parse_found(p, LOWER_TRAILING_COMMA);
    if (n->flags & HAS_SPREAD)
        parse_found(p, LOWER_SPREAD);
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
    parse_require(p, p->t.now.type == TOKEN_NAME);
    token_next(&p->t);
}

/* One suffix; NULL when there is none. */
static struct node *parse_suffix(struct parser *p, bool may_call)
{
    struct node *n = lower_node(p->l, NODE_MEMBER, p->t.now.start);

    if (token_is(&p->t, "?.")) {
        n->flags |= IS_OPTIONAL;
        parse_found(p, LOWER_OPTIONAL_CHAIN);
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

struct node *parse_postfix(struct parser *p)
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
