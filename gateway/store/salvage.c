/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damaged page takes the entries of its leaf with it; those behind it are found by asking for
 * ever larger numbers until the database answers again, and then for the least that it answers.
 */
#include <errno.h>

#include "gateway/store/reader.h"

struct salvage {
    struct store_reader *r;
    uint64_t to; /* the newest entry, as far as it is known */
    bool (*each)(void *user, const struct store_entry *e);
    void (*lost)(void *user, uint64_t from, uint64_t to);
    void *user;
};

static bool is_damage(int rc)
{
    return rc == -EBADMSG || rc == -EIO;
}

/* Whether the first entry from `seq` on can be read, or there is none. Its number goes to
 * *found, 0 for none. */
static bool answers(const struct salvage *s, uint64_t seq, uint64_t *found)
{
    sqlite3_stmt *st = db_query(&s->r->db, SQL_ENTRIES,
                                DB_VALUES(db_int((int64_t)seq), db_int((int64_t)s->to)));
    int rc = st ? db_step(st) : -EIO;

    if (rc > 0) {
        bool is_whole = sqlite3_column_blob(st, 8) != NULL;
        *found = (uint64_t)sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
        return is_whole;
    }
    *found = 0;
    return rc == 0;
}

/* The first entry behind a damage at `from`; 0 when none can be reached. */
static uint64_t next_readable(const struct salvage *s, uint64_t from)
{
    uint64_t bad = from, step = 1, found = 0;

    while (step <= s->to - from && !answers(s, from + step, &found)) {
        bad = from + step;
        step *= 2;
    }
    if (step > s->to - from)
        return 0;
    uint64_t good = from + step, last = found;
    while (good - bad > 1) {
        uint64_t middle = bad + (good - bad) / 2;
        if (answers(s, middle, &found)) {
            good = middle;
            last = found;
        } else {
            bad = middle;
        }
    }
    return last;
}

/* Entries up to the next damage. 1 when there may be more, 0 at the end, or -errno. */
static int read_on(const struct salvage *s, uint64_t *from)
{
    struct chunk *c = &s->r->entries;
    int rc = chunk_fill(c, db_query(&s->r->db, SQL_ENTRIES,
                                    DB_VALUES(db_int((int64_t)*from), db_int((int64_t)s->to))));

    for (unsigned i = 0; i < c->n; i++)
        if (!s->each(s->user, &c->entries[i]))
            return 0;
    if (c->n > 0)
        *from = c->entries[c->n - 1].seq + 1;
    return rc < 0 ? rc : c->is_full;
}

int store_salvage(struct store_reader *r, bool (*each)(void *user, const struct store_entry *e),
                  void (*lost)(void *user, uint64_t from, uint64_t to), void *user)
{
    struct salvage s = { .r = r, .to = INT64_MAX, .each = each, .lost = lost, .user = user };
    uint64_t from = 0;
    int rc;

    while ((rc = read_on(&s, &from)) != 0) {
        if (rc > 0)
            continue;
        if (!is_damage(rc))
            return rc;
        uint64_t next = next_readable(&s, from);
        lost(user, from, next ? next - 1 : UINT64_MAX);
        if (next == 0)
            return 0;
        from = next;
    }
    return 0;
}
