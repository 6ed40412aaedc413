/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/revision/reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "gateway/store/reader.h"

enum state { IDLE, ASKED, DONE };

enum { NICE = 10 }; /* on one core, polling goes first */

struct reader {
    struct store *store;
    struct store_reader *log;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    enum state state; /* under the lock; between ASKED and DONE the rest is the thread's */
    bool is_stopping;
    atomic_bool is_cancelled;
    struct job job;
    int64_t *time_ms;
    struct series_cell *cells;
    size_t cells_cap;
    uint32_t layout; /* of `column` */
    bool has_layout, has_failed;
    int column[REVISION_COLUMNS_MAX]; /* -1: the layout has no such channel */
};

/* ---- rows ---- */

static int column_of(const json_t *channels, const char *id)
{
    const json_t *c;
    size_t i;

    json_array_foreach(channels, i, c)
    {
        const char *have = json_string_value(json_object_get(c, "id"));
        if (have && strcmp(have, id) == 0)
            return (int)i;
    }
    return -1;
}

/* Channels may have been added or taken out within the bracket. */
static void take_layout(struct reader *r, uint32_t layout)
{
    char *text = store_read_layout(r->log, layout);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *channels = json_object_get(root, "channels");

    for (unsigned i = 0; i < r->job.columns; i++)
        r->column[i] = column_of(channels, r->job.id[i]);
    r->layout = layout;
    r->has_layout = true;
    r->has_failed |= !root;
    json_decref(root);
    free(text);
}

static unsigned columns_wanted(void *user, uint32_t layout)
{
    struct reader *r = user;
    int last = -1;

    if (!r->has_layout || r->layout != layout)
        take_layout(r, layout);
    for (unsigned i = 0; i < r->job.columns; i++)
        last = r->column[i] > last ? r->column[i] : last;
    return (unsigned)(last + 1);
}

static bool take_row(void *user, int64_t time_ms, const struct series_cell *cells,
                     unsigned columns, uint32_t layout)
{
    struct reader *r = user;
    struct job *j = &r->job;

    if (atomic_load(&r->is_cancelled) || j->rows == READER_ROWS_MAX) {
        j->is_too_much = true;
        return false;
    }
    columns_wanted(r, layout);
    struct series_cell *row = &r->cells[j->rows * j->columns];
    for (unsigned i = 0; i < j->columns; i++) {
        const int c = r->column[i];
        row[i] =
            c >= 0 && (unsigned)c < columns ? cells[c] : series_cell_of(DECIMAL_MISSING, 0);
    }
    r->time_ms[j->rows++] = time_ms;
    return true;
}

static int make_room(struct reader *r)
{
    const size_t need = (size_t)READER_ROWS_MAX * r->job.columns;

    if (need <= r->cells_cap)
        return 0;
    struct series_cell *cells = realloc(r->cells, need * sizeof *cells);
    if (!cells)
        return -ENOMEM;
    r->cells = cells;
    r->cells_cap = need;
    return 0;
}

static int read_rows(struct reader *r)
{
    struct job *j = &r->job;
    int rc = make_room(r);

    r->has_layout = r->has_failed = false;
    if (rc == 0)
        rc = store_read_columns(r->log, j->stream, j->from_ms, j->to_ms, columns_wanted,
                                take_row, r);
    if (rc == 0 && r->has_failed)
        rc = -EIO;
    j->time_ms = r->time_ms;
    j->cells = r->cells;
    return rc;
}

/* ---- the stream ---- */

static int read_stream(struct reader *r)
{
    struct job *j = &r->job;
    const uint32_t layout = store_read_stream_layout(r->log, j->stream);

    j->dictionary = layout ? store_read_layout(r->log, layout) : NULL;
    j->is_trimmed = store_read_first_seq(r->log) > 1 &&
                    store_count_frames(r->log, j->stream, INT64_MIN, j->from_ms) == 0;
    return j->dictionary ? 0 : -EIO;
}

/* ---- alerts ---- */

struct episodes {
    const struct job *job;
    const atomic_bool *is_cancelled;
    json_t *seen;     /* key -> time of the oldest event so far; null: it was told already */
    json_t *standing; /* key -> its newest event within the bracket, or ahead of it */
};

static bool is_of_channel(const json_t *event, const char *id)
{
    const char *its = json_string_value(json_object_get(event, "channel"));
    const size_t n = strlen(id);

    return its && strncmp(its, id, n) == 0 && (its[n] == '\0' || its[n] == '@');
}

/* Between this event and the next of its key it had the level that the event says. */
static void take_episode(struct episodes *e, json_t *event, int64_t time_ms)
{
    const char *key = json_string_value(json_object_get(event, "key"));
    const char *what = json_string_value(json_object_get(event, "transition"));
    const char *level = json_string_value(json_object_get(event, "level"));

    if (!key || !what)
        return;
    if (strcmp(what, "doubtful") == 0) {
        json_object_del(e->standing, key);
        json_object_set_new(e->seen, key, json_null());
    }
    const json_t *next = json_object_get(e->seen, key);
    if (!level || json_is_null(next))
        return;
    const int64_t until_ms = next ? json_integer_value(next) : INT64_MAX;
    if (strcmp(level, "none") != 0 && time_ms < e->job->to_ms && until_ms > e->job->from_ms &&
        !json_object_get(e->standing, key))
        json_object_set(e->standing, key, event);
    json_object_set_new(e->seen, key, json_integer(time_ms));
}

/* The newest come first. */
static bool take_event(void *user, const struct store_entry *entry)
{
    struct episodes *e = user;
    json_t *event = json_loadb(entry->data, entry->size, 0, NULL);

    if (is_of_channel(event, e->job->id[0]))
        take_episode(e, event, entry->t_last);
    json_decref(event);
    return !atomic_load(e->is_cancelled);
}

static int read_alerts(struct reader *r)
{
    struct episodes e = { &r->job, &r->is_cancelled, json_object(), json_object() };
    int rc = e.seen && e.standing
                 ? store_read_events(r->log, "alert", READER_ALERT_EVENTS_MAX, take_event, &e)
                 : -ENOMEM;

    json_decref(e.seen);
    r->job.alerts = e.standing;
    return rc;
}

/* ---- the thread ---- */

static void work(struct reader *r)
{
    static int (*const jobs[])(struct reader * r) = {
        [JOB_STREAM] = read_stream,
        [JOB_ROWS] = read_rows,
        [JOB_ALERTS] = read_alerts,
    };
    int rc = r->log ? 0 : store_reader_open(r->store, &r->log);

    r->job.rc = rc == 0 ? jobs[r->job.kind](r) : rc;
}

static void *run(void *arg)
{
    struct reader *r = arg;

    setpriority(PRIO_PROCESS, 0, NICE); /* of this thread alone, as Linux has it */
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (r->state != ASKED && !r->is_stopping)
            pthread_cond_wait(&r->wake, &r->lock);
        if (r->is_stopping)
            break;
        pthread_mutex_unlock(&r->lock);
        work(r);
        pthread_mutex_lock(&r->lock);
        r->state = DONE;
    }
    pthread_mutex_unlock(&r->lock);
    if (r->log)
        store_reader_close(r->log);
    return NULL;
}

static void release(struct reader *r)
{
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r->time_ms);
    free(r->cells);
    free(r);
}

int reader_start(struct store *store, struct reader **ret)
{
    struct reader *r = calloc(1, sizeof *r);

    if (!r)
        return -ENOMEM;
    r->store = store;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    r->time_ms = calloc(READER_ROWS_MAX, sizeof *r->time_ms);
    int rc = r->time_ms ? -pthread_create(&r->thread, NULL, run, r) : -ENOMEM;
    if (rc < 0)
        release(r);
    else
        *ret = r;
    return rc;
}

void reader_stop(struct reader *r)
{
    if (!r)
        return;
    atomic_store(&r->is_cancelled, true);
    pthread_mutex_lock(&r->lock);
    r->is_stopping = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    if (r->state == DONE) { /* nobody took it */
        free(r->job.dictionary);
        json_decref(r->job.alerts);
    }
    release(r);
}

void reader_ask(struct reader *r, const struct job *job)
{
    pthread_mutex_lock(&r->lock);
    r->job = *job;
    r->state = ASKED;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

bool reader_take(struct reader *r, struct job *ret)
{
    pthread_mutex_lock(&r->lock);
    const bool is_done = r->state == DONE;
    if (is_done) {
        *ret = r->job;
        r->state = IDLE;
    }
    pthread_mutex_unlock(&r->lock);
    return is_done;
}
