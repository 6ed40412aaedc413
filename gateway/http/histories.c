/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/histories.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/history_job.h"
#include "gateway/live/live.h"

enum {
    LINE_ROWS_MAX = 45000, /* 31 days of 1-minute means */
    POINTS_DFLT = 700,
    POINTS_MAX = 5000,
};

struct line { /* one channel */
    const struct channel *channel;
    struct row *rows;
    size_t n, cap;
    int column; /* in `layout` of the reading; -1: it has none */
    bool is_cut, is_read;
};

struct many_reading {
    const struct log_access *access;
    struct line *lines;
    size_t lines_n;
    uint32_t stream, layout;
    bool has_layout, is_late, has_failed;
};

static bool is_here(const struct many_reading *g, const struct line *l)
{
    return l->channel->stream == g->stream;
}

static void take_layout(struct many_reading *g, uint32_t layout)
{
    char *dictionary = store_read_layout(g->access->reader, layout);

    for (size_t i = 0; i < g->lines_n; i++)
        if (is_here(g, &g->lines[i]))
            g->lines[i].column = history_column(dictionary, g->lines[i].channel->id);
    free(dictionary);
    g->layout = layout;
    g->has_layout = true;
}

/* Up to the last one that is asked for. */
static unsigned columns_wanted(void *user, uint32_t layout)
{
    struct many_reading *g = user;
    int last = -1;

    if (!g->has_layout || g->layout != layout)
        take_layout(g, layout);
    for (size_t i = 0; i < g->lines_n; i++)
        if (is_here(g, &g->lines[i]) && g->lines[i].column > last)
            last = g->lines[i].column;
    return (unsigned)(last + 1);
}

static bool grow(struct line *l)
{
    size_t cap = l->cap ? l->cap * 2 : 1024;
    struct row *rows = realloc(l->rows, cap * sizeof *rows);

    if (!rows)
        return false;
    l->rows = rows;
    l->cap = cap;
    return true;
}

static bool add_row(struct line *l, int64_t time_ms, const struct series_cell *c)
{
    if (l->n == LINE_ROWS_MAX) {
        l->is_cut = true;
        return true;
    }
    if (l->n == l->cap && !grow(l))
        return false;
    l->rows[l->n++] = (struct row){ .time_ms = time_ms,
                                    .value = series_value(c),
                                    .grade = verdict_from_flag(c->flag).grade };
    return true;
}

static bool take_row(void *user, int64_t time_ms, const struct series_cell *cells,
                     unsigned columns, uint32_t layout)
{
    struct many_reading *g = user;

    if (log_access_is_late(g->access)) {
        g->is_late = true;
        return false;
    }
    if (!g->has_layout || g->layout != layout)
        take_layout(g, layout);
    for (size_t i = 0; i < g->lines_n; i++) {
        struct line *l = &g->lines[i];
        if (!is_here(g, l) || l->column < 0 || (unsigned)l->column >= columns)
            continue;
        if (!add_row(l, time_ms, &cells[l->column])) {
            g->has_failed = true;
            return false;
        }
    }
    return true;
}

static int read_stream(struct many_reading *g, const struct history_job *job, uint32_t stream)
{
    g->stream = stream;
    g->has_layout = false;
    int rc = store_read_columns(g->access->reader, stream, job->from, job->to, columns_wanted,
                                take_row, g);
    for (size_t i = 0; i < g->lines_n; i++)
        g->lines[i].is_read |= is_here(g, &g->lines[i]);
    return g->has_failed ? -ENOMEM : g->is_late ? -ETIMEDOUT : rc;
}

static void put_lines(struct history_job *job, const struct many_reading *g)
{
    buf_puts(&job->out, "{\"histories\":[");
    for (size_t i = 0; i < g->lines_n; i++) {
        const struct line *l = &g->lines[i];
        buf_puts(&job->out, i ? "," : "");
        history_put(&job->out, &(struct history_rows){ .asked = l->channel,
                                                       .source = l->channel,
                                                       .rows = l->rows,
                                                       .n = l->n,
                                                       .is_cut = l->is_cut,
                                                       .from = job->from,
                                                       .to = job->to,
                                                       .points = job->points });
    }
    buf_puts(&job->out, "]}\n");
}

static unsigned answer_lines(struct history_job *job, struct log_access *a)
{
    const struct channel_table *t = live_channels(a->http->live);
    struct line lines[HISTORIES_MAX] = { 0 };
    struct many_reading g = { .access = a, .lines = lines, .lines_n = job->channels_n };
    int rc = 0;

    for (size_t i = 0; i < g.lines_n; i++)
        lines[i].channel = &t->channels[job->channels[i]];
    for (size_t i = 0; i < g.lines_n && rc == 0; i++)
        if (!lines[i].is_read)
            rc = read_stream(&g, job, lines[i].channel->stream);
    if (rc == 0)
        put_lines(job, &g);
    for (size_t i = 0; i < g.lines_n; i++)
        free(lines[i].rows);
    return rc < 0 ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK;
}

/* ---- requests ---- */

struct asking {
    const struct channel_table *table;
    uint32_t channels[HISTORIES_MAX];
    size_t n;
    bool is_wrong;
};

static enum MHD_Result take_parameter(void *cls, enum MHD_ValueKind kind, const char *key,
                                      const char *value)
{
    struct asking *a = cls;

    (void)kind;
    if (strcmp(key, "channel") != 0)
        return MHD_YES;
    if (a->n == HISTORIES_MAX || !channel_find(a->table, value, &a->channels[a->n])) {
        a->is_wrong = true;
        return MHD_NO;
    }
    a->n++;
    return MHD_YES;
}

static enum MHD_Result reply_lines(struct request *r)
{
    return reply_buf(r, MHD_HTTP_OK, "application/json", &r->job->out);
}

enum MHD_Result histories_serve(struct request *r)
{
    struct asking a = { .table = live_channels(r->http->live) };
    enum MHD_Result result;
    int64_t from, to, points;

    if (history_job_replies(r, &result))
        return result;
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, take_parameter, &a);
    if (a.is_wrong || a.n == 0 || !r->http->history)
        return reply_error(r, MHD_HTTP_NOT_FOUND,
                           "Name 1 to 32 channels, each as channel=ID; see /api/v1/now.");
    if (!parameter_span(r, &from, &to) ||
        !parameter_number(r, "points", 2, POINTS_MAX, POINTS_DFLT, &points))
        return reply_error(
            r, MHD_HTTP_BAD_REQUEST,
            "hours is a whole number of 1..8784, points one of 2..5000, from and "
            "to are Unix milliseconds.");
    struct history_job *job = history_job_create(r, PAGE_MAX);
    if (!job)
        return MHD_NO;
    job->answer = answer_lines;
    job->reply = reply_lines;
    memcpy(job->channels, a.channels, sizeof job->channels);
    job->channels_n = a.n;
    job->from = from;
    job->to = to;
    job->points = (unsigned)points;
    return history_job_submit(r);
}
