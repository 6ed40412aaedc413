/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/series/frame.h"
#include "gateway/store/tail.h"

enum { STEP = 8192 }; /* entries of one read transaction: a fraction of a second */

static uint64_t column(sqlite3_stmt *st, int i)
{
    return (uint64_t)sqlite3_column_int64(st, i);
}

int info_read_log(struct store_reader *r, struct info_log *ret)
{
    struct info_log l = { 0 };
    int64_t version = 0;
    sqlite3_stmt *st = db_query(&r->db, SQL_LOG_GET, NULL, 0);
    int rc = db_step(st);

    if (rc <= 0)
        return rc < 0 ? rc : -EBADMSG;
    l.epoch = column(st, 0);
    l.seq_last = column(st, 2);
    l.samples = column(st, 3);
    l.rows = column(st, 4);
    l.events = column(st, 5);
    sqlite3_reset(st);
    l.seq_first = store_read_first_seq(r);
    rc = db_number(&r->db, SQL_SIZE, NULL, 0, 0, &l.used_bytes);
    if (rc == 0)
        rc = db_number(&r->db, SQL_FILE_SIZE, NULL, 0, 0, &l.file_bytes);
    if (rc == 0)
        rc = db_number(&r->db, SQL_INFO_VERSION, NULL, 0, 0, &version);
    l.version = (int)version;
    if (rc == 0)
        *ret = l;
    return rc;
}

/* ---- streams ---- */

struct sums {
    struct info_stream *streams; /* by number */
    struct info_events events;
};

static void add(struct sums *s, sqlite3_stmt *st)
{
    uint64_t number = column(st, 0);

    if (sqlite3_column_type(st, 0) == SQLITE_NULL) {
        s->events.n += column(st, 1);
        s->events.bytes += column(st, 2);
        return;
    }
    if (number >= TAIL_STREAMS_MAX)
        return;
    struct info_stream *i = &s->streams[number];
    int64_t first = sqlite3_column_int64(st, 4), last = sqlite3_column_int64(st, 5);
    i->t_first = i->frames && i->t_first < first ? i->t_first : first;
    i->t_last = i->frames && i->t_last > last ? i->t_last : last;
    i->frames += column(st, 1);
    i->bytes += column(st, 2);
    i->samples += column(st, 3);
}

static int add_up(struct store_reader *r, struct sums *s)
{
    uint64_t last = store_read_last_seq(r);

    for (uint64_t from = store_read_first_seq(r); from <= last; from += STEP) {
        sqlite3_stmt *st =
            db_query(&r->db, SQL_INFO_ENTRIES,
                     DB_VALUES(db_int((int64_t)from), db_int((int64_t)(from + STEP - 1))));
        int rc;
        while ((rc = db_step(st)) > 0)
            add(s, st);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static char codec_of(struct store_reader *r, uint32_t stream)
{
    sqlite3_stmt *st = db_query(&r->db, SQL_INFO_CODEC, DB_VALUES(db_int(stream)));
    char codec = 0;

    if (db_step(st) <= 0)
        return 0;
    const uint8_t *first = sqlite3_column_blob(st, 0);
    if (first && sqlite3_column_bytes(st, 0) > 0)
        codec = *first & FRAME_DENSE ? 'd' : 'p';
    sqlite3_reset(st);
    return codec;
}

struct naming {
    struct store_reader *r;
    struct info_stream *streams;
    void (*each)(void *user, const struct info_stream *s);
    void *user;
};

static int name_streams(struct naming *n)
{
    sqlite3_stmt *st = db_query(&n->r->db, SQL_INFO_STREAMS, NULL, 0);
    int rc;

    while ((rc = db_step(st)) > 0) {
        uint64_t number = column(st, 0);
        if (number >= TAIL_STREAMS_MAX)
            continue;
        struct info_stream s = n->streams[number];
        s.number = (uint32_t)number;
        s.name = (const char *)sqlite3_column_text(st, 1);
        s.columns = (unsigned)sqlite3_column_int(st, 2);
        s.is_local = sqlite3_column_int(st, 3) != 0;
        s.codec = codec_of(n->r, s.number);
        n->each(n->user, &s);
    }
    return rc;
}

int info_read_streams(struct store_reader *r,
                      void (*each)(void *user, const struct info_stream *s), void *user,
                      struct info_events *ret_events)
{
    struct sums s = { .streams = calloc(TAIL_STREAMS_MAX, sizeof *s.streams) };

    if (!s.streams)
        return -ENOMEM;
    int rc = add_up(r, &s);
    if (rc == 0)
        rc = name_streams(&(struct naming){ r, s.streams, each, user });
    if (rc == 0)
        *ret_events = s.events;
    free(s.streams);
    return rc;
}

/* ---- cursors ---- */

static int count_waiting(struct store_reader *r, struct info_cursor *c)
{
    sqlite3_stmt *st =
        db_query(&r->db, SQL_INFO_WAITING, DB_VALUES(db_int((int64_t)c->acked_to)));
    int rc = db_step(st);

    if (rc <= 0)
        return rc;
    c->waiting = column(st, 0);
    c->waiting_bytes = column(st, 1);
    c->waiting_since = sqlite3_column_int64(st, 2);
    sqlite3_reset(st);
    c->set_aside = store_read_set_aside(r, c->uplink);
    return 0;
}

int info_read_cursors(struct store_reader *r,
                      void (*each)(void *user, const struct info_cursor *c), void *user)
{
    sqlite3_stmt *st = db_query(&r->db, SQL_INFO_CURSORS, NULL, 0);
    int rc;

    while ((rc = db_step(st)) > 0) {
        struct info_cursor c = { .uplink = (const char *)sqlite3_column_text(st, 0),
                                 .acked_to = column(st, 1) };
        int failed = c.uplink ? count_waiting(r, &c) : -ENOMEM;
        if (failed < 0) {
            sqlite3_reset(st);
            return failed;
        }
        each(user, &c);
    }
    return rc;
}
