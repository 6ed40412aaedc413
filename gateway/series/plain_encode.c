/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/plain.h"

uint8_t *plain_put_times(uint8_t *p, const int64_t *time_ms, unsigned rows, int64_t period_ms,
                         int64_t *last_ms, bool is_key)
{
    for (unsigned i = is_key ? 1 : 0; i < rows; i++) {
        int64_t before = i ? time_ms[i - 1] : *last_ms;
        p = wire_put_zigzag(p, time_ms[i] - before - period_ms);
    }
    *last_ms = time_ms[rows - 1];
    return p;
}

static uint8_t *put_params(uint8_t *p, struct plain_column *c)
{
    const struct column_params *par = &c->params;

    c->k = 0;
    *p++ = par->mode;
    if (par->mode == COLUMN_RAW)
        return p;
    *p++ = (uint8_t)(par->e | (par->is_even ? 128 : 0));
    p = wire_put_varint(p, par->num);
    p = wire_put_varint(p, par->den);
    return wire_put_zigzag(p, par->off);
}

static uint8_t *put_flags(uint8_t *p, struct plain_column *c, const struct column_view *view)
{
    const struct series_cell *x = view->cells;

    for (unsigned i = 0, run; i < view->rows; i += run) {
        uint32_t flag = x[(size_t)i * view->stride].flag;
        for (run = 1; i + run < view->rows; run++)
            if (x[(size_t)(i + run) * view->stride].flag != flag)
                break;
        p = wire_put_varint(p, run);
        p = wire_put_varint(p, flag);
        c->flag = flag;
    }
    return p;
}

static uint8_t *put_kinds(uint8_t *p, const uint8_t *kinds, unsigned rows)
{
    for (unsigned i = 0, run; i < rows; i += run) {
        for (run = 1; i + run < rows && kinds[i + run] == kinds[i]; run++)
            ;
        p = wire_put_varint(p, run);
        *p++ = kinds[i];
    }
    return p;
}

static uint8_t *put_double(uint8_t *p, int64_t bits)
{
    put_le64(p, (uint64_t)bits);
    return p + 8;
}

static uint8_t *put_value(uint8_t *p, struct plain_column *c, const struct series_cell *x,
                          uint8_t kind, int64_t k)
{
    switch (kind) {
    case CELL_MISSING:
        return p;
    case CELL_DECIMAL:
        *p++ = (uint8_t)x->e;
        return wire_put_zigzag(p, x->v);
    case CELL_DOUBLE:
        return put_double(p, x->v);
    default:
        if (c->params.mode == COLUMN_RAW)
            return put_double(p, k);
        p = wire_put_zigzag(p, k - c->k);
        c->k = k;
        return p;
    }
}

static uint8_t *put_lattice(uint8_t *p, struct plain_column *c, const int64_t *k, unsigned rows)
{
    int64_t last = c->k;

    for (unsigned i = 0; i < rows; i++) {
        p = wire_put_zigzag(p, k[i] - last);
        last = k[i];
    }
    c->k = last;
    return p;
}

static bool has_flags(const struct plain_column *c, const struct column_view *view)
{
    const struct series_cell *x = view->cells;

    for (unsigned i = 0; i < view->rows; i++, x += view->stride)
        if (x->flag != c->flag)
            return true;
    return false;
}

uint8_t *plain_put_column(uint8_t *p, struct plain_column *c, bool has_params,
                          const struct column_view *view, const struct column_judged *j)
{
    bool flags_follow = has_flags(c, view);

    *p++ = (uint8_t)((has_params ? PLAIN_PARAMS : 0) | (flags_follow ? PLAIN_FLAGS : 0) |
                     (j->has_kinds ? PLAIN_KINDS : 0));
    if (has_params)
        p = put_params(p, c);
    if (flags_follow)
        p = put_flags(p, c, view);
    if (!j->has_kinds && c->params.mode == COLUMN_LATTICE)
        return put_lattice(p, c, j->k, view->rows);
    if (j->has_kinds)
        p = put_kinds(p, j->kinds, view->rows);
    for (unsigned i = 0; i < view->rows; i++)
        p = put_value(p, c, &view->cells[(size_t)i * view->stride], j->kinds[i], j->k[i]);
    return p;
}
