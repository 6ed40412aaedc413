/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/step.h"

#include <math.h>

enum {
    STRETCH = 8,      /* values whose step is tried on the whole frame */
    TRIES_MAX = 8,    /* of steps, each as dear as judging the frame */
    SEARCH_BITS = 24, /* a step and its offset */
    DOUBLE_BITS = 52,
    DOUBLE_OUTLIER_BITS = 66,
};

#define DIGIT_BITS 3.3219 /* of a decimal more: log2(10) */

uint64_t step_common(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

double step_bits(const struct column_params *p, unsigned values, unsigned beside)
{
    double normal = values - beside;

    if (p->mode == COLUMN_RAW)
        return (DOUBLE_BITS - p->zeros) * normal + (double)DOUBLE_OUTLIER_BITS * beside;
    return normal * (p->e * DIGIT_BITS - log2((double)p->num / p->den)) +
           (double)STEP_OUTLIER_BITS * beside;
}

/* Between two cells in units of 10^-e; 0 when one of them is no such number. */
static uint64_t gap_of(const struct series_cell *a, const struct series_cell *b, int e)
{
    int64_t va, vb;

    if (a->e < 0 || b->e < 0 || !decimal_rescale(a->v, a->e, e, &va) ||
        !decimal_rescale(b->v, b->e, e, &vb))
        return 0;
    return va > vb ? (uint64_t)va - (uint64_t)vb : (uint64_t)vb - (uint64_t)va;
}

/* What the gaps of STRETCH cells from `x` on have in common. */
static uint64_t stretch_step(const struct series_cell *x, unsigned stride, int e)
{
    uint64_t step = 0;

    for (unsigned i = 1; i < STRETCH && step != 1; i++, x += stride)
        step = step_common(step, gap_of(x, x + stride, e));
    return step;
}

/* The lattice of that step through cell `x`. */
static bool put_lattice(struct column_params *p, uint64_t step, const struct series_cell *x)
{
    int64_t base;

    if (step < 2 || step > LATTICE_NUM_MAX || step == p->num || x->e < 0 ||
        !decimal_rescale(x->v, x->e, p->e, &base))
        return false;
    p->num = (uint32_t)step;
    p->off = base % (int64_t)step;
    if (p->off < 0)
        p->off += (int64_t)step;
    return true;
}

void step_search(struct column_params *p, const struct column_view *view,
                 struct column_judged *j)
{
    struct column_params trial = *p;
    unsigned tries = 0;

    if (view->rows < STEP_ROWS_MIN || p->mode != COLUMN_LATTICE || p->den != 1)
        return;
    column_judge(p, view, j);
    double least = step_bits(p, view->rows, j->beside);
    for (unsigned at = 0; at + STRETCH <= view->rows && tries < TRIES_MAX; at += STRETCH) {
        const struct series_cell *x = view->cells + (size_t)at * view->stride;
        if (!put_lattice(&trial, stretch_step(x, view->stride, p->e), x))
            continue;
        tries++;
        column_judge(&trial, view, j);
        double bits = step_bits(&trial, view->rows, j->beside) + SEARCH_BITS;
        if (bits < least) {
            least = bits;
            *p = trial;
        }
    }
}
