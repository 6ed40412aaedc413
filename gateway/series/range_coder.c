/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/range_coder.h"

enum { LENGTH_BITS = 6, LENGTH_ALL = 63 };

void range_write_start(struct range_coder *r, uint8_t *out, uint8_t *out_end)
{
    *r = (struct range_coder){
        .hi = UINT32_MAX, .out = out, .out_end = out_end, .is_writing = true
    };
}

void range_read_start(struct range_coder *r, const uint8_t *in, const uint8_t *in_end)
{
    *r = (struct range_coder){ .hi = UINT32_MAX, .in = in, .in_end = in_end };
    for (int i = 0; i < 4; i++)
        r->x = r->x << 8 | (r->in < in_end ? *r->in++ : 0);
}

/* The top n bytes of hi, followed by zeros, are the largest such number; readers append zeros,
 * so zeros at the end need not be written. */
uint8_t *range_write_end(struct range_coder *r, const uint8_t *start)
{
    int n = 0;

    while (n < 4 && (n ? r->hi & UINT32_MAX << (32 - 8 * n) : 0) < r->lo)
        n++;
    for (int i = 0; i < n; i++) {
        if (r->out == r->out_end) {
            r->is_bad = true;
            break;
        }
        *r->out++ = (uint8_t)(r->hi >> (24 - 8 * i));
    }
    while (r->out > start && r->out[-1] == 0)
        r->out--;
    return r->out;
}

uint64_t range_raw(struct range_coder *r, uint64_t v, int n)
{
    uint64_t w = 0;

    while (n-- > 0)
        w = w << 1 | range_bit(r, r->is_writing, v >> n & 1, PROBABILITY_EVEN);
    return w;
}

uint64_t range_number(struct range_coder *r, uint64_t v)
{
    int n = dense_bit_length(v);

    n = (int)range_raw(r, n >= LENGTH_ALL ? LENGTH_ALL : (uint64_t)n, LENGTH_BITS);
    if (n == LENGTH_ALL)
        return range_raw(r, v, 64);
    return n ? (uint64_t)1 << (n - 1) | range_raw(r, v, n - 1) : 0;
}

bool range_adaptive(struct range_coder *r, bool bit, struct adaptive *a)
{
    bit = range_bit(r, r->is_writing, bit, probability_bounded(a->p));
    adaptive_update(&a->p, &a->n, bit);
    return bit;
}
