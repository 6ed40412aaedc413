/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames one after another, each behind its length as varint. Checksums and chains are made
 * right, or nearly every input would end there. What decodes is encoded and must decode to the
 * same.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/series/series.h"
#include "sensors/core/bytes.h"
#include "sensors/core/crc.h"
#include "tests/fuzz/fuzz.h"

enum {
    FRAMES_MAX = 16,     /* of one input: time, not depth */
    CELLS_MAX = 1 << 16, /* of a frame that is encoded again */
};

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static bool is_same_cell(const struct series_cell *a, const struct series_cell *b)
{
    return a->v == b->v && a->e == b->e && a->flag == b->flag;
}

static bool is_same_value(const struct series_cell *a, const struct series_cell *b)
{
    struct series_cell lo = a->e < b->e ? *a : *b, hi = a->e < b->e ? *b : *a;

    if (lo.e < 0 || lo.flag != hi.flag)
        return is_same_cell(a, b);
    for (; lo.e < hi.e; lo.e++)
        if (__builtin_mul_overflow(lo.v, (int64_t)10, &lo.v))
            return false;
    return lo.v == hi.v;
}

static void encode_again(const struct series_frame *f, enum series_codec codec)
{
    const struct series_info *in = &f->info;
    size_t cells = (size_t)in->rows * in->columns,
           cap = series_frame_bound(in->rows, in->columns);
    struct series_encoder *e = NULL;
    struct series_decoder *d = NULL;
    struct series_frame g;
    uint8_t *out = cells <= CELLS_MAX ? malloc(cap) : NULL;

    if (!out)
        return;
    require(series_encoder_create(in->stream, codec, in->columns, in->layout, in->period_ms,
                                  in->unit_ms, NULL, &e) == 0);
    require(series_decoder_create(&d) == 0);
    long n = series_encode(e, true, in->segment, f->time_ms, f->cells, in->rows, out, cap);
    if (n > 0) {
        require(series_decode(d, out, (size_t)n, &g) == 0);
        require(memcmp(g.time_ms, f->time_ms, in->rows * sizeof *g.time_ms) == 0);
        for (size_t i = 0; i < cells; i++)
            require(is_same_value(&g.cells[i], &f->cells[i]));
    } else {
        require(cap == SERIES_FRAME_MAX); /* only what is too large is refused */
    }
    series_encoder_destroy(e);
    series_decoder_destroy(d);
    free(out);
}

/* After the varints of stream, segment and seq of a continuing frame stands the chain. */
static void mend(uint8_t *p, size_t size, uint32_t crc_before)
{
    size_t at = 1;
    uint64_t v;

    if (size < 8)
        return;
    for (int i = 0; i < 3 && at < size; i++)
        at += varint_get(p + at, size - at, &v);
    if (!(p[0] & 4) && at + 2 <= size - 4) {
        p[at] = (uint8_t)crc_before;
        p[at + 1] = (uint8_t)(crc_before >> 8);
    }
    put_le32(p + size - 4, crc32c(0, p, size - 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct series_decoder *d;
    uint32_t crc = 0;

    require(series_decoder_create(&d) == 0);
    for (int i = 0; i < FRAMES_MAX && size > 0; i++) {
        struct series_frame f;
        uint64_t n;
        size_t used = varint_get(data, size, &n);
        if (used == 0)
            break;
        data += used;
        size -= used;
        n = n < size ? n : size;

        uint8_t *frame = malloc(n ? n : 1);
        require(frame);
        memcpy(frame, data, n);
        mend(frame, n, crc);
        if (series_decode(d, frame, n, &f) == 0) {
            crc = f.info.crc;
            encode_again(&f, SERIES_PLAIN);
            encode_again(&f, SERIES_DENSE);
        }
        free(frame);
        data += n;
        size -= n;
    }
    series_decoder_destroy(d);
    return 0;
}
