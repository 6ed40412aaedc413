/* SPDX-License-Identifier: Apache-2.0 */
/* Ambient air against the limits of GB 3095-2026, row by row or a year at a time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/index_kind.h"

#define STANDARD "GB 3095-2026"
#define DAY_MS   INT64_C(86400000)

static int begin(struct index_job *j)
{
    struct index_limits *l = &j->u.limits;
    struct gb3095_date d;

    if (!j->o->as_of)
        return 0;
    if (sscanf(j->o->as_of, "%4d-%2d-%2d", &d.year, &d.month, &d.day) != 3 ||
        !gb3095_is_in_force(d) || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31) {
        fprintf(stderr, "sluice index: --as-of is a day from 2026-03-01 on, not '%s'.\n",
                j->o->as_of);
        return -EINVAL;
    }
    l->as_of = d;
    l->has_as_of = true;
    return 0;
}

/* Metals in air are no quantities; their names are those of metals in water. */
static const struct gb3095_limit *find(const struct index_heading *h, enum gb3095_mean mean)
{
    const struct gb3095_limit *l = gb3095_find(h->base, mean);

    return l || !h->quantity ? l : gb3095_find(h->quantity->id, mean);
}

static const struct gb3095_limit *limit_of(const struct index_job *j,
                                           const struct index_heading *h)
{
    const bool is_day = strcmp(j->o->report, "day") == 0 || j->o->is_annual;

    if (h->mean[0] == '\0') {
        const struct gb3095_limit *l = find(h, is_day ? GB3095_DAY : GB3095_1H);
        return l || !is_day ? l : find(h, GB3095_8H);
    }
    for (unsigned m = 0; m < GB3095_MEANS; m++)
        if (strcmp(gb3095_mean_id(m), h->mean) == 0)
            return find(h, m);
    return NULL;
}

static enum index_bound bind(struct index_job *j, unsigned column)
{
    struct index_limits *l = &j->u.limits;
    const struct gb3095_limit *limit = limit_of(j, &j->columns[column]);

    if (!limit || (j->o->is_annual && limit->mean != GB3095_DAY && limit->mean != GB3095_8H))
        return BOUND_NOT;
    for (unsigned i = 0; i < column; i++)
        if (l->columns[i].limit == limit) {
            index_complain(j, "columns %s and %s are the same mean", j->columns[i].name,
                           j->columns[column].name);
            return BOUND_WRONG;
        }
    if (!limit->quantity)
        j->columns[column].quantity = NULL;
    if (index_ratio(j, column, limit->unit, MOLAR_ML_298_K, &l->columns[column].by) < 0)
        return BOUND_WRONG;
    l->columns[column].limit = limit;
    return BOUND;
}

/* ---- a row ---- */

static void put_verdict(struct index_job *j, const struct gb3095_limit *limit, const char *what,
                        const struct gb3095_verdict *v)
{
    struct buf *b = &j->out;

    if (j->format == FORMAT_JSON) {
        buf_printf(b, "{\"item\":\"%s\",\"mean\":\"%s\"", limit->item, what);
        index_json_decimal(b, "concentration", v->rounded);
        index_json_decimal(b, "limit", v->limit);
        buf_printf(b, ",\"unit\":\"%s\",\"is_exceeded\":%s", limit->unit,
                   v->is_exceeded ? "true" : "false");
        index_json_decimal(b, "times_over", v->times_over);
        buf_puts(b, "}");
        return;
    }
    buf_printf(b, "%s ", what);
    index_put_decimal(b, v->rounded);
    buf_puts(b, v->is_exceeded ? " > " : " <= ");
    index_put_decimal(b, v->limit);
    if (v->is_exceeded) {
        buf_puts(b, j->is_zh ? "（超标 " : " (over by ");
        index_put_decimal(b, v->times_over);
        buf_puts(b, j->is_zh ? " 倍）" : " times the limit)");
    }
}

static void put_labelled(struct index_job *j, const struct gb3095_limit *limit,
                         const char *what, const struct gb3095_verdict *v)
{
    if (j->format != FORMAT_JSON)
        buf_printf(&j->out, "%s ", limit->label);
    put_verdict(j, limit, what, v);
}

static void put_missing(struct index_job *j, const struct gb3095_limit *limit, const char *what)
{
    if (j->format == FORMAT_JSON)
        buf_printf(&j->out,
                   "{\"item\":\"%s\",\"mean\":\"%s\",\"concentration\":null,"
                   "\"is_exceeded\":null,\"reason\":\"missing\"}",
                   limit->item, what);
    else
        buf_printf(&j->out, "%s %s NA", limit->label, what);
}

static const char *phase_of(const struct index_job *j, struct gb3095_date d)
{
    if (j->format == FORMAT_JSON)
        return d.year <= 2030 ? "transition" : "final";
    if (j->is_zh)
        return d.year <= 2030 ? "过渡期限值" : "限值";
    return d.year <= 2030 ? "transition limits" : "final limits";
}

static void begin_list(struct index_job *j, struct gb3095_date d)
{
    const int grade = (int)j->o->grade;

    if (j->format == FORMAT_JSON)
        buf_printf(&j->out, ",\"grade\":%d,\"limits\":\"%s\",\"items\":[", grade,
                   phase_of(j, d));
    else if (j->is_zh)
        buf_printf(&j->out, "%s级%s；", grade == 1 ? "一" : "二", phase_of(j, d));
    else
        buf_printf(&j->out, "grade %d, %s; ", grade, phase_of(j, d));
}

static void end_list(struct index_job *j)
{
    buf_puts(&j->out, j->format == FORMAT_JSON ? "]}\n" : "\n");
}

static const char *between(const struct index_job *j)
{
    return j->format == FORMAT_JSON ? "," : j->is_zh ? "，" : ", ";
}

static void put_not_in_force(struct index_job *j)
{
    if (j->format == FORMAT_JSON)
        buf_puts(&j->out, ",\"items\":null,\"reason\":\"not_in_force\"}\n");
    else
        buf_puts(&j->out, j->is_zh ? "NA（" STANDARD " 自2026-03-01起实施）\n"
                                   : "NA (" STANDARD
                                     " is in force from 2026-03-01; see --as-of)\n");
}

static void put_row(struct index_job *j, const struct index_row *r, struct gb3095_date d)
{
    struct index_limits *l = &j->u.limits;
    const char *comma = "";

    begin_list(j, d);
    for (unsigned i = 0; i < j->columns_n; i++) {
        const struct gb3095_limit *limit = l->columns[i].limit;
        struct gb3095_verdict v;
        if (!limit)
            continue;
        buf_puts(&j->out, comma);
        comma = between(j);
        const char *mean = gb3095_mean_id(limit->mean);
        if (index_is_usable(&r->cells[i]) &&
            gb3095_judge(limit, (int)j->o->grade, d, r->cells[i].value, l->columns[i].by, &v) ==
                0)
            put_labelled(j, limit, mean, &v);
        else
            put_missing(j, limit, mean);
    }
    end_list(j);
}

/* ---- a year ---- */

static void put_year_facts(struct index_job *j, const struct gb3095_limit *limit,
                           const struct gb3095_year *y)
{
    struct buf *b = &j->out;

    if (j->format == FORMAT_JSON) {
        buf_printf(b, "{\"item\":\"%s\",\"days\":%d,\"days_kept\":%d,\"is_complete\":%s",
                   limit->item, y->days, y->days_kept, y->is_complete ? "true" : "false");
        index_json_decimal(b, "kept_pct", y->kept_pct);
        index_json_decimal(b, "mean", y->mean);
        index_json_decimal(b, "mean_limit", y->of_mean.limit);
        buf_printf(b, ",\"percentile_rank\":%d", limit->percentile);
        index_json_decimal(b, "percentile", y->percentile);
        index_json_decimal(b, "percentile_limit", y->of_percentile.limit);
        buf_printf(b, ",\"is_exceeded\":%s}",
                   y->of_mean.is_exceeded || y->of_percentile.is_exceeded ? "true" : "false");
        return;
    }
    buf_printf(b, j->is_zh ? "%s：%d 天有效%s，达标 %d 天（" : "%s: %d days%s, %d kept (",
               limit->label, y->days,
               y->is_complete ? ""
               : j->is_zh     ? "（不满足年评价有效性）"
                              : " (too few for a year)",
               y->days_kept);
    index_put_decimal(b, y->kept_pct);
    buf_puts(b, j->is_zh ? " %）" : " %)");
    if (decimal_has_value(y->of_mean.limit)) {
        buf_puts(b, between(j));
        put_verdict(j, limit, j->is_zh ? "年均值" : "mean", &y->of_mean);
    }
    if (decimal_has_value(y->of_percentile.limit)) {
        buf_printf(b, "%s", between(j));
        char what[32];
        snprintf(what, sizeof what, j->is_zh ? "第%d百分位数" : "%dth percentile",
                 limit->percentile);
        put_verdict(j, limit, what, &y->of_percentile);
    }
}

static void put_year(struct index_job *j)
{
    struct index_limits *l = &j->u.limits;
    const struct gb3095_date d =
        l->has_as_of ? l->as_of : (struct gb3095_date){ l->year, 12, 31 };
    const char *comma = "";

    if (j->format == FORMAT_JSON)
        buf_printf(&j->out, "{\"year\":%d,\"standard\":\"" STANDARD "\"", l->year);
    else
        buf_printf(&j->out, "%d  ", l->year);
    if (!gb3095_is_in_force(d)) {
        put_not_in_force(j);
        return;
    }
    begin_list(j, d);
    for (unsigned i = 0; i < j->columns_n; i++) {
        struct index_limits_column *c = &l->columns[i];
        struct gb3095_year y;
        if (!c->limit)
            continue;
        buf_puts(&j->out, comma);
        if (gb3095_year(c->limit, (int)j->o->grade, d.year, c->days, c->days_n, &y) == 0 &&
            y.days > 0)
            put_year_facts(j, c->limit, &y);
        else
            put_missing(j, c->limit, "year");
        comma = j->format == FORMAT_JSON ? "," : j->is_zh ? "；" : "; ";
        c->days_n = 0;
    }
    end_list(j);
}

static int take_day(struct index_job *j, const struct index_row *r, struct gb3095_date d)
{
    struct index_limits *l = &j->u.limits;
    const int64_t number = r->local_ms / DAY_MS - (r->local_ms % DAY_MS < 0);

    if (l->year != 0 && l->day == number)
        return index_complain(j, "a second row of the same day: --annual reads day means");
    l->day = number;
    if (l->year != 0 && l->year != d.year)
        put_year(j);
    l->year = d.year;
    for (unsigned i = 0; i < j->columns_n; i++) {
        struct index_limits_column *c = &l->columns[i];
        struct gb3095_day day = { d.month, DECIMAL_MISSING };
        if (!c->limit || !index_is_usable(&r->cells[i]) || c->days_n == GB3095_DAYS_MAX)
            continue;
        exact_value(r->cells[i].value, c->by, &day.value);
        c->days[c->days_n++] = day;
    }
    return 0;
}

static int row(struct index_job *j, const struct index_row *r)
{
    const struct index_limits *l = &j->u.limits;
    const struct gb3095_date own = index_date_of(r->local_ms);
    const struct gb3095_date d = l->has_as_of ? l->as_of : own;

    if (j->o->is_annual)
        return take_day(j, r, own);
    index_row_begin(j, r, STANDARD);
    if (gb3095_is_in_force(d))
        put_row(j, r, d);
    else
        put_not_in_force(j);
    return 0;
}

static void end(struct index_job *j)
{
    if (j->o->is_annual && j->u.limits.year != 0)
        put_year(j);
}

const struct index_kind index_kind_limits = { begin, bind, NULL, row, end };
