/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/liveliness.h"

#include <stdlib.h>

int16_t liveliness_at(const struct liveliness *l, int back)
{
    const int at = l->head - 1 - back;

    return l->ring[at < 0 ? at + LIVELINESS_MAX : at];
}

void liveliness_push(const struct liveliness_config *c, struct liveliness *l, int16_t x)
{
    const bool is_jump = l->has_last && abs(x - liveliness_at(l, 0)) >= c->jump;

    l->is_switched = mofn_push(&l->jumps, is_jump, c->jumps, c->of);
    if (is_jump || !l->has_last)
        l->n = 0;
    l->has_last = true;
    l->ring[l->head] = x;
    l->head = (uint8_t)((l->head + 1) % LIVELINESS_MAX);
    if (l->n < LIVELINESS_MAX)
        l->n++;
}

void liveliness_break(struct liveliness *l)
{
    l->has_last = false;
}

/* The standard deviation of the newest n against a bound, without a root or a quotient:
 * positive when it is more, 0 when it is the same. Offsets from the newest keep the sums small.
 */
static int64_t spread_over(const struct liveliness *l, int64_t n, int64_t bound)
{
    const int32_t origin = liveliness_at(l, 0);
    int64_t sum = 0, squares = 0;

    for (int i = 1; i < n; i++) {
        const int64_t d = liveliness_at(l, i) - origin;
        sum += d;
        squares += d * d;
    }
    return n * squares - sum * sum - bound * bound * n * (n - 1);
}

bool liveliness_is_alive(const struct liveliness_config *c, const struct liveliness *l)
{
    const int n = l->n < c->most ? l->n : c->most;

    return l->is_switched || (n >= c->least && spread_over(l, n, c->alive) >= 0);
}

bool liveliness_is_steady(const struct liveliness_config *c, const struct liveliness *l)
{
    return l->n >= c->steady_n && spread_over(l, c->steady_n, c->steady) < 0;
}
