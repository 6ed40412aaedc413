/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/block_mean.h"

#include <math.h>

/* The oldest blocks, without those that lag. */
static void settle(const struct block_mean_config *c, struct block_mean *b)
{
    const int kept = c->blocks + c->lag;
    const int used = b->n - c->lag > c->least ? b->n - c->lag : c->least;
    double sum = 0;

    if (b->n < used)
        return;
    for (int i = 0; i < used; i++)
        sum += (double)b->sums[(b->head - b->n + i + kept) % kept];
    b->mean = sum / (used * c->block);
    b->error = sqrt(b->mean / (used * c->block));
    b->root = sqrt(b->mean);
    b->is_known = true;
}

void block_mean_push(const struct block_mean_config *c, struct block_mean *b, double x)
{
    const int kept = c->blocks + c->lag;

    b->sum += x;
    if (++b->in < c->block)
        return;
    b->sums[b->head] = (float)b->sum;
    b->head = (uint8_t)((b->head + 1) % kept);
    if (b->n < kept)
        b->n++;
    b->sum = 0;
    b->in = 0;
    settle(c, b);
}
