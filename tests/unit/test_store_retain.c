/* SPDX-License-Identifier: Apache-2.0 */
/* What retention lets go and what it keeps, step by step in virtual time, without the thread.
 */
#include "gateway/store/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#define T0   INT64_C(1000000000000) /* 2001: the system's clock would call all of it old */
#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

enum { SEAL_ROWS = 5, STEPS_MAX = 100000 };

struct place {
    char folder[FOLDER_MAX], path[96];
    struct store store;
    struct clock clock;
    struct store_batch *batch;
};

static void open_log(struct place *p)
{
    char error[256] = "";

    if (commit_open(&p->store.commit, p->path, &(struct tail_options){ SEAL_ROWS, 0 }, error,
                    sizeof error) < 0)
        fail_msg("%s", error);
    sqlite3_exec(p->store.commit.db.handle, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    if (!p)
        return -1;
    if (!folder_make(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/log.db", p->folder);
    p->batch = batch_create(NULL);
    p->store.path = p->path;
    p->store.options.clock = &p->clock;
    open_log(p);
    *state = p;
    return p->batch ? 0 : -1;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    commit_close(&p->store.commit);
    batch_destroy(p->batch);
    folder_remove(p->folder);
    free(p);
    return 0;
}

static void set_time(struct place *p, int64_t t)
{
    p->clock = (struct clock){ .speed = 1.5, .wall0_ms = t, .mono0_ms = mono_ms() };
}

static uint32_t open_stream(struct place *p, const char *name, const char *dictionary,
                            int64_t period_ms)
{
    const struct commit_stream want = { name, dictionary, 1, period_ms, 1, NULL };
    uint32_t number = 0;

    assert_int_equal(commit_stream(&p->store.commit, &want, &number), 0);
    return number;
}

static void put_row(struct place *p, uint32_t stream, int64_t t)
{
    uint64_t noise = (uint64_t)(t / 1000 + stream) * UINT64_C(0x9E3779B97F4A7C15);
    const struct series_cell cell = { .v = (int64_t)(noise >> 8) };
    void *body = batch_add(
        p->batch,
        &(struct batch_op){
            .kind = BATCH_ROW, .stream = stream, .n = 1, .size = sizeof cell, .time_ms = t });
    assert_non_null(body);
    memcpy(body, &cell, sizeof cell);
}

static void put_event(struct place *p, size_t size)
{
    char *body =
        batch_add(p->batch, &(struct batch_op){ .kind = BATCH_EVENT, .size = (uint32_t)size });

    assert_non_null(body);
    memset(body, ' ', size);
    body[0] = '{';
    body[size - 1] = '}';
}

static void put_text(struct place *p, size_t size)
{
    static const char begin[] = "{\"text\":\"";
    char *body =
        batch_add(p->batch, &(struct batch_op){ .kind = BATCH_EVENT, .size = (uint32_t)size });

    assert_non_null(body);
    memset(body, 'x', size);
    memcpy(body, begin, sizeof begin - 1);
    memcpy(body + size - 2, "\"}", 2);
}

static void commit(struct place *p)
{
    assert_int_equal(commit_run(&p->store.commit, p->batch, 1000, INT64_MIN), 0);
    p->batch->size = 0;
}

/* A row every `period_ms` from..to, the time being that of the row. */
static void feed(struct place *p, uint32_t stream, int64_t from, int64_t to, int64_t period_ms)
{
    for (int64_t t = from; t < to; t += period_ms)
        put_row(p, stream, t);
    commit(p);
    set_time(p, to);
}

static int64_t ask(struct place *p, const char *sql)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(p->store.commit.db.handle, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(p->store.commit.db.handle));
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return v;
}

static void change(struct place *p, const char *sql)
{
    assert_int_equal(sqlite3_exec(p->store.commit.db.handle, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* All the steps that there are to make. */
static void retain(struct place *p)
{
    int n = 0;

    while (retain_step(&p->store))
        assert_true(++n < STEPS_MAX);
}

static int64_t first_seq(struct place *p)
{
    return ask(p, "SELECT coalesce(min(seq), 0) FROM entry");
}

static int64_t losses(struct place *p)
{
    return ask(p, "SELECT count(*) FROM entry WHERE kind = 2 AND topic = 'loss'");
}

static int64_t size(struct place *p)
{
    int64_t bytes = 0;

    assert_int_equal(db_number(&p->store.commit.db, SQL_SIZE, NULL, 0, 0, &bytes), 0);
    return bytes;
}

/* Frames whose predecessor in the segment is gone; and no number may be missing. */
static int64_t undecodable(struct place *p)
{
    assert_int_equal(
        ask(p, "SELECT coalesce(max(seq) - min(seq) + 1 - count(*), 0) FROM entry"), 0);
    return ask(p, "SELECT count(*) FROM entry e WHERE kind = 1 AND frame_seq > 0 AND NOT EXISTS"
                  " (SELECT 1 FROM entry k WHERE k.kind = 1 AND k.stream = e.stream AND"
                  " k.segment = e.segment AND k.frame_seq = e.frame_seq - 1)");
}

/* ---- tests ---- */

/* Segments of a day, of a day begun at another hour, and of a week: some segment reaches over
 * every number of the log. */
static void by_age_keeps_all_that_is_young_and_all_of_it_decodable(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", 600000), b = open_stream(p, "b", "{}", 300000),
             c = open_stream(p, "c", "{\"local\":true}", HOUR);
    p->store.options.age_max_ms = 10 * DAY;
    for (int64_t t = T0; t < T0 + 40 * DAY; t += 6 * HOUR) {
        feed(p, a, t, t + 6 * HOUR, 600000);
        if (t >= T0 + 12 * HOUR)
            feed(p, b, t, t + 6 * HOUR, 300000);
        feed(p, c, t, t + 6 * HOUR, HOUR);
        put_event(p, 2);
        commit(p);
        retain(p);
        assert_int_equal(undecodable(p), 0);
        if (t < T0 + 10 * DAY)
            assert_int_equal(first_seq(p), 1);
    }
    assert_true(ask(p, "SELECT sum(samples) FROM entry WHERE stream = 1") >=
                10 * 144 - SEAL_ROWS);
    /* an eighth longer at most, and what a chapter and a frame take */
    assert_true(ask(p, "SELECT min(t_last) FROM entry WHERE kind = 1") >
                T0 + 40 * DAY - 10 * DAY - 10 * DAY / 8 - 18 * HOUR);
    assert_true(ask(p, "SELECT max(seq) - min(seq) FROM chapter") > 0);
    assert_int_equal(losses(p), 0);
}

static void by_size_stays_at_the_limit_and_decodable(void **state)
{
    struct place *p = *state;
    const int64_t limit = 1 << 20;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", 1000), b = open_stream(p, "b", "{}", 1000);
    p->store.options.size_max_bytes = limit;
    for (int64_t t = T0; t < T0 + 1000 * 60000; t += 60000) { /* within one day */
        feed(p, a, t, t + 60000, 1000);
        feed(p, b, t, t + 60000, 1000);
        retain(p);
        if ((t - T0) % (20 * 60000) == 0)
            assert_int_equal(undecodable(p), 0);
        assert_true(size(p) < limit + limit / 8);
    }
    assert_true(first_seq(p) > 1);
    assert_true(size(p) > limit * 2 / 3);
    assert_true(size(p) < limit * 9 / 10);
    assert_int_equal(losses(p), 0);
}

static void what_an_uplink_has_yet_to_send_stays_with_its_key_frames(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", 60000);
    p->store.options.age_max_ms = DAY;
    feed(p, a, T0, T0 + HOUR, 60000);
    retain(p);
    int64_t chapter = ask(p, "SELECT max(seq) FROM chapter");
    assert_true(chapter > 1);
    feed(p, a, T0 + HOUR, T0 + 2 * HOUR, 60000);
    change(p, "INSERT INTO cursor VALUES ('fast', 1000000, '')");
    change(p, "INSERT INTO cursor VALUES ('slow', 5, '')");
    set_time(p, T0 + 30 * DAY);
    p->store.options.size_max_bytes = size(p) * 11 / 10; /* from 80 % on what is acknowledged */
    retain(p);
    assert_int_equal(first_seq(p), 1);
    assert_int_equal(losses(p), 0);
    change(p, "UPDATE cursor SET acked_to = (SELECT max(seq) FROM chapter WHERE seq <= 15) + 1"
              " WHERE uplink = 'slow'");
    retain(p);
    assert_int_equal(first_seq(p), chapter);
    assert_int_equal(undecodable(p), 0);
    change(p, "DELETE FROM cursor WHERE uplink = 'slow'");
    retain(p);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 0);
}

static void a_stream_that_ended_does_not_block(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", HOUR), b = open_stream(p, "b", "{}", 60000);
    p->store.options.age_max_ms = 2 * DAY;
    feed(p, a, T0, T0 + 10 * HOUR, HOUR);
    for (int64_t t = T0; t < T0 + 5 * DAY; t += HOUR) {
        feed(p, b, t, t + HOUR, 60000);
        retain(p);
    }
    assert_int_equal(ask(p, "SELECT count(*) FROM entry WHERE stream = 1"), 0);
    assert_int_equal(undecodable(p), 0);
    feed(p, a, T0 + 5 * DAY, T0 + 5 * DAY + 10 * HOUR, HOUR);
    assert_int_equal(undecodable(p), 0);
}

/* What the events of the kind "loss" name, added up. */
static int64_t lost(struct place *p, const char *member)
{
    char sql[128];

    snprintf(sql, sizeof sql,
             "SELECT coalesce(sum(data ->> '%s'), 0) FROM entry WHERE topic = 'loss'", member);
    return ask(p, sql);
}

/* Frames whose predecessor is gone, where numbers may be missing too. */
static int64_t broken(struct place *p)
{
    return ask(p, "SELECT count(*) FROM entry e WHERE kind = 1 AND frame_seq > 0 AND NOT EXISTS"
                  " (SELECT 1 FROM entry k WHERE k.kind = 1 AND k.stream = e.stream AND"
                  " k.segment = e.segment AND k.frame_seq = e.frame_seq - 1)");
}

static void a_dead_uplink_costs_the_oldest_frames_and_events_tell_each(void **state)
{
    struct place *p = *state;
    const int64_t limit = 1 << 20;
    int64_t frames = 0, events = 0;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", 1000), b = open_stream(p, "b", "{}", 1000);
    change(p, "INSERT INTO cursor VALUES ('dead', 3, '')");
    p->store.options.size_max_bytes = limit;
    for (int64_t t = T0; t < T0 + 600 * 60000; t += 60000) {
        put_event(p, 100);
        feed(p, a, t, t + 60000, 1000);
        feed(p, b, t, t + 60000, 1000);
        frames += 2 * 60 / SEAL_ROWS;
        events++;
        while (retain_step(&p->store))
            assert_int_equal(broken(p), 0);
        assert_true(ask(p, "SELECT page_count * 4096 FROM pragma_page_count") <= limit);
    }
    assert_true(losses(p) > 2);
    assert_true(size(p) > limit * 3 / 4);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry WHERE kind = 2"), events + losses(p));
    /* the first three are an event, and two frames that the uplink has */
    assert_int_equal(lost(p, "frames") + ask(p, "SELECT count(*) FROM entry WHERE kind = 1"),
                     frames - 2);
    assert_int_equal(lost(p, "samples"), lost(p, "frames") * SEAL_ROWS);
    assert_int_equal(p->store.health.lost_samples, lost(p, "samples"));
    assert_int_equal(ask(p, "SELECT min(data ->> 'from') FROM entry WHERE topic = 'loss'"), 4);
    assert_true(ask(p, "SELECT max(data ->> 'to') FROM entry WHERE topic = 'loss'") <
                ask(p, "SELECT min(seq) FROM entry WHERE kind = 1"));
}

static void a_limit_that_was_lowered_is_kept(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", 1000);
    change(p, "INSERT INTO cursor VALUES ('dead', 0, '')");
    for (int64_t t = T0; t < T0 + 300 * 60000; t += 60000)
        feed(p, a, t, t + 60000, 1000);
    p->store.options.size_max_bytes = size(p) / 2;
    retain(p);
    assert_true(size(p) < p->store.options.size_max_bytes);
    feed(p, a, T0 + 300 * 60000, T0 + 301 * 60000, 1000);
    assert_int_equal(broken(p), 0);
}

static void events_go_last_and_are_told_too(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    change(p, "INSERT INTO cursor VALUES ('dead', 0, '')");
    p->store.options.size_max_bytes = 1 << 20;
    uint32_t a = open_stream(p, "a", "{}", 1000);
    for (int i = 0; i < 400; i++) {
        feed(p, a, T0 + i * 5000, T0 + (i + 1) * 5000, 1000);
        put_text(p, 8000);
        commit(p);
        retain(p);
        assert_true(size(p) < 1 << 20);
    }
    assert_true(lost(p, "events") > 0);
    assert_true(ask(p, "SELECT count(*) FROM entry WHERE kind = 2 AND topic = ''") > 80);
}

static void a_chapter_that_was_begun_goes_even_after_a_restart(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", 1000);
    feed(p, a, T0, T0 + 4000 * 1000, 1000);
    p->store.options.age_max_ms = 8 * HOUR;
    set_time(p, T0 + DAY);
    assert_true(retain_step(&p->store)); /* a chapter */
    int64_t chapter = ask(p, "SELECT max(seq) FROM chapter"), whole = 0;
    feed(p, a, T0 + DAY, T0 + DAY + 600000, 1000);
    while (first_seq(p) == 1)
        assert_true(retain_step(&p->store));
    assert_true(first_seq(p) < chapter);
    commit_close(&p->store.commit);
    open_log(p);
    assert_int_equal(db_number(&p->store.commit.db, SQL_SEQ_WHOLE, NULL, 0, 0, &whole), 0);
    assert_int_equal(whole, chapter); /* where a new uplink starts */
    p->store.options.age_max_ms = 100 * DAY;
    retain(p);
    assert_int_equal(first_seq(p), chapter);
    assert_int_equal(undecodable(p), 0);
}

static void without_limits_nothing_goes(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{}", HOUR);
    for (int64_t t = T0; t < T0 + 400 * DAY; t += 10 * DAY) {
        feed(p, a, t, t + 10 * DAY, HOUR);
        retain(p);
    }
    assert_int_equal(first_seq(p), 1);
    assert_int_equal(undecodable(p), 0);
}

static void an_idle_log_is_not_written(void **state)
{
    struct place *p = *state;

    p->store.options.age_max_ms = DAY;
    set_time(p, T0);
    feed(p, open_stream(p, "a", "{}", 1000), T0, T0 + 60000, 1000);
    retain(p);
    uint64_t commits = p->store.commit.tail.commits;
    set_time(p, T0 + 12 * HOUR);
    retain(p);
    assert_int_equal(p->store.commit.tail.commits, commits);
}

static void a_layout_goes_with_its_last_frame(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{\"v\":1}", HOUR);
    feed(p, a, T0, T0 + 12 * HOUR, HOUR);
    p->store.options.age_max_ms = 2 * DAY;
    retain(p);
    open_stream(p, "a", "{\"v\":2}", HOUR);
    open_stream(p, "a", "{\"v\":3}", HOUR);
    open_stream(p, "a", "{\"v\":2}", HOUR); /* in force again */
    assert_int_equal(ask(p, "SELECT count(*) FROM layout"), 3);
    feed(p, a, T0 + DAY, T0 + 2 * DAY, HOUR);
    retain(p);
    assert_int_equal(ask(p, "SELECT count(*) FROM layout"), 3);
    set_time(p, T0 + 30 * DAY);
    retain(p);
    feed(p, a, T0 + 30 * DAY, T0 + 31 * DAY, HOUR);
    retain(p);
    assert_int_equal(ask(p, "SELECT count(*) FROM layout"), 1);
    assert_int_equal(ask(p, "SELECT json ->> 'v' FROM layout"), 2);
}

static void a_log_of_version_1_gets_its_chapters(void **state)
{
    struct place *p = *state;

    set_time(p, T0);
    uint32_t a = open_stream(p, "a", "{\"v\":1}", 1000);
    feed(p, a, T0, T0 + 60000, 1000);
    open_stream(p, "a", "{\"v\":2}", 1000);
    change(p, "DELETE FROM entry WHERE seq < 4; DROP TABLE chapter; DROP INDEX layout_old;"
              "ALTER TABLE layout DROP COLUMN seq_last; DROP INDEX set_aside_seq;"
              "PRAGMA user_version = 1");
    commit_close(&p->store.commit);
    open_log(p);
    assert_int_equal(ask(p, "SELECT group_concat(seq) FROM chapter"), 4);
    assert_int_equal(ask(p, "SELECT count(*) FROM layout WHERE seq_last = 12"), 1);
    p->store.options.age_max_ms = DAY;
    set_time(p, T0 + 3 * DAY);
    retain(p);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 0);
    assert_int_equal(ask(p, "SELECT count(*) FROM layout"), 1);
}

/* Every few seconds, on a log of gigabytes. */
static void no_step_looks_through_the_log(void **state)
{
    static const enum db_sql statements[] = {
        SQL_SEQ_FIRST, SQL_CHAPTER_FIRST, SQL_CHAPTER_NEXT, SQL_CHAPTER_LAST, SQL_CHAPTER_TRIM,
        SQL_SEQ_YOUNG, SQL_TRIM,          SQL_ASIDE_TRIM,   SQL_LAYOUT_TRIM,
    };
    static const char *const texts[] = {
#define STATEMENT(name, sql) sql,
#include "gateway/store/statements.def"
#undef STATEMENT
    };
    struct place *p = *state;
    char sql[1024];

    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        sqlite3_stmt *st;
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", texts[statements[i]]);
        assert_int_equal(sqlite3_prepare_v2(p->store.commit.db.handle, sql, -1, &st, NULL),
                         SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *plan = (const char *)sqlite3_column_text(st, 3);
            if (!strstr(plan, "SEARCH"))
                fail_msg("%s: %s", texts[statements[i]], plan);
        }
        sqlite3_finalize(st);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(by_age_keeps_all_that_is_young_and_all_of_it_decodable),
        TEST(by_size_stays_at_the_limit_and_decodable),
        TEST(what_an_uplink_has_yet_to_send_stays_with_its_key_frames),
        TEST(a_stream_that_ended_does_not_block),
        TEST(a_dead_uplink_costs_the_oldest_frames_and_events_tell_each),
        TEST(a_limit_that_was_lowered_is_kept),
        TEST(events_go_last_and_are_told_too),
        TEST(a_chapter_that_was_begun_goes_even_after_a_restart),
        TEST(without_limits_nothing_goes),
        TEST(an_idle_log_is_not_written),
        TEST(a_layout_goes_with_its_last_frame),
        TEST(a_log_of_version_1_gets_its_chapters),
        TEST(no_step_looks_through_the_log),
    };
#undef TEST
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
