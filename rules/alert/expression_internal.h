/* SPDX-License-Identifier: Apache-2.0 */
/* expression_internal - what the parser's two files share: grammar and units. */
#pragma once

#include "rules/alert/expression.h"
#include "sensors/core/unit.h"

enum part_kind {
    PART_TRUTH,
    PART_PLAIN,     /* a number that has no unit */
    PART_LITERAL,   /* a written number with a unit */
    PART_QUANTITY,  /* in the canonical unit of one */
    PART_DIFFERENCE /* of two such */
};

struct part {
    enum part_kind kind;
    const struct quantity *quantity; /* PART_QUANTITY, PART_DIFFERENCE */
    const struct unit *unit;         /* PART_LITERAL */
    int op;                          /* PART_LITERAL: whose number is in that unit */
    int at, length;                  /* in the text */
};

struct parser {
    const char *text;
    int at, depth;
    const struct expression_names *names;
    struct expression *e;
    struct expression_error *err;
};

/* Says what is wrong where; false. */
__attribute__((format(printf, 4, 5))) bool expr_fail(struct parser *p, int at, int length,
                                                     const char *why, ...);

/* False, and said, when one of them is a condition. */
bool expr_are_numbers(struct parser *p, const struct part *a, const struct part *b);
/* Both sides in one unit: of a comparison, a sum, a list. A written number on the side `step`
 * is a step, not a level. */
bool expr_unite(struct parser *p, struct part *a, struct part *b, const struct part *step);
/* What two sides in one unit are together. */
struct part expr_united(const struct part *a, const struct part *b);
/* Which side of a sum is a step: in "x + 2 K", "2 K + x", "x - 2 K", not in "30 Cel - x". */
const struct part *expr_step_of(const struct part *a, const struct part *b, bool is_minus);
/* `a` becomes the product or quotient; false, and said, when its unit would make no sense. */
bool expr_scale(struct parser *p, struct part *a, const struct part *b, bool is_quotient);
