/* SPDX-License-Identifier: Apache-2.0 */
/* Single checks where their arithmetic is at its ends. */
#include <math.h>

#include "rules/qc/checks.h"
#include "rules/qc/platform.h"
#include "tests/unit/unit.h"

enum { CAP = 64 };

static double memory[CAP * 3];

/* Sums of squares that have held 10^24 have forgotten what 10^-2 was. */
static void a_window_recovers_from_an_outlier(void **state)
{
    struct qc_window w;

    (void)state;
    assert_true(qc_window_size(CAP) <= sizeof memory);
    qc_window_init(&w, memory, CAP);
    for (int i = 0; i < 40; i++) {
        qc_window_put(&w, i, i == 10 ? 1e12 : 20 + 0.1 * (i % 3));
        qc_window_drop(&w, i - 7);
        const double exact = qc_window_deviation_exact(&w);
        assert_true(fabs(qc_window_deviation(&w) - exact) <= 1e-6 * exact);
    }
}

static void a_window_of_equal_values_deviates_by_nothing_behind_an_outlier(void **state)
{
    struct qc_window w;

    (void)state;
    qc_window_init(&w, memory, CAP);
    for (int i = 0; i < 30; i++) {
        qc_window_put(&w, i, i == 3 ? -1e9 : 0.1);
        qc_window_drop(&w, i - 4);
    }
    assert_true(qc_window_deviation(&w) == 0);
}

static void what_has_no_time_is_no_step(void **state)
{
    const struct qc_rate c = { .suspect = 1, .fail = 2, .tick_ms = 1000 };
    struct qc_rate_state st = { 0 };

    (void)state;
    assert_int_equal(qc_rate_step(&c, &st, 60000, 1), QC_GOOD);
    assert_int_equal(qc_rate_step(&c, &st, QC_NO_TIME, 1e9), QC_GOOD);
    assert_int_equal(qc_rate_step(&c, &st, 120000, 1), QC_GOOD);
    assert_int_equal(qc_rate_step(&c, &st, 121000, 100), QC_FAIL);
}

static void what_has_no_time_lies_in_no_season(void **state)
{
    const struct qc_season c = { .calendar = QC_MONTH,
                                 .time = { 1, 12 },
                                 .usual = { 0, 1 },
                                 .fail = QC_OPEN_SPAN,
                                 .depth = QC_OPEN_SPAN };

    (void)state;
    assert_int_equal(qc_climate_check(&c, 1, 0, 0.5, NAN), QC_GOOD);
    assert_int_equal(qc_climate_check(&c, 1, QC_NO_TIME, 0.5, NAN), QC_NOT_EVALUATED);
    assert_int_equal(qc_climate_check(&c, 1, QC_NO_TIME, NAN, NAN), QC_MISSING);
}

static void what_has_no_time_has_no_speed(void **state)
{
    const struct qc_speed c = { 1, 3 };
    struct qc_speed_state st = { 0 };

    (void)state;
    assert_int_equal(qc_speed_step(&c, &st, 1000, (struct qc_place){ 0, 0 }), QC_NOT_EVALUATED);
    assert_int_equal(qc_speed_step(&c, &st, QC_NO_TIME, (struct qc_place){ 9, 9 }), QC_GOOD);
    assert_int_equal(qc_speed_step(&c, &st, 3000, (struct qc_place){ 0, 0 }), QC_GOOD);
    assert_int_equal(qc_speed_step(&c, &st, 4000, (struct qc_place){ 0, 1 }), QC_FAIL);
}

static void what_was_never_calibrated_does_not_settle(void **state)
{
    const struct qc_service_options c = { .settle_ms = 60000 };
    struct qc_service_state st = { 0 };

    (void)state;
    assert_int_equal(qc_service_step(&c, &st, -5000, 1, QC_MEASURING), QC_MEASURING);
    assert_int_equal(qc_service_step(&c, &st, 5000, 1, QC_ZERO), QC_ZERO);
    assert_int_equal(qc_service_step(&c, &st, 64999, 1, QC_MEASURING), QC_SETTLING);
    assert_int_equal(qc_service_step(&c, &st, 65000, 1, QC_MEASURING), QC_MEASURING);
}

static void a_pole_is_one_place(void **state)
{
    const struct qc_place a = { 0, -90 }, b = { 137, -90 }, north = { -180, 90 };

    (void)state;
    assert_true(qc_distance(QC_WGS84, a, b) == 0);
    /* twice the quarter of a meridian */
    assert_true(fabs(qc_distance(QC_WGS84, a, north) - 20003931.46) < 0.01);
}

static void a_cast_has_its_direction_with_values_missing(void **state)
{
    static const double up[] = { NAN, 30, 20, NAN, 10 }, down[] = { 10, NAN, 20 };
    static const double none[] = { NAN, NAN };

    (void)state;
    assert_int_equal(qc_cast_direction(up, 5), -1);
    assert_int_equal(qc_cast_direction(down, 3), 1);
    assert_int_equal(qc_cast_direction(none, 2), 1);
    assert_int_equal(qc_cast_direction(none, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_recovers_from_an_outlier),
        cmocka_unit_test(a_window_of_equal_values_deviates_by_nothing_behind_an_outlier),
        cmocka_unit_test(what_has_no_time_is_no_step),
        cmocka_unit_test(what_has_no_time_lies_in_no_season),
        cmocka_unit_test(what_has_no_time_has_no_speed),
        cmocka_unit_test(what_was_never_calibrated_does_not_settle),
        cmocka_unit_test(a_pole_is_one_place),
        cmocka_unit_test(a_cast_has_its_direction_with_values_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
