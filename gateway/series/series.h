/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series - SF1 frames: N rows of M channels as bytes; stored, hashed, sent and exported alike.
 *
 * The format is fixed by its specification (docs/series/). Pure: no I/O, no clock; an object
 * belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/decimal.h"

enum { /* section 10 of the specification */
       SERIES_COLUMNS_MAX = 1024,
       SERIES_ROWS_MAX = 65535,
       SERIES_CELLS_MAX = 1 << 20,
       SERIES_FRAME_MAX = 1 << 20,
       SERIES_SEQ_MAX = 65535,
       SERIES_SEGMENT_ROWS_MAX = 4096, /* section 3: a writer starts a new segment beyond */
};

/* Value and flag of one channel at one time. `v`, `e` as in struct decimal. */
struct series_cell {
    int64_t v;
    uint32_t flag;
    int8_t e;
};

static inline struct decimal series_value(const struct series_cell *c)
{
    return (struct decimal){ c->v, c->e };
}

static inline struct series_cell series_cell_of(struct decimal d, uint32_t flag)
{
    return (struct series_cell){ d.v, flag, d.e };
}

enum series_error {
    SERIES_EFORMAT = -1001, /* not a frame, or a malformed one */
    SERIES_ECRC = -1002,    /* checksum differs: damaged or cut */
    SERIES_ECHAIN =
        -1003, /* the predecessor is not the last frame decoded: ask for the segment */
};

/* A sentence for a series_error or a negative errno. Static. */
const char *series_error_text(int err);

struct series_info {
    uint32_t stream, segment, seq;
    uint32_t rows, columns; /* columns, layout, t0, period, unit: key frames only, else 0 */
    uint32_t layout;
    int64_t t0, period_ms;
    uint32_t unit_ms;
    uint32_t crc;
    uint16_t chain;
    bool is_key, is_dense, is_deflated;
    size_t payload; /* offset of the payload */
};

/* Header and checksum only. 0 or a series_error. */
int series_peek(const uint8_t *frame, size_t size, struct series_info *ret);

/* What is known of a column before its first value; decimals -1: nothing. */
struct series_hint {
    int decimals;
    bool is_literal; /* every value must come back with the decimals it was written with, at a
                      * price; otherwise with those of its column */
    bool is_marked;  /* for the reader's series_is_marked(); costs a few bytes a segment */
};

struct series_encoder;

enum series_codec {
    SERIES_PLAIN, /* varints and deflate: 200 bytes of state a column, fast */
    SERIES_DENSE, /* a learning model and a range coder: half the size, 6 KB a column */
};

/* hints: one per column or NULL, copied. Returns 0 or -ENOMEM, -EINVAL (columns, unit, period).
 */
int series_encoder_create(uint32_t stream, enum series_codec codec, unsigned columns,
                          uint32_t layout, int64_t period_ms, uint32_t unit_ms,
                          const struct series_hint *hints, struct series_encoder **ret);
void series_encoder_destroy(struct series_encoder *e);

/* What encoding one frame needs and the next does not (a third of a megabyte). An encoder has
 * its own unless it is given one to share with the others of its thread; that one must outlive
 * it. */
struct series_workspace;
int series_workspace_create(struct series_workspace **ret); /* 0 or -ENOMEM */
void series_workspace_destroy(struct series_workspace *w);
void series_encoder_share(struct series_encoder *e, struct series_workspace *w);

/* Bytes that any frame of rows x columns fits in. */
size_t series_frame_bound(unsigned rows, unsigned columns);

/*
 * One frame of `rows` rows, cells row by row. is_key starts segment `segment`; otherwise the
 * frame continues the segment. Returns its size, or a negative errno; after an error, or when
 * the frame could not be stored, the next one must be a key frame.
 */
long series_encode(struct series_encoder *e, bool is_key, uint32_t segment,
                   const int64_t *time_ms, const struct series_cell *cells, unsigned rows,
                   uint8_t *out, size_t cap);

/* True when the next frame of `rows` rows up to `t_last` may continue the segment (section 3).
 */
bool series_may_continue(const struct series_encoder *e, unsigned rows, int64_t t_last);

struct series_frame {
    struct series_info info;         /* columns, layout, period, unit filled from the segment */
    const int64_t *time_ms;          /* rows */
    const struct series_cell *cells; /* rows x columns, row by row */
};

struct series_decoder; /* one stream */

int series_decoder_create(struct series_decoder **ret);
void series_decoder_destroy(struct series_decoder *d);

/* From the next key frame on only so many leading columns of a DENSE frame are decoded, which
 * takes as much less time (UINT_MAX: all); a frame's info says how many it has then. What
 * follows them is not looked at: only the checksum speaks for it. */
void series_decoder_limit(struct series_decoder *d, unsigned columns);

/* *out lives until the next call. 0, a series_error, or -ENOMEM. A key frame may come any time;
 * after SERIES_ECHAIN and SERIES_ECRC the state is unchanged. */
int series_decode(struct series_decoder *d, const uint8_t *frame, size_t size,
                  struct series_frame *out);

/* Of the frame decoded last: whether the writer marked the column, and its values are no
 * doubles. The mark is the parameter `even` of a lattice without a division, which says nothing
 * else there. */
bool series_is_marked(const struct series_decoder *d, unsigned column);

/* CRC-32C of a dictionary's canonical JSON (section 9): the layout number. */
uint32_t series_layout_id(const char *canonical_json, size_t size);
