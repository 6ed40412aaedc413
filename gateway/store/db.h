/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db - one connection to the database of the log, with its prepared statements. A connection
 * belongs to one thread at a time.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum db_sql {
#define STATEMENT(name, sql) SQL_##name,
#include "gateway/store/statements.def"
#undef STATEMENT
    SQL_COUNT_
};

enum db_mode {
    DB_WRITE, /* creates the file */
    DB_READ,
    DB_FIXED, /* reads a file that nobody writes, where nothing can be written beside it */
};

struct db {
    sqlite3 *handle;
    sqlite3_stmt *statements[SQL_COUNT_];
};

/* WAL and synchronous=FULL are set and read back. 0 or a negative errno; `error` gets a full
 * sentence then, and the connection is closed. */
int db_open(struct db *db, const char *path, enum db_mode mode, char *error, size_t size);
void db_close(struct db *db);

/* True when the connection is in WAL mode and syncs every commit: what "accepted" rests on. */
bool db_is_durable(struct db *db);

/* A parameter of a statement. Texts and blobs must live until the statement is reset. */
struct db_value {
    enum { DB_INT, DB_TEXT, DB_BLOB } type;
    int64_t i;
    const void *p;
    size_t n;
};

static inline struct db_value db_int(int64_t i)
{
    return (struct db_value){ .type = DB_INT, .i = i };
}

/* NULL is SQL's NULL. */
static inline struct db_value db_text(const char *text)
{
    return (struct db_value){ .type = DB_TEXT, .p = text };
}

static inline struct db_value db_blob(const void *p, size_t n)
{
    return (struct db_value){ .type = DB_BLOB, .p = p, .n = n };
}

/* Statement `sql` with its parameters bound, ready to step; NULL on failure (db_error). */
sqlite3_stmt *db_query(struct db *db, enum db_sql sql, const struct db_value *values, size_t n);

/* The next row: 1, 0 at the end, or a negative errno. At the end and on failure the statement
 * is reset, which ends the read transaction. */
int db_step(sqlite3_stmt *st);

/* Runs a statement without rows to its end. 0 or a negative errno. */
int db_run(struct db *db, enum db_sql sql, const struct db_value *values, size_t n);

/* First column of the first row, or `absent`. 0 or a negative errno. */
int db_number(struct db *db, enum db_sql sql, const struct db_value *values, size_t n,
              int64_t absent, int64_t *ret);

/* Arguments as an array and its length. */
#define DB_VALUES(...) \
    ((const struct db_value[]){ __VA_ARGS__ }), \
        sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)

/* The negative errno nearest to a result code of SQLite. */
int db_errno(int sqlite_code);
const char *db_error(struct db *db);
