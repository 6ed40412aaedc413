/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/history.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/queue.h"
#include "gateway/http/bucket.h"
#include "gateway/http/history_job.h"
#include "gateway/live/live_json.h"
#include "sensors/core/unit.h"

enum {
    JOBS_WAITING_MAX = 32, /* beyond, clients are told to come back */
    HOURS_MAX = 24 * 366,
    POINTS_MAX = 5000,
    ROWS_MAX = 20000,    /* read for one answer: 24 h at 5 s */
    READ_PER_POINT = 32, /* more readings to a point drawn are not worth reading */
    READ_MAX_MS = 2000,  /* a reader that stays longer lets the log's WAL grow */
    LAYOUTS_KNOWN = 8,   /* of one answer: configurations in force during its span */
};

#define HOUR_MS     (3600 * 1000LL)
#define TIME_MAX_MS (INT64_C(1) << 50) /* as in the series format */

struct history {
    struct http *http;
    struct queue *jobs;
    pthread_t thread;
    bool is_running;
    atomic_bool is_stopping;
};

/* ---- reading, on the history thread ---- */

struct reading_state {
    struct log_access access; /* first: a job's answer gets it */
    const struct channel *channel;
    struct row *rows; /* ROWS_MAX */
    size_t n;
    bool is_too_much, is_late;
    struct {
        uint32_t layout;
        int column; /* -1: this layout lacks the channel */
    } known[LAYOUTS_KNOWN];
    size_t known_n;
};

int history_column(const char *dictionary, const char *id)
{
    json_t *root = dictionary ? json_loads(dictionary, 0, NULL) : NULL;
    json_t *channels = json_object_get(root, "channels");
    int column = -1;
    size_t i;
    json_t *c;

    json_array_foreach(channels, i, c)
    {
        const char *have = json_string_value(json_object_get(c, "id"));
        if (have && strcmp(have, id) == 0)
            column = (int)i;
    }
    json_decref(root);
    return column;
}

/* The configuration may have changed within the span, so each layout is asked where the channel
 * is. */
static int column_of(struct reading_state *st, uint32_t layout)
{
    for (size_t i = 0; i < st->known_n; i++)
        if (st->known[i].layout == layout)
            return st->known[i].column;
    char *dictionary = store_read_layout(st->access.reader, layout);
    int column = history_column(dictionary, st->channel->id);
    free(dictionary);
    size_t at = st->known_n < LAYOUTS_KNOWN ? st->known_n++ : LAYOUTS_KNOWN - 1;
    st->known[at].layout = layout;
    st->known[at].column = column;
    return column;
}

static unsigned columns_wanted(void *user, uint32_t layout)
{
    return (unsigned)(column_of(user, layout) + 1);
}

bool log_access_is_late(const struct log_access *a)
{
    return atomic_load(a->is_stopping) || mono_ms() > a->deadline_ms;
}

static bool take_row(void *user, int64_t time_ms, const struct series_cell *cells,
                     unsigned columns, uint32_t layout)
{
    struct reading_state *st = user;
    int column = column_of(st, layout);

    if (log_access_is_late(&st->access)) {
        st->is_late = true;
        return false;
    }
    if (column < 0 || (unsigned)column >= columns)
        return true;
    if (st->n == ROWS_MAX) {
        st->is_too_much = true;
        return false;
    }
    const struct series_cell *c = &cells[column];
    st->rows[st->n++] = (struct row){ .time_ms = time_ms,
                                      .value = series_value(c),
                                      .grade = verdict_from_flag(c->flag).grade };
    return true;
}

static int read_channel(struct reading_state *st, const struct history_job *job,
                        const struct channel *c)
{
    st->channel = c;
    st->n = st->known_n = 0;
    st->is_too_much = false;
    int err = store_read_columns(st->access.reader, c->stream, job->from, job->to,
                                 columns_wanted, take_row, st);
    return st->is_late ? -ETIMEDOUT : err;
}

static const struct channel *statistic_of(const struct channel_table *t, uint32_t channel,
                                          const char *statistic)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct channel *c = &t->channels[i];
        if (c->statistic && c->source == channel && strcmp(c->statistic, statistic) == 0)
            return c;
    }
    return NULL;
}

/* A small line over a long span needs no reading of its own: the 1-minute means do, once there
 * are enough of them. */
static bool is_served_by_means(struct reading_state *st, const struct history_job *job)
{
    const struct channel_table *t = live_channels(st->access.http->live);
    const struct channel *asked = &t->channels[job->channel];
    const struct channel *means = statistic_of(t, job->channel, "1min");
    int64_t expected = (job->to - job->from) / (asked->period_ms > 0 ? asked->period_ms : 1);

    if (!means || job->points == 0 || expected <= (int64_t)job->points * READ_PER_POINT)
        return false;
    return read_channel(st, job, means) == 0 && !st->is_too_much && st->n >= job->points / 3;
}

/* The finest series of the channel whose rows in the span can be read. */
static int read_best(struct reading_state *st, const struct history_job *job)
{
    static const char *const coarser[] = { "1min", "1h" };
    const struct channel_table *t = live_channels(st->access.http->live);

    if (is_served_by_means(st, job))
        return 0;
    int err = read_channel(st, job, &t->channels[job->channel]);

    for (size_t i = 0; !err && st->is_too_much && i < sizeof coarser / sizeof *coarser; i++) {
        const struct channel *c = statistic_of(t, job->channel, coarser[i]);
        if (c)
            err = read_channel(st, job, c);
    }
    return err;
}

void history_put(struct buf *b, const struct history_rows *h)
{
    const struct channel *asked = h->asked, *source = h->source;
    const struct unit *unit = unit_find_ucum(asked->quantity->unit);
    size_t n = source ? h->n : 0;
    bool is_thin = h->points && n > h->points;
    int64_t first =
        n ? h->rows[0].time_ms : h->from; /* a young log's rows fill the line, too */
    int64_t end = n ? h->rows[n - 1].time_ms + 1 : h->to;

    buf_puts(b, "{\"channel\":");
    buf_json(b, asked->id);
    buf_puts(b, ",\"source\":");
    buf_json(b, source ? source->id : NULL);
    buf_puts(b, ",\"statistic\":");
    buf_json(b, source ? source->statistic : NULL);
    buf_puts(b, ",\"unit\":");
    buf_json(b, unit && unit->display ? unit->display : asked->quantity->unit);
    int64_t period = source ? source->period_ms : asked->period_ms;
    if (is_thin && (end - first) / h->points > period)
        period = (end - first) / h->points;
    buf_printf(b,
               ",\"from_ms\":%lld,\"to_ms\":%lld,\"period_ms\":%lld,\"is_cut\":%s,"
               "\"columns\":[%s],\"rows\":[",
               (long long)h->from, (long long)h->to, (long long)period,
               source && h->is_cut ? "true" : "false",
               is_thin ? "\"ms\",\"mean\",\"min\",\"max\",\"grade\""
                       : "\"ms\",\"value\",\"grade\"");
    if (is_thin)
        buckets_put(b, h->rows, n, first, end, h->points, asked->quantity->decimals + 1);
    else if (n)
        rows_put(b, h->rows, n);
    buf_puts(b, "]}\n");
}

static void put_answer(struct history_job *job, const struct channel *asked,
                       const struct reading_state *st)
{
    history_put(&job->out, &(struct history_rows){ .asked = asked,
                                                   .source = st ? st->channel : NULL,
                                                   .rows = st ? st->rows : NULL,
                                                   .n = st ? st->n : 0,
                                                   .is_cut = st && st->is_too_much,
                                                   .from = job->from,
                                                   .to = job->to,
                                                   .points = job->points });
}

static unsigned answer_rows(struct history_job *job, struct log_access *a)
{
    struct reading_state *st = (struct reading_state *)(void *)a;
    const struct channel_table *t = live_channels(a->http->live);

    st->is_late = false;
    int err = read_best(st, job);
    if (err)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    put_answer(job, &t->channels[job->channel], st);
    return MHD_HTTP_OK;
}

static void finish(struct history_job *job)
{
    struct MHD_Connection *connection = job->connection;

    atomic_store(&job->is_done, true); /* from here on the job is the other thread's */
    MHD_resume_connection(connection);
}

static void *history_main(void *user)
{
    struct history *s = user;
    struct reading_state st = { .access = { .http = s->http, .is_stopping = &s->is_stopping } };
    struct history_job *job;

    int err = store_reader_open(s->http->store, &st.access.reader);
    if (err)
        log_warning("the page shows no history: the log does not open for reading err=%s",
                    strerror(-err));
    st.rows = calloc(ROWS_MAX, sizeof *st.rows);
    while (queue_pop(s->jobs, &job, -1)) {
        job->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        st.access.deadline_ms = mono_ms() + READ_MAX_MS;
        if (st.rows && st.access.reader && !atomic_load(&s->is_stopping))
            job->status = job->answer(job, &st.access);
        finish(job);
    }
    free(st.rows);
    if (!err)
        store_reader_close(st.access.reader);
    return NULL;
}

/* ---- requests, on libmicrohttpd's thread ---- */

int history_create(struct http *h, struct history **ret)
{
    struct history *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->http = h;
    int err = queue_create(sizeof(struct history_job *), JOBS_WAITING_MAX, &s->jobs);
    if (!err)
        err = -pthread_create(&s->thread, NULL, history_main, s);
    s->is_running = !err;
    if (err) {
        history_destroy(s);
        return err;
    }
    *ret = s;
    return 0;
}

void history_stop(struct history *s)
{
    if (!s || !s->is_running)
        return;
    atomic_store(&s->is_stopping, true);
    queue_close(s->jobs);
    pthread_join(s->thread, NULL);
    s->is_running = false;
}

void history_destroy(struct history *s)
{
    if (!s)
        return;
    history_stop(s);
    queue_destroy(s->jobs);
    free(s);
}

void history_job_destroy(struct history_job *job)
{
    if (!job)
        return;
    buf_done(&job->out);
    free(job);
}

bool parameter_number(struct request *r, const char *name, int64_t min, int64_t max,
                      int64_t dflt, int64_t *ret)
{
    const char *text = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
    int64_t v = 0;

    if (!text) {
        *ret = dflt;
        return true;
    }
    for (const char *p = text; *p; p++) {
        if (!isdigit((unsigned char)*p) || v > max)
            return false;
        v = v * 10 + (*p - '0');
    }
    if (!*text || v < min || v > max)
        return false;
    *ret = v;
    return true;
}

bool channel_find(const struct channel_table *t, const char *id, uint32_t *ret)
{
    for (size_t i = 0; id && i < t->n; i++) {
        if (strcmp(t->channels[i].id, id) == 0) {
            *ret = (uint32_t)i;
            return true;
        }
    }
    return false;
}

bool parameter_channel(struct request *r, uint32_t *ret)
{
    return channel_find(
        live_channels(r->http->live),
        MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, "channel"), ret);
}

bool parameter_span(struct request *r, int64_t *from, int64_t *to)
{
    int64_t hours, now = live_now(r->http->live);

    return parameter_number(r, "hours", 1, HOURS_MAX, 24, &hours) &&
           parameter_number(r, "to", 0, TIME_MAX_MS, now + 1, to) &&
           parameter_number(r, "from", 0, TIME_MAX_MS, *to - 1 - hours * HOUR_MS, from);
}

/* ---- jobs ---- */

struct history_job *history_job_create(struct request *r, size_t out_max)
{
    struct history_job *job = calloc(1, sizeof *job);

    if (!job)
        return NULL;
    job->connection = r->connection;
    job->out = BUF_INIT(out_max);
    r->job = job;
    return job;
}

enum MHD_Result history_job_submit(struct request *r)
{
    struct history_job *job = r->job;

    MHD_suspend_connection(r->connection);
    if (queue_push(r->http->history->jobs, &job))
        return MHD_YES;
    job->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    finish(job);
    return MHD_YES;
}

bool history_job_replies(struct request *r, enum MHD_Result *ret)
{
    const struct history_job *job = r->job;

    if (!job)
        return false;
    *ret = !atomic_load(&job->is_done) ? MHD_YES
           : job->status == MHD_HTTP_SERVICE_UNAVAILABLE
               ? reply_error(r, job->status, "The log cannot be read now.")
               : job->reply(r);
    return true;
}

/* ---- rows ---- */

static enum MHD_Result reply_rows(struct request *r)
{
    return reply_buf(r, MHD_HTTP_OK, "application/json", &r->job->out);
}

enum MHD_Result history_serve(struct request *r)
{
    enum MHD_Result result;
    uint32_t channel;
    int64_t from, to, points;

    if (history_job_replies(r, &result))
        return result;
    if (!parameter_channel(r, &channel))
        return reply_error(r, MHD_HTTP_NOT_FOUND, "No channel of this id; see /api/v1/now.");
    if (!parameter_span(r, &from, &to) ||
        !parameter_number(r, "points", 2, POINTS_MAX, 0, &points))
        return reply_error(
            r, MHD_HTTP_BAD_REQUEST,
            "hours is a whole number of 1..8784, points one of 2..5000, from and "
            "to are Unix milliseconds.");
    struct history_job *job = history_job_create(r, PAGE_MAX);
    if (!job)
        return MHD_NO;
    job->answer = answer_rows;
    job->reply = reply_rows;
    job->channel = channel;
    job->from = from;
    job->to = to;
    job->points = (unsigned)points;
    if (r->http->history)
        return history_job_submit(r);
    put_answer(job, &live_channels(r->http->live)->channels[channel], NULL);
    return reply_rows(r);
}
