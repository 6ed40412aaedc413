/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calibration and maintenance as operator or schedule tell of them. Each is a state of the log:
 * a station that restarts while somebody works at an instrument must not take the span gas for
 * air.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/pipeline/internal.h"

#define PREFIX "service/"

enum { KEY_MAX = 256, VERSION = 1 };

struct stored_service {
    uint32_t version, service;
    int64_t until_ms;
};

static size_t devices_n(const struct pipeline *p)
{
    return p->o->devices_n;
}

static struct pipeline_service *of_device(const struct pipeline *p, size_t device)
{
    return &p->services[device];
}

static struct pipeline_service *of_channel(const struct pipeline *p, size_t channel)
{
    return &p->services[devices_n(p) + channel];
}

static const struct channel_stream *stream_of(const struct pipeline *p, size_t device)
{
    return &p->o->table->streams[p->o->devices[device].stream];
}

static const char *id_of(const struct pipeline *p, size_t at)
{
    return at < devices_n(p) ? p->o->devices[at].id
                             : p->o->table->channels[at - devices_n(p)].id;
}

static enum qc_service in_force(const struct pipeline_service *s, int64_t now_ms)
{
    return s->until_ms == 0 || now_ms < s->until_ms ? s->service : QC_MEASURING;
}

static const struct pipeline_service *stronger(const struct pipeline_service *device,
                                               const struct pipeline_service *channel,
                                               int64_t now_ms)
{
    const enum qc_service d = in_force(device, now_ms), c = in_force(channel, now_ms);

    return c == QC_MEASURING || (d == QC_MAINTENANCE && c != QC_MAINTENANCE) ? device : channel;
}

enum qc_service service_told(const struct pipeline *p, size_t device, size_t channel,
                             int64_t now_ms)
{
    return in_force(stronger(of_device(p, device), of_channel(p, channel), now_ms), now_ms);
}

/* "service/DEVICE" or "service/DEVICE/POINT". */
static int keep(struct pipeline *p, struct change *c, size_t at)
{
    const struct pipeline_service *s = &p->services[at];
    struct stored_service stored;
    char key[KEY_MAX];
    int n = snprintf(key, sizeof key, PREFIX "%s", id_of(p, at));

    if (!p->o->store)
        return 0;
    if (n < 0 || n >= KEY_MAX || !c->batch)
        return -ENOMEM;
    memset(&stored, 0, sizeof stored); /* padding goes to disk */
    stored.version = VERSION;
    stored.service = (uint32_t)s->service;
    stored.until_ms = s->until_ms;
    return store_batch_state(c->batch, key, &stored,
                             s->service == QC_MEASURING ? 0 : sizeof stored);
}

static bool is_of(const struct pipeline *p, uint32_t device, int32_t channel)
{
    if (device >= devices_n(p))
        return false;
    const struct channel_stream *s = stream_of(p, device);
    return channel == PIPELINE_NO_CHANNEL ||
           (channel >= 0 && (uint32_t)channel - s->first < s->n);
}

int pipeline_service(struct pipeline *p, uint32_t device, int32_t channel,
                     const struct pipeline_service *s)
{
    if (!is_of(p, device, channel) || s->service > QC_MAINTENANCE)
        return -EINVAL;

    size_t at = channel == PIPELINE_NO_CHANNEL ? device : devices_n(p) + (size_t)channel;
    struct pipeline_service before = p->services[at];
    struct change c = change_begin(p);
    p->services[at] = *s;
    int rc = keep(p, &c, at);
    if (rc == 0 && c.batch)
        rc = store_batch_submit(c.batch, STORE_AT_ONCE);
    else
        store_batch_drop(c.batch);
    if (rc < 0)
        p->services[at] = before;
    return rc;
}

struct pipeline_service pipeline_service_of(const struct pipeline *p, uint32_t channel,
                                            int64_t now_ms)
{
    const struct pipeline_service none = { QC_MEASURING, 0 };

    for (size_t i = 0; i < devices_n(p); i++) {
        if (channel - stream_of(p, i)->first >= stream_of(p, i)->n)
            continue;
        const struct pipeline_service *s =
            stronger(of_device(p, i), of_channel(p, channel), now_ms);
        return in_force(s, now_ms) == QC_MEASURING ? none : *s;
    }
    return none;
}

enum qc_service pipeline_service_seen(const struct pipeline *p, uint32_t channel)
{
    return (enum qc_service)p->qc[channel].service.service;
}

void service_shift(struct pipeline *p, struct change *c, int64_t by_ms)
{
    for (size_t i = 0; i < devices_n(p) + p->o->table->n; i++) {
        if (p->services[i].service == QC_MEASURING || p->services[i].until_ms == 0)
            continue;
        p->services[i].until_ms += by_ms;
        if (keep(p, c, i) < 0)
            p->counters.refused++;
    }
}

/* Of instruments that are not configured any more nothing is known; their states stay, for they
 * may come back. */
static void on_state(void *user, const char *key, const void *data, size_t size)
{
    struct pipeline *p = user;
    struct stored_service stored;

    if (size != sizeof stored)
        return;
    memcpy(&stored, data, sizeof stored);
    if (stored.version != VERSION || stored.service > QC_MAINTENANCE)
        return;
    for (size_t i = 0; i < devices_n(p) + p->o->table->n; i++)
        if (strcmp(id_of(p, i), key + strlen(PREFIX)) == 0)
            p->services[i] =
                (struct pipeline_service){ (enum qc_service)stored.service, stored.until_ms };
}

int service_restore(struct pipeline *p)
{
    p->services = calloc(devices_n(p) + p->o->table->n + 1, sizeof *p->services);
    if (!p->services)
        return -ENOMEM;
    return p->o->store ? store_state_each(p->o->store, PREFIX, on_state, p) : 0;
}
