/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - rows that are committed but not in a frame yet, as one blob per commit. Each record
 * is some rows of one stream:
 *
 *   varint stream | varint number of the first row | varint rows, 65536 added when the last one
 *   is open | varint columns | varint how long it may be, ms, for an open one | varint size
 *   size bytes: per row zigzag of its time less the one before, then the cells:
 *     byte e + 2, 32 added when a flag follows | zigzag v | varint flag
 *
 * A row that was open stands again in a later record when its flags have changed, or it has
 * been open for long: the later one holds. It is always the last row of the stream at that
 * time.
 *
 * Pure. The blob lives in our own database; it is read with the care of any input all the same.
 */
#pragma once

#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/series/series.h"

struct journal_rows {
    uint32_t stream;
    uint64_t first; /* number of the first row in its stream, from 0 */
    unsigned rows, columns;
    int64_t wait_ms; /* of the last row, if it is open; 0: it is not */
    const int64_t *time_ms;
    const struct series_cell *cells;
};

/* Appends a record; `scratch` keeps its memory from call to call. After a want of memory
 * out->has_failed is set. */
void journal_put(struct buf *out, struct buf *scratch, const struct journal_rows *r);

struct journal_record {
    uint32_t stream;
    uint64_t first;
    unsigned rows, columns;
    int64_t wait_ms;
    const uint8_t *body, *end;
};

/* The next record of a blob, and its place moved on: 1, 0 at the end, -EBADMSG. */
int journal_next(const uint8_t **p, const uint8_t *end, struct journal_record *ret);

/* The rows of a record, one call each; *time_ms carries from row to row, 0 before the first.
 * `cells` has room for the columns. 0 or -EBADMSG. */
int journal_row(struct journal_record *r, int64_t *time_ms, struct series_cell *cells);
