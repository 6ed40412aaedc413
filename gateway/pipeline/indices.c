/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pipeline/indices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/core/unit.h"

enum {
    HOURS = 24,     /* kept: the longest mean of a report of the hour */
    SUM_DIGITS = 4, /* hourly means have no more: those published and two */
    HOURS_8 = 6,    /* of 8, GB 3095-2026 table 4; taken for every scheme */
    HOURS_24 = 20   /* of 24, the same */
};

#define NEVER INT64_MIN

static const struct verdict none = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE };

struct period_mean { /* of one hour or day, as its row has it */
    int64_t label_ms;
    struct decimal value;
    struct verdict verdict;
};

struct pipeline_index_state {
    const struct pipeline_index *index;
    int64_t step_ms;                    /* of its periods */
    uint32_t stream[INDEX_POLLUTANTS];  /* of the means */
    struct period_mean (*means)[HOURS]; /* by pollutant; the place is the number modulo 24 */
    int64_t formed_ms;                  /* the newest period that was formed */
    struct series_cell cells[PIPELINE_INDEX_COLUMNS];
};

/* ---- set-up ---- */

static uint32_t stream_of(const struct channel_table *t, uint32_t channel)
{
    for (uint32_t i = 0; i < t->streams_n; i++)
        if (channel >= t->streams[i].first && channel < t->streams[i].first + t->streams[i].n)
            return i;
    return PIPELINE_NONE_BESIDE;
}

static bool init_one(const struct pipeline *p, const struct pipeline_index *ix,
                     struct pipeline_index_state *st)
{
    st->index = ix;
    st->step_ms = p->o->table->streams[ix->stream].period_ms;
    st->formed_ms = NEVER;
    st->means = calloc(INDEX_POLLUTANTS, sizeof *st->means);
    if (!st->means)
        return false;
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++) {
        st->stream[i] = stream_of(p->o->table, ix->of[i]);
        for (unsigned h = 0; h < HOURS; h++)
            st->means[i][h].label_ms = NEVER;
    }
    return true;
}

int indices_init(struct pipeline *p)
{
    p->indices = calloc(p->o->indices_n + 1, sizeof *p->indices);
    if (!p->indices)
        return -ENOMEM;
    for (size_t i = 0; i < p->o->indices_n; i++)
        if (!init_one(p, &p->o->indices[i], &p->indices[i]))
            return -ENOMEM;
    return 0;
}

void indices_done(struct pipeline *p)
{
    for (size_t i = 0; p->indices && i < p->o->indices_n; i++)
        free(p->indices[i].means);
    free(p->indices);
}

/* ---- the means ---- */

static struct period_mean *place_of(const struct pipeline_index_state *st, unsigned pollutant,
                                    int64_t label_ms)
{
    const int64_t at = (label_ms / st->step_ms % HOURS + HOURS) % HOURS;

    return &st->means[pollutant][at];
}

static void take_row(const struct pipeline *p, struct pipeline_index_state *st, uint32_t stream,
                     int64_t time_ms, const struct series_cell *cells)
{
    const uint32_t first = p->o->table->streams[stream].first;

    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++) {
        if (st->stream[i] != stream)
            continue;
        const struct series_cell *c = &cells[st->index->of[i] - first];
        *place_of(st, i, time_ms) =
            (struct period_mean){ time_ms, series_value(c), verdict_from_flag(c->flag) };
    }
}

void indices_feed(struct pipeline *p, uint32_t stream, int64_t time_ms,
                  const struct series_cell *cells)
{
    for (size_t i = 0; i < p->o->indices_n; i++)
        take_row(p, &p->indices[i], stream, time_ms, cells);
}

struct reading_back {
    struct pipeline *p;
    struct pipeline_index_state *st;
    uint32_t stream, layout;
};

static bool on_row(void *user, int64_t time_ms, const struct series_cell *cells,
                   unsigned columns, uint32_t layout)
{
    const struct reading_back *r = user;

    if (layout == r->layout && columns == r->p->o->table->streams[r->stream].n)
        take_row(r->p, r->st, r->stream, time_ms, cells);
    return true; /* else of another configuration */
}

static bool is_read_already(const struct pipeline_index_state *st, unsigned pollutant)
{
    for (unsigned i = 0; i < pollutant; i++)
        if (st->stream[i] == st->stream[pollutant])
            return true;
    return false;
}

/* Rows that are not committed yet are those just fed: they are kept. */
static void read_back(struct pipeline *p, struct pipeline_index_state *st, int64_t label_ms)
{
    struct period_mean fed[INDEX_POLLUTANTS];
    const int64_t before_ms = st->index->report == INDEX_DAY ? 0 : (HOURS - 1) * st->step_ms;

    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++)
        fed[i] = *place_of(st, i, label_ms);
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++) {
        if (st->stream[i] == PIPELINE_NONE_BESIDE || is_read_already(st, i))
            continue;
        const uint32_t number = p->o->table->streams[st->stream[i]].number;
        struct reading_back r = { p, st, st->stream[i],
                                  store_read_stream_layout(p->reader, number) };
        store_read_rows(p->reader, number, label_ms - before_ms, label_ms + 1, on_row, &r);
    }
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++)
        if (fed[i].label_ms == label_ms)
            *place_of(st, i, label_ms) = fed[i];
}

/* The means up to label_ms are there as far as the log has them. */
static void complete(struct pipeline *p, struct pipeline_index_state *st, int64_t label_ms)
{
    bool is_there = st->formed_ms == label_ms - st->step_ms;

    for (unsigned i = 0; is_there && i < INDEX_POLLUTANTS; i++)
        is_there = st->stream[i] == PIPELINE_NONE_BESIDE ||
                   place_of(st, i, label_ms)->label_ms == label_ms;
    if (!is_there && p->reader)
        read_back(p, st, label_ms);
    st->formed_ms = label_ms;
}

/* The mean `back` periods before the one at label_ms. */
static struct period_mean mean_at(const struct pipeline_index_state *st, unsigned pollutant,
                                  int64_t label_ms, int back)
{
    const int64_t wanted_ms = label_ms - back * st->step_ms;
    const struct period_mean *m = place_of(st, pollutant, wanted_ms);

    if (m->label_ms == wanted_ms)
        return *m;
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

/* The mean of the usable ones of n hours, exactly: their sum, and n in the ratio. */
static struct index_input running(const struct pipeline_index_state *st, unsigned pollutant,
                                  int64_t label_ms, int hours, int need, struct exact_ratio by)
{
    struct index_input in = { DECIMAL_MISSING, { 0 }, by };
    struct decimal x, sum = { 0, SUM_DIGITS };
    int n = 0;

    for (int back = 0; back < hours; back++) {
        const struct period_mean m = mean_at(st, pollutant, label_ms, back);
        if (!is_usable(&m) || exact_round(m.value, (struct exact_ratio){ 0 }, SUM_DIGITS,
                                          EXACT_HALF_EVEN, &x) < 0)
            continue;
        sum.v += x.v;
        in.verdict = verdict_merge(in.verdict, m.verdict);
        n++;
    }
    if (n < need) {
        in.verdict = n ? (struct verdict){ .grade = GRADE_MISSING } : none;
        return in;
    }
    in.value = sum;
    in.by.den *= n;
    return in;
}

static struct index_input nowcast(const struct pipeline_index_state *st,
                                  const struct index_column *c, int64_t label_ms,
                                  struct exact_ratio by)
{
    struct index_input in = { .value = DECIMAL_MISSING };
    struct decimal hours[NOWCAST_HOURS];
    double raw;

    for (int back = 0; back < NOWCAST_HOURS; back++) {
        const struct period_mean m = mean_at(st, c->pollutant, label_ms, back);
        hours[back] = DECIMAL_MISSING;
        if (is_usable(&m) && exact_value(m.value, by, &hours[back]) == 0)
            in.verdict = verdict_merge(in.verdict, m.verdict);
    }
    if (index_nowcast(hours, c->digits, &raw, &in.value) < 0)
        in.verdict = mean_at(st, c->pollutant, label_ms, 0).verdict;
    return in;
}

static bool is_particle(enum index_pollutant p)
{
    return p == INDEX_PM10 || p == INDEX_PM2_5;
}

static struct index_input input_of(const struct pipeline *p,
                                   const struct pipeline_index_state *st,
                                   const struct index_column *c, int64_t label_ms)
{
    const struct index_scheme *s = st->index->scheme;
    const struct exact_ratio by = ratio_of(p, st->index, c);

    if (st->index->report == INDEX_HOUR && c->mean == INDEX_8H)
        return running(st, c->pollutant, label_ms, 8, HOURS_8, by);
    if (st->index->report == INDEX_HOUR && c->mean == INDEX_24H)
        return s->is_nowcast && is_particle(c->pollutant)
                   ? nowcast(st, c, label_ms, by)
                   : running(st, c->pollutant, label_ms, 24, HOURS_24, by);
    const struct period_mean m = mean_at(st, c->pollutant, label_ms, 0);
    return (struct index_input){ m.value, m.verdict, by };
}

/* Of a day there is one mean: the day's, or of ozone the largest 8 h. */
static bool is_formed(const struct pipeline_index *ix, const struct index_column *c)
{
    if (ix->of[c->pollutant] == PIPELINE_NONE_BESIDE)
        return false;
    return ix->report == INDEX_HOUR ||
           c->mean == (c->pollutant == INDEX_O3 ? INDEX_8H : INDEX_24H);
}

static void judge(struct pipeline *p, struct pipeline_index_state *st, int64_t label_ms,
                  struct index_result *ret)
{
    const struct pipeline_index *ix = st->index;
    struct index_inputs x;

    complete(p, st, label_ms);
    index_inputs_clear(&x);
    x.is_negative_zero = ix->is_negative_zero;
    memcpy(x.plan, ix->plan, sizeof x.plan);
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++)
        for (unsigned m = 0; m < INDEX_MEANS; m++)
            x.in[i][m].verdict = (struct verdict){ .grade = GRADE_MISSING };
    for (unsigned i = 0; i < ix->scheme->columns_n; i++) {
        const struct index_column *c = &ix->scheme->columns[i];
        if (is_formed(ix, c))
            x.in[c->pollutant][c->mean] = input_of(p, st, c, label_ms);
    }
    index_judge(ix->scheme, ix->report, &x, ret);
}

/* ---- the row ---- */

static int32_t set_of(const struct index_result *r, bool is_primary)
{
    int32_t set = 0;

    for (unsigned i = 0; i < r->parts_n; i++)
        if (is_primary ? r->parts[i].is_primary : r->parts[i].is_gap)
            set |= 1 << r->parts[i].pollutant;
    return set;
}

/* Of an index: what is known of its parts. Of NA: of those that are missing. */
static struct verdict verdict_of(const struct index_result *r)
{
    struct verdict v = { 0 };

    for (unsigned i = 0; i < r->parts_n; i++) {
        const struct index_part *part = &r->parts[i];
        if (r->index == INDEX_NONE ? part->is_gap : part->sub != INDEX_NONE)
            v = verdict_merge(v, part->verdict);
    }
    if (r->index == INDEX_NONE)
        v.grade = GRADE_MISSING;
    return v;
}

static struct series_cell cell_of(int64_t value, struct verdict v)
{
    return series_cell_of((struct decimal){ value, 0 }, verdict_to_flag(v));
}

static void fill_cells(struct pipeline_index_state *st, const struct index_result *r)
{
    const struct verdict v = verdict_of(r);

    for (unsigned i = 0; i < PIPELINE_INDEX_COLUMNS; i++)
        st->cells[i] = series_cell_of(DECIMAL_MISSING, verdict_to_flag(v));
    if (r->index != INDEX_NONE) {
        st->cells[PIPELINE_INDEX_VALUE] = cell_of(r->index, v);
        st->cells[PIPELINE_INDEX_LEVEL] = cell_of(r->level - st->index->scheme->levels + 1, v);
        st->cells[PIPELINE_INDEX_PRIMARY] = cell_of(set_of(r, true), v);
    }
    st->cells[PIPELINE_INDEX_GAPS] = cell_of(set_of(r, false), (struct verdict){ 0 });
}

static void form(struct pipeline *p, struct pipeline_index_state *st, int64_t label_ms)
{
    struct index_result r;

    judge(p, st, label_ms, &r);
    fill_cells(st, &r);
    if (p->o->on_index)
        p->o->on_index(p->o->user, st->index, label_ms, &r);
}

bool indices_value(struct pipeline *p, uint32_t channel, int64_t label_ms, struct sample *ret)
{
    const struct channel *c = &p->o->table->channels[channel];

    for (size_t i = 0; c->is_index && i < p->o->indices_n; i++) {
        struct pipeline_index_state *st = &p->indices[i];
        if (p->o->table->streams[st->index->stream].first + c->column != channel)
            continue;
        if (c->column == 0)
            form(p, st, label_ms);
        ret->value = series_value(&st->cells[c->column]);
        ret->verdict = verdict_from_flag(st->cells[c->column].flag);
        return true;
    }
    return false;
}

void indices_tell(struct pipeline *p)
{
    for (size_t i = 0; p->o->on_index && i < p->o->indices_n; i++) {
        struct pipeline_index_state *st = &p->indices[i];
        const uint32_t stream = st->index->stream;
        const int64_t label_ms = p->streams[stream].period_start - st->step_ms;
        if (p->streams[stream].period_start && times_is_used(p, stream, label_ms))
            form(p, st, label_ms);
    }
}
