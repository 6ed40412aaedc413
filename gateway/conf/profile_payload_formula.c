/* SPDX-License-Identifier: Apache-2.0 */
/* "175.72 * x / 65536 - 46.85" -> postfix, by operators that wait for what binds closer. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_payload.h"

enum { WAITING_MAX = 64 };

static const struct function {
    const char *name;
    enum payload_op_kind kind;
    int arguments;
} functions[] = {
    { "sqrt", OP_SQRT, 1 },   { "exp", OP_EXP, 1 }, { "ln", OP_LN, 1 },
    { "log10", OP_LOG10, 1 }, { "abs", OP_ABS, 1 }, { "min", OP_MIN, 2 },
    { "max", OP_MAX, 2 },
};

struct waiting { /* an operator, or an open parenthesis */
    enum payload_op_kind kind;
    int binding;                     /* how close; 0: a parenthesis */
    const struct function *function; /* before the parenthesis; NULL */
    int arguments;
};

struct parser {
    const char *at;
    struct payload_op op[PAYLOAD_OPS_MAX];
    size_t n;
    struct waiting waiting[WAITING_MAX];
    size_t waiting_n;
    bool has_y;
    const char *why; /* what is wrong; NULL */
};

static bool fail(struct parser *p, const char *why)
{
    p->why = p->why ? p->why : why;
    return false;
}

static bool emit(struct parser *p, enum payload_op_kind kind, double value)
{
    if (p->n == PAYLOAD_OPS_MAX)
        return fail(p, "the formula is too long");
    p->op[p->n++] = (struct payload_op){ kind, value };
    return true;
}

static bool wait_for(struct parser *p, struct waiting w)
{
    if (p->waiting_n == WAITING_MAX)
        return fail(p, "the formula is too deep");
    p->waiting[p->waiting_n++] = w;
    return true;
}

/* Operators that bind at least as close come first. */
static bool settle(struct parser *p, int binding)
{
    while (p->waiting_n && p->waiting[p->waiting_n - 1].binding >= binding &&
           p->waiting[p->waiting_n - 1].binding > 0)
        if (!emit(p, p->waiting[--p->waiting_n].kind, 0))
            return false;
    return true;
}

static const struct function *find_function(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strlen(functions[i].name) == n && !strncmp(functions[i].name, name, n))
            return &functions[i];
    return NULL;
}

static bool read_name(struct parser *p, bool *is_operand)
{
    size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyz0123456789");
    const struct function *f = find_function(p->at, n);
    bool is_y = n == 1 && *p->at == 'y';

    if (n == 1 && (*p->at == 'x' || is_y)) {
        p->has_y = p->has_y || is_y;
        p->at++;
        *is_operand = true;
        return emit(p, is_y ? OP_Y : OP_X, 0);
    }
    if (!f)
        return fail(p, "a formula knows x, y, sqrt, exp, ln, log10, abs, min and max");
    p->at += n;
    p->at += strspn(p->at, " ");
    if (*p->at++ != '(')
        return fail(p, "a function needs its parenthesis");
    return wait_for(p, (struct waiting){ .function = f, .arguments = 1 });
}

static bool read_number(struct parser *p)
{
    char *end;
    size_t n = strspn(p->at, "0123456789.");

    if (p->at[n] == 'e' || p->at[n] == 'E') {
        n += 1 + (p->at[n + 1] == '-' || p->at[n + 1] == '+');
        n += strspn(p->at + n, "0123456789");
    }
    double x = strtod(p->at, &end);
    if (end != p->at + n)
        return fail(p, "a number is not well-formed");
    p->at = end;
    return emit(p, OP_NUMBER, x);
}

static bool read_operand(struct parser *p, bool *is_operand)
{
    char c = *p->at;

    *is_operand = false;
    if (isdigit((unsigned char)c) || c == '.') {
        *is_operand = true;
        return read_number(p);
    }
    if (islower((unsigned char)c))
        return read_name(p, is_operand);
    p->at++;
    if (c == '(')
        return wait_for(p, (struct waiting){ .arguments = 1 });
    if (c == '-')
        return wait_for(p, (struct waiting){ .kind = OP_NEGATE, .binding = 3 });
    return c == '+' || fail(p, "a number, x or a parenthesis is missing");
}

static bool close_parenthesis(struct parser *p)
{
    if (!settle(p, 1))
        return false;
    if (!p->waiting_n)
        return fail(p, "a parenthesis is closed that was not opened");
    struct waiting w = p->waiting[--p->waiting_n];
    if (w.arguments != (w.function ? w.function->arguments : 1))
        return fail(p, "min and max take two values, everything else one");
    return !w.function || emit(p, w.function->kind, 0);
}

static bool next_argument(struct parser *p)
{
    if (!settle(p, 1))
        return false;
    if (!p->waiting_n)
        return fail(p, "a comma stands between the values of min and max");
    p->waiting[p->waiting_n - 1].arguments++;
    return true;
}

/* What stands behind an operand; *is_operand stays true behind a closing parenthesis. */
static bool read_operator(struct parser *p, bool *is_operand)
{
    static const struct {
        char sign;
        enum payload_op_kind kind;
        int binding;
    } operators[] = { { '+', OP_ADD, 1 },
                      { '-', OP_SUBTRACT, 1 },
                      { '*', OP_MULTIPLY, 2 },
                      { '/', OP_DIVIDE, 2 },
                      { '^', OP_POWER, 4 } };
    char c = *p->at++;

    if (c == ')')
        return close_parenthesis(p);
    *is_operand = false;
    if (c == ',')
        return next_argument(p);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (operators[i].sign == c) /* a ^ b ^ c is a ^ (b ^ c) */
            return settle(p, operators[i].binding + (c == '^')) &&
                   wait_for(p, (struct waiting){ .kind = operators[i].kind,
                                                 .binding = operators[i].binding });
    return fail(p, "an operator is missing: + - * / ^");
}

static int operands_of(enum payload_op_kind k)
{
    if (k <= OP_Y)
        return 0;
    return k >= OP_NEGATE && k <= OP_ABS ? 1 : 2;
}

/* One value is left, and the decoder's stack held all on the way. */
static bool check_stack(struct parser *p)
{
    int depth = 0;

    for (size_t i = 0; i < p->n; i++) {
        depth += 1 - operands_of(p->op[i].kind);
        if (depth < 1)
            return fail(p, "a value is missing");
        if (depth > PAYLOAD_STACK_MAX)
            return fail(p, "the formula is too deep");
    }
    return depth == 1 || fail(p, "a value is missing");
}

static bool parse(struct parser *p)
{
    bool is_operand = false; /* the last thing read can stand before an operator */

    for (p->at += strspn(p->at, " "); *p->at; p->at += strspn(p->at, " "))
        if (!(is_operand ? read_operator(p, &is_operand) : read_operand(p, &is_operand)))
            return false;
    if (!is_operand)
        return fail(p, "the formula ends too early");
    if (!settle(p, 1))
        return false;
    if (p->waiting_n)
        return fail(p, "a parenthesis is not closed");
    return check_stack(p);
}

bool payload_read_formula(struct profile_reader *r, struct fy_node *node,
                          struct payload_formula *ret)
{
    struct parser p = { .at = yaml_text(node) };
    char shown[DIAG_SHOWN_BYTES];

    if (!p.at || !parse(&p)) {
        yaml_error(r->y, r->d, node, E_VALUE,
                   "expected a formula such as \"(x - 32768) / 10\""
                   ", found %s%s%s",
                   yaml_shown(node, shown), p.why ? ": " : "", p.why ? p.why : "");
        return false;
    }
    struct payload_op *op = arena_alloc(r->arena, p.n * sizeof *op);
    if (!op)
        return false;
    memcpy(op, p.op, p.n * sizeof *op);
    if (!profile_read_text(r, node, &ret->text))
        return false;
    ret->op = op;
    ret->n = p.n;
    ret->has_y = p.has_y;
    return true;
}
