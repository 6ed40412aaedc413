/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/commit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/backoff.h"
#include "gateway/base/clock.h"
#include "gateway/store/commit_apply.h"
#include "gateway/store/document.h"
#include "gateway/store/migrate.h"

enum {
    EVENT_TEXT_MAX = STORE_EVENT_MAX + 128,
    CHECK_MS = 2000, /* what a start may take longer */
    CHECK_OPS = 10000,
    SEGMENTS_SKIPPED = 1 << 16, /* more than a stream begins between two backups */
};

/* ---- opening ---- */

/* A new log gets its row, and with it its epoch. */
static int reserve_log(struct db *db)
{
    int64_t seq;
    int rc = db_number(db, SQL_LOG_LAST, NULL, 0, -1, &seq);

    if (rc < 0 || seq >= 0)
        return rc;
    return db_run(db, SQL_LOG_NEW, DB_VALUES(db_int((int64_t)random_u64())));
}

static int is_late(void *end_ms)
{
    return mono_ms() >= *(const int64_t *)end_ms;
}

/* What has not been looked at in the time given is believed: the tables of years take minutes.
 */
static bool is_sound(struct db *db)
{
    int64_t end_ms = mono_ms() + CHECK_MS;
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK)
        return (sqlite3_errcode(db->handle) & 255) != SQLITE_CORRUPT;
    sqlite3_progress_handler(db->handle, CHECK_OPS, is_late, &end_ms);
    int rc = sqlite3_step(st);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    bool is_bad = (rc & 255) == SQLITE_CORRUPT || (text && strcmp(text, "ok") != 0);
    sqlite3_finalize(st);
    sqlite3_progress_handler(db->handle, 0, NULL, NULL);
    return !is_bad;
}

static int check(struct commit *c, char *error, size_t size)
{
    if (is_sound(&c->db))
        return 0;
    snprintf(error, size, "The database %s is damaged (quick_check).", c->path);
    return -EBADMSG;
}

static int load(struct commit *c, char *error, size_t size)
{
    int rc = reserve_log(&c->db);

    if (rc == 0)
        rc = tail_load(&c->tail);
    if (rc < 0)
        snprintf(error, size, "The log in %s cannot be read: %s.", c->path,
                 rc == -EBADMSG ? "its tables contradict each other" : db_error(&c->db));
    return rc;
}

int commit_open(struct commit *c, const char *path, const struct tail_options *o, char *error,
                size_t size)
{
    *c = (struct commit){ .path = path, .text = BUF_INIT(EVENT_TEXT_MAX) };

    int rc = tail_init(&c->tail, &c->db, o);
    if (rc < 0) {
        snprintf(error, size, "There is no memory for the log.");
        return rc;
    }
    rc = db_open(&c->db, path, DB_WRITE, error, size);
    if (rc == 0)
        rc = check(c, error, size);
    if (rc == 0)
        rc = migrate_run(&c->db, error, size);
    if (rc == 0)
        rc = load(c, error, size);
    if (rc < 0)
        commit_close(c);
    return rc;
}

void commit_close(struct commit *c)
{
    db_close(&c->db);
    tail_done(&c->tail);
    buf_done(&c->text);
}

/* ---- the transaction ---- */

static int finish(struct commit *c)
{
    struct tail *t = &c->tail;
    int rc = db_run(&c->db, SQL_LOG_SET,
                    DB_VALUES(db_int((int64_t)t->commits), db_int((int64_t)t->seq_last),
                              db_int((int64_t)t->samples), db_int((int64_t)t->rows),
                              db_int((int64_t)t->events)));

    return rc == 0 ? db_run(&c->db, SQL_COMMIT, NULL, 0) : rc;
}

static int begin(struct commit *c)
{
    c->tail.commits++;
    return db_run(&c->db, SQL_BEGIN, NULL, 0);
}

/* Or the failure was not the database's. */
static bool is_failure(int sqlite_code)
{
    return sqlite_code != SQLITE_OK && sqlite_code != SQLITE_ROW && sqlite_code != SQLITE_DONE;
}

static int fail(struct commit *c, int rc)
{
    int code = c->db.handle ? sqlite3_extended_errcode(c->db.handle) : SQLITE_IOERR;

    snprintf(c->error, sizeof c->error, "%s",
             is_failure(code) ? db_error(&c->db) : strerror(-rc));
    c->is_stale = true;
    c->is_suspect = (code & 255) == SQLITE_IOERR || (code & 255) == SQLITE_CORRUPT ||
                    (code & 255) == SQLITE_NOTADB;
    if (c->db.handle && !sqlite3_get_autocommit(c->db.handle))
        db_run(&c->db, SQL_ROLLBACK, NULL, 0);
    return rc;
}

/*
 * After a write or sync that failed, the kernel may have dropped the pages and forgotten it. A
 * new connection recovers what the WAL holds; the checkpoint writes all of it to the database
 * and syncs that, so that nothing rests on the failed sync.
 */
static int reopen(struct commit *c)
{
    char error[200];

    db_close(&c->db);
    int rc = db_open(&c->db, c->path, DB_WRITE, error, sizeof error);
    if (rc < 0) {
        snprintf(c->error, sizeof c->error, "%.159s", error);
        return rc;
    }
    if (!is_sound(&c->db)) {
        snprintf(c->error, sizeof c->error, "the database is damaged (quick_check)");
        return -EBADMSG;
    }
    if (sqlite3_wal_checkpoint_v2(c->db.handle, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL) !=
        SQLITE_OK) {
        snprintf(c->error, sizeof c->error, "%s", db_error(&c->db));
        return -EIO;
    }
    c->is_suspect = false;
    return 0;
}

/* Makes memory agree with the database again, which tells whether the transaction that seemed
 * to fail is there. */
int commit_recover(struct commit *c)
{
    int rc = c->is_stale && c->is_suspect ? reopen(c) : 0;

    if (!c->is_stale)
        return 0;
    if (rc == 0) {
        rc = tail_load(&c->tail);
        if (rc < 0)
            snprintf(c->error, sizeof c->error, "%s", db_error(&c->db));
    }
    if (rc < 0)
        return rc;
    if (c->attempted)
        c->is_done = c->tail.commits == c->attempted;
    c->attempted = 0;
    c->is_stale = false;
    return 0;
}

static int run(struct commit *c, const struct store_batch *batches, int64_t now_ms,
               int64_t seal_before_ms)
{
    int rc = begin(c);

    if (rc == 0)
        rc = commit_apply(c, batches, now_ms);
    if (rc == 0)
        rc = tail_seal_due(&c->tail, seal_before_ms, now_ms);
    if (rc == 0)
        rc = tail_journal(&c->tail);
    if (rc == 0)
        rc = finish(c);
    if (rc < 0) {
        c->attempted = c->tail.commits;
        return fail(c, rc);
    }
    c->error[0] = '\0';
    return 0;
}

int commit_run(struct commit *c, const struct store_batch *batches, int64_t now_ms,
               int64_t seal_before_ms)
{
    int rc = commit_recover(c);

    if (rc < 0)
        return rc;
    if (c->is_done) {
        c->is_done = false;
        c->error[0] = '\0';
        return 0;
    }
    return run(c, batches, now_ms, seal_before_ms);
}

/* ---- streams ---- */

/* Its number, an old one or the next. */
static int find_number(struct commit *c, const char *name, uint32_t *ret, bool *ret_is_new)
{
    int64_t number = 0;
    int rc = db_number(&c->db, SQL_STREAM_FIND, DB_VALUES(db_text(name)), 0, &number);

    *ret_is_new = number == 0;
    if (rc == 0 && number == 0)
        rc = db_number(&c->db, SQL_STREAM_NEXT, NULL, 0, 1, &number);
    if (rc == 0 && number >= TAIL_STREAMS_MAX)
        rc = -ENOSPC;
    *ret = (uint32_t)number;
    return rc;
}

/* Two dictionaries of one number would make rows unreadable: the odds are one in four
 * milliards, but it must be said. */
static int add_layout(struct commit *c, uint32_t layout, const char *json)
{
    int rc = db_run(&c->db, SQL_LAYOUT_ADD, DB_VALUES(db_int(layout), db_text(json)));
    sqlite3_stmt *st =
        rc == 0 ? db_query(&c->db, SQL_LAYOUT_GET, DB_VALUES(db_int(layout))) : NULL;

    if (rc < 0)
        return rc;
    rc = db_step(st);
    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    const char *stored = (const char *)sqlite3_column_text(st, 0);
    bool is_same = stored && strcmp(stored, json) == 0;
    sqlite3_reset(st);
    return is_same ? 0 : -EEXIST;
}

/* Rows of the old shape become a frame of it, the last that names its layout. */
static int end_shape(struct commit *c, struct tail_stream *old, uint32_t layout)
{
    int rc = tail_seal(&c->tail, old);

    if (rc < 0 || old->layout == layout)
        return rc;
    return db_run(&c->db, SQL_LAYOUT_END,
                  DB_VALUES(db_int((int64_t)c->tail.seq_last), db_int(old->layout)));
}

static int change_stream(struct commit *c, const struct tail_stream *shape)
{
    struct tail_stream *old = tail_stream(&c->tail, shape->number);
    int rc = old ? end_shape(c, old, shape->layout) : 0;

    if (rc < 0)
        return rc;
    return db_run(&c->db, SQL_STREAM_CHANGE,
                  DB_VALUES(db_int(shape->columns), db_int(shape->period_ms),
                            db_int(shape->unit_ms), db_int(shape->layout),
                            db_int(shape->is_local), db_int(shape->number)));
}

static int write_stream(struct commit *c, const char *name, const struct tail_stream *shape,
                        const char *json, bool is_new)
{
    int rc = begin(c);

    if (rc == 0)
        rc = add_layout(c, shape->layout, json);
    if (rc == 0 && is_new)
        rc = db_run(&c->db, SQL_STREAM_ADD,
                    DB_VALUES(db_int(shape->number), db_text(name), db_int(shape->columns),
                              db_int(shape->period_ms), db_int(shape->unit_ms),
                              db_int(shape->layout), db_int(shape->is_local)));
    else if (rc == 0)
        rc = change_stream(c, shape);
    if (rc == 0)
        rc = tail_journal(&c->tail);
    if (rc == 0)
        rc = finish(c);
    return rc < 0 ? fail(c, rc) : 0;
}

int commit_stream(struct commit *c, const struct commit_stream *want, uint32_t *ret_number)
{
    struct tail_stream shape = {
        .columns = want->columns,
        .period_ms = want->period_ms,
        .unit_ms = want->unit_ms,
    };
    bool is_new = false;
    char *json = NULL;

    int rc = commit_recover(c);
    if (rc == 0)
        rc = document_is_local(want->dictionary, &shape.is_local);
    if (rc == 0)
        rc = find_number(c, want->name, &shape.number, &is_new);
    if (rc == 0)
        rc = document_layout(want->dictionary, shape.number, &shape.layout, &json);
    if (rc < 0)
        return rc;
    const struct tail_stream *now = tail_stream(&c->tail, shape.number);
    if (!now || !tail_has_shape(now, &shape)) /* an unchanged one costs no write at the start */
        rc = write_stream(c, want->name, &shape, json, is_new);
    free(json);
    if (rc < 0)
        return rc;
    rc = tail_shape(&c->tail, &shape, want->hints);
    if (rc == 0)
        *ret_number = shape.number;
    else
        c->is_stale = true; /* the database has the new shape */
    return rc;
}

int commit_new_epoch(struct commit *c)
{
    int rc = begin(c);

    if (rc == 0)
        rc = db_run(&c->db, SQL_LOG_EPOCH, DB_VALUES(db_int((int64_t)random_u64())));
    if (rc == 0)
        rc = db_run(&c->db, SQL_SEGMENTS_SKIP, DB_VALUES(db_int(SEGMENTS_SKIPPED)));
    if (rc == 0)
        rc = finish(c);
    if (rc < 0)
        return fail(c, rc);
    return tail_load(&c->tail);
}

/* ---- trimming ---- */

int commit_chapter(struct commit *c, int64_t now_ms)
{
    if (c->is_stale)
        return -EAGAIN;

    int rc = begin(c);
    if (rc == 0)
        rc = db_run(&c->db, SQL_CHAPTER_ADD,
                    DB_VALUES(db_int((int64_t)c->tail.seq_last + 1), db_int(now_ms)));
    if (rc == 0)
        rc = finish(c);
    if (rc < 0)
        return fail(c, rc);
    tail_end_segments(&c->tail);
    return 0;
}

static int trim(struct commit *c, int64_t seq, int64_t chapter)
{
    static const enum db_sql by_seq[] = { SQL_TRIM, SQL_ASIDE_TRIM, SQL_LAYOUT_TRIM };
    int rc = db_run(&c->db, SQL_CHAPTER_TRIM, DB_VALUES(db_int(chapter)));

    for (size_t i = 0; rc == 0 && i < sizeof by_seq / sizeof by_seq[0]; i++)
        rc = db_run(&c->db, by_seq[i], DB_VALUES(db_int(seq)));
    return rc;
}

int commit_trim(struct commit *c, uint64_t seq, uint64_t chapter)
{
    if (c->is_stale)
        return -EAGAIN;

    int rc = begin(c);
    if (rc == 0)
        rc = trim(c, (int64_t)seq, (int64_t)chapter);
    if (rc == 0)
        rc = finish(c);
    return rc < 0 ? fail(c, rc) : 0;
}

int commit_lose(struct commit *c, uint64_t from, uint64_t to, int kind, const char *event)
{
    if (c->is_stale)
        return -EAGAIN;

    int rc = begin(c);
    if (rc == 0)
        rc = db_run(&c->db, SQL_LOSE,
                    DB_VALUES(db_int((int64_t)from), db_int((int64_t)to), db_int(kind)));
    if (rc == 0 && event)
        rc = commit_event(c, event, strlen(event), false);
    if (rc == 0)
        rc = finish(c);
    return rc < 0 ? fail(c, rc) : 0;
}
