/* SPDX-License-Identifier: Apache-2.0 */
/* Which channels are watched, by what, and with what beside. */
#include <math.h>
#include <string.h>

#include "gateway/conf/config_internal.h"

/* What each kind asks for: others are mistakes. */
static bool is_asked(enum watch_kind kind, enum watch_aside a)
{
    switch (kind) {
    case WATCH_NOISE:
        return a == WATCH_WIND;
    case WATCH_COUNTS:
        return a == WATCH_RAIN || a == WATCH_TWIN;
    case WATCH_AIR:
        return a == WATCH_NEIGHBOURS;
    default:
        return false;
    }
}

size_t config_watch_aside(const struct watch_conf *w, enum watch_aside a,
                          const char *const **ret_names)
{
    const char *const *const single[WATCH_ASIDES] = {
        [WATCH_WIND] = &w->wind,
        [WATCH_RAIN] = &w->rain,
        [WATCH_TWIN] = &w->twin,
    };

    if (a == WATCH_NEIGHBOURS) {
        *ret_names = w->neighbours.items;
        return w->neighbours.n;
    }
    *ret_names = single[a];
    return *single[a] != NULL;
}

static bool is_selected(const struct watch_conf *w, const struct device_conf *d,
                        const struct profile_point *p)
{
    return w->quantity && quantity_find(w->quantity) == p->quantity && check_is_channel(d, p) &&
           (!w->device || strcmp(w->device, d->id) == 0);
}

static double finite_or(double x, double otherwise)
{
    return isfinite(x) ? x : otherwise;
}

static struct watch_config compile(const struct config *c, const struct watch_conf *w,
                                   const struct device_conf *d, const struct profile_point *p)
{
    const struct field_range range = check_range_of(c, d, p);
    struct watch_config ret = {
        .kind = watch_kind_of(p->quantity),
        .step_ms = d->poll_ms,
        .limit_high = w->above,
        .limit_low = w->below,
        .range_min = finite_or(range.min, p->quantity->range_min),
        .range_max = finite_or(range.max, p->quantity->range_max),
        .resolution = isnan(w->resolution) ? pow(10, -p->quantity->decimals) : w->resolution,
        .quantity = p->quantity,
    };
    const char *const *names;

    for (int a = 0; a < WATCH_ASIDES; a++)
        ret.has[a] = config_watch_aside(w, (enum watch_aside)a, &names) > 0;
    return ret;
}

const struct watch_conf *config_watch(const struct config *c, const struct device_conf *d,
                                      const struct profile_point *p, struct watch_config *ret)
{
    const struct watch_conf *w = c->watches.items;

    for (size_t i = 0; p->quantity && i < c->watches.n; i++) {
        if (!is_selected(&w[i], d, p))
            continue;
        *ret = compile(c, &w[i], d, p);
        return &w[i];
    }
    return NULL;
}

/* Of that kind, beside the channels of that device; false after an error. */
static bool check_aside(const struct check *k, const struct watch_conf *w,
                        const struct device_conf *d)
{
    const enum watch_kind kind = watch_kind_of(quantity_find(w->quantity));
    const struct device_conf *device;
    const struct profile_point *point;

    for (int a = 0; a < WATCH_ASIDES; a++) {
        const char *const *names;
        const size_t n = config_watch_aside(w, (enum watch_aside)a, &names);
        if (n > 0 && !is_asked(kind, (enum watch_aside)a)) {
            check_error(k, w, names, E_CONFLICT, "'%s' does not help to watch %s",
                        watch_aside_id((enum watch_aside)a), w->quantity);
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            if (config_peer(k->c, d, names[i], &device, &point) &&
                check_is_channel(device, point))
                continue;
            check_error(
                k, w, &names[i], E_REFERENCE,
                "no channel is called '%s', expected DEVICE/POINT, or POINT of the same "
                "device",
                names[i]);
            return false;
        }
    }
    return true;
}

static bool check_channel(const struct check *k, const struct watch_conf *w,
                          const struct device_conf *d, const struct profile_point *p)
{
    struct watch_config made;
    const struct watch_conf *first = config_watch(k->c, d, p, &made);
    const char *error = watch_config_error(&made);

    if (first != w) {
        check_error(k, w, &w->quantity, E_CONFLICT, "%s/%s is watched twice", d->id, p->id);
        return false;
    }
    if (!error)
        return check_aside(k, w, d);
    check_error(k, w, isnan(w->above) ? &w->below : &w->above, E_RANGE, "%.*s",
                (int)strlen(error) - 1, error);
    return false;
}

static void check_watch(const struct check *k, const struct watch_conf *w)
{
    const struct device_conf *devices = k->c->devices.items;
    const struct quantity *q = w->quantity ? check_quantity(k, w, &w->quantity) : NULL;
    size_t n = 0;

    if (!q)
        return;
    if (watch_kind_of(q) == WATCH_NONE) {
        check_error(k, w, &w->quantity, E_CONFLICT,
                    "there is no watch for %s, expected a concentration in air, a quantity of "
                    "water, a sound level or a count rate",
                    q->id);
        return;
    }
    for (size_t i = 0; i < k->c->devices.n; i++) {
        const struct profile *p = devices[i].profile_found;
        for (size_t j = 0; p && devices[i].id && j < p->points_n; j++) {
            if (!is_selected(w, &devices[i], &p->points[j]))
                continue;
            n++;
            if (!check_channel(k, w, &devices[i], &p->points[j]))
                return;
        }
    }
    if (n == 0)
        check_warning(k, w, &w->quantity, E_CONFLICT, "no channel of this station is %s",
                      q->id);
}

void check_watches(const struct check *k)
{
    const struct watch_conf *w = k->c->watches.items;

    for (size_t i = 0; i < k->c->watches.n; i++)
        check_watch(k, &w[i]);
}
