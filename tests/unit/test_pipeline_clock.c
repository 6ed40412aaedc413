/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline under clocks that step, in virtual time, on a real log. */
#include "pipeline_rig.h"

#define BOOT   "00000000-0000-0000-0000-000000000001"
#define BOOT_2 "00000000-0000-0000-0000-000000000002"
#define NOON   INT64_C(1790000040000) /* 2026, a full minute */
#define HOUR   INT64_C(3600000)
#define YEAR   (INT64_C(365) * 24 * HOUR)

enum { ROWS_MAX = 40000 };

/* A station: a machine with its clocks, and what was measured there. */
struct station {
    struct fixture *f;
    struct timeline t;
    int64_t boot_ms, offset_ms;
    bool is_synchronised;
    const char *boot_id;
    double ozone;
    int n; /* scans; also the value of each */
    struct row_seen {
        int64_t time_ms;
        int64_t value;
        uint32_t reasons;
        uint8_t grade;
    } * rows; /* of the log */
    int rows_n;
    int64_t *due_ms; /* of every scan: when it was, by the station's clock */
};

static struct station world;

static struct clock_reading reading(const struct station *s)
{
    return (struct clock_reading){ .boot_ms = s->boot_ms,
                                   .wall_ms = s->boot_ms + s->offset_ms,
                                   .is_synchronised = s->is_synchronised };
}

/* The gateway comes up: on a new log, or on what it left. */
static void come_up(struct station *s, bool has_service)
{
    struct clock_reading r = reading(s);
    struct timeline_absence absence;
    struct timeline_change change;
    size_t size = 0;

    open_log(s->f);
    struct clock_record *before = store_state_get(s->f->o.store, PIPELINE_CLOCK_KEY, &size);
    assert_true(!before || size == sizeof *before);
    timeline_start(&s->t, &r, s->boot_id, has_service, before, &absence);
    free(before);
    if (!absence.is_same_boot)
        timeline_observe(&s->t, &r, &change);
    s->f->o.timeline = &s->t;
    assert_int_equal(pipeline_create(&s->f->o, &s->f->p), 0);
}

static struct station *begin(void **state, int64_t offset_ms, bool is_synchronised,
                             bool has_service)
{
    struct station *s = &world;

    *s = (struct station){ .f = *state,
                           .boot_ms = 1000,
                           .offset_ms = offset_ms - 1000,
                           .is_synchronised = is_synchronised,
                           .boot_id = BOOT,
                           .ozone = 20 };
    s->rows = calloc(ROWS_MAX, sizeof *s->rows);
    s->due_ms = calloc(ROWS_MAX, sizeof *s->due_ms);
    assert_true(s->rows && s->due_ms);
    stop(s->f);
    for (int i = 0; i < 2; i++) /* the time alone is judged here */
        s->f->treatment[i] = (struct pipeline_channel){
            .factor = 1,
            .qc = { .interval_ms = 1000,
                    .time = { .ahead_ms = 1000 }, /* a time that is taken moves on */
                    .range = { QC_OPEN_SPAN, QC_OPEN_SPAN } },
        };
    come_up(s, has_service);
    return s;
}

static void end(struct station *s)
{
    free(s->rows);
    free(s->due_ms);
}

static void tick(struct station *s)
{
    struct clock_reading r = reading(s);
    struct timeline_change change;

    timeline_observe(&s->t, &r, &change);
    if (change.what != TIMELINE_SAME || change.jump_ms != 0)
        pipeline_clock(s->f->p, &change);
    pipeline_tick(s->f->p, timeline_at(&s->t, s->boot_ms));
}

static void measure(struct station *s)
{
    struct reading r[] = { good(s->ozone, 1), good(7, 0), good(s->n, 0) };
    struct scan scan = {
        .time_ms = s->boot_ms + s->offset_ms, .boot_ms = s->boot_ms, .readings = r, .n = 3
    };

    assert_true(s->n < ROWS_MAX);
    s->due_ms[s->n++] = timeline_at(&s->t, s->boot_ms);
    pipeline_scan(s->f->p, &scan);
}

/* Seconds of operation: a scan and a tick in each. */
static void run_for(struct station *s, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        s->boot_ms += 1000;
        measure(s);
        tick(s);
    }
}

static bool keep(void *user, int64_t time_ms, const struct series_cell *cells, unsigned columns,
                 uint32_t layout)
{
    struct station *s = user;
    struct verdict v = verdict_from_flag(cells[TEMP].flag);

    (void)columns, (void)layout;
    assert_true(s->rows_n < ROWS_MAX);
    s->rows[s->rows_n++] = (struct row_seen){ time_ms, cells[TEMP].v, v.reasons, v.grade };
    return true;
}

static void read_stream(struct station *s, int stream)
{
    struct store_reader *r = NULL;

    s->rows_n = 0;
    assert_int_equal(store_reader_open(s->f->o.store, &r), 0);
    assert_int_equal(store_read_rows(r, s->f->stream[stream].number, 0, INT64_MAX, keep, s), 0);
    store_reader_close(r);
}

static void keep_notices(struct station *s)
{
    struct store_reader *r = NULL;

    memset(&s->f->seen, 0, sizeof s->f->seen);
    assert_int_equal(store_reader_open(s->f->o.store, &r), 0);
    assert_int_equal(store_read_events(r, "notice", 8, keep_event, &s->f->seen), 0);
    store_reader_close(r);
}

/* The newest notice names this. */
static void assert_told(struct station *s, const char *what)
{
    keep_notices(s);
    assert_true(s->f->seen.events_n > 0);
    assert_non_null(strstr(s->f->seen.events[0], what));
}

/* All that was committed, as it stands after the gateway came up again. */
static void come_back(struct station *s)
{
    bool has_service = s->t.is_expected;

    stop(s->f);
    come_up(s, has_service);
}

static int by_time(const void *a, const void *b)
{
    const struct row_seen *x = a, *y = b;

    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

/* A database that keys by series and time has room for every row. */
static void assert_distinct(struct station *s, int stream)
{
    read_stream(s, stream);
    qsort(s->rows, (size_t)s->rows_n, sizeof *s->rows, by_time);
    for (int i = 1; i < s->rows_n; i++)
        assert_true(s->rows[i].time_ms > s->rows[i - 1].time_ms);
}

/* Every scan stands in the log once, in its place, at its time. */
static void assert_all_there(struct station *s)
{
    read_stream(s, 0);
    assert_int_equal(s->rows_n, s->n);
    for (int i = 0; i < s->n; i++) {
        const struct row_seen *r = &s->rows[i];
        assert_int_equal(r->value, i);
        assert_true(r->time_ms >= s->due_ms[i] && r->time_ms < s->due_ms[i] + 100);
        bool is_flagged = r->reasons & REASON_CLK_DUP;
        assert_int_equal(is_flagged, r->time_ms != s->due_ms[i]);
    }
}

static void a_row_has_the_time_of_its_sample(void **state)
{
    struct station *s = begin(state, NOON, true, true);

    run_for(s, 3);
    s->boot_ms += 1000;
    int64_t due = s->boot_ms + s->offset_ms;
    s->offset_ms += HOUR; /* between the sample and its turn */
    measure(s);
    s->due_ms[s->n - 1] = due;
    come_back(s);
    assert_all_there(s);
    end(s);
}

static void a_repeated_second_keeps_the_order(void **state)
{
    struct station *s = begin(state, NOON, true, true);

    run_for(s, 10);
    s->offset_ms -= 1000;
    run_for(s, 10);
    come_back(s);
    read_stream(s, 0);
    assert_int_equal(s->rows_n, 20);
    for (int i = 1; i < s->rows_n; i++)
        assert_true(s->rows[i].time_ms > s->rows[i - 1].time_ms);
    assert_int_equal(s->rows[19].time_ms, s->boot_ms + s->offset_ms);
    keep_notices(s);
    assert_non_null(strstr(s->f->seen.events[0], "clock_step"));
    end(s);
}

static void a_clock_set_back_meets_no_time_twice(void **state)
{
    struct station *s = begin(state, NOON, true, true);

    run_for(s, 120);
    s->offset_ms -= 60000; /* the very same milliseconds again */
    run_for(s, 120);
    come_back(s);
    assert_all_there(s);
    assert_true(s->rows[125].reasons & REASON_CLK_DUP);
    assert_distinct(s, 0);
    assert_distinct(s, 1);
    end(s);
}

static void ten_years_ahead_and_back_is_over_at_once(void **state)
{
    struct station *s = begin(state, NOON, true, true);

    run_for(s, 60);
    s->offset_ms += 10 * YEAR;
    run_for(s, 70);
    s->offset_ms -= 10 * YEAR;
    run_for(s, 180);
    come_back(s);
    assert_all_there(s);
    assert_distinct(s, 1);
    int after = 0;
    for (int i = 0; i < s->rows_n; i++)
        after += s->rows[i].time_ms > NOON + 120000 && s->rows[i].time_ms < NOON + YEAR;
    assert_true(after >= 2); /* minutes go on being written */
    end(s);
}

static void a_minute_that_goes_on_is_counted_on(void **state)
{
    struct station *s = begin(state, NOON, true, true);

    run_for(s, 40); /* of the minute of noon */
    s->offset_ms -= 20000;
    run_for(s, 60);
    come_back(s);
    read_stream(s, 1);
    assert_int_equal(s->rows_n, 1);
    assert_int_equal(s->rows[0].time_ms, NOON);
    end(s);
}

static void a_step_does_not_lengthen_a_delay(void **state)
{
    static const int64_t steps[] = { HOUR, -HOUR, 10 * YEAR };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct station *s = begin(state, NOON, true, true);
        s->f->rule.level[LEVEL_YELLOW].on = (struct alert_delay){ .duration_ms = 60000 };
        s->f->rule.level[LEVEL_YELLOW].off = (struct alert_delay){ .duration_ms = 60000 };
        come_back(s);
        s->ozone = 150 + (double)i;
        run_for(s, 30);
        s->offset_ms += steps[i];
        uint64_t before = store_submitted(s->f->o.store);
        run_for(s, 29);
        struct pipeline_counters c, d;
        pipeline_counters_get(s->f->p, &c);
        run_for(s, 3);
        pipeline_counters_get(s->f->p, &d);
        assert_int_equal(d.events, c.events + 1); /* raised after a minute, not before */
        assert_true(store_submitted(s->f->o.store) > before);
        s->ozone = 1;
        run_for(s, 100);
        end(s);
    }
}

static void samples_of_an_unbelieved_clock_wait_and_get_their_time(void **state)
{
    struct station *s = begin(state, 0, false, true); /* 1970 */

    run_for(s, 90);
    read_stream(s, 0);
    assert_int_equal(s->rows_n, 0);
    come_back(s); /* killed meanwhile */
    run_for(s, 30);
    struct pipeline_counters c;
    pipeline_counters_get(s->f->p, &c);
    assert_int_equal(c.held, 120);
    s->offset_ms = NOON;
    s->is_synchronised = true;
    run_for(s, 60);
    come_back(s);
    for (int i = 0; i < s->n; i++)
        s->due_ms[i] = NOON + 1000 + (i + 1) * 1000;
    assert_all_there(s);
    for (int i = 0; i < s->n; i++) {
        bool is_early = i < 120 + 1; /* the first of the good clock came before its tick */
        assert_int_equal(!!(s->rows[i].reasons & REASON_CLK_UNSYNC), is_early);
        assert_int_equal(s->rows[i].grade == GRADE_GOOD, !is_early);
    }
    assert_told(s, "clock_believed");
    assert_distinct(s, 1);
    assert_true(s->rows_n >= 2); /* the minutes of the time that was waited for */
    end(s);
}

static void second_of(struct station *s, double ozone)
{
    s->ozone = ozone;
    run_for(s, 1);
}

/* Both while rows are held and when they have just got their time. */
static void a_spike_is_final_whatever_the_clock_does(void **state)
{
    struct station *s = begin(state, 0, false, true); /* 1970 */
    struct seen *seen = &s->f->seen;
    struct store_reader *r = NULL;

    s->f->treatment[OZONE].qc.spike = (struct qc_spike){ .suspect = 40, .fail = NAN };
    come_back(s);
    for (int i = 0; i < 8; i++)
        second_of(s, i == 3 || i == 7 ? 90 : 20);
    s->offset_ms = NOON;
    s->is_synchronised = true;
    tick(s);
    for (int i = 8; i < 14; i++) {
        if (i == 11) /* a step between a spike and what tells that it is one */
            s->offset_ms += HOUR;
        second_of(s, i == 10 ? 90 : 20);
    }
    come_back(s);
    memset(seen, 0, sizeof *seen);
    assert_int_equal(store_reader_open(s->f->o.store, &r), 0);
    assert_int_equal(store_read_rows(r, s->f->stream[0].number, 0, INT64_MAX, keep_row, seen),
                     0);
    store_reader_close(r);
    assert_int_equal(seen->n, 14);
    for (size_t i = 0; i < seen->n; i++) {
        const struct verdict v = verdict_from_flag(seen->cell[i][OZONE].flag);
        assert_int_equal(!!(v.reasons & REASON_SPIKE), i == 3 || i == 7 || i == 10);
        assert_int_equal(!!(v.reasons & REASON_CLK_UNSYNC), i < 8);
    }
    end(s);
}

static void alerts_do_not_wait_for_the_clock(void **state)
{
    struct station *s = begin(state, 0, false, true);

    s->ozone = 150;
    run_for(s, 5);
    come_back(s);
    struct store_reader *r = NULL;
    memset(&s->f->seen, 0, sizeof s->f->seen);
    assert_int_equal(store_reader_open(s->f->o.store, &r), 0);
    assert_int_equal(store_read_events(r, "alert", 8, keep_event, &s->f->seen), 0);
    store_reader_close(r);
    assert_int_equal(s->f->seen.events_n, 1);
    assert_non_null(strstr(s->f->seen.events[0], "\"clock\":\"waiting\""));
    end(s);
}

static void rows_of_an_earlier_boot_keep_their_order(void **state)
{
    struct station *s = begin(state, 0, false, true);

    run_for(s, 10);
    s->boot_id = BOOT_2;
    s->boot_ms = 500;
    come_back(s);
    run_for(s, 10);
    s->offset_ms = NOON;
    s->is_synchronised = true;
    run_for(s, 10);
    come_back(s);
    read_stream(s, 0);
    assert_int_equal(s->rows_n, 30);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(s->rows[i].value, i);
        assert_true(i == 0 || s->rows[i].time_ms > s->rows[i - 1].time_ms);
    }
    assert_true(s->rows[9].time_ms < NOON);
    assert_true(s->rows[9].reasons & REASON_CLK_UNSYNC);
    end(s);
}

static void gives_up_waiting_after_an_hour(void **state)
{
    struct station *s = begin(state, 0, false, false);

    run_for(s, 3700);
    come_back(s);
    read_stream(s, 0);
    assert_int_equal(s->rows_n, 3700);
    for (int i = 0; i < s->rows_n; i++) {
        assert_int_equal(s->rows[i].value, i);
        assert_true(s->rows[i].reasons & REASON_CLK_UNSYNC);
        assert_true(s->rows[i].time_ms >= TIMELINE_EARLIEST_MS);
    }
    end(s);
}

/* Numbers of a fixed beginning, so that a failure comes again (xorshift64). */
static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* From 1 ms to 10 years either way, every order of magnitude alike. */
static int64_t draw_step(uint64_t *seed)
{
    int64_t most = INT64_C(1) << (1 + draw(seed) % 38);
    int64_t step = (int64_t)(draw(seed) % (uint64_t)most) + most;

    if (step > 10 * YEAR)
        step = 10 * YEAR;
    if (draw(seed) % 2) /* whole seconds meet older rows most */
        step = step / 1000 * 1000;
    return draw(seed) % 2 ? step : -step;
}

static void ten_thousand_steps_lose_and_double_nothing(void **state)
{
    struct station *s = begin(state, NOON, true, true);
    uint64_t seed = 20261122;
    int refused = 0;

    for (int i = 0; i < 10000; i++) {
        run_for(s, (int)(draw(&seed) % 4));
        s->offset_ms += draw_step(&seed);
        s->is_synchronised = draw(&seed) % 8 != 0;
        tick(s);
        if (s->t.is_refused) { /* beyond what can be: put right by hand */
            refused++;
            s->offset_ms = NOON + (int64_t)(draw(&seed) % (uint64_t)YEAR);
            tick(s);
        }
        if (i % 1000 == 999)
            come_back(s);
    }
    come_back(s);
    assert_all_there(s);
    assert_distinct(s, 0);
    assert_distinct(s, 1);
    assert_true(s->n > 10000 && refused > 0 && refused < 5000);
    end(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_row_has_the_time_of_its_sample),
        TEST(a_repeated_second_keeps_the_order),
        TEST(a_clock_set_back_meets_no_time_twice),
        TEST(ten_years_ahead_and_back_is_over_at_once),
        TEST(a_minute_that_goes_on_is_counted_on),
        TEST(a_step_does_not_lengthen_a_delay),
        TEST(samples_of_an_unbelieved_clock_wait_and_get_their_time),
        TEST(a_spike_is_final_whatever_the_clock_does),
        TEST(alerts_do_not_wait_for_the_clock),
        TEST(rows_of_an_earlier_boot_keep_their_order),
        TEST(gives_up_waiting_after_an_hour),
        TEST(ten_thousand_steps_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
