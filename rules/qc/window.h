/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window - the last values of a series: range, deviation and number, each step amortised O(1).
 *
 * Pure. The memory is the caller's and is given once. Without memory a window holds nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct qc_point {
    int64_t at; /* rises: a time, or a number */
    double x;
};

/* Positions of extremes in order: the first is that of the whole window. */
struct qc_extremes {
    uint32_t *slot;
    uint32_t head, n;
};

struct qc_window {
    struct qc_point *point; /* a ring of cap; NULL: no memory */
    uint32_t cap, head, n;
    struct qc_extremes low, high;
    double mean, m2;  /* running (Welford, with removal) */
    double most;      /* largest m2 since they were computed afresh */
    uint32_t removed; /* since then */
};

size_t qc_window_size(unsigned cap); /* bytes of memory */
/* Takes qc_window_size(cap) bytes, aligned as for a double. */
void qc_window_init(struct qc_window *w, void *memory, unsigned cap);
void qc_window_clear(struct qc_window *w);

/* Adds a finite value; the oldest one makes room in a full window. */
void qc_window_put(struct qc_window *w, int64_t at, double x);
/* Drops what is older than `from`. */
void qc_window_drop(struct qc_window *w, int64_t from);

double qc_window_range(const struct qc_window *w); /* largest - smallest; NaN when empty */
/* Standard deviation with divisor n; NaN when empty. */
double qc_window_deviation(const struct qc_window *w);
/* The same computed afresh, in two passes: for a comparison that is close. */
double qc_window_deviation_exact(const struct qc_window *w);
