/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old entries go, oldest first, when the log is too large or they are too old, and only those
 * that every uplink has acknowledged: what waits for a destination stays.
 *
 * A frame is of use only with those before it in its segment, and segments of different streams
 * overlap: no number divides a running log between segments by itself. So now and then all
 * streams begin a segment at once. What lies between two such numbers is a chapter, and
 * chapters go as a whole: all that is kept can be decoded.
 *
 * A log that is full all the same, because an uplink is dead or the disk is not the log's
 * alone, loses frames that somebody waits for: the oldest chapter's, from its end to its
 * beginning, so that what is left of it can be decoded at any time. Each such transaction holds
 * an event of the kind "loss" that says what went with it. Events stay until no frames are left
 * but the newest.
 *
 * All in small steps, in transactions of their own.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "gateway/base/log.h"
#include "gateway/store/writer.h"

enum {
    STEP = 256,             /* entries: some milliseconds of an SD card */
    CHAPTERS_MIN = 16,      /* of a large log, so that little goes at once */
    CHAPTER_MIN = 64,       /* entries: fewer would make many key frames */
    CHAPTERS_PER_AGE = 8,   /* entries stay at most so much longer than wished */
    SIZE_IS_LARGE_FROM = 8, /* an eighth of the limit: from there on chapters count */
    TRIM_FROM_PCT = 80,     /* of the limit: what is acknowledged goes */
    LOSS_MARGIN = 32,       /* this part of the limit stays for what the next steps write */
    LOSS_STEP = 4096,       /* entries: one event tells of so many */
    EVENTS_STEP = 64,       /* they may be large */
    DISK_RESERVE = 8 << 20, /* bytes that the file leaves free: twice what the WAL takes */
    DISK_RESERVE_PART = 8,  /* or this part of a small disk */
    LOSS_TEXT_MAX = 400,
    LOG_PAGE = 4096, /* db.c */
};

#define CHAPTER_MAX_MS (INT64_C(7) * 86400000) /* the longest segment */

/* The log as this step finds it. */
struct extent {
    int64_t first, last; /* entries */
    int64_t acked;       /* by every uplink */
    int64_t limit, size; /* bytes; 0 when there is no limit */
    int64_t oldest;      /* chapter: its first entry */
    int64_t next;        /* the chapter after it; above `last` + 1 when there is none */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t station_now(const struct store *s)
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
    struct extent e = { .last = (int64_t)s->commit.tail.seq_last, .limit = s->limit_bytes };
    int rc = db_number(db, SQL_SEQ_FIRST, NULL, 0, e.last + 1, &e.first);

    if (rc == 0)
        rc = db_number(db, SQL_CURSOR_LEAST, NULL, 0, e.last, &e.acked);
    if (rc == 0 && e.limit > 0)
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

static bool is_large(const struct extent *e, int64_t entries)
{
    return e->size > e->limit / SIZE_IS_LARGE_FROM && entries >= CHAPTER_MIN &&
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
           (now_ms - began >= span || began - now_ms >= span || is_large(e, entries));
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
    return s->is_full || (e->size > e->limit / 100 * TRIM_FROM_PCT &&
                          e->next - e->first <= (e->last + 1) - e->next);
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

    return end >= e->first && commit_trim(&s->commit, (uint64_t)end, (uint64_t)chapter) == 0;
}

/* ---- loss ---- */

struct loss { /* what somebody still waited for */
    int64_t n, samples, from, to, t_first, t_last;
};

static int sum_up(struct store *s, int64_t from, int64_t to, int kind, struct loss *ret)
{
    sqlite3_stmt *st =
        db_query(&s->commit.db, SQL_LOST, DB_VALUES(db_int(from), db_int(to), db_int(kind)));
    int rc = db_step(st);

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    *ret = (struct loss){
        .n = sqlite3_column_int64(st, 0),
        .samples = sqlite3_column_int64(st, 1),
        .from = sqlite3_column_int64(st, 2),
        .to = sqlite3_column_int64(st, 3),
        .t_first = sqlite3_column_int64(st, 4),
        .t_last = sqlite3_column_int64(st, 5),
    };
    sqlite3_reset(st);
    return 0;
}

static void put_loss(char text[LOSS_TEXT_MAX], const struct store *s, const struct loss *l,
                     int kind, int64_t now_ms)
{
    char when[TIME_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];

    time_print_utc(now_ms, when);
    time_print_utc(l->t_first, first);
    time_print_utc(l->t_last, last);
    snprintf(text, LOSS_TEXT_MAX,
             "{\"kind\":\"loss\",\"time\":\"%s\",\"why\":\"%s\",\"from\":%" PRId64
             ",\"to\":%" PRId64 ",\"%s\":%" PRId64 ",\"samples\":%" PRId64
             ",\"first\":\"%s\",\"last\":\"%s\"}",
             when, s->is_full && retain_is_disk_short(s) ? "disk" : "size", l->from, l->to,
             kind == STORE_FRAME ? "frames" : "events", l->n, l->samples, first, last);
}

static void note_loss(struct store *s, const struct loss *l)
{
    pthread_mutex_lock(&s->lock);
    s->health.lost_entries += (uint64_t)l->n;
    s->health.lost_samples += (uint64_t)l->samples;
    pthread_mutex_unlock(&s->lock);
    log_warning("log: full, entries are lost that an uplink has not acknowledged: from=%" PRId64
                " to=%" PRId64 " samples=%" PRId64 " path=%s",
                l->from, l->to, l->samples, s->path);
}

static bool lose(struct store *s, const struct extent *e, int64_t from, int64_t to, int kind,
                 int64_t now_ms)
{
    int64_t waiting = from > e->acked ? from : e->acked + 1;
    char text[LOSS_TEXT_MAX];
    struct loss l;

    if (sum_up(s, waiting, to, kind, &l) < 0)
        return false;
    put_loss(text, s, &l, kind, now_ms);
    if (commit_lose(&s->commit, (uint64_t)from, (uint64_t)to, kind, l.n > 0 ? text : NULL) < 0)
        return false;
    if (l.n > 0)
        note_loss(s, &l);
    return true;
}

/* The frames of the chapter first..next - 1, from the end. */
static bool lose_frames(struct store *s, const struct extent *e, int64_t first, int64_t next,
                        int64_t now_ms)
{
    int64_t to;

    if (db_number(&s->commit.db, SQL_FRAME_LAST, DB_VALUES(db_int(first), db_int(next - 1)), 0,
                  &to) < 0 ||
        to == 0)
        return false;
    s->losing_to = next;
    return lose(s, e, to - first >= LOSS_STEP ? to - LOSS_STEP + 1 : first, to, STORE_FRAME,
                now_ms);
}

static bool lose_events(struct store *s, const struct extent *e, int64_t now_ms)
{
    int64_t end = least(e->first + EVENTS_STEP, e->last) - 1;

    return end >= e->first && lose(s, e, e->first, end, STORE_EVENT, now_ms);
}

/* A chapter whose loss was begun goes as a whole: what waits for its end waits once. */
static bool must_lose(const struct store *s, const struct extent *e, int64_t frame)
{
    int64_t limit = s->options.size_max_bytes;

    return s->is_full || (frame > 0 && frame < s->losing_to) ||
           (limit > 0 && e->size > limit - limit / LOSS_MARGIN);
}

static bool lose_step(struct store *s, const struct extent *e, int64_t now_ms)
{
    int64_t frame, next;

    if (e->limit == 0 && !s->is_full)
        return false;
    if (db_number(&s->commit.db, SQL_FRAME_NEXT, DB_VALUES(db_int(s->frames_from)), 0, &frame) <
        0)
        return false;
    s->frames_from = frame > 0 ? frame : s->frames_from;
    if (!must_lose(s, e, frame))
        return false;
    if (frame == 0)
        return lose_events(s, e, now_ms);
    if (db_number(&s->commit.db, SQL_CHAPTER_NEXT, DB_VALUES(db_int(frame)), 0, &next) < 0)
        return false;
    if (next == 0) /* only the newest chapter has any */
        return commit_chapter(&s->commit, now_ms) == 0;
    return lose_frames(s, e, frame, next, now_ms);
}

/* ---- */

/*
 * What the file may grow to on this disk: not into the last of it, which the WAL needs, or what
 * it holds could not be written to the file and even a deletion would fail. When the file must
 * not grow, commits live on the pages of what is deleted.
 */
static int64_t disk_limit(struct store *s)
{
    struct statvfs v;
    int64_t size;

    if (statvfs(s->path, &v) < 0 ||
        db_number(&s->commit.db, SQL_FILE_SIZE, NULL, 0, 0, &size) < 0)
        return INT64_MAX;
    int64_t free = (int64_t)(v.f_bavail * v.f_frsize), all = (int64_t)(v.f_blocks * v.f_frsize);
    int64_t reserve = least(DISK_RESERVE, all / DISK_RESERVE_PART);
    return free > reserve ? size + free - reserve : size;
}

void retain_limit(struct store *s)
{
    int64_t limit = s->options.size_max_bytes > 0 ? s->options.size_max_bytes : INT64_MAX;
    char sql[64];

    if (!s->commit.db.handle)
        return;
    s->limit_bytes = least(limit, disk_limit(s));
    if (s->limit_bytes == INT64_MAX)
        s->limit_bytes = 0;
    /* 0 asks only, and SQLite never goes below what the file has */
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %" PRId64,
             least(s->limit_bytes / LOG_PAGE, UINT32_MAX - 1));
    sqlite3_exec(s->commit.db.handle, sql, NULL, NULL, NULL);
}

bool retain_is_disk_short(const struct store *s)
{
    return s->options.size_max_bytes <= 0 || s->limit_bytes < s->options.size_max_bytes;
}

bool retain_step(struct store *s)
{
    int64_t now_ms = station_now(s);
    bool has_more = false;
    struct extent e = { 0 };

    if (s->commit.is_stale)
        return false;
    retain_limit(s);
    if (measure(s, &e) < 0)
        return false;
    if (chapter_is_due(s, &e, now_ms))
        return commit_chapter(&s->commit, now_ms) == 0;
    if (e.first > e.last)
        return false;
    if (chapter_may_go(s, &e, &has_more))
        return trim_chapter(s, &e);
    return has_more || lose_step(s, &e, now_ms);
}
