/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of samples that cannot work are told before the station runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"

enum { CHANNELS_MAX = 4096 }; /* that may be suggested for a misspelt one */

/* Where the checks of a channel are written. */
struct place {
    const struct check *k;
    const struct device_conf *device; /* NULL: of all channels of a quantity */
    const void *item;
    const struct qc_options *qc;
};

/* ---- other channels ---- */

static const char *near_channel(const struct place *at, const char *name)
{
    const char **names = calloc(CHANNELS_MAX + 1, sizeof *names);
    const struct device_conf *d = at->k->c->devices.items;
    size_t n = 0;

    for (size_t i = 0; names && i < at->k->c->devices.n; i++) {
        const struct profile *p = d[i].profile_found;
        for (size_t k = 0; p && d[i].id && k < p->points_n && n < CHANNELS_MAX; k++) {
            char text[128];
            if (!check_is_channel(&d[i], &p->points[k]))
                continue;
            int size = snprintf(text, sizeof text, "%s/%s", d[i].id, p->points[k].id);
            if (size > 0 && (size_t)size < sizeof text)
                names[n] = arena_text(at->k->arena, text, (size_t)size);
            n += names[n] != NULL;
        }
    }
    const char *near = names ? nearest_word(name, names) : NULL;
    free(names);
    return near;
}

/* What a quantity's channels are compared with need not be there in every device. */
static void check_peer(const struct place *at, const char *const *name)
{
    const struct device_conf *d;
    const struct profile_point *p;
    char shown[DIAG_SHOWN_BYTES];

    if (!*name || (!at->device && !strchr(*name, '/')) ||
        config_peer(at->k->c, at->device, *name, &d, &p))
        return;
    const char *near = near_channel(at, *name);
    utf8_shown(*name, DIAG_SHOWN_MAX, shown, sizeof shown);
    check_error(at->k, at->item, name, E_REFERENCE, "there is no channel '%s'%s%s%s", shown,
                near ? ", did you mean '"
                     : ", expected DEVICE/POINT, or POINT of the same device",
                near ? near : "", near ? "'?" : "");
}

static void check_relations(const struct place *at)
{
    const struct qc_relation_conf *r = at->qc->relations.items;

    for (size_t i = 0; i < at->qc->relations.n; i++) {
        check_peer(at, &r[i].of);
        check_peer(at, &r[i].plus);
        if (r[i].kind == QC_SUM_OF && !r[i].plus)
            check_error(at->k, &r[i], &r[i].kind, E_CONFLICT,
                        "a sum is of two channels, 'plus' is missing");
        if (r[i].kind != QC_SUM_OF && r[i].plus)
            check_error(at->k, &r[i], &r[i].plus, E_CONFLICT,
                        "'plus' belongs to 'kind: sum_of'");
    }
}

static void check_references(const struct place *at)
{
    const struct qc_reference_conf *r = at->qc->references.items;

    for (size_t i = 0; i < at->qc->references.n; i++) {
        const char *const *name = r[i].of.items;
        struct qc_reference made = qc_reference_of(&r[i]);
        made.n = (unsigned)r[i].of.n;
        const char *error = qc_reference_error(&made);
        if (error)
            check_error(at->k, &r[i], &r[i].kind, E_RANGE, "%s", error);
        for (size_t k = 0; k < r[i].of.n; k++)
            check_peer(at, &name[k]);
    }
}

static void check_options(const struct place *at)
{
    if (at->qc->missing.n > QC_SENTINELS_MAX)
        check_error(at->k, at->item, &at->qc->missing, E_RANGE,
                    "'missing' takes 4 values at most, got %zu", at->qc->missing.n);
    check_relations(at);
    check_references(at);
}

/* ---- the checks of one channel, as they will be ---- */

/* Suspect must lie inside the gross range, else it never decides. */
static bool spans_are_ok(const struct check *k, const struct correction_conf *c,
                         const struct qc_config *q)
{
    const struct qc_span r = q->range.fail;
    char min[VALUE_TEXT_MAX], max[VALUE_TEXT_MAX];

    if (!(c->suspect.min < r.min) && !(c->suspect.max > r.max))
        return true;
    value_double_text(r.min, min);
    value_double_text(r.max, max);
    check_error(k, c, &c->suspect, E_RANGE,
                "'suspect' must lie inside the range of '%s', which is %s to %s", c->id, min,
                max);
    return false;
}

/* Told where the channel's own settings stand, else where those of its quantity do. */
static void check_channel(const struct check *k, const struct device_conf *dev,
                          const struct profile_point *p)
{
    const struct correction_conf *own = check_correction_of(dev, p->id);
    const struct quality_conf *all = check_quality_of(k->c, p->quantity);
    const struct qc_config q = config_quality(k->c, dev, p);

    if ((!own && !all) || (own && !spans_are_ok(k, own, &q)))
        return;
    const char *error = qc_config_error(&q);
    if (!error)
        return;
    if (own)
        check_error(k, own, &own->id, E_RANGE, "the checks of '%s' cannot work: %s", own->id,
                    error);
    else
        check_error(k, all, &all->id, E_RANGE, "the checks of '%s' cannot work at '%s/%s': %s",
                    all->id, dev->id, p->id, error);
}

static void check_device(const struct check *k, const struct device_conf *dev)
{
    const struct correction_conf *channel = dev->channels.items;
    const struct profile *p = dev->profile_found;

    for (size_t i = 0; i < dev->channels.n; i++)
        if (channel[i].id)
            check_options(&(struct place){ k, dev, &channel[i], &channel[i].qc });
    for (size_t i = 0; dev->id && i < p->points_n; i++)
        if (check_is_channel(dev, &p->points[i]))
            check_channel(k, dev, &p->points[i]);
}

void check_qualities(const struct check *k)
{
    const struct quality_conf *all = k->c->qualities.items;
    const struct device_conf *devices = k->c->devices.items;

    for (size_t i = 0; i < k->c->qualities.n; i++) {
        const struct quantity *q = all[i].id ? check_quantity(k, &all[i], &all[i].id) : NULL;
        if (!q)
            continue;
        if (check_quality_of(k->c, q) != &all[i])
            check_error(k, &all[i], &all[i].id, E_CONFLICT, "'%s' has its checks already",
                        q->id);
        check_options(&(struct place){ k, NULL, &all[i], &all[i].qc });
    }
    for (size_t i = 0; i < k->c->devices.n; i++)
        if (devices[i].profile_found)
            check_device(k, &devices[i]);
}
