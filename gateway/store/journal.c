/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/journal.h"

#include <errno.h>

#include "gateway/series/wire.h"
#include "gateway/store/store.h"

enum {
    CELL_SIZE_MAX = 1 + 10 + 5,
    HAS_FLAG = 32,
    E_MASK = 31,
    IS_OPEN = 1 << 16, /* above SERIES_ROWS_MAX */
};

static uint8_t *put_cell(uint8_t *p, const struct series_cell *c)
{
    *p++ = (uint8_t)((c->e - DECIMAL_DOUBLE) | (c->flag ? HAS_FLAG : 0));
    p = wire_put_zigzag(p, c->v);
    return c->flag ? wire_put_varint(p, c->flag) : p;
}

static void put_row(struct buf *out, int64_t step_ms, const struct series_cell *cells,
                    unsigned n)
{
    uint8_t row[10 + 64 * CELL_SIZE_MAX];
    uint8_t *p = wire_put_zigzag(row, step_ms);

    for (unsigned j = 0; j < n; j++) {
        if (p > row + sizeof row - CELL_SIZE_MAX) {
            buf_put(out, row, (size_t)(p - row));
            p = row;
        }
        p = put_cell(p, &cells[j]);
    }
    buf_put(out, row, (size_t)(p - row));
}

void journal_put(struct buf *out, struct buf *scratch, const struct journal_rows *r)
{
    int64_t before = 0;

    buf_clear(scratch);
    for (unsigned i = 0; i < r->rows; i++) {
        put_row(scratch, r->time_ms[i] - before, r->cells + (size_t)i * r->columns, r->columns);
        before = r->time_ms[i];
    }
    buf_varint(out, r->stream);
    buf_varint(out, r->first);
    buf_varint(out, r->rows | (r->wait_ms > 0 ? IS_OPEN : 0));
    buf_varint(out, r->columns);
    if (r->wait_ms > 0)
        buf_varint(out, (uint64_t)r->wait_ms);
    buf_varint(out, scratch->size);
    buf_put(out, scratch->data, scratch->size);
    if (scratch->has_failed)
        out->has_failed = true;
}

int journal_next(const uint8_t **p, const uint8_t *end, struct journal_record *ret)
{
    struct wire_in in = { *p, end, false };

    if (*p == end)
        return 0;
    ret->stream = (uint32_t)wire_get_between(&in, 0, UINT32_MAX);
    ret->first = wire_get_varint(&in);
    uint64_t rows = wire_get_between(&in, 1, IS_OPEN | SERIES_ROWS_MAX);
    ret->rows = (unsigned)rows & SERIES_ROWS_MAX;
    ret->columns = (unsigned)wire_get_between(&in, 1, SERIES_COLUMNS_MAX);
    ret->wait_ms = rows & IS_OPEN ? (int64_t)wire_get_between(&in, 1, STORE_WAIT_MAX_MS) : 0;
    uint64_t size = wire_get_varint(&in);
    if (in.is_bad || ret->rows == 0 || size > (uint64_t)(in.end - in.p))
        return -EBADMSG;
    ret->body = in.p;
    ret->end = *p = in.p + size;
    return 1;
}

int journal_row(struct journal_record *r, int64_t *time_ms, struct series_cell *cells)
{
    struct wire_in in = { r->body, r->end, false };

    if (__builtin_add_overflow(*time_ms, wire_get_zigzag(&in), time_ms))
        return -EBADMSG;
    for (unsigned j = 0; j < r->columns && !in.is_bad; j++) {
        uint8_t head = wire_get_byte(&in);
        if ((head & E_MASK) > DECIMAL_MAX_E - DECIMAL_DOUBLE || head > (HAS_FLAG | E_MASK))
            return -EBADMSG;
        cells[j].e = (int8_t)((head & E_MASK) + DECIMAL_DOUBLE);
        cells[j].v = wire_get_zigzag(&in);
        cells[j].flag = head & HAS_FLAG ? (uint32_t)wire_get_between(&in, 0, UINT32_MAX) : 0;
    }
    r->body = in.p;
    return in.is_bad ? -EBADMSG : 0;
}
