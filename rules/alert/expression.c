/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation: a stack of numbers. Truth is 1 and 0, unknown is NaN in both kinds of value, so
 * arithmetic and comparison hand it on by themselves.
 */
#include "rules/alert/expression.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "rules/detect/known.h"
#include "rules/qc/checks.h"

struct stack {
    double at[EXPRESSION_OPS_MAX];
    int n;
};

static double truth(bool is_so)
{
    return is_so ? 1 : 0;
}

static double compare(enum expression_op_kind kind, double a, double b)
{
    if (isnan(a) || isnan(b))
        return NAN;
    switch (kind) {
    case EXPR_LESS:
        return truth(a < b);
    case EXPR_LESS_EQUAL:
        return truth(a <= b);
    case EXPR_MORE:
        return truth(a > b);
    case EXPR_MORE_EQUAL:
        return truth(a >= b);
    case EXPR_EQUAL:
        return truth(a == b);
    default:
        return truth(a != b);
    }
}

/* What one side decides alone does not wait for the other: Kleene's logic of three values. */
static double both(double a, double b)
{
    if (a == 0 || b == 0)
        return 0;
    return isnan(a) || isnan(b) ? NAN : 1;
}

static double either(double a, double b)
{
    if (a == 1 || b == 1)
        return 1;
    return isnan(a) || isnan(b) ? NAN : 0;
}

static double divide(double a, double b)
{
    return b == 0 ? NAN : a / b;
}

static double binary(enum expression_op_kind kind, double a, double b)
{
    switch (kind) {
    case EXPR_ADD:
        return a + b;
    case EXPR_SUBTRACT:
        return a - b;
    case EXPR_MULTIPLY:
        return a * b;
    case EXPR_DIVIDE:
        return divide(a, b);
    case EXPR_AND:
        return both(a, b);
    case EXPR_OR:
        return either(a, b);
    default:
        return compare(kind, a, b);
    }
}

/* Of several: those that are known speak for all. A neighbour that is silent vetoes nothing. */
static double gather(enum expression_op_kind kind, const double *from, int n)
{
    double sorted[EXPRESSION_OPS_MAX], sum = 0;
    const unsigned known = known_sort(from, (unsigned)n, sorted);

    if (known == 0)
        return NAN;
    switch (kind) {
    case EXPR_MIN:
        return sorted[0];
    case EXPR_MAX:
        return sorted[known - 1];
    case EXPR_MEDIAN:
        return known_median(sorted, known);
    default:
        for (unsigned i = 0; i < known; i++)
            sum += sorted[i];
        return sum / known;
    }
}

static double of_channel(enum expression_op_kind kind, const struct expression_value *v)
{
    switch (kind) {
    case EXPR_CHANNEL:
        return v->is_known ? v->value : NAN;
    case EXPR_VALID:
        return truth(v->is_known && !isnan(v->value));
    case EXPR_MISSING:
        return truth(!v->is_known || v->verdict.grade == GRADE_MISSING);
    case EXPR_IN_CALIBRATION:
        return v->is_known ? truth(v->verdict.status == STATUS_CALIBRATION) : NAN;
    default:
        return v->is_known ? truth(v->verdict.status == STATUS_MAINTENANCE) : NAN;
    }
}

static double of_time(enum expression_op_kind kind, struct expression_now now)
{
    switch (kind) {
    case EXPR_HOUR:
        return now.hour;
    case EXPR_WEEKDAY:
        return now.weekday;
    case EXPR_MONTH:
        return now.month;
    default:
        return now.year;
    }
}

static double pop(struct stack *s)
{
    return s->at[--s->n];
}

static double result_of(const struct expression_op *op, struct stack *s,
                        const struct expression_value *values, struct expression_now now)
{
    const enum expression_op_kind kind = (enum expression_op_kind)op->kind;

    if (kind == EXPR_NUMBER)
        return op->number;
    if (kind >= EXPR_HOUR && kind <= EXPR_YEAR)
        return of_time(kind, now);
    if (kind == EXPR_CHANNEL || (kind >= EXPR_VALID && kind <= EXPR_IN_MAINTENANCE))
        return of_channel(kind, &values[op->channel]);
    if (kind >= EXPR_MIN && kind <= EXPR_MEDIAN) {
        s->n -= op->channel;
        return gather(kind, &s->at[s->n], op->channel);
    }
    const double b = pop(s);
    if (kind == EXPR_NEGATE)
        return -b;
    if (kind == EXPR_ABS)
        return fabs(b);
    if (kind == EXPR_NOT)
        return 1 - b;
    return binary(kind, pop(s), b);
}

enum expression_truth expression_eval(const struct expression *e,
                                      const struct expression_value *values,
                                      struct expression_now now)
{
    struct stack s = { .n = 0 };

    for (int i = 0; i < e->ops_n; i++) {
        const double x = result_of(&e->op[i], &s, values, now);
        s.at[s.n++] = x;
    }
    const double x = pop(&s);
    if (isnan(x))
        return EXPRESSION_UNKNOWN;
    return x == 1 ? EXPRESSION_TRUE : EXPRESSION_FALSE;
}

struct expression_now expression_now(int64_t time_ms, int offset_min)
{
    const int64_t local_ms = time_ms + offset_min * INT64_C(60000);

    return (struct expression_now){
        .hour = qc_calendar_of(QC_HOUR, local_ms),
        .weekday = qc_calendar_of(QC_DAY_OF_WEEK, local_ms) + 1,
        .month = qc_calendar_of(QC_MONTH, local_ms),
        .year = qc_calendar_of(QC_YEAR, local_ms),
    };
}
