/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes at a river, mostly one sample every quarter of an hour: its days, and what happens. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "rules/watch/watch.h"
#include "tests/unit/unit.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

enum {
    MINUTE = 60000,
    QUARTER = 15 * MINUTE,
    STATE_MAX = 2048, /* a channel must not need more */
    DAY = 96          /* quarter hours */
};

struct scene {
    struct watch_config config;
    _Alignas(max_align_t) unsigned char state[STATE_MAX];
    int64_t now_ms;
    uint32_t seed;
    struct watch_result is;
    /* since the scene began, or was asked: */
    unsigned seen;      /* faults */
    int events, judged; /* begun; samples */
    bool was_event;
};

static struct watch_config channel(const char *quantity, double high, double low, double top)
{
    const struct watch_config c = { .kind = WATCH_WATER,
                                    .step_ms = QUARTER,
                                    .limit_high = high,
                                    .limit_low = low,
                                    .range_min = 0,
                                    .range_max = top,
                                    .quantity = quantity_find(quantity) };

    assert_non_null(c.quantity);
    return c;
}

static void begin(struct scene *s, struct watch_config c)
{
    *s = (struct scene){ .config = c, .now_ms = T0, .seed = 1 };
    assert_null(watch_config_error(&c));
    assert_true(watch_size(&c) <= sizeof s->state);
    watch_init(&c, s->state);
}

/* Looks on from here. */
static void look(struct scene *s)
{
    s->seen = 0;
    s->events = s->judged = 0;
}

static void record(struct scene *s)
{
    s->seen |= s->is.faults;
    s->events += s->is.is_event && !s->was_event;
    s->judged += s->is.use == WATCH_JUDGED;
    s->was_event = s->is.is_event;
}

static void give(struct scene *s, double value, struct verdict v)
{
    struct watch_sample sample = { .time_ms = s->now_ms, .value = value, .verdict = v };

    for (int i = 0; i < WATCH_ASIDES; i++)
        sample.aside[i] = NAN;
    watch_step(&s->config, s->state, &sample, &s->is);
    s->now_ms += s->config.step_ms;
    record(s);
}

static void tell(struct scene *s, double value)
{
    give(s, value, (struct verdict){ 0 });
}

static void tell_all(struct scene *s, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tell(s, values[i]);
}

#define TELL(s, ...) \
    tell_all(s, (const double[]){ __VA_ARGS__ }, \
             sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

/* Nothing arrives. */
static void lose(struct scene *s, int n)
{
    for (int i = 0; i < n; i++) {
        s->now_ms += s->config.step_ms;
        watch_elapse(&s->config, s->state, s->now_ms - s->config.step_ms / 2, &s->is);
        record(s);
    }
}

/* -1 to 1, the same in every run. */
static double draw(struct scene *s)
{
    s->seed = s->seed * 1664525 + 1013904223;
    return (double)(s->seed >> 8) / (1 << 23) - 1;
}

/* As shown by an instrument. */
static double shown(const struct scene *s, double x)
{
    const double step = pow(10, -s->config.quantity->decimals);

    return round(x / step) * step;
}

/* n samples around `level`. */
static void flow(struct scene *s, int n, double level, double spread)
{
    for (int i = 0; i < n; i++)
        tell(s, shown(s, level + spread * draw(s)));
}

/* n samples on the way from one level to another. */
static void move(struct scene *s, int n, double from, double to, double spread)
{
    for (int i = 1; i <= n; i++)
        tell(s, shown(s, from + (to - from) * i / n + spread * draw(s)));
}

static const double LIMIT = 600, CLEAN = 300; /* uS/cm */

/* A conductivity that has been watched for two days. */
static void river(struct scene *s)
{
    begin(s, channel("conductivity", LIMIT, NAN, 5000));
    flow(s, 2 * DAY, CLEAN, 3);
    assert_int_equal(s->events, 0);
    assert_int_equal(s->seen, 0);
    look(s);
}

/* Oxygen that has been watched for two days. */
static void oxygen(struct scene *s)
{
    begin(s, channel("dissolved_oxygen", NAN, 5, 25));
    flow(s, 2 * DAY, 9, 0.1);
    look(s);
}

/* pH that has been watched for two days. */
static void acidity(struct scene *s)
{
    begin(s, channel("ph", 9, 6, 14));
    flow(s, 2 * DAY, 7.7, 0.04);
    look(s);
}

/* ---- events ---- */

static void a_spill_over_the_limit_is_an_event_by_the_third_sample(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    TELL(&s, 700, 720);
    assert_false(s.is.is_event);
    tell(&s, 715);
    assert_true(s.is.is_event);
    assert_int_equal(s.is.side, 1);
    assert_true(s.is.limit == LIMIT);
    assert_int_equal(s.seen, 0);
}

static void each_minute_it_takes_four(void **unused)
{
    struct watch_config c = channel("conductivity", LIMIT, NAN, 5000);
    struct scene s;

    (void)unused;
    c.step_ms = MINUTE;
    begin(&s, c);
    flow(&s, 2 * DAY, CLEAN, 3);
    TELL(&s, 700, 720, 715);
    assert_false(s.is.is_event);
    tell(&s, 722);
    assert_true(s.is.is_event);
}

static void half_the_way_to_the_limit_at_once_is_an_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 5, 455, 3);
    assert_true(s.is.is_event);
    assert_true(s.is.limit > CLEAN && s.is.limit < 455);
}

static void a_third_of_the_way_is_none(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 40, 400, 3);
    assert_int_equal(s.events, 0);
}

static void two_samples_are_none(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    TELL(&s, 700, 720);
    flow(&s, 20, CLEAN, 3);
    assert_int_equal(s.events, 0);
}

static void a_change_that_grows_over_the_limit_says_so(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 5, 455, 3);
    assert_true(s.is.limit < LIMIT);
    flow(&s, 5, 700, 3);
    assert_true(s.is.limit == LIMIT);
    assert_int_equal(s.events, 1);
}

static void a_spill_that_dies_away_is_one_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 6, 800, 10);
    move(&s, 40, 800, CLEAN, 5);
    flow(&s, 12, CLEAN, 3);
    assert_false(s.is.is_event);
    assert_int_equal(s.events, 1);
}

static void oxygen_that_sags_for_hours_is_an_event_below(void **unused)
{
    struct scene s;

    (void)unused;
    oxygen(&s);
    move(&s, 44, 9, 5.4, 0.03);
    assert_true(s.is.is_event);
    assert_int_equal(s.is.side, -1);
    assert_true(s.is.limit > 5);
}

static void away_from_the_only_limit_is_no_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 40, 120, 3);
    assert_int_equal(s.events, 0);
}

static void before_a_baseline_only_the_limit_counts(void **unused)
{
    struct scene s;

    (void)unused;
    begin(&s, channel("conductivity", LIMIT, NAN, 5000));
    flow(&s, 20, CLEAN, 3);
    flow(&s, 8, 500, 3);
    assert_int_equal(s.events, 0);
    TELL(&s, 650, 660, 655);
    assert_true(s.is.is_event);
    flow(&s, 8, CLEAN, 3);
    assert_false(s.is.is_event);
}

static void the_limit_counts_from_the_first_value_on(void **unused)
{
    struct scene s;

    (void)unused;
    begin(&s, channel("conductivity", LIMIT, NAN, 5000));
    TELL(&s, 650, 660, 655);
    assert_true(s.is.is_event);
}

static void a_new_level_inside_the_limit_becomes_normal_after_days(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 380, 500, 3);
    assert_true(s.is.is_event);
    flow(&s, 3 * DAY, 500, 3);
    assert_false(s.is.is_event);
    assert_int_equal(s.events, 1);
}

static void an_event_does_not_become_the_baseline(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 3 * DAY, 500, 3);
    flow(&s, 20, CLEAN, 3);
    assert_false(s.is.is_event);
    flow(&s, 5, 455, 3);
    assert_true(s.is.is_event);
}

static void over_the_limit_an_event_does_not_age(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 20 * DAY, 700, 3);
    assert_true(s.is.is_event);
    assert_int_equal(s.events, 1);
}

/* ---- faults ---- */

static void a_drift_over_the_limit_is_a_notice(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    move(&s, 8 * DAY, CLEAN, 640, 3);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.seen, WATCH_DRIFT);
}

static void a_value_that_stops_is_stuck(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    for (int i = 0; i < 60; i++)
        tell(&s, 301.3);
    assert_int_equal(s.is.faults, WATCH_STUCK);
    assert_int_equal(s.is.use, WATCH_SET_ASIDE);
    tell(&s, 300.9);
    assert_int_equal(s.is.faults, 0);
}

/* pH of a pond: up and down 0.3 a day in steps of 0.01, each value some samples long. */
static void water_that_always_stands_still_is_not_stuck(void **unused)
{
    struct scene s;

    (void)unused;
    begin(&s, channel("ph", 9, 6, 14));
    for (int i = 0; i < 10 * DAY; i++)
        tell(&s, shown(&s, 7.7 + 0.15 * sin(2 * 3.14159265 * i / DAY)));
    look(&s);
    for (int i = 0; i < DAY; i++)
        tell(&s, shown(&s, 7.7 + 0.15 * sin(2 * 3.14159265 * i / DAY)));
    assert_int_equal(s.seen, 0);
    for (int i = 0; i < 5 * DAY; i++)
        tell(&s, 7.71);
    assert_int_equal(s.is.faults, WATCH_STUCK);
}

static void stuck_over_the_limit_is_no_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    for (int i = 0; i < 6; i++)
        tell(&s, 812.5);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, WATCH_STUCK);
}

/* An analyser that forms a value every two hours. */
static void one_that_repeats_itself_does_so_in_an_event_too(void **unused)
{
    struct scene s;

    (void)unused;
    begin(&s, channel("ammonia_nitrogen", 1.5, NAN, 300));
    for (int i = 0; i < 40; i++) {
        const double x = shown(&s, 0.5 + 0.02 * draw(&s));
        for (int k = 0; k < 8; k++)
            tell(&s, x);
    }
    look(&s);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 8; k++)
            tell(&s, 2 + 0.1 * i);
    assert_true(s.is.is_event);
    assert_int_equal(s.events, 1);
    assert_int_equal(s.seen, 0);
}

static void a_loose_contact_scatters_and_is_no_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    for (int i = 0; i < 20; i++)
        tell(&s, shown(&s, i % 2 ? 900 + 100 * draw(&s) : CLEAN));
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, WATCH_SCATTER);
    flow(&s, 13, CLEAN, 3);
    assert_int_equal(s.is.faults, 0);
}

static void a_spill_that_is_noisy_is_an_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 20, 900, 30);
    assert_true(s.is.is_event);
    assert_int_equal(s.seen, 0);
}

static void behind_a_spike_an_event_takes_longer(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    TELL(&s, 500, 300, 301, 299);
    flow(&s, 5, 700, 3);
    assert_false(s.is.is_event);
    tell(&s, 705);
    assert_true(s.is.is_event);
    assert_int_equal(s.seen, 0);
}

static void an_announced_calibration_is_no_event(void **unused)
{
    const struct verdict calibrating = { .status = STATUS_CALIBRATION };
    struct scene s;

    (void)unused;
    acidity(&s);
    give(&s, 4.01, calibrating);
    assert_int_equal(s.is.faults, WATCH_CALIBRATION);
    give(&s, NAN, calibrating);
    give(&s, -5, calibrating);
    give(&s, 10.01, calibrating);
    TELL(&s, 9.2, 8.4);
    assert_int_equal(s.seen, WATCH_CALIBRATION);
    flow(&s, 20, 7.7, 0.04);
    assert_int_equal(s.is.faults, 0);
    assert_int_equal(s.events, 0);
}

static void a_calibration_nobody_announced_is_recognised(void **unused)
{
    struct scene s;

    (void)unused;
    acidity(&s);
    TELL(&s, 4.01, 4.0, 4.0, 6.2, 9.19, 9.18, 9.18, 7.72);
    assert_int_equal(s.seen, WATCH_CALIBRATION);
    flow(&s, 5, 7.7, 0.04);
    assert_int_equal(s.is.faults, 0);
    assert_int_equal(s.events, 0);
}

static void a_spill_may_pass_a_standard(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    TELL(&s, 700, 1000, 1250, 1411, 1415, 1500);
    assert_true(s.is.is_event);
    assert_int_equal(s.seen, 0);
}

static void a_fault_ends_an_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 5, 700, 3);
    assert_true(s.is.is_event);
    give(&s, 1413, (struct verdict){ .status = STATUS_CALIBRATION });
    assert_false(s.is.is_event);
}

/* ---- gaps ---- */

static void what_settles_behind_a_gap_is_no_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    lose(&s, 2);
    assert_int_equal(s.is.faults, 0);
    lose(&s, 3);
    assert_int_equal(s.is.faults, WATCH_NO_DATA);
    TELL(&s, 1100, 850, 680, 560, 470, 410, 370, 340, 320);
    flow(&s, 10, CLEAN, 3);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.is.faults, 0);
    assert_int_equal(s.is.use, WATCH_JUDGED);
}

static void an_event_behind_a_gap_is_found(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    lose(&s, 5);
    flow(&s, 12, 500, 3);
    assert_true(s.is.is_event);
}

static void a_gap_does_not_end_an_event(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 5, 700, 3);
    lose(&s, 2 * DAY);
    assert_true(s.is.is_event);
    assert_int_equal(s.is.faults, WATCH_NO_DATA);
    flow(&s, 30, 700, 3);
    assert_int_equal(s.events, 1);
}

static void days_without_data_are_a_new_beginning(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    lose(&s, 3 * DAY);
    flow(&s, 2 * DAY, 500, 3);
    assert_int_equal(s.events, 0);
    flow(&s, 5, 560, 3);
    assert_true(s.is.is_event);
}

/* ---- values that cannot be ---- */

static void one_impossible_value_changes_nothing_but_the_notice(void **unused)
{
    struct scene s;

    (void)unused;
    river(&s);
    flow(&s, 5, 700, 3);
    TELL(&s, 65535);
    assert_int_equal(s.is.faults, WATCH_GARBAGE);
    assert_true(s.is.is_event);
    flow(&s, 5, 700, 3);
    give(&s, NAN, (struct verdict){ .grade = GRADE_BAD, .reasons = REASON_RANGE });
    assert_true(s.is.is_event);
    flow(&s, 12, 700, 3);
    assert_int_equal(s.is.faults, 0);
    assert_int_equal(s.events, 1);
}

static void clear_water_has_no_turbidity(void **unused)
{
    struct scene s;

    (void)unused;
    begin(&s, channel("turbidity", 500, NAN, 1600));
    flow(&s, DAY, 300, 3);
    look(&s);
    tell(&s, 0);
    assert_int_equal(s.seen, 0);
}

static void no_water_is_without_conductivity(void **unused)
{
    struct scene s;

    (void)unused;
    begin(&s, channel("conductivity", LIMIT, NAN, 2000));
    flow(&s, DAY, CLEAN, 3);
    TELL(&s, 0, 0);
    assert_int_equal(s.is.faults & WATCH_GARBAGE, WATCH_GARBAGE);
}

static void oxygen_does_not_vanish_at_once(void **unused)
{
    struct scene s;

    (void)unused;
    oxygen(&s);
    TELL(&s, 0, 0, 0);
    assert_int_equal(s.is.faults & WATCH_GARBAGE, WATCH_GARBAGE);
    assert_int_equal(s.events, 0);
}

static void behind_a_gap_oxygen_may_be_gone(void **unused)
{
    struct scene s;

    (void)unused;
    oxygen(&s);
    lose(&s, 3);
    TELL(&s, 0.01, 0, 0.02);
    assert_int_equal(s.seen & WATCH_GARBAGE, 0);
}

static void oxygen_may_be_used_up(void **unused)
{
    struct scene s;

    (void)unused;
    oxygen(&s);
    move(&s, 12, 9, 0.4, 0.05);
    TELL(&s, 0.1, 0, 0.02, 0);
    assert_true(s.is.is_event);
    assert_int_equal(s.seen & WATCH_GARBAGE, 0);
}

/* ---- hostile ---- */

static void without_a_resolution_the_decimals_serve(void **unused)
{
    const double odd[] = { 0, NAN, -1, INFINITY, 1e9 };

    (void)unused;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct watch_config c = channel("conductivity", LIMIT, NAN, 5000);
        struct scene s;
        c.resolution = odd[i];
        begin(&s, c);
        flow(&s, 2 * DAY, CLEAN, 3);
        flow(&s, 5, 455, 3);
        assert_true(s.is.is_event);
    }
}

static void a_limit_of_zero_is_watched(void **unused)
{
    struct watch_config c = channel("orp", NAN, 0, 2000);
    struct scene s;

    (void)unused;
    c.range_min = -2000;
    begin(&s, c);
    flow(&s, 2 * DAY, 200, 5);
    look(&s);
    flow(&s, 5, -40, 5);
    assert_true(s.is.is_event);
    assert_int_equal(s.is.side, -1);
}

static double odd_value(struct scene *s)
{
    static const double odd[] = { NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MIN, -0.0,
                                  0,   1413,     1e300,     5000,    -1,       5e-324 };
    const size_t n = sizeof odd / sizeof odd[0];

    s->seed = s->seed * 1664525 + 1013904223;
    if (s->seed >> 31)
        return odd[(s->seed >> 8) % n];
    return CLEAN + 400 * draw(s);
}

static void no_value_and_no_step_breaks_it(void **unused)
{
    const int64_t steps[] = { 1, 1000, 60000, QUARTER, 86400000, INT64_C(1) << 40 };

    (void)unused;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct watch_config c = channel("conductivity", LIMIT, 100, 5000);
        struct scene s;
        c.step_ms = steps[i];
        begin(&s, c);
        for (int k = 0; k < 5000; k++) {
            const struct verdict v = { .status = (uint8_t)(k / 7 % STATUS_COUNT_),
                                       .grade = (uint8_t)(k / 3 % GRADE_COUNT_),
                                       .reasons = UINT32_C(1) << k % 31 };
            give(&s, odd_value(&s), k % 2 ? v : (struct verdict){ 0 });
            assert_true(s.is.faults < 1u << WATCH_FAULTS);
            assert_true(isnan(s.is.limit) || fabs(s.is.limit) < 1e6);
        }
        flow(&s, 6 * DAY, CLEAN, 3);
        assert_int_equal(s.is.faults & ~WATCH_DRIFT, 0);
        assert_int_equal(s.is.use, WATCH_JUDGED);
    }
}

static void a_quantity_that_nobody_calibrates_is_watched_too(void **unused)
{
    struct scene s;

    (void)unused;
    begin(&s, channel("ammonia_nitrogen", 1.5, NAN, 300));
    flow(&s, 2 * DAY, 0.3, 0.03);
    flow(&s, 5, 1.1, 0.03);
    assert_true(s.is.is_event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spill_over_the_limit_is_an_event_by_the_third_sample),
        cmocka_unit_test(each_minute_it_takes_four),
        cmocka_unit_test(half_the_way_to_the_limit_at_once_is_an_event),
        cmocka_unit_test(a_third_of_the_way_is_none),
        cmocka_unit_test(two_samples_are_none),
        cmocka_unit_test(a_change_that_grows_over_the_limit_says_so),
        cmocka_unit_test(a_spill_that_dies_away_is_one_event),
        cmocka_unit_test(oxygen_that_sags_for_hours_is_an_event_below),
        cmocka_unit_test(away_from_the_only_limit_is_no_event),
        cmocka_unit_test(before_a_baseline_only_the_limit_counts),
        cmocka_unit_test(the_limit_counts_from_the_first_value_on),
        cmocka_unit_test(a_new_level_inside_the_limit_becomes_normal_after_days),
        cmocka_unit_test(an_event_does_not_become_the_baseline),
        cmocka_unit_test(over_the_limit_an_event_does_not_age),
        cmocka_unit_test(a_drift_over_the_limit_is_a_notice),
        cmocka_unit_test(a_value_that_stops_is_stuck),
        cmocka_unit_test(water_that_always_stands_still_is_not_stuck),
        cmocka_unit_test(stuck_over_the_limit_is_no_event),
        cmocka_unit_test(one_that_repeats_itself_does_so_in_an_event_too),
        cmocka_unit_test(a_loose_contact_scatters_and_is_no_event),
        cmocka_unit_test(a_spill_that_is_noisy_is_an_event),
        cmocka_unit_test(behind_a_spike_an_event_takes_longer),
        cmocka_unit_test(an_announced_calibration_is_no_event),
        cmocka_unit_test(a_calibration_nobody_announced_is_recognised),
        cmocka_unit_test(a_spill_may_pass_a_standard),
        cmocka_unit_test(a_fault_ends_an_event),
        cmocka_unit_test(what_settles_behind_a_gap_is_no_event),
        cmocka_unit_test(an_event_behind_a_gap_is_found),
        cmocka_unit_test(a_gap_does_not_end_an_event),
        cmocka_unit_test(days_without_data_are_a_new_beginning),
        cmocka_unit_test(one_impossible_value_changes_nothing_but_the_notice),
        cmocka_unit_test(clear_water_has_no_turbidity),
        cmocka_unit_test(no_water_is_without_conductivity),
        cmocka_unit_test(oxygen_does_not_vanish_at_once),
        cmocka_unit_test(behind_a_gap_oxygen_may_be_gone),
        cmocka_unit_test(oxygen_may_be_used_up),
        cmocka_unit_test(without_a_resolution_the_decimals_serve),
        cmocka_unit_test(a_limit_of_zero_is_watched),
        cmocka_unit_test(no_value_and_no_step_breaks_it),
        cmocka_unit_test(a_quantity_that_nobody_calibrates_is_watched_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
