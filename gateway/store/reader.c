/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/store/migrate.h"
#include "gateway/store/writer.h"
#include "sensors/core/bytes.h"

enum { DATA_MAX = CHUNK_BYTES + SERIES_FRAME_MAX };

static struct store_reader *create(struct store *s)
{
    struct store_reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->store = s;
    r->entries.data = r->segment.data = r->events.data = r->frames.data = BUF_INIT(DATA_MAX);
    if (series_decoder_create(&r->decoder) == 0)
        return r;
    free(r);
    return NULL;
}

int store_reader_open(struct store *s, struct store_reader **ret)
{
    struct store_reader *r = create(s);
    char error[200];

    if (!r)
        return -ENOMEM;
    int rc = db_open(&r->db, s->path, DB_READ, error, sizeof error);
    if (rc < 0) {
        log_error("log: %s", error);
        store_reader_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

/* A medium or folder that cannot be written has no room for what SQLite keeps beside a file
 * that others may write; nobody does there. */
static int open_readable(struct db *db, const char *path, char *error, size_t size)
{
    int rc = db_open(db, path, DB_READ, error, size);

    if (rc == 0)
        rc = migrate_check(db, error, size);
    if (rc < 0 && rc != -EINVAL && rc != -EBADMSG && access(path, R_OK) == 0) {
        db_close(db);
        rc = db_open(db, path, DB_FIXED, error, size);
        if (rc == 0)
            rc = migrate_check(db, error, size);
    }
    return rc;
}

int store_reader_open_file(const char *path, struct store_reader **ret, char *error,
                           size_t error_size)
{
    struct store_reader *r = create(NULL);

    if (!r) {
        snprintf(error, error_size, "There is no memory to read the log.");
        return -ENOMEM;
    }
    int rc = open_readable(&r->db, path, error, error_size);
    if (rc < 0) {
        store_reader_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void store_reader_close(struct store_reader *r)
{
    if (!r)
        return;
    db_close(&r->db);
    series_decoder_destroy(r->decoder);
    chunk_done(&r->entries);
    chunk_done(&r->segment);
    chunk_done(&r->events);
    chunk_done(&r->frames);
    free(r->time_ms);
    free(r->cells);
    free(r);
}

/* ---- chunks ---- */

void chunk_done(struct chunk *c)
{
    buf_done(&c->data);
}

static void take_entry(struct chunk *c, sqlite3_stmt *st)
{
    struct store_entry *e = &c->entries[c->n];

    *e = (struct store_entry){
        .seq = (uint64_t)sqlite3_column_int64(st, 0),
        .kind = (enum store_kind)sqlite3_column_int(st, 1),
        .stream = (uint32_t)sqlite3_column_int64(st, 2),
        .segment = (uint32_t)sqlite3_column_int64(st, 3),
        .frame_seq = (uint32_t)sqlite3_column_int64(st, 4),
        .t_first = sqlite3_column_int64(st, 5),
        .t_last = sqlite3_column_int64(st, 6),
        .samples = (uint32_t)sqlite3_column_int64(st, 7),
        .size = (size_t)sqlite3_column_bytes(st, 8),
        .is_local = sqlite3_column_int(st, 9) != 0,
    };
    c->at[c->n++] = c->data.size;
    const void *data = sqlite3_column_blob(st, 8);
    if (data)
        buf_put(&c->data, data, e->size);
    else
        e->size = 0;
}

int chunk_fill(struct chunk *c, sqlite3_stmt *st)
{
    int rc = 0;

    buf_clear(&c->data);
    c->n = 0;
    while (c->n < CHUNK_ENTRIES && c->data.size < CHUNK_BYTES && (rc = db_step(st)) > 0)
        take_entry(c, st);
    c->is_full = rc > 0;
    if (rc > 0)
        sqlite3_reset(st);
    if (c->data.has_failed) {
        c->n = 0;
        return -ENOMEM;
    }
    for (unsigned i = 0; i < c->n; i++)
        c->entries[i].data = c->data.data + c->at[i];
    return rc < 0 ? rc : 0;
}

/* False when the callback has had enough. */
static bool deliver(const struct chunk *c, unsigned n,
                    bool (*each)(void *user, const struct store_entry *e), void *user)
{
    for (unsigned i = 0; i < c->n && i < n; i++)
        if (!each(user, &c->entries[i]))
            return false;
    return true;
}

/* ---- entries ---- */

static int64_t seq_of(uint64_t seq)
{
    return seq > INT64_MAX ? INT64_MAX : (int64_t)seq;
}

static int read_entries(struct store_reader *r, enum db_sql sql, uint64_t from, uint64_t to,
                        bool (*each)(void *user, const struct store_entry *e), void *user)
{
    struct chunk *c = &r->entries;

    do {
        sqlite3_stmt *st =
            db_query(&r->db, sql, DB_VALUES(db_int(seq_of(from)), db_int(seq_of(to))));
        int rc = chunk_fill(c, st);
        if (rc < 0)
            return rc;
        if (c->n > 0)
            from = c->entries[c->n - 1].seq + 1;
        if (!deliver(c, c->n, each, user))
            return 0;
    } while (c->is_full);
    return 0;
}

int store_read_entries(struct store_reader *r, uint64_t from, uint64_t to,
                       bool (*each)(void *user, const struct store_entry *e), void *user)
{
    return read_entries(r, SQL_ENTRIES, from, to, each, user);
}

int store_read_event_entries(struct store_reader *r, uint64_t from, uint64_t to,
                             bool (*each)(void *user, const struct store_entry *e), void *user)
{
    return read_entries(r, SQL_EVENT_ENTRIES, from, to, each, user);
}

int store_read_segment(struct store_reader *r, uint32_t stream, uint32_t segment,
                       uint32_t from_frame_seq,
                       bool (*each)(void *user, const struct store_entry *e), void *user)
{
    struct chunk *c = &r->segment;

    do {
        sqlite3_stmt *st = db_query(&r->db, SQL_SEGMENT,
                                    DB_VALUES(db_int(stream), db_int(segment),
                                              db_int(from_frame_seq), db_int(UINT32_MAX)));
        int rc = chunk_fill(c, st);
        if (rc < 0)
            return rc;
        if (c->n > 0)
            from_frame_seq = c->entries[c->n - 1].frame_seq + 1;
        if (!deliver(c, c->n, each, user))
            return 0;
    } while (c->is_full);
    return 0;
}

int store_read_events(struct store_reader *r, const char *kind, unsigned n,
                      bool (*each)(void *user, const struct store_entry *e), void *user)
{
    struct chunk *c = &r->events;
    int64_t before = INT64_MAX;

    while (n > 0) {
        sqlite3_stmt *st =
            kind ? db_query(&r->db, SQL_EVENTS, DB_VALUES(db_text(kind), db_int(before)))
                 : db_query(&r->db, SQL_EVENTS_ALL, DB_VALUES(db_int(before)));
        int rc = chunk_fill(c, st);
        if (rc < 0)
            return rc;
        if (c->n > 0)
            before = (int64_t)c->entries[c->n - 1].seq;
        if (!deliver(c, n, each, user) || !c->is_full)
            return 0;
        n -= c->n < n ? c->n : n;
    }
    return 0;
}

static uint64_t number(struct store_reader *r, enum db_sql sql, int64_t absent)
{
    int64_t n;

    return db_number(&r->db, sql, NULL, 0, absent, &n) < 0 ? 0 : (uint64_t)n;
}

uint64_t store_read_epoch(struct store_reader *r)
{
    return number(r, SQL_LOG_GET, 0);
}

uint64_t store_read_last_seq(struct store_reader *r)
{
    return number(r, SQL_LOG_LAST, 0);
}

uint64_t store_read_first_seq(struct store_reader *r)
{
    return number(r, SQL_SEQ_FIRST, (int64_t)store_read_last_seq(r) + 1);
}

uint64_t store_read_next_shared(struct store_reader *r, uint64_t seq)
{
    int64_t behind = (int64_t)store_read_last_seq(r) + 1, next;

    /* an entry that comes between the two questions is found by the second */
    if (db_number(&r->db, SQL_SEQ_SHARED, DB_VALUES(db_int((int64_t)seq)), behind, &next) < 0)
        return seq;
    return (uint64_t)next;
}

uint64_t store_read_next_event(struct store_reader *r, uint64_t seq)
{
    int64_t behind = (int64_t)store_read_last_seq(r) + 1, next;

    if (db_number(&r->db, SQL_SEQ_EVENT, DB_VALUES(db_int((int64_t)seq)), behind, &next) < 0)
        return seq;
    return (uint64_t)next;
}

/* ---- layouts ---- */

char *store_read_layout(struct store_reader *r, uint32_t layout)
{
    sqlite3_stmt *st = db_query(&r->db, SQL_LAYOUT_GET, DB_VALUES(db_int(layout)));
    char *copy = NULL;

    if (db_step(st) > 0) {
        const char *json = (const char *)sqlite3_column_text(st, 0);
        if (json)
            copy = strdup(json);
        sqlite3_reset(st);
    }
    return copy;
}

int store_read_layouts(struct store_reader *r,
                       void (*each)(void *user, uint32_t layout, const char *dictionary),
                       void *user)
{
    sqlite3_stmt *st = db_query(&r->db, SQL_LAYOUTS, NULL, 0);
    int rc;

    while ((rc = db_step(st)) > 0) {
        const char *json = (const char *)sqlite3_column_text(st, 1);
        if (json)
            each(user, (uint32_t)sqlite3_column_int64(st, 0), json);
    }
    return rc;
}

int store_read_streams(struct store_reader *r,
                       void (*each)(void *user, uint32_t number, const char *name,
                                    uint32_t layout, bool is_local),
                       void *user)
{
    sqlite3_stmt *st = db_query(&r->db, SQL_STREAM_NAMES, NULL, 0);
    int rc;

    while ((rc = db_step(st)) > 0) {
        const char *name = (const char *)sqlite3_column_text(st, 1);
        if (name)
            each(user, (uint32_t)sqlite3_column_int64(st, 0), name,
                 (uint32_t)sqlite3_column_int64(st, 2), sqlite3_column_int(st, 3) != 0);
    }
    return rc;
}

/* ---- cursors ---- */

static void take_ranges(struct store_cursor *c, const uint8_t *p, size_t size)
{
    for (; size >= 16 && c->above_n < STORE_RANGES_MAX; p += 16, size -= 16)
        c->above[c->above_n++] = (struct store_range){ get_le64(p), get_le64(p + 8) };
}

/* The new uplink is written down at once, so that what it has yet to send is kept. What is left
 * of a chapter that is being trimmed is not for it: its frames could not be decoded. */
static int begin_cursor(struct store_reader *r, const char *uplink, struct store_cursor *ret)
{
    uint64_t first = number(r, SQL_SEQ_WHOLE, (int64_t)store_read_last_seq(r) + 1);

    *ret = (struct store_cursor){ .acked_to = first > 0 ? first - 1 : 0 };
    return r->store ? store_cursor_set(r->store, uplink, ret) : 0;
}

int store_cursor_get(struct store_reader *r, const char *uplink, struct store_cursor *ret)
{
    sqlite3_stmt *st = db_query(&r->db, SQL_CURSOR_GET, DB_VALUES(db_text(uplink)));
    int rc = db_step(st);

    if (rc == 0)
        return begin_cursor(r, uplink, ret);
    if (rc < 0)
        return rc;
    *ret = (struct store_cursor){ .acked_to = (uint64_t)sqlite3_column_int64(st, 0) };
    const uint8_t *above = sqlite3_column_blob(st, 1);
    if (above)
        take_ranges(ret, above, (size_t)sqlite3_column_bytes(st, 1));
    sqlite3_reset(st);
    return 0;
}

uint64_t store_read_set_aside(struct store_reader *r, const char *uplink)
{
    int64_t n;

    return db_number(&r->db, SQL_ASIDE_COUNT, DB_VALUES(db_text(uplink)), 0, &n) < 0
               ? 0
               : (uint64_t)n;
}

size_t store_read_aside(struct store_reader *r, const char *uplink, uint64_t after,
                        uint64_t *ret, size_t max)
{
    sqlite3_stmt *st =
        db_query(&r->db, SQL_ASIDE_NEXT, DB_VALUES(db_text(uplink), db_int((int64_t)after)));
    size_t n = 0;

    while (n < max && db_step(st) > 0)
        ret[n++] = (uint64_t)sqlite3_column_int64(st, 0);
    if (n == max)
        sqlite3_reset(st);
    return n;
}
