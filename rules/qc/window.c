/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/window.h"

#include <math.h>
#include <stdbool.h>

/* Of a sum of squares that is left: ten of sixteen digits. */
#define CANCELLED 1e-6
/* The square of what a double keeps of a mean. */
#define ROUNDING 1e-20

size_t qc_window_size(unsigned cap)
{
    return cap * (sizeof(struct qc_point) + 2 * sizeof(uint32_t));
}

void qc_window_init(struct qc_window *w, void *memory, unsigned cap)
{
    struct qc_point *point = memory;
    uint32_t *slot = (uint32_t *)(void *)(point + cap);

    *w = (struct qc_window){
        .point = point,
        .cap = cap,
        .low = { .slot = slot },
        .high = { .slot = slot + cap },
    };
}

void qc_window_clear(struct qc_window *w)
{
    w->head = w->n = 0;
    w->low.n = w->high.n = 0;
    w->mean = w->m2 = w->most = 0;
    w->removed = 0;
}

static uint32_t wrapped(const struct qc_window *w, uint32_t at)
{
    return at >= w->cap ? at - w->cap : at;
}

static double value_at(const struct qc_window *w, uint32_t i)
{
    return w->point[wrapped(w, w->head + i)].x;
}

/* Welford's sums of what is in the window now. */
static void compute(const struct qc_window *w, double *ret_mean, double *ret_m2)
{
    double mean = 0, m2 = 0;

    for (uint32_t i = 0; i < w->n; i++)
        mean += value_at(w, i);
    mean = w->n ? mean / w->n : 0;
    for (uint32_t i = 0; i < w->n; i++)
        m2 += (value_at(w, i) - mean) * (value_at(w, i) - mean);
    *ret_mean = mean;
    *ret_m2 = m2;
}

static void start_afresh(struct qc_window *w)
{
    w->removed = 0;
    compute(w, &w->mean, &w->m2);
    w->most = w->m2;
}

/* Behind an outlier little is left of digits that the sum has held. Below the rounding of the
 * mean there is nothing to be won. */
static bool has_cancelled(const struct qc_window *w)
{
    return w->m2 < CANCELLED * w->most && w->most > ROUNDING * w->mean * w->mean;
}

/* Running sums drift: they are computed afresh once for each turn of the ring, and when what
 * made them large has left. */
static void forget(struct qc_window *w, double x)
{
    if (++w->removed >= w->cap || w->n == 0) {
        start_afresh(w);
        return;
    }
    const double from_old = x - w->mean;
    w->mean -= from_old / w->n;
    w->m2 -= from_old * (x - w->mean);
    if (has_cancelled(w))
        start_afresh(w);
}

static void drop_first(struct qc_window *w)
{
    const uint32_t slot = w->head;

    w->head = wrapped(w, w->head + 1);
    w->n--;
    if (w->low.n && w->low.slot[w->low.head] == slot) {
        w->low.head = wrapped(w, w->low.head + 1);
        w->low.n--;
    }
    if (w->high.n && w->high.slot[w->high.head] == slot) {
        w->high.head = wrapped(w, w->high.head + 1);
        w->high.n--;
    }
    forget(w, w->point[slot].x);
}

/* What the new value outdoes will never be an extreme again. */
static void push(struct qc_window *w, struct qc_extremes *q, uint32_t slot, bool is_low)
{
    const double x = w->point[slot].x;

    while (q->n) {
        const double other = w->point[q->slot[wrapped(w, q->head + q->n - 1)]].x;
        if (is_low ? other < x : other > x)
            break;
        q->n--;
    }
    if (q->n == 0)
        q->head = 0;
    q->slot[wrapped(w, q->head + q->n)] = slot;
    q->n++;
}

void qc_window_put(struct qc_window *w, int64_t at, double x)
{
    if (!w->cap)
        return;
    if (w->n == w->cap)
        drop_first(w);
    const uint32_t slot = wrapped(w, w->head + w->n);
    w->point[slot] = (struct qc_point){ at, x };
    w->n++;
    const double from_old = x - w->mean;
    w->mean += from_old / w->n;
    w->m2 += from_old * (x - w->mean);
    w->most = fmax(w->most, w->m2);
    push(w, &w->low, slot, true);
    push(w, &w->high, slot, false);
}

void qc_window_drop(struct qc_window *w, int64_t from)
{
    while (w->n && w->point[w->head].at < from)
        drop_first(w);
}

double qc_window_range(const struct qc_window *w)
{
    if (!w->n)
        return NAN;
    return w->point[w->high.slot[w->high.head]].x - w->point[w->low.slot[w->low.head]].x;
}

static double root(const struct qc_window *w, double m2)
{
    return m2 > 0 ? sqrt(m2 / w->n) : 0;
}

double qc_window_deviation(const struct qc_window *w)
{
    if (!w->n)
        return NAN;
    /* Equal values deviate by nothing, whatever the running sums have kept. */
    return qc_window_range(w) == 0 ? 0 : root(w, w->m2);
}

double qc_window_deviation_exact(const struct qc_window *w)
{
    double mean, m2;

    if (!w->n)
        return NAN;
    compute(w, &mean, &m2);
    return qc_window_range(w) == 0 ? 0 : root(w, m2);
}
