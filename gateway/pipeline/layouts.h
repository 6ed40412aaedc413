/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layouts - rows that were written before a change of the channels, with the columns of today.
 * Channels are found by their ids. Nobody outside this folder includes it.
 */
#pragma once

#include "gateway/pipeline/internal.h"

struct layout_view {
    struct pipeline *p;
    uint32_t stream;           /* its index */
    uint32_t today;            /* the layout in force */
    uint32_t other;            /* another one that was asked for last; 0: none yet */
    int32_t *column;           /* in it, per channel of the stream; -1: it had none */
    struct series_cell *cells; /* a row, as of today */
};

/* 0 or -ENOMEM. */
int layout_view_init(struct layout_view *v, struct pipeline *p, uint32_t stream);
void layout_view_done(struct layout_view *v);

/* The row as of today, until the next call; channels that it did not have are missing, and told
 * as stopped. NULL: it has none of them. */
const struct series_cell *layout_view_row(struct layout_view *v,
                                          const struct series_cell *cells, unsigned columns,
                                          uint32_t layout);
/* Whether the row that was asked for last had the channel, counted from the stream's first. */
bool layout_view_has(const struct layout_view *v, uint32_t layout, uint32_t i);
