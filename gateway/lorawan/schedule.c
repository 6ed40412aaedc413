/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/schedule.h"

void schedule_see(struct schedule *s, uint32_t tmst, int64_t mono_us)
{
    if (s->is_known && mono_us < s->mono_us)
        return; /* a late one */
    s->tmst = tmst;
    s->mono_us = mono_us;
    s->is_known = true;
}

uint32_t schedule_tmst(const struct schedule *s, int64_t mono_us)
{
    return s->is_known ? s->tmst + (uint32_t)(mono_us - s->mono_us) : 0;
}

static void forget(struct schedule *s, int64_t now_us)
{
    for (size_t i = 0; i < s->n;) {
        if (s->slots[i].end_us < now_us)
            s->slots[i] = s->slots[--s->n];
        else
            i++;
    }
}

/* How far the slot reaches into what begins at tmst; 0: they do not touch. */
static int64_t overlap(const struct schedule *s, size_t i, uint32_t tmst, int64_t us)
{
    int64_t ahead = (int32_t)(s->slots[i].tmst - tmst); /* of the slot's start, mod 2^32 */
    int64_t end = ahead + (int64_t)s->slots[i].us + SCHEDULE_GAP_US;

    return end > 0 && ahead < us + SCHEDULE_GAP_US ? end : 0;
}

int64_t schedule_busy(const struct schedule *s, uint32_t tmst, int64_t us)
{
    int64_t busy = 0;

    for (size_t i = 0; i < s->n; i++) {
        int64_t until = overlap(s, i, tmst, us);

        busy = until > busy ? until : busy;
    }
    return busy;
}

bool schedule_take(struct schedule *s, uint32_t tmst, int64_t us, int64_t start_us,
                   int64_t now_us)
{
    forget(s, now_us);
    if (s->n == SCHEDULE_MAX || schedule_busy(s, tmst, us))
        return false;
    s->slots[s->n].tmst = tmst;
    s->slots[s->n].us = (uint32_t)us;
    s->slots[s->n].end_us = start_us + us + SCHEDULE_GAP_US;
    s->n++;
    return true;
}

void schedule_drop(struct schedule *s, uint32_t tmst)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->slots[i].tmst == tmst) {
            s->slots[i] = s->slots[--s->n];
            return;
        }
    }
}

void schedule_reset(struct schedule *s)
{
    *s = (struct schedule){ 0 };
}
