/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/migrate.h"

#include <errno.h>
#include <stdio.h>

#include "gateway/base/embedded.h"

enum {
    APPLICATION_ID = 0x534C4C47
}; /* "SLLG": file(1) and other programs can tell it is a log */

/* Step i brings version i to i + 1: schema.sql and what follows it, in the order of
 * meson.build. */
extern const struct embedded_file store_migrations[];
extern const size_t store_migrations_n;

static int read_pragma(struct db *db, const char *sql, int *ret)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? 0 : db_errno(rc);
}

static int refuse(char *error, size_t size, const char *why)
{
    snprintf(error, size, "The database %s.", why);
    return -EINVAL;
}

static int apply(struct db *db, size_t version)
{
    char pragmas[96];

    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %zu;",
             APPLICATION_ID, version + 1);
    int rc = sqlite3_exec(db->handle, (const char *)store_migrations[version].data, NULL, NULL,
                          NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db_errno(rc);
}

static int apply_all(struct db *db, size_t version)
{
    int rc = db_run(db, SQL_BEGIN, NULL, 0);

    for (; rc == 0 && version < store_migrations_n; version++)
        rc = apply(db, version);
    return rc == 0 ? db_run(db, SQL_COMMIT, NULL, 0) : rc;
}

static int read_version(struct db *db, int *version, int *application, int *tables)
{
    int rc = read_pragma(db, "PRAGMA user_version", version);

    if (rc == 0)
        rc = read_pragma(db, "PRAGMA application_id", application);
    if (rc == 0)
        rc = read_pragma(db, "SELECT count(*) FROM sqlite_schema", tables);
    return rc;
}

int migrate_check(struct db *db, char *error, size_t size)
{
    int version = 0, application = 0, tables = 0;
    int rc = read_version(db, &version, &application, &tables);

    if (rc < 0) {
        snprintf(error, size, "The database cannot be read: %s.", db_error(db));
        return rc;
    }
    if (application != APPLICATION_ID || version < 1)
        return refuse(error, size, "is not a log of this program");
    if ((size_t)version > store_migrations_n)
        return refuse(error, size, "was written by a newer version of this program");
    return 0;
}

int migrate_run(struct db *db, char *error, size_t size)
{
    int version = 0, application = 0, tables = 0;
    int rc = read_version(db, &version, &application, &tables);

    if (rc == 0 && tables > 0 && application != APPLICATION_ID)
        return refuse(error, size, "is not a log of this program");
    if (rc == 0 && (version < 0 || (size_t)version > store_migrations_n))
        return refuse(error, size, "was written by a newer version of this program");
    if (rc == 0 && (size_t)version < store_migrations_n)
        rc = apply_all(db, (size_t)version);
    if (rc < 0) {
        snprintf(error, size, "The tables of the log cannot be made or read: %s.",
                 db_error(db));
        if (!sqlite3_get_autocommit(db->handle))
            db_run(db, SQL_ROLLBACK, NULL, 0);
    }
    return rc;
}
