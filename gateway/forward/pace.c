/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/pace.h"

void pace_init(struct pace *p)
{
    *p = (struct pace){ .budget = PACE_FIRST, .base_ms = INT64_MAX };
}

void pace_restart(struct pace *p)
{
    p->passed = p->handed;
    p->is_timing = p->was_full = false;
    p->base_ms = INT64_MAX;
    if (p->budget > PACE_FIRST)
        p->budget = PACE_FIRST;
}

size_t pace_room(const struct pace *p)
{
    uint64_t under_way = p->handed - p->passed;

    return under_way < p->budget ? p->budget - (size_t)under_way : 0;
}

void pace_handed(struct pace *p, size_t bytes, int64_t now_ms)
{
    if (bytes == 0)
        return;
    if (p->passed == p->handed)
        p->progress_ms = now_ms;
    p->handed += bytes;
    p->was_full = p->was_full || p->handed - p->passed >= p->budget / 2;
    if (p->is_timing)
        return;
    p->is_timing = true;
    p->mark = p->handed;
    p->began_ms = now_ms;
}

static void learn(struct pace *p, int64_t took_ms)
{
    if (took_ms < p->base_ms)
        p->base_ms = took_ms;
    int64_t waited_ms = took_ms - p->base_ms;
    /* a first slow round trip may be the link's own or a queue: taken for a queue when it holds
     * more than the link should */
    if (waited_ms > PACE_WAIT_MS || took_ms > 6 * PACE_WAIT_MS)
        p->budget = p->budget / 2 > PACE_LEAST ? p->budget / 2 : PACE_LEAST;
    else if (waited_ms < PACE_WAIT_MS / 2 && p->was_full)
        p->budget = p->budget * 2 < PACE_MOST ? p->budget * 2 : PACE_MOST;
    p->was_full = false;
}

void pace_left(struct pace *p, size_t bytes, int64_t now_ms)
{
    uint64_t passed = bytes < p->handed ? p->handed - bytes : 0;

    if (passed > p->passed) {
        p->passed = passed;
        p->progress_ms = now_ms;
    }
    if (!p->is_timing || p->passed < p->mark)
        return;
    p->is_timing = false;
    learn(p, now_ms - p->began_ms);
}

int64_t pace_silent_ms(const struct pace *p, int64_t now_ms)
{
    return p->passed < p->handed && now_ms > p->progress_ms ? now_ms - p->progress_ms : 0;
}
