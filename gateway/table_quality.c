/* SPDX-License-Identifier: Apache-2.0 */
/* What the samples of every channel are judged by, and with what other channels they are
 * compared: peers are channel numbers (pipeline.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/table.h"

enum { NONE = -1 };

struct channel_at { /* whose peers are looked for */
    const struct table *t;
    size_t device;
    uint32_t channel;
};

static const struct device_conf *device_of(const struct table *t, size_t i)
{
    return &((const struct device_conf *)t->config->devices.items)[i];
}

static const struct profile_point *point_of(const struct table *t, size_t device,
                                            uint32_t channel)
{
    const struct pipeline_device *d = &t->device[device];

    for (size_t i = 0; i < d->points_n; i++)
        if (d->channel_of[i] == (int32_t)channel)
            return &device_of(t, device)->profile_found->points[i];
    return NULL;
}

static int find_channel(const struct table *t, const struct device_conf *d,
                        const struct profile_point *p)
{
    const size_t device = (size_t)(d - device_of(t, 0));

    return t->device[device].channel_of[p - d->profile_found->points];
}

static int find_peer(const struct channel_at *at, const char *name)
{
    const struct device_conf *d;
    const struct profile_point *p;

    if (!name || !config_peer(at->t->config, device_of(at->t, at->device), name, &d, &p))
        return NONE;
    return find_channel(at->t, d, p);
}

/* The channel of the device that measures a quantity; none when there are two: nobody knows
 * which of them belongs to which. */
static int find_quantity(void *user, const char *quantity)
{
    const struct channel_at *at = user;
    const struct channel_stream *s = &at->t->stream[at->t->device[at->device].stream];
    int found = NONE;

    for (uint32_t i = s->first; i < s->first + s->n; i++) {
        if (strcmp(at->t->channel[i].quantity->id, quantity) != 0)
            continue;
        if (found != NONE)
            return NONE;
        found = (int)i;
    }
    return found;
}

/* ---- relations ---- */

static unsigned own_relations(const struct channel_at *at, const struct quality_peers *peers,
                              struct qc_relation *ret)
{
    unsigned n = 0;

    for (size_t i = 0; i < peers->relations_n && n < QC_RELATIONS_MAX; i++) {
        const struct qc_relation_conf *c = &peers->relations[i];
        const int a = find_peer(at, c->of), b = c->plus ? find_peer(at, c->plus) : a;
        if (a == NONE || b == NONE)
            continue;
        ret[n] = qc_relation_of(c);
        ret[n].a = (unsigned)a;
        ret[n++].b = (unsigned)b;
    }
    return n;
}

static int relate(struct table *t, const struct channel_at *at,
                  const struct quality_peers *peers)
{
    const struct quantity *q = t->channel[at->channel].quantity;
    struct qc_relation found[QC_RELATIONS_MAX], usual[QC_RELATIONS_MAX];
    struct channel_at mine = *at;
    unsigned n = own_relations(at, peers, found);
    const bool is_single = find_quantity(&mine, q->id) != NONE;
    const unsigned usual_n = peers->has_usual && is_single
                                 ? qc_default_relations(q, find_quantity, &mine, usual)
                                 : 0;

    for (unsigned i = 0; i < usual_n && n < QC_RELATIONS_MAX; i++)
        found[n++] = usual[i];
    if (n == 0)
        return 0;
    struct qc_relation *kept = malloc(n * sizeof *kept);
    if (!kept)
        return -ENOMEM;
    memcpy(kept, found, n * sizeof *kept);
    t->treatment[at->channel].qc.relations = kept;
    t->treatment[at->channel].qc.relations_n = n;
    return 0;
}

/* ---- references ---- */

static struct qc_reference reference_of(const struct channel_at *at,
                                        const struct qc_reference_conf *c)
{
    const char *const *name = c->of.items;
    struct qc_reference r = qc_reference_of(c);

    for (size_t i = 0; i < c->of.n && r.n < QC_REFERENCE_PEERS_MAX; i++) {
        const int peer = find_peer(at, name[i]);
        if (peer != NONE && (uint32_t)peer != at->channel)
            r.peer[r.n++] = (unsigned)peer;
    }
    return r;
}

static int refer(struct table *t, const struct channel_at *at,
                 const struct quality_peers *peers)
{
    struct qc_reference *kept = calloc(peers->references_n + 1, sizeof *kept);
    unsigned n = 0;

    if (!kept)
        return -ENOMEM;
    for (size_t i = 0; i < peers->references_n; i++) {
        kept[n] = reference_of(at, &peers->references[i]);
        n += kept[n].n > 0;
    }
    t->treatment[at->channel].qc.references = kept;
    t->treatment[at->channel].qc.references_n = n;
    return 0;
}

int table_relate(struct table *t)
{
    int rc = 0;

    for (size_t i = 0; i < t->config->devices.n && rc == 0; i++) {
        const struct channel_stream *s = &t->stream[t->device[i].stream];
        for (uint32_t k = s->first; k < s->first + s->n && rc == 0; k++) {
            const struct channel_at at = { t, i, k };
            const struct quality_peers peers =
                config_quality_peers(t->config, device_of(t, i), point_of(t, i, k));
            rc = relate(t, &at, &peers);
            if (rc == 0 && peers.references_n)
                rc = refer(t, &at, &peers);
        }
    }
    return rc;
}

void table_forget_peers(struct table *t)
{
    for (size_t i = 0; t->treatment && i < t->channels.n; i++) {
        free((struct qc_relation *)(uintptr_t)t->treatment[i].qc.relations);
        free((struct qc_reference *)(uintptr_t)t->treatment[i].qc.references);
    }
}
