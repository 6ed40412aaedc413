/* SPDX-License-Identifier: Apache-2.0 */
/* What the samples of a channel are judged by, out of all the places where that may be said. */
#include <math.h>
#include <string.h>

#include "gateway/conf/config_internal.h"

/* Of one place: what is given there. */
struct layer {
    struct field_range range, suspect;
    int64_t stuck;
    const struct qc_options *qc;
};

const struct quality_conf *check_quality_of(const struct config *c, const struct quantity *q)
{
    const struct quality_conf *item = c->qualities.items;

    for (size_t i = 0; i < c->qualities.n; i++)
        if (item[i].id && quantity_find(item[i].id) == q)
            return &item[i];
    return NULL;
}

static double first_number(double a, double b)
{
    return isnan(a) ? b : a;
}

static void apply(const struct layer *l, struct qc_config *q)
{
    q->range.fail.min = first_number(l->range.min, q->range.fail.min);
    q->range.fail.max = first_number(l->range.max, q->range.fail.max);
    q->range.suspect.min = first_number(l->suspect.min, q->range.suspect.min);
    q->range.suspect.max = first_number(l->suspect.max, q->range.suspect.max);
    if (l->stuck >= 0)
        q->stuck.n = (unsigned)l->stuck;
    qc_configure(l->qc, q);
}

struct qc_config config_quality(const struct config *c, const struct device_conf *d,
                                const struct profile_point *p)
{
    const struct correction_conf *own = check_correction_of(d, p->id);
    const struct quality_conf *all = check_quality_of(c, p->quantity);
    struct qc_config q = qc_default(p->quantity, d->poll_ms);

    q.range.fail.min = first_number(p->range_min, q.range.fail.min);
    q.range.fail.max = first_number(p->range_max, q.range.fail.max);
    if (all)
        apply(&(struct layer){ all->range, all->suspect, all->stuck, &all->qc }, &q);
    if (own)
        apply(&(struct layer){ own->range, own->suspect, own->stuck, &own->qc }, &q);
    return q;
}

struct field_range check_range_of(const struct config *c, const struct device_conf *dev,
                                  const struct profile_point *p)
{
    const struct qc_span fail = config_quality(c, dev, p).range.fail;

    return (struct field_range){ fail.min, fail.max };
}

struct quality_peers config_quality_peers(const struct config *c, const struct device_conf *d,
                                          const struct profile_point *p)
{
    const struct correction_conf *own = check_correction_of(d, p->id);
    const struct quality_conf *all = check_quality_of(c, p->quantity);
    const struct qc_options *const layers[] = { own ? &own->qc : NULL, all ? &all->qc : NULL };
    int consistency = QC_CONSISTENCY_DEFAULT;
    struct quality_peers ret = { 0 };

    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        const struct qc_options *o = layers[i];
        if (o && consistency == QC_CONSISTENCY_DEFAULT)
            consistency = o->consistency;
        if (o && !ret.relations_n) {
            ret.relations = o->relations.items;
            ret.relations_n = o->relations.n;
        }
        if (o && !ret.references_n) {
            ret.references = o->references.items;
            ret.references_n = o->references.n;
        }
    }
    ret.has_usual = consistency != QC_CONSISTENCY_OFF;
    return ret;
}

static const struct profile_point *point_of(const struct device_conf *d, const char *id)
{
    const struct profile *p = d->profile_found;

    for (size_t i = 0; p && i < p->points_n; i++)
        if (strcmp(p->points[i].id, id) == 0 && check_is_channel(d, &p->points[i]))
            return &p->points[i];
    return NULL;
}

static const struct device_conf *device_of(const struct config *c, const char *name, size_t n)
{
    const struct device_conf *d = c->devices.items;

    for (size_t i = 0; i < c->devices.n; i++)
        if (d[i].id && strlen(d[i].id) == n && memcmp(d[i].id, name, n) == 0)
            return &d[i];
    return NULL;
}

bool config_peer(const struct config *c, const struct device_conf *d, const char *name,
                 const struct device_conf **ret_device, const struct profile_point **ret_point)
{
    const char *slash = strchr(name, '/');
    const struct device_conf *at = slash ? device_of(c, name, (size_t)(slash - name)) : d;
    const struct profile_point *point = at ? point_of(at, slash ? slash + 1 : name) : NULL;

    if (!point)
        return false;
    *ret_device = at;
    *ret_point = point;
    return true;
}
