/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of an expression are in, and whether they go together. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rules/alert/expression_internal.h"

bool expr_fail(struct parser *p, int at, int length, const char *why, ...)
{
    va_list args;

    p->err->at = at;
    p->err->length = length;
    va_start(args, why);
    vsnprintf(p->err->why, sizeof p->err->why, why, args);
    va_end(args);
    return false;
}

static const char *unit_of(const struct part *a)
{
    return a->kind == PART_LITERAL ? a->unit->code
           : a->kind == PART_PLAIN ? "a plain number"
                                   : a->quantity->unit;
}

/* Quantities whose numbers people write without a unit. */
static bool is_bare(const struct quantity *q)
{
    const struct unit *u = unit_find_ucum(q->unit);

    return u && (strcmp(u->dimension, "pH") == 0 || strcmp(u->dimension, "number") == 0);
}

/* A written number becomes canonical for the quantity it stands beside. */
static bool convert(struct parser *p, struct part *literal, const struct quantity *q,
                    bool is_difference)
{
    struct unit_conversion c;
    struct expression_op *op = &p->e->op[literal->op];

    if (unit_conversion_for(literal->unit, q, &c) < 0)
        return expr_fail(p, literal->at, literal->length,
                         "The unit '%s' does not fit %s, which is in %s.", literal->unit->code,
                         q->id, q->unit);
    op->number = op->number * c.factor + (is_difference ? 0 : c.offset);
    literal->kind = is_difference ? PART_DIFFERENCE : PART_QUANTITY;
    literal->quantity = q;
    return true;
}

static bool is_measured(const struct part *a)
{
    return a->kind == PART_QUANTITY || a->kind == PART_DIFFERENCE;
}

bool expr_are_numbers(struct parser *p, const struct part *a, const struct part *b)
{
    const struct part *bad = a->kind == PART_TRUTH ? a : b;

    if (bad->kind != PART_TRUTH)
        return true;
    return expr_fail(p, bad->at, bad->length,
                     "This is a condition, a number is expected; put 'and' or 'or' between "
                     "conditions.");
}

static bool no_unit(struct parser *p, const struct part *plain, const struct part *beside)
{
    return expr_fail(p, plain->at, plain->length,
                     "A unit is missing: what it stands beside is in %s.", unit_of(beside));
}

bool expr_unite(struct parser *p, struct part *a, struct part *b, const struct part *step)
{
    struct part *literal = a->kind == PART_LITERAL ? a : b;
    struct part *other = literal == a ? b : a;

    if (!expr_are_numbers(p, a, b))
        return false;
    if (a->kind == PART_LITERAL && b->kind == PART_LITERAL)
        return expr_fail(p, a->at, b->at + b->length - a->at,
                         "Two written numbers stand together, one is enough.");
    if (literal->kind == PART_LITERAL && is_measured(other))
        return convert(p, literal, other->quantity,
                       other->kind == PART_DIFFERENCE || step == literal);
    if (is_measured(a) && is_measured(b))
        return strcmp(a->quantity->unit, b->quantity->unit) == 0 ||
               expr_fail(p, b->at, b->length, "%s is in %s, %s in %s.", a->quantity->id,
                         a->quantity->unit, b->quantity->id, b->quantity->unit);
    if (a->kind == PART_PLAIN && b->kind == PART_PLAIN)
        return true;
    const struct part *plain = a->kind == PART_PLAIN ? a : b;
    other = plain == a ? b : a;
    return (is_measured(other) && is_bare(other->quantity)) || no_unit(p, plain, other);
}

struct part expr_united(const struct part *a, const struct part *b)
{
    struct part r = is_measured(b) || a->kind == PART_PLAIN ? *b : *a;

    if (a->kind == PART_QUANTITY || b->kind == PART_QUANTITY)
        r.kind = PART_QUANTITY;
    r.at = a->at;
    r.length = b->at + b->length - a->at;
    return r;
}

/* What a product or quotient is in; false: units that do not make sense. */
static bool take_factor(struct part *a, const struct part *b, bool is_quotient)
{
    if (b->kind == PART_PLAIN && a->kind != PART_LITERAL)
        return true;
    if (a->kind == PART_PLAIN && is_measured(b) && !is_quotient) {
        a->kind = b->kind;
        a->quantity = b->quantity;
        return true;
    }
    if (!is_quotient || !is_measured(a) || !is_measured(b) ||
        strcmp(a->quantity->unit, b->quantity->unit) != 0)
        return false;
    a->kind = PART_PLAIN;
    return true;
}

bool expr_scale(struct parser *p, struct part *a, const struct part *b, bool is_quotient)
{
    const int length = b->at + b->length - a->at;

    if (!expr_are_numbers(p, a, b))
        return false;
    if (!take_factor(a, b, is_quotient))
        return expr_fail(p, a->at, length,
                         "%s and %s cannot be multiplied or divided: one of them must be a "
                         "plain number, or both of one unit be divided.",
                         unit_of(a), unit_of(b));
    a->length = length;
    return true;
}

const struct part *expr_step_of(const struct part *a, const struct part *b, bool is_minus)
{
    if (a->kind != PART_LITERAL)
        return b;
    return is_minus ? NULL : a;
}
