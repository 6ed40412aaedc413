/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/ring.h"

#include <float.h>
#include <math.h>
#include <string.h>

static uint8_t *order_of(struct ring *r)
{
    return (uint8_t *)(r->values + r->capacity);
}

static uint8_t place_of(const struct ring *r, int rank)
{
    return ((const uint8_t *)(r->values + r->capacity))[rank];
}

size_t ring_size(int capacity)
{
    const size_t n = (size_t)capacity;
    const size_t size = offsetof(struct ring, values) + n * (sizeof(float) + 1);

    return (size + 7) / 8 * 8;
}

void ring_init(struct ring *r, int capacity)
{
    memset(r, 0, ring_size(capacity));
    r->capacity = (uint8_t)capacity;
}

void ring_clear(struct ring *r)
{
    r->n = r->head = 0;
}

/* The oldest value stands where the next one goes. */
static void drop_oldest(struct ring *r)
{
    uint8_t *order = order_of(r);
    uint8_t *at = memchr(order, r->head, r->n);

    r->n--;
    memmove(at, at + 1, (size_t)(order + r->n - at));
}

/* How many values are not above x. */
static int rank_of(const struct ring *r, float x)
{
    int low = 0, high = r->n;

    while (low < high) {
        const int middle = (low + high) / 2;
        if (r->values[place_of(r, middle)] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ring_push(struct ring *r, double x)
{
    const float value = (float)fmax(-FLT_MAX, fmin(x, FLT_MAX));

    if (r->n == r->capacity)
        drop_oldest(r);
    const int rank = rank_of(r, value);
    uint8_t *at = order_of(r) + rank;

    memmove(at + 1, at, (size_t)(r->n - rank));
    *at = r->head;
    r->values[r->head] = value;
    r->head = (uint8_t)((r->head + 1) % r->capacity);
    r->n++;
}

double ring_newest(const struct ring *r, int back)
{
    const int at = r->head - 1 - back;

    return (double)r->values[at < 0 ? at + r->capacity : at];
}

double ring_ranked(const struct ring *r, int i)
{
    return (double)r->values[place_of(r, i)];
}

double ring_quantile(const struct ring *r, double p)
{
    const int i = (int)(p * r->n);

    return ring_ranked(r, i < r->n ? i : r->n - 1);
}
