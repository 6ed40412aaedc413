/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step after the other of a revision: ask what a stream has, open the stream that its
 * revisions go into, read a slice, write it. What is written and how far that is are one batch;
 * when the log does not take it, the same slice is read again.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/revision/internal.h"

#define WINDOW_MAX_MS (INT64_C(30) * 86400000)

enum {
    WIDEN = 4,  /* where a window had no rows */
    NARROW = 8, /* where it had too many */
};

/* ---- slices ---- */

static int64_t slice_ms(const struct stage *s)
{
    return s->step_ms * REVISIONS_SLICE_ROWS;
}

static void choose_window(struct revision *x, const struct stage *s, const struct job *j)
{
    if (j->is_too_much)
        x->window_ms = x->window_ms / NARROW > 1 ? x->window_ms / NARROW : 1;
    else if (j->rows > 0)
        x->window_ms = slice_ms(s);
    else if (x->window_ms < WINDOW_MAX_MS)
        x->window_ms *= WIDEN;
}

/* One row; false in *ret_has: nothing of it is revised. */
static int put_row(struct revisions *r, struct store_batch *b, const struct stage *s,
                   int64_t time_ms, const struct series_cell *cells, bool *ret_has)
{
    const struct revision *x = r->busy;
    struct series_cell row[REVISION_COLUMNS_MAX];

    *ret_has = false;
    if (!row_is_revised(x, s, time_ms))
        return 0;
    memcpy(row, cells, s->n * sizeof *row);
    for (unsigned i = 0; i < s->n; i++) {
        const struct channel *ch = &r->station.table->channels[s->channel[i]];
        *ret_has |= cell_revise(x, s, ch, time_ms, &row[i]);
    }
    return *ret_has ? store_batch_row(b, x->out, time_ms, row, s->n) : 0;
}

static int put_rows(struct revisions *r, struct store_batch *b, const struct stage *s,
                    const struct job *j, struct revision *after)
{
    int rc = 0;

    for (size_t i = 0; i < j->rows && rc == 0; i++) {
        bool has;
        rc = put_row(r, b, s, j->time_ms[i], &j->cells[i * j->columns], &has);
        if (!has || rc < 0)
            continue;
        *(s->period_ms ? &after->statistic_rows : &after->rows) += 1;
        if (s->period_ms == 0 && (!after->oldest_ms || j->time_ms[i] < after->oldest_ms))
            after->oldest_ms = j->time_ms[i];
    }
    return rc;
}

/* The batch, or none of it. */
static int commit(struct store_batch *b, int rc)
{
    if (rc == 0)
        return store_batch_submit(b, STORE_WITH_INTERVAL);
    store_batch_drop(b);
    return rc;
}

/* Once, until it gets on again. */
static void warn(struct revision *x, int rc)
{
    if (rc < 0 && !x->is_warned)
        log_warning("a revision does not get on, trying again: channel=%s error=%s",
                    x->channel_id, strerror(-rc));
    x->is_warned = rc < 0;
}

/* A window without rows is remembered with the next that has some. */
static void take_rows(struct revisions *r, const struct stage *s)
{
    struct revision *x = r->busy;
    const struct job *j = &r->job;
    struct revision after = *x;
    struct store_batch *b;

    if (j->rc < 0) {
        warn(x, j->rc);
        return;
    }
    if (j->is_too_much) {
        choose_window(x, s, j);
        return;
    }
    after.next_ms = j->to_ms;
    int rc = j->rows > 0 ? store_batch_begin(r->store, &b) : 0;
    if (rc == 0 && j->rows > 0) {
        rc = put_rows(r, b, s, j, &after);
        if (rc == 0)
            rc = order_put(b, &after);
        rc = commit(b, rc);
    }
    if (rc == 0) {
        *x = after;
        choose_window(x, s, j);
    }
    warn(x, rc);
}

static void ask_rows(struct revisions *r, struct revision *x, const struct stage *s)
{
    const int64_t settled_ms = stage_settled(s, r->now_ms);
    int64_t end_ms = stage_to(x, s);

    end_ms = end_ms < settled_ms ? end_ms : settled_ms;
    if (x->window_ms <= 0)
        x->window_ms = slice_ms(s);
    const int64_t to_ms =
        end_ms - x->next_ms < x->window_ms ? end_ms : x->next_ms + x->window_ms;
    struct job j = {
        .kind = JOB_ROWS,
        .stream = s->stream,
        .from_ms = x->next_ms,
        .to_ms = to_ms,
        .columns = s->n,
    };
    for (unsigned i = 0; i < s->n; i++)
        j.id[i] = r->station.table->channels[s->channel[i]].id;
    r->busy = x;
    reader_ask(r->reader, &j);
}

/* ---- the stream ---- */

static void ask_stream(struct revisions *r, struct revision *x, const struct stage *s)
{
    const struct job j = { .kind = JOB_STREAM,
                           .stream = s->stream,
                           .from_ms = stage_from(x, s) };

    x->period_ms = s->period_ms;
    x->part = s->part;
    r->busy = x;
    reader_ask(r->reader, &j);
}

static void next_stage(struct revision *x, const struct stage *s)
{
    x->period_ms = s->period_ms;
    x->part = s->part + 1;
    x->stage++;
    x->step = STEP_BEGIN;
    x->next_ms = x->window_ms = 0;
}

/* Told with the first thing that is done. */
static int begin(struct revisions *r, struct revision *x)
{
    struct store_batch *b;
    struct revision after = *x;
    int rc = store_batch_begin(r->store, &b);

    if (rc < 0)
        return rc;
    after.is_begun = true;
    json_t *event = told_begun(r, x);
    rc = told_put(b, event);
    if (rc == 0)
        rc = order_put(b, &after);
    rc = commit(b, rc);
    if (rc == 0) {
        *x = after;
        told_show(r, event);
    }
    json_decref(event);
    return rc;
}

static void take_stream(struct revisions *r, const struct stage *s)
{
    const struct channel_table *t = r->station.table;
    struct revision *x = r->busy;
    struct job *j = &r->job;
    char name[STORE_NAME_MAX];

    if (j->rc < 0) {
        warn(x, j->rc);
        return;
    }
    char *dictionary = stage_dictionary(t, s, j->dictionary);
    free(j->dictionary);
    if (x->stage == 0)
        x->is_cut = j->is_trimmed || (x->from_ms > 0 && stage_from(x, s) > x->from_ms);
    int rc = x->is_begun ? 0 : begin(r, x);
    if (rc == 0 && !dictionary) {
        next_stage(x, s); /* nothing to be revised */
        return;
    }
    stage_name(t, x, s, name);
    if (rc == 0)
        rc = store_stream_ask(r->store, name, s->n, s->step_ms, 1, dictionary, &r->asked);
    free(dictionary);
    if (rc == 0)
        x->step = STEP_OPEN;
    else
        warn(x, rc);
}

static bool is_opened(struct revisions *r, const struct stage *s)
{
    struct revision *x = r->busy;
    int rc = store_stream_asked(r->store, r->asked, &x->out);

    if (rc == -EINPROGRESS)
        return false;
    r->asked = NULL;
    x->step = rc == 0 ? STEP_ROWS : STEP_BEGIN;
    if (rc == 0 && x->next_ms == 0)
        x->next_ms = stage_from(x, s);
    warn(x, rc);
    return true;
}

/* ---- the end of the readings, and of all ---- */

static void ask_alerts(struct revisions *r, struct revision *x)
{
    const struct job j = {
        .kind = JOB_ALERTS, .from_ms = x->from_ms, .to_ms = x->to_ms, .id = { x->channel_id }
    };

    x->step = STEP_ALERTS;
    r->busy = x;
    reader_ask(r->reader, &j);
}

static int put_alerts(struct revisions *r, struct store_batch *b, const json_t *alerts,
                      json_t *events)
{
    const struct revision *x = r->busy;
    const char *key;
    json_t *last;
    int rc = 0;

    json_object_foreach((json_t *)alerts, key, last)
    {
        const size_t n = json_array_size(events);
        if (rc < 0 || n == REVISIONS_EPISODES_MAX)
            break;
        json_t *event = told_alert(r, x, last, n);
        rc = told_put(b, event);
        json_array_append_new(events, event);
    }
    return rc;
}

static void show_all(const struct revisions *r, const json_t *events)
{
    const json_t *event;
    size_t i;

    json_array_foreach(events, i, event) told_show(r, event);
}

static void take_alerts(struct revisions *r, const struct stage *s)
{
    struct revision *x = r->busy, after = *x;
    json_t *events = json_array();
    struct store_batch *b;
    int rc = r->job.rc == 0 ? store_batch_begin(r->store, &b) : r->job.rc;

    x->step = STEP_ROWS; /* once more, should it fail */
    if (rc == 0) {
        rc = put_alerts(r, b, r->job.alerts, events);
        after.alerts = json_object_size(r->job.alerts);
        next_stage(&after, s);
        json_t *event = told_revised(r, &after);
        json_array_append_new(events, event);
        if (rc == 0)
            rc = told_put(b, event);
        if (rc == 0)
            rc = order_put(b, &after);
        rc = commit(b, rc);
    }
    if (rc == 0) {
        *x = after;
        show_all(r, events);
    }
    warn(x, rc);
    json_decref(events);
    json_decref(r->job.alerts);
}

static void end(struct revisions *r, struct revision *x)
{
    json_t *event = told_ended(r, x, x->channel == NOWHERE);
    struct store_batch *b;
    int rc = store_batch_begin(r->store, &b);

    if (rc == 0) {
        rc = told_put(b, event);
        if (rc == 0)
            rc = order_drop(b, x);
        rc = commit(b, rc);
    }
    if (rc == 0) {
        told_show(r, event);
        revision_finish(r, x, event);
    } else {
        warn(x, rc);
    }
    json_decref(event);
}

/* ---- */

bool work_is_due(const struct revisions *r, const struct revision *x,
                 const struct store_health *log)
{
    struct stage s;

    if (log->committed.batches < x->after_batch || log->queue_bytes > STORE_QUEUE_BYTES_MAX / 4)
        return false;
    if (x->channel == NOWHERE || !stage_of(r->station.table, x->channel, x->stage, &s) ||
        x->step != STEP_ROWS || x->next_ms >= stage_to(x, &s))
        return true;
    return x->next_ms < stage_settled(&s, r->now_ms);
}

void work_begin(struct revisions *r, struct revision *x)
{
    struct stage s;

    if (x->channel == NOWHERE || !stage_of(r->station.table, x->channel, x->stage, &s)) {
        end(r, x);
        return;
    }
    int rc = r->reader ? 0 : reader_start(r->store, &r->reader);
    if (rc < 0) {
        warn(x, rc);
        return;
    }
    if (x->step != STEP_ROWS)
        ask_stream(r, x, &s);
    else if (x->next_ms < stage_to(x, &s))
        ask_rows(r, x, &s);
    else if (x->stage == 0)
        ask_alerts(r, x);
    else
        next_stage(x, &s);
}

void work_go_on(struct revisions *r)
{
    struct revision *x = r->busy;
    struct stage s;

    if (!stage_of(r->station.table, x->channel, x->stage, &s))
        return; /* attached: it is the stage that was asked for */
    if (r->asked) {
        r->busy = is_opened(r, &s) ? NULL : x;
        return;
    }
    if (!reader_take(r->reader, &r->job))
        return;
    if (r->job.kind == JOB_STREAM)
        take_stream(r, &s);
    else if (r->job.kind == JOB_ROWS)
        take_rows(r, &s);
    else
        take_alerts(r, &s);
    r->busy = r->asked ? x : NULL;
}

void work_forget(struct revisions *r)
{
    reader_stop(r->reader);
    r->reader = NULL;
    store_stream_drop(r->store, r->asked);
    r->asked = NULL;
    r->busy = NULL;
    for (struct revision *x = r->first; x; x = x->next) {
        x->step = STEP_BEGIN;
        x->window_ms = 0;
    }
}
