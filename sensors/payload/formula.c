/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/payload/formula.h"

#include <math.h>

enum {
    SAMPLES = 2048, /* steps in which a turning formula is searched for its value */
    HALVINGS = 60
};

static double one_operand(enum payload_op_kind k, double a)
{
    switch (k) {
    case OP_NEGATE:
        return -a;
    case OP_SQRT:
        return sqrt(a);
    case OP_EXP:
        return exp(a);
    case OP_LN:
        return log(a);
    case OP_LOG10:
        return log10(a);
    default:
        return fabs(a);
    }
}

static double two_operands(enum payload_op_kind k, double a, double b)
{
    switch (k) {
    case OP_ADD:
        return a + b;
    case OP_SUBTRACT:
        return a - b;
    case OP_MULTIPLY:
        return a * b;
    case OP_DIVIDE:
        return a / b;
    case OP_POWER:
        return pow(a, b);
    case OP_MIN:
        return fmin(a, b);
    default:
        return fmax(a, b);
    }
}

double formula_value(const struct payload_formula *f, double x, double y)
{
    double stack[PAYLOAD_STACK_MAX] = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        const struct payload_op *op = &f->op[i];
        switch (op->kind) {
        case OP_NUMBER:
            stack[n++] = op->value;
            break;
        case OP_X:
            stack[n++] = x;
            break;
        case OP_Y:
            stack[n++] = y;
            break;
        case OP_NEGATE:
        case OP_SQRT:
        case OP_EXP:
        case OP_LN:
        case OP_LOG10:
        case OP_ABS:
            stack[n - 1] = one_operand(op->kind, stack[n - 1]);
            break;
        default:
            n--;
            stack[n - 1] = two_operands(op->kind, stack[n - 1], stack[n]);
        }
    }
    return isfinite(stack[0]) ? stack[0] : (double)NAN;
}

static double halve(const struct payload_formula *f, double value, double y, double low,
                    double high)
{
    bool is_rising = formula_value(f, low, y) < formula_value(f, high, y);

    for (int i = 0; i < HALVINGS; i++) {
        double middle = low + (high - low) / 2;
        double found = formula_value(f, middle, y);
        if (is_rising ? found < value : found > value)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double formula_inverse(const struct payload_formula *f, double value, double y, double min,
                       double max)
{
    double nearest = min, distance = (double)INFINITY;
    double before = (double)NAN;

    for (int i = 0; i <= SAMPLES; i++) {
        double x = min + (max - min) * i / SAMPLES;
        double found = formula_value(f, x, y);
        if ((before <= value && value <= found) || (before >= value && value >= found))
            return halve(f, value, y, min + (max - min) * (i - 1) / SAMPLES, x);
        if (fabs(found - value) < distance) {
            distance = fabs(found - value);
            nearest = x;
        }
        before = found;
    }
    return nearest;
}
