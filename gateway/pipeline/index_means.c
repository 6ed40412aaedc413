/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pipeline/index_means.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/pipeline/layouts.h"
#include "sensors/core/unit.h"

#define HOUR_MS INT64_C(3600000)
#define NEVER   INT64_MIN

enum {
    SUM_DIGITS = 4, /* hourly means have no more: those published and two */
    DAY_HOURS = 24,
    HOURS_8 = 6 /* of 8: GB 3095-2026 table 4, and the three quarters of the US */
};

static const struct verdict none = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE };

/* ---- the means ---- */

static uint32_t stream_of(const struct channel_table *t, uint32_t channel)
{
    for (uint32_t i = 0; i < t->streams_n; i++)
        if (channel >= t->streams[i].first && channel < t->streams[i].first + t->streams[i].n)
            return i;
    return PIPELINE_NONE_BESIDE;
}

int index_means_init(struct index_means *m, const struct pipeline *p,
                     const struct pipeline_index *ix)
{
    m->index = ix;
    m->step_ms = ix->mean_ms;
    m->report_ms = p->o->table->streams[ix->stream].period_ms;
    m->formed_ms = NEVER;
    m->kept = calloc(INDEX_POLLUTANTS, sizeof *m->kept);
    if (!m->kept)
        return -ENOMEM;
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++) {
        m->stream[i] = stream_of(p->o->table, ix->of[i]);
        for (unsigned h = 0; h < INDEX_MEANS_KEPT; h++)
            m->kept[i][h].label_ms = NEVER;
    }
    return 0;
}

void index_means_done(struct index_means *m)
{
    free(m->kept);
}

static struct period_mean *place_of(const struct index_means *m, unsigned pollutant,
                                    int64_t label_ms)
{
    const int64_t at = label_ms / m->step_ms % INDEX_MEANS_KEPT;

    return &m->kept[pollutant][at < 0 ? at + INDEX_MEANS_KEPT : at];
}

void index_means_feed(struct index_means *m, const struct pipeline *p, uint32_t stream,
                      int64_t time_ms, const struct series_cell *cells)
{
    const uint32_t first = p->o->table->streams[stream].first;

    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++) {
        if (m->stream[i] != stream)
            continue;
        const struct series_cell *c = &cells[m->index->of[i] - first];
        *place_of(m, i, time_ms) =
            (struct period_mean){ time_ms, series_value(c), verdict_from_flag(c->flag) };
    }
}

/* The newest mean of the period that began at label_ms. */
static int64_t newest_of(const struct index_means *m, int64_t label_ms)
{
    return label_ms + m->report_ms - m->step_ms;
}

struct reading_back {
    struct index_means *means;
    struct layout_view view;
};

static bool on_row(void *user, int64_t time_ms, const struct series_cell *cells,
                   unsigned columns, uint32_t layout)
{
    struct reading_back *r = user;
    const struct series_cell *row = layout_view_row(&r->view, cells, columns, layout);

    if (row)
        index_means_feed(r->means, r->view.p, r->view.stream, time_ms, row);
    return true;
}

static bool is_read_already(const struct index_means *m, unsigned pollutant)
{
    for (unsigned i = 0; i < pollutant; i++)
        if (m->stream[i] == m->stream[pollutant])
            return true;
    return false;
}

static void read_stream(struct index_means *m, struct pipeline *p, uint32_t stream,
                        int64_t from_ms, int64_t to_ms)
{
    struct reading_back r = { .means = m };

    if (layout_view_init(&r.view, p, stream) == 0)
        store_read_rows(p->reader, p->o->table->streams[stream].number, from_ms, to_ms, on_row,
                        &r);
    layout_view_done(&r.view);
}

/* Rows that are not committed yet are those fed last: the log says nothing else of them. */
static void read_back(struct index_means *m, struct pipeline *p, int64_t newest_ms)
{
    struct period_mean fed[INDEX_POLLUTANTS][INDEX_MEANS_KEPT];
    const int64_t before_ms = m->step_ms == HOUR_MS ? (INDEX_MEANS_KEPT - 1) * HOUR_MS : 0;

    memcpy(fed, m->kept, sizeof fed);
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++)
        if (m->stream[i] != PIPELINE_NONE_BESIDE && !is_read_already(m, i))
            read_stream(m, p, m->stream[i], newest_ms - before_ms, newest_ms + 1);
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++)
        for (unsigned h = 0; h < INDEX_MEANS_KEPT; h++) {
            const struct period_mean *f = &fed[i][h];
            if (f->label_ms >= newest_ms - before_ms && f->label_ms <= newest_ms)
                m->kept[i][h] = *f;
        }
}

void index_means_complete(struct index_means *m, struct pipeline *p, int64_t label_ms)
{
    const int64_t newest_ms = newest_of(m, label_ms);
    bool is_there = m->formed_ms == label_ms - m->report_ms;

    for (unsigned i = 0; is_there && i < INDEX_POLLUTANTS; i++)
        is_there = m->stream[i] == PIPELINE_NONE_BESIDE ||
                   place_of(m, i, newest_ms)->label_ms == newest_ms;
    if (!is_there && p->reader)
        read_back(m, p, newest_ms);
    m->formed_ms = label_ms;
}

/* The mean `back` periods before the one at newest_ms. */
static struct period_mean mean_at(const struct index_means *m, unsigned pollutant,
                                  int64_t newest_ms, int back)
{
    const int64_t wanted_ms = newest_ms - back * m->step_ms;
    const struct period_mean *found = place_of(m, pollutant, wanted_ms);

    if (found->label_ms == wanted_ms)
        return *found;
    return (struct period_mean){ wanted_ms, DECIMAL_MISSING, none };
}

static bool is_usable(const struct period_mean *m)
{
    return index_accepts(m->verdict) && decimal_has_value(m->value);
}

/* ---- what a report takes ---- */

static struct exact_ratio ratio_of(const struct pipeline *p, const struct pipeline_index *ix,
                                   const struct index_column *c)
{
    const struct quantity *q = p->o->table->channels[ix->of[c->pollutant]].quantity;
    const struct unit *from = unit_find_ucum(q->unit), *to = unit_find_ucum(c->unit);
    struct exact_ratio by = { 1, 1 };

    /* cannot fail: both units are of tables, and tried for every pollutant by the tests */
    if (from && to)
        exact_ratio_between(from, to, q, ix->scheme->molar_ml, &by);
    return by;
}

static struct index_input too_few(int n, struct exact_ratio by)
{
    const struct verdict some = { .grade = GRADE_MISSING };

    return (struct index_input){ DECIMAL_MISSING, n ? some : none, by };
}

/* The mean of the usable ones of n hours, exactly: their sum, and n in the ratio. */
static struct index_input running(const struct index_means *m, unsigned pollutant,
                                  int64_t newest_ms, int hours, int need, struct exact_ratio by)
{
    struct index_input in = { DECIMAL_MISSING, { 0 }, by };
    struct decimal x, sum = { 0, SUM_DIGITS };
    int n = 0;

    for (int back = 0; back < hours; back++) {
        const struct period_mean mean = mean_at(m, pollutant, newest_ms, back);
        if (!is_usable(&mean) || exact_round(mean.value, (struct exact_ratio){ 0 }, SUM_DIGITS,
                                             EXACT_HALF_EVEN, &x) < 0)
            continue;
        sum.v += x.v;
        in.verdict = verdict_merge(in.verdict, mean.verdict);
        n++;
    }
    if (n < need)
        return too_few(n, by);
    in.value = sum;
    in.by.den *= n;
    return in;
}

/* Both of one pollutant: a sum, and the number of its hours in the ratio. */
static bool is_larger(const struct index_input *a, const struct index_input *b)
{
    if (!decimal_has_value(b->value))
        return true;
    return (long double)a->value.v * (long double)b->by.den >
           (long double)b->value.v * (long double)a->by.den;
}

/* The largest mean of so many hours that lie within the day, of three quarters of them at least
 * (40 CFR 50, appendices S, T and U). */
static struct index_input largest(const struct index_means *m, unsigned pollutant,
                                  int64_t newest_ms, int hours, struct exact_ratio by)
{
    const int windows = DAY_HOURS - hours + 1, need = hours == 8 ? HOURS_8 : 1;
    struct index_input best = too_few(0, by);
    int n = 0;

    for (int back = 0; back < windows; back++) {
        const struct index_input in =
            running(m, pollutant, newest_ms - back * HOUR_MS, hours, need, by);
        if (!decimal_has_value(in.value))
            continue;
        if (is_larger(&in, &best))
            best = in;
        n++;
    }
    return 4 * n < 3 * windows ? too_few(n, by) : best;
}

static struct index_input nowcast(const struct index_means *m, const struct index_column *c,
                                  int64_t newest_ms, struct exact_ratio by)
{
    struct index_input in = { .value = DECIMAL_MISSING };
    struct decimal hours[NOWCAST_HOURS];
    double raw;

    for (int back = 0; back < NOWCAST_HOURS; back++) {
        const struct period_mean mean = mean_at(m, c->pollutant, newest_ms, back);
        hours[back] = DECIMAL_MISSING;
        if (is_usable(&mean) && exact_value(mean.value, by, &hours[back]) == 0)
            in.verdict = verdict_merge(in.verdict, mean.verdict);
    }
    if (index_nowcast(hours, c->digits, &raw, &in.value) < 0)
        in.verdict = mean_at(m, c->pollutant, newest_ms, 0).verdict;
    return in;
}

static bool is_particle(enum index_pollutant p)
{
    return p == INDEX_PM10 || p == INDEX_PM2_5;
}

static struct index_input of_hour(const struct index_means *m, const struct index_column *c,
                                  int64_t newest_ms, struct exact_ratio by)
{
    const struct index_scheme *s = m->index->scheme;
    const struct period_mean mean = mean_at(m, c->pollutant, newest_ms, 0);

    if (c->mean == INDEX_8H)
        return running(m, c->pollutant, newest_ms, 8, HOURS_8, by);
    if (c->mean == INDEX_24H && s->is_nowcast && is_particle(c->pollutant))
        return nowcast(m, c, newest_ms, by);
    if (c->mean == INDEX_24H)
        return running(m, c->pollutant, newest_ms, DAY_HOURS, s->need_24h, by);
    return (struct index_input){ mean.value, mean.verdict, by };
}

static struct index_input of_day(const struct index_means *m, const struct index_column *c,
                                 int64_t newest_ms, struct exact_ratio by)
{
    if (c->mean == INDEX_24H)
        return running(m, c->pollutant, newest_ms, DAY_HOURS, m->index->scheme->need_24h, by);
    return largest(m, c->pollutant, newest_ms, c->mean == INDEX_8H ? 8 : 1, by);
}

struct index_input index_means_input(const struct index_means *m, const struct pipeline *p,
                                     const struct index_column *c, int64_t label_ms)
{
    const struct exact_ratio by = ratio_of(p, m->index, c);
    const int64_t newest_ms = newest_of(m, label_ms);

    if (m->index->report == INDEX_HOUR)
        return of_hour(m, c, newest_ms, by);
    if (m->step_ms == HOUR_MS)
        return of_day(m, c, newest_ms, by);
    const struct period_mean mean = mean_at(m, c->pollutant, newest_ms, 0);
    return (struct index_input){ mean.value, mean.verdict, by };
}
