/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "gateway/series/dense.h"
#include "gateway/series/frame.h"
#include "gateway/series/plain.h"

#define ZLIB_CONST
#include <zlib.h>

enum {
    RAW_WINDOW = -15,     /* negative: no zlib header */
    INFLATE_RATIO = 1032, /* bytes that one byte of deflate stands for at most */
};

struct series_decoder {
    struct series_info key, last;
    bool has_segment;
    unsigned limit, columns; /* as asked for, and of this segment */
    int64_t last_ms;
    struct plain_column *plain;
    unsigned plain_cap;
    struct dense_column *dense;
    unsigned dense_cap;
    struct dense_times times;
    int64_t *time_ms;
    uint8_t *kinds;
    unsigned rows_cap;
    struct series_cell *cells;
    size_t cells_cap;
    uint8_t *inflated;
    size_t inflated_cap;
    z_stream inflate;
    bool has_inflate;
};

int series_decoder_create(struct series_decoder **ret)
{
    struct series_decoder *d = calloc(1, sizeof *d);

    if (!d)
        return -ENOMEM;
    d->limit = UINT_MAX;
    *ret = d;
    return 0;
}

void series_decoder_limit(struct series_decoder *d, unsigned columns)
{
    d->limit = columns;
}

void series_decoder_destroy(struct series_decoder *d)
{
    if (!d)
        return;
    if (d->has_inflate)
        inflateEnd(&d->inflate);
    free(d->plain);
    free(d->dense);
    free(d->time_ms);
    free(d->kinds);
    free(d->cells);
    free(d->inflated);
    free(d);
}

static bool follows(const struct series_decoder *d, const struct series_info *info)
{
    return d->has_segment && info->stream == d->last.stream &&
           info->segment == d->last.segment && info->is_dense == d->last.is_dense &&
           info->seq == d->last.seq + 1 && info->chain == (uint16_t)d->last.crc;
}

/* In PLAIN every row after a key's first and every column takes at least a byte: a header that
 * claims more is refused before memory is reserved for it. */
static bool is_plausible(const struct series_info *info, size_t payload_size)
{
    if (info->is_dense)
        return true;
    size_t least = (size_t)info->rows - 1 + info->columns;

    return payload_size * (info->is_deflated ? INFLATE_RATIO : 1) >= least;
}

static int reserve_rows(struct series_decoder *d, unsigned rows)
{
    if (rows <= d->rows_cap)
        return 0;

    int64_t *time_ms = calloc(rows, sizeof *time_ms);
    uint8_t *kinds = malloc(rows);
    if (!time_ms || !kinds) {
        free(time_ms);
        free(kinds);
        return -ENOMEM;
    }
    free(d->time_ms);
    free(d->kinds);
    d->time_ms = time_ms;
    d->kinds = kinds;
    d->rows_cap = rows;
    return 0;
}

static int reserve_columns(void **columns, unsigned *cap, unsigned n, size_t size)
{
    if (n <= *cap)
        return 0;

    void *p = calloc(n, size);
    if (!p)
        return -ENOMEM;
    free(*columns);
    *columns = p;
    *cap = n;
    return 0;
}

static int reserve_cells(struct series_decoder *d, size_t n)
{
    if (n <= d->cells_cap)
        return 0;

    struct series_cell *cells = calloc(n, sizeof *cells);
    if (!cells)
        return -ENOMEM;
    free(d->cells);
    d->cells = cells;
    d->cells_cap = n;
    return 0;
}

/* What was in the old memory is not needed: a key frame starts the columns anew, rows and cells
 * live for one frame. */
static int reserve(struct series_decoder *d, const struct series_info *info)
{
    int rc = info->is_dense ? reserve_columns((void **)&d->dense, &d->dense_cap, info->columns,
                                              sizeof d->dense[0])
                            : reserve_columns((void **)&d->plain, &d->plain_cap, info->columns,
                                              sizeof d->plain[0]);

    if (rc == 0)
        rc = reserve_cells(d, (size_t)info->rows * info->columns);
    return rc < 0 ? rc : reserve_rows(d, info->rows);
}

static int reserve_inflate(struct series_decoder *d, size_t size)
{
    if (!d->has_inflate && inflateInit2(&d->inflate, RAW_WINDOW) != Z_OK)
        return -ENOMEM;
    d->has_inflate = true;
    if (size <= d->inflated_cap)
        return 0;

    uint8_t *p = malloc(size);
    if (!p)
        return -ENOMEM;
    free(d->inflated);
    d->inflated = p;
    d->inflated_cap = size;
    return 0;
}

/* Puts the inflated payload in place of the deflated one. */
static int inflate_payload(struct series_decoder *d, const struct series_info *info,
                           struct wire_in *in)
{
    size_t room = frame_payload_max(info->rows, info->columns);
    int rc = reserve_inflate(d, room);

    if (rc < 0)
        return rc;
    z_stream *z = &d->inflate;
    z->next_in = in->p;
    z->avail_in = (uInt)(in->end - in->p);
    z->next_out = d->inflated;
    z->avail_out = (uInt)room;
    bool is_whole = inflate(z, Z_FINISH) == Z_STREAM_END && z->avail_in == 0;
    size_t n = z->total_out;
    inflateReset(z);
    *in = (struct wire_in){ d->inflated, d->inflated + n, !is_whole };
    return 0;
}

static int get_plain(struct series_decoder *d, const struct series_info *info,
                     struct wire_in in)
{
    if (info->is_deflated) {
        int rc = inflate_payload(d, info, &in);
        if (rc < 0)
            return rc;
    }
    plain_get_times(&in, d->time_ms, info->rows, info->period_ms, &d->last_ms, info->is_key);
    for (unsigned j = 0; j < info->columns && !in.is_bad; j++)
        plain_get_column(&in, &d->plain[j], info->is_key, d->cells + j, info->rows,
                         info->columns, d->kinds);
    return in.is_bad || in.p != in.end ? SERIES_EFORMAT : 0;
}

static int get_dense(struct series_decoder *d, const struct series_info *info,
                     struct wire_in in)
{
    struct range_coder r;

    range_read_start(&r, in.p, in.end);
    for (unsigned i = 0; i < info->rows && !r.is_bad; i++)
        d->time_ms[i] = i == 0 && info->is_key ? info->t0 : dense_time_code(&d->times, &r, 0);
    for (unsigned j = 0; j < d->columns && !r.is_bad; j++) {
        struct dense_column *c = &d->dense[j];
        struct series_cell *x = d->cells + j;
        dense_params_code(c, &r, info->is_key, false);
        for (unsigned i = 0; i < info->rows && !r.is_bad; i++, x += d->columns) {
            *x = (struct series_cell){ 0 };
            dense_cell_code(c, &r, CELL_NORMAL, 0, x);
        }
    }
    bool is_part = d->columns < info->columns;
    return r.is_bad || (!is_part && !range_read_end(&r)) ? SERIES_EFORMAT : 0;
}

static void reset(struct series_decoder *d, const struct series_info *key)
{
    d->key = *key;
    d->columns = key->is_dense && d->limit < key->columns ? d->limit : key->columns;
    d->last_ms = key->t0;
    if (key->is_dense)
        dense_times_reset(&d->times, key->period_ms, key->unit_ms, key->t0);
    for (unsigned j = 0; j < key->columns; j++) {
        if (key->is_dense)
            dense_column_reset(&d->dense[j]);
        else
            d->plain[j] = (struct plain_column){ .params = { .num = 1, .den = 1 } };
    }
}

/* Checks that the frame may be decoded now and fills in what its segment says. */
static int admit(const struct series_decoder *d, struct series_info *info)
{
    if (!info->is_key) {
        if (!follows(d, info))
            return SERIES_ECHAIN;
        info->columns = d->key.columns;
        info->layout = d->key.layout;
        info->period_ms = d->key.period_ms;
        info->unit_ms = d->key.unit_ms;
        info->t0 = d->key.t0;
    }
    return (size_t)info->rows * info->columns > SERIES_CELLS_MAX ? SERIES_EFORMAT : 0;
}

int series_decode(struct series_decoder *d, const uint8_t *frame, size_t size,
                  struct series_frame *out)
{
    struct series_info info;
    int rc = series_peek(frame, size, &info);

    if (rc == 0)
        rc = admit(d, &info);
    if (rc < 0)
        return rc;

    d->has_segment = false;
    struct wire_in in = { frame + info.payload, frame + size - FRAME_CRC_SIZE, false };
    if (!is_plausible(&info, (size_t)(in.end - in.p)))
        return SERIES_EFORMAT;
    rc = reserve(d, &info);
    if (rc < 0)
        return rc;
    if (info.is_key)
        reset(d, &info);
    rc = info.is_dense ? get_dense(d, &info, in) : get_plain(d, &info, in);
    if (rc < 0)
        return rc;
    d->last = info;
    d->has_segment = true;
    *out = (struct series_frame){ info, d->time_ms, d->cells };
    out->info.columns = d->columns;
    return 0;
}

bool series_is_marked(const struct series_decoder *d, unsigned column)
{
    const struct column_params *p =
        d->key.is_dense ? &d->dense[column].params : &d->plain[column].params;

    return p->mode == COLUMN_LATTICE && p->den == 1 && p->is_even;
}
