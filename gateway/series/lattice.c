/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/lattice.h"

/* Products with den > 1 stay exact in a double: JavaScript readers form them so. */
#define EXACT_MAX ((int64_t)1 << 52)

/* Of values whose index is looked for where the step is a fraction. */
#define FRACTION_MAX ((int64_t)1 << 40)

bool column_params_are_valid(const struct column_params *p)
{
    return p->mode <= COLUMN_RAW && p->e <= DECIMAL_MAX_E && p->num >= 1 &&
           p->num <= LATTICE_NUM_MAX && p->den >= 1 && p->den <= LATTICE_DEN_MAX &&
           p->zeros <= LATTICE_ZEROS_MAX;
}

bool column_params_are_equal(const struct column_params *a, const struct column_params *b)
{
    return a->mode == b->mode && a->e == b->e && a->zeros == b->zeros &&
           a->is_even == b->is_even && a->num == b->num && a->den == b->den && a->off == b->off;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* k x num / den rounded: half up, or half to even. */
static bool rounded(const struct column_params *p, int64_t k, int64_t *ret)
{
    int64_t two_den = 2 * (int64_t)p->den, t;

    if (__builtin_mul_overflow(k, 2 * (int64_t)p->num, &t) || t > EXACT_MAX || t < -EXACT_MAX)
        return false;
    t += p->den;

    int64_t q = floor_div(t, two_den);
    bool is_tie = q * two_den == t;
    *ret = p->is_even && is_tie && (q & 1) ? q - 1 : q;
    return true;
}

bool lattice_value(const struct column_params *p, int64_t k, int64_t *ret_v)
{
    int64_t x;

    if (p->den > 1) {
        if (!rounded(p, k, &x))
            return false;
    } else if (__builtin_mul_overflow(k, (int64_t)p->num, &x)) {
        return false;
    }
    return !__builtin_add_overflow(x, p->off, ret_v);
}

bool decimal_rescale(int64_t v, int from, int to, int64_t *ret)
{
    for (; from < to; from++)
        if (__builtin_mul_overflow(v, (int64_t)10, &v))
            return false;
    for (; from > to; from--, v /= 10)
        if (v % 10 != 0)
            return false;
    *ret = v;
    return true;
}

/* The index whose value is m, given m - off, when the step is a fraction. */
static bool find_fraction(const struct column_params *p, int64_t m, int64_t rest,
                          int64_t *ret_k)
{
    int64_t v;

    if (rest > FRACTION_MAX || rest < -FRACTION_MAX)
        return false;
    int64_t guess = floor_div(rest * p->den, p->num);
    for (int64_t k = guess - 1; k <= guess + 1; k++) {
        if (lattice_value(p, k, &v) && v == m) {
            *ret_k = k;
            return true;
        }
    }
    return false;
}

/* Index of the value m on the lattice, or false when it lies beside it. */
static bool find_index(const struct column_params *p, int64_t m, int64_t *ret_k)
{
    int64_t rest;

    if (__builtin_sub_overflow(m, p->off, &rest))
        return false;
    if (p->den > 1)
        return find_fraction(p, m, rest, ret_k);
    m = rest;
    if (p->num != 1) {
        if (m % p->num != 0)
            return false;
        m /= p->num;
    }
    if (m > LATTICE_K_MAX || m < -LATTICE_K_MAX)
        return false;
    *ret_k = m;
    return true;
}

enum cell_kind lattice_kind(const struct column_params *p, const struct series_cell *c,
                            int64_t *ret_k)
{
    int64_t m = c->v;

    if (c->e == DECIMAL_NONE)
        return CELL_MISSING;
    if (c->e == DECIMAL_DOUBLE) {
        *ret_k = c->v;
        bool is_normal =
            p->mode == COLUMN_RAW && ((uint64_t)c->v & (((uint64_t)1 << p->zeros) - 1)) == 0;
        return is_normal ? CELL_NORMAL : CELL_DOUBLE;
    }
    if (p->mode == COLUMN_RAW)
        return CELL_DECIMAL; /* as a double it would forget how it was written */
    if (c->e != p->e && !decimal_rescale(c->v, c->e, p->e, &m))
        return CELL_DECIMAL;
    return find_index(p, m, ret_k) ? CELL_NORMAL : CELL_DECIMAL;
}
