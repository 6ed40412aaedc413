/* SPDX-License-Identifier: Apache-2.0 */
/*
 * column - one column of a table of cells, and how its cells are coded under given parameters.
 * Pure; both codecs.
 */
#pragma once

#include "gateway/series/lattice.h"

/* Cells lie row by row: cells[row * stride]. */
struct column_view {
    const struct series_cell *cells;
    unsigned rows, stride;
    bool is_literal; /* a value written with other decimals than the column's is beside it */
};

/* kinds and k have room for all rows. */
struct column_judged {
    uint8_t *kinds;
    int64_t *k;      /* of normal cells */
    unsigned beside; /* cells written out: CELL_DECIMAL and CELL_DOUBLE */
    bool has_kinds;  /* other than CELL_NORMAL */
};

void column_judge(const struct column_params *p, const struct column_view *view,
                  struct column_judged *ret);
