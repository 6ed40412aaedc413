/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gateway/series/frame.h"
#include "gateway/series/plain.h"

void plain_get_times(struct wire_in *in, int64_t *time_ms, unsigned rows, int64_t period_ms,
                     int64_t *last_ms, bool is_key)
{
    int64_t t = *last_ms;

    for (unsigned i = 0; i < rows && !in->is_bad; i++) {
        if (i > 0 || !is_key) {
            int64_t step;
            if (__builtin_add_overflow(wire_get_zigzag(in), period_ms, &step) ||
                __builtin_add_overflow(t, step, &t) || t > FRAME_TIME_MAX ||
                t < -FRAME_TIME_MAX)
                in->is_bad = true;
        }
        time_ms[i] = t;
    }
    *last_ms = t;
}

static void get_params(struct wire_in *in, struct plain_column *c)
{
    struct column_params par = { .num = 1, .den = 1 };

    par.mode = wire_get_byte(in);
    if (par.mode == COLUMN_LATTICE) {
        uint8_t e = wire_get_byte(in);
        par.e = e & 127;
        par.is_even = e & 128;
        par.num = (uint32_t)wire_get_between(in, 1, LATTICE_NUM_MAX);
        par.den = (uint32_t)wire_get_between(in, 1, LATTICE_DEN_MAX);
        par.off = wire_get_zigzag(in);
    }
    if (!column_params_are_valid(&par))
        in->is_bad = true;
    c->params = par;
    c->k = 0;
}

static void get_flags(struct wire_in *in, struct plain_column *c, struct series_cell *x,
                      unsigned rows, unsigned stride)
{
    for (unsigned i = 0, run; i < rows && !in->is_bad; i += run) {
        run = (unsigned)wire_get_between(in, 1, rows - i);
        c->flag = (uint32_t)wire_get_between(in, 0, UINT32_MAX);
        for (unsigned r = 0; r < run; r++)
            x[(size_t)(i + r) * stride].flag = c->flag;
    }
}

static void get_kinds(struct wire_in *in, uint8_t *kinds, unsigned rows)
{
    for (unsigned i = 0, run; i < rows && !in->is_bad; i += run) {
        run = (unsigned)wire_get_between(in, 1, rows - i);
        uint8_t kind = wire_get_byte(in);
        if (kind > CELL_DOUBLE)
            in->is_bad = true;
        memset(kinds + i, kind, run);
    }
}

static void get_double(struct wire_in *in, struct series_cell *x)
{
    const uint8_t *p = wire_get_bytes(in, 8);

    x->v = p ? (int64_t)get_le64(p) : 0;
    x->e = DECIMAL_DOUBLE;
}

static void get_decimal(struct wire_in *in, struct series_cell *x)
{
    uint8_t e = wire_get_byte(in);

    if (e > DECIMAL_MAX_E) {
        in->is_bad = true;
        e = 0;
    }
    x->e = (int8_t)e;
    x->v = wire_get_zigzag(in);
}

static inline void get_index(struct wire_in *in, struct plain_column *c, struct series_cell *x)
{
    int64_t k;

    if (__builtin_add_overflow(c->k, wire_get_zigzag(in), &k) || k > LATTICE_K_MAX ||
        k < -LATTICE_K_MAX || !lattice_value(&c->params, k, &x->v)) {
        in->is_bad = true;
        return;
    }
    c->k = k;
    x->e = (int8_t)c->params.e;
}

static void get_value(struct wire_in *in, struct plain_column *c, uint8_t kind,
                      struct series_cell *x)
{
    if (kind == CELL_MISSING) {
        x->v = 0;
        x->e = DECIMAL_NONE;
    } else if (kind == CELL_DECIMAL) {
        get_decimal(in, x);
    } else if (kind == CELL_DOUBLE || c->params.mode == COLUMN_RAW) {
        get_double(in, x);
    } else {
        get_index(in, c, x);
    }
}

static void get_lattice(struct wire_in *in, struct plain_column *c, struct series_cell *x,
                        unsigned rows, unsigned stride)
{
    for (unsigned i = 0; i < rows && !in->is_bad; i++, x += stride)
        get_index(in, c, x);
}

void plain_get_column(struct wire_in *in, struct plain_column *c, bool is_key,
                      struct series_cell *cells, unsigned rows, unsigned stride, uint8_t *kinds)
{
    uint8_t head = wire_get_byte(in);

    if (head > (PLAIN_PARAMS | PLAIN_FLAGS | PLAIN_KINDS) || (is_key && !(head & PLAIN_PARAMS)))
        in->is_bad = true;
    if (head & PLAIN_PARAMS)
        get_params(in, c);
    if (in->is_bad)
        return;
    if (head & PLAIN_FLAGS)
        get_flags(in, c, cells, rows, stride);
    else
        for (unsigned i = 0; i < rows; i++)
            cells[(size_t)i * stride].flag = c->flag;
    if (!(head & PLAIN_KINDS) && c->params.mode == COLUMN_LATTICE) {
        get_lattice(in, c, cells, rows, stride);
        return;
    }
    memset(kinds, CELL_NORMAL, rows);
    if (head & PLAIN_KINDS)
        get_kinds(in, kinds, rows);
    for (unsigned i = 0; i < rows && !in->is_bad; i++)
        get_value(in, c, kinds[i], &cells[(size_t)i * stride]);
}
