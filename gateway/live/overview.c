/* SPDX-License-Identifier: Apache-2.0 */
/* Indices, and who works at what. */
#include <string.h>

#include "gateway/live/internal.h"

void live_put_index(struct live *l, const struct live_index *x)
{
    size_t i = 0;

    pthread_mutex_lock(&l->lock);
    while (i < l->indices_n && (strcmp(l->indices[i].standard, x->standard) != 0 ||
                                strcmp(l->indices[i].period, x->period) != 0))
        i++;
    if (i < LIVE_INDICES_MAX) {
        l->indices[i] = *x;
        l->indices_n += i == l->indices_n;
        l->versions.overview = ++l->versions.all;
    }
    pthread_mutex_unlock(&l->lock);
}

size_t live_indices(struct live *l, struct live_index *out, size_t max)
{
    pthread_mutex_lock(&l->lock);
    const size_t n = l->indices_n < max ? l->indices_n : max;
    memcpy(out, l->indices, n * sizeof *out);
    pthread_mutex_unlock(&l->lock);
    return n;
}

static bool is_same(const struct live_maintenance *a, const struct live_maintenance *b)
{
    return strcmp(a->device, b->device) == 0 && a->since_ms == b->since_ms &&
           a->until_ms == b->until_ms && strcmp(a->who, b->who) == 0 &&
           strcmp(a->why, b->why) == 0;
}

void live_put_maintenances(struct live *l, const struct live_maintenance *m, size_t n)
{
    size_t same = 0;

    if (n > LIVE_MAINTENANCES_MAX)
        n = LIVE_MAINTENANCES_MAX;
    pthread_mutex_lock(&l->lock);
    while (same < n && same < l->maintenances_n && is_same(&m[same], &l->maintenances[same]))
        same++;
    if (same < n || n != l->maintenances_n)
        l->versions.overview = ++l->versions.all;
    for (size_t i = same; i < n; i++)
        l->maintenances[i] = m[i];
    l->maintenances_n = n;
    pthread_mutex_unlock(&l->lock);
}

size_t live_maintenances(struct live *l, struct live_maintenance *out, size_t max)
{
    pthread_mutex_lock(&l->lock);
    const size_t n = l->maintenances_n < max ? l->maintenances_n : max;
    for (size_t i = 0; i < n; i++)
        out[i] = l->maintenances[i];
    pthread_mutex_unlock(&l->lock);
    return n;
}
