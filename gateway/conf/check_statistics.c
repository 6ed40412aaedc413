/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "rules/agg/plan.h"

#define HOUR_MS INT64_C(3600000)

static bool is_possible(const struct agg_want *w, int64_t interval_ms)
{
    if (w->period == AGG_8H || w->figure == AGG_FIGURE_MAX8H)
        return interval_ms <= HOUR_MS;
    return interval_ms <= agg_periods[w->period].ms;
}

static size_t chosen(const struct correction_conf *c, struct agg_want ret[AGG_WANTS_MAX])
{
    const char *const *text = c->statistics.items;
    char why[128];
    size_t n = 0;

    for (size_t i = 0; i < c->statistics.n && n < AGG_WANTS_MAX; i++)
        n += agg_want_parse(text[i], &ret[n], why, sizeof why) == 0;
    return n;
}

struct statistics_conf config_statistics(const struct device_conf *d,
                                         const struct profile_point *p)
{
    const struct correction_conf *c = check_correction_of(d, p->id);
    struct agg_want all[AGG_WANTS_MAX];
    struct statistics_conf ret = { .n = 0 };
    size_t n;

    if (c && c->statistics.n)
        n = agg_complete_wants(p->quantity, d->poll_ms, all, chosen(c, all));
    else
        n = agg_default_wants(p->quantity, d->poll_ms, all);
    for (size_t i = 0; i < n; i++)
        if (is_possible(&all[i], d->poll_ms))
            ret.w[ret.n++] = all[i];
    return ret;
}

static const struct profile_point *point_of(const struct device_conf *d, const char *id)
{
    const struct profile *p = d->profile_found;

    for (size_t i = 0; id && i < p->points_n; i++)
        if (strcmp(p->points[i].id, id) == 0)
            return &p->points[i];
    return NULL;
}

static bool has_direction(const struct device_conf *d)
{
    const struct profile *p = d->profile_found;

    for (size_t i = 0; i < p->points_n; i++)
        if (check_is_channel(d, &p->points[i]) &&
            strcmp(p->points[i].quantity->id, "wind_dir") == 0)
            return true;
    return false;
}

/* A mean vector is made of a direction with the same period. */
static bool has_its_direction(const struct device_conf *d, const struct agg_want *w,
                              const struct quantity *q)
{
    const struct correction_conf *c = d->channels.items;
    char why[128];

    if (w->figure != AGG_FIGURE_VECTOR || q->agg == AGG_VECTOR)
        return true;
    for (size_t i = 0; i < d->channels.n; i++) {
        const struct profile_point *p = point_of(d, c[i].id);
        const char *const *text = c[i].statistics.items;
        if (!p || !p->quantity || p->quantity->agg != AGG_VECTOR || c[i].statistics.n == 0)
            continue;
        for (size_t k = 0; k < c[i].statistics.n; k++) {
            struct agg_want other;
            if (agg_want_parse(text[k], &other, why, sizeof why) == 0 &&
                other.period == w->period)
                return true;
        }
        return false;
    }
    return has_direction(d) && (w->period == AGG_1MIN || w->period == AGG_1H);
}

static void check_text(const struct check *k, const struct device_conf *d,
                       const struct correction_conf *c, const struct quantity *q,
                       const char *text)
{
    struct agg_want w;
    char why[256];

    if (agg_want_parse(text, &w, why, sizeof why) < 0 ||
        !agg_want_fits(q, w, why, sizeof why)) {
        check_error(k, c, &c->statistics, E_WORD, "statistics of '%s': %s", c->id, why);
        return;
    }
    if (!has_its_direction(d, &w, q))
        check_error(k, c, &c->statistics, E_CONFLICT,
                    "statistics of '%s': '%s' needs a wind_dir of this device with the same "
                    "period",
                    c->id, text);
    if (d->poll_ms > agg_periods[w.period].ms)
        check_warning(k, c, &c->statistics, E_CONFLICT,
                      "statistics of '%s': '%s' is not formed, the device is polled less often",
                      c->id, text);
}

static void check_channel(const struct check *k, const struct device_conf *d,
                          const struct correction_conf *c)
{
    const struct profile_point *p = point_of(d, c->id);
    const char *const *text = c->statistics.items;

    if (!p || !p->quantity)
        return; /* told by check_devices() */
    for (size_t i = 0; i < c->statistics.n; i++)
        if (text[i])
            check_text(k, d, c, p->quantity, text[i]);
    if (c->dead_us > 0 && p->quantity->agg != AGG_COUNTS)
        check_error(k, c, &c->dead_us, E_CONFLICT, "'%s' is no count rate: it has no dead time",
                    c->id);
    if (c->wrap > 0 && p->quantity->agg != AGG_DIFF)
        check_error(k, c, &c->wrap, E_CONFLICT, "'%s' is no counter: it does not wrap", c->id);
}

void check_statistics(const struct check *k)
{
    const struct device_conf *d = k->c->devices.items;

    for (size_t i = 0; i < k->c->devices.n; i++) {
        const struct correction_conf *c = d[i].channels.items;
        for (size_t n = 0; d[i].profile_found && n < d[i].channels.n; n++)
            check_channel(k, &d[i], &c[n]);
    }
}
