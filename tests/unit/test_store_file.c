/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of a log file without its store, as tools have them. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/store/reader.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#define T0 INT64_C(1700000000000)

enum { ROWS = 95, FRAME_ROWS = 10, WAIT_S = 10 };

struct place {
    char folder[FOLDER_MAX], path[96];
    struct store *store;
    uint32_t stream;
    pthread_mutex_t lock;
    pthread_cond_t committed;
    uint64_t rows; /* that the log took */
};

static const char dictionary[] =
    "{\"sf1\":1,\"station\":\"s\",\"period_ms\":1000,\"unit_ms\":1,\"channels\":["
    "{\"id\":\"a/x\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}]}";

static void on_commit(void *user, const struct store_commit *c)
{
    struct place *p = user;

    pthread_mutex_lock(&p->lock);
    p->rows = c->rows;
    pthread_cond_signal(&p->committed);
    pthread_mutex_unlock(&p->lock);
}

static void put_rows(struct place *p)
{
    struct timespec until;
    struct store_batch *b = NULL;
    int rc = 0;

    assert_int_equal(store_batch_begin(p->store, &b), 0);
    for (int64_t i = 0; i < ROWS; i++)
        store_batch_row(b, p->stream, T0 + i * 1000, &(struct series_cell){ .v = i }, 1);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&p->lock);
    while (p->rows < ROWS && rc == 0)
        rc = pthread_cond_timedwait(&p->committed, &p->lock, &until);
    pthread_mutex_unlock(&p->lock);
    assert_int_equal(rc, 0);
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char error[256] = "";

    if (!p)
        return -1;
    *state = p;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->committed, NULL);
    if (!folder_make(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/log.db", p->folder);
    const struct store_options o = { .path = p->path,
                                     .commit_ms = 50,
                                     .seal_ms = 3600000,
                                     .seal_rows = FRAME_ROWS,
                                     .speed = 1 };
    if (store_open(&o, on_commit, p, &p->store, error, sizeof error) < 0 ||
        store_stream_open(p->store, "dev.a", 1, 1000, 1, NULL, dictionary, &p->stream) < 0)
        return -1;
    put_rows(p);
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    store_close(p->store);
    folder_remove(p->folder);
    pthread_cond_destroy(&p->committed);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return 0;
}

static struct store_reader *open_file(const struct place *p)
{
    struct store_reader *r = NULL;
    char error[256] = "";

    if (store_reader_open_file(p->path, &r, error, sizeof error) < 0)
        fail_msg("%s", error);
    return r;
}

struct counted {
    unsigned frames, rows;
    int64_t first, last;
    struct series_decoder *decoder;
};

static bool count_frame(void *user, const struct store_entry *e)
{
    struct counted *c = user;
    struct series_frame f;

    assert_int_equal(series_decode(c->decoder, e->data, e->size, &f), 0);
    c->frames++;
    c->rows += f.info.rows;
    return true;
}

static bool count_row(void *user, int64_t time_ms, const struct series_cell *cells,
                      unsigned columns, uint32_t layout)
{
    struct counted *c = user;

    (void)cells, (void)columns, (void)layout;
    if (c->rows++ == 0)
        c->first = time_ms;
    c->last = time_ms;
    return true;
}

static void frames_and_pending_rows_are_everything_once(void **state)
{
    struct place *p = *state;
    struct store_reader *r = open_file(p);
    struct counted sealed = { 0 }, pending = { 0 };
    uint64_t seq = 0;

    assert_int_equal(series_decoder_create(&sealed.decoder), 0);
    assert_int_equal(
        store_read_pending(r, p->stream, INT64_MIN, INT64_MAX, count_row, &pending, &seq), 0);
    assert_int_equal(
        store_read_frames(r, p->stream, INT64_MIN, INT64_MAX, seq, count_frame, &sealed), 0);
    assert_int_equal(sealed.rows + pending.rows, ROWS);
    assert_int_equal(sealed.frames, ROWS / FRAME_ROWS);
    assert_int_equal(pending.last, T0 + (ROWS - 1) * 1000);
    assert_int_equal(store_count_frames(r, p->stream, INT64_MIN, INT64_MAX), sealed.frames);
    series_decoder_destroy(sealed.decoder);
    store_reader_close(r);
}

static void frames_of_a_span_begin_where_they_can_be_decoded(void **state)
{
    struct place *p = *state;
    struct store_reader *r = open_file(p);
    struct counted c = { 0 };

    assert_int_equal(series_decoder_create(&c.decoder), 0);
    assert_int_equal(
        store_read_frames(r, p->stream, T0 + 35000, T0 + 41000, UINT64_MAX, count_frame, &c),
        0);
    assert_int_equal(c.frames, 5); /* the key frame, two on the way, two of the span */
    assert_int_equal(store_count_frames(r, p->stream, T0 + 35000, T0 + 41000), 2);
    series_decoder_destroy(c.decoder);
    store_reader_close(r);
}

static bool count_entry(void *user, const struct store_entry *e)
{
    unsigned *n = user;

    assert_true(e->size > 0);
    (*n)++;
    return true;
}

static void note_lost(void *user, uint64_t from, uint64_t to)
{
    (void)user;
    fail_msg("entries %llu to %llu are not lost", (unsigned long long)from,
             (unsigned long long)to);
}

static void a_sound_log_has_nothing_to_salvage(void **state)
{
    struct place *p = *state;
    struct store_reader *r = open_file(p);
    unsigned n = 0;

    assert_int_equal(store_salvage(r, count_entry, note_lost, &n), 0);
    assert_int_equal(n, store_read_last_seq(r));
    store_reader_close(r);
}

static void a_new_uplink_s_cursor_is_told_and_not_written(void **state)
{
    struct place *p = *state;
    struct store_reader *r = open_file(p);
    struct store_cursor cursor = { .acked_to = 99 };

    assert_int_equal(store_cursor_get(r, "centre", &cursor), 0);
    assert_int_equal(cursor.acked_to, 0);
    store_reader_close(r);
}

static void says_what_is_no_log(void **state)
{
    struct place *p = *state;
    struct store_reader *r = NULL;
    char error[256] = "";

    assert_true(store_reader_open_file("/nonexistent/log.db", &r, error, sizeof error) < 0);
    assert_true(error[0] != '\0');
    assert_int_equal(store_reader_open_file("/dev/null", &r, error, sizeof error), -EINVAL);
    assert_null(r);
    (void)p;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_and_pending_rows_are_everything_once),
        TEST(frames_of_a_span_begin_where_they_can_be_decoded),
        TEST(a_sound_log_has_nothing_to_salvage),
        TEST(a_new_uplink_s_cursor_is_told_and_not_written),
        TEST(says_what_is_no_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
