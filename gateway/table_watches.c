/* SPDX-License-Identifier: Apache-2.0 */
/* The channels that are watched, with the numbers of those beside them. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/table.h"

static const struct device_conf *device_of(const struct table *t, size_t i)
{
    return &((const struct device_conf *)t->config->devices.items)[i];
}

static void add_aside(const struct table *t, const struct device_conf *d, const char *name,
                      struct pipeline_aside *ret)
{
    const struct device_conf *peer;
    const struct profile_point *point;

    if (ret->n == WATCH_NEIGHBOURS_MAX || !config_peer(t->config, d, name, &peer, &point))
        return;
    const int32_t channel =
        t->device[peer - device_of(t, 0)].channel_of[point - peer->profile_found->points];
    if (channel != PIPELINE_NO_CHANNEL)
        ret->channel[ret->n++] = (uint32_t)channel;
}

static int add_watch(struct table *t, size_t device, size_t point)
{
    const struct device_conf *d = device_of(t, device);
    const int32_t channel = t->device[device].channel_of[point];
    struct pipeline_watch w = { .channel = (uint32_t)channel };

    if (channel == PIPELINE_NO_CHANNEL)
        return 0;
    const struct watch_conf *c =
        config_watch(t->config, d, &d->profile_found->points[point], &w.config);
    if (!c)
        return 0;
    for (int a = 0; a < WATCH_ASIDES; a++) {
        const char *const *names;
        const size_t n = config_watch_aside(c, (enum watch_aside)a, &names);
        for (size_t i = 0; i < n; i++)
            add_aside(t, d, names[i], &w.aside[a]);
    }
    struct pipeline_watch *more = realloc(t->watch, (t->watches_n + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    t->watch = more;
    t->watch[t->watches_n++] = w;
    return 0;
}

int table_add_watches(struct table *t)
{
    int rc = 0;

    for (size_t i = 0; i < t->config->devices.n; i++)
        for (size_t k = 0; rc == 0 && k < t->device[i].points_n; k++)
            rc = add_watch(t, i, k);
    return rc;
}
