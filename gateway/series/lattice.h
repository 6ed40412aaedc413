/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lattice - what the parameters of a column make of a number (section 5 of the series format).
 *
 * A column of decimals lies on a lattice off + k x num / den of units of 10^-e, and only the
 * index k is coded. Every column also takes missing values, decimals beside the lattice and
 * doubles: the kinds of a cell. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/series/series.h"

#define LATTICE_K_MAX ((int64_t)1 << 51)

enum {
    LATTICE_NUM_MAX = INT32_MAX,
    LATTICE_DEN_MAX = 4096,
    LATTICE_ZEROS_MAX = 32,
};

enum column_mode {
    COLUMN_LATTICE = 0,
    COLUMN_RAW = 1, /* doubles, bit by bit */
};

enum cell_kind { /* as on the wire */
                 CELL_NORMAL = 0,
                 CELL_MISSING = 1,
                 CELL_DECIMAL = 2, /* v and e written out */
                 CELL_DOUBLE = 3,  /* 64 bits written out */
};

struct column_params {
    uint8_t mode, e;
    uint8_t zeros; /* RAW: low bits of every double that are 0; PLAIN: none */
    bool is_even;  /* ties go to the even number, else up */
    uint32_t num, den;
    int64_t off;
};

/* What a column may have after reading params from outside: every bound of section 5. */
bool column_params_are_valid(const struct column_params *p);

bool column_params_are_equal(const struct column_params *a, const struct column_params *b);

/* v of lattice index k. False when it, or the way there, leaves the bounds of section 5. */
bool lattice_value(const struct column_params *p, int64_t k, int64_t *ret_v);

/* How a cell is coded under p; of a normal cell *ret_k is the index, or the bits of the double.
 */
enum cell_kind lattice_kind(const struct column_params *p, const struct series_cell *c,
                            int64_t *ret_k);

/* v x 10^-from as a multiple of 10^-to. False when that is no integer of 64 bits. */
bool decimal_rescale(int64_t v, int from, int to, int64_t *ret);
