/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/strangers.h"

#include <stddef.h>

static const int64_t again_us = 60 * 1000 * 1000;

/* Its place, or that of who was told longest ago. */
static size_t place_of(const struct strangers *s, uint64_t eui)
{
    size_t oldest = 0;

    for (size_t i = 0; i < STRANGERS_MAX; i++) {
        if (s->who[i].told_us > 0 && s->who[i].eui == eui)
            return i;
        if (s->who[i].told_us < s->who[oldest].told_us)
            oldest = i;
    }
    return oldest;
}

bool strangers_tell(struct strangers *s, uint64_t eui, int64_t now_us)
{
    const size_t i = place_of(s, eui);

    if (s->who[i].told_us > 0 && now_us - s->who[i].told_us < again_us)
        return false;
    s->who[i].eui = eui;
    s->who[i].told_us = now_us;
    return true;
}
