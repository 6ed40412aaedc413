/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known - a few values of which some are not known: those that are, in order, and the one in
 * the middle. One that is silent speaks neither for nor against the others. Pure.
 */
#pragma once

/* The finite ones of `value`, in ascending order, into `ret` (room for n). Returns how many.
 * For a few values: O(n^2). */
unsigned known_sort(const double *value, unsigned n, double *ret);

/* Of values in order; n > 0. Of an even number the mean of the two in the middle. */
double known_median(const double *sorted, unsigned n);
