/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics of every reading: those its configuration names, else the default of its
 * quantity, as channels in one stream a period (in parts of bounded width).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/table.h"
#include "rules/agg/plan.h"

#define HOUR_MS INT64_C(3600000)

/* Columns of one statistics stream: a frame of an hour of 1-minute rows stays near 30 kB. */
enum { STATISTIC_COLUMNS_MAX = 256 };

size_t table_statistics_n(const struct config *config)
{
    const struct device_conf *d = config->devices.items;
    size_t n = 0;

    for (size_t i = 0; i < config->devices.n; i++) {
        const struct profile *p = d[i].profile_found;
        for (size_t k = 0; k < p->points_n; k++)
            if (check_is_channel(&d[i], &p->points[k]))
                n += config_statistics(&d[i], &p->points[k]).n;
    }
    return n;
}

/* A stream ends before a reading whose figures could not all stand in it. */
size_t table_statistics_streams_n(size_t statistics_n)
{
    return AGG_PERIODS * (statistics_n / (STATISTIC_COLUMNS_MAX - 2 * AGG_WANTS_MAX) + 1);
}

/* ---- channels ---- */

struct adding {
    struct table *t;
    enum agg_period period;
    struct channel_stream *stream;
    unsigned part;
};

static int begin_stream(struct adding *a)
{
    char name[64];
    struct channel_stream *s = &a->t->stream[a->t->channels.streams_n];

    snprintf(name, sizeof name, "stat.%s.%u", agg_periods[a->period].id, a->part);
    *s = (struct channel_stream){
        .name = strdup(name),
        .first = (uint32_t)a->t->channels.n,
        .period_ms = agg_periods[a->period].step_ms,
    };
    if (!s->name)
        return -ENOMEM;
    a->t->channels.streams_n++;
    a->part++;
    a->stream = s;
    return 0;
}

static int add_channel(struct adding *a, uint32_t source, struct agg_want w)
{
    struct table *t = a->t;
    const struct channel *reading = &t->channel[source];
    char name[AGG_NAME_MAX], *id;

    if (asprintf(&id, "%s@%s", reading->id, agg_want_name(w, name)) < 0)
        return -ENOMEM;
    t->channel[t->channels.n++] = (struct channel){
        .id = id,
        .device = reading->device,
        .point = reading->point,
        .statistic = strrchr(id, '@') + 1,
        .quantity = reading->quantity,
        .period_ms = agg_periods[w.period].ms,
        .decimals = agg_decimals(reading->quantity, w),
        .column = a->stream->n++,
        .source = source,
    };
    return 0;
}

static bool is_wind_vector(const struct quantity *q, struct agg_want w)
{
    return w.figure == AGG_FIGURE_VECTOR && q->agg != AGG_VECTOR;
}

/* By figure, so that the value comes first. */
static int add_figures(struct adding *a, uint32_t source, const struct statistics_conf *w,
                       bool is_vector)
{
    const struct quantity *q = a->t->channel[source].quantity;
    int rc = 0;

    for (int f = 0; rc == 0 && f < AGG_FIGURES; f++)
        for (size_t i = 0; rc == 0 && i < w->n; i++)
            if (w->w[i].period == a->period && (int)w->w[i].figure == f &&
                is_wind_vector(q, w->w[i]) == is_vector)
                rc = add_channel(a, source, w->w[i]);
    return rc;
}

static bool has_period(const struct statistics_conf *w, enum agg_period p)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->w[i].period == p)
            return true;
    return false;
}

static const struct profile_point *point_of(const struct device_conf *d, const char *id)
{
    const struct profile *p = d->profile_found;

    for (size_t i = 0; i < p->points_n; i++)
        if (strcmp(p->points[i].id, id) == 0)
            return &p->points[i];
    return NULL;
}

/* The length of the mean wind vector stands beside the figures of its direction. */
static int add_speed(struct adding *a, const struct device_conf *d,
                     const struct channel_stream *readings, uint32_t direction)
{
    int rc = 0;

    for (uint32_t i = readings->first; rc == 0 && i < readings->first + readings->n; i++) {
        const struct channel *ch = &a->t->channel[i];
        if (strcmp(ch->quantity->id, "wind_speed") != 0 ||
            pipeline_beside(&a->t->channels, i, "wind_dir") != direction)
            continue;
        const struct statistics_conf w = config_statistics(d, point_of(d, ch->point));
        rc = add_figures(a, i, &w, true);
    }
    return rc;
}

static int add_reading(struct adding *a, const struct device_conf *d,
                       const struct channel_stream *readings, uint32_t i)
{
    const struct channel *ch = &a->t->channel[i];
    const struct statistics_conf w = config_statistics(d, point_of(d, ch->point));
    const bool is_direction = strcmp(ch->quantity->id, "wind_dir") == 0;
    int rc = 0;

    if (!has_period(&w, a->period))
        return 0;
    if (!a->stream || a->stream->n + 2 * AGG_WANTS_MAX > STATISTIC_COLUMNS_MAX)
        rc = begin_stream(a);
    if (rc == 0)
        rc = add_figures(a, i, &w, false);
    return rc == 0 && is_direction ? add_speed(a, d, readings, i) : rc;
}

static int add_period(struct table *t, enum agg_period period)
{
    const struct device_conf *d = t->config->devices.items;
    struct adding a = { .t = t, .period = period };
    int rc = 0;

    for (size_t k = 0; k < t->config->devices.n; k++) {
        const struct channel_stream *readings = &t->stream[t->device[k].stream];
        for (uint32_t i = readings->first; rc == 0 && i < readings->first + readings->n; i++)
            rc = add_reading(&a, &d[k], readings, i);
    }
    return rc;
}

/* What the configuration says of how they are formed. */
static void set_up(struct table *t)
{
    const struct device_conf *d = t->config->devices.items;
    struct levels_night night = AGG_NIGHT;

    levels_night_parse(t->config->station.night, &night);
    for (size_t k = 0; k < t->config->devices.n; k++) {
        const struct channel_stream *s = &t->stream[t->device[k].stream];
        for (uint32_t i = s->first; i < s->first + s->n; i++) {
            const struct correction_conf *c = check_correction_of(&d[k], t->channel[i].point);
            struct agg_settings *agg = &t->treatment[i].agg;
            agg->night = night;
            agg->dead_s = c ? c->dead_us * 1e-6 : 0;
            agg->wrap = c ? c->wrap : 0;
        }
    }
}

int table_add_statistics(struct table *t)
{
    int rc = 0;

    t->channels.channels = t->channel;
    set_up(t);
    for (int p = 0; rc == 0 && p < AGG_PERIODS; p++)
        rc = add_period(t, (enum agg_period)p);
    return rc;
}
