/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/background.h"

#include "rules/detect/count.h"

static const double BIN_DB = 0.5;

void background_start(struct background *b)
{
    *b = (struct background){ 0 };
}

static int bin_of(const struct background_config *c, double level)
{
    const double bin = (level - c->low) / BIN_DB;

    return bin < 0 ? 0 : bin < BACKGROUND_BINS ? (int)bin : BACKGROUND_BINS - 1;
}

static void halve(struct background *b)
{
    b->n = 0;
    for (int i = 0; i < BACKGROUND_BINS; i++) {
        b->count[i] /= 2;
        b->n = (uint16_t)(b->n + b->count[i]);
    }
    b->l90 = b->l50 = (struct background_percentile){ 0 };
}

/* Moves to the bin with: below <= n / share < below and the bin. */
static void settle(const struct background *b, struct background_percentile *p, int share)
{
    while (p->below * share > b->n)
        p->below = (uint16_t)(p->below - b->count[--p->bin]);
    while ((p->below + b->count[p->bin]) * share <= b->n)
        p->below = (uint16_t)(p->below + b->count[p->bin++]);
}

void background_refresh(const struct background_config *c, struct background *b)
{
    if (b->lost > c->stale)
        background_start(b);
}

void background_learn(const struct background_config *c, struct background *b, double level)
{
    background_refresh(c, b);
    b->frozen = b->lost = 0;
    const int bin = bin_of(c, level);
    b->count[bin]++;
    b->n++;
    b->l90.below = (uint16_t)(b->l90.below + (bin < b->l90.bin));
    b->l50.below = (uint16_t)(b->l50.below + (bin < b->l50.bin));
    if (b->n >= c->window)
        halve(b);
    /* Nothing is left of samples that all lie in bins of their own. */
    b->is_known = b->n > 0 && (b->is_known || b->n >= c->enough);
    if (!b->is_known)
        return;
    settle(b, &b->l90, 10);
    settle(b, &b->l50, 2);
}

void background_freeze(const struct background_config *c, struct background *b)
{
    b->frozen = count_up(b->frozen);
    if (b->frozen > c->frozen_max)
        background_start(b);
}

void background_lose(struct background *b)
{
    b->lost = count_up(b->lost);
}

static double level_of(const struct background_config *c, const struct background_percentile *p)
{
    return c->low + (p->bin + 0.5) * BIN_DB;
}

double background_l90(const struct background_config *c, const struct background *b)
{
    return level_of(c, &b->l90);
}

double background_l50(const struct background_config *c, const struct background *b)
{
    return level_of(c, &b->l50);
}
