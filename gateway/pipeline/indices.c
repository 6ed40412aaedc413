/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pipeline/indices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/pipeline/index_means.h"

struct pipeline_index_state {
    struct index_means means;
    struct series_cell cells[PIPELINE_INDEX_COLUMNS];
};

int indices_init(struct pipeline *p)
{
    int rc = 0;

    p->indices = calloc(p->o->indices_n + 1, sizeof *p->indices);
    if (!p->indices)
        return -ENOMEM;
    for (size_t i = 0; rc == 0 && i < p->o->indices_n; i++)
        rc = index_means_init(&p->indices[i].means, p, &p->o->indices[i]);
    return rc;
}

void indices_done(struct pipeline *p)
{
    for (size_t i = 0; p->indices && i < p->o->indices_n; i++)
        index_means_done(&p->indices[i].means);
    free(p->indices);
}

void indices_feed(struct pipeline *p, uint32_t stream, int64_t time_ms,
                  const struct series_cell *cells)
{
    for (size_t i = 0; i < p->o->indices_n; i++)
        index_means_feed(&p->indices[i].means, p, stream, time_ms, cells);
}

/* Of a day's row there is one mean: the day's, or of ozone the largest 8 h. */
static bool is_formed(const struct pipeline_index *ix, const struct index_means *m,
                      const struct index_column *c)
{
    if (ix->of[c->pollutant] == PIPELINE_NONE_BESIDE)
        return false;
    return ix->report == INDEX_HOUR || m->step_ms < m->report_ms ||
           c->mean == (c->pollutant == INDEX_O3 ? INDEX_8H : INDEX_24H);
}

static void judge(struct pipeline *p, struct pipeline_index_state *st, int64_t label_ms,
                  struct index_result *ret)
{
    const struct pipeline_index *ix = st->means.index;
    struct index_inputs x;

    index_means_complete(&st->means, p, label_ms);
    index_inputs_clear(&x);
    x.is_negative_zero = ix->is_negative_zero;
    memcpy(x.plan, ix->plan, sizeof x.plan);
    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++)
        for (unsigned m = 0; m < INDEX_MEANS; m++)
            x.in[i][m].verdict = (struct verdict){ .grade = GRADE_MISSING };
    for (unsigned i = 0; i < ix->scheme->columns_n; i++) {
        const struct index_column *c = &ix->scheme->columns[i];
        if (is_formed(ix, &st->means, c))
            x.in[c->pollutant][c->mean] = index_means_input(&st->means, p, c, label_ms);
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

/* Of a pollutant that is judged by several means the largest; where there is none, why the
 * first has none. */
static const struct index_part *part_of(const struct index_result *r, unsigned pollutant)
{
    const struct index_part *found = NULL;

    for (unsigned i = 0; i < r->parts_n; i++) {
        const struct index_part *part = &r->parts[i];
        if ((unsigned)part->pollutant == pollutant && (!found || part->sub > found->sub))
            found = part;
    }
    return found;
}

static void fill_subs(struct pipeline_index_state *st, const struct index_result *r)
{
    static const struct verdict none = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE };

    for (unsigned i = 0; i < INDEX_POLLUTANTS; i++) {
        const struct index_part *part = part_of(r, i);
        struct verdict v = part ? part->verdict : none;
        if (!part || part->sub == INDEX_NONE) {
            v.grade = GRADE_MISSING;
            st->cells[PIPELINE_INDEX_SUB + i] =
                series_cell_of(DECIMAL_MISSING, verdict_to_flag(v));
        } else {
            st->cells[PIPELINE_INDEX_SUB + i] = cell_of(part->sub, v);
        }
    }
}

static void fill_cells(struct pipeline_index_state *st, const struct index_result *r)
{
    const struct verdict v = verdict_of(r);

    for (unsigned i = 0; i < PIPELINE_INDEX_SUB; i++)
        st->cells[i] = series_cell_of(DECIMAL_MISSING, verdict_to_flag(v));
    if (r->index != INDEX_NONE) {
        st->cells[PIPELINE_INDEX_VALUE] = cell_of(r->index, v);
        st->cells[PIPELINE_INDEX_LEVEL] =
            cell_of(r->level - st->means.index->scheme->levels + 1, v);
        st->cells[PIPELINE_INDEX_PRIMARY] = cell_of(set_of(r, true), v);
    }
    st->cells[PIPELINE_INDEX_GAPS] = cell_of(set_of(r, false), (struct verdict){ 0 });
    fill_subs(st, r);
}

static void form(struct pipeline *p, struct pipeline_index_state *st, int64_t label_ms)
{
    struct index_result r;

    judge(p, st, label_ms, &r);
    fill_cells(st, &r);
    if (p->o->on_index)
        p->o->on_index(p->o->user, st->means.index, label_ms, &r);
}

bool indices_value(struct pipeline *p, uint32_t channel, int64_t label_ms, struct sample *ret)
{
    const struct channel *c = &p->o->table->channels[channel];

    for (size_t i = 0; c->is_index && i < p->o->indices_n; i++) {
        struct pipeline_index_state *st = &p->indices[i];
        if (p->o->table->streams[st->means.index->stream].first + c->column != channel)
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
        const uint32_t stream = st->means.index->stream;
        const int64_t label_ms = p->streams[stream].period_start - st->means.report_ms;
        if (p->streams[stream].period_start && times_is_used(p, stream, label_ms))
            form(p, st, label_ms);
    }
}
