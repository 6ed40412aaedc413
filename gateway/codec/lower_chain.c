/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, lists with spread elements, chains of members and calls, and ??. */
#include <errno.h>
#include <string.h>

#include "gateway/codec/lower_print.h"

/* ---- Templates ---- */

/* A line break of the template stays one of the source: "\n\" and the break. */
static uint32_t print_break(struct printer *p, uint32_t i, uint32_t end, bool is_escaped)
{
    uint32_t n = p->l->src[i] == '\r' && i + 1 < end && p->l->src[i + 1] == '\n' ? 2 : 1;

    if (!is_escaped)
        print_text(p, "\\n");
    if (!p->is_squashed) {
        print_text(p, "\\");
        print_copy(p, i, i + n);
    }
    return i + n;
}

static void print_chunk(struct printer *p, const struct node *n)
{
    const char *src = p->l->src;

    print_text(p, "\"");
    for (uint32_t i = n->start; i < n->end;) {
        bool is_escape = src[i] == '\\' && i + 1 < n->end;
        char c = src[is_escape ? i + 1 : i];
        if (c == '\n' || c == '\r') {
            i = print_break(p, is_escape ? i + 1 : i, n->end, is_escape);
        } else if (is_escape && (c == '`' || c == '$' || c == '{')) {
            print_copy(p, i + 1, i + 2);
            i += 2;
        } else if (c == '"') {
            print_text(p, "\\\"");
            i += is_escape ? 2 : 1;
        } else if (!is_escape && i + 2 < n->end && memcmp(src + i, "\xe2\x80", 2) == 0 &&
                   (src[i + 2] == '\xa8' || src[i + 2] == '\xa9')) {
            print_text(p, src[i + 2] == '\xa8' ? "\\u2028" : "\\u2029");
            i += 3;
        } else {
            buf_put(&p->out, src + i, is_escape ? 2 : 1);
            i += is_escape ? 2 : 1;
        }
    }
    print_text(p, "\"");
}

/* concat() makes text of its arguments as a template does; + would ask valueOf() first. */
void print_template(struct printer *p, struct node *n)
{
    struct node *chunk = n->first;

    print_text(p, "(");
    print_chunk(p, chunk);
    if (chunk->next)
        print_text(p, ".concat(");
    while (chunk->next) {
        struct node *e = chunk->next, *next = e->next;
        bool is_list = e->kind == NODE_GROUP;
        print_copy(p, chunk->end + 2, e->start);
        print_text(p, is_list ? "(" : "");
        print_node(p, e);
        print_text(p, is_list ? ")" : "");
        print_copy(p, e->end, next->start - 1);
        if (next->start < next->end) {
            print_text(p, ", ");
            print_chunk(p, next);
        }
        print_text(p, next->next ? ", " : ")");
        chunk = next;
    }
    print_text(p, ")");
}

/* ---- Lists ---- */

/* What lies between, without its comma. */
static void print_without_comma(struct printer *p, uint32_t from, uint32_t to)
{
    const char *src = p->l->src;

    for (uint32_t i = from; i < to; i++) {
        uint32_t start = i;
        if (src[i] == '/' && i + 1 < to && src[i + 1] == '/') {
            while (i + 1 < to && src[i + 1] != '\n' && src[i + 1] != '\r')
                i++;
        } else if (src[i] == '/' && i + 1 < to && src[i + 1] == '*') {
            for (i += 2; i + 1 < to && !(src[i] == '*' && src[i + 1] == '/'); i++)
                continue;
            i++;
        } else if (src[i] == ',') {
            print_copy(p, i + 1, to);
            p->edits++;
            return;
        }
        print_copy(p, start, i + 1 < to ? i + 1 : to);
    }
}

/* Runs of elements between spread ones become lists of their own: open run close, ... */
static void print_runs(struct printer *p, struct node *n, const char *open, const char *close,
                       const char *spread)
{
    uint32_t from = n->start + 1;
    bool is_run = false;
    const struct node *before = NULL;

    for (struct node *c = n->first; c; before = c, c = c->next) {
        if (is_run && c->kind == NODE_SPREAD) {
            print_text(p, before->kind == NODE_HOLE ? "," : "");
            print_text(p, close);
            is_run = false;
        }
        print_copy(p, from, c->start);
        if (c->kind == NODE_SPREAD) {
            print_text(p, spread);
            print_copy(p, c->start + 3, c->first->start);
            print_node(p, c->first);
            print_text(p, spread[0] ? ")" : "");
        } else {
            print_text(p, is_run ? "" : open);
            is_run = true;
            print_node(p, c);
        }
        from = c->end;
    }
    if (is_run) {
        print_copy(p, from, n->end - 1);
        print_text(p, close);
    } else {
        print_without_comma(p, from, n->end - 1);
    }
}

/* The arguments or elements as one array. */
static void print_spread(struct printer *p, struct node *n)
{
    print_text(p, "[].concat(");
    print_runs(p, n, "[", "]", "__sluice_arr(");
    print_text(p, ")");
}

void print_array(struct printer *p, struct node *n)
{
    if (n->flags & HAS_SPREAD)
        print_spread(p, n);
    else
        print_between(p, n->first, n->start, n->end);
}

void print_object(struct printer *p, struct node *n)
{
    bool is_after_spread = false;

    if (!(n->flags & HAS_SPREAD)) {
        print_between(p, n->first, n->start, n->end);
        return;
    }
    for (const struct node *c = n->first; c; c = c->next) {
        if (is_after_spread && c->flags & IS_ACCESSOR)
            lower_refuse(p->l, c->start, "A getter or setter after ... is not supported.");
        is_after_spread |= c->kind == NODE_SPREAD;
    }
    print_text(p, n->first->kind == NODE_SPREAD ? "__sluice_assign({}, " : "__sluice_assign(");
    print_runs(p, n, "{", "}", "");
    print_text(p, ")");
}

/* Methods and shorthand named get and set are what the engine's parser does not take. */
static bool is_accessor_name(const struct printer *p, const struct node *key)
{
    const char *name = p->l->src + key->start;

    return key->end - key->start == 3 &&
           (memcmp(name, "get", 3) == 0 || memcmp(name, "set", 3) == 0);
}

void print_property(struct printer *p, struct node *n)
{
    struct node *value = n->first;

    if (n->flags & IS_SHORTHAND && value->kind == NODE_IDENT) {
        uint32_t pos = (uint32_t)p->out.size, edits = p->edits;
        print_node(p, value);
        if (p->out.has_failed || (p->edits == edits && !is_accessor_name(p, value)))
            return;
        p->out.size = pos;
        print_copy(p, value->start, value->end);
        print_text(p, ": ");
        print_node(p, value);
        return;
    }
    if (n->flags & IS_METHOD && !(n->flags & IS_COMPUTED) && is_accessor_name(p, n->first)) {
        print_copy(p, n->start, n->first->end);
        print_text(p, ": function ");
        print_between(p, n->last, n->first->end, n->end);
        return;
    }
    print_between(p, n->first, n->start, n->end);
}

void print_call(struct printer *p, struct node *n)
{
    if (!(n->flags & HAS_COMMA)) {
        print_between(p, n->first, n->start, n->end);
        return;
    }
    print_between(p, n->first, n->start, n->last->end);
    print_without_comma(p, n->last->end, n->end);
}

/* ---- Chains ---- */

/* Suffixes s[0..n) on a name of ours or on the head of the chain. */
struct chain {
    const char *base; /* NULL: the head */
    struct node *head;
    struct node **s;
    uint32_t n;
};

static void print_part(struct printer *p, const struct chain *c);

static bool is_member(const struct node *s)
{
    return s->kind == NODE_MEMBER || s->kind == NODE_INDEX;
}

static void print_base(struct printer *p, const struct chain *c)
{
    if (c->base)
        print_text(p, c->base);
    else
        print_node(p, c->head);
}

/* One suffix without spread elements; its ?. counts no more. */
static void print_suffix(struct printer *p, struct node *s)
{
    print_sync(p, s->start);
    if (p->l->src[s->start] != '?') {
        print_node(p, s);
        return;
    }
    uint32_t skip = s->kind == NODE_MEMBER ? 1 : 2;
    struct node plain = *s;
    plain.start += skip;
    print_node(p, &plain);
}

static void print_suffixes(struct printer *p, struct node **s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        print_suffix(p, s[i]);
}

/* As arguments of apply(). */
static void print_arguments(struct printer *p, struct node *call)
{
    struct node plain = *call;

    if (p->l->src[call->start] == '?')
        plain.start += 2;
    print_spread(p, &plain);
}

/* "((t = value) === null || t === void 0 ? void 0 : t.rest)" */
static void print_optional(struct printer *p, const struct chain *c, uint32_t k)
{
    const char *t = print_temporary(p), *object = NULL;
    bool is_method = k > 0 && c->s[k]->kind == NODE_CALL && is_member(c->s[k - 1]);
    struct chain left = { c->base, c->head, c->s, k };

    print_text(p, "((");
    if (is_method) {
        object = print_temporary(p);
        print_text(p, object);
        print_text(p, " = ");
        print_part(p, &(struct chain){ c->base, c->head, c->s, k - 1 });
        print_text(p, ", ");
        left = (struct chain){ object, NULL, c->s + k - 1, 1 };
    }
    print_text(p, t);
    print_text(p, " = ");
    print_part(p, &left);
    print_text(p, ") === null || ");
    print_text(p, t);
    print_text(p, " === void 0 ? void 0 : ");
    struct node *first = c->s[k];
    first->flags &= ~(uint32_t)IS_OPTIONAL;
    if (!is_method) {
        print_part(p, &(struct chain){ t, NULL, c->s + k, c->n - k });
    } else {
        print_text(p, t);
        print_text(p, first->flags & HAS_SPREAD ? ".apply(" : ".call(");
        print_text(p, object);
        print_text(p, first->first ? ", " : "");
        if (first->flags & HAS_SPREAD) {
            print_arguments(p, first);
            print_text(p, ")");
        } else {
            struct node rest = *first;
            rest.start = p->l->src[first->start] == '?' ? first->start + 3 : first->start + 1;
            print_sync(p, rest.start);
            print_call(p, &rest);
        }
        for (uint32_t i = k + 1; i < c->n; i++)
            if (c->s[i]->flags & HAS_SPREAD)
                lower_refuse(p->l, c->s[i]->start,
                             "Spread arguments behind an optional call are not supported.");
        print_suffixes(p, c->s + k + 1, c->n - k - 1);
    }
    print_text(p, ")");
}

static void print_spread_call(struct printer *p, const struct chain *c, uint32_t k)
{
    bool is_method = k > 0 && is_member(c->s[k - 1]);
    bool is_simple =
        k == 1 && (c->base || c->head->kind == NODE_IDENT || c->head->kind == NODE_THIS);
    struct chain object = { c->base, c->head, c->s, is_method ? k - 1 : k };
    const char *t = NULL;

    if (is_method && !is_simple) {
        t = print_temporary(p);
        print_text(p, "(");
        print_text(p, t);
        print_text(p, " = ");
    }
    print_part(p, &object);
    print_text(p, t ? ")" : "");
    if (is_method)
        print_suffix(p, c->s[k - 1]);
    print_text(p, ".apply(");
    if (t)
        print_text(p, t);
    else if (is_method)
        print_base(p, &object);
    else
        print_text(p, "void 0");
    print_text(p, ", ");
    print_sync(p, c->s[k]->start);
    print_arguments(p, c->s[k]);
    print_text(p, ")");
    print_suffixes(p, c->s + k + 1, c->n - k - 1);
}

static void print_part(struct printer *p, const struct chain *c)
{
    uint32_t optional = c->n, spread = c->n;

    for (uint32_t i = 0; i < c->n; i++) {
        if (c->s[i]->flags & IS_OPTIONAL)
            optional = i;
        if (c->s[i]->flags & HAS_SPREAD)
            spread = i;
    }
    if (optional < c->n) {
        print_optional(p, c, optional);
    } else if (spread < c->n) {
        print_spread_call(p, c, spread);
    } else {
        print_base(p, c);
        print_suffixes(p, c->s, c->n);
    }
}

void print_chain(struct printer *p, struct node *n)
{
    uint32_t count = 0, rewritten = 0;

    for (const struct node *s = n->first->next; s; s = s->next, count++)
        rewritten += (s->flags & (IS_OPTIONAL | HAS_SPREAD)) != 0;
    if (rewritten == 0) {
        print_between(p, n->first, n->start, n->end);
        return;
    }
    if (rewritten > LOWER_CHAIN_MAX) {
        lower_fail(p->l, -E2BIG, n->start, "A chain has too many ?. and spread calls.");
        return;
    }
    struct node **s = lower_alloc(p->l, count * sizeof *s);
    if (!s)
        return;
    count = 0;
    for (struct node *c = n->first->next; c; c = c->next)
        s[count++] = c;
    print_part(p, &(struct chain){ NULL, n->first, s, count });
}

void print_nullish(struct printer *p, struct node *n)
{
    int open = 0;

    print_text(p, "(");
    for (struct node *c = n->first; c; c = c->next) {
        print_sync(p, c->start);
        if (!c->next) {
            print_node(p, c);
            break;
        }
        const char *t = print_temporary(p);
        print_text(p, "(");
        print_text(p, t);
        print_text(p, " = ");
        print_node(p, c);
        print_text(p, ") !== null && ");
        print_text(p, t);
        print_text(p, " !== void 0 ? ");
        print_text(p, t);
        print_text(p, " : (");
        open++;
    }
    while (open-- > 0)
        print_text(p, ")");
    print_text(p, ")");
}
