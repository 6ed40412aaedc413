/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/jit_queue.h"

#include <string.h>

enum { BEFORE_US = JIT_START_US + JIT_LEAD_US };

static bool collide(uint32_t a, int64_t a_us, uint32_t b, int64_t b_us)
{
    return a - b <= (uint32_t)(BEFORE_US + b_us + JIT_MARGIN_US) ||
           b - a <= (uint32_t)(BEFORE_US + a_us + JIT_MARGIN_US);
}

static bool is_free(const struct jit_queue *q, uint32_t tmst, int64_t airtime_us)
{
    for (size_t i = 0; i < q->n; i++) {
        if (collide(tmst, airtime_us, q->packets[i].tmst, q->packets[i].airtime_us))
            return false;
    }
    return true;
}

/* As soon as possible: now, or behind one of the queued, where there is room. */
static uint32_t soonest(const struct jit_queue *q, int64_t airtime_us, uint32_t now)
{
    uint32_t at = now + 2 * JIT_LEAD_US;

    for (size_t i = 0; i < q->n && !is_free(q, at, airtime_us); i++)
        at = q->packets[i].tmst + (uint32_t)q->packets[i].airtime_us + BEFORE_US + JIT_LEAD_US +
             JIT_MARGIN_US;
    return at;
}

static void insert(struct jit_queue *q, const struct jit_packet *p, uint32_t tmst, uint32_t now)
{
    size_t i = q->n++;

    for (; i > 0 && (int32_t)(q->packets[i - 1].tmst - now) > (int32_t)(tmst - now); i--)
        q->packets[i] = q->packets[i - 1];
    q->packets[i] = *p;
    q->packets[i].tmst = tmst;
}

enum jit_verdict jit_queue_add(struct jit_queue *q, const struct jit_packet *p, uint32_t now)
{
    const uint32_t tmst = p->is_immediate ? soonest(q, p->airtime_us, now) : p->tmst;

    if (q->n == JIT_QUEUE_MAX)
        return JIT_FULL;
    if (tmst - now <= JIT_START_US + JIT_MARGIN_US + JIT_LEAD_US)
        return JIT_TOO_LATE;
    if (tmst - now > JIT_ADVANCE_US)
        return JIT_TOO_EARLY;
    if (!is_free(q, tmst, p->airtime_us))
        return JIT_COLLISION;
    insert(q, p, tmst, now);
    return JIT_TAKEN;
}

int64_t jit_queue_wait_us(const struct jit_queue *q, uint32_t now)
{
    if (q->n == 0)
        return -1;
    const int64_t wait_us = (int32_t)(q->packets[0].tmst - now) - JIT_LEAD_US;
    return wait_us > 0 ? wait_us : 0;
}

struct jit_packet jit_queue_take(struct jit_queue *q)
{
    const struct jit_packet p = q->packets[0];

    q->n--;
    memmove(&q->packets[0], &q->packets[1], q->n * sizeof q->packets[0]);
    return p;
}
