/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction at a time, without the thread: what a failure leaves, and the blobs of rows.
 */
#include "gateway/store/commit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/document.h"
#include "gateway/store/journal.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

enum { COLUMNS = 2, SEAL_ROWS = 1000 };

struct place {
    char folder[FOLDER_MAX], path[96];
    struct commit commit;
    struct store_batch *batch;
    uint32_t stream;
};

static void open_log(struct place *p)
{
    const struct commit_stream want = { "dev.a", "{\"sf1\":1}", COLUMNS, 1000, 1, NULL };
    char error[256];

    if (commit_open(&p->commit, p->path, &(struct tail_options){ SEAL_ROWS, 0 }, error,
                    sizeof error) < 0)
        fail_msg("%s", error);
    assert_int_equal(commit_stream(&p->commit, &want, &p->stream), 0);
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
    open_log(p);
    *state = p;
    return p->batch ? 0 : -1;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    commit_close(&p->commit);
    batch_destroy(p->batch);
    folder_remove(p->folder);
    free(p);
    return 0;
}

/* The second column does not compress. */
static void fill_batch(struct place *p, int64_t first, unsigned rows)
{
    p->batch->size = 0;
    for (unsigned i = 0; i < rows; i++) {
        uint64_t noise = (uint64_t)(first + i) * UINT64_C(0x9E3779B97F4A7C15);
        const struct series_cell cells[COLUMNS] = { { .v = first + i },
                                                    { .v = (int64_t)noise, .e = 1 } };
        void *body = batch_add(p->batch, &(struct batch_op){ .kind = BATCH_ROW,
                                                             .stream = p->stream,
                                                             .n = COLUMNS,
                                                             .size = sizeof cells,
                                                             .time_ms = (first + i) * 1000 });
        assert_non_null(body);
        memcpy(body, cells, sizeof cells);
    }
    void *body = batch_add(p->batch, &(struct batch_op){ .kind = BATCH_EVENT, .size = 2 });
    assert_non_null(body);
    memcpy(body, "{}", 2);
}

static int run(struct place *p)
{
    return commit_run(&p->commit, p->batch, 1000, INT64_MIN);
}

static int64_t ask(struct place *p, const char *sql)
{
    sqlite3_stmt *st;

    assert_int_equal(sqlite3_prepare_v2(p->commit.db.handle, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return v;
}

static void a_full_database_takes_the_batch_once_there_is_room(void **state)
{
    struct place *p = *state;
    char pragma[64];

    fill_batch(p, 0, 3);
    assert_int_equal(run(p), 0);
    snprintf(pragma, sizeof pragma, "PRAGMA max_page_count = %d",
             (int)ask(p, "PRAGMA page_count"));
    assert_int_equal(sqlite3_exec(p->commit.db.handle, pragma, NULL, NULL, NULL), SQLITE_OK);
    fill_batch(p, 3, 900);
    assert_int_equal(run(p), -ENOSPC);
    assert_non_null(strstr(p->commit.error, "full"));
    assert_int_equal(run(p), -ENOSPC);
    assert_int_equal(ask(p, "SELECT rows FROM log"), 3);
    sqlite3_exec(p->commit.db.handle, "PRAGMA max_page_count = 100000", NULL, NULL, NULL);
    assert_int_equal(run(p), 0);
    assert_string_equal(p->commit.error, "");
    assert_int_equal(ask(p, "SELECT rows FROM log"), 903);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry WHERE kind = 2"), 2);
    assert_int_equal(ask(p, "SELECT samples FROM entry WHERE kind = 1"), 903 * COLUMNS);
}

/* COMMIT may report an error and be there all the same. */
static void a_transaction_that_is_there_is_not_repeated(void **state)
{
    struct place *p = *state;

    fill_batch(p, 0, 3);
    assert_int_equal(run(p), 0);
    p->commit.is_stale = p->commit.is_suspect = true;
    p->commit.attempted = p->commit.tail.commits;
    assert_int_equal(run(p), 0);
    assert_int_equal(ask(p, "SELECT rows FROM log"), 3);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 1);
    fill_batch(p, 3, 1);
    assert_int_equal(run(p), 0);
    assert_int_equal(ask(p, "SELECT rows FROM log"), 4);
}

static void a_transaction_that_is_not_there_is_repeated(void **state)
{
    struct place *p = *state;

    fill_batch(p, 0, 3);
    assert_int_equal(run(p), 0);
    fill_batch(p, 3, 2);
    p->commit.is_stale = p->commit.is_suspect = true;
    p->commit.attempted = p->commit.tail.commits + 1;
    assert_int_equal(run(p), 0);
    assert_int_equal(ask(p, "SELECT rows FROM log"), 5);
}

static void rows_sealed_at_once_never_touch_the_journal(void **state)
{
    struct place *p = *state;

    fill_batch(p, 0, SEAL_ROWS);
    assert_int_equal(run(p), 0);
    assert_int_equal(ask(p, "SELECT count(*) FROM pending"), 0);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry WHERE kind = 1"), 1);
    fill_batch(p, SEAL_ROWS, 1);
    assert_int_equal(run(p), 0);
    assert_int_equal(ask(p, "SELECT count(*) FROM pending"), 1);
}

static void another_frame_size_finds_more_rows_than_it_takes(void **state)
{
    struct place *p = *state;
    char error[256];

    fill_batch(p, 0, 500);
    assert_int_equal(run(p), 0);
    commit_close(&p->commit);
    assert_int_equal(
        commit_open(&p->commit, p->path, &(struct tail_options){ 60, 0 }, error, sizeof error),
        0);
    assert_int_equal(tail_stream(&p->commit.tail, p->stream)->rows, 500);
    assert_int_equal(commit_run(&p->commit, NULL, 1000, INT64_MAX), 0);
    assert_int_equal(ask(p, "SELECT samples FROM entry WHERE kind = 1"), 500 * COLUMNS);
    assert_int_equal(ask(p, "SELECT rows_sealed FROM stream"), 500);
}

static void a_frame_never_spans_more_than_readers_look_for(void **state)
{
    struct place *p = *state;

    fill_batch(p, 0, 2);
    assert_int_equal(run(p), 0);
    fill_batch(p, 8 * 86400, 2); /* eight days later: the clock was set */
    assert_int_equal(run(p), 0);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry WHERE kind = 1"), 1);
}

/* ---- rows whose flags are not final ---- */

enum { WAIT_MS = 3000 };

static void put_row(struct place *p, enum batch_op_kind kind, int64_t n, uint32_t flag)
{
    const struct series_cell cells[COLUMNS] = { { .v = n, .flag = flag }, { .v = n } };
    const int64_t wait_ms = WAIT_MS;
    const size_t ahead = kind == BATCH_OPEN_ROW ? sizeof wait_ms : 0;
    const struct batch_op op = { .kind = (uint32_t)kind,
                                 .stream = p->stream,
                                 .n = COLUMNS,
                                 .size = (uint32_t)(ahead + sizeof cells),
                                 .time_ms = n * 1000 };
    char *body = batch_add(p->batch, &op);

    assert_non_null(body);
    memcpy(body, &wait_ms, ahead);
    memcpy(body + ahead, cells, sizeof cells);
}

/* Commits at `now_ms` what is in the batch; every row is old enough for its frame. */
static void commit_at(struct place *p, int64_t now_ms)
{
    assert_int_equal(commit_run(&p->commit, p->batch, now_ms, INT64_MAX), 0);
    p->batch->size = 0;
}

static void reopen(struct place *p)
{
    commit_close(&p->commit);
    open_log(p);
}

static const struct tail_stream *tail_of(const struct place *p)
{
    return tail_stream(&p->commit.tail, p->stream);
}

static void an_open_row_is_committed_and_in_no_frame(void **state)
{
    struct place *p = *state;

    put_row(p, BATCH_ROW, 1, 0);
    put_row(p, BATCH_OPEN_ROW, 2, 0);
    commit_at(p, 1000);
    assert_int_equal(ask(p, "SELECT samples FROM entry WHERE kind = 1"), COLUMNS);
    assert_int_equal(ask(p, "SELECT rows FROM log"), 2);
    reopen(p);
    assert_int_equal(tail_of(p)->rows, 1);
    assert_true(tail_of(p)->is_open);
    commit_at(p, 1001);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry WHERE kind = 1"), 1);
}

static void the_next_row_closes_the_one_before(void **state)
{
    struct place *p = *state;

    for (int64_t i = 0; i < 5; i++) {
        put_row(p, BATCH_OPEN_ROW, i, 0);
        commit_at(p, 1000 + i);
        reopen(p);
    }
    assert_int_equal(ask(p, "SELECT count(*) FROM entry WHERE kind = 1"), 4);
    assert_int_equal(ask(p, "SELECT rows_sealed FROM stream"), 4);
    assert_int_equal(ask(p, "SELECT max(t_last) FROM entry"), 3000);
    assert_int_equal(tail_of(p)->time_ms[0], 4000);
}

static void the_final_flags_hold_also_across_a_restart(void **state)
{
    struct place *p = *state;

    put_row(p, BATCH_OPEN_ROW, 1, 7);
    commit_at(p, 1000);
    put_row(p, BATCH_FINAL, 2, 6); /* of no row */
    put_row(p, BATCH_FINAL, 1, 5);
    put_row(p, BATCH_FINAL, 1, 4); /* too late */
    assert_int_equal(commit_run(&p->commit, p->batch, 1001, INT64_MIN), 0);
    p->batch->size = 0;
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 0);
    reopen(p);
    assert_int_equal(tail_of(p)->rows, 1);
    assert_int_equal(tail_of(p)->cells[0].flag, 5);
    assert_false(tail_of(p)->is_open);
    assert_int_equal(ask(p, "SELECT count(*) FROM pending"),
                     1); /* the first one is of no use */
    commit_at(p, 1002);
    assert_int_equal(ask(p, "SELECT samples FROM entry WHERE kind = 1"), COLUMNS);
    assert_int_equal(ask(p, "SELECT rows FROM log"), 1);
}

static void nobody_waits_for_ever_for_a_flag(void **state)
{
    struct place *p = *state;

    put_row(p, BATCH_OPEN_ROW, 1, 7);
    commit_at(p, 1000);
    assert_int_equal(tail_seal_at(&p->commit.tail, 10), 1000 + WAIT_MS);
    commit_at(p, 1000 + WAIT_MS - 1);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 0);
    commit_at(p, 1000 + WAIT_MS);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 1);
    assert_int_equal(tail_seal_at(&p->commit.tail, 10), INT64_MAX);
    put_row(p, BATCH_FINAL, 1, 5); /* the frame stands */
    commit_at(p, 9000);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 1);
}

/* The record that says "open" stays in the journal as long as a row beside it does. */
static void a_row_that_was_open_in_an_old_record_is_not_waited_for(void **state)
{
    struct place *p = *state;
    const struct commit_stream want = { "dev.b", "{\"sf1\":1}", COLUMNS, 1000, 1, NULL };
    const uint32_t first = p->stream;

    put_row(p, BATCH_OPEN_ROW, 1, 7);
    assert_int_equal(commit_stream(&p->commit, &want, &p->stream), 0);
    put_row(p, BATCH_OPEN_ROW, 1, 7);
    commit_at(p, 1000);
    p->stream = first;
    for (int64_t i = 1; i < SEAL_ROWS; i++)
        put_row(p, BATCH_ROW, 1 + i, 0);
    assert_int_equal(commit_run(&p->commit, p->batch, 1001, INT64_MIN), 0);
    p->batch->size = 0;
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 1);
    reopen(p);
    assert_int_equal(tail_of(p)->rows, 0);
    assert_false(tail_of(p)->is_open);
    commit_at(p, 1002);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 1);
}

/* Every read, and every start, goes through the journal. */
static void a_row_open_for_long_does_not_hold_up_the_journal(void **state)
{
    struct place *p = *state;
    const struct commit_stream want = { "dev.b", "{\"sf1\":1}", COLUMNS, 1000, 1, NULL };
    const uint32_t daily = p->stream;
    const unsigned commits = 3000;

    put_row(p, BATCH_OPEN_ROW, 1, 7);
    assert_int_equal(commit_run(&p->commit, p->batch, 0, INT64_MIN), 0);
    p->batch->size = 0;
    assert_int_equal(commit_stream(&p->commit, &want, &p->stream), 0);
    for (unsigned i = 0; i < commits; i++) {
        put_row(p, i % 3 ? BATCH_ROW : BATCH_OPEN_ROW, 1 + i, 0);
        assert_int_equal(commit_run(&p->commit, p->batch, 0, INT64_MIN), 0);
        p->batch->size = 0;
    }
    assert_in_range(ask(p, "SELECT count(*) FROM pending"), 1, 300);
    reopen(p);
    assert_int_equal(ask(p, "SELECT rows FROM log"), commits + 1);
    p->stream = daily;
    assert_int_equal(tail_of(p)->rows, 1);
    assert_true(tail_of(p)->is_open);
    assert_int_equal(tail_of(p)->cells[0].flag, 7);
}

static void a_frame_is_full_without_its_open_row(void **state)
{
    struct place *p = *state;

    for (int64_t i = 0; i < SEAL_ROWS; i++)
        put_row(p, BATCH_OPEN_ROW, i, 0);
    assert_int_equal(commit_run(&p->commit, p->batch, 1000, INT64_MIN), 0);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 0);
    p->batch->size = 0;
    put_row(p, BATCH_OPEN_ROW, SEAL_ROWS, 0);
    assert_int_equal(commit_run(&p->commit, p->batch, 1000, INT64_MIN), 0);
    assert_int_equal(ask(p, "SELECT samples FROM entry"), SEAL_ROWS * COLUMNS);
    assert_int_equal(tail_of(p)->rows, 1);
}

static void other_columns_take_an_open_row_as_it_is(void **state)
{
    struct place *p = *state;
    const struct commit_stream want = { "dev.a", "{\"sf1\":2}", COLUMNS + 1, 1000, 1, NULL };

    put_row(p, BATCH_OPEN_ROW, 1, 7);
    commit_at(p, 1000);
    assert_int_equal(commit_stream(&p->commit, &want, &p->stream), 0);
    assert_int_equal(ask(p, "SELECT count(*) FROM entry"), 1);
    assert_int_equal(tail_of(p)->rows, 0);
}

static void a_blob_of_rows_comes_back_as_it_was(void **state)
{
    const struct series_cell cells[6] = {
        { .v = INT64_MIN, .flag = UINT32_MAX, .e = 18 },
        { .e = DECIMAL_NONE },
        { .v = -5, .e = DECIMAL_DOUBLE, .flag = 1 },
        { .v = INT64_MAX, .e = 0 },
        { .v = 12, .e = 2 },
        { .v = 0, .e = 0, .flag = 64 },
    };
    const int64_t time_ms[3] = { -5, 1700000000000, 0 };
    const struct journal_rows rows = { .stream = 9,
                                       .first = 1234567,
                                       .rows = 3,
                                       .columns = 2,
                                       .time_ms = time_ms,
                                       .cells = cells };
    struct buf out = BUF_INIT(4096), scratch = BUF_INIT(4096);
    struct journal_record r;
    struct series_cell got[2];
    int64_t t = 0;

    (void)state;
    journal_put(&out, &scratch, &rows);
    journal_put(&out, &scratch, &rows);
    const uint8_t *p = (const uint8_t *)out.data, *end = p + out.size;
    assert_int_equal(journal_next(&p, end, &r), 1);
    assert_int_equal(journal_next(&p, end, &r), 1);
    assert_int_equal(r.stream, 9);
    assert_int_equal(r.first, 1234567);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(journal_row(&r, &t, got), 0);
        assert_int_equal(t, time_ms[i]);
        for (int j = 0; j < 2; j++) {
            assert_int_equal(got[j].v, cells[i * 2 + j].v);
            assert_int_equal(got[j].e, cells[i * 2 + j].e);
            assert_int_equal(got[j].flag, cells[i * 2 + j].flag);
        }
    }
    assert_int_equal(journal_next(&p, end, &r), 0);
    for (const uint8_t *cut = (const uint8_t *)out.data + 1; cut < p; cut++) {
        const uint8_t *q = (const uint8_t *)out.data;
        int rc;
        while ((rc = journal_next(&q, cut, &r)) > 0)
            ;
        assert_true(rc == -EBADMSG || cut == (const uint8_t *)out.data + out.size / 2);
    }
    buf_done(&out);
    buf_done(&scratch);
}

static void an_event_gets_its_number_and_keeps_its_time(void **state)
{
    static const char json[] = "{ \"kind\":\"alert\",\"time\":\"2024-02-29T23:59:59.007Z\"}";
    struct buf out = BUF_INIT(1000);
    char topic[TOPIC_MAX];
    int64_t t;

    (void)state;
    document_event(json, sizeof json - 1, topic, &t);
    assert_string_equal(topic, "alert");
    assert_int_equal(t, INT64_C(1709251199007));
    document_event("{}", 2, topic, &t);
    assert_string_equal(topic, "");
    assert_int_equal(t, 0);
    document_put_event(&out, 0xABC, 12, json, sizeof json - 1);
    assert_string_equal(buf_text(&out),
                        "{\"epoch\":\"0000000000000abc\",\"seq\":12,\"kind\":\"alert\","
                        "\"time\":\"2024-02-29T23:59:59.007Z\"}");
    buf_clear(&out);
    document_put_event(&out, 1, 2, "{ }", 3);
    assert_string_equal(buf_text(&out), "{\"epoch\":\"0000000000000001\",\"seq\":2}");
    buf_done(&out);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_full_database_takes_the_batch_once_there_is_room),
        TEST(a_transaction_that_is_there_is_not_repeated),
        TEST(a_transaction_that_is_not_there_is_repeated),
        TEST(rows_sealed_at_once_never_touch_the_journal),
        TEST(another_frame_size_finds_more_rows_than_it_takes),
        TEST(a_frame_never_spans_more_than_readers_look_for),
        TEST(an_open_row_is_committed_and_in_no_frame),
        TEST(the_next_row_closes_the_one_before),
        TEST(the_final_flags_hold_also_across_a_restart),
        TEST(nobody_waits_for_ever_for_a_flag),
        TEST(a_row_that_was_open_in_an_old_record_is_not_waited_for),
        TEST(a_row_open_for_long_does_not_hold_up_the_journal),
        TEST(a_frame_is_full_without_its_open_row),
        TEST(other_columns_take_an_open_row_as_it_is),
        cmocka_unit_test(a_blob_of_rows_comes_back_as_it_was),
        cmocka_unit_test(an_event_gets_its_number_and_keeps_its_time),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
