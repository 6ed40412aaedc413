/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/cursor.h"

#include <string.h>

/* Index of the first range that ends at `seq` or later. */
static size_t find_range(const struct store_cursor *c, uint64_t seq)
{
    size_t low = 0, high = c->above_n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->above[middle].to < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool cursor_has(const struct store_cursor *c, uint64_t seq)
{
    size_t i = find_range(c, seq);

    return seq <= c->acked_to || (i < c->above_n && c->above[i].from <= seq);
}

uint64_t cursor_next(const struct store_cursor *c, uint64_t seq)
{
    if (seq <= c->acked_to)
        seq = c->acked_to + 1;
    size_t i = find_range(c, seq);
    if (i < c->above_n && c->above[i].from <= seq)
        seq = c->above[i].to + 1; /* ranges do not touch: the next one begins later */
    return seq;
}

static void remove_ranges(struct store_cursor *c, size_t at, size_t n)
{
    memmove(c->above + at, c->above + at + n, (c->above_n - at - n) * sizeof c->above[0]);
    c->above_n -= n;
}

/* Ranges that have become part of the contiguous one. */
static void absorb(struct store_cursor *c)
{
    size_t n = 0;

    while (n < c->above_n && c->above[n].from <= c->acked_to + 1) {
        if (c->above[n].to > c->acked_to)
            c->acked_to = c->above[n].to;
        n++;
    }
    remove_ranges(c, 0, n);
}

bool cursor_ack(struct store_cursor *c, uint64_t from, uint64_t to)
{
    if (from > to || to <= c->acked_to)
        return true;
    if (from <= c->acked_to + 1) {
        c->acked_to = to;
        absorb(c);
        return true;
    }
    size_t first = find_range(c, from - 1), n = 0; /* touching counts */
    while (first + n < c->above_n && c->above[first + n].from <= to + 1)
        n++;
    if (n == 0) {
        if (c->above_n == STORE_RANGES_MAX)
            return false;
        memmove(c->above + first + 1, c->above + first,
                (c->above_n - first) * sizeof c->above[0]);
        c->above[first] = (struct store_range){ from, to };
        c->above_n++;
        return true;
    }
    struct store_range *r = &c->above[first];
    uint64_t end = c->above[first + n - 1].to;
    r->from = from < r->from ? from : r->from;
    r->to = to > end ? to : end;
    remove_ranges(c, first + 1, n - 1);
    return true;
}

uint64_t cursor_backlog(const struct store_cursor *c, uint64_t last)
{
    uint64_t n = last > c->acked_to ? last - c->acked_to : 0;

    for (size_t i = 0; i < c->above_n && n > 0; i++) {
        uint64_t acked = c->above[i].to - c->above[i].from + 1;
        n = n > acked ? n - acked : 0;
    }
    return n;
}
