/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame - header and checksum around a payload (section 2 of the series format).
 *
 *   head 11111kdz | stream | segment | [seq, chain] | rows | [columns, layout, period, unit,
 * t0] payload CRC-32C of all before it
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/series/series.h"

enum {
    FRAME_HEADER_MAX = 64, /* seven varints of at most 5, 8 and 10 bytes, and 7 fixed ones */
    FRAME_CRC_SIZE = 4,
    FRAME_SIZE_MIN = 8,
    FRAME_HEAD = 0xF8, /* version 1: the five bits that every frame begins with */
    FRAME_KEY = 4,
    FRAME_DENSE = 2,
    FRAME_DEFLATED = 1,
    FRAME_UNIT_MAX = 1 << 20,
};

#define FRAME_TIME_MAX ((int64_t)1 << 50)

/* Writes the header; `out` has room for FRAME_HEADER_MAX bytes. Returns its size. */
size_t frame_put_header(const struct series_info *info, uint8_t *out);

/* The most bytes a payload can have before deflate (section 6). */
size_t frame_payload_max(unsigned rows, unsigned columns);
