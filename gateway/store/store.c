/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/store/damage.h"
#include "gateway/store/writer.h"

enum {
    INTERVAL_MIN_MS = 50, /* real: a faster clock does not make the disk faster */
    COMMIT_DEFAULT_MS = 1000,
    SEAL_DEFAULT_MS = 60000,
    SEAL_DEFAULT_ROWS = 60,
    DAMAGE_WHY_MAX = 256,
    DAMAGE_TEXT_MAX = 1024,
};

/* ---- open and close ---- */

int64_t real_interval(const struct store_options *o, int64_t station_ms, int64_t dflt)
{
    double ms = (double)(station_ms > 0 ? station_ms : dflt);

    if (o->speed > 1)
        ms /= o->speed;
    return ms > INTERVAL_MIN_MS ? (int64_t)ms : INTERVAL_MIN_MS;
}

static void init_threads(struct store *s)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_cond_init(&s->answered, NULL);
    pthread_condattr_destroy(&monotonic);
}

static struct store *create(const struct store_options *o)
{
    struct store *s = calloc(1, sizeof *s);
    char *path = strdup(o->path);

    if (!s || !path) {
        free(s);
        free(path);
        return NULL;
    }
    s->options = *o;
    s->path = path;
    s->mark.fd = -1;
    s->commit_ms = real_interval(o, o->commit_ms, COMMIT_DEFAULT_MS);
    s->seal_ms = real_interval(o, o->seal_ms, SEAL_DEFAULT_MS);
    init_threads(s);
    return s;
}

static void destroy(struct store *s)
{
    while (s->spare) {
        struct store_batch *b = s->spare;
        s->spare = b->next;
        batch_destroy(b);
    }
    db_close(&s->reading);
    mark_close(&s->mark);
    pthread_cond_destroy(&s->answered);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    ballast_done(&s->ballast);
    free(s->columns);
    free(s->path);
    free(s);
}

static int lock_database(struct store *s, char *error, size_t size)
{
    int rc = mark_open(&s->mark, s->path);

    if (rc == -EBUSY)
        snprintf(error, size, "The log %s is in use by another process.", s->path);
    else if (rc < 0)
        snprintf(error, size, "The file %s-mark cannot be opened: %s.", s->path, strerror(-rc));
    return rc;
}

/* A mark that is ahead, of another log, or missing beside a log that has entries. */
static bool was_rolled_back(const struct store *s)
{
    const struct tail *t = &s->commit.tail;

    if (s->mark.epoch == 0)
        return t->seq_last > 0;
    return s->mark.epoch != t->epoch || s->mark.seq > t->seq_last;
}

static int settle_epoch(struct store *s, char *error, size_t size)
{
    int rc = was_rolled_back(s) ? commit_new_epoch(&s->commit) : 0;

    if (rc == 0 && s->commit.tail.epoch != s->mark.epoch && s->mark.epoch)
        log_warning("log: an older or another log than at the last run, a new epoch begins "
                    "path=%s",
                    s->path);
    if (rc < 0)
        snprintf(error, size,
                 "The log %s was restored, and its new epoch cannot be written: %s.", s->path,
                 s->commit.error);
    s->epoch = s->commit.tail.epoch;
    mark_write(&s->mark, s->epoch, s->commit.tail.seq_last);
    return rc;
}

/* What an earlier run left pending goes into frames. On a full disk it stays pending, and the
 * station goes on. */
static void seal_remains(struct store *s)
{
    const int64_t now_ms = mono_ms();

    if (s->options.is_ending)
        tail_close_rows(&s->commit.tail);
    if (tail_seal_at(&s->commit.tail, 0) <= now_ms &&
        commit_run(&s->commit, NULL, now_ms, INT64_MAX) < 0)
        snprintf(s->health.error, sizeof s->health.error, "%s", s->commit.error);

    const struct tail *t = &s->commit.tail;
    s->health.committed =
        (struct store_commit){ t->seq_last, t->samples, t->rows, t->events, 0 };
}

/* The first entry of the log that took the place of a damaged one. A failure is harmless: the
 * journal has it too. */
static void tell_damage(struct store *s, const char *file, const char *why, int64_t now_ms)
{
    struct store_batch *b = batch_create(s);
    char json[DAMAGE_TEXT_MAX];

    damage_put_event(json, sizeof json, file, why, now_ms);
    if (b && store_batch_event(b, json) == 0)
        commit_run(&s->commit, b, mono_ms(), INT64_MIN);
    batch_destroy(b);
}

/*
 * A log of ours (its mark says so) that is damaged is set aside, and a new one begins, with an
 * epoch of its own: a station that does not measure any more helps nobody.
 */
static int open_log(struct store *s, const struct tail_options *o, char *error, size_t size)
{
    int rc = commit_open(&s->commit, s->path, o, error, size);
    char file[PATH_MAX], why[DAMAGE_WHY_MAX];

    if (rc != -EBADMSG || s->mark.epoch == 0)
        return rc;
    int64_t now_ms = station_now(s);
    snprintf(why, sizeof why, "%s", error);
    int moved = damage_set_aside(s->path, now_ms, file, sizeof file);
    if (moved < 0) {
        snprintf(error, size, "%.200s It cannot be set aside: %s.", why, strerror(-moved));
        return moved;
    }
    log_error("log: %s It is kept as %s, a new log begins.", why, file);
    rc = commit_open(&s->commit, s->path, o, error, size);
    if (rc == 0)
        tell_damage(s, file, why, now_ms);
    return rc;
}

/* Without room for the ballast the station goes on without. */
static int prepare_room(struct store *s, char *error, size_t size)
{
    int rc = ballast_init(&s->ballast, s->path, s->options.ballast_bytes);

    if (rc < 0) {
        snprintf(error, size, "There is no memory for the log.");
        return rc;
    }
    rc = ballast_take(&s->ballast);
    if (rc < 0)
        log_warning("log: there is no room for the ballast: %s bytes=%" PRId64 " path=%s",
                    strerror(-rc), s->ballast.bytes, s->path);
    retain_limit(s);
    return 0;
}

static int start(struct store *s, char *error, size_t size)
{
    int rc = lock_database(s, error, size);

    if (rc < 0)
        return rc;
    const struct tail_options o = {
        .seal_rows = s->options.seal_rows > 0 ? s->options.seal_rows : SEAL_DEFAULT_ROWS,
        .dense_columns_max = s->options.dense_columns_max,
    };
    rc = open_log(s, &o, error, size);
    if (rc < 0)
        return rc;
    rc = settle_epoch(s, error, size);
    if (rc == 0)
        rc = prepare_room(s, error, size);
    if (rc == 0)
        seal_remains(s);
    if (rc == 0)
        rc = db_open(&s->reading, s->path, DB_READ, error, size);
    if (rc == 0) {
        rc = writer_start(s);
        if (rc < 0)
            snprintf(error, size, "The thread of the log cannot start: %s.", strerror(-rc));
    }
    if (rc < 0)
        commit_close(&s->commit);
    return rc;
}

int store_open(const struct store_options *options,
               void (*on_commit)(void *user, const struct store_commit *c), void *user,
               struct store **ret, char *error, size_t error_size)
{
    struct store *s = create(options);

    if (!s) {
        snprintf(error, error_size, "There is no memory for the log.");
        return -ENOMEM;
    }
    s->on_commit = on_commit;
    s->user = user;
    int rc = start(s, error, error_size);
    if (rc < 0) {
        destroy(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    writer_stop(s);
    db_close(&s->reading);
    if (s->commit.db.handle)
        sqlite3_wal_checkpoint_v2(s->commit.db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                  NULL);
    commit_close(&s->commit);
    destroy(s);
}

uint64_t store_epoch(const struct store *s)
{
    return s->epoch;
}

void store_health_get(struct store *s, struct store_health *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->health;
    pthread_mutex_unlock(&s->lock);
}

/* ---- state ---- */

static void *copy_blob(sqlite3_stmt *st, int column, size_t *ret_size)
{
    size_t size = (size_t)sqlite3_column_bytes(st, column);
    const void *data = sqlite3_column_blob(st, column);
    char *copy = data ? malloc(size + 1) : NULL;

    if (!copy)
        return NULL;
    memcpy(copy, data, size);
    copy[size] = '\0';
    *ret_size = size;
    return copy;
}

void *store_state_get(struct store *s, const char *key, size_t *ret_size)
{
    sqlite3_stmt *st = db_query(&s->reading, SQL_STATE_GET, DB_VALUES(db_text(key)));
    void *data = NULL;

    if (db_step(st) > 0) {
        data = copy_blob(st, 0, ret_size);
        sqlite3_reset(st);
    }
    return data;
}

int store_state_each(struct store *s, const char *prefix,
                     void (*each)(void *user, const char *key, const void *data, size_t size),
                     void *user)
{
    sqlite3_stmt *st = db_query(&s->reading, SQL_STATE_AFTER, DB_VALUES(db_text(prefix)));
    size_t n = strlen(prefix);
    int rc;

    while ((rc = db_step(st)) > 0) {
        const char *key = (const char *)sqlite3_column_text(st, 0);
        if (!key || strncmp(key, prefix, n) != 0)
            break;
        each(user, key, sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1));
    }
    if (rc > 0)
        sqlite3_reset(st);
    return rc < 0 ? rc : 0;
}
