/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workspace - what encoding one frame needs and the next frame does not: a payload, the
 * verdicts of one column, the state of deflate (256 KiB). One serves any number of encoders of
 * one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/series/series.h"

#define ZLIB_CONST
#include <zlib.h>

struct series_workspace {
    uint8_t *payload;
    size_t payload_cap;
    uint8_t *kinds;
    int64_t *k;
    unsigned rows_cap;
    z_stream deflate;
    bool has_deflate;
};

/* Room for a frame. 0 or -ENOMEM. */
int workspace_reserve(struct series_workspace *w, unsigned rows, unsigned columns);

/* Raw deflate of the payload's first `size` bytes. Returns the size; 0 when not below `cap`, or
 * for want of memory: deflate is a choice. */
size_t workspace_deflate(struct series_workspace *w, size_t size, uint8_t *out, size_t cap);
