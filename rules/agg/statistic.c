/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/statistic.h"

#include <math.h>
#include <stddef.h>

#define HOUR_MS INT64_C(3600000)

static const double percents[AGG_PERCENTILES] = { 5, 10, 50, 90, 95 };

size_t agg_extra_size(enum agg_kind k)
{
    static const size_t sizes[AGG_KINDS] = {
        [AGG_KIND_LEVELS] = sizeof(struct agg_levels),
        [AGG_KIND_WIND] = sizeof(struct agg_winds),
        [AGG_KIND_RUNNING] = sizeof(struct agg_running),
        [AGG_KIND_RUNNING_LEVELS] = sizeof(struct running_levels),
        [AGG_KIND_RUNNING_WIND] = sizeof(struct running_winds),
        [AGG_KIND_DAYNIGHT] = sizeof(struct agg_nights),
    };

    return sizes[k];
}

/* The hours of the night and those of the day share what is expected of all. */
static void init_nights(struct agg_statistic *s, struct agg_nights *n,
                        struct levels_night night)
{
    n->night = night;
    n->config = *s->config;
    n->config.expected =
        (uint32_t)(HOUR_MS / s->config->interval_ms * levels_night_hours(night));
}

void agg_statistic_init(struct agg_statistic *s, enum agg_kind k,
                        const struct agg_config *config, struct levels_night night, void *extra)
{
    *s = (struct agg_statistic){ .config = config, .kind = k, .extra = extra };
    if (k == AGG_KIND_DAYNIGHT)
        init_nights(s, extra, night);
}

/* ---- taking ---- */

static void clear_extra(struct agg_statistic *s)
{
    if (s->kind == AGG_KIND_LEVELS)
        ((struct agg_levels *)s->extra)->histogram = (struct levels_histogram){ 0 };
    if (s->kind == AGG_KIND_WIND)
        wind_clear(&((struct agg_winds *)s->extra)->wind);
}

/* What the extra of a period that is over says, kept until somebody asks. */
static void close_extra(struct agg_statistic *s)
{
    struct agg_levels *l = s->extra;
    struct agg_winds *w = s->extra;

    if (s->kind == AGG_KIND_LEVELS)
        for (int i = 0; i < AGG_PERCENTILES; i++)
            l->closed[i] = levels_exceeded(&l->histogram, percents[i]);
    if (s->kind == AGG_KIND_WIND)
        wind_mean(&w->wind, &w->closed_speed, &w->closed_direction);
    clear_extra(s);
}

/* Opens the period of a time; false: it is too late for that one. */
static bool enter(struct agg_statistic *s, int64_t time_ms)
{
    struct agg_result closed;
    const enum agg_entry e = agg_enter(s->config, &s->state, time_ms, &closed);

    if (e == AGG_ENTRY_NEXT) {
        s->closed = closed;
        s->has_closed = true;
        close_extra(s);
    } else if (e == AGG_ENTRY_NEW) {
        clear_extra(s);
    }
    return e != AGG_ENTRY_LATE;
}

static void put_plain(struct agg_statistic *s, const struct agg_input *in)
{
    if (enter(s, in->time_ms))
        agg_take(s->config, &s->state, in);
}

static void put_level(struct agg_statistic *s, const struct agg_input *in)
{
    struct agg_levels *l = s->extra;

    if (!enter(s, in->time_ms))
        return;
    agg_take(s->config, &s->state, in);
    if (in->is_usable)
        levels_put(&l->histogram, in->x);
}

static void take_direction(struct agg_statistic *s, struct agg_input in, double speed)
{
    struct agg_winds *w = s->extra;

    if (s->kind == AGG_KIND_RUNNING_WIND) {
        running_put_wind(s->extra, s->config, in, speed);
        return;
    }
    if (!enter(s, in.time_ms))
        return;
    in = wind_join(&w->wind, in, speed);
    agg_take(s->config, &s->state, &in);
}

static void flush_direction(struct agg_statistic *s)
{
    struct wind *w = s->extra; /* the first member of either kind */

    if (!w->has_pending)
        return;
    w->has_pending = false;
    take_direction(s, w->pending, NAN);
}

static void put_direction(struct agg_statistic *s, const struct agg_input *in)
{
    struct wind *w = s->extra;

    flush_direction(s);
    if (w->has_speed && w->speed_ms == in->time_ms) {
        take_direction(s, *in, w->speed);
        return;
    }
    w->pending = *in;
    w->has_pending = true;
}

void agg_statistic_put_speed(struct agg_statistic *s, int64_t time_ms, double speed)
{
    struct wind *w = s->extra;

    w->speed = speed;
    w->speed_ms = time_ms;
    w->has_speed = true;
    if (!w->has_pending || w->pending.time_ms != time_ms)
        return;
    w->has_pending = false;
    take_direction(s, w->pending, speed);
}

static struct agg_input *hour_at(struct agg_running *r, int64_t time_ms)
{
    const int64_t at = time_ms / HOUR_MS % AGG_RUNNING_HOURS;

    return &r->hours[at < 0 ? at + AGG_RUNNING_HOURS : at];
}

static int hour_of_day(const struct agg_config *c, int64_t time_ms)
{
    return (int)((time_ms - agg_start_of(time_ms, 24 * HOUR_MS, c->zone_ms)) / HOUR_MS);
}

static void put_hour_of_day(struct agg_statistic *s, const struct agg_input *in)
{
    struct agg_nights *n = s->extra;

    if (!levels_is_night(n->night, hour_of_day(s->config, in->time_ms))) {
        put_plain(s, in);
        return;
    }
    struct agg_result closed;
    if (agg_add(&n->config, &n->state, in, &closed))
        n->closed = closed;
}

/* Of the running means that count for a day: those that lie in it as a whole. */
static void put_running(struct agg_statistic *s, const struct agg_input *in)
{
    if (hour_of_day(s->config, in->time_ms) <= 24 - AGG_RUNNING_HOURS)
        put_plain(s, in);
}

void agg_statistic_put(struct agg_statistic *s, const struct agg_input *in)
{
    switch (s->kind) {
    case AGG_KIND_LEVELS:
        put_level(s, in);
        break;
    case AGG_KIND_WIND:
    case AGG_KIND_RUNNING_WIND:
        put_direction(s, in);
        break;
    case AGG_KIND_RUNNING_LEVELS:
        running_put_level(s->extra, s->config, in);
        break;
    case AGG_KIND_RUNNING:
        *hour_at(s->extra, in->time_ms) = *in;
        break;
    case AGG_KIND_DAYNIGHT:
        put_hour_of_day(s, in);
        break;
    case AGG_KIND_MAX8H:
        put_running(s, in);
        break;
    default:
        put_plain(s, in);
    }
}

/* ---- closing ---- */

static bool close_running(struct agg_statistic *s, int64_t start_ms, struct agg_figures *ret)
{
    struct agg_state st = { 0 };
    bool has_any = false;

    agg_open(&st, start_ms);
    for (int i = 0; i < AGG_RUNNING_HOURS; i++) {
        const int64_t hour_ms = start_ms + i * HOUR_MS;
        const struct agg_input *in = hour_at(s->extra, hour_ms);
        if (in->n + in->unused == 0 || in->time_ms != hour_ms)
            continue;
        agg_take(s->config, &st, in);
        has_any = true;
    }
    if (has_any)
        ret->main = agg_result_of(s->config, &st);
    return has_any;
}

static bool close_running_levels(const struct agg_statistic *s, int64_t start_ms,
                                 struct agg_figures *ret)
{
    struct levels_histogram h;

    if (!running_levels_of(s->extra, s->config, start_ms, &ret->main, &h))
        return false;
    for (int i = 0; i < AGG_PERCENTILES; i++)
        ret->percent[i] = levels_exceeded(&h, percents[i]);
    return true;
}

static bool close_running_wind(struct agg_statistic *s, int64_t start_ms,
                               struct agg_figures *ret)
{
    const struct wind *w = s->extra;

    if (w->pending.time_ms < start_ms + s->config->period_ms)
        flush_direction(s);
    return running_winds_of(s->extra, s->config, start_ms, &ret->main, &ret->vector_speed,
                            &ret->vector_direction);
}

static struct agg_result nothing(const struct agg_config *c, int64_t start_ms)
{
    const struct agg_state st = { .start_ms = start_ms };

    return agg_result_of(c, &st);
}

static bool close_nights(struct agg_nights *n, int64_t start_ms, int64_t now_ms,
                         struct agg_result *ret)
{
    if (n->closed.expected && n->closed.start_ms == start_ms)
        *ret = n->closed;
    else if ((n->state.is_open && n->state.start_ms > start_ms) ||
             !agg_close(&n->config, &n->state, now_ms, ret) || ret->start_ms != start_ms) {
        *ret = nothing(&n->config, start_ms);
        return false;
    }
    return true;
}

static void fetch_extra(struct agg_statistic *s, struct agg_figures *ret)
{
    const struct agg_levels *l = s->extra;
    const struct agg_winds *w = s->extra;

    if (s->kind == AGG_KIND_LEVELS)
        for (int i = 0; i < AGG_PERCENTILES; i++)
            ret->percent[i] = l->closed[i];
    if (s->kind == AGG_KIND_WIND) {
        ret->vector_speed = w->closed_speed;
        ret->vector_direction = w->closed_direction;
    }
}

static bool close_main(struct agg_statistic *s, int64_t start_ms, int64_t now_ms,
                       struct agg_figures *ret)
{
    if (s->kind == AGG_KIND_WIND) {
        const struct wind *w = s->extra;
        if (w->pending.time_ms < start_ms + s->config->period_ms)
            flush_direction(s);
    }
    if (s->has_closed && s->closed.start_ms == start_ms) {
        ret->main = s->closed;
        fetch_extra(s, ret);
    } else if (s->state.is_open && s->state.start_ms > start_ms) {
        return false; /* a period before the one under way: nothing came in for it */
    } else if (agg_close(s->config, &s->state, now_ms, &ret->main)) {
        close_extra(s);
        fetch_extra(s, ret);
    } else {
        return false;
    }
    s->has_closed = false;
    return ret->main.start_ms == start_ms;
}

bool agg_statistic_close(struct agg_statistic *s, int64_t start_ms, int64_t now_ms,
                         struct agg_figures *ret)
{
    if (s->kind == AGG_KIND_RUNNING)
        return close_running(s, start_ms, ret);
    if (s->kind == AGG_KIND_RUNNING_LEVELS)
        return close_running_levels(s, start_ms, ret);
    if (s->kind == AGG_KIND_RUNNING_WIND)
        return close_running_wind(s, start_ms, ret);
    const bool has_main = close_main(s, start_ms, now_ms, ret);
    if (s->kind != AGG_KIND_DAYNIGHT)
        return has_main;
    if (!has_main)
        ret->main = nothing(s->config, start_ms);
    return close_nights(s->extra, start_ms, now_ms, &ret->night) || has_main;
}

void agg_statistic_shift(struct agg_statistic *s, int64_t by_ms, bool is_same_period)
{
    agg_shift(&s->state, by_ms, is_same_period);
    s->has_closed = false;
    if (!is_same_period)
        clear_extra(s);
    if (s->kind == AGG_KIND_DAYNIGHT)
        agg_shift(&((struct agg_nights *)s->extra)->state, by_ms, is_same_period);
    if (s->kind == AGG_KIND_WIND || s->kind == AGG_KIND_RUNNING_WIND)
        ((struct wind *)s->extra)->has_pending = false;
}

/* ---- figures ---- */

static struct agg_value number(double x, int decimals, struct verdict v)
{
    const struct agg_value r = { agg_round(x, decimals), v };

    if (decimal_has_value(r.value))
        return r;
    return (struct agg_value){ DECIMAL_MISSING,
                               verdict_add(v, GRADE_MISSING, REASON_NO_VALUE) };
}

static struct agg_value bearing(double x, int decimals, struct verdict v)
{
    struct agg_value r = number(x, decimals, v);

    if (decimal_to_double(r.value) >= 360)
        r.value.v = 0;
    return r;
}

static struct agg_value day_night(const struct agg_figures *f, int decimals)
{
    const struct agg_result *d = &f->main, *n = &f->night;
    const double x = levels_day_night(decimal_to_double(d->value), d->expected,
                                      decimal_to_double(n->value), n->expected);

    return number(x, decimals, verdict_merge(d->verdict, n->verdict));
}

struct agg_value agg_figure_of(const struct agg_figures *f, enum agg_figure which, int decimals)
{
    const struct agg_result *r = &f->main;

    switch (which) {
    case AGG_FIGURE_MIN:
        return number(r->min, decimals, r->verdict);
    case AGG_FIGURE_MAX:
        return number(r->max, decimals, r->verdict);
    case AGG_FIGURE_N:
        return (struct agg_value){ { r->used, 0 }, { STATUS_VALID, GRADE_GOOD, 0 } };
    case AGG_FIGURE_L5:
    case AGG_FIGURE_L10:
    case AGG_FIGURE_L50:
    case AGG_FIGURE_L90:
    case AGG_FIGURE_L95:
        return number(f->percent[which - AGG_FIGURE_L5], decimals, r->verdict);
    case AGG_FIGURE_SIGMA:
    case AGG_FIGURE_U:
        return number(r->spread, decimals, r->verdict);
    case AGG_FIGURE_VECTOR_SPEED:
        return number(f->vector_speed, decimals, r->verdict);
    case AGG_FIGURE_VECTOR:
        return bearing(f->vector_direction, decimals, r->verdict);
    case AGG_FIGURE_LN:
        return (struct agg_value){ f->night.value, f->night.verdict };
    case AGG_FIGURE_LDN:
        return day_night(f, decimals);
    default:
        return (struct agg_value){ r->value, r->verdict };
    }
}
