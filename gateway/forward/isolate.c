/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/isolate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void isolate_done(struct isolate *i)
{
    free(i->suspects);
    *i = (struct isolate){ .n = 0 };
}

/* Index of the first suspect not below `seq`. */
static size_t find_suspect(const struct isolate *i, uint64_t seq)
{
    size_t low = 0, high = i->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (i->suspects[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool isolate_has(const struct isolate *i, uint64_t seq)
{
    size_t at = find_suspect(i, seq);

    return at < i->n && i->suspects[at].seq == seq;
}

int isolate_add(struct isolate *i, uint64_t seq)
{
    if (isolate_has(i, seq))
        return 0;
    if (i->n == SUSPECTS_MAX)
        return -ENOSPC;
    if (!i->suspects && !(i->suspects = calloc(SUSPECTS_MAX, sizeof *i->suspects)))
        return -ENOMEM;
    if (i->n == 0)
        i->limit = SUSPECTS_MAX;
    struct suspect *s = &i->suspects[find_suspect(i, seq)];
    memmove(s + 1, s, (size_t)(i->suspects + i->n - s) * sizeof *s);
    *s = (struct suspect){ .seq = seq };
    i->n++;
    return 0;
}

void isolate_drop(struct isolate *i, uint64_t from, uint64_t to)
{
    size_t first = find_suspect(i, from), end = first;

    while (end < i->n && i->suspects[end].seq <= to)
        end++;
    if (end == first)
        return;
    memmove(i->suspects + first, i->suspects + end, (i->n - end) * sizeof *i->suspects);
    i->n -= end - first;
    if (i->n == 0)
        isolate_done(i);
}

size_t isolate_pick(struct isolate *i, uint64_t *out, size_t max)
{
    size_t first = find_suspect(i, i->at + 1), n = 0;

    if (first == i->n)
        first = 0;
    for (; n < max && n < i->limit && first + n < i->n; n++)
        out[n] = i->suspects[first + n].seq;
    return n;
}

void isolate_failed(struct isolate *i, const uint64_t *seqs, size_t n, bool is_answering)
{
    if (n > 1) {
        i->limit = n / 2;
        return;
    }
    size_t at = find_suspect(i, seqs[0]);
    if (at < i->n && i->suspects[at].seq == seqs[0] && is_answering)
        i->suspects[at].has_failed = true;
    i->at = seqs[0];
}

void isolate_passed(struct isolate *i, uint64_t last)
{
    i->at = last;
    if (i->limit < SUSPECTS_MAX)
        i->limit *= 2;
}

void isolate_doubted(struct isolate *i)
{
    for (size_t k = 0; k < i->n; k++)
        i->suspects[k].has_failed = false;
}

void isolate_answered(struct isolate *i)
{
    for (size_t k = 0; k < i->n; k++) {
        i->suspects[k].strikes += i->suspects[k].has_failed;
        i->suspects[k].has_failed = false;
    }
}

uint64_t isolate_convicted(const struct isolate *i)
{
    for (size_t k = 0; k < i->n; k++)
        if (i->suspects[k].strikes >= SUSPECT_STRIKES)
            return i->suspects[k].seq;
    return 0;
}
