/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/aggregate_write.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/words.h"

enum { OUT_MAX = 1 << 24 }; /* the lines of one row of the table: a gap of 8 h, 256 columns */

struct figure { /* a number beside the value, and where it is found */
    enum agg_figure id;
    bool (*has)(const struct aggregate_line *l);
};

static bool is_any(const struct aggregate_line *l)
{
    (void)l;
    return true;
}

static bool is_direction(const struct aggregate_line *l)
{
    return l->how == AGG_VECTOR;
}

static bool is_wind(const struct aggregate_line *l)
{
    return l->is_wind;
}

static bool is_counts(const struct aggregate_line *l)
{
    return l->how == AGG_COUNTS;
}

static bool has_nights(const struct aggregate_line *l)
{
    return l->has_nights;
}

static bool has_max8h(const struct aggregate_line *l)
{
    return l->has_max8h;
}

static const struct figure shown[] = {
    { AGG_FIGURE_MIN, is_any },           { AGG_FIGURE_MAX, is_any },
    { AGG_FIGURE_SIGMA, is_direction },   { AGG_FIGURE_VECTOR, is_wind },
    { AGG_FIGURE_VECTOR_SPEED, is_wind }, { AGG_FIGURE_U, is_counts },
    { AGG_FIGURE_LD, has_nights },        { AGG_FIGURE_LN, has_nights },
    { AGG_FIGURE_LDN, has_nights },       { AGG_FIGURE_MAX8H, has_max8h },
};
enum { SHOWN = sizeof shown / sizeof shown[0] };

/* Day, night and the largest 8 h are told only where they are valid. */
static struct decimal figure_of(const struct aggregate_output *o,
                                const struct aggregate_line *l, const struct figure *f)
{
    struct agg_value v;

    if (!f->has(l))
        return DECIMAL_MISSING;
    if (f->id == AGG_FIGURE_MAX8H)
        v = (struct agg_value){ l->max8h.value, l->max8h.verdict };
    else
        v = agg_figure_of(f->has == has_nights ? &l->nights : &l->figures, f->id,
                          o->job->decimals);
    const bool is_judged = f->has == has_nights || f->id == AGG_FIGURE_MAX8H;
    return is_judged && v.verdict.grade >= GRADE_BAD ? DECIMAL_MISSING : v.value;
}

static int64_t label_of(const struct aggregate_output *o, const struct aggregate_line *l)
{
    const int64_t start_ms = l->figures.main.start_ms;

    return o->job->is_end_labelled ? agg_end_label(start_ms, agg_periods[o->job->period].ms)
                                   : start_ms;
}

/* Zeros at the end say nothing here: the decimals are those of the computation. */
static struct decimal stripped(struct decimal d)
{
    while (d.e > 0 && d.v % 10 == 0) {
        d.v /= 10;
        d.e--;
    }
    return d;
}

static void put_number(struct buf *b, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];

    buf_put(b, text, decimal_print(stripped(d), text));
}

static void percent_name(double percent, char out[16])
{
    snprintf(out, 16, "l%g", percent);
}

static bool shows_percents(const struct aggregate_output *o, const struct aggregate_line *l)
{
    return o->job->percents_n > 0 && l->how == AGG_ENERGY;
}

/* ---- CSV, a line a period and column ---- */

static void put_csv_heading(struct aggregate_output *o)
{
    buf_puts(&o->text, "time,channel,value,status,grade,reasons,n,expected");
    for (int i = 0; i < SHOWN; i++)
        if (o->shows[shown[i].id])
            buf_printf(&o->text, ",%s", agg_figure_id(shown[i].id));
    for (unsigned i = 0; o->shows_percents && i < o->job->percents_n; i++) {
        char name[16];
        percent_name(o->job->percents[i], name);
        buf_printf(&o->text, ",%s", name);
    }
    buf_puts(&o->text, "\n");
}

static void put_csv(struct aggregate_output *o, const struct aggregate_line *l)
{
    const struct agg_result *r = &l->figures.main;
    struct buf *b = &o->text;

    csv_time_print(&o->form, label_of(o, l), b);
    buf_printf(b, ",%s,", o->csv->names[l->column]);
    put_number(b, r->value);
    buf_printf(b, ",%s,%s,", status_id(r->verdict.status), grade_id(r->verdict.grade));
    put_reason_ids(b, r->verdict.reasons, "", " ");
    buf_printf(b, ",%u,%u", r->used, r->expected);
    for (int i = 0; i < SHOWN; i++) {
        if (!o->shows[shown[i].id])
            continue;
        buf_puts(b, ",");
        put_number(b, figure_of(o, l, &shown[i]));
    }
    for (unsigned i = 0; o->shows_percents && i < o->job->percents_n; i++) {
        buf_puts(b, ",");
        if (shows_percents(o, l))
            put_number(b, agg_round(l->percent[i], o->job->decimals));
    }
    buf_puts(b, "\n");
}

/* ---- JSON, an object a line ---- */

static void put_member(struct buf *b, const char *name, struct decimal d)
{
    buf_printf(b, ",\"%s\":", name);
    if (decimal_has_value(d))
        put_number(b, d);
    else
        buf_puts(b, "null");
}

static void put_json(struct aggregate_output *o, const struct aggregate_line *l)
{
    static const struct csv_form iso = { .times = CSV_ISO };
    const struct agg_result *r = &l->figures.main;
    struct buf *b = &o->text;

    buf_puts(b, "{\"time\":\"");
    csv_time_print(&iso, label_of(o, l), b);
    buf_puts(b, "\",\"channel\":");
    buf_json(b, o->csv->names[l->column]);
    buf_printf(b, ",\"period\":\"%s\"", agg_periods[o->job->period].id);
    put_member(b, "value", r->value);
    buf_printf(b, ",\"status\":\"%s\",\"grade\":\"%s\",\"reasons\":[",
               status_id(r->verdict.status), grade_id(r->verdict.grade));
    put_reason_ids(b, r->verdict.reasons, "\"", ",");
    buf_printf(b, "],\"n\":%u,\"expected\":%u", r->used, r->expected);
    for (int i = 0; i < SHOWN; i++)
        if (shown[i].has(l))
            put_member(b, agg_figure_id(shown[i].id), figure_of(o, l, &shown[i]));
    for (unsigned i = 0; shows_percents(o, l) && i < o->job->percents_n; i++) {
        char name[16];
        percent_name(o->job->percents[i], name);
        put_member(b, name, agg_round(l->percent[i], o->job->decimals));
    }
    buf_puts(b, "}\n");
}

/* ---- one wide table, as sluice series and sluice index read them ---- */

static void put_wide_heading(struct aggregate_output *o)
{
    buf_puts(&o->text, "time");
    for (unsigned i = 0; i < o->csv->columns; i++)
        buf_printf(&o->text, ",%s@%s", o->csv->names[i],
                   o->is_max8h[i] ? agg_periods[AGG_8H].id : agg_periods[o->job->period].id);
    buf_puts(&o->text, "\n");
}

/* The lines of one time, n of them, by column. */
static void put_wide(struct aggregate_output *o, const struct aggregate_line *l, size_t n)
{
    size_t at = 0;

    csv_time_print(&o->form, label_of(o, l), &o->text);
    for (unsigned i = 0; i < o->csv->columns; i++) {
        buf_puts(&o->text, ",");
        if (at == n || l[at].column != i)
            continue;
        const struct agg_result *r = l[at].has_max8h ? &l[at].max8h : &l[at].figures.main;
        const struct series_cell c =
            series_cell_of(stripped(r->value), verdict_to_flag(r->verdict));
        csv_cell_print(&c, false, &o->text);
        at++;
    }
    buf_puts(&o->text, "\n");
}

/* ---- lines in their order ---- */

static int compare(const void *a, const void *b)
{
    const struct aggregate_line *x = a, *y = b;
    const int64_t s = x->figures.main.start_ms, t = y->figures.main.start_ms;

    return s != t ? (s > t) - (s < t) : (x->column > y->column) - (x->column < y->column);
}

void aggregate_put(struct aggregate_output *o, const struct aggregate_line *line)
{
    if (o->n == o->cap) {
        const size_t cap = o->cap ? 2 * o->cap : 16;
        struct aggregate_line *more = realloc(o->lines, cap * sizeof *more);
        if (!more) {
            o->has_failed = true;
            return;
        }
        o->lines = more;
        o->cap = cap;
    }
    o->lines[o->n++] = *line;
}

static size_t same_time(const struct aggregate_output *o, size_t from)
{
    size_t n = 1;

    while (from + n < o->n &&
           o->lines[from + n].figures.main.start_ms == o->lines[from].figures.main.start_ms)
        n++;
    return n;
}

static int write_text(struct aggregate_output *o)
{
    struct buf *b = &o->text;

    if (o->has_failed || b->has_failed)
        return -ENOMEM;
    const bool is_ok = b->size == 0 || fwrite(b->data, 1, b->size, o->out) == b->size;
    buf_clear(b);
    return is_ok ? 0 : -EIO;
}

int aggregate_flush(struct aggregate_output *o)
{
    if (o->n == 0)
        return 0;
    qsort(o->lines, o->n, sizeof *o->lines, compare);
    for (size_t i = 0; i < o->n;) {
        const size_t n = o->job->form == AGGREGATE_WIDE ? same_time(o, i) : 1;
        if (o->job->form == AGGREGATE_WIDE)
            put_wide(o, &o->lines[i], n);
        else if (o->job->form == AGGREGATE_JSON)
            put_json(o, &o->lines[i]);
        else
            put_csv(o, &o->lines[i]);
        i += n;
    }
    o->n = 0;
    return write_text(o);
}

void aggregate_expect(struct aggregate_output *o, const struct aggregate_line *line)
{
    for (int i = 0; i < SHOWN; i++)
        o->shows[shown[i].id] |= shown[i].has(line);
    o->shows_percents |= line->how == AGG_ENERGY;
    o->is_max8h[line->column] = line->has_max8h;
}

int aggregate_begin(struct aggregate_output *o, const struct aggregate_job *job,
                    const struct csv_table *csv, FILE *out)
{
    o->job = job;
    o->csv = csv;
    o->out = out;
    o->form = csv->form;
    o->text = BUF_INIT(OUT_MAX);
    if (job->form == AGGREGATE_CSV)
        put_csv_heading(o);
    if (job->form == AGGREGATE_WIDE)
        put_wide_heading(o);
    return write_text(o);
}

int aggregate_end(struct aggregate_output *o)
{
    const int rc = aggregate_flush(o);

    return rc == 0 && fflush(o->out) != 0 ? -EIO : rc;
}

void aggregate_output_done(struct aggregate_output *o)
{
    buf_done(&o->text);
    free(o->lines);
}
