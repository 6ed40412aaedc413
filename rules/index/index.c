/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index/index.h"

#include <errno.h>
#include <string.h>

#include "rules/index/tables.h"
#include "sensors/core/words.h"

#define CONCENTRATION_LIMIT INT64_C(1000000000) /* ug/m3 in a cubic metre of water: no air */

const struct index_scheme *const index_schemes[] = {
    &index_hj633_2026,
    &index_hj633_2012,
    &index_us_epa_2024,
    &index_eaqi_2024,
};
const size_t index_schemes_n = sizeof index_schemes / sizeof *index_schemes;

static const int64_t power_of_ten[] = {
    1,        10,        100,        1000,        10000,        100000,       1000000,
    10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000
};

const struct index_scheme *index_find(const char *name)
{
    for (size_t i = 0; i < index_schemes_n; i++)
        if (strcmp(index_schemes[i]->id, name) == 0 ||
            strcmp(index_schemes[i]->standard, name) == 0)
            return index_schemes[i];
    return NULL;
}

const struct index_scheme *index_of_china(int year, int month, int day)
{
    const int date = year * 10000 + month * 100 + day;

    return date >= 20260301 ? &index_hj633_2026 : &index_hj633_2012;
}

const struct index_column *index_column_find(const struct index_scheme *s,
                                             enum index_pollutant p, enum index_mean m)
{
    for (unsigned i = 0; i < s->columns_n; i++)
        if (s->columns[i].pollutant == p && s->columns[i].mean == m)
            return &s->columns[i];
    return NULL;
}

/* ---- a sub-index ---- */

static struct decimal breakpoint(const struct index_column *c, int32_t at)
{
    return (struct decimal){ at, c->scale };
}

/* The row whose upper end is not passed; c->n above the last. */
static unsigned row_of(const struct index_column *c, struct decimal x)
{
    unsigned i = c->first;

    while (i < c->n && c->hi[i] != INDEX_MORE && exact_compare(x, breakpoint(c, c->hi[i])) > 0)
        i++;
    return i;
}

/*
 * ilo + (ihi - ilo) (x - lo) / (hi - lo) on whole numbers. Both are brought to the same
 * decimals: at most 12 of a value below 3840, at most 3 of one below 10^9, times 200: 63 bits
 * hold it.
 */
static int interpolate(const struct index_scheme *s, const struct index_column *c, unsigned i,
                       struct decimal x)
{
    const int e = x.e > c->scale ? x.e : c->scale;
    const int64_t unit = power_of_ten[e - c->scale];
    const int64_t above = x.v * power_of_ten[e - x.e] - c->lo[i] * unit;
    const int64_t num = (s->hi[i] - s->lo[i]) * above;
    const int64_t den = (c->hi[i] - c->lo[i]) * unit;

    if (s->is_up)
        return s->lo[i] + (int)((num + den - 1) / den);
    return s->lo[i] + (int)((2 * num + den) / (2 * den));
}

static struct index_sub without(enum index_cause cause, struct decimal rounded)
{
    return (struct index_sub){ INDEX_NONE, cause, rounded };
}

static struct index_sub place(const struct index_scheme *s, const struct index_column *c,
                              struct decimal x)
{
    const unsigned i = row_of(c, x);

    if (i == c->n && !c->is_extended)
        return c->beyond == INDEX_NONE ? without(INDEX_BEYOND, x)
                                       : (struct index_sub){ c->beyond, INDEX_OK, x };
    const unsigned row = i == c->n ? i - 1 : i;
    if (i == c->first && exact_compare(x, breakpoint(c, c->lo[i])) < 0)
        return without(INDEX_BELOW, x);
    if (s->lo[row] == s->hi[row])
        return (struct index_sub){ s->lo[row], INDEX_OK, x };
    return (struct index_sub){ interpolate(s, c, row, x), INDEX_OK, x };
}

struct index_sub index_sub(const struct index_scheme *s, const struct index_column *c,
                           struct decimal value, struct exact_ratio by)
{
    const struct decimal most = { CONCENTRATION_LIMIT, 0 };
    struct decimal x;

    const int rc =
        s->is_raw ? exact_value(value, by, &x) : exact_round(value, by, c->digits, s->mode, &x);
    if (rc < 0)
        return without(rc == -ENODATA ? INDEX_MISSING : INDEX_UNLIKELY, DECIMAL_MISSING);
    if (x.v < 0)
        return without(INDEX_NEGATIVE, x);
    if (exact_compare(x, most) >= 0)
        return without(INDEX_UNLIKELY, DECIMAL_MISSING);
    return place(s, c, x);
}

/* ---- a report ---- */

void index_inputs_clear(struct index_inputs *x)
{
    memset(x, 0, sizeof *x);
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        for (unsigned m = 0; m < INDEX_MEANS; m++)
            x->in[p][m].value = DECIMAL_MISSING;
}

bool index_accepts(struct verdict v)
{
    return v.grade < GRADE_BAD && v.status == STATUS_VALID;
}

static struct index_sub sub_of_input(const struct index_scheme *s, const struct index_column *c,
                                     const struct index_inputs *x)
{
    const struct index_input *in = &x->in[c->pollutant][c->mean];

    if (!index_accepts(in->verdict) &&
        (decimal_has_value(in->value) || in->verdict.status != STATUS_VALID))
        return without(INDEX_INVALID, DECIMAL_MISSING);
    if (!decimal_has_value(in->value))
        return without(INDEX_MISSING, DECIMAL_MISSING);
    const struct index_sub sub = index_sub(s, c, in->value, in->by);
    if (sub.cause != INDEX_NEGATIVE || !x->is_negative_zero)
        return sub;
    return index_sub(s, c, (struct decimal){ 0, 0 }, (struct exact_ratio){ 0 });
}

/* Where the column ends, the rules that say what counts then. */
static void pass_the_end(const struct index_scheme *s, const struct index_column *c,
                         const struct index_inputs *x, struct index_part *part)
{
    const struct index_column *day = index_column_find(s, c->pollutant, INDEX_24H);
    const struct index_sub sub =
        c->is_by_24h && day ? sub_of_input(s, day, x) : without(INDEX_BEYOND, part->rounded);

    if (sub.sub != INDEX_NONE) {
        part->mean = INDEX_24H;
        part->sub = sub.sub;
        part->rounded = sub.rounded;
        part->cause = INDEX_OK;
    } else if (c->least > 0) {
        part->sub = c->least;
        part->cause = INDEX_OK;
    }
}

static void judge_line(const struct index_scheme *s, const struct index_line *line,
                       const struct index_inputs *x, struct index_part *part)
{
    const struct index_column *c = index_column_find(s, line->pollutant, line->mean);
    const enum index_plan plan = x->plan[line->pollutant];
    const struct index_sub sub =
        c ? sub_of_input(s, c, x) : without(INDEX_NO_COLUMN, DECIMAL_MISSING);

    *part = (struct index_part){ .pollutant = line->pollutant,
                                 .mean = line->mean,
                                 .sub = sub.sub,
                                 .cause = sub.cause,
                                 .rounded = sub.rounded,
                                 .verdict = x->in[line->pollutant][line->mean].verdict };
    if (sub.cause == INDEX_BEYOND)
        pass_the_end(s, c, x, part);
    if ((sub.cause == INDEX_MISSING || sub.cause == INDEX_INVALID) && plan != INDEX_PLANNED)
        part->cause = INDEX_UNPLANNED;
    part->is_gap = part->sub == INDEX_NONE && part->cause != INDEX_BELOW &&
                   part->cause != INDEX_BEYOND && !line->is_optional &&
                   !(part->cause == INDEX_UNPLANNED && plan == INDEX_UNPLANNED_CLEAN);
}

static void name_pollutants(const struct index_scheme *s, struct index_result *r)
{
    for (unsigned i = 0; i < r->parts_n; i++) {
        struct index_part *p = &r->parts[i];
        p->is_primary =
            p->sub != INDEX_NONE && p->sub == r->largest && r->largest > s->primary_above;
        p->is_exceeding = s->exceeding_above != INDEX_NONE && p->sub > s->exceeding_above;
    }
}

void index_judge(const struct index_scheme *s, enum index_report report,
                 const struct index_inputs *x, struct index_result *ret)
{
    struct index_result r = { .largest = INDEX_NONE, .index = INDEX_NONE };
    bool has_gap = false;

    for (unsigned i = 0; i < s->lines_n[report]; i++) {
        const struct index_line *line = &s->lines[report][i];
        struct index_part *part = &r.parts[r.parts_n];
        judge_line(s, line, x, part);
        part->line = (uint8_t)i;
        if (line->is_optional && part->cause == INDEX_MISSING)
            continue;
        r.parts_n++;
        has_gap = has_gap || part->is_gap;
        r.largest = part->sub > r.largest ? part->sub : r.largest;
    }
    name_pollutants(s, &r);
    if (r.largest == INDEX_NONE)
        r.cause = INDEX_NOTHING;
    else if (s->is_withheld && has_gap && r.largest <= 100)
        r.cause = INDEX_INCOMPLETE;
    else
        r.index = r.largest;
    r.level = r.index == INDEX_NONE ? NULL : index_level_of(s, r.index);
    *ret = r;
}

const struct index_level *index_level_of(const struct index_scheme *s, int index)
{
    unsigned i = 0;

    while (i + 1 < s->levels_n && index > s->levels[i].to)
        i++;
    return &s->levels[i];
}
