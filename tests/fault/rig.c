/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/rig.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SEAL_ROWS = 8,
    CHECKPOINT_PAGES = 24,
    NARROW_EVERY = 3,
    EVENT_EVERY = 5,
    CURSOR_EVERY = 7,
    OPEN_SHORT_EVERY = 4, /* steps whose row is taken as it is before its flags are final */
    OPEN_MS = 600000,
    OPEN_SHORT_MS = 1,
};

#define T0 INT64_C(1700000000000)

static const char dictionary[] = "{\"sf1\":1,\"channels\":[]}";

static int64_t value(uint64_t step, unsigned column)
{
    uint64_t noise = (step * 8 + column) * UINT64_C(0x9E3779B97F4A7C15);

    return column == 0 ? (int64_t)step : (int64_t)(noise >> (column == 1 ? 54 : 30));
}

/* Of the row while it is open, and for good: the same for some. */
static uint32_t flag_of(uint64_t step, bool is_final)
{
    return is_final ? (uint32_t)(step % 3) * 5 : 10;
}

/* Three rows in five are open at first; those of both streams that stand in one batch differ in
 * how long. */
static int64_t wait_of(uint64_t step, bool is_narrow)
{
    if ((step + is_narrow) % 5 >= 3)
        return 0;
    return (step + is_narrow) % OPEN_SHORT_EVERY ? OPEN_MS : OPEN_SHORT_MS;
}

/* A long wait ends with the flags of the row, which come in the batch of the next one, before
 * it. */
static bool is_awaited(uint64_t step, bool is_narrow)
{
    return wait_of(step, is_narrow) == OPEN_MS;
}

static int64_t time_of(uint64_t step)
{
    return T0 + (int64_t)step * 1000;
}

/* ---- the log ---- */

static void on_off(void *user)
{
    struct rig *r = user;

    pthread_mutex_lock(&r->lock);
    r->is_off = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void on_commit(void *user, const struct store_commit *c)
{
    struct rig *r = user;

    pthread_mutex_lock(&r->lock);
    r->batches = c->batches;
    r->seq_last = c->seq_last;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void note_reported(struct rig *r)
{
    if (r->batches > 0)
        r->acked = r->marks[r->batches];
}

static void init(struct rig *r, const char *parent)
{
    *r = (struct rig){ 0 };
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    snprintf(r->folder, sizeof r->folder, "%s/sluice-fault-XXXXXX", parent);
    if (!mkdtemp(r->folder))
        abort();
    snprintf(r->path, sizeof r->path, "%s/log.db", r->folder);
}

void rig_set_up(struct rig *r)
{
    init(r, "/tmp");
    if (crash_vfs_create(&r->disk) < 0)
        abort();
    crash_vfs_on_off(r->disk, on_off, r);
    crash_vfs_checkpoint_pages(r->disk, CHECKPOINT_PAGES);
}

void rig_set_up_on_files(struct rig *r)
{
    init(r, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static void remove_files(const struct rig *r)
{
    static const char *const ends[] = { "", "-mark", "-wal", "-shm" };
    char path[128];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(path, sizeof path, "%s%s", r->path, ends[i]);
        unlink(path);
    }
}

void rig_tear_down(struct rig *r)
{
    rig_close(r);
    remove_files(r);
    rmdir(r->folder);
    crash_vfs_destroy(r->disk);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
}

void rig_format(struct rig *r, uint64_t seed)
{
    remove_files(r);
    if (r->disk)
        crash_vfs_format(r->disk, seed);
    r->epoch = r->seq_last = 0;
    r->made = r->acked = (struct rig_mark){ 0 };
    r->is_off = false;
    r->why[0] = '\0';
}

static int open_streams(struct rig *r)
{
    int rc = store_stream_open(r->store, "wide", RIG_WIDE, 1000, 1, NULL, dictionary, &r->wide);

    return rc < 0 ? rc
                  : store_stream_open(r->store, "narrow", RIG_NARROW, 3000, 1, NULL, dictionary,
                                      &r->narrow);
}

int rig_open(struct rig *r)
{
    char error[256] = "";
    const struct store_options o = {
        .path = r->path,
        .commit_ms = 50,
        .seal_ms = 3600000,
        .seal_rows = SEAL_ROWS,
        .dense_columns_max = RIG_WIDE, /* one stream of each codec */
        .size_max_bytes = r->size_max_bytes,
        .speed = 1,
    };
    r->batches = 0;
    r->submitted = 0;
    int rc = store_open(&o, on_commit, r, &r->store, error, sizeof error);

    if (rc < 0) {
        snprintf(r->why, sizeof r->why, "%.150s", error);
        return rc;
    }
    rc = open_streams(r);
    if (rc < 0) {
        rig_close(r);
        snprintf(r->why, sizeof r->why, "a stream cannot be opened: %s", strerror(-rc));
    } else if (r->epoch == 0) {
        r->epoch = store_epoch(r->store);
    }
    return rc;
}

void rig_close(struct rig *r)
{
    store_close(r->store);
    r->store = NULL;
    note_reported(r);
}

/* ---- feeding ---- */

static void fill_cells(struct series_cell cells[RIG_WIDE], uint64_t step, uint32_t flag)
{
    for (unsigned j = 0; j < RIG_WIDE; j++)
        cells[j] =
            (struct series_cell){ .v = value(step, j), .e = (int8_t)j, .flag = j ? 0 : flag };
}

static int put_row(struct rig *r, struct store_batch *b, uint64_t step, bool is_narrow)
{
    const uint32_t stream = is_narrow ? r->narrow : r->wide;
    const unsigned columns = is_narrow ? RIG_NARROW : RIG_WIDE;
    const uint64_t step_by = is_narrow ? NARROW_EVERY : 1;
    struct series_cell cells[RIG_WIDE];
    int rc = 0;

    if (step >= step_by) {
        fill_cells(cells, step - step_by, flag_of(step - step_by, true));
        rc = store_batch_final(b, stream, time_of(step - step_by), cells, columns);
    }
    if (rc < 0)
        return rc;
    const int64_t wait_ms = wait_of(step, is_narrow);
    fill_cells(cells, step, flag_of(step, wait_ms == 0));
    if (wait_ms == 0)
        return store_batch_row(b, stream, time_of(step), cells, columns);
    return store_batch_open_row(b, stream, time_of(step), cells, columns, wait_ms);
}

static int put_rows(struct rig *r, struct store_batch *b, uint64_t step)
{
    int rc = put_row(r, b, step, false);

    return rc < 0 || step % NARROW_EVERY ? rc : put_row(r, b, step, true);
}

static int put_step(struct rig *r, struct store_batch *b, uint64_t step)
{
    char json[64];
    int rc = put_rows(r, b, step);

    snprintf(json, sizeof json, "{\"kind\":\"step\",\"n\":%" PRIu64 "}", step);
    if (rc == 0 && step % EVENT_EVERY == 0)
        rc = store_batch_event(b, json);
    return rc == 0 ? store_batch_state(b, "last", &step, sizeof step) : rc;
}

static void note_batch(struct rig *r)
{
    if (++r->submitted >= RIG_BATCHES_MAX)
        abort();
    r->marks[r->submitted] = r->made;
}

/* What a destination has, the station must not send again for ever: the cursor moves on with
 * commits and never back. */
static void put_cursor(struct rig *r)
{
    pthread_mutex_lock(&r->lock);
    const struct store_cursor c = { .acked_to = r->seq_last };
    pthread_mutex_unlock(&r->lock);
    if (store_cursor_set(r->store, "centre", &c) < 0)
        return;
    r->made.cursor = c.acked_to;
    note_batch(r);
}

bool rig_step(struct rig *r)
{
    struct store_batch *b;
    uint64_t step = r->made.steps;

    if (r->has_dead_uplink ? step == 0 : step % CURSOR_EVERY == CURSOR_EVERY - 1)
        put_cursor(r);
    if (store_batch_begin(r->store, &b) < 0)
        return false;
    if (put_step(r, b, step) < 0) {
        store_batch_drop(b);
        return false;
    }
    if (store_batch_submit(b, STORE_AT_ONCE) < 0)
        abort();
    r->made.steps++;
    note_batch(r);
    return true;
}

bool rig_wait(struct rig *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->is_off && r->batches < r->submitted)
        pthread_cond_wait(&r->changed, &r->lock);
    bool is_done = r->batches >= r->submitted;
    note_reported(r);
    pthread_mutex_unlock(&r->lock);
    return is_done;
}

static bool wait_ms(struct rig *r, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(&r->changed, &r->lock, &until) == 0;
}

bool rig_wait_unless_failed(struct rig *r)
{
    struct store_health h = { 0 };

    pthread_mutex_lock(&r->lock);
    while (r->batches < r->submitted && h.commit_errors == 0) {
        wait_ms(r, 1);
        pthread_mutex_unlock(&r->lock);
        store_health_get(r->store, &h);
        pthread_mutex_lock(&r->lock);
    }
    bool is_done = r->batches >= r->submitted;
    note_reported(r);
    pthread_mutex_unlock(&r->lock);
    return is_done;
}

/* ---- judging ---- */

struct walk {
    struct rig *rig;
    uint64_t next, step_by;
    unsigned columns;
    bool is_narrow;
    bool is_provisional; /* the row before has not its last flags */
    bool is_bad;
};

/* The last row alone, or one that was not waited for, may have the flags that it had first. */
static bool has_right_flag(struct walk *w, uint32_t flag)
{
    if (w->is_provisional)
        return false;
    if (flag == flag_of(w->next, true))
        return true;
    w->is_provisional = is_awaited(w->next, w->is_narrow);
    return wait_of(w->next, w->is_narrow) > 0 && flag == flag_of(w->next, false);
}

static bool check_row(void *user, int64_t time_ms, const struct series_cell *cells,
                      unsigned columns, uint32_t layout)
{
    struct walk *w = user;

    (void)layout;
    w->is_bad = columns != w->columns || time_ms != time_of(w->next) ||
                !has_right_flag(w, cells[0].flag);
    for (unsigned j = 0; j < columns && !w->is_bad; j++)
        w->is_bad = cells[j].v != value(w->next, j) || cells[j].e != (int8_t)j ||
                    (j > 0 && cells[j].flag);
    if (w->is_bad)
        snprintf(w->rig->why, sizeof w->rig->why,
                 "row of step %" PRIu64 " wanted, found that of %" PRId64 " with flag %" PRIu32,
                 w->next, (time_ms - T0) / 1000, cells[0].flag);
    w->next += w->step_by;
    return !w->is_bad;
}

/* Events newest first: they must be those of the last steps. */
struct event_walk {
    uint64_t step; /* wanted next */
    uint64_t until;
    bool is_bad;
};

static bool check_event(void *user, const struct store_entry *e)
{
    struct event_walk *w = user;
    char want[48], text[256];

    snprintf(text, sizeof text, "%.*s", (int)e->size, (const char *)e->data);
    snprintf(want, sizeof want, "\"n\":%" PRIu64 "}", w->step);
    w->is_bad = !strstr(text, want);
    if (w->is_bad || w->step < w->until + EVENT_EVERY)
        return false;
    w->step -= EVENT_EVERY;
    return true;
}

static int fault(struct rig *r, const char *what)
{
    if (!r->why[0])
        snprintf(r->why, sizeof r->why, "%s", what);
    return -1;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st;
    int64_t n = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

static int judge_cursor(struct rig *r, sqlite3 *db)
{
    int64_t at = number(db, "SELECT coalesce(max(acked_to), 0) FROM cursor");

    if (at < (int64_t)r->acked.cursor || at > (int64_t)r->made.cursor)
        return fault(r, "the cursor");
    r->found.cursor = (uint64_t)at;
    return 0;
}

static int judge_tables(struct rig *r)
{
    sqlite3 *db;
    int rc = 0;

    if (sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        rc = fault(r, "cannot be opened");
    else if (number(db, "SELECT count(*) = 1 AND min(integrity_check) = 'ok'"
                        " FROM pragma_integrity_check") != 1)
        rc = fault(r, "integrity_check");
    else if (number(db, "SELECT coalesce(max(seq), 0) = log.seq_last AND"
                        " count(seq) = coalesce(max(seq) - min(seq) + 1, 0)"
                        " FROM log LEFT JOIN entry") != 1)
        rc = fault(r, "the numbers of the entries have gaps");
    else if (number(db, "SELECT count(*) FROM entry e WHERE kind = 1 AND frame_seq > 0 AND NOT"
                        " EXISTS (SELECT 1 FROM entry p WHERE p.kind = 1 AND"
                        " p.stream = e.stream AND p.segment = e.segment AND"
                        " p.frame_seq = e.frame_seq - 1 AND p.seq < e.seq)") != 0)
        rc = fault(r, "a frame lacks the one before it in its segment");
    else
        rc = judge_cursor(r, db);
    sqlite3_close(db);
    return rc;
}

static int judge_rows(struct rig *r, struct store_reader *reader, uint64_t from,
                      uint64_t *ret_steps)
{
    struct walk wide = { .rig = r, .next = from, .step_by = 1, .columns = RIG_WIDE };
    uint64_t first = (from + NARROW_EVERY - 1) / NARROW_EVERY * NARROW_EVERY;
    struct walk narrow = { .rig = r,
                           .next = first,
                           .step_by = NARROW_EVERY,
                           .columns = RIG_NARROW,
                           .is_narrow = true };

    if (store_read_rows(reader, r->wide, time_of(from), INT64_MAX, check_row, &wide) < 0 ||
        store_read_rows(reader, r->narrow, time_of(first), INT64_MAX, check_row, &narrow) < 0)
        return fault(r, "rows cannot be read");
    if (wide.is_bad || narrow.is_bad)
        return -1;
    if ((wide.next + NARROW_EVERY - 1) / NARROW_EVERY != narrow.next / NARROW_EVERY)
        return fault(r, "half of a batch");
    *ret_steps = wide.next;
    return 0;
}

static int judge_events(struct rig *r, struct store_reader *reader, uint64_t from,
                        uint64_t steps)
{
    struct event_walk w = { .until = from };

    if (steps == 0)
        return 0;
    w.step = (steps - 1) / EVENT_EVERY * EVENT_EVERY;
    if (store_read_events(reader, "step", UINT32_MAX, check_event, &w) < 0)
        return fault(r, "events cannot be read");
    return w.is_bad ? fault(r, "an event is missing, or twice there") : 0;
}

static int judge_state(struct rig *r, uint64_t steps)
{
    size_t size = 0;
    uint64_t *last = store_state_get(r->store, "last", &size);
    bool is_right = steps == 0 ? !last : last && size == sizeof *last && *last == steps - 1;

    free(last);
    return is_right ? 0 : fault(r, "the state is not that of the last row");
}

static int judge(struct rig *r, struct store_reader *reader, uint64_t from, uint64_t *ret)
{
    int rc = judge_rows(r, reader, from, ret);

    if (rc == 0 && (*ret < r->acked.steps || *ret > r->made.steps)) {
        snprintf(r->why, sizeof r->why,
                 "%" PRIu64 " steps reported, %" PRIu64 " made, %" PRIu64 " found",
                 r->acked.steps, r->made.steps, *ret);
        rc = -1;
    }
    if (rc == 0)
        rc = judge_events(r, reader, from, *ret);
    return rc == 0 ? judge_state(r, *ret) : rc;
}

bool rig_judge(struct rig *r, uint64_t from_step)
{
    struct store_reader *reader;

    r->why[0] = '\0';
    if (store_epoch(r->store) != r->epoch)
        return fault(r, "another epoch") == 0;
    if (judge_tables(r) < 0)
        return false;
    if (store_reader_open(r->store, &reader) < 0)
        return fault(r, "no reader") == 0;
    int rc = judge(r, reader, from_step, &r->found.steps);
    store_reader_close(reader);
    return rc == 0;
}

void rig_resume(struct rig *r)
{
    r->is_off = false;
    r->made = r->found;
}

int64_t rig_ask(struct rig *r, const char *sql)
{
    sqlite3 *db;
    int64_t n = -1;

    if (sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        n = number(db, sql);
    sqlite3_close(db);
    return n;
}
