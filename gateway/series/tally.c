/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/tally.h"

#include <limits.h>
#include <math.h>

#include "gateway/series/step.h"

enum {
    DIGIT_BITS = 3,   /* a decimal more of every value */
    HINT_WEIGHT = 16, /* values after which the source's habit outweighs the dictionary */
};

/* Offsets keep indices of larger values within their bound. */
#define LARGE ((int64_t)1 << 50)

static void fade(struct column_tally *t)
{
    t->values /= 2;
    t->doubles /= 2;
    t->step_outliers /= 2;
    t->step_values /= 2;
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

static bool is_on_step(const struct column_tally *t, int64_t v, uint64_t *ret_gap)
{
    *ret_gap = v > t->base ? (uint64_t)v - (uint64_t)t->base : (uint64_t)t->base - (uint64_t)v;
    return *ret_gap == 0 || (t->step != 0 && *ret_gap % t->step == 0);
}

/* A few values beside the step are borne; more of them make it finer. */
static bool is_borne(struct column_tally *t)
{
    if (t->step_values < TALLY_SETTLED ||
        (t->step_outliers + 1) * TALLY_OUTLIERS > t->step_values)
        return false;
    t->step_outliers++;
    return true;
}

static void narrow_step(struct column_tally *t, int64_t v)
{
    uint64_t gap;

    if (t->step_values == 0) {
        t->base = v;
    } else if (!is_on_step(t, v, &gap)) {
        if (is_borne(t))
            return;
        t->step = step_common(gap, t->step);
    }
    if (t->step_values < TALLY_FULL)
        t->step_values++;
}

static void add_decimal(struct column_tally *t, int64_t v, int e)
{
    int64_t rescaled;

    t->decimals[e]++;
    if (e > t->step_e || t->step_values == 0) {
        if (t->step_values > 0 && is_borne(t))
            return;
        refine_step(t, e);
    }
    if (decimal_rescale(v, e, t->step_e, &rescaled))
        narrow_step(t, rescaled);
}

void tally_add(struct column_tally *t, const struct series_cell *c)
{
    if (c->e == DECIMAL_NONE)
        return;
    if (t->values >= TALLY_FULL)
        fade(t);
    t->values++;
    if (c->e == DECIMAL_DOUBLE) {
        t->doubles++;
        t->low_bits |= (uint32_t)c->v;
        return;
    }
    add_decimal(t, c->v, c->e);
}

/* The decimals that cost least: a finer column costs bits in every value, a coarser one those
 * that it leaves out. */
static int choose_decimals(const struct column_tally *t, int hint)
{
    unsigned values = t->values - t->doubles, beyond = 0, least = UINT_MAX;
    int best = 0;

    for (int e = DECIMAL_MAX_E; e >= 0; e--) {
        unsigned cost = values * (unsigned)e * DIGIT_BITS + beyond * STEP_OUTLIER_BITS;
        if (cost < least) {
            least = cost;
            best = e;
        }
        beyond += t->decimals[e];
    }
    return t->values < HINT_WEIGHT && hint > best ? hint : best;
}

static int64_t floor_mod(int64_t a, int64_t m)
{
    int64_t rest = a % m;

    return rest < 0 ? rest + m : rest;
}

struct column_params tally_choose(const struct column_tally *t, int hint_decimals)
{
    struct column_params p = { .mode = COLUMN_LATTICE, .num = 1, .den = 1 };

    if (t->doubles * 2 > t->values) {
        uint8_t zeros = (uint8_t)(t->low_bits ? __builtin_ctz(t->low_bits) : LATTICE_ZEROS_MAX);
        return (struct column_params){ .mode = COLUMN_RAW, .zeros = zeros, .num = 1, .den = 1 };
    }
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

static double step_of(const struct column_params *p)
{
    return p->num * pow(10, -p->e);
}

double tally_gain(const struct column_tally *t, const struct column_params *p,
                  const struct column_params *finer)
{
    if (t->step_values < TALLY_SETTLED || p->mode != COLUMN_LATTICE ||
        finer->mode != COLUMN_LATTICE || finer->den > 1)
        return -1;
    return t->step_values * log2(step_of(p) / step_of(finer)) -
           t->step_outliers * STEP_OUTLIER_BITS - STEP_CHANGE_BITS;
}

bool tally_is_finer_worth(const struct column_params *now, const struct column_params *p,
                          unsigned values, unsigned beside)
{
    double bits = 0;

    if (now->mode == COLUMN_LATTICE && p->mode == COLUMN_LATTICE && now->den == 1)
        bits = log2(step_of(now) / step_of(p));
    return beside * (double)STEP_OUTLIER_BITS > (values - beside) * bits + STEP_CHANGE_BITS;
}
