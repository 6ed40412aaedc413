/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/revision/spans.h"

#include <string.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void take_out(struct spans *s, size_t at)
{
    s->n--;
    memmove(&s->at[at], &s->at[at + 1], (s->n - at) * sizeof s->at[0]);
}

void spans_add(struct spans *s, int64_t from, int64_t to)
{
    size_t at = 0;

    if (from >= to)
        return;
    for (size_t i = 0; i < s->n;) {
        if (s->at[i].to < from || s->at[i].from > to) {
            i++;
            continue;
        }
        from = least(from, s->at[i].from);
        to = most(to, s->at[i].to);
        take_out(s, i);
    }
    if (s->n == SPANS_MAX)
        take_out(s, 0);
    while (at < s->n && s->at[at].from < from)
        at++;
    memmove(&s->at[at + 1], &s->at[at], (s->n - at) * sizeof s->at[0]);
    s->at[at] = (struct span){ from, to };
    s->n++;
}

int64_t spans_overlap(const struct spans *s, int64_t from, int64_t to)
{
    int64_t sum = 0;

    for (size_t i = 0; i < s->n; i++) {
        const int64_t begin = most(from, s->at[i].from), end = least(to, s->at[i].to);
        if (begin < end)
            sum += end - begin;
    }
    return sum;
}

bool spans_has(const struct spans *s, int64_t t)
{
    return spans_overlap(s, t, t + 1) > 0;
}
