/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/scatter.h"

#include <stdlib.h>
#include <string.h>

enum scatter_verdict scatter_push(const struct scatter_config *c, struct scatter *s, int16_t x)
{
    int32_t steps = 0;

    if (s->n == SCATTER_MAX)
        memmove(s->last, s->last + 1, (size_t)--s->n * sizeof s->last[0]);
    s->last[s->n++] = x;
    s->idle = 0;
    if (s->n < SCATTER_LEAST)
        return SCATTER_NONE;
    for (int i = 1; i < s->n; i++)
        steps += abs(s->last[i] - s->last[i - 1]);
    if (steps < c->step * (s->n - 1))
        return SCATTER_NONE;
    return s->n >= c->sure ? SCATTER_SURE : SCATTER_SEEN;
}

void scatter_pass(const struct scatter_config *c, struct scatter *s)
{
    if (s->n && ++s->idle >= c->forget)
        scatter_clear(s);
}

void scatter_clear(struct scatter *s)
{
    s->n = s->idle = 0;
}
