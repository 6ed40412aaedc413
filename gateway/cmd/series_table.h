/* SPDX-License-Identifier: Apache-2.0 */
/* series_table - tables of text to frames and back, a frame at a time. */
#pragma once

#include <stdio.h>

#include "gateway/series/series.h"

struct table_encode {
    FILE *in, *out;
    enum series_codec codec;
    unsigned rows; /* of a frame, at most; fewer where a frame would hold too many cells */
};

struct series_summary {
    uint64_t rows, frames, bytes, text_bytes;
    unsigned columns;
    uint64_t reworded; /* cells that will be written in another form */
    char example[64];  /* the first of them */
};

/* Both return an exit code and tell errors on standard error, with the line. */
int series_table_encode(const struct table_encode *job, struct series_summary *ret);

/* stream < 0: that of the first frame. */
int series_table_decode(FILE *in, FILE *out, int64_t stream);

void series_summary_print(const struct series_summary *s, FILE *out);
