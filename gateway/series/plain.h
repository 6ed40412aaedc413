/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain - the PLAIN codec: the payload of a frame before deflate (section 6 of the series
 * format).
 *
 *   times     zigzag of t - previous t - period, per row (not the first of a key frame)
 *   columns   head 00000kfp | [parameters] | [runs of flags] | [runs of kinds] | values
 */
#pragma once

#include "gateway/series/column.h"
#include "gateway/series/wire.h"

enum {
    PLAIN_PARAMS = 1,
    PLAIN_FLAGS = 2,
    PLAIN_KINDS = 4,
};

/* What one frame leaves for the next, per column. */
struct plain_column {
    struct column_params params;
    uint32_t flag; /* of the last row */
    int64_t k;     /* last lattice index */
};

/* Both return the end of what they wrote; the room is there (frame_payload_max). */
uint8_t *plain_put_times(uint8_t *p, const int64_t *time_ms, unsigned rows, int64_t period_ms,
                         int64_t *last_ms, bool is_key);
uint8_t *plain_put_column(uint8_t *p, struct plain_column *c, bool has_params,
                          const struct column_view *view, const struct column_judged *j);

/* Readers set in->is_bad on anything malformed; what they wrote until then is meaningless. */
void plain_get_times(struct wire_in *in, int64_t *time_ms, unsigned rows, int64_t period_ms,
                     int64_t *last_ms, bool is_key);
/* `kinds` has room for all rows. */
void plain_get_column(struct wire_in *in, struct plain_column *c, bool is_key,
                      struct series_cell *cells, unsigned rows, unsigned stride,
                      uint8_t *kinds);
