/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/series/dense.h"
#include "gateway/series/frame.h"
#include "gateway/series/plain.h"
#include "gateway/series/step.h"
#include "gateway/series/tally.h"
#include "gateway/series/workspace.h"
#include "sensors/core/crc.h"

enum {
    DEFLATE_FROM = 64, /* bytes of payload below which deflate hardly ever gains */
    DEFLATE_PAUSE = 7, /* frames without a further try after one that gained nothing */
    REVIEW_ROWS = 512, /* after which parameters are looked at again, however well they fit */
    BESIDE_MAX = 8,    /* one value in so many beside its lattice asks for other parameters */
    JUDGED_MAX = 128,  /* values counted under the present parameters before older ones fade */
    LONG_PERIOD_MS = 600000,
};

#define DAY_MS ((int64_t)86400000)

struct encoder_column {
    struct column_tally tally;
    unsigned since; /* rows since parameters were looked at */
    unsigned judged,
        beside; /* values under the present ones, and those beside; older ones fade */
    int hint_decimals;
    bool is_literal, is_marked;
    bool has_zeros; /* the codec knows the parameter */
};

struct series_encoder {
    struct series_info
        key;           /* stream, layout, period ... of the open segment; rows of all of it */
    uint32_t seq, crc; /* of the last frame */
    bool has_segment;
    int64_t last_ms;            /* PLAIN */
    struct plain_column *plain; /* one of the two, per column */
    struct dense_column *dense;
    struct dense_times *times;
    unsigned deflate_pause;
    struct series_workspace *own, *work;
    unsigned columns_n;
    struct encoder_column columns[];
};

static bool reserve_codec(struct series_encoder *e, enum series_codec codec)
{
    if (codec == SERIES_PLAIN) {
        e->plain = calloc(e->columns_n, sizeof e->plain[0]);
        return e->plain;
    }
    e->dense = calloc(e->columns_n, sizeof e->dense[0]);
    e->times = calloc(1, sizeof *e->times);
    return e->dense && e->times;
}

int series_encoder_create(uint32_t stream, enum series_codec codec, unsigned columns,
                          uint32_t layout, int64_t period_ms, uint32_t unit_ms,
                          const struct series_hint *hints, struct series_encoder **ret)
{
    if (columns < 1 || columns > SERIES_COLUMNS_MAX || unit_ms < 1 ||
        unit_ms > FRAME_UNIT_MAX || period_ms > INT32_MAX || period_ms < -INT32_MAX)
        return -EINVAL;

    struct series_encoder *e = calloc(1, sizeof *e + columns * sizeof e->columns[0]);
    if (!e)
        return -ENOMEM;
    e->key = (struct series_info){ .stream = stream,
                                   .columns = columns,
                                   .layout = layout,
                                   .period_ms = period_ms,
                                   .unit_ms = unit_ms,
                                   .is_key = true,
                                   .is_dense = codec == SERIES_DENSE };
    e->columns_n = columns;
    if (!reserve_codec(e, codec)) {
        series_encoder_destroy(e);
        return -ENOMEM;
    }
    for (unsigned j = 0; j < columns; j++) {
        int d = hints ? hints[j].decimals : -1;
        e->columns[j].hint_decimals = d <= DECIMAL_MAX_E ? d : DECIMAL_MAX_E;
        e->columns[j].is_literal = hints && hints[j].is_literal;
        e->columns[j].is_marked = hints && hints[j].is_marked;
        e->columns[j].has_zeros = codec == SERIES_DENSE;
    }
    *ret = e;
    return 0;
}

void series_encoder_destroy(struct series_encoder *e)
{
    if (!e)
        return;
    series_workspace_destroy(e->own);
    free(e->plain);
    free(e->dense);
    free(e->times);
    free(e);
}

void series_encoder_share(struct series_encoder *e, struct series_workspace *w)
{
    e->work = w;
}

bool series_may_continue(const struct series_encoder *e, unsigned rows, int64_t t_last)
{
    int64_t period = e->key.period_ms < 0 ? -e->key.period_ms : e->key.period_ms;
    int64_t span = period >= LONG_PERIOD_MS ? 7 * DAY_MS : DAY_MS;

    return e->has_segment && e->seq < SERIES_SEQ_MAX &&
           e->key.rows + rows <= SERIES_SEGMENT_ROWS_MAX && t_last - e->key.t0 <= span &&
           e->key.t0 - t_last <= span;
}

static bool input_is_valid(const struct series_encoder *e, const int64_t *time_ms,
                           const struct series_cell *cells, unsigned rows)
{
    if (rows < 1 || rows > SERIES_ROWS_MAX || (size_t)rows * e->columns_n > SERIES_CELLS_MAX)
        return false;
    for (unsigned i = 0; i < rows; i++)
        if (time_ms[i] > FRAME_TIME_MAX || time_ms[i] < -FRAME_TIME_MAX)
            return false;
    for (size_t i = 0; i < (size_t)rows * e->columns_n; i++)
        if (cells[i].e > DECIMAL_MAX_E || cells[i].e < DECIMAL_DOUBLE)
            return false;
    return true;
}

static void remember(struct column_tally *t, const struct column_view *view)
{
    unsigned rows = view->rows < TALLY_FULL ? view->rows : TALLY_FULL;

    for (unsigned i = 0; i < rows; i++)
        tally_add(t, &view->cells[(size_t)i * view->stride]);
}

/* Other parameters in the middle of a segment: when they cost less for the frame, or for what
 * was judged under the present ones, or when a coarser step has shown itself that all but a few
 * share. */
static bool is_better(const struct encoder_column *c, const struct column_params *now,
                      const struct column_params *p, const struct column_judged *j,
                      unsigned beside_now, unsigned rows)
{
    if (rows >= STEP_ROWS_MIN)
        return step_bits(p, rows, j->beside) + STEP_CHANGE_BITS <
               step_bits(now, rows, beside_now);
    if (j->beside < beside_now)
        return tally_is_finer_worth(now, p, c->judged, c->beside);
    return (j->beside - beside_now) * TALLY_OUTLIERS <= rows &&
           tally_gain(&c->tally, p, now) > 0;
}

static struct column_params choose(const struct encoder_column *c)
{
    struct column_params p = tally_choose(&c->tally, c->hint_decimals);

    if (!c->has_zeros)
        p.zeros = 0;
    p.is_even = c->is_marked && p.mode == COLUMN_LATTICE;
    return p;
}

static void count_judged(struct encoder_column *c, unsigned rows, unsigned beside)
{
    for (; c->judged > JUDGED_MAX; c->judged /= 2)
        c->beside /= 2;
    c->judged += rows;
    c->beside += beside;
}

/* Judges the column, first choosing its parameters where that is due. Returns true when they
 * are new. */
static bool settle(struct encoder_column *c, struct column_params *params, bool is_key,
                   const struct column_view *view, struct column_judged *j)
{
    if (is_key) {
        remember(&c->tally, view);
        *params = choose(c);
        step_search(params, view, j);
        c->tally = (struct column_tally){ 0 };
        c->judged = c->beside = 0;
        column_judge(params, view, j);
        return true;
    }
    column_judge(params, view, j);
    count_judged(c, view->rows, j->beside);
    c->since += view->rows;
    if (c->tally.values >= TALLY_FULL && c->since < REVIEW_ROWS &&
        j->beside * BESIDE_MAX <= view->rows)
        return false;
    c->since = 0;
    unsigned beside_now = j->beside;
    remember(&c->tally, view);
    struct column_params trial = choose(c);
    step_search(&trial, view, j);
    if (column_params_are_equal(&trial, params)) {
        column_judge(params, view, j);
        return false;
    }
    column_judge(&trial, view, j);
    bool is_new = is_better(c, params, &trial, j, beside_now, view->rows);
    if (is_new) {
        *params = trial;
        c->judged = c->beside = 0;
    } else {
        column_judge(params, view, j);
    }
    return is_new;
}

/* ---- payloads ---- */

struct table {
    const int64_t *time_ms;
    const struct series_cell *cells;
    unsigned rows;
    bool is_key;
};

static size_t put_plain(struct series_encoder *e, const struct table *t)
{
    struct series_workspace *w = e->work;
    uint8_t *p = plain_put_times(w->payload, t->time_ms, t->rows, e->key.period_ms, &e->last_ms,
                                 t->is_key);

    for (unsigned j = 0; j < e->columns_n; j++) {
        struct plain_column *c = &e->plain[j];
        struct column_view view = { t->cells + j, t->rows, e->columns_n,
                                    e->columns[j].is_literal };
        struct column_judged judged = { .kinds = w->kinds, .k = w->k };
        if (t->is_key)
            *c = (struct plain_column){ 0 };
        bool is_new = settle(&e->columns[j], &c->params, t->is_key, &view, &judged);
        p = plain_put_column(p, c, is_new, &view, &judged);
    }
    return (size_t)(p - w->payload);
}

static void put_dense_column(struct series_encoder *e, struct range_coder *r, unsigned j,
                             const struct table *t)
{
    struct dense_column *c = &e->dense[j];
    struct column_view view = { t->cells + j, t->rows, e->columns_n, e->columns[j].is_literal };
    struct column_judged judged = { .kinds = e->work->kinds, .k = e->work->k };

    if (t->is_key)
        dense_column_reset(c);
    bool is_new = settle(&e->columns[j], &c->params, t->is_key, &view, &judged);
    dense_params_code(c, r, t->is_key, is_new);
    for (unsigned i = 0; i < t->rows; i++) {
        struct series_cell x = view.cells[(size_t)i * view.stride];
        dense_cell_code(c, r, judged.kinds[i], judged.k[i], &x);
    }
}

static size_t put_dense(struct series_encoder *e, const struct table *t)
{
    struct series_workspace *w = e->work;
    struct range_coder r;

    range_write_start(&r, w->payload, w->payload + w->payload_cap);
    if (t->is_key)
        dense_times_reset(e->times, e->key.period_ms, e->key.unit_ms, t->time_ms[0]);
    for (unsigned i = t->is_key ? 1 : 0; i < t->rows; i++)
        dense_time_code(e->times, &r, t->time_ms[i]);
    for (unsigned j = 0; j < e->columns_n; j++)
        put_dense_column(e, &r, j, t);
    return (size_t)(range_write_end(&r, w->payload) - w->payload);
}

/* Deflates when that has a chance. 0: the payload stays as it is. */
static size_t try_deflate(struct series_encoder *e, size_t size, uint8_t *out, size_t cap)
{
    if (size < DEFLATE_FROM || e->key.is_dense)
        return 0;
    if (e->deflate_pause > 0) {
        e->deflate_pause--;
        return 0;
    }

    size_t n = workspace_deflate(e->work, size, out, size - 1 < cap ? size - 1 : cap);
    if (n == 0)
        e->deflate_pause = DEFLATE_PAUSE;
    return n;
}

/* Header, payload of `size` bytes, checksum. Returns the frame's size, or -EFBIG, -ENOSPC. */
static long put_frame(struct series_encoder *e, const struct series_info *info, size_t size,
                      uint8_t *out, size_t cap)
{
    uint8_t header[FRAME_HEADER_MAX];
    size_t head = frame_put_header(info, header),
           room = cap < SERIES_FRAME_MAX ? cap : SERIES_FRAME_MAX;

    if (room < head + FRAME_CRC_SIZE)
        return -ENOSPC;
    room -= head + FRAME_CRC_SIZE;

    size_t n = try_deflate(e, size, out + head, room);
    if (n > 0) {
        header[0] |= FRAME_DEFLATED;
    } else {
        if (size > room)
            return head + size + FRAME_CRC_SIZE > SERIES_FRAME_MAX ? -EFBIG : -ENOSPC;
        memcpy(out + head, e->work->payload, size);
        n = size;
    }
    memcpy(out, header, head);
    e->crc = crc32c(0, out, head + n);
    put_le32(out + head + n, e->crc);
    return (long)(head + n + FRAME_CRC_SIZE);
}

static int prepare(struct series_encoder *e, bool is_key, const int64_t *time_ms,
                   const struct series_cell *cells, unsigned rows)
{
    if (!input_is_valid(e, time_ms, cells, rows))
        return -EINVAL;
    if (!is_key && (!e->has_segment || e->seq >= SERIES_SEQ_MAX))
        return -EINVAL;
    if (!e->work) {
        int rc = series_workspace_create(&e->own);
        if (rc < 0)
            return rc;
        e->work = e->own;
    }
    return workspace_reserve(e->work, rows, e->columns_n);
}

long series_encode(struct series_encoder *e, bool is_key, uint32_t segment,
                   const int64_t *time_ms, const struct series_cell *cells, unsigned rows,
                   uint8_t *out, size_t cap)
{
    long n = prepare(e, is_key, time_ms, cells, rows);

    e->has_segment = e->has_segment && n == 0;
    if (n < 0)
        return n;

    struct series_info info = e->key;
    info.is_key = is_key;
    info.rows = rows;
    if (is_key) {
        info.segment = segment;
        info.t0 = time_ms[0];
    } else {
        info.seq = e->seq + 1;
        info.chain = (uint16_t)e->crc;
    }
    const struct table t = { time_ms, cells, rows, is_key };
    n = put_frame(e, &info, e->key.is_dense ? put_dense(e, &t) : put_plain(e, &t), out, cap);
    e->has_segment = n > 0;
    if (n < 0)
        return n;
    e->seq = info.seq;
    if (is_key)
        e->key = info;
    else
        e->key.rows += rows;
    return n;
}
