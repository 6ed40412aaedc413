/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/running.h"

#include <math.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

static size_t place_of(int64_t start_ms)
{
    const int64_t at = (start_ms - (start_ms % HOUR_MS + HOUR_MS) % HOUR_MS) / HOUR_MS;

    return (size_t)((at % RUNNING_KEPT + RUNNING_KEPT) % RUNNING_KEPT);
}

/* The hour of a time, begun anew where another one stood. NULL: a later one stands there, and
 * the clock was not set back by a day. */
static struct running_hour *enter(struct running_hour *hours, const struct agg_config *c,
                                  int64_t time_ms, bool *ret_is_new)
{
    const int64_t start_ms = agg_start_of(time_ms, HOUR_MS, c->zone_ms);
    struct running_hour *h = &hours[place_of(start_ms)];

    *ret_is_new = !h->has_any || h->start_ms != start_ms;
    if (h->has_any && h->start_ms > start_ms && h->start_ms - start_ms <= 24 * HOUR_MS)
        return NULL;
    if (*ret_is_new) {
        *h = (struct running_hour){ .start_ms = start_ms, .has_any = true };
        agg_open(&h->state, start_ms);
    }
    return h;
}

void running_put_level(struct running_levels *r, const struct agg_config *c,
                       const struct agg_input *in)
{
    bool is_new;
    struct running_hour *h = enter(r->hours, c, in->time_ms, &is_new);

    if (!h)
        return;
    uint16_t *count = r->count[h - r->hours];
    if (is_new)
        memset(count, 0, sizeof r->count[0]);
    agg_take(c, &h->state, in);
    if (!in->is_usable || isnan(in->x))
        return;
    uint16_t *bin = &count[levels_bin(in->x)];
    if (*bin < UINT16_MAX)
        (*bin)++;
}

void running_put_wind(struct running_winds *r, const struct agg_config *c, struct agg_input in,
                      double speed)
{
    bool is_new;
    struct running_hour *h = enter(r->hours, c, in.time_ms, &is_new);

    if (!h)
        return;
    wind_clear(&r->wind);
    in = wind_join(&r->wind, in, speed);
    agg_take(c, &h->state, &in);
    h->east += r->wind.east;
    h->north += r->wind.north;
    h->n += r->wind.n;
}

static const struct running_hour *hour_at(const struct running_hour *hours, int64_t start_ms)
{
    const struct running_hour *h = &hours[place_of(start_ms)];

    return h->has_any && h->start_ms == start_ms ? h : NULL;
}

bool running_levels_of(const struct running_levels *r, const struct agg_config *c,
                       int64_t start_ms, struct agg_result *ret,
                       struct levels_histogram *ret_histogram)
{
    struct agg_state all = { 0 };
    bool has_any = false;

    agg_open(&all, start_ms);
    *ret_histogram = (struct levels_histogram){ 0 };
    for (int i = 0; i < AGG_RUNNING_HOURS; i++) {
        const struct running_hour *h = hour_at(r->hours, start_ms + i * HOUR_MS);
        if (!h)
            continue;
        agg_merge(&all, &h->state);
        levels_add(ret_histogram, r->count[h - r->hours]);
        has_any = true;
    }
    *ret = agg_result_of(c, &all);
    return has_any;
}

bool running_winds_of(const struct running_winds *r, const struct agg_config *c,
                      int64_t start_ms, struct agg_result *ret, double *ret_speed,
                      double *ret_direction)
{
    struct agg_state all = { 0 };
    struct wind wind = { 0 };
    bool has_any = false;

    agg_open(&all, start_ms);
    for (int i = 0; i < AGG_RUNNING_HOURS; i++) {
        const struct running_hour *h = hour_at(r->hours, start_ms + i * HOUR_MS);
        if (!h)
            continue;
        agg_merge(&all, &h->state);
        wind.east += h->east;
        wind.north += h->north;
        wind.n += h->n;
        has_any = true;
    }
    *ret = agg_result_of(c, &all);
    wind_mean(&wind, ret_speed, ret_direction);
    return has_any;
}
