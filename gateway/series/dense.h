/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dense - the DENSE codec: the times and cells of a frame as decisions of a range coder
 * (sections 7.5 to 7.7 of the series format).
 *
 *   payload   times of all rows (not the first of a key frame), then the columns in order
 *   column    [parameters] | per row: flag, kind, value
 *
 * Every function codes in the direction of its coder: writing takes what it is given, reading
 * gives what is there. Anything malformed, or out of the format's bounds, sets r->is_bad.
 */
#pragma once

#include "gateway/series/dense_model.h"
#include "gateway/series/lattice.h"

struct dense_times {
    int64_t period_ms, unit_ms, last_ms;
    bool is_regular; /* the last step was one period and what the model said */
    struct adaptive regular[2], jump;
    struct dense_model model; /* of the phase against the period's grid, in units */
};

struct dense_column {
    struct column_params params;
    bool is_fresh; /* no value yet under these parameters */
    bool is_same;  /* the last flag was that of the row before */
    bool is_repeat;
    uint8_t state;        /* of the last cell: 0 normal, 1 missing, 2 written out */
    uint32_t flag, other; /* the last one, and the one before it that differed */
    uint64_t bits;        /* of the last normal double */
    struct adaptive same[2], was_other, normal[3], missing, repeat[2];
    struct dense_model model;
};

void dense_times_reset(struct dense_times *t, int64_t period_ms, int64_t unit_ms,
                       int64_t t0_ms);
int64_t dense_time_code(struct dense_times *t, struct range_coder *r, int64_t time_ms);

void dense_column_reset(struct dense_column *c);

/* Whether parameters follow (not asked in a key frame, where they do), and if so c->params. */
void dense_params_code(struct dense_column *c, struct range_coder *r, bool is_key, bool is_new);

/* One cell. Writing: its kind under c->params, and k as lattice_kind() gives it. Reading: *x is
 * filled. */
void dense_cell_code(struct dense_column *c, struct range_coder *r, enum cell_kind kind,
                     int64_t k, struct series_cell *x);
