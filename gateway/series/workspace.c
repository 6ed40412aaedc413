/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/workspace.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/series/frame.h"

enum {
    DEFLATE_LEVEL = 9,
    RAW_WINDOW = -15, /* negative: no zlib header */
    DEFLATE_MEMORY = 8,
};

int series_workspace_create(struct series_workspace **ret)
{
    struct series_workspace *w = calloc(1, sizeof *w);

    if (!w)
        return -ENOMEM;
    *ret = w;
    return 0;
}

void series_workspace_destroy(struct series_workspace *w)
{
    if (!w)
        return;
    if (w->has_deflate)
        deflateEnd(&w->deflate);
    free(w->payload);
    free(w->kinds);
    free(w->k);
    free(w);
}

static int reserve_rows(struct series_workspace *w, unsigned rows)
{
    if (rows <= w->rows_cap)
        return 0;

    uint8_t *kinds = malloc(rows);
    int64_t *k = calloc(rows, sizeof *k);
    if (!kinds || !k) {
        free(kinds);
        free(k);
        return -ENOMEM;
    }
    free(w->kinds);
    free(w->k);
    w->kinds = kinds;
    w->k = k;
    w->rows_cap = rows;
    return 0;
}

int workspace_reserve(struct series_workspace *w, unsigned rows, unsigned columns)
{
    size_t need = frame_payload_max(rows, columns);

    if (need > w->payload_cap) {
        uint8_t *payload = malloc(need);
        if (!payload)
            return -ENOMEM;
        free(w->payload);
        w->payload = payload;
        w->payload_cap = need;
    }
    return reserve_rows(w, rows);
}

size_t workspace_deflate(struct series_workspace *w, size_t size, uint8_t *out, size_t cap)
{
    z_stream *z = &w->deflate;

    if (!w->has_deflate && deflateInit2(z, DEFLATE_LEVEL, Z_DEFLATED, RAW_WINDOW,
                                        DEFLATE_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    w->has_deflate = true;
    z->next_in = w->payload;
    z->avail_in = (uInt)size;
    z->next_out = out;
    z->avail_out = (uInt)cap;

    size_t n = deflate(z, Z_FINISH) == Z_STREAM_END ? z->total_out : 0;
    deflateReset(z);
    return n;
}
