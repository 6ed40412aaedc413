/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/tally.h"

enum {
    OUTLIERS = 16,    /* one value in so many may have more decimals than the column */
    HINT_WEIGHT = 16, /* values after which the source's habit outweighs the dictionary */
};

/* Offsets keep indices of larger values within their bound. */
#define LARGE ((int64_t)1 << 50)

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void fade(struct column_tally *t)
{
    t->values /= 2;
    t->doubles /= 2;
    for (int e = 0; e <= DECIMAL_MAX_E; e++)
        t->decimals[e] /= 2;
}

/* The step of finer decimals: ten of them make one of the old. */
static void refine_step(struct column_tally *t, int e)
{
    int64_t base;

    if (t->step_values == 0 || !decimal_rescale(t->base, t->step_e, e, &base)) {
        t->step_values = 0;
        t->step = 0;
        t->step_e = (int8_t)e;
        return;
    }
    for (; t->step_e < e; t->step_e++)
        if (__builtin_mul_overflow(t->step, (uint64_t)10, &t->step))
            t->step = 1;
    t->base = base;
}

static void narrow_step(struct column_tally *t, int64_t v)
{
    if (t->step_values == 0) {
        t->base = v;
    } else {
        uint64_t gap =
            v > t->base ? (uint64_t)v - (uint64_t)t->base : (uint64_t)t->base - (uint64_t)v;
        if (t->step == 0 || gap % t->step != 0)
            t->step = gcd(gap, t->step);
    }
    if (t->step_values < TALLY_FULL)
        t->step_values++;
}

void tally_add(struct column_tally *t, const struct series_cell *c)
{
    int64_t v = c->v;

    if (c->e == DECIMAL_NONE)
        return;
    if (t->values >= TALLY_FULL)
        fade(t);
    t->values++;
    if (c->e == DECIMAL_DOUBLE) {
        t->doubles++;
        return;
    }
    t->decimals[c->e]++;
    if (c->e > t->step_e || t->step_values == 0)
        refine_step(t, c->e);
    if (c->e == t->step_e || decimal_rescale(v, c->e, t->step_e, &v))
        narrow_step(t, v);
}

/* The fewest decimals that leave only outliers beside the column. */
static int choose_decimals(const struct column_tally *t, int hint)
{
    unsigned allowed = (t->values - t->doubles) / OUTLIERS, beyond = 0;
    int e = DECIMAL_MAX_E;

    while (e > 0 && beyond + t->decimals[e] <= allowed)
        beyond += t->decimals[e--];
    return t->values < HINT_WEIGHT && hint > e ? hint : e;
}

static int64_t floor_mod(int64_t a, int64_t m)
{
    int64_t rest = a % m;

    return rest < 0 ? rest + m : rest;
}

struct column_params tally_choose(const struct column_tally *t, int hint_decimals)
{
    struct column_params p = { .mode = COLUMN_LATTICE, .num = 1, .den = 1 };

    if (t->doubles * 2 > t->values)
        return (struct column_params){ .mode = COLUMN_RAW, .num = 1, .den = 1 };
    p.e = (uint8_t)choose_decimals(t, hint_decimals);
    if (t->step_values == 0 || p.e != t->step_e)
        return p;
    if (t->step_values >= TALLY_SETTLED && t->step > 1 && t->step <= LATTICE_NUM_MAX) {
        p.num = (uint32_t)t->step;
        p.off = floor_mod(t->base, p.num);
    }
    if (t->base > LARGE || t->base < -LARGE)
        p.off = t->base;
    return p;
}
