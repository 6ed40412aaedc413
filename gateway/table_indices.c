/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The air quality indices that the configuration asks for: ten columns in a stream each,
 * "station/hj633-2026@1h", and where their means come from.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/table.h"

#define DEVICE  "station"

#define HOUR_MS INT64_C(3600000)

static const struct { /* a report's name and period, and the statistics it takes */
    const char *id, *mean, *ozone;
    int64_t period_ms;
} reports[INDEX_REPORTS] = {
    [INDEX_HOUR] = { "1h", "1h", "1h", HOUR_MS },
    [INDEX_DAY] = { "day", "day", "day.max8h", 24 * HOUR_MS },
};

static const char *const columns[PIPELINE_INDEX_SUB] = {
    [PIPELINE_INDEX_VALUE] = "",
    [PIPELINE_INDEX_LEVEL] = ".level",
    [PIPELINE_INDEX_PRIMARY] = ".primary",
    [PIPELINE_INDEX_GAPS] = ".gaps",
};

static const char *const *texts_of(const struct field_array *a)
{
    return a->items;
}

static bool has_report(const struct index_scheme *s, enum index_report r)
{
    return s->lines_n[r] > 0;
}

/* The day of the US index takes the largest of hours beside means of the day: it is formed of
 * the hours. */
static enum index_report means_for(const struct index_scheme *s, enum index_report r)
{
    return s->is_nowcast ? INDEX_HOUR : r;
}

size_t table_indices_n(const struct config *config)
{
    const struct field_array *a = &config->index.standards;
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++) {
        const struct index_scheme *s = index_find(texts_of(a)[i]);
        for (unsigned r = 0; s && r < INDEX_REPORTS; r++)
            n += has_report(s, r);
    }
    return n;
}

static uint32_t statistic_of(const struct table *t, uint32_t reading, const char *statistic)
{
    for (uint32_t i = 0; i < t->channels.n; i++) {
        const struct channel *c = &t->channel[i];
        if (c->statistic && c->source == reading && strcmp(c->statistic, statistic) == 0)
            return i;
    }
    return PIPELINE_NONE_BESIDE;
}

/* The channel that the configuration names for the quantity; NULL: none. */
static const char *named(const struct table *t, const char *quantity)
{
    const struct field_array *from = &t->config->index.from;

    for (uint32_t i = 0; i < t->channels.n; i++)
        for (size_t k = 0; k < from->n; k++)
            if (!t->channel[i].statistic && strcmp(t->channel[i].id, texts_of(from)[k]) == 0 &&
                strcmp(t->channel[i].quantity->id, quantity) == 0)
                return t->channel[i].id;
    return NULL;
}

static uint32_t means_of(const struct table *t, enum index_pollutant p, enum index_report r)
{
    const char *quantity = index_pollutant_quantity(p);
    const char *id = named(t, quantity);

    for (uint32_t i = 0; i < t->channels.n; i++) {
        const struct channel *c = &t->channel[i];
        if (c->statistic || strcmp(c->quantity->id, quantity) != 0 ||
            (id && strcmp(c->id, id) != 0))
            continue;
        const uint32_t at =
            statistic_of(t, i, p == INDEX_O3 ? reports[r].ozone : reports[r].mean);
        if (at != PIPELINE_NONE_BESIDE)
            return at;
    }
    return PIPELINE_NONE_BESIDE;
}

static void mark_plan(struct pipeline_index *ix, const struct field_array *a,
                      enum index_plan plan)
{
    for (size_t i = 0; i < a->n; i++)
        for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
            if (strcmp(index_pollutant_id(p), texts_of(a)[i]) == 0)
                ix->plan[p] = plan;
}

static int add_columns(struct table *t, struct channel_stream *stream,
                       const struct pipeline_index *ix)
{
    const struct index_scheme *s = ix->scheme;
    const char *period = reports[ix->report].id;
    char *id;

    for (unsigned i = 0; i < PIPELINE_INDEX_COLUMNS; i++) {
        const int n = i < PIPELINE_INDEX_SUB
                          ? asprintf(&id, DEVICE "/%s@%s%s", s->id, period, columns[i])
                          : asprintf(&id, DEVICE "/%s@%s.%s_iaqi", s->id, period,
                                     index_pollutant_id(i - PIPELINE_INDEX_SUB));
        if (n < 0)
            return -ENOMEM;
        const uint32_t at = (uint32_t)t->channels.n++;
        t->channel[at] = (struct channel){
            .id = id,
            .device = DEVICE,
            .point = s->id,
            .statistic = strrchr(id, '@') + 1,
            .quantity = config_index_quantity(s),
            .period_ms = reports[ix->report].period_ms,
            .column = stream->n++,
            .source = at,
            .is_index = true,
        };
    }
    return 0;
}

static int add_index(struct table *t, const struct index_scheme *s, enum index_report r)
{
    const struct index_conf *c = &t->config->index;
    struct channel_stream *stream = &t->stream[t->channels.streams_n];
    struct pipeline_index ix = { .scheme = s,
                                 .report = r,
                                 .stream = (uint32_t)t->channels.streams_n,
                                 .mean_ms = reports[means_for(s, r)].period_ms,
                                 .is_negative_zero = c->is_negative_zero };
    char *name;

    if (asprintf(&name, "index.%s.%s", s->id, reports[r].id) < 0)
        return -ENOMEM;
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        ix.of[p] = means_of(t, p, means_for(s, r));
    mark_plan(&ix, &c->unplanned, INDEX_UNPLANNED_OTHER);
    mark_plan(&ix, &c->clean, INDEX_UNPLANNED_CLEAN);
    *stream = (struct channel_stream){ .name = name,
                                       .first = (uint32_t)t->channels.n,
                                       .period_ms = reports[r].period_ms };
    t->channels.streams_n++;
    t->index[t->indices_n++] = ix;
    return add_columns(t, stream, &ix);
}

int table_add_indices(struct table *t)
{
    const struct field_array *a = &t->config->index.standards;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < a->n; i++) {
        const struct index_scheme *s = index_find(texts_of(a)[i]);
        for (unsigned r = 0; rc == 0 && s && r < INDEX_REPORTS; r++)
            if (has_report(s, r))
                rc = add_index(t, s, r);
    }
    return rc;
}
