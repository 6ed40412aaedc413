/* SPDX-License-Identifier: Apache-2.0 */
/* Statements as ES5: blocks, loops and catch clauses with scopes of their own. */
#include <string.h>

#include "gateway/codec/lower_print.h"

/* ---- Scopes of loops ---- */

int print_open_scope(struct printer *p, const struct scope *s)
{
    bool is_for = s->head && s->head->kind == NODE_FOR;
    int n = 0;

    for (const struct binding *b = s->first; b; b = b->next) {
        if (!b->is_captured || b->is_again)
            continue;
        print_text(p, " try { throw ");
        print_text(p, is_for ? b->head_text : "void 0");
        print_text(p, "; } catch (");
        print_text(p, print_binding(p, b));
        print_text(p, ") {");
        n++;
    }
    return n;
}

void print_close_scope(struct printer *p, int n)
{
    while (n-- > 0)
        print_text(p, " }");
}

/* ---- Statements ---- */

/* Whether the source relies on automatic insertion behind it. */
static bool is_open(const struct node *n)
{
    while ((n->kind == NODE_STATEMENT || n->kind == NODE_FOR || n->kind == NODE_FOR_EACH) &&
           !(n->flags & IS_OPEN_ENDED) && n->last)
        n = n->last;
    return n->kind == NODE_STATEMENT && n->flags & IS_OPEN_ENDED;
}

/* A statement that now begins with what would go on with the one before it. */
static void part_statements(struct printer *p, uint32_t hole, const struct node *n)
{
    uint32_t pos = hole < p->holes_n ? p->holes[hole].pos : 0;

    if (!p->out.has_failed && !p->l->error && pos < p->out.size && n->start < p->l->size &&
        strchr("([", p->out.data[pos]) && p->l->src[n->start] != p->out.data[pos])
        p->holes[hole].has_semicolon = true;
}

void print_statements(struct printer *p, struct node *first, uint32_t from, uint32_t to)
{
    const struct node *before = NULL;

    for (struct node *c = first; c; c = c->next) {
        bool is_after_open = before && is_open(before);
        uint32_t hole = 0;
        print_copy(p, from, c->start);
        if (is_after_open)
            hole = print_hole(p, NULL);
        print_node(p, c);
        if (is_after_open)
            part_statements(p, hole, c);
        before = c;
        from = c->end;
    }
    print_copy(p, from, to);
}

void print_block(struct printer *p, struct node *n)
{
    int opened = 0;

    print_copy(p, n->start, n->start + 1);
    if (n->scope)
        opened = print_open_scope(p, n->scope);
    print_statements(p, n->first, n->start + 1, n->end - 1);
    print_close_scope(p, opened);
    print_copy(p, n->end - 1, n->end);
}

static bool begins_with_arrow(const struct node *n)
{
    while (n->kind == NODE_GROUP && n->first && n->first->start == n->start)
        n = n->first;
    return n->kind == NODE_FUNCTION && n->flags & IS_ARROW;
}

void print_statement(struct printer *p, struct node *n)
{
    uint32_t edits = p->edits;
    int opened = 0;

    if (n->last && n->last->kind == NODE_SWITCH && n->last->scope) {
        uint32_t pos = (uint32_t)p->out.size;
        print_text(p, "{");
        opened = print_open_scope(p, n->last->scope);
        if (opened == 0) {
            p->out.size = p->out.has_failed ? p->out.size : pos;
            p->edits = edits;
        }
    }
    if (n->first && n->first->start == n->start && begins_with_arrow(n->first))
        print_text(p, "0, ");
    print_between(p, n->first, n->start, n->end);
    if (n->flags & IS_OPEN_ENDED && (p->is_squashed || p->edits != edits))
        print_text(p, ";");
    if (opened > 0)
        print_close_scope(p, opened + 1);
}

void print_for(struct printer *p, struct node *n)
{
    struct node *body = n->last;
    bool is_assigned = false;
    uint32_t from = n->start;

    for (struct node *c = n->first; c != body; c = c->next) {
        print_copy(p, from, c->start);
        print_node(p, c);
        from = c->end;
    }
    print_copy(p, from, body->start);
    uint32_t edits = p->edits;
    uint32_t pos = (uint32_t)p->out.size;
    print_text(p, "{");
    int opened = print_open_scope(p, n->scope);
    if (opened == 0) {
        p->out.size = p->out.has_failed ? p->out.size : pos;
        p->edits = edits;
        print_node(p, body);
        return;
    }
    for (const struct binding *b = n->scope->first; b; b = b->next)
        is_assigned |= b->is_captured && b->is_assigned;
    print_text(p, is_assigned ? " try { " : " ");
    print_node(p, body);
    if (is_assigned)
        print_text(p, " } finally {");
    for (const struct binding *b = n->scope->first; b; b = b->next) {
        if (!b->is_captured || !b->is_assigned)
            continue;
        print_text(p, " ");
        print_text(p, b->head_text);
        print_text(p, " = ");
        print_text(p, print_binding(p, b));
        print_text(p, ";");
    }
    print_close_scope(p, opened + 1 + is_assigned);
}

/* The target: a declaration of one name or pattern, or what is assigned to. */
static struct node *target_of(struct node *n)
{
    return n->first->kind == NODE_DECLARATION ? n->first->first->first : n->first;
}

/* "{ x = base[i]; body }" */
static void print_turn(struct printer *p, struct node *n, const struct place *from)
{
    struct node *target = target_of(n);
    bool is_first = true;

    print_text(p, "{");
    int opened = print_open_scope(p, n->scope);
    print_text(p, " ");
    if (n->first->kind == NODE_DECLARATION && print_is_captured(target))
        print_declare_others(p, target);
    else if (n->first->kind == NODE_DECLARATION)
        print_text(p, "var ");
    uint32_t size = (uint32_t)p->out.size;
    print_bind(p, target, from, &is_first);
    if (p->out.size == size)
        print_text(p, print_temporary(p)); /* an empty pattern */
    print_text(p, "; ");
    print_node(p, n->last);
    print_close_scope(p, opened + 1);
}

static void print_for_of(struct printer *p, struct node *n)
{
    struct node *subject = n->first->next;
    const char *list = print_temporary(p), *at = print_temporary(p);

    print_copy(p, n->start, n->first->start);
    print_sync(p, subject->start);
    print_text(p, list);
    print_text(p, " = __sluice_arr(");
    print_node(p, subject);
    print_text(p, "), ");
    print_text(p, at);
    print_text(p, " = 0; ");
    print_text(p, at);
    print_text(p, " < ");
    print_text(p, list);
    print_text(p, ".length; ");
    print_text(p, at);
    print_text(p, "++");
    print_copy(p, subject->end, n->last->start);
    print_turn(p, n, &(struct place){ .base = list, .key_text = at });
}

void print_for_each(struct printer *p, struct node *n)
{
    struct node *target = target_of(n), *subject = n->first->next;
    bool is_declared = n->first->kind == NODE_DECLARATION;

    if (n->flags & IS_OF) {
        print_for_of(p, n);
        return;
    }
    if (target->kind != NODE_ARRAY_PATTERN && target->kind != NODE_OBJECT_PATTERN &&
        !(is_declared && print_is_captured(target))) {
        print_between(p, n->first, n->start, n->end);
        return;
    }
    const char *key = print_temporary(p);
    print_copy(p, n->start, n->first->start);
    print_sync(p, n->at);
    print_text(p, key);
    print_text(p, " ");
    print_copy(p, n->at, subject->start);
    print_node(p, subject);
    print_copy(p, subject->end, n->last->start);
    print_turn(p, n, &(struct place){ .base = key });
}

void print_catch(struct printer *p, struct node *n)
{
    struct node *body = n->last, *target = n->first;
    bool is_first = true;

    if (n->flags & IS_BARE) {
        print_copy(p, n->start, n->at);
        print_text(p, " (");
        print_text(p, lower_fresh(p->l, "_e", 2));
        print_text(p, ")");
        print_copy(p, n->at, body->start);
        print_node(p, body);
        return;
    }
    if (target->kind == NODE_IDENT) {
        print_between(p, target, n->start, n->end);
        return;
    }
    const char *thrown = lower_fresh(p->l, "_e", 2);
    print_copy(p, n->start, target->start);
    print_text(p, thrown);
    print_copy(p, target->end, body->start);
    print_text(p, "{");
    int opened = print_open_scope(p, n->scope);
    print_text(p, " ");
    print_declare_others(p, target);
    print_bind(p, target, &(struct place){ .base = thrown }, &is_first);
    print_text(p, ";");
    print_sync(p, body->start);
    print_block(p, body);
    print_close_scope(p, opened + 1);
}
