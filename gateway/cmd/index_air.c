/* SPDX-License-Identifier: Apache-2.0 */
/* Indices of air: HJ 633, US EPA, EAQI. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/index_json.h"
#include "gateway/cmd/index_kind.h"
#include "sensors/core/words.h"

#define HOUR_MS INT64_C(3600000)

/* ---- set-up ---- */

static bool pollutant_named(const char *name, enum index_pollutant *ret)
{
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        if (strcmp(index_pollutant_id(p), name) == 0 ||
            strcmp(index_pollutant_quantity(p), name) == 0) {
            *ret = p;
            return true;
        }
    return false;
}

/* "co,so2" of an option. */
static int mark_plan(struct index_job *j, const char *list, enum index_plan plan)
{
    char name[INDEX_NAME_MAX];
    enum index_pollutant p;

    for (const char *at = list; at && *at; at += *at == ',') {
        const size_t n = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), at);
        if (!pollutant_named(name, &p)) {
            fprintf(stderr, "sluice index: '%s' is none of so2, no2, co, o3, pm10, pm2_5.\n",
                    name);
            return -EINVAL;
        }
        j->u.air.inputs.plan[p] = plan;
        at += n;
    }
    return 0;
}

static int begin(struct index_job *j)
{
    struct index_air *a = &j->u.air;

    a->scheme = index_find(j->o->standard);
    a->report = strcmp(j->o->report, "day") == 0 ? INDEX_DAY : INDEX_HOUR;
    if (a->scheme->lines_n[a->report] == 0) {
        fprintf(stderr,
                "sluice index: %s is an index of the hour, it has no report of a day.\n",
                a->scheme->standard);
        return -EINVAL;
    }
    index_inputs_clear(&a->inputs);
    a->inputs.is_negative_zero = j->o->is_negative_zero;
    if (mark_plan(j, j->o->unplanned, INDEX_UNPLANNED_OTHER) < 0)
        return -EINVAL;
    return mark_plan(j, j->o->clean, INDEX_UNPLANNED_CLEAN);
}

/* ---- columns ---- */

static bool bare_mean(const struct index_air *a, enum index_pollutant p, enum index_mean *ret)
{
    for (unsigned i = 0; i < a->scheme->lines_n[a->report]; i++) {
        const struct index_line *l = &a->scheme->lines[a->report][i];
        if (l->pollutant == p && l->is_bare) {
            *ret = l->mean;
            return true;
        }
    }
    return false;
}

static bool mean_named(const char *id, enum index_mean *ret)
{
    for (unsigned m = 0; m < INDEX_MEANS; m++)
        if (strcmp(index_mean_id(m), id) == 0) {
            *ret = m;
            return true;
        }
    return false;
}

/* What a column holds; false when the report has no use for it. */
static bool choose(const struct index_air *a, const struct index_heading *h,
                   struct index_air_column *c)
{
    const bool is_bare = h->mean[0] == '\0';

    if (!h->quantity || !pollutant_named(h->quantity->id, &c->pollutant))
        return false;
    if (is_bare ? !bare_mean(a, c->pollutant, &c->mean) : !mean_named(h->mean, &c->mean))
        return false;
    const bool is_particle = c->pollutant == INDEX_PM10 || c->pollutant == INDEX_PM2_5;
    if (a->scheme->is_nowcast && a->report == INDEX_HOUR && is_particle &&
        (is_bare || c->mean == INDEX_1H)) {
        c->is_hourly = true;
        c->mean = INDEX_24H;
    }
    for (unsigned i = 0; i < a->scheme->lines_n[a->report]; i++) {
        const struct index_line *l = &a->scheme->lines[a->report][i];
        const struct index_column *t = index_column_find(a->scheme, l->pollutant, l->mean);
        if (l->pollutant == c->pollutant &&
            (l->mean == c->mean || (t && t->is_by_24h && c->mean == INDEX_24H)))
            return true;
    }
    return false;
}

static enum index_bound bind(struct index_job *j, unsigned column)
{
    struct index_air *a = &j->u.air;
    struct index_air_column c = { .is_used = true };

    if (!choose(a, &j->columns[column], &c))
        return BOUND_NOT;
    for (unsigned i = 0; i < column; i++)
        if (a->columns[i].is_used && a->columns[i].pollutant == c.pollutant &&
            a->columns[i].mean == c.mean) {
            index_complain(j, "columns %s and %s are the same mean of %s", j->columns[i].name,
                           j->columns[column].name, index_pollutant_label(c.pollutant));
            return BOUND_WRONG;
        }
    const struct index_column *t = index_column_find(a->scheme, c.pollutant, c.mean);
    if (index_ratio(j, column, t->unit, a->scheme->molar_ml, &c.by) < 0)
        return BOUND_WRONG;
    a->columns[column] = c;
    return BOUND;
}

/* ---- rows ---- */

/* The hour enters; the NowCast stands in for the mean of 24 h. */
static void take_hour(struct index_air *a, const struct index_air_column *c, int64_t time_ms,
                      const struct sample *s)
{
    const struct index_column *t = index_column_find(a->scheme, c->pollutant, INDEX_24H);
    struct nowcast *n = &a->casts[c->pollutant == INDEX_PM10 ? 0 : 1];
    struct index_input *in = &a->inputs.in[c->pollutant][INDEX_24H];
    struct decimal value = DECIMAL_MISSING;
    double raw;

    if (index_is_usable(s))
        exact_value(s->value, c->by, &value);
    nowcast_put(n, time_ms / HOUR_MS - (time_ms % HOUR_MS < 0), value);
    *in = (struct index_input){ .value = DECIMAL_MISSING };
    index_nowcast(n->hours, t->digits, &raw, &in->value);
}

static void take_cells(struct index_job *j, const struct index_row *r)
{
    struct index_air *a = &j->u.air;

    for (unsigned i = 0; i < j->columns_n; i++) {
        const struct index_air_column *c = &a->columns[i];
        if (c->is_used && c->is_hourly)
            take_hour(a, c, r->time_ms, &r->cells[i]);
        else if (c->is_used)
            a->inputs.in[c->pollutant][c->mean] =
                (struct index_input){ r->cells[i].value, r->cells[i].verdict, c->by };
    }
}

static const char *lang_of(const struct index_job *j)
{
    return j->is_zh ? "zh" : "en";
}

/* "PM10", "O3 8h" where a report has two means of one. */
static void put_label(const struct index_air *a, const struct index_part *p, struct buf *b)
{
    unsigned means = 0;

    for (unsigned i = 0; i < a->scheme->lines_n[a->report]; i++)
        means += a->scheme->lines[a->report][i].pollutant == p->pollutant;
    buf_puts(b, index_pollutant_label(p->pollutant));
    if (means > 1)
        buf_printf(b, " %s", index_mean_id(p->mean));
}

static void put_names(const struct index_job *j, const struct index_result *r, bool is_primary,
                      const char *label, struct buf *b)
{
    const char *before = label;

    for (unsigned i = 0; i < r->parts_n; i++) {
        const struct index_part *p = &r->parts[i];
        if (!(is_primary ? p->is_primary : p->is_exceeding))
            continue;
        buf_puts(b, before);
        put_label(&j->u.air, p, b);
        before = j->is_zh ? "、" : ", ";
    }
}

/* ": calibration", or of a status that is valid the first reason. */
static void put_why(struct verdict v, const char *lang, struct buf *b)
{
    const uint32_t bit = v.reasons & -v.reasons;

    if (v.status != STATUS_VALID)
        buf_printf(b, ": %s", status_name(v.status, lang));
    else if (bit && reason_name(bit, lang))
        buf_printf(b, ": %s", reason_name(bit, lang));
}

static void put_part_text(const struct index_job *j, const struct index_part *p, struct buf *b)
{
    put_label(&j->u.air, p, b);
    if (p->sub != INDEX_NONE) {
        buf_printf(b, " %d", p->sub);
        return;
    }
    buf_printf(b, " %s%s%s", index_json_cell(p), j->is_zh ? "（" : " (",
               index_cause_text(p->cause, lang_of(j)));
    if (p->cause == INDEX_INVALID)
        put_why(p->verdict, lang_of(j), b);
    buf_puts(b, j->is_zh ? "）" : ")");
}

static void put_text(struct index_job *j, const struct index_result *r)
{
    const char *stop = j->is_zh ? "；" : "; ", *comma = j->is_zh ? "，" : ", ";
    struct buf *b = &j->out;

    if (r->level) {
        buf_printf(b, "%d%s%s%s%s%s%s", r->index, comma, j->is_zh ? r->level->zh : r->level->en,
                   comma, j->is_zh ? r->level->class_zh : r->level->class_en, comma,
                   j->is_zh ? r->level->colour_zh : r->level->colour_en);
        put_names(j, r, true, j->is_zh ? "；首要污染物 " : "; primary ", b);
        put_names(j, r, false, j->is_zh ? "；超标污染物 " : "; exceeding ", b);
    } else {
        buf_printf(b, j->is_zh ? "NA（%s）" : "NA (%s)",
                   index_cause_text(r->cause, lang_of(j)));
    }
    for (unsigned i = 0; i < r->parts_n; i++) {
        buf_puts(b, i == 0 ? stop : comma);
        put_part_text(j, &r->parts[i], b);
    }
    buf_puts(b, "\n");
}

/* ---- JSON ---- */

static void put_json(struct index_job *j, const struct index_result *r)
{
    const struct index_air *a = &j->u.air;
    struct index_json as = { .scheme = a->scheme, .report = a->report };

    for (unsigned i = 0; i < j->columns_n; i++)
        if (a->columns[i].is_used && a->columns[i].is_hourly)
            as.nowcasts |= 1u << a->columns[i].pollutant;
    index_json_result(&as, r, &j->out);
}

/* ---- CSV: the columns of the published tables ---- */

static void head(struct index_job *j)
{
    const struct index_air *a = &j->u.air;
    const struct index_line *lines = a->scheme->lines[a->report];

    buf_puts(&j->out, "time");
    for (unsigned i = 0; i < a->scheme->lines_n[a->report]; i++) {
        const char *id = index_pollutant_id(lines[i].pollutant);
        const char *mean = lines[i].is_bare ? "" : index_mean_id(lines[i].mean);
        const char *mark = *mean ? "_" : "";
        buf_printf(&j->out, ",%s%s%s,%s%s%s_iaqi", id, mark, mean, id, mark, mean);
    }
    buf_puts(&j->out, ",aqi,primary,level,class,colour\n");
}

static const struct index_part *part_of(const struct index_result *r, unsigned line)
{
    for (unsigned i = 0; i < r->parts_n; i++)
        if (r->parts[i].line == line)
            return &r->parts[i];
    return NULL;
}

static void put_part_csv(const struct index_part *p, struct buf *b)
{
    if (!p) {
        buf_puts(b, ",,");
        return;
    }
    buf_puts(b, ",");
    if (decimal_has_value(p->rounded))
        index_put_decimal(b, p->rounded);
    else
        buf_puts(b, index_json_cell(p));
    if (p->sub != INDEX_NONE)
        buf_printf(b, ",%d", p->sub);
    else
        buf_printf(b, ",%s", index_json_cell(p));
}

static void put_csv(struct index_job *j, const struct index_result *r)
{
    const struct index_air *a = &j->u.air;
    const struct index_level *l = r->level;
    struct buf *b = &j->out;
    const char *blank = "";

    for (unsigned i = 0; i < a->scheme->lines_n[a->report]; i++)
        put_part_csv(part_of(r, i), b);
    if (!l) {
        buf_puts(b, ",NA,NA,NA,NA,NA\n");
        return;
    }
    buf_printf(b, ",%d,", r->index);
    for (unsigned i = 0; i < r->parts_n; i++) {
        if (!r->parts[i].is_primary)
            continue;
        buf_puts(b, blank);
        buf_puts(b, index_pollutant_id(r->parts[i].pollutant));
        blank = " ";
    }
    buf_printf(b, ",%s,%s,%s\n", j->is_zh ? l->zh : l->en, j->is_zh ? l->class_zh : l->class_en,
               j->is_zh ? l->colour_zh : l->colour_en);
}

static int row(struct index_job *j, const struct index_row *r)
{
    struct index_air *a = &j->u.air;
    struct index_result result;

    take_cells(j, r);
    index_judge(a->scheme, a->report, &a->inputs, &result);
    index_row_begin(j, r, a->scheme->standard);
    if (j->format == FORMAT_JSON)
        put_json(j, &result);
    else if (j->format == FORMAT_CSV)
        put_csv(j, &result);
    else
        put_text(j, &result);
    return 0;
}

const struct index_kind index_kind_air = { begin, bind, head, row, NULL };
