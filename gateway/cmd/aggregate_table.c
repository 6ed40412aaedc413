/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each column has a chain of accumulations: samples -> hour -> 8 h or day (-> largest 8 h of
 * the day), the same that the station has. Percentiles are read from the values themselves, so
 * that they are exact whatever their decimals.
 */
#include "gateway/cmd/aggregate_table.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/aggregate_write.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/csv_table.h"
#include "rules/agg/statistic.h"

#define HOUR_MS INT64_C(3600000)
#define END_MS  (INT64_MAX / 2) /* behind all times: csv_time_parse() */

enum { STAGES_MAX = 4, FROM_SAMPLES = -1 };

struct stage {
    struct agg_want want;
    struct agg_config config;
    struct agg_statistic s;
    void *extra;
    int64_t open_ms; /* running: the newest hour */
    bool is_open;
    int source; /* the stage that it is formed of; FROM_SAMPLES */
    bool is_last;
};

struct column {
    struct quantity quantity; /* by its name, or as the job says */
    struct stage stage[STAGES_MAX];
    unsigned stages;
    struct column *direction; /* of a wind speed: whose direction it weighs */
    int64_t period_ms;        /* the one that is open */
    bool is_open;
    double *levels; /* of that period */
    size_t levels_n, levels_cap;
    struct aggregate_line line; /* what is known of the period */
    bool has_line;
};

struct table {
    const struct aggregate_job *job;
    struct csv_table csv;
    struct column *column;
    size_t *order; /* of the rows by time; NULL: as they stand */
    int64_t interval_ms;
    struct aggregate_output out;
};

/* ---- columns ---- */

/* "ozone", or what stands behind the device in "roof/ozone" and before "@1min". */
static const struct quantity *quantity_of(const char *name)
{
    char text[CSV_NAME_MAX];
    const char *slash = strrchr(name, '/');

    snprintf(text, sizeof text, "%s", slash ? slash + 1 : name);
    text[strcspn(text, "@")] = '\0';
    return quantity_find(text);
}

static bool name_quantity(const struct table *t, unsigned i)
{
    const struct quantity *found = quantity_of(t->csv.names[i]);
    struct quantity *q = &t->column[i].quantity;

    if (!found && !t->job->has_how)
        return false;
    *q = found ? *found : (struct quantity){ .id = t->csv.names[i], .unit = "1" };
    if (t->job->has_how)
        q->agg = t->job->how;
    return true;
}

static size_t device_length(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? (size_t)(slash - name) : 0;
}

static bool is_beside(const char *a, const char *b)
{
    const size_t n = device_length(a);

    return n == device_length(b) && strncmp(a, b, n) == 0;
}

/* A direction has the speed of the same device beside it, if the table has one. */
static bool join_speed(struct table *t, unsigned direction)
{
    for (unsigned i = 0; i < t->csv.columns; i++) {
        struct column *c = &t->column[i];
        if (strcmp(c->quantity.id, "wind_speed") != 0 ||
            !is_beside(t->csv.names[i], t->csv.names[direction]))
            continue;
        c->direction = &t->column[direction];
        return true;
    }
    return false;
}

static int add_stage(struct table *t, struct column *c, struct agg_want w, enum agg_kind kind,
                     int source)
{
    struct stage *s = &c->stage[c->stages];
    const struct aggregate_job *job = t->job;
    const size_t size = agg_extra_size(kind);

    s->want = w;
    s->source = source;
    s->is_last = w.period == job->period;
    s->config = agg_config_for(&c->quantity, w, t->interval_ms, job->zone_ms, &job->settings);
    s->config.decimals = job->decimals;
    if (!isnan(job->valid_share)) {
        s->config.valid_share = job->valid_share;
        s->config.need = 0;
    }
    s->extra = size ? calloc(1, size) : NULL;
    if (size && !s->extra)
        return -ENOMEM;
    agg_statistic_init(&s->s, kind, &s->config, job->settings.night, s->extra);
    return (int)c->stages++;
}

/* Beside the mean, ozone has the largest 8 h mean of a day, sound has day and night. */
static int add_of_hours(struct table *t, struct column *c)
{
    const enum agg_period period = t->job->period;
    const int hour =
        add_stage(t, c, (struct agg_want){ AGG_1H, AGG_VALUE }, AGG_KIND_PLAIN, FROM_SAMPLES);
    const enum agg_kind kind = period == AGG_8H ? AGG_KIND_RUNNING : AGG_KIND_PLAIN;
    int rc = hour;

    if (rc >= 0)
        rc = add_stage(t, c, (struct agg_want){ period, AGG_VALUE }, kind, hour);
    if (period != AGG_DAY || rc < 0)
        return rc;
    if (c->quantity.agg == AGG_ENERGY)
        return add_stage(t, c, (struct agg_want){ AGG_DAY, AGG_FIGURE_LD }, AGG_KIND_DAYNIGHT,
                         hour);
    if (strcmp(c->quantity.id, "ozone") != 0 || c->quantity.agg != AGG_MEAN)
        return rc;
    rc = add_stage(t, c, (struct agg_want){ AGG_8H, AGG_VALUE }, AGG_KIND_RUNNING, hour);
    return rc < 0 ? rc
                  : add_stage(t, c, (struct agg_want){ AGG_DAY, AGG_FIGURE_MAX8H },
                              AGG_KIND_MAX8H, rc);
}

static int add_stages(struct table *t, unsigned i)
{
    struct column *c = &t->column[i];
    const enum agg_period period = t->job->period;
    const bool is_wind = strcmp(c->quantity.id, "wind_dir") == 0 && join_speed(t, i);

    if (agg_is_of_hours(&c->quantity, period, t->interval_ms))
        return add_of_hours(t, c);
    return add_stage(t, c, (struct agg_want){ period, AGG_VALUE },
                     is_wind ? AGG_KIND_WIND : AGG_KIND_PLAIN, FROM_SAMPLES);
}

static int configure(struct table *t)
{
    const int64_t found = csv_table_interval(&t->csv);

    if (found < 0)
        return (int)found;
    t->interval_ms = t->job->interval_ms ? t->job->interval_ms : found;
    if (t->interval_ms <= 0)
        t->interval_ms = agg_periods[t->job->period].ms;
    t->column = calloc(t->csv.columns, sizeof *t->column);
    if (!t->column)
        return -ENOMEM;
    for (unsigned i = 0; i < t->csv.columns; i++)
        if (!name_quantity(t, i))
            return csv_table_complain(&t->csv, i + 2,
                                      "expected a quantity, or --kind for any name",
                                      "应为要素名称，或用 --kind 指明统计方法", t->csv.names[i],
                                      strlen(t->csv.names[i]));
    int rc = 0;
    for (unsigned i = 0; rc >= 0 && i < t->csv.columns; i++)
        rc = add_stages(t, i);
    return rc < 0 ? rc : 0;
}

/* ---- forming ---- */

static void feed(struct table *t, struct column *c, unsigned at, const struct agg_input *in);

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A period of the output is one line, whichever stages tell of it. */
static void write_line(struct table *t, struct column *c)
{
    if (c->levels_n)
        qsort(c->levels, c->levels_n, sizeof *c->levels, compare);
    for (unsigned i = 0; i < t->job->percents_n; i++)
        c->line.percent[i] = levels_exceeded_of(c->levels, c->levels_n, t->job->percents[i]);
    c->levels_n = 0;
    if (c->has_line)
        aggregate_put(&t->out, &c->line);
    c->has_line = false;
}

static void note(struct table *t, struct column *c, enum agg_kind kind,
                 const struct agg_figures *f)
{
    if (!c->has_line)
        c->line = (struct aggregate_line){ .column = (unsigned)(c - t->column),
                                           .how = c->quantity.agg };
    c->has_line = true;
    if (kind == AGG_KIND_DAYNIGHT) {
        c->line.nights = *f;
        c->line.has_nights = true;
    } else if (kind == AGG_KIND_MAX8H) {
        c->line.max8h = f->main;
        c->line.has_max8h = true;
    } else {
        c->line.figures = *f;
        c->line.is_wind = kind == AGG_KIND_WIND;
    }
}

/* What a stage has formed goes on to those formed of it, as the station's rows do. */
static void pass_on(struct table *t, struct column *c, unsigned at, const struct agg_figures *f)
{
    const struct stage *s = &c->stage[at];
    const struct agg_value v = agg_figure_of(f, AGG_VALUE, s->config.decimals);
    const struct sample row = { f->main.start_ms, 0, v.value, v.verdict };

    if (s->is_last)
        note(t, c, s->s.kind, f);
    if (s->is_last && s->s.kind == AGG_KIND_RUNNING)
        write_line(t, c);
    for (unsigned i = at + 1; i < c->stages; i++) {
        if (c->stage[i].source != (int)at)
            continue;
        struct agg_input in =
            agg_input_of_period(&c->stage[i].config, &row, f->main.used, f->main.expected);
        if (c->stage[i].s.kind != AGG_KIND_MAX8H) { /* that is the largest of the means */
            in.lo = f->main.min;
            in.hi = f->main.max;
        }
        feed(t, c, i, &in);
    }
}

static void close_stage(struct table *t, struct column *c, unsigned at)
{
    struct stage *s = &c->stage[at];
    struct agg_figures f = { 0 };

    if (s->is_open && agg_statistic_close(&s->s, s->open_ms, END_MS, &f))
        pass_on(t, c, at, &f);
    s->is_open = false;
}

/* The eight hours that end with each hour up to this one; behind a gap of eight there are none.
 */
static void slide(struct table *t, struct column *c, unsigned at, int64_t hour_ms)
{
    struct stage *s = &c->stage[at];
    int64_t from_ms = s->is_open ? s->open_ms + HOUR_MS : hour_ms;

    for (; from_ms <= hour_ms; from_ms += HOUR_MS) {
        struct agg_figures f = { 0 };
        if (s->is_open && from_ms < hour_ms &&
            from_ms - s->open_ms >= AGG_RUNNING_HOURS * HOUR_MS)
            from_ms = hour_ms;
        if (agg_statistic_close(&s->s, from_ms - (AGG_RUNNING_HOURS - 1) * HOUR_MS, 0, &f))
            pass_on(t, c, at, &f);
    }
    s->open_ms = hour_ms;
    s->is_open = true;
}

/* Hours without any row are missing in the eight that end with a later one. */
static void feed(struct table *t, struct column *c, unsigned at, const struct agg_input *in)
{
    struct stage *s = &c->stage[at];
    const int64_t start_ms = agg_start_of(in->time_ms, s->config.period_ms, s->config.zone_ms);

    if (s->s.kind == AGG_KIND_RUNNING) {
        agg_statistic_put(&s->s, in);
        slide(t, c, at, in->time_ms);
        return;
    }
    if (s->is_open && start_ms != s->open_ms)
        close_stage(t, c, at);
    s->open_ms = start_ms;
    s->is_open = true;
    agg_statistic_put(&s->s, in);
}

static void finish(struct table *t, struct column *c)
{
    for (unsigned i = 0; i < c->stages; i++)
        if (c->stage[i].s.kind != AGG_KIND_RUNNING)
            close_stage(t, c, i);
    if (t->job->period != AGG_8H)
        write_line(t, c);
}

static int keep_level(struct column *c, double x)
{
    if (c->levels_n == c->levels_cap) {
        const size_t cap = c->levels_cap ? 2 * c->levels_cap : 4096;
        double *more = realloc(c->levels, cap * sizeof *more);
        if (!more)
            return -ENOMEM;
        c->levels = more;
        c->levels_cap = cap;
    }
    c->levels[c->levels_n++] = x;
    return 0;
}

/* The period of the output that a time lies in; sliding ones have no end of their own. */
static void enter(struct table *t, struct column *c, int64_t time_ms)
{
    const struct agg_period_info *p = &agg_periods[t->job->period];
    const int64_t start_ms = agg_start_of(time_ms, p->step_ms, t->job->zone_ms);

    if (c->is_open && start_ms != c->period_ms)
        finish(t, c);
    c->period_ms = start_ms;
    c->is_open = true;
}

static int take(struct table *t, unsigned i, size_t row)
{
    const struct series_cell *cell = &t->csv.cells[row * t->csv.columns + i];
    struct column *c = &t->column[i];
    const struct sample s = {
        .time_ms = t->csv.time_ms[row],
        .value = series_value(cell),
        .verdict = decimal_has_value(series_value(cell))
                       ? verdict_from_flag(cell->flag)
                       : verdict_merge(
                             verdict_from_flag(cell->flag),
                             (struct verdict){ STATUS_VALID, GRADE_MISSING, REASON_NO_VALUE })
    };
    const struct agg_input in = agg_input_of(&c->stage[0].config, &s);

    enter(t, c, s.time_ms);
    feed(t, c, 0, &in);
    if (c->direction && c->direction->stage[0].s.kind == AGG_KIND_WIND)
        agg_statistic_put_speed(&c->direction->stage[0].s, s.time_ms,
                                in.is_usable ? in.x : NAN);
    return in.is_usable && t->job->percents_n && c->quantity.agg == AGG_ENERGY
               ? keep_level(c, in.x)
               : 0;
}

/* ---- rows by time ---- */

struct place {
    int64_t time_ms;
    size_t row;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    const int by_time = (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);

    return by_time ? by_time : (x->row > y->row) - (x->row < y->row);
}

/* Late rows take their place; as many as there are, is told. */
static int put_in_order(struct table *t)
{
    size_t late = 0;

    for (size_t i = 1; i < t->csv.rows; i++)
        late += t->csv.time_ms[i] < t->csv.time_ms[i - 1];
    if (late == 0)
        return 0;
    struct place *places = malloc(t->csv.rows * sizeof *places);
    t->order = malloc(t->csv.rows * sizeof *t->order);
    if (!places || !t->order) {
        free(places);
        return -ENOMEM;
    }
    for (size_t i = 0; i < t->csv.rows; i++)
        places[i] = (struct place){ t->csv.time_ms[i], i };
    qsort(places, t->csv.rows, sizeof *places, compare_places);
    for (size_t i = 0; i < t->csv.rows; i++)
        t->order[i] = places[i].row;
    free(places);
    fprintf(stderr,
            say_zh() ? "sluice aggregate：%zu 行的时间早于前一行，已按时间排序。\n"
                     : "sluice aggregate: %zu rows were earlier than the one before; all are "
                       "taken by their time.\n",
            late);
    return 0;
}

/* Which figures there will be, for the heading. */
static void announce(struct table *t)
{
    for (unsigned i = 0; i < t->csv.columns; i++) {
        const struct column *c = &t->column[i];
        const enum agg_kind last = c->stage[c->stages - 1].s.kind;
        aggregate_expect(&t->out,
                         &(struct aggregate_line){ .column = i,
                                                   .how = c->quantity.agg,
                                                   .is_wind = last == AGG_KIND_WIND,
                                                   .has_nights = last == AGG_KIND_DAYNIGHT,
                                                   .has_max8h = last == AGG_KIND_MAX8H });
    }
}

static int form_all(struct table *t, FILE *out)
{
    announce(t);
    int rc = aggregate_begin(&t->out, t->job, &t->csv, out);

    for (size_t i = 0; rc == 0 && i < t->csv.rows; i++) {
        const size_t row = t->order ? t->order[i] : i;
        for (unsigned k = 0; rc == 0 && k < t->csv.columns; k++)
            rc = take(t, k, row);
        if (rc == 0)
            rc = aggregate_flush(&t->out);
    }
    for (unsigned k = 0; rc == 0 && k < t->csv.columns; k++)
        finish(t, &t->column[k]);
    return rc == 0 ? aggregate_end(&t->out) : rc;
}

static void free_columns(struct table *t)
{
    for (unsigned i = 0; t->column && i < t->csv.columns; i++) {
        for (unsigned k = 0; k < STAGES_MAX; k++)
            free(t->column[i].stage[k].extra);
        free(t->column[i].levels);
    }
    free(t->column);
}

int aggregate_table_run(const struct aggregate_job *job, FILE *in, FILE *out)
{
    struct table t = { .job = job, .csv = { .command = "aggregate", .in = in } };
    int rc = csv_table_read(&t.csv, job->names, job->names_n);

    if (rc == 0)
        rc = configure(&t);
    if (rc == 0)
        rc = put_in_order(&t);
    if (rc == 0)
        rc = form_all(&t, out);
    aggregate_output_done(&t.out);
    free_columns(&t);
    free(t.order);
    csv_table_done(&t.csv);
    return csv_table_exit_code(&t.csv, rc);
}
