/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/live/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLEARED_KEPT_MS (24 * 3600 * 1000LL) /* the contract of live_put_alert */
#define NO_CHANNEL      UINT32_MAX

static int allocate(struct live *l)
{
    l->slots = calloc(l->table->n ? l->table->n : 1, sizeof *l->slots);
    l->devices = calloc(l->devices_n ? l->devices_n : 1, sizeof *l->devices);
    l->events = calloc(LIVE_EVENTS_KEPT, sizeof *l->events);
    if (!l->slots || !l->devices || !l->events)
        return -ENOMEM;
    return -pthread_mutex_init(&l->lock, NULL);
}

static void release(struct live *l)
{
    free(l->slots);
    free(l->devices);
    free(l->buses);
    free(l->events);
    free(l);
}

int live_create(const struct live_station *station, const struct channel_table *table,
                const struct live_device *devices, size_t devices_n, struct live **ret)
{
    struct live *l = calloc(1, sizeof *l);

    if (!l)
        return -ENOMEM;
    l->station = station;
    l->table = table;
    l->devices_n = devices_n;
    l->oldest = l->newest = NO_CHANNEL;
    int err = allocate(l);
    if (err) {
        release(l);
        return err;
    }
    if (devices_n)
        memcpy(l->devices, devices, devices_n * sizeof *devices);
    *ret = l;
    return 0;
}

void live_destroy(struct live *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    release(l);
}

static void unlink_slot(struct live *l, uint32_t i)
{
    struct live_slot *s = &l->slots[i];

    if (s->older == NO_CHANNEL)
        l->oldest = s->newer;
    else
        l->slots[s->older].newer = s->newer;
    if (s->newer == NO_CHANNEL)
        l->newest = s->older;
    else
        l->slots[s->newer].older = s->older;
}

static void append_slot(struct live *l, uint32_t i)
{
    struct live_slot *s = &l->slots[i];

    s->older = l->newest;
    s->newer = NO_CHANNEL;
    if (l->newest == NO_CHANNEL)
        l->oldest = i;
    else
        l->slots[l->newest].newer = i;
    l->newest = i;
}

void live_put_sample(struct live *l, const struct sample *s)
{
    if (s->channel >= l->table->n)
        return;
    pthread_mutex_lock(&l->lock);
    struct live_slot *slot = &l->slots[s->channel];
    if (slot->version)
        unlink_slot(l, s->channel);
    slot->sample = *s;
    slot->version = l->versions.samples = ++l->versions.all;
    append_slot(l, s->channel);
    pthread_mutex_unlock(&l->lock);
}

void live_put_device(struct live *l, uint32_t device, const struct live_device *d)
{
    if (device >= l->devices_n)
        return;
    pthread_mutex_lock(&l->lock);
    struct live_device *mine = &l->devices[device];
    bool is_news = mine->state != d->state || strcmp(mine->why, d->why) != 0;
    *mine = *d;
    l->versions.all++;
    if (is_news)
        l->versions.devices = l->versions.all;
    pthread_mutex_unlock(&l->lock);
}

static struct live_alert *find_alert(struct live *l, const char *key)
{
    for (size_t i = 0; i < l->alerts_n; i++)
        if (strcmp(l->alerts[i].key, key) == 0)
            return &l->alerts[i];
    return NULL;
}

static void forget_old_alerts(struct live *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->alerts_n; i++) {
        const struct live_alert *a = &l->alerts[i];
        if (a->is_cleared && l->now_ms - a->cleared_ms > CLEARED_KEPT_MS)
            continue;
        if (kept != i)
            l->alerts[kept] = *a;
        kept++;
    }
    if (kept != l->alerts_n)
        l->versions.alerts = ++l->versions.all;
    l->alerts_n = kept;
}

/* A place for a new alert: a free one, or that of the alert cleared longest ago. */
static struct live_alert *alert_place(struct live *l)
{
    struct live_alert *oldest = NULL;

    if (l->alerts_n < LIVE_ALERTS_MAX)
        return &l->alerts[l->alerts_n++];
    l->alerts_dropped++;
    for (size_t i = 0; i < l->alerts_n; i++) {
        struct live_alert *a = &l->alerts[i];
        if (a->is_cleared && (!oldest || a->cleared_ms < oldest->cleared_ms))
            oldest = a;
    }
    return oldest;
}

void live_put_alert(struct live *l, const struct live_alert *a)
{
    pthread_mutex_lock(&l->lock);
    struct live_alert *mine = find_alert(l, a->key);
    if (!mine) {
        forget_old_alerts(l);
        mine = alert_place(l);
    }
    if (mine)
        *mine = *a;
    l->versions.alerts = ++l->versions.all;
    pthread_mutex_unlock(&l->lock);
}

void live_put_uplink(struct live *l, const struct live_uplink *u)
{
    pthread_mutex_lock(&l->lock);
    size_t i = 0;
    while (i < l->uplinks_n && strcmp(l->uplinks[i].id, u->id) != 0)
        i++;
    if (i < LIVE_UPLINKS_MAX) {
        l->uplinks[i] = *u;
        if (i == l->uplinks_n)
            l->uplinks_n++;
        l->versions.delivery = ++l->versions.all;
    }
    pthread_mutex_unlock(&l->lock);
}

void live_put_log(struct live *l, const struct live_log *g)
{
    pthread_mutex_lock(&l->lock);
    l->log = *g;
    l->versions.delivery = ++l->versions.all;
    pthread_mutex_unlock(&l->lock);
}

void live_put_clock(struct live *l, const struct live_clock *c)
{
    pthread_mutex_lock(&l->lock);
    l->clock = *c;
    pthread_mutex_unlock(&l->lock);
}

int live_put_polling(struct live *l, const struct live_polling *p, const struct live_bus *buses,
                     size_t n)
{
    int rc = 0;

    pthread_mutex_lock(&l->lock);
    if (!l->buses && n)
        l->buses = calloc(n, sizeof *l->buses);
    if (l->buses) {
        memcpy(l->buses, buses, n * sizeof *buses);
        l->buses_n = n;
    } else if (n) {
        rc = -ENOMEM;
    }
    l->polling = *p;
    pthread_mutex_unlock(&l->lock);
    return rc;
}

void live_put_event(struct live *l, const char *json)
{
    size_t size = strlen(json) + 1;

    if (size > LIVE_EVENT_MAX)
        return;
    pthread_mutex_lock(&l->lock);
    struct live_event *e = &l->events[l->events_n++ % LIVE_EVENTS_KEPT];
    memcpy(e->text, json, size);
    e->size = (uint32_t)size;
    l->versions.all++;
    pthread_mutex_unlock(&l->lock);
}

void live_set_now(struct live *l, int64_t station_ms)
{
    pthread_mutex_lock(&l->lock);
    l->now_ms = station_ms;
    forget_old_alerts(l);
    pthread_mutex_unlock(&l->lock);
}

const struct live_station *live_station_of(const struct live *l)
{
    return l->station;
}

const struct channel_table *live_channels(const struct live *l)
{
    return l->table;
}

int64_t live_now(struct live *l)
{
    pthread_mutex_lock(&l->lock);
    int64_t now = l->now_ms;
    pthread_mutex_unlock(&l->lock);
    return now;
}

uint64_t live_version(struct live *l)
{
    struct live_versions v;

    live_versions_get(l, &v);
    return v.all;
}

void live_versions_get(struct live *l, struct live_versions *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = l->versions;
    pthread_mutex_unlock(&l->lock);
}

size_t live_samples(struct live *l, uint64_t since, struct sample *out, size_t max,
                    uint64_t *ret_version)
{
    size_t n = 0;

    pthread_mutex_lock(&l->lock);
    uint32_t first = NO_CHANNEL;
    for (uint32_t i = l->newest; i != NO_CHANNEL && l->slots[i].version > since;
         i = l->slots[i].older)
        first = i;
    uint64_t version = l->versions.all;
    for (uint32_t i = first; i != NO_CHANNEL; i = l->slots[i].newer) {
        if (n == max) {
            version = n ? l->slots[l->slots[i].older].version : since;
            break;
        }
        out[n++] = l->slots[i].sample;
    }
    pthread_mutex_unlock(&l->lock);
    *ret_version = version;
    return n;
}

size_t live_devices(struct live *l, struct live_device *out, size_t max)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->devices_n < max ? l->devices_n : max;
    if (n)
        memcpy(out, l->devices, n * sizeof *out);
    pthread_mutex_unlock(&l->lock);
    return n;
}

size_t live_devices_n(const struct live *l)
{
    return l->devices_n;
}

/* Standing ones first, then the higher colour, then the newer one. */
static int by_urgency(const void *a, const void *b)
{
    const struct live_alert *x = a, *y = b;

    if (x->is_cleared != y->is_cleared)
        return x->is_cleared ? 1 : -1;
    if (!x->is_cleared && x->level != y->level)
        return x->level > y->level ? -1 : 1;
    return x->raised_ms == y->raised_ms ? strcmp(x->key, y->key)
                                        : (x->raised_ms > y->raised_ms ? -1 : 1);
}

size_t live_alerts(struct live *l, struct live_alert *out, size_t max)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->alerts_n < max ? l->alerts_n : max;
    if (n)
        memcpy(out, l->alerts, n * sizeof *out);
    pthread_mutex_unlock(&l->lock);
    if (n)
        qsort(out, n, sizeof *out, by_urgency);
    return n;
}

uint64_t live_alerts_dropped(struct live *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t n = l->alerts_dropped;
    pthread_mutex_unlock(&l->lock);
    return n;
}

size_t live_uplinks(struct live *l, struct live_uplink *out, size_t max)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->uplinks_n < max ? l->uplinks_n : max;
    if (n)
        memcpy(out, l->uplinks, n * sizeof *out);
    pthread_mutex_unlock(&l->lock);
    return n;
}

void live_log_get(struct live *l, struct live_log *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = l->log;
    pthread_mutex_unlock(&l->lock);
}

size_t live_buses_n(struct live *l)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->buses_n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

size_t live_buses(struct live *l, struct live_bus *out, size_t max)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->buses_n < max ? l->buses_n : max;
    if (n)
        memcpy(out, l->buses, n * sizeof *out);
    pthread_mutex_unlock(&l->lock);
    return n;
}

void live_clock_get(struct live *l, struct live_clock *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = l->clock;
    pthread_mutex_unlock(&l->lock);
}

void live_polling_get(struct live *l, struct live_polling *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = l->polling;
    pthread_mutex_unlock(&l->lock);
}

uint64_t live_events_last(struct live *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t n = l->events_n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

uint64_t live_events(struct live *l, uint64_t since, void (*each)(void *user, const char *json),
                     void *user)
{
    char text[LIVE_EVENT_MAX];

    for (;;) {
        pthread_mutex_lock(&l->lock);
        uint64_t n = l->events_n;
        if (n > LIVE_EVENTS_KEPT && since < n - LIVE_EVENTS_KEPT)
            since = n - LIVE_EVENTS_KEPT;
        if (since < n) {
            const struct live_event *e = &l->events[since % LIVE_EVENTS_KEPT];
            memcpy(text, e->text, e->size);
        }
        pthread_mutex_unlock(&l->lock);
        if (since >= n)
            return n;
        each(user, text);
        since++;
    }
}
