/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of an expression into postfix operations: recursive descent, one function a level
 * of precedence, depth bounded. Each part tells what it is in: that is what units are checked
 * by.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/alert/expression_internal.h"
#include "sensors/core/unit.h"

enum { DEPTH_MAX = 16, WORD_MAX = EXPRESSION_NAME_MAX };

static bool parse_or(struct parser *p, struct part *ret);

/* ---- words ---- */

static void skip_blanks(struct parser *p)
{
    while (isspace((unsigned char)p->text[p->at]))
        p->at++;
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '@' || c == '.';
}

/* A minus or a slash with a letter or digit on both sides belongs to a name. */
static int word_length(const char *s)
{
    int n = 0;

    if (!isalpha((unsigned char)s[0]))
        return 0;
    while (is_word_char(s[n]) ||
           ((s[n] == '-' || s[n] == '/') && n > 0 && isalnum((unsigned char)s[n + 1])))
        n++;
    return n;
}

static bool take_sign(struct parser *p, const char *sign)
{
    skip_blanks(p);
    if (strncmp(&p->text[p->at], sign, strlen(sign)) != 0)
        return false;
    p->at += (int)strlen(sign);
    return true;
}

static bool take_word(struct parser *p, const char *word)
{
    skip_blanks(p);
    const int n = word_length(&p->text[p->at]);
    if (n != (int)strlen(word) || strncmp(&p->text[p->at], word, (size_t)n) != 0)
        return false;
    p->at += n;
    return true;
}

static bool expect(struct parser *p, const char *sign)
{
    if (take_sign(p, sign))
        return true;
    return expr_fail(p, p->at, p->text[p->at] != '\0', "A '%s' is missing here.", sign);
}

/* ---- operations ---- */

static bool emit(struct parser *p, enum expression_op_kind kind, int channel, double number)
{
    if (p->e->ops_n == EXPRESSION_OPS_MAX)
        return expr_fail(p, p->at, 0, "An expression has at most %d parts.",
                         EXPRESSION_OPS_MAX);
    p->e->op[p->e->ops_n++] = (struct expression_op){ (uint8_t)kind, (uint8_t)channel, number };
    return true;
}

static bool channel_index(struct parser *p, uint32_t channel, int at, int length, int *ret)
{
    struct expression *e = p->e;

    for (*ret = 0; *ret < e->channels_n; (*ret)++) {
        if (e->channel[*ret] == channel)
            return true;
    }
    if (e->channels_n == EXPRESSION_CHANNELS_MAX)
        return expr_fail(p, at, length, "An expression has at most %d channels.",
                         EXPRESSION_CHANNELS_MAX);
    e->channel[e->channels_n++] = channel;
    return true;
}

/* ---- the levels, from the tightest to the loosest ---- */

/* The unit behind a number, in full: "dB(A)" ends with a bracket, "5 m/s)" does not. */
static const struct unit *take_unit(struct parser *p)
{
    const char *from = &p->text[p->at];
    char word[WORD_MAX];
    const struct unit *unit = NULL;

    for (size_t n = strcspn(from, " \t\r\n,"); n > 0 && n < sizeof word && !unit; n--) {
        snprintf(word, sizeof word, "%.*s", (int)n, from);
        unit = unit_find(word);
        if (unit)
            p->at += (int)n;
        else if (word[n - 1] != ')')
            break;
    }
    return unit;
}

/* Whether what stands behind a number was meant as a unit. */
static bool looks_like_unit(struct parser *p)
{
    const int from = p->at;
    const char c = p->text[from];
    const bool is_joined = take_word(p, "and") || take_word(p, "or");

    p->at = from;
    return !is_joined && c && !strchr("+-*/<>=!),", c);
}

static bool parse_number(struct parser *p, struct part *ret)
{
    char *end;
    const int from = p->at;
    const double x = strtod(&p->text[from], &end);

    *ret = (struct part){ .kind = PART_PLAIN, .op = p->e->ops_n, .at = from };
    p->at = (int)(end - p->text);
    ret->length = p->at - from;
    if (!isfinite(x))
        return expr_fail(p, from, ret->length, "A finite number is expected here.");
    skip_blanks(p);
    ret->unit = take_unit(p);
    if (!ret->unit && looks_like_unit(p)) {
        const int n = (int)strcspn(&p->text[p->at], " \t\r\n,)");
        return expr_fail(p, p->at, n, "No unit is called '%.*s'.", n, &p->text[p->at]);
    }
    if (ret->unit) {
        ret->kind = PART_LITERAL;
        ret->length = p->at - from;
    }
    return emit(p, EXPR_NUMBER, 0, x);
}

static bool parse_channel(struct parser *p, int at, int length, int *ret_channel,
                          const struct quantity **ret_quantity)
{
    char name[EXPRESSION_NAME_MAX];
    uint32_t channel;

    if (length >= EXPRESSION_NAME_MAX)
        return expr_fail(p, at, length, "No channel has so long a name.");
    snprintf(name, sizeof name, "%.*s", length, &p->text[at]);
    if (!p->names->find(p->names->user, name, &channel, ret_quantity))
        return expr_fail(
            p, at, length,
            "No channel is called '%s', expected DEVICE/POINT, or POINT of the rule's "
            "own device.",
            name);
    return channel_index(p, channel, at, length, ret_channel);
}

static const struct {
    const char *word;
    enum expression_op_kind kind;
} times[] = { { "hour", EXPR_HOUR },
              { "weekday", EXPR_WEEKDAY },
              { "month", EXPR_MONTH },
              { "year", EXPR_YEAR } },
  states[] = { { "valid", EXPR_VALID },
               { "missing", EXPR_MISSING },
               { "in_calibration", EXPR_IN_CALIBRATION },
               { "in_maintenance", EXPR_IN_MAINTENANCE } },
  lists[] = {
      { "min", EXPR_MIN }, { "max", EXPR_MAX }, { "mean", EXPR_MEAN }, { "median", EXPR_MEDIAN }
  };

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool parse_state(struct parser *p, enum expression_op_kind kind, struct part *ret)
{
    const struct quantity *q;
    int channel;

    skip_blanks(p);
    const int at = p->at, n = word_length(&p->text[at]);
    if (n == 0)
        return expr_fail(p, at, p->text[at] != '\0', "The name of a channel is expected here.");
    p->at += n;
    ret->kind = PART_TRUTH;
    return parse_channel(p, at, n, &channel, &q) && expect(p, ")") && emit(p, kind, channel, 0);
}

static bool parse_sum(struct parser *p, struct part *ret);

static bool parse_list(struct parser *p, enum expression_op_kind kind, struct part *ret)
{
    struct part more;
    int n = 1;

    if (!parse_sum(p, ret))
        return false;
    for (; take_sign(p, ","); n++) {
        if (!parse_sum(p, &more) || !expr_unite(p, ret, &more, NULL))
            return false;
        *ret = expr_united(ret, &more);
    }
    return expect(p, ")") && emit(p, kind, n, 0);
}

static bool parse_abs(struct parser *p, struct part *ret)
{
    if (!parse_sum(p, ret) || !expr_are_numbers(p, ret, ret))
        return false;
    if (ret->kind == PART_LITERAL)
        return expr_fail(p, ret->at, ret->length, "A written number needs no abs().");
    return expect(p, ")") && emit(p, EXPR_ABS, 0, 0);
}

/* True when it is a function, also when that has an error: *ret_ok tells. */
static bool parse_function(struct parser *p, struct part *ret, bool *ret_ok)
{
    const int from = p->at;
    enum expression_op_kind kind = EXPR_NUMBER;
    bool is_list = false, is_state = false;
    const bool is_abs = take_word(p, "abs");

    for (size_t i = 0; i < COUNT(lists) && !is_abs && !is_list; i++) {
        is_list = take_word(p, lists[i].word);
        kind = is_list ? lists[i].kind : kind;
    }
    for (size_t i = 0; i < COUNT(states) && !is_abs && !is_list && !is_state; i++) {
        is_state = take_word(p, states[i].word);
        kind = is_state ? states[i].kind : kind;
    }
    if (!(is_abs || is_list || is_state) || !take_sign(p, "(")) {
        p->at = from;
        return false;
    }
    *ret_ok = is_abs    ? parse_abs(p, ret)
              : is_list ? parse_list(p, kind, ret)
                        : parse_state(p, kind, ret);
    return true;
}

static bool parse_name(struct parser *p, struct part *ret)
{
    const int at = p->at, n = word_length(&p->text[at]);
    int channel;

    for (size_t i = 0; i < COUNT(times); i++) {
        if (take_word(p, times[i].word)) {
            ret->kind = PART_PLAIN;
            return emit(p, times[i].kind, 0, 0);
        }
    }
    p->at += n;
    ret->kind = PART_QUANTITY;
    return parse_channel(p, at, n, &channel, &ret->quantity) &&
           emit(p, EXPR_CHANNEL, channel, 0);
}

static bool parse_nested(struct parser *p, struct part *ret)
{
    bool is_ok = false;

    if (take_sign(p, "("))
        return parse_or(p, ret) && expect(p, ")");
    if (parse_function(p, ret, &is_ok))
        return is_ok;
    if (word_length(&p->text[p->at]) == 0)
        return expr_fail(p, p->at, p->text[p->at] != '\0',
                         "A number, a channel or '(' is expected here.");
    return parse_name(p, ret);
}

static bool parse_atom(struct parser *p, struct part *ret)
{
    skip_blanks(p);
    const int from = p->at;
    const char c = p->text[from];
    *ret = (struct part){ .at = from };
    if (isdigit((unsigned char)c) || c == '.')
        return parse_number(p, ret);
    if (p->depth == DEPTH_MAX)
        return expr_fail(p, from, 1, "Brackets may be nested %d deep.", DEPTH_MAX);
    p->depth++;
    const bool is_ok = parse_nested(p, ret);
    p->depth--;
    ret->at = from;
    ret->length = p->at - from;
    return is_ok;
}

static bool parse_signed(struct parser *p, struct part *ret)
{
    if (!take_sign(p, "-"))
        return parse_atom(p, ret);
    if (!parse_atom(p, ret) || !expr_are_numbers(p, ret, ret))
        return false;
    if (ret->op == p->e->ops_n - 1 && p->e->op[ret->op].kind == EXPR_NUMBER) {
        p->e->op[ret->op].number = -p->e->op[ret->op].number;
        return true;
    }
    return emit(p, EXPR_NEGATE, 0, 0);
}

static bool parse_term(struct parser *p, struct part *ret)
{
    struct part b;

    if (!parse_signed(p, ret))
        return false;
    for (;;) {
        const bool is_quotient = take_sign(p, "/");
        if (!is_quotient && !take_sign(p, "*"))
            return true;
        if (!parse_signed(p, &b) || !expr_scale(p, ret, &b, is_quotient) ||
            !emit(p, is_quotient ? EXPR_DIVIDE : EXPR_MULTIPLY, 0, 0))
            return false;
    }
}

static bool parse_sum(struct parser *p, struct part *ret)
{
    struct part b;

    if (!parse_term(p, ret))
        return false;
    for (;;) {
        const bool is_minus = take_sign(p, "-");
        if (!is_minus && !take_sign(p, "+"))
            return true;
        if (!parse_term(p, &b) || !expr_unite(p, ret, &b, expr_step_of(ret, &b, is_minus)))
            return false;
        const bool are_levels = ret->kind == PART_QUANTITY && b.kind == PART_QUANTITY;
        *ret = expr_united(ret, &b);
        if (are_levels && is_minus)
            ret->kind = PART_DIFFERENCE;
        if (!emit(p, is_minus ? EXPR_SUBTRACT : EXPR_ADD, 0, 0))
            return false;
    }
}

static bool parse_comparison(struct parser *p, struct part *ret)
{
    static const struct {
        const char *sign;
        enum expression_op_kind kind;
    } signs[] = { { "<=", EXPR_LESS_EQUAL }, { ">=", EXPR_MORE_EQUAL }, { "==", EXPR_EQUAL },
                  { "!=", EXPR_UNEQUAL },    { "<", EXPR_LESS },        { ">", EXPR_MORE } };
    struct part b;

    if (!parse_sum(p, ret))
        return false;
    for (size_t i = 0; i < COUNT(signs); i++) {
        if (!take_sign(p, signs[i].sign))
            continue;
        if (!parse_sum(p, &b) || !expr_unite(p, ret, &b, NULL))
            return false;
        ret->kind = PART_TRUTH;
        ret->length = p->at - ret->at;
        return emit(p, signs[i].kind, 0, 0);
    }
    return true;
}

static bool is_condition(struct parser *p, const struct part *a)
{
    return a->kind == PART_TRUTH ||
           expr_fail(p, a->at, a->length,
                     "This is a number, a condition is expected; compare it with something.");
}

static bool parse_not(struct parser *p, struct part *ret)
{
    bool is_negated = false;

    while (take_word(p, "not"))
        is_negated = !is_negated;
    if (!parse_comparison(p, ret))
        return false;
    return !is_negated || (is_condition(p, ret) && emit(p, EXPR_NOT, 0, 0));
}

static bool parse_and(struct parser *p, struct part *ret)
{
    struct part b;

    if (!parse_not(p, ret))
        return false;
    while (take_word(p, "and")) {
        if (!is_condition(p, ret) || !parse_not(p, &b) || !is_condition(p, &b) ||
            !emit(p, EXPR_AND, 0, 0))
            return false;
        ret->length = p->at - ret->at;
    }
    return true;
}

static bool parse_or(struct parser *p, struct part *ret)
{
    struct part b;

    if (!parse_and(p, ret))
        return false;
    while (take_word(p, "or")) {
        if (!is_condition(p, ret) || !parse_and(p, &b) || !is_condition(p, &b) ||
            !emit(p, EXPR_OR, 0, 0))
            return false;
        ret->length = p->at - ret->at;
    }
    return true;
}

int expression_parse(const char *text, const struct expression_names *names,
                     struct expression *ret, struct expression_error *err)
{
    struct expression e = { .ops_n = 0 };
    struct parser p = { .text = text, .names = names, .e = &e, .err = err };
    struct part all;

    if (strlen(text) > EXPRESSION_TEXT_MAX) {
        expr_fail(&p, 0, 0, "An expression has at most %d bytes.", EXPRESSION_TEXT_MAX);
        return -EINVAL;
    }
    if (!parse_or(&p, &all))
        return -EINVAL;
    skip_blanks(&p);
    if (text[p.at]) {
        expr_fail(&p, p.at, 1, "'and', 'or', a comparison or the end is expected here.");
        return -EINVAL;
    }
    if (!is_condition(&p, &all))
        return -EINVAL;
    *ret = e;
    return 0;
}
