/* SPDX-License-Identifier: Apache-2.0 */
/* How much is asked of whoever is on duty. */
#include "gateway/live/internal.h"
#include "gateway/live/live_json.h"

void live_put_duty(struct live *l, const struct live_duty *d)
{
    pthread_mutex_lock(&l->lock);
    l->duty = *d;
    l->has_duty = true;
    pthread_mutex_unlock(&l->lock);
}

bool live_duty_get(struct live *l, struct live_duty *ret)
{
    pthread_mutex_lock(&l->lock);
    const bool has_duty = l->has_duty;
    *ret = l->duty;
    pthread_mutex_unlock(&l->lock);
    return has_duty;
}

void live_json_duty(struct buf *b, struct live *l)
{
    struct live_duty d;

    if (!live_duty_get(l, &d)) {
        buf_puts(b, "null");
        return;
    }
    buf_printf(b,
               "{\"open\":%u,\"unacknowledged\":%u,\"overdue\":%u,\"shelved\":%u,"
               "\"unstable\":%u,\"standing_24h\":%u,\"raised_10min\":%u,\"raised_24h\":%u,"
               "\"worst_10min\":%u,\"dropped\":%llu}",
               d.open, d.unacknowledged, d.overdue, d.shelved, d.unstable, d.standing_day,
               d.raised_10min, d.raised_day, d.worst_10min, (unsigned long long)d.dropped);
}
