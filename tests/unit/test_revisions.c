/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/revision/revisions.h"
#include "gateway/revision/spans.h"
#include "gateway/store/db.h"
#include "sensors/core/status.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY (INT64_C(24) * HOUR)

enum { OZONE, NO2, OZONE_HOUR, OZONE_HOUR_MAX, OZONE_HOUR_N, NO2_HOUR, CHANNELS };
enum { READINGS, HOURS, STREAMS };
enum { ROWS = 3000, STEP = 10 * SECOND, EVENTS_MAX = 64, REAL_WAIT_MS = 10000 };

struct kept_row {
    int64_t time_ms;
    struct series_cell cell[CHANNELS];
    unsigned columns;
};

struct fixture {
    char dir[FOLDER_MAX], path[FOLDER_MAX + 16];
    struct store *store;
    struct channel channel[CHANNELS];
    struct channel_stream stream[STREAMS];
    struct channel_table table;
    struct revisions *r;
    json_t *events;
    int64_t now_ms;
    pthread_mutex_t lock;
    pthread_cond_t committed;
    struct kept_row *rows; /* of the stream that was read last */
    size_t n;
};

/* ---- the log ---- */

static void on_commit(void *user, const struct store_commit *c)
{
    struct fixture *f = user;

    (void)c;
    pthread_mutex_lock(&f->lock);
    pthread_cond_signal(&f->committed);
    pthread_mutex_unlock(&f->lock);
}

static void on_event(void *user, const char *json)
{
    struct fixture *f = user;

    json_array_append_new(f->events, json_loads(json, 0, NULL));
}

static bool is_committed(const struct fixture *f)
{
    struct store_health h;

    store_health_get(f->store, &h);
    return h.committed.batches >= store_submitted(f->store);
}

/* The next commit, but no longer than that; false when none came. */
static bool wait_commit(struct fixture *f, int64_t longest_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    const int64_t ns = until.tv_nsec + longest_ms % 1000 * 1000000;
    until.tv_sec += longest_ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    return pthread_cond_timedwait(&f->committed, &f->lock, &until) == 0;
}

static void wait_committed(struct fixture *f)
{
    bool is_in_time = true;

    pthread_mutex_lock(&f->lock);
    while (is_in_time && !is_committed(f))
        is_in_time = wait_commit(f, REAL_WAIT_MS);
    pthread_mutex_unlock(&f->lock);
    assert_true(is_committed(f));
}

/* The station's second: the next commit, or a while for the thread that reads. */
static void tick(struct fixture *f)
{
    revisions_tick(f->r, f->now_ms);
    pthread_mutex_lock(&f->lock);
    wait_commit(f, 1);
    pthread_mutex_unlock(&f->lock);
}

static void open_stream(struct fixture *f, unsigned s, const char *first)
{
    char text[1024];
    struct channel_stream *stream = &f->stream[s];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{\"sf1\":1,\"station\":\"s\",\"period_ms\":%d,\"unit_ms\":1,"
                                "\"channels\":[%s",
                                (int)stream->period_ms, first);

    for (uint32_t i = stream->first; i < stream->first + stream->n; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "%s{\"id\":\"%s\",\"quantity\":\"%s\",\"unit\":\"ug/m3\"}",
                              i > stream->first || *first ? "," : "", f->channel[i].id,
                              f->channel[i].quantity->id);
    snprintf(text + n, sizeof text - n, "]}");
    assert_int_equal(store_stream_open(f->store, stream->name, stream->n + (*first != '\0'),
                                       stream->period_ms, 1, NULL, text, &stream->number),
                     0);
    for (uint32_t i = stream->first; i < stream->first + stream->n; i++)
        f->channel[i].stream = stream->number;
}

/* Readings of 40.0 and 20.0 every 10 s; the ozone of row 7 is bad, of row 8 of a calibration,
 * of row 9 missing. Hours of 41 (n 360) each. */
static void fill(struct fixture *f)
{
    struct store_batch *b;
    const struct series_cell good = series_cell_of((struct decimal){ 400, 1 }, 0);

    assert_int_equal(store_batch_begin(f->store, &b), 0);
    for (int i = 0; i < ROWS; i++) {
        struct series_cell row[] = { good, { 200, 0, 1 } };
        if (i == 7)
            row[0].flag = verdict_to_flag((struct verdict){ 0, GRADE_BAD, REASON_RANGE });
        if (i == 8)
            row[0].flag = verdict_to_flag(
                (struct verdict){ STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO });
        if (i == 9)
            row[0] = series_cell_of(DECIMAL_MISSING, 32);
        assert_int_equal(store_batch_row(b, f->stream[READINGS].number, T0 + i * STEP, row, 2),
                         0);
    }
    for (int h = 0; h < 8; h++) {
        const struct series_cell row[] = {
            { 41, 0, 0 }, { 42, 0, 0 }, { 360, 0, 0 }, { 21, 0, 0 }
        };
        assert_int_equal(
            store_batch_row(b, f->stream[HOURS].number, T0 + (int64_t)h * HOUR, row, 4), 0);
    }
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_committed(f);
}

static bool take_row(void *user, int64_t time_ms, const struct series_cell *cells,
                     unsigned columns, uint32_t layout)
{
    struct fixture *f = user;

    (void)layout;
    assert_true(f->n < ROWS && columns <= CHANNELS);
    f->rows[f->n] = (struct kept_row){ .time_ms = time_ms, .columns = columns };
    memcpy(f->rows[f->n++].cell, cells, columns * sizeof *cells);
    return true;
}

struct finding {
    const char *name;
    uint32_t number;
};

static void take_stream(void *user, uint32_t number, const char *name, uint32_t layout,
                        bool is_local)
{
    struct finding *f = user;

    (void)layout, (void)is_local;
    if (strcmp(name, f->name) == 0)
        f->number = number;
}

int store_read_streams(struct store_reader *r,
                       void (*each)(void *user, uint32_t number, const char *name,
                                    uint32_t layout, bool is_local),
                       void *user);

/* Its rows in f->rows; how many there are. */
static size_t read_stream(struct fixture *f, const char *name)
{
    struct finding found = { .name = name };
    struct store_reader *reader;

    wait_committed(f);
    f->n = 0;
    assert_int_equal(store_reader_open(f->store, &reader), 0);
    store_read_streams(reader, take_stream, &found);
    if (found.number)
        assert_int_equal(store_read_rows(reader, found.number, 0, T0 + 1000 * DAY, take_row, f),
                         0);
    store_reader_close(reader);
    return f->n;
}

/* ---- life ---- */

static void attach(struct fixture *f)
{
    const struct revisions_station s = { &f->table, on_event, f };

    revisions_attach(f->r, &s);
}

static void start(struct fixture *f)
{
    const struct store_options o = {
        .path = f->path, .commit_ms = 5, .seal_ms = HOUR, .seal_rows = 100, .speed = 1
    };
    char error[256];

    assert_int_equal(store_open(&o, on_commit, f, &f->store, error, sizeof error), 0);
    open_stream(f, READINGS, "");
    open_stream(f, HOURS, "");
    assert_int_equal(revisions_create(f->store, &f->r), 0);
    attach(f);
}

static void stop(struct fixture *f)
{
    revisions_destroy(f->r);
    store_close(f->store);
}

static void restart(struct fixture *f)
{
    stop(f);
    start(f);
}

static struct channel channel_of(const char *id, const char *statistic, const char *quantity,
                                 uint32_t source, uint32_t column)
{
    return (struct channel){ .id = id,
                             .device = "gas",
                             .point = quantity,
                             .statistic = statistic,
                             .quantity = quantity_find(quantity),
                             .period_ms = statistic ? HOUR : STEP,
                             .decimals = -1,
                             .column = column,
                             .source = source };
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->rows = calloc(ROWS, sizeof *f->rows);
    f->events = json_array();
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->committed, NULL);
    assert_true(folder_make(f->dir));
    snprintf(f->path, sizeof f->path, "%s/log.db", f->dir);
    f->channel[OZONE] = channel_of("gas/ozone", NULL, "ozone", OZONE, 0);
    f->channel[NO2] = channel_of("gas/no2", NULL, "nitrogen_dioxide", NO2, 1);
    f->channel[OZONE_HOUR] = channel_of("gas/ozone@1h", "1h", "ozone", OZONE, 0);
    f->channel[OZONE_HOUR_MAX] = channel_of("gas/ozone@1h.max", "1h.max", "ozone", OZONE, 1);
    f->channel[OZONE_HOUR_N] = channel_of("gas/ozone@1h.n", "1h.n", "ozone", OZONE, 2);
    f->channel[NO2_HOUR] = channel_of("gas/no2@1h", "1h", "nitrogen_dioxide", NO2, 3);
    f->stream[READINGS] =
        (struct channel_stream){ .name = "dev.gas", .first = OZONE, .n = 2, .period_ms = STEP };
    f->stream[HOURS] = (struct channel_stream){
        .name = "stat.1h.0", .first = OZONE_HOUR, .n = 4, .period_ms = HOUR
    };
    f->table = (struct channel_table){ .station = "s",
                                       .channels = f->channel,
                                       .n = CHANNELS,
                                       .streams = f->stream,
                                       .streams_n = STREAMS };
    f->now_ms = T0 + 9 * HOUR;
    start(f);
    fill(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    stop(f);
    folder_remove(f->dir);
    pthread_cond_destroy(&f->committed);
    pthread_mutex_destroy(&f->lock);
    json_decref(f->events);
    free(f->rows);
    free(f);
    return 0;
}

/* ---- acting ---- */

static void order_of(struct fixture *f, const struct revision_order *o)
{
    struct store_batch *b;

    assert_int_equal(store_batch_begin(f->store, &b), 0);
    assert_int_equal(revisions_add(f->r, b, o, f->now_ms), 0);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
}

static void order(struct fixture *f, int64_t from_ms, int64_t to_ms,
                  const struct calibration_drift *drift)
{
    order_of(f, &(struct revision_order){ "gas/ozone", "zero", from_ms, to_ms, drift });
}

static unsigned count(const struct fixture *f, const char *what)
{
    const json_t *e;
    unsigned n = 0;
    size_t i;

    json_array_foreach(f->events, i, e)
    {
        const char *its = json_string_value(json_object_get(e, "what"));
        n += its && strcmp(its, what) == 0;
    }
    return n;
}

/* Until so many events of that kind were told; the station's clock stands. */
static void tick_until(struct fixture *f, const char *what, unsigned n)
{
    const int64_t until_ms = mono_ms() + REAL_WAIT_MS;

    while (count(f, what) < n) {
        assert_true(mono_ms() < until_ms);
        tick(f);
    }
}

static const json_t *last(const struct fixture *f)
{
    return json_array_get(f->events, json_array_size(f->events) - 1);
}

static uint32_t doubtful(uint32_t flag)
{
    return verdict_to_flag(
        verdict_add(verdict_from_flag(flag), GRADE_SUSPECT, REASON_CAL_DRIFT));
}

static void tell_alert(struct fixture *f, const char *transition, int64_t at_ms,
                       int64_t raised_ms, const char *channel)
{
    char text[512], at[TIME_TEXT_MAX];
    struct store_batch *b;

    time_print_utc(at_ms, at);
    snprintf(
        text, sizeof text,
        "{\"kind\":\"alert\",\"time\":\"%s\",\"transition\":\"%s\",\"key\":\"smog/%s/%lld\","
        "\"rule\":\"smog\",\"channel\":\"%s\",\"level\":\"%s\"}",
        at, transition, channel, (long long)raised_ms, channel,
        strcmp(transition, "raised") == 0 ? "red" : "none");
    assert_int_equal(store_batch_begin(f->store, &b), 0);
    assert_int_equal(store_batch_event(b, text), 0);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_committed(f);
}

/* ---- readings ---- */

static void writes_each_reading_of_the_bracket_once_with_its_new_flag(void **state)
{
    struct fixture *f = *state;

    order(f, T0 + 5 * STEP, T0 + 2000 * (int64_t)STEP, NULL);
    tick_until(f, "revised", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone"), 1993); /* not the calibration, the gap */
    for (size_t i = 0; i < f->n; i++) {
        const size_t row = i + 5 + (i >= 3 ? 2 : 0);
        const uint32_t was =
            row == 7 ? verdict_to_flag((struct verdict){ 0, GRADE_BAD, REASON_RANGE }) : 0;
        assert_int_equal(f->rows[i].time_ms, T0 + (int64_t)row * STEP);
        assert_int_equal(f->rows[i].columns, 1);
        assert_int_equal(f->rows[i].cell[0].v, 400);
        assert_int_equal(f->rows[i].cell[0].e, 1);
        assert_int_equal(f->rows[i].cell[0].flag, doubtful(was));
    }
    assert_int_equal(verdict_from_flag(f->rows[2].cell[0].flag).grade, GRADE_BAD);
    assert_int_equal(read_stream(f, "dev.gas"), ROWS);
    assert_int_equal(f->rows[100].cell[0].flag, 0); /* the log is as it was */
    assert_int_equal(read_stream(f, "rev.gas/no2"), 0);
}

static void goes_on_where_it_was_after_a_restart(void **state)
{
    struct fixture *f = *state;

    order(f, T0, T0 + ROWS * (int64_t)STEP, NULL);
    tick_until(f, "revision_begun", 1);
    size_t before = 0;
    for (unsigned runs = 1; count(f, "revised") == 0; runs++) {
        assert_true(runs < 200);
        restart(f);
        for (int i = 0; i < 12 && count(f, "revised") == 0; i++) {
            tick(f);
            wait_committed(f);
        }
        const size_t now = read_stream(f, "rev.gas/ozone");
        assert_true(now >= before && now <= before + 12 * REVISIONS_SLICE_ROWS);
        before = now;
    }
    assert_int_equal(read_stream(f, "rev.gas/ozone"), ROWS - 2);
    for (size_t i = 1; i < f->n; i++)
        assert_true(f->rows[i].time_ms > f->rows[i - 1].time_ms);
    assert_int_equal(count(f, "revision_begun"), 1);
    assert_int_equal(count(f, "revised"), 1);
    assert_int_equal(json_integer_value(json_object_get(last(f), "rows")), ROWS - 2);
}

static void revises_no_row_a_second_time(void **state)
{
    struct fixture *f = *state;

    order(f, T0 + 100 * STEP, T0 + 200 * STEP, NULL);
    order(f, T0 + 150 * STEP, T0 + 300 * STEP, NULL);
    tick_until(f, "revised", 2);
    restart(f);
    order(f, T0 + 50 * STEP, T0 + 300 * STEP, NULL);
    tick_until(f, "revised", 3);
    assert_int_equal(read_stream(f, "rev.gas/ozone"), 250);
    assert_int_equal(json_integer_value(json_object_get(last(f), "rows")), 50);
}

static void begins_with_the_first_reading_where_no_check_was_ever_passed(void **state)
{
    struct fixture *f = *state;

    order(f, 0, T0 + 20 * STEP, NULL);
    tick_until(f, "revised", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone"), 18);
    assert_true(json_is_null(json_object_get(last(f), "start")));
    assert_string_equal(json_string_value(json_object_get(last(f), "oldest")),
                        "2026-01-01T00:00:00.000Z");
}

static void goes_back_400_days_at_most_and_says_so(void **state)
{
    struct fixture *f = *state;

    order(f, T0 - 20 * DAY, T0 + 20 * STEP, NULL);
    tick_until(f, "revised", 1);
    assert_true(json_is_false(json_object_get(last(f), "cut")));
    order(f, T0 - (REVISIONS_REACH_DAYS + 1) * DAY, T0 + 40 * STEP, NULL);
    tick_until(f, "revised", 2);
    assert_true(json_is_true(json_object_get(last(f), "cut")));
    assert_string_equal(json_string_value(json_object_get(last(f), "oldest")),
                        "2026-01-01T00:03:20.000Z");
    assert_non_null(
        strstr(json_string_value(json_object_get(json_object_get(last(f), "text"), "en")),
               "the log has no older one than of 2026-01-01T00:03:20.000Z"));
    assert_int_equal(read_stream(f, "rev.gas/ozone"), 38);
}

static void reads_less_at_once_where_rows_are_closer_than_the_configuration_says(void **state)
{
    struct fixture *f = *state;

    f->stream[READINGS].period_ms = 10 * STEP; /* a slice would be 2,400 rows */
    order(f, T0, T0 + ROWS * (int64_t)STEP, NULL);
    tick_until(f, "revised", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone"), ROWS - 2);
}

static void corrects_by_zero_and_factor_of_the_time(void **state)
{
    struct fixture *f = *state;
    const struct calibration_drift drift = {
        .zero = { T0, T0 + 1000 * STEP, 0, 10 },
        .factor = { T0, T0 + 1000 * STEP, 1, 1.5 },
    };

    order(f, T0 + 100 * STEP, T0 + 1000 * STEP, &drift);
    tick_until(f, "revised", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone"), 900);
    for (size_t i = 0; i < f->n; i++) {
        const double share = (double)(f->rows[i].time_ms - T0) / (1000.0 * STEP);
        const double want = (40 - 10 * share) * (1 + 0.5 * share);
        const struct decimal have = series_value(&f->rows[i].cell[0]);
        assert_int_equal(have.e, 2);
        assert_true(fabs(decimal_to_double(have) - want) <= 0.005001);
    }
    f->now_ms += 3 * HOUR;
    tick_until(f, "revision_ended", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 3);
    const struct series_cell *cell = f->rows[1].cell; /* 01:00, drift of 01:30: 540 rows */
    assert_int_equal(cell[0].v, 452);                 /* (41 - 5.4) * 1.27 */
    assert_int_equal(cell[0].e, 1);
    assert_int_equal(cell[2].v, 360);
}

/* ---- a log that cannot be read for a while ---- */

static void waits_for_a_log_that_cannot_be_opened(void **state)
{
    struct fixture *f = *state;
    char away[FOLDER_MAX + 32];

    snprintf(away, sizeof away, "%s.away", f->path);
    order(f, T0, T0 + 20 * STEP, NULL);
    wait_committed(f);
    assert_int_equal(rename(f->path, away), 0);
    for (int i = 0; i < 20; i++)
        tick(f);
    assert_int_equal(rename(away, f->path), 0);
    assert_int_equal(count(f, "revision_begun"), 0);
    tick_until(f, "revised", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone"), 18);
}

static void change_log(const struct fixture *f, const char *sql)
{
    char error[256];
    struct db db;

    assert_int_equal(db_open(&db, f->path, DB_WRITE, error, sizeof error), 0);
    assert_int_equal(sqlite3_exec(db.handle, sql, NULL, NULL, NULL), SQLITE_OK);
    db_close(&db);
}

static void one_that_does_not_get_on_is_kept_and_holds_up_no_other(void **state)
{
    struct fixture *f = *state;

    change_log(f, "CREATE TABLE away AS SELECT * FROM layout WHERE json LIKE '%@1h%';"
                  "DELETE FROM layout WHERE json LIKE '%@1h%'");
    order(f, T0, T0 + 2 * HOUR, NULL);
    tick_until(f, "revised", 1);
    order_of(f, &(struct revision_order){ "gas/no2", "span", T0, T0 + HOUR, NULL });
    tick_until(f, "revised", 2);
    assert_int_equal(count(f, "revision_ended"), 0);
    change_log(f, "INSERT INTO layout SELECT * FROM away; DROP TABLE away");
    tick_until(f, "revision_ended", 2);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 2);
    assert_int_equal(read_stream(f, "rev.gas/no2@1h"), 1);
}

/* ---- columns come and go ---- */

static void finds_the_channel_where_it_stood_before_a_change_of_channels(void **state)
{
    struct fixture *f = *state;
    const struct series_cell row[] = { { 1, 0, 0 }, { 77, 0, 0 }, { 2, 0, 0 } };
    struct store_batch *b;

    open_stream(f, READINGS,
                "{\"id\":\"gas/co\",\"quantity\":\"carbon_monoxide\",\"unit\":\"mg/m3\"}");
    assert_int_equal(store_batch_begin(f->store, &b), 0);
    assert_int_equal(
        store_batch_row(b, f->stream[READINGS].number, T0 + ROWS * (int64_t)STEP, row, 3), 0);
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_committed(f);
    order(f, T0 + (ROWS - 2) * (int64_t)STEP, T0 + (ROWS + 1) * (int64_t)STEP, NULL);
    tick_until(f, "revised", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone"), 3);
    assert_int_equal(f->rows[1].cell[0].v, 400);
    assert_int_equal(f->rows[2].cell[0].v, 77);
    assert_int_equal(f->rows[2].columns, 1);
}

static void ends_when_the_configuration_has_the_channel_no_more(void **state)
{
    struct fixture *f = *state;

    order(f, T0, T0 + ROWS * (int64_t)STEP, NULL);
    tick_until(f, "revision_begun", 1);
    revisions_detach(f->r);
    f->channel[OZONE].id = "gas/o3";
    attach(f);
    tick_until(f, "revision_ended", 1);
    assert_non_null(json_object_get(last(f), "reason_ended"));
    restart(f);
    json_t *list = revisions_list(f->r);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")),
                        "done");
    json_decref(list);
}

/* ---- statistics ---- */

static void statistics_with_more_than_a_quarter_in_the_bracket_are_doubtful_too(void **state)
{
    struct fixture *f = *state;

    /* 1/6 of hour 1, hours 2 and 3, a half of hour 4 */
    order(f, T0 + HOUR + 50 * MINUTE, T0 + 4 * HOUR + 30 * MINUTE, NULL);
    tick_until(f, "revision_ended", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 3);
    for (size_t i = 0; i < f->n; i++) {
        assert_int_equal(f->rows[i].time_ms, T0 + (int64_t)(2 + i) * HOUR);
        assert_int_equal(f->rows[i].columns, 3);
        for (unsigned c = 0; c < 3; c++)
            assert_int_equal(f->rows[i].cell[c].flag, doubtful(0));
        assert_int_equal(f->rows[i].cell[0].v, 41);
    }
    assert_int_equal(json_integer_value(json_object_get(last(f), "statistics")), 3);
    /* the first ten minutes more: now hour 1 has more than a quarter */
    order(f, T0 + HOUR + 40 * MINUTE, T0 + HOUR + 50 * MINUTE, NULL);
    tick_until(f, "revision_ended", 2);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 4);
    assert_int_equal(f->rows[3].time_ms, T0 + HOUR);
}

static void statistics_wait_for_the_end_of_their_period(void **state)
{
    struct fixture *f = *state;

    f->now_ms = T0 + 7 * HOUR + 50 * MINUTE;
    order(f, T0 + 7 * HOUR, T0 + 7 * HOUR + 40 * MINUTE, NULL);
    tick_until(f, "revised", 1);
    for (int i = 0; i < 50; i++)
        tick(f);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 0);
    assert_int_equal(count(f, "revision_ended"), 0);
    json_t *list = revisions_list(f->r);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")),
                        "statistics");
    json_decref(list);
    restart(f);
    f->now_ms = T0 + 9 * HOUR;
    tick_until(f, "revision_ended", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 1);
    assert_int_equal(count(f, "revised"), 1);
}

/* Neither bracket has a quarter of the hour, which lies ahead of most of the second one. */
static void statistics_count_what_earlier_brackets_have_of_their_period(void **state)
{
    struct fixture *f = *state;

    order(f, T0 + 2 * HOUR + 44 * MINUTE, T0 + 2 * HOUR + 54 * MINUTE, NULL);
    tick_until(f, "revision_ended", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 0);
    order(f, T0 + 2 * HOUR + 54 * MINUTE, T0 + 3 * HOUR + 5 * MINUTE, NULL);
    tick_until(f, "revision_ended", 2);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 1);
    assert_int_equal(f->rows[0].time_ms, T0 + 2 * HOUR);
}

/* The half hours come ahead of the hours that are under way. */
static void a_statistic_that_is_new_in_the_configuration_moves_no_other(void **state)
{
    struct fixture *f = *state;
    struct channel channels[CHANNELS + 1];
    struct channel_stream streams[STREAMS + 1] = {
        f->stream[READINGS],
        { .name = "stat.30min.0", .first = CHANNELS, .n = 1, .period_ms = HOUR / 2 },
        f->stream[HOURS]
    };

    f->now_ms = T0 + 5 * HOUR;
    order(f, T0, T0 + 6 * HOUR, NULL);
    tick_until(f, "revised", 1);
    while (read_stream(f, "rev.gas/ozone@1h") < 4)
        tick(f);
    assert_int_equal(f->n, 4); /* the fifth may not stand yet */
    revisions_detach(f->r);
    memcpy(channels, f->channel, sizeof f->channel);
    channels[CHANNELS] = channel_of("gas/ozone@30min", "30min", "ozone", OZONE, 0);
    channels[CHANNELS].period_ms = HOUR / 2;
    assert_int_equal(
        store_stream_open(f->store, streams[1].name, 1, HOUR / 2, 1, NULL,
                          "{\"sf1\":1,\"station\":\"s\",\"period_ms\":1800000,\"unit_ms\":1,"
                          "\"channels\":[{\"id\":\"gas/ozone@30min\",\"quantity\":\"ozone\","
                          "\"unit\":\"ug/m3\"}]}",
                          &streams[1].number),
        0);
    channels[CHANNELS].stream = streams[1].number;
    f->table.channels = channels;
    f->table.n = CHANNELS + 1;
    f->table.streams = streams;
    f->table.streams_n = STREAMS + 1;
    attach(f);
    f->now_ms = T0 + 9 * HOUR;
    tick_until(f, "revision_ended", 1);
    assert_int_equal(read_stream(f, "rev.gas/ozone@1h"), 6);
    for (size_t i = 0; i < f->n; i++)
        assert_int_equal(f->rows[i].time_ms, T0 + (int64_t)i * HOUR);
    revisions_detach(f->r); /* the channels above end here */
}

/* ---- alerts ---- */

static void tells_alerts_that_stood_in_the_bracket_and_each_once(void **state)
{
    struct fixture *f = *state;
    const int64_t from = T0 + HOUR, to = T0 + 2 * HOUR;

    tell_alert(f, "raised", from - 2000, from - 2000, "gas/ozone"); /* over before it */
    tell_alert(f, "cleared", from - 1000, from - 2000, "gas/ozone");
    tell_alert(f, "raised", from - 500, from - 500, "gas/ozone"); /* stood since before */
    tell_alert(f, "raised", from + 1000, from + 1000, "gas/ozone@1h");
    tell_alert(f, "cleared", from + 2000, from + 1000, "gas/ozone@1h");
    tell_alert(f, "closed", to + 2000, from + 1000, "gas/ozone@1h"); /* by a person */
    tell_alert(f, "closed", from + 2500, from - 2000, "gas/ozone");
    tell_alert(f, "raised", from + 3000, from + 3000, "gas/no2"); /* another's */
    tell_alert(f, "cannot_judge", from + 3000, 0, "gas/ozone");   /* none stood */
    tell_alert(f, "raised", to + 1000, to + 1000, "gas/ozone");   /* after it */
    order(f, from, to, NULL);
    tick_until(f, "revised", 1);
    assert_int_equal(count(f, "doubtful"), 2);
    char keys[2][96];
    for (size_t i = 0, n = 0; i < json_array_size(f->events); i++) {
        const json_t *e = json_array_get(f->events, i);
        if (strcmp(json_string_value(json_object_get(e, "kind")), "alert") != 0)
            continue;
        assert_null(json_object_get(e, "level"));
        assert_string_equal(json_string_value(json_object_get(e, "transition")), "doubtful");
        snprintf(keys[n++], sizeof keys[0], "%s", json_string_value(json_object_get(e, "key")));
    }
    char want[96];
    snprintf(want, sizeof want, "smog/gas/ozone@1h/%lld", (long long)from + 1000);
    assert_string_equal(keys[0], want);
    snprintf(want, sizeof want, "smog/gas/ozone/%lld", (long long)from - 500);
    assert_string_equal(keys[1], want);
    /* a later check finds the one that goes on once more */
    order(f, from, to + 500, NULL);
    tick_until(f, "revised", 2);
    assert_int_equal(count(f, "doubtful"), 2);
}

/* ---- spans ---- */

static void spans_merge_what_touches_and_forget_the_oldest(void **state)
{
    struct spans s = { 0 };

    (void)state;
    spans_add(&s, 10, 20);
    spans_add(&s, 30, 40);
    spans_add(&s, 40, 40); /* nothing */
    assert_int_equal(s.n, 2);
    assert_int_equal(spans_overlap(&s, 15, 35), 10);
    assert_true(spans_has(&s, 10) && !spans_has(&s, 20));
    spans_add(&s, 20, 30);
    assert_int_equal(s.n, 1);
    assert_int_equal(spans_overlap(&s, 0, 100), 30);
    spans_add(&s, 0, 5);
    assert_int_equal(s.at[0].from, 0);
    for (int i = 0; i < 2 * SPANS_MAX; i++)
        spans_add(&s, 100 + 10 * i, 105 + 10 * i);
    assert_int_equal(s.n, SPANS_MAX);
    assert_int_equal(s.at[0].from, 100 + 10 * SPANS_MAX);
    spans_add(&s, 0, 100000);
    assert_int_equal(s.n, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(writes_each_reading_of_the_bracket_once_with_its_new_flag),
        CASE(goes_on_where_it_was_after_a_restart),
        CASE(revises_no_row_a_second_time),
        CASE(begins_with_the_first_reading_where_no_check_was_ever_passed),
        CASE(goes_back_400_days_at_most_and_says_so),
        CASE(reads_less_at_once_where_rows_are_closer_than_the_configuration_says),
        CASE(corrects_by_zero_and_factor_of_the_time),
        CASE(waits_for_a_log_that_cannot_be_opened),
        CASE(one_that_does_not_get_on_is_kept_and_holds_up_no_other),
        CASE(finds_the_channel_where_it_stood_before_a_change_of_channels),
        CASE(ends_when_the_configuration_has_the_channel_no_more),
        CASE(statistics_with_more_than_a_quarter_in_the_bracket_are_doubtful_too),
        CASE(statistics_wait_for_the_end_of_their_period),
        CASE(statistics_count_what_earlier_brackets_have_of_their_period),
        CASE(a_statistic_that_is_new_in_the_configuration_moves_no_other),
        CASE(tells_alerts_that_stood_in_the_bracket_and_each_once),
        cmocka_unit_test(spans_merge_what_touches_and_forget_the_oldest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
