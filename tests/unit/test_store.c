/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#define T0 INT64_C(1700000000000)

static const char dictionary[] =
    "{\"sf1\":1,\"station\":\"s\",\"period_ms\":1000,\"unit_ms\":1,\"channels\":["
    "{\"id\":\"a/x\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"},"
    "{\"id\":\"a/y\",\"quantity\":\"no2\",\"unit\":\"ug/m3\"},"
    "{\"id\":\"a/z\",\"quantity\":\"so2\",\"unit\":\"ug/m3\"}]}";

enum { COLUMNS = 3 };

/* ---- a log in a folder of its own ---- */

struct place {
    char folder[FOLDER_MAX], path[96];
    struct store_options options;
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct store_commit last;
    unsigned commits;
};

static void on_commit(void *user, const struct store_commit *c)
{
    struct place *p = user;

    pthread_mutex_lock(&p->lock);
    p->last = *c;
    p->commits++;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    if (!p)
        return -1;
    if (!folder_make(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/log.db", p->folder);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->options = (struct store_options){ .path = p->path,
                                         .commit_ms = 50,
                                         .seal_ms = 3600000,
                                         .seal_rows = 10,
                                         .dense_columns_max = 3,
                                         .speed = 1 };
    *state = p;
    return 0;
}

static void remove_log(struct place *p)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-mark", ".copy" };
    char path[128];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(path, sizeof path, "%s%s", p->path, endings[i]);
        unlink(path);
    }
}

static int tear_down(void **state)
{
    struct place *p = *state;

    store_close(p->store);
    folder_remove(p->folder);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p);
    return 0;
}

static void open_log(struct place *p)
{
    char error[256] = "";

    if (store_open(&p->options, on_commit, p, &p->store, error, sizeof error) < 0)
        fail_msg("%s", error);
}

static void close_log(struct place *p)
{
    store_close(p->store);
    p->store = NULL;
}

static uint32_t open_stream(struct place *p, const char *name)
{
    uint32_t number = 0;

    assert_int_equal(
        store_stream_open(p->store, name, COLUMNS, 1000, 1, NULL, dictionary, &number), 0);
    return number;
}

static void put_row(struct store_batch *b, uint32_t stream, int64_t i)
{
    const struct series_cell cells[COLUMNS] = {
        { .v = i, .e = 0 },
        { .v = 2 * i, .e = 1, .flag = (uint32_t)(i % 3) },
        { .v = 0, .e = i % 4 ? 2 : DECIMAL_NONE }
    };

    assert_int_equal(store_batch_row(b, stream, T0 + i * 1000, cells, COLUMNS), 0);
}

static struct store_batch *begin(struct place *p)
{
    struct store_batch *b = NULL;

    assert_int_equal(store_batch_begin(p->store, &b), 0);
    return b;
}

/* Rows first..last, one batch each, the last at once; waits for the commit. */
static void submit_rows(struct place *p, uint32_t stream, int64_t first, int64_t last)
{
    pthread_mutex_lock(&p->lock);
    uint64_t want = p->last.rows;
    pthread_mutex_unlock(&p->lock);
    if (want == 0) {
        struct store_health h;
        store_health_get(p->store, &h);
        want = h.committed.rows;
    }
    want += (uint64_t)(last - first + 1);
    for (int64_t i = first; i <= last; i++) {
        struct store_batch *b = begin(p);
        put_row(b, stream, i);
        assert_int_equal(store_batch_submit(b, i == last ? STORE_AT_ONCE : STORE_WITH_INTERVAL),
                         0);
    }
    pthread_mutex_lock(&p->lock);
    while (p->last.rows < want)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

/* A batch that changes nothing else, and its commit: everything before it is committed then. */
static void wait_for_commit(struct place *p)
{
    struct store_batch *b = begin(p);

    pthread_mutex_lock(&p->lock);
    uint64_t want = p->last.events;
    pthread_mutex_unlock(&p->lock);
    struct store_health h;
    store_health_get(p->store, &h);
    want = (h.committed.events > want ? h.committed.events : want) + 1;
    assert_int_equal(store_batch_event(b, "{\"kind\":\"sync\",\"time\":5}"), 0);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    pthread_mutex_lock(&p->lock);
    while (p->last.events < want)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

/* ---- what a log must be, whatever happened ---- */

struct audit {
    struct series_decoder *decoder[8]; /* by stream */
    uint64_t seq, rows, events, samples;
    int64_t next[8]; /* the row that must come next */
};

static bool audit_entry(void *user, const struct store_entry *e)
{
    struct audit *a = user;
    struct series_frame f;

    assert_int_equal(e->seq, a->seq + 1);
    a->seq = e->seq;
    if (e->kind == STORE_EVENT) {
        a->events++;
        return true;
    }
    assert_true(e->stream < 8);
    assert_int_equal(series_decode(a->decoder[e->stream], e->data, e->size, &f), 0);
    assert_int_equal(f.info.stream, e->stream);
    assert_int_equal(f.info.segment, e->segment);
    assert_int_equal(f.info.seq, e->frame_seq);
    assert_int_equal(f.time_ms[0], e->t_first);
    assert_int_equal(e->samples, f.info.rows * COLUMNS);
    for (unsigned i = 0; i < f.info.rows; i++) {
        const struct series_cell *c = f.cells + (size_t)i * COLUMNS;
        assert_int_equal(c->v, a->next[e->stream]);
        assert_int_equal(f.time_ms[i], T0 + c->v * 1000);
        assert_int_equal(c[1].flag, c->v % 3);
        a->next[e->stream]++;
    }
    a->rows += f.info.rows;
    a->samples += e->samples;
    return true;
}

static struct store_reader *open_reader(struct place *p)
{
    struct store_reader *r = NULL;

    assert_int_equal(store_reader_open(p->store, &r), 0);
    return r;
}

/* Numbers without gaps, frames that decode one after another, every row 0, 1, 2 ... once. */
static void audit(struct place *p, struct audit *a)
{
    struct store_reader *r = open_reader(p);

    *a = (struct audit){ 0 };
    for (int i = 0; i < 8; i++)
        assert_int_equal(series_decoder_create(&a->decoder[i]), 0);
    assert_int_equal(store_read_entries(r, 0, UINT64_MAX, audit_entry, a), 0);
    assert_int_equal(a->seq, store_read_last_seq(r));
    for (int i = 0; i < 8; i++)
        series_decoder_destroy(a->decoder[i]);
    store_reader_close(r);
}

struct rows {
    unsigned n, stop_at;
    int64_t first, last;
};

static bool count_row(void *user, int64_t time_ms, const struct series_cell *cells,
                      unsigned columns, uint32_t layout)
{
    struct rows *r = user;

    assert_int_equal(columns, COLUMNS);
    assert_true(layout != 0);
    assert_int_equal(time_ms, T0 + cells->v * 1000);
    if (r->n > 0)
        assert_int_equal(cells->v, r->last + 1);
    else
        r->first = cells->v;
    r->last = cells->v;
    return ++r->n != r->stop_at;
}

static struct rows read_rows(struct place *p, uint32_t stream, int64_t from, int64_t to)
{
    struct store_reader *r = open_reader(p);
    struct rows got = { 0 };

    assert_int_equal(store_read_rows(r, stream, from, to, count_row, &got), 0);
    store_reader_close(r);
    return got;
}

/* ---- tests ---- */

static void keeps_rows_in_order_and_entries_without_gaps(void **state)
{
    struct place *p = *state;
    struct audit a;

    open_log(p);
    uint32_t s = open_stream(p, "dev.a"), t = open_stream(p, "dev.b");
    submit_rows(p, s, 0, 94);
    submit_rows(p, t, 0, 30);
    close_log(p);
    open_log(p);
    audit(p, &a);
    assert_int_equal(a.next[s], 95);
    assert_int_equal(a.next[t], 31);
    assert_int_equal(a.samples, (95 + 31) * COLUMNS);
}

static void opening_again_seals_what_was_pending(void **state)
{
    struct place *p = *state;
    struct store_reader *r;

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    submit_rows(p, s, 0, 4);
    r = open_reader(p);
    assert_int_equal(store_read_last_seq(r), 0);
    store_reader_close(r);
    close_log(p);
    open_log(p);
    r = open_reader(p);
    assert_int_equal(store_read_last_seq(r), 1);
    store_reader_close(r);
    struct rows got = read_rows(p, s, T0, INT64_MAX);
    assert_int_equal(got.n, 5);
}

static void a_stream_keeps_its_number_and_counts_on(void **state)
{
    struct place *p = *state;
    struct audit a;

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    assert_int_equal(open_stream(p, "dev.a"), s);
    assert_int_not_equal(open_stream(p, "dev.b"), s);
    submit_rows(p, s, 0, 14);
    close_log(p);
    open_log(p);
    assert_int_equal(open_stream(p, "dev.a"), s);
    submit_rows(p, s, 15, 40);
    close_log(p);
    open_log(p);
    audit(p, &a);
    assert_int_equal(a.next[s], 41);
}

static void reads_sealed_and_pending_rows_as_one(void **state)
{
    struct place *p = *state;
    struct rows got;

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    submit_rows(p, s, 0, 1234);
    got = read_rows(p, s, INT64_MIN, INT64_MAX);
    assert_int_equal(got.n, 1235);
    got = read_rows(p, s, T0 + 1232000, T0 + 1234000);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.first, 1232);
    got = read_rows(p, s, T0 + 17500, T0 + 38000);
    assert_int_equal(got.n, 20);
    assert_int_equal(got.first, 18);
    assert_int_equal(got.last, 37);
    got = read_rows(p, s + 5, INT64_MIN, INT64_MAX);
    assert_int_equal(got.n, 0);

    struct store_reader *r = open_reader(p);
    assert_int_equal(store_read_last_time(r, s), T0 + 1234000);
    assert_int_equal(store_read_last_time(r, s + 1), 0);
    struct rows few = { .stop_at = 3 };
    assert_int_equal(store_read_rows(r, s, T0, INT64_MAX, count_row, &few), 0);
    assert_int_equal(few.n, 3);
    store_reader_close(r);
}

static bool stop_at_first(void *user, const struct store_entry *e)
{
    memcpy(user, e->data, e->size);
    ((char *)user)[e->size] = '\0';
    return false;
}

struct producer {
    struct place *place;
    uint32_t stream;
    bool has_failed;
};

static void *produce(void *arg)
{
    struct producer *pr = arg;

    for (int64_t i = 0; i < 2000; i++) {
        struct series_cell cells[COLUMNS] = { { .v = i }, { .v = 1 }, { .v = 2 } };
        struct store_batch *b;
        if (store_batch_begin(pr->place->store, &b) < 0 ||
            store_batch_row(b, pr->stream, T0 + i * 1000, cells, COLUMNS) < 0 ||
            store_batch_submit(b, i % 5 ? STORE_WITH_INTERVAL : STORE_AT_ONCE) < 0)
            pr->has_failed = true;
    }
    return NULL;
}

static void a_reader_sees_every_row_once_while_frames_are_made(void **state)
{
    struct place *p = *state;
    pthread_t thread;

    p->options.seal_rows = 7;
    open_log(p);
    struct producer pr = { .place = p, .stream = open_stream(p, "dev.a") };
    struct store_reader *r = open_reader(p);
    assert_int_equal(pthread_create(&thread, NULL, produce, &pr), 0);
    unsigned seen = 0;
    for (struct rows got = { 0 }; got.n < 2000; seen = got.n) {
        got = (struct rows){ 0 };
        assert_int_equal(store_read_rows(r, pr.stream, T0, INT64_MAX, count_row, &got), 0);
        assert_true(got.n >= seen && got.first == 0);
        assert_true(got.n == 0 || got.last == got.n - 1);
    }
    pthread_join(thread, NULL);
    assert_false(pr.has_failed);
    store_reader_close(r);
}

static void a_batch_is_kept_whole_with_its_event_and_state(void **state)
{
    struct place *p = *state;
    char text[512], want[512];
    size_t size = 0;

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    struct store_batch *b = begin(p);
    put_row(b, s, 0);
    assert_int_equal(store_batch_state(b, "alert.1", "abc", 3), 0);
    assert_int_equal(store_batch_state(b, "alert.2", "d", 1), 0);
    assert_int_equal(
        store_batch_event(b, "{\"kind\":\"alert\",\"time\":\"2026-11-22T07:09:30.125Z\"}"), 0);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_for_commit(p);
    close_log(p);
    open_log(p);
    char *data = store_state_get(p->store, "alert.1", &size);
    assert_non_null(data);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "abc", 3);
    free(data);
    assert_null(store_state_get(p->store, "alert.3", &size));

    struct store_reader *r = open_reader(p);
    assert_int_equal(store_read_events(r, "alert", 5, stop_at_first, text), 0);
    snprintf(want, sizeof want,
             "{\"epoch\":\"%016" PRIx64 "\",\"seq\":1,\"kind\":\"alert\","
             "\"time\":\"2026-11-22T07:09:30.125Z\"}",
             store_epoch(p->store));
    assert_string_equal(text, want);
    store_reader_close(r);
}

static void count_state(void *user, const char *key, const void *data, size_t size)
{
    (void)data;
    assert_true(strncmp(key, "agg.", 4) == 0);
    *(size_t *)user += size;
}

static void states_are_listed_by_prefix_and_deleted_by_size_0(void **state)
{
    struct place *p = *state;
    size_t bytes = 0;

    open_log(p);
    struct store_batch *b = begin(p);
    assert_int_equal(store_batch_state(b, "agg.1", "1234", 4), 0);
    assert_int_equal(store_batch_state(b, "agg.2", "12", 2), 0);
    assert_int_equal(store_batch_state(b, "agg.3", "1", 1), 0);
    assert_int_equal(store_batch_state(b, "agh", "12345678", 8), 0);
    assert_int_equal(store_batch_state(b, "agg.2", NULL, 0), 0);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_for_commit(p);
    assert_int_equal(store_state_each(p->store, "agg.", count_state, &bytes), 0);
    assert_int_equal(bytes, 5);
}

struct times {
    unsigned n;
    uint64_t seq;
    int64_t t;
};

static bool count_down(void *user, const struct store_entry *e)
{
    struct times *t = user;

    assert_int_equal(e->kind, STORE_EVENT);
    if (t->n > 0)
        assert_true(e->seq < t->seq);
    t->seq = e->seq;
    t->t = e->t_first;
    t->n++;
    return true;
}

static void events_come_newest_first(void **state)
{
    struct place *p = *state;
    char text[96];
    struct times got = { 0 };

    open_log(p);
    struct store_batch *b = begin(p);
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "{\"kind\":\"%s\",\"time\":\"1970-01-01T00:00:00.%03dZ\"}",
                 i % 2 ? "alert" : "notice", i);
        assert_int_equal(store_batch_event(b, text), 0);
    }
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_for_commit(p);
    struct store_reader *r = open_reader(p);
    assert_int_equal(store_read_events(r, "notice", 1000, count_down, &got), 0);
    assert_int_equal(got.n, 150);
    assert_int_equal(got.t, 0);
    got = (struct times){ 0 };
    assert_int_equal(store_read_events(r, NULL, 140, count_down, &got), 0);
    assert_int_equal(got.n, 140);
    store_reader_close(r);
}

static bool count_local(void *user, const struct store_entry *e)
{
    unsigned *local = user;

    *local += e->is_local;
    return true;
}

static void notes_stay_in_the_station(void **state)
{
    struct place *p = *state;
    struct times got = { 0 };
    unsigned local = 0;

    open_log(p);
    struct store_batch *b = begin(p);
    assert_int_equal(store_batch_note(b, "{\"kind\":\"lora\"}"), 0);
    assert_int_equal(store_batch_event(b, "{\"kind\":\"notice\"}"), 0);
    assert_int_equal(store_batch_note(b, "{\"kind\":\"lora\"}"), 0);
    assert_int_equal(store_batch_note(b, "no object"), -EINVAL);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_for_commit(p);
    struct store_reader *r = open_reader(p);
    assert_int_equal(store_read_events(r, NULL, 10, count_local, &local), 0);
    assert_int_equal(local, 0);
    assert_int_equal(store_read_events(r, "lora", 10, count_down, &got), 0);
    assert_int_equal(got.n, 2);
    assert_int_equal(store_read_next_event(r, 1), 2);
    assert_int_equal(store_read_next_event(r, 3), 4);
    assert_int_equal(store_read_entries(r, 1, 4, count_local, &local), 0);
    assert_int_equal(local, 2);
    store_reader_close(r);
}

static void refuses_what_does_not_fit_the_stream(void **state)
{
    struct place *p = *state;
    struct series_cell cells[COLUMNS] = { { .e = 0 }, { .e = 19 }, { .e = 0 } };

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    struct store_batch *b = begin(p);
    assert_int_equal(store_batch_row(b, s, T0, cells, COLUMNS), -EINVAL);
    cells[1].e = 1;
    assert_int_equal(store_batch_row(b, s, T0, cells, 2), -EINVAL);
    assert_int_equal(store_batch_row(b, s + 1, T0, cells, COLUMNS), -EINVAL);
    assert_int_equal(store_batch_row(b, s, INT64_MAX, cells, COLUMNS), -EINVAL);
    assert_int_equal(store_batch_event(b, "no object"), -EINVAL);
    store_batch_drop(b);
    uint32_t n;
    assert_int_equal(store_stream_open(p->store, "x", 0, 1000, 1, NULL, dictionary, &n),
                     -EINVAL);
    assert_int_equal(store_stream_open(p->store, "x", 3, 1000, 1, NULL, "[]", &n), -EINVAL);
    assert_int_equal(store_stream_open(p->store, "x", 3, 1000, 1, NULL, "{\"a\":1.5}", &n),
                     -EINVAL);
    assert_int_equal(open_stream(p, "dev.b"), s + 1);
}

static int wait_for_stream(struct place *p, struct store_asked *a, uint32_t *number)
{
    int rc;

    while ((rc = store_stream_asked(p->store, a, number)) == -EINPROGRESS)
        usleep(500);
    return rc;
}

static void a_stream_can_be_asked_for_without_waiting(void **state)
{
    struct place *p = *state;
    struct store_asked *a, *second;
    uint32_t asked = 0;

    open_log(p);
    const uint32_t first = open_stream(p, "dev.a");
    assert_int_equal(store_stream_ask(p->store, "rev.a", 3, 1000, 1, dictionary, &a), 0);
    int rc = store_stream_ask(p->store, "rev.b", 3, 1000, 1, dictionary, &second);
    assert_true(rc == -EBUSY || rc == 0); /* the writer may have been faster */
    if (rc == 0)
        store_stream_drop(p->store, second);
    const uint32_t waited = open_stream(p, "dev.b"); /* behind the one that was asked for */
    assert_int_equal(wait_for_stream(p, a, &asked), 0);
    assert_int_equal(asked, first + 1);
    assert_true(waited > asked);
    submit_rows(p, asked, 0, 2);
    assert_int_equal(store_stream_ask(p->store, "rev.a", 3, 1000, 1, dictionary, &a), 0);
    assert_int_equal(wait_for_stream(p, a, &asked), 0);
    assert_int_equal(asked, first + 1);
    assert_int_equal(store_stream_ask(p->store, "x", 0, 1000, 1, dictionary, &a), -EINVAL);
    assert_int_equal(store_stream_ask(p->store, "x", 3, 1000, 1, "[]", &a), 0);
    assert_int_equal(wait_for_stream(p, a, &asked), -EINVAL);
    assert_int_equal(asked, first + 1);
    store_stream_drop(p->store, NULL);
}

static void a_full_queue_refuses_and_counts(void **state)
{
    struct place *p = *state;
    struct store_health h;
    static char state_data[STORE_STATE_MAX];
    int rc = 0, n = 0;

    p->options.commit_ms = 60000; /* nothing is written while the queue fills */
    open_log(p);
    for (; rc == 0 && n < 100; n++) {
        struct store_batch *b = begin(p);
        assert_int_equal(store_batch_state(b, "big", state_data, sizeof state_data), 0);
        rc = store_batch_submit(b, STORE_WITH_INTERVAL);
    }
    assert_int_equal(rc, -EAGAIN);
    assert_in_range(n, 30, 33);
    store_health_get(p->store, &h);
    assert_int_equal(h.batches_refused, 1);
    assert_true(h.queue_bytes <= STORE_QUEUE_BYTES_MAX);
}

static void the_layout_number_is_that_of_the_canonical_text(void **state)
{
    /* keys sorted, no blanks: what the station and the centre both hash */
    static const char canonical[] =
        "{\"channels\":[{\"id\":\"a/x\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"},"
        "{\"id\":\"a/y\",\"quantity\":\"no2\",\"unit\":\"ug/m3\"},"
        "{\"id\":\"a/z\",\"quantity\":\"so2\",\"unit\":\"ug/m3\"}],"
        "\"period_ms\":1000,\"sf1\":1,\"station\":\"s\",\"stream\":1,\"unit_ms\":1}";
    struct place *p = *state;
    char want[32];

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    struct store_reader *r = open_reader(p);
    uint32_t layout = store_read_stream_layout(r, s);
    assert_int_equal(layout, series_layout_id(canonical, sizeof canonical - 1));
    char *json = store_read_layout(r, layout);
    assert_non_null(json);
    snprintf(want, sizeof want, "\"layout\":\"%08" PRIx32 "\"", layout);
    assert_non_null(strstr(json, want));
    free(json);
    assert_null(store_read_layout(r, layout + 1));
    store_reader_close(r);
}

static bool note_layout(void *user, int64_t time_ms, const struct series_cell *cells,
                        unsigned columns, uint32_t layout)
{
    uint32_t *seen = user;

    (void)time_ms, (void)cells;
    seen[columns] = layout;
    return true;
}

static void a_changed_layout_starts_a_segment_and_keeps_old_rows(void **state)
{
    struct place *p = *state;
    const struct series_cell cells[2] = { { .v = 1 }, { .v = 2 } };
    uint32_t number, seen[COLUMNS + 1] = { 0 };

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    submit_rows(p, s, 0, 4);
    assert_int_equal(
        store_stream_open(p->store, "dev.a", 2, 1000, 1, NULL, "{\"sf1\":1}", &number), 0);
    assert_int_equal(number, s);
    struct store_batch *b = begin(p);
    assert_int_equal(store_batch_row(b, s, T0 + 9000, cells, 2), 0);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_for_commit(p);
    struct store_reader *r = open_reader(p);
    assert_int_equal(store_read_rows(r, s, T0, INT64_MAX, note_layout, seen), 0);
    assert_true(seen[3] != 0 && seen[2] != 0 && seen[2] != seen[3]);
    store_reader_close(r);
}

struct leading {
    unsigned columns, least; /* asked for; fewest that came */
    uint32_t skipped;        /* layout of which nothing is asked for */
    unsigned n;
};

static unsigned columns_wanted(void *user, uint32_t layout)
{
    const struct leading *l = user;

    return layout == l->skipped ? 0 : l->columns;
}

static bool check_leading(void *user, int64_t time_ms, const struct series_cell *cells,
                          unsigned columns, uint32_t layout)
{
    struct leading *l = user;

    assert_true(columns >= l->columns && layout != l->skipped);
    assert_int_equal(cells[0].v, (time_ms - T0) / 1000);
    if (l->columns > 1)
        assert_int_equal(cells[1].v, 2 * cells[0].v);
    l->least = columns < l->least ? columns : l->least;
    l->n++;
    return true;
}

static void reads_the_leading_columns_alone(void **state)
{
    struct place *p = *state;

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    submit_rows(p, s, 0, 99);
    struct store_reader *r = open_reader(p);
    for (unsigned columns = 1; columns <= COLUMNS; columns++) {
        struct leading l = { .columns = columns, .least = COLUMNS };
        assert_int_equal(
            store_read_columns(r, s, T0, INT64_MAX, columns_wanted, check_leading, &l), 0);
        assert_int_equal(l.n, 100);
        assert_int_equal(l.least, columns);
    }
    struct rows all = { 0 };
    assert_int_equal(store_read_rows(r, s, T0, INT64_MAX, count_row, &all), 0);
    assert_int_equal(all.n, 100); /* the limit is forgotten */
    store_reader_close(r);
}

static void cursors_come_back_as_they_were_written(void **state)
{
    struct place *p = *state;
    struct store_cursor c = { .acked_to = 77,
                              .above = { { 80, 81 }, { 90, 95 } },
                              .above_n = 2 };
    struct store_cursor got;

    open_log(p);
    assert_int_equal(store_cursor_set(p->store, "centre", &c), 0);
    assert_int_equal(store_set_aside(p->store, "centre", 79, "refused"), 0);
    assert_int_equal(store_set_aside(p->store, "centre", 79, "refused again"), 0);
    wait_for_commit(p);
    struct store_reader *r = open_reader(p);
    assert_int_equal(store_cursor_get(r, "centre", &got), 0);
    assert_int_equal(got.acked_to, 77);
    assert_int_equal(got.above_n, 2);
    assert_memory_equal(got.above, c.above, 2 * sizeof c.above[0]);
    assert_int_equal(store_read_set_aside(r, "centre"), 1);
    assert_int_equal(store_read_set_aside(r, "other"), 0);
    assert_int_equal(store_cursor_get(r, "new", &got), 0);
    assert_int_equal(got.acked_to, 0);
    assert_int_equal(got.above_n, 0);
    store_reader_close(r);
}

/* ---- what must be refused, and what must be survived ---- */

static int ignore_synchronous(void *user, int action, const char *a, const char *b,
                              const char *c, const char *d)
{
    (void)user, (void)c, (void)d;
    return action == SQLITE_PRAGMA && strcmp(a, "synchronous") == 0 && b ? SQLITE_IGNORE
                                                                         : SQLITE_OK;
}

/* Every connection opened from here on ignores that synchronous is set, as a broken build
 * would. */
static int weaken(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
    (void)error, (void)api;
    sqlite3_exec(db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    sqlite3_set_authorizer(db, ignore_synchronous, NULL);
    return SQLITE_OK;
}

static void refuses_to_run_without_full_synchronous(void **state)
{
    struct place *p = *state;
    char error[256] = "";

    sqlite3_auto_extension((void (*)(void))weaken);
    int rc = store_open(&p->options, on_commit, p, &p->store, error, sizeof error);
    sqlite3_cancel_auto_extension((void (*)(void))weaken);
    assert_int_equal(rc, -ENOTSUP);
    assert_non_null(strstr(error, "synchronous=FULL"));
    open_log(p);
}

static void refuses_a_second_process(void **state)
{
    struct place *p = *state;
    struct store *other;
    char error[256] = "";

    open_log(p);
    assert_int_equal(store_open(&p->options, NULL, NULL, &other, error, sizeof error), -EBUSY);
    assert_non_null(strstr(error, "in use"));
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void refuses_a_foreign_and_a_newer_database(void **state)
{
    struct place *p = *state;
    char error[256] = "";

    execute(p->path, "CREATE TABLE t (x)");
    assert_int_equal(store_open(&p->options, NULL, NULL, &p->store, error, sizeof error),
                     -EINVAL);
    assert_non_null(strstr(error, "not a log"));
    remove_log(p);
    open_log(p);
    close_log(p);
    execute(p->path, "PRAGMA user_version = 99");
    assert_int_equal(store_open(&p->options, NULL, NULL, &p->store, error, sizeof error),
                     -EINVAL);
    assert_non_null(strstr(error, "newer version"));
}

static void copy_file(const char *from, const char *to)
{
    char chunk[8192];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");

    assert_true(in && out);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, in)) > 0;)
        assert_int_equal(fwrite(chunk, 1, n, out), n);
    fclose(in);
    fclose(out);
}

static void a_restored_database_starts_a_new_epoch(void **state)
{
    struct place *p = *state;
    char copy[128];

    snprintf(copy, sizeof copy, "%s.copy", p->path);
    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    uint64_t epoch = store_epoch(p->store);
    submit_rows(p, s, 0, 9);
    close_log(p);
    copy_file(p->path, copy);
    open_log(p);
    assert_int_equal(store_epoch(p->store), epoch);
    submit_rows(p, s = open_stream(p, "dev.a"), 10, 29);
    close_log(p);
    copy_file(copy, p->path);
    open_log(p);
    assert_int_not_equal(store_epoch(p->store), epoch);
}

/* The child accepts batches of two rows and an event until it is killed; what it was told is
 * committed it says through the pipe. */
static void run_child(struct place *p, int say, int64_t first)
{
    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    uint64_t said = 0;
    for (int64_t i = first;; i += 2) {
        struct store_batch *b = begin(p);
        put_row(b, s, i);
        put_row(b, s, i + 1);
        store_batch_event(b, "{\"kind\":\"pair\"}");
        while (store_batch_submit(b, i % 14 == 0 ? STORE_AT_ONCE : STORE_WITH_INTERVAL) < 0)
            b = begin(p);
        pthread_mutex_lock(&p->lock);
        uint64_t rows = p->last.rows;
        pthread_mutex_unlock(&p->lock);
        if (rows > said) {
            said = rows;
            if (write(say, &rows, sizeof rows) != sizeof rows)
                _exit(1);
        }
        struct timespec pause = { .tv_nsec = 200000 };
        nanosleep(&pause, NULL);
    }
}

static void nothing_committed_is_lost_by_kill_9(void **state)
{
    struct place *p = *state;
    uint64_t heard = 0;
    int64_t first = 0;
    struct audit a;

    p->options.commit_ms = 1; /* 50 ms is the least */
    for (unsigned round = 0; round < 12; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(pipes[0]);
            run_child(p, pipes[1], first);
            _exit(1);
        }
        close(pipes[1]);
        for (unsigned n = 0; n < 3 + round % 5; n++)
            if (read(pipes[0], &heard, sizeof heard) != sizeof heard)
                break;
        struct timespec pause = { .tv_nsec = 1000000 * (round * 7 % 23) };
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(pipes[0], &heard, sizeof heard) == sizeof heard)
            ;
        close(pipes[0]);

        open_log(p);
        audit(p, &a);
        assert_true(a.rows >= heard);
        assert_int_equal(a.rows % 2, 0); /* a batch is there whole or not at all */
        assert_int_equal(a.events, a.rows / 2);
        first = (int64_t)a.rows;
        close_log(p);
    }
    assert_true(heard > 0);
}

static void wait_for_error(struct place *p)
{
    struct store_health h = { 0 };

    for (int i = 0; i < 500 && !h.error[0]; i++) {
        struct timespec pause = { .tv_nsec = 10000000 };
        nanosleep(&pause, NULL);
        store_health_get(p->store, &h);
    }
    assert_true(h.error[0] != '\0');
    assert_true(h.commit_errors > 0);
}

/* No file may grow: to SQLite it is a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_delays_and_loses_nothing(void **state)
{
    struct place *p = *state;
    struct audit a;
    struct store_health h;

    signal(SIGXFSZ, SIG_IGN);
    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    submit_rows(p, s, 0, 24);
    limit_files(8192);
    for (int64_t i = 25; i < 60; i++) {
        struct store_batch *b = begin(p);
        put_row(b, s, i);
        assert_int_equal(store_batch_event(b, "{\"kind\":\"e\"}"), 0);
        assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    }
    wait_for_error(p);
    limit_files(RLIM_INFINITY);
    submit_rows(p, s, 60, 60 + 9);
    pthread_mutex_lock(&p->lock);
    while (p->last.rows < 70)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    store_health_get(p->store, &h);
    assert_string_equal(h.error, "");
    assert_int_equal(h.queue_bytes, 0);
    close_log(p);
    open_log(p);
    audit(p, &a);
    assert_int_equal(a.rows, 70);
    assert_int_equal(a.events, 35);
}

static void rows_are_sealed_at_their_age(void **state)
{
    struct place *p = *state;
    struct store_reader *r;

    p->options.seal_ms = 5000;
    p->options.speed = 50; /* 100 ms real */
    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    submit_rows(p, s, 0, 2);
    r = open_reader(p);
    pthread_mutex_lock(&p->lock);
    while (p->last.seq_last == 0)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    assert_int_equal(store_read_last_seq(r), 1);
    store_reader_close(r);
    assert_int_equal(read_rows(p, s, T0, INT64_MAX).n, 3);
}

static void trims_old_entries_by_itself(void **state)
{
    struct place *p = *state;
    struct store_reader *r;
    struct clock later;

    open_log(p);
    uint32_t s = open_stream(p, "dev.a");
    submit_rows(p, s, 0, 499); /* 50 frames */
    close_log(p);
    clock_init(&later, 2, T0 + INT64_C(100) * 86400000);
    p->options.clock = &later;
    p->options.age_max_ms = 86400000;
    open_log(p);
    r = open_reader(p);
    for (int i = 0; i < 500 && store_read_first_seq(r) <= 50; i++) {
        struct timespec pause = { .tv_nsec = 10000000 };
        nanosleep(&pause, NULL);
    }
    assert_int_equal(store_read_first_seq(r), 51);
    assert_int_equal(store_read_last_seq(r), 50);
    store_reader_close(r);
    assert_int_equal(read_rows(p, s, T0, INT64_MAX).n, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keeps_rows_in_order_and_entries_without_gaps),
        TEST(opening_again_seals_what_was_pending),
        TEST(a_stream_keeps_its_number_and_counts_on),
        TEST(a_stream_can_be_asked_for_without_waiting),
        TEST(reads_sealed_and_pending_rows_as_one),
        TEST(a_reader_sees_every_row_once_while_frames_are_made),
        TEST(a_batch_is_kept_whole_with_its_event_and_state),
        TEST(states_are_listed_by_prefix_and_deleted_by_size_0),
        TEST(events_come_newest_first),
        TEST(notes_stay_in_the_station),
        TEST(refuses_what_does_not_fit_the_stream),
        TEST(a_full_queue_refuses_and_counts),
        TEST(the_layout_number_is_that_of_the_canonical_text),
        TEST(a_changed_layout_starts_a_segment_and_keeps_old_rows),
        TEST(reads_the_leading_columns_alone),
        TEST(cursors_come_back_as_they_were_written),
        TEST(refuses_to_run_without_full_synchronous),
        TEST(refuses_a_second_process),
        TEST(refuses_a_foreign_and_a_newer_database),
        TEST(a_restored_database_starts_a_new_epoch),
        TEST(nothing_committed_is_lost_by_kill_9),
        TEST(a_full_disk_delays_and_loses_nothing),
        TEST(rows_are_sealed_at_their_age),
        TEST(trims_old_entries_by_itself),
    };
#undef TEST
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
