/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old entries go, oldest first, when the log is too large or they are too old, and only those
 * that every uplink has acknowledged: what waits for a destination stays.
 *
 * A frame is of use only with those before it in its segment, and segments of different streams
 * overlap: no number divides a running log between segments by itself. So now and then all
 * streams begin a segment at once. What lies between two such numbers is a chapter, and
 * chapters go as a whole: all that is kept can be decoded. Only far beyond the size limit is
 * one cut that would be too much to lose as a whole, which an event of the kind "loss" says.
 *
 * All in small steps, in transactions of their own.
 */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/store/writer.h"

enum {
    STEP = 256,             /* entries: some milliseconds of an SD card */
    CHAPTERS_MIN = 16,      /* of a large log, so that little goes at once */
    CHAPTER_MIN = 64,       /* entries: fewer would make many key frames */
    CHAPTERS_PER_AGE = 8,   /* entries stay at most so much longer than wished */
    SIZE_IS_LARGE_FROM = 8, /* an eighth of the limit: from there on chapters count */
    LOSS_MARGIN = 4,        /* a quarter beyond the limit a chapter is cut */
};

#define CHAPTER_MAX_MS (INT64_C(7) * 86400000) /* the longest segment */

/* The log as this step finds it. */
struct extent {
    int64_t first, last; /* entries */
    int64_t acked;       /* by every uplink */
    int64_t size;        /* bytes; 0 when there is no limit */
    int64_t oldest;      /* chapter: its first entry */
    int64_t next;        /* the chapter after it; above `last` + 1 when there is none */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t station_now(const struct store *s)
{
    struct clock system;

    if (s->options.clock)
        return clock_wall_ms(s->options.clock);
    clock_init(&system, 1, 0);
    return clock_wall_ms(&system);
}

static int measure(struct store *s, struct extent *ret)
{
    struct db *db = &s->commit.db;
    struct extent e = { .last = (int64_t)s->commit.tail.seq_last };
    int rc = db_number(db, SQL_SEQ_FIRST, NULL, 0, e.last + 1, &e.first);

    if (rc == 0)
        rc = db_number(db, SQL_CURSOR_LEAST, NULL, 0, e.last, &e.acked);
    if (rc == 0 && s->options.size_max_bytes > 0)
        rc = db_number(db, SQL_SIZE, NULL, 0, 0, &e.size);
    if (rc == 0)
        rc = db_number(db, SQL_CHAPTER_FIRST, NULL, 0, e.first, &e.oldest);
    if (rc == 0)
        rc = db_number(db, SQL_CHAPTER_NEXT, DB_VALUES(db_int(e.oldest)), INT64_MAX, &e.next);
    if (e.acked > e.last)
        e.acked = e.last;
    if (rc == 0)
        *ret = e;
    return rc;
}

/* ---- chapters ---- */

static int64_t chapter_ms(const struct store *s)
{
    int64_t ms = s->options.age_max_ms / CHAPTERS_PER_AGE;

    return ms > 0 && ms < CHAPTER_MAX_MS ? ms : CHAPTER_MAX_MS;
}

static bool is_large(const struct store *s, const struct extent *e, int64_t entries)
{
    return e->size > s->options.size_max_bytes / SIZE_IS_LARGE_FROM && entries >= CHAPTER_MIN &&
           entries >= (e->last + 1 - e->first) / CHAPTERS_MIN;
}

static bool chapter_is_due(struct store *s, const struct extent *e, int64_t now_ms)
{
    struct db *db = &s->commit.db;
    int64_t begin, began;

    if (db_number(db, SQL_CHAPTER_LAST, NULL, 0, 0, &begin) < 0 ||
        db_number(db, SQL_CHAPTER_BEGAN, NULL, 0, 0, &began) < 0)
        return false;
    int64_t entries = e->last + 1 - begin, span = chapter_ms(s);
    /* a clock that was set back makes one chapter more */
    return entries > 0 &&
           (now_ms - began >= span || began - now_ms >= span || is_large(s, e, entries));
}

/* ---- what may go ---- */

/*
 * Whether all of first..end is older than the limit, looked at from its newest entry on: mostly
 * that one is young. What was found old is not looked at again. *ret_has_more: ask again.
 */
static bool is_old(struct store *s, int64_t first, int64_t end, bool *ret_has_more)
{
    int64_t limit = station_now(s) - s->options.age_max_ms, young;

    if (s->options.age_max_ms <= 0)
        return false;
    if (s->judged_end != end) {
        s->judged_end = end;
        s->judged_from = end + 1;
    }
    int64_t from = s->judged_from - STEP < first ? first : s->judged_from - STEP;
    if (db_number(&s->commit.db, SQL_SEQ_YOUNG,
                  DB_VALUES(db_int(from), db_int(s->judged_from - 1), db_int(limit)), 0,
                  &young) < 0)
        return false;
    s->judged_from = young ? young + 1 : from;
    *ret_has_more = !young && from > first;
    return !young && from <= first;
}

/* A chapter that is most of the log is not given for a little room. */
static bool is_too_large(const struct store *s, const struct extent *e)
{
    return e->size > s->options.size_max_bytes && e->next - e->first <= (e->last + 1) - e->next;
}

static int64_t end_of_oldest(const struct extent *e)
{
    return least(e->next - 1, e->last);
}

/* With entries in it that wait for an uplink, the chapter stays nevertheless: it could not read
 * them without the others, and little would be won. */
static bool must_cut(const struct store *s, const struct extent *e)
{
    int64_t limit = s->options.size_max_bytes;

    return e->size > limit + limit / LOSS_MARGIN && end_of_oldest(e) <= e->acked;
}

/* The oldest chapter may go as a whole, or the rest of one must: it was begun. */
static bool chapter_may_go(struct store *s, const struct extent *e, bool *ret_has_more)
{
    if (e->oldest > e->first)
        return true;
    return e->next <= e->acked + 1 &&
           (is_too_large(s, e) || is_old(s, e->first, e->next - 1, ret_has_more));
}

/* ---- steps ---- */

/* The first step of a chapter takes its row away: its rest will go even after a restart. */
static bool trim_chapter(struct store *s, const struct extent *e)
{
    int64_t chapter = e->oldest > e->first ? e->oldest : e->next;
    int64_t end = least(least(e->first + STEP, chapter) - 1, e->acked);

    return end >= e->first &&
           commit_trim(&s->commit, (uint64_t)end, (uint64_t)chapter, NULL) == 0;
}

static void put_loss(char *buf, size_t size, const struct extent *e, int64_t now_ms)
{
    char when[TIME_TEXT_MAX];

    time_print_utc(now_ms, when);
    snprintf(buf, size,
             "{\"kind\":\"loss\",\"time\":\"%s\",\"why\":\"size\",\"from\":%" PRId64
             ",\"to\":%" PRId64 "}",
             when, e->first, end_of_oldest(e));
}

/* Once per chapter the event says which entries may be gone or of no use. */
static bool cut_chapter(struct store *s, const struct extent *e, int64_t now_ms)
{
    int64_t end = least(e->first + STEP - 1, end_of_oldest(e));
    bool is_new = e->oldest == e->first;
    char loss[160];

    put_loss(loss, sizeof loss, e, now_ms);
    if (commit_trim(&s->commit, (uint64_t)end, (uint64_t)e->oldest, is_new ? loss : NULL) < 0)
        return false;
    if (is_new)
        log_warning("log: far beyond its size limit, a chapter is cut: from=%" PRId64
                    " to=%" PRId64 " path=%s",
                    e->first, end_of_oldest(e), s->path);
    return true;
}

bool retain_step(struct store *s)
{
    int64_t now_ms = station_now(s);
    bool has_more = false;
    struct extent e = { 0 };

    if (s->commit.is_stale || measure(s, &e) < 0)
        return false;
    if (chapter_is_due(s, &e, now_ms))
        return commit_chapter(&s->commit, now_ms) == 0;
    if (e.first > e.last)
        return false;
    if (chapter_may_go(s, &e, &has_more))
        return trim_chapter(s, &e);
    if (!has_more && e.size > 0 && must_cut(s, &e))
        return cut_chapter(s, &e, now_ms);
    return has_more;
}
