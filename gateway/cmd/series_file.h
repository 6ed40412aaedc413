/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series_file - a file of SF1 frames: "SF1\n", then for each frame its length as varint and the
 * frame; any mix of streams (section 2 of the series format).
 */
#pragma once

#include <stdio.h>

#include "gateway/series/series.h"

/* 0 or a negative errno. */
int series_file_begin(FILE *out);
int series_file_put(FILE *out, const uint8_t *frame, size_t size);

struct series_reader {
    FILE *in;
    uint64_t n;     /* of the last frame, from 1 */
    uint64_t bytes; /* of the file so far */
    uint8_t *frame; /* the last one */
    size_t size;
};

/* 0, -ENOMEM, or -EINVAL: not such a file, told on stderr. */
int series_reader_begin(struct series_reader *r, FILE *in);
/* 1: a frame is there, 0: the end, -EINVAL: cut or no length, -EIO. */
int series_reader_next(struct series_reader *r);
void series_reader_end(struct series_reader *r);

/* One line per stream and a total, or JSON. Returns an exit code; errors are told. */
int series_file_info(FILE *in, FILE *out, bool is_json);
