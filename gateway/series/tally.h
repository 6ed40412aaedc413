/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally - what a writer remembers of a column to choose its parameters: how many decimals the
 * source writes, and the largest step that all its values share, but for a few. Pure.
 */
#pragma once

#include <stdint.h>

#include "gateway/series/lattice.h"

enum {
    TALLY_FULL = 256,   /* values after which the choice hardly changes any more */
    TALLY_SETTLED = 32, /* values that make a common step believable */
    TALLY_OUTLIERS = 5, /* one value in so many may lie beside what the others share */
};

struct column_tally {
    uint16_t decimals[DECIMAL_MAX_E + 1]; /* values written with so many */
    uint16_t values, doubles;             /* counted; of these doubles */
    uint16_t step_values;                 /* how many share `step` ... */
    uint16_t step_outliers;               /* ... and how many since did not */
    int8_t step_e;                        /* step and base are in units of 10^-step_e */
    uint64_t step;                        /* 0 while all are equal */
    int64_t base;                         /* one of the values */
    uint32_t low_bits;                    /* of doubles: those of the lower half ever set */
};

/* Takes a cell into account; missing ones are passed over. Old values fade when it is full. */
void tally_add(struct column_tally *t, const struct series_cell *c);

/* Parameters under which most of what was seen is normal. hint_decimals counts while little was
 * seen; -1: none. */
struct column_params tally_choose(const struct column_tally *t, int hint_decimals);

/* Bits that the values seen would have saved under `p`, which tally_choose() gave, against a
 * finer lattice; < 0 when it is no gain. */
double tally_gain(const struct column_tally *t, const struct column_params *p,
                  const struct column_params *finer);

/* Whether so many values, some of them beside their lattice, had cost less under `p`, on which
 * all lie. */
bool tally_is_finer_worth(const struct column_params *now, const struct column_params *p,
                          unsigned values, unsigned beside);
