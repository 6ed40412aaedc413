/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    BUSY_MS = 5000, /* only recovery and checkpoints of other connections make anyone wait */
};

static const char *const texts[SQL_COUNT_] = {
#define STATEMENT(name, sql) sql,
#include "gateway/store/statements.def"
#undef STATEMENT
};

/* In this order: pages are sized before the first write, WAL before synchronous. A WAL that a
 * stalled reader let grow is cut back to 16 MiB; 2 MiB of cache hold the pages of one commit.
 */
static const char write_pragmas[] = "PRAGMA page_size = 4096;"
                                    "PRAGMA journal_mode = WAL;"
                                    "PRAGMA synchronous = FULL;"
                                    "PRAGMA journal_size_limit = 16777216;"
                                    "PRAGMA cache_size = -2048;"
                                    "PRAGMA foreign_keys = OFF;"
                                    "PRAGMA trusted_schema = OFF;";
static const char read_pragmas[] = "PRAGMA query_only = ON;"
                                   "PRAGMA cache_size = -1024;"
                                   "PRAGMA trusted_schema = OFF;";

static const struct {
    int code, err;
} errnos[] = {
    { SQLITE_FULL, -ENOSPC },     { SQLITE_NOMEM, -ENOMEM },   { SQLITE_BUSY, -EBUSY },
    { SQLITE_LOCKED, -EBUSY },    { SQLITE_READONLY, -EROFS }, { SQLITE_CANTOPEN, -ENOENT },
    { SQLITE_CORRUPT, -EBADMSG }, { SQLITE_NOTADB, -EBADMSG }, { SQLITE_TOOBIG, -EFBIG },
    { SQLITE_PERM, -EACCES },     { SQLITE_AUTH, -EACCES },
};

int db_errno(int sqlite_code)
{
    for (size_t i = 0; i < sizeof errnos / sizeof errnos[0]; i++)
        if (errnos[i].code == (sqlite_code & 255))
            return errnos[i].err;
    return -EIO;
}

const char *db_error(struct db *db)
{
    return db->handle ? sqlite3_errmsg(db->handle) : "the database is not open";
}

void db_close(struct db *db)
{
    for (size_t i = 0; i < SQL_COUNT_; i++)
        sqlite3_finalize(db->statements[i]);
    sqlite3_close(db->handle);
    *db = (struct db){ 0 };
}

/* The single value that a pragma reports, as text. */
static bool pragma_is(struct db *db, const char *sql, const char *want)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) != SQLITE_OK)
        return false;
    const char *text =
        sqlite3_step(st) == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    bool is_so = text && strcmp(text, want) == 0;
    sqlite3_finalize(st);
    return is_so;
}

bool db_is_durable(struct db *db)
{
    return pragma_is(db, "PRAGMA journal_mode", "wal") &&
           pragma_is(db, "PRAGMA synchronous", "2");
}

/* "file:PATH?immutable=1", the path escaped; sqlite3_free() it. */
static char *fixed_uri(const char *path)
{
    sqlite3_str *s = sqlite3_str_new(NULL);

    sqlite3_str_appendall(s, "file:");
    for (; *path; path++) {
        if (strchr("%?# ", *path))
            sqlite3_str_appendf(s, "%%%02x", (unsigned char)*path);
        else
            sqlite3_str_appendchar(s, 1, *path);
    }
    sqlite3_str_appendall(s, "?immutable=1");
    return sqlite3_str_finish(s);
}

static int open_file(sqlite3 **ret, const char *path, enum db_mode mode)
{
    static const int flags[] = {
        [DB_WRITE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [DB_READ] = SQLITE_OPEN_READONLY,
        [DB_FIXED] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
    };
    char *uri = mode == DB_FIXED ? fixed_uri(path) : NULL;

    if (mode == DB_FIXED && !uri)
        return SQLITE_NOMEM;
    int rc = sqlite3_open_v2(uri ? uri : path, ret,
                             flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    sqlite3_free(uri);
    return rc;
}

int db_open(struct db *db, const char *path, enum db_mode mode, char *error, size_t size)
{
    struct db d = { 0 };

    int rc = open_file(&d.handle, path, mode);
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(d.handle, BUSY_MS);
        rc = sqlite3_exec(d.handle, mode == DB_WRITE ? write_pragmas : read_pragmas, NULL, NULL,
                          NULL);
    }
    if (rc != SQLITE_OK) {
        snprintf(error, size, "The database %s cannot be opened: %s.", path,
                 d.handle ? sqlite3_errmsg(d.handle) : "no memory");
        db_close(&d);
        return db_errno(rc);
    }
    if (mode == DB_WRITE && !db_is_durable(&d)) {
        snprintf(
            error, size,
            "The database %s does not take journal_mode=WAL with synchronous=FULL, without "
            "which a power cut loses accepted data; is it on a network file system?",
            path);
        db_close(&d);
        return -ENOTSUP;
    }
    *db = d;
    return 0;
}

static int bind(sqlite3_stmt *st, int at, const struct db_value *v)
{
    switch (v->type) {
    case DB_INT:
        return sqlite3_bind_int64(st, at, v->i);
    case DB_TEXT:
        return sqlite3_bind_text(st, at, v->p, -1, SQLITE_STATIC);
    case DB_BLOB: /* a null pointer would bind NULL, but empty is not absent */
        return sqlite3_bind_blob64(st, at, v->n ? v->p : "", v->n, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

sqlite3_stmt *db_query(struct db *db, enum db_sql sql, const struct db_value *values, size_t n)
{
    sqlite3_stmt **st = &db->statements[sql];

    if (!db->handle)
        return NULL;
    if (!*st && sqlite3_prepare_v3(db->handle, texts[sql], -1, SQLITE_PREPARE_PERSISTENT, st,
                                   NULL) != SQLITE_OK)
        return NULL;
    sqlite3_reset(*st);
    for (size_t i = 0; i < n; i++)
        if (bind(*st, (int)i + 1, &values[i]) != SQLITE_OK)
            return NULL;
    return *st;
}

int db_step(sqlite3_stmt *st)
{
    int rc = st ? sqlite3_step(st) : SQLITE_NOMEM;

    if (rc == SQLITE_ROW)
        return 1;
    if (st)
        sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : db_errno(rc);
}

/* Why db_query gave NULL. */
static int query_errno(struct db *db)
{
    return db->handle ? db_errno(sqlite3_errcode(db->handle)) : -EIO;
}

int db_run(struct db *db, enum db_sql sql, const struct db_value *values, size_t n)
{
    sqlite3_stmt *st = db_query(db, sql, values, n);

    if (!st)
        return query_errno(db);
    int rc = db_step(st);
    if (rc > 0)
        sqlite3_reset(st);
    return rc < 0 ? rc : 0;
}

int db_number(struct db *db, enum db_sql sql, const struct db_value *values, size_t n,
              int64_t absent, int64_t *ret)
{
    sqlite3_stmt *st = db_query(db, sql, values, n);

    if (!st)
        return query_errno(db);
    int rc = db_step(st);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        *ret = absent;
        return 0;
    }
    *ret = sqlite3_column_type(st, 0) == SQLITE_NULL ? absent : sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}
