/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step - the step that the values of a frame share but for a few, found in the frame itself,
 * and what parameters cost. Pure; for writers alone.
 */
#pragma once

#include "gateway/series/column.h"

enum {
    STEP_OUTLIER_BITS = 36, /* a value that is written out, about */
    STEP_CHANGE_BITS = 80,  /* new parameters, and the model that starts anew */
    STEP_ROWS_MIN = 16,     /* a frame of fewer rows shows too little */
};

uint64_t step_common(uint64_t a, uint64_t b); /* greatest common divisor */

/* Bits of so many values, `beside` of them written out; to be compared with another such sum,
 * not with what coding takes. */
double step_bits(const struct column_params *p, unsigned values, unsigned beside);

/* Puts step and offset into *p where they make the frame cheaper than those it has; leaves mode
 * and decimals. `j` is room to judge in, what it holds afterwards means nothing. */
void step_search(struct column_params *p, const struct column_view *view,
                 struct column_judged *j);
