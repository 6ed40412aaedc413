/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/health.h"

enum health_change health_note(struct health *h, bool has_answered)
{
    if (has_answered) {
        bool is_news = !h->is_online;
        *h = (struct health){ .is_online = true };
        return is_news ? HEALTH_CAME_ONLINE : HEALTH_SAME;
    }
    if (h->failures < HEALTH_FAILURES_MAX)
        h->failures++;
    if (h->is_silent || h->failures < HEALTH_FAILURES_MAX)
        return HEALTH_SAME;
    h->is_online = false;
    h->is_silent = true;
    return HEALTH_WENT_SILENT;
}

static int64_t longest(int64_t interval_ms, bool is_alone)
{
    int64_t max = HEALTH_PROBE_MAX_MS;

    if (is_alone && interval_ms * HEALTH_PROBE_FACTOR < max)
        max = interval_ms * HEALTH_PROBE_FACTOR;
    return max > interval_ms ? max : interval_ms;
}

int64_t health_wait(struct health *h, int64_t interval_ms, bool is_alone)
{
    int64_t max = longest(interval_ms, is_alone);

    if (!h->is_silent)
        return interval_ms;
    h->probe_ms = h->probe_ms ? h->probe_ms * 2 : interval_ms;
    if (h->probe_ms > max)
        h->probe_ms = max;
    return h->probe_ms;
}

void health_hope(struct health *h)
{
    h->probe_ms = 0;
}
