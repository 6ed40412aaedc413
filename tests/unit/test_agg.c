/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "rules/agg/agg.h"
#include "tests/unit/unit.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, EXPECTED = 6 };

#define T0 (INT64_C(29916666) * MINUTE) /* the start of a minute */

struct bench {
    struct agg_config config;
    struct agg_state state;
    struct agg_result last;
};

static const struct verdict good = { STATUS_VALID, GRADE_GOOD, 0 };

/* One minute of samples every ten seconds. */
static struct bench bench_of(enum aggregate how)
{
    return (struct bench){ .config = { .how = how,
                                       .period_ms = MINUTE,
                                       .interval_ms = 10 * SECOND,
                                       .valid_share = 0.75,
                                       .decimals = 2 } };
}

static bool put(struct bench *b, int64_t after_ms, double x, struct verdict v)
{
    const struct sample s = { .time_ms = T0 + after_ms,
                              .value = decimal_from_double(x),
                              .verdict = v };

    return agg_step(&b->config, &b->state, &s, &b->last);
}

static bool close_after(struct bench *b, int64_t after_ms)
{
    return agg_close(&b->config, &b->state, T0 + after_ms, &b->last);
}

/* A whole minute of the values given. */
static struct agg_result minute_of(enum aggregate how, const double x[EXPECTED])
{
    struct bench b = bench_of(how);

    for (int i = 0; i < EXPECTED; i++)
        assert_false(put(&b, i * 10 * SECOND, x[i], good));
    assert_true(close_after(&b, MINUTE));
    return b.last;
}

/* A minute of `used` good samples and `n` of verdict `v`. */
static struct agg_result graded_minute(int used, int n, struct verdict v)
{
    struct bench b = bench_of(AGG_MEAN);

    for (int i = 0; i < used + n; i++)
        put(&b, i * 10 * SECOND, 20, i < used ? good : v);
    assert_true(close_after(&b, MINUTE));
    return b.last;
}

static void assert_value(struct agg_result r, double x)
{
    assert_true(decimal_has_value(r.value));
    if (fabs(decimal_to_double(r.value) - x) > 1e-9)
        fail_msg("%g is not %g", decimal_to_double(r.value), x);
}

static void assert_verdict(struct agg_result r, enum status s, enum grade g)
{
    assert_int_equal(r.verdict.status, s);
    assert_int_equal(r.verdict.grade, g);
}

/* ---- kinds ---- */

static void the_mean_is_labelled_by_its_start(void **state)
{
    const struct agg_result r = minute_of(AGG_MEAN, (double[]){ 1, 2, 3, 4, 5, 6.03 });

    (void)state;
    assert_int_equal(r.start_ms, T0);
    assert_value(r, 3.51); /* 3.505, half away from zero */
    assert_int_equal(r.value.e, 2);
    assert_true(r.min == 1 && r.max == 6.03);
    assert_int_equal(r.used, EXPECTED);
    assert_int_equal(r.expected, EXPECTED);
    assert_verdict(r, STATUS_VALID, GRADE_GOOD);
}

static void directions_have_a_vector_mean(void **state)
{
    (void)state;
    assert_value(minute_of(AGG_VECTOR, (double[]){ 350, 10, 350, 10, 350, 10 }), 0);
    assert_value(minute_of(AGG_VECTOR, (double[]){ 300, 320, 300, 320, 300, 320 }), 310);
    assert_value(
        minute_of(AGG_VECTOR, (double[]){ 359.9999999999, 359.9999999999, 359.9999999999,
                                          359.9999999999, 359.9999999999, 359.9999999999 }),
        0);
}

static void opposite_directions_have_none(void **state)
{
    const struct agg_result r = minute_of(AGG_VECTOR, (double[]){ 0, 180, 90, 270, 45, 225 });

    (void)state;
    assert_false(decimal_has_value(r.value));
    assert_int_equal(r.verdict.grade, GRADE_MISSING);
}

static void levels_have_an_energy_mean(void **state)
{
    (void)state;
    assert_value(minute_of(AGG_ENERGY, (double[]){ 60, 60, 60, 60, 60, 60 }), 60);
    assert_value(minute_of(AGG_ENERGY, (double[]){ 50, 50, 50, 50, 50, 80 }), 72.24);
}

static void sums_extremes_and_last_are_what_they_say(void **state)
{
    static const double x[] = { 3, 1, 4, 1, 5, 2 };

    (void)state;
    assert_value(minute_of(AGG_SUM, x), 16);
    assert_value(minute_of(AGG_MAX, x), 5);
    assert_value(minute_of(AGG_MIN, x), 1);
    assert_value(minute_of(AGG_LAST, x), 2);
    assert_value(minute_of(AGG_COUNTS, x), 2.67);
}

static void a_counter_gives_what_it_moved(void **state)
{
    (void)state;
    assert_value(minute_of(AGG_DIFF, (double[]){ 100, 100.2, 100.2, 100.4, 101, 101 }), 1);
}

static void a_counter_goes_on_across_the_border_of_a_period(void **state)
{
    struct bench b = bench_of(AGG_DIFF);

    (void)state;
    for (int i = 0; i < 6; i++)
        put(&b, i * 10 * SECOND, 100 + i, good);
    assert_true(put(&b, MINUTE, 107, good));
    assert_value(b.last, 5);
    put(&b, MINUTE + 50 * SECOND, 108, good);
    assert_true(close_after(&b, 2 * MINUTE));
    assert_value(b.last, 3);
}

static void a_counter_that_was_reset_loses_nothing(void **state)
{
    (void)state;
    assert_value(minute_of(AGG_DIFF, (double[]){ 98, 99, 0, 0.4, 1, 1 }), 2);
    assert_value(minute_of(AGG_DIFF, (double[]){ 98, 99, 0.2, 0.4, 0.1, 0.3 }), 1.7);
}

static void a_counter_ignores_bad_and_older_readings(void **state)
{
    struct bench b = bench_of(AGG_DIFF);

    (void)state;
    put(&b, 0, 100, good);
    put(&b, 10 * SECOND, 0, (struct verdict){ STATUS_FAULT, GRADE_BAD, REASON_INSTR });
    put(&b, 20 * SECOND, 102, good);
    put(&b, 15 * SECOND, 101, good);
    put(&b, 20 * SECOND, 102, good);
    put(&b, 30 * SECOND, 103, good);
    assert_true(close_after(&b, MINUTE));
    assert_value(b.last, 3);
}

/* ---- validity ---- */

static void a_period_is_valid_from_three_quarters(void **state)
{
    struct bench b = bench_of(AGG_MEAN);

    (void)state;
    b.config.interval_ms = 15 * SECOND; /* expects 4 */
    for (int i = 0; i < 3; i++)
        put(&b, i * 15 * SECOND, 20, good);
    close_after(&b, MINUTE);
    assert_verdict(b.last, STATUS_VALID, GRADE_GOOD);

    for (int i = 0; i < 2; i++)
        put(&b, MINUTE + i * 15 * SECOND, 20, good);
    close_after(&b, 2 * MINUTE);
    assert_verdict(b.last, STATUS_NO_COMMUNICATION, GRADE_BAD);
    assert_value(b.last, 20);
    assert_int_equal(b.last.used, 2);
    assert_int_equal(b.last.expected, 4);
}

static void an_invalid_period_has_the_most_frequent_status(void **state)
{
    const struct verdict zero = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO };
    const struct verdict stuck = { STATUS_VALID, GRADE_BAD, REASON_STUCK };
    struct agg_result r = graded_minute(3, 3, zero);

    (void)state;
    assert_verdict(r, STATUS_CALIBRATION, GRADE_BAD);
    assert_int_equal(r.verdict.reasons, REASON_CAL_ZERO);
    assert_value(r, 20);
    r = graded_minute(0, 6, stuck);
    assert_verdict(r, STATUS_VALID, GRADE_MISSING);
    assert_false(decimal_has_value(r.value));
    assert_true(isnan(r.min) && isnan(r.max));
    r = graded_minute(1, 2, zero); /* three never came */
    assert_verdict(r, STATUS_NO_COMMUNICATION, GRADE_BAD);
}

static void more_than_a_quarter_suspect_is_suspect(void **state)
{
    const struct verdict suspect = { STATUS_VALID, GRADE_SUSPECT, REASON_RANGE_SUSPECT };
    struct agg_result r = graded_minute(5, 1, suspect);

    (void)state;
    assert_verdict(r, STATUS_VALID, GRADE_GOOD);
    assert_int_equal(r.verdict.reasons, 0);
    r = graded_minute(4, 2, suspect);
    assert_verdict(r, STATUS_VALID, GRADE_SUSPECT);
    assert_int_equal(r.verdict.reasons, REASON_RANGE_SUSPECT);

    struct bench b = bench_of(AGG_MEAN);
    b.config.interval_ms = 15 * SECOND;
    for (int i = 0; i < 4; i++) /* exactly a quarter */
        put(&b, i * 15 * SECOND, 20, i ? good : suspect);
    close_after(&b, MINUTE);
    assert_verdict(b.last, STATUS_VALID, GRADE_GOOD);
}

static void what_nobody_judged_is_not_silently_good(void **state)
{
    const struct verdict unset = { STATUS_VALID, GRADE_NOT_EVALUATED, REASON_CLK_UNSYNC };

    (void)state;
    assert_verdict(graded_minute(0, 6, unset), STATUS_VALID, GRADE_NOT_EVALUATED);
    assert_verdict(graded_minute(5, 1, unset), STATUS_VALID, GRADE_GOOD);
}

static void bad_missing_and_manual_values_do_not_enter(void **state)
{
    struct bench b = bench_of(AGG_MEAN);

    (void)state;
    for (int i = 0; i < 5; i++)
        put(&b, i * 10 * SECOND, 20, good);
    put(&b, 51 * SECOND, 999, (struct verdict){ STATUS_VALID, GRADE_BAD, REASON_RANGE });
    put(&b, 52 * SECOND, 999, (struct verdict){ STATUS_MANUAL, GRADE_GOOD, 0 });
    put(&b, 53 * SECOND, NAN, good);
    put(&b, 54 * SECOND, INFINITY, good);
    put(&b, 55 * SECOND, 999,
        (struct verdict){ STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM });
    close_after(&b, MINUTE);
    assert_value(b.last, 20);
    assert_int_equal(b.last.used, 5);
    assert_verdict(b.last, STATUS_VALID, GRADE_GOOD);
}

static void slow_channels_expect_one_sample(void **state)
{
    struct bench b = bench_of(AGG_MEAN);

    (void)state;
    b.config.interval_ms = 15 * MINUTE;
    put(&b, 5 * SECOND, 20, good);
    close_after(&b, MINUTE);
    assert_int_equal(b.last.expected, 1);
    assert_verdict(b.last, STATUS_VALID, GRADE_GOOD);
}

/* ---- order and borders ---- */

static void a_later_sample_closes_the_period_and_is_in_the_next(void **state)
{
    struct bench b = bench_of(AGG_LAST);

    (void)state;
    assert_false(put(&b, MINUTE - 1, 1, good));
    assert_true(put(&b, MINUTE, 2, good));
    assert_int_equal(b.last.start_ms, T0);
    assert_value(b.last, 1);
    assert_true(put(&b, 10 * MINUTE + 7, 3, good));
    assert_int_equal(b.last.start_ms, T0 + MINUTE);
    assert_value(b.last, 2);
    assert_true(close_after(&b, 11 * MINUTE));
    assert_int_equal(b.last.start_ms, T0 + 10 * MINUTE);
}

static void closes_once_and_not_before_the_end(void **state)
{
    struct bench b = bench_of(AGG_MEAN);

    (void)state;
    assert_false(close_after(&b, 5 * MINUTE));
    put(&b, 0, 1, good);
    assert_false(close_after(&b, MINUTE - 1));
    assert_true(close_after(&b, MINUTE));
    assert_false(close_after(&b, MINUTE));
}

static void out_of_order_inside_the_period_counts(void **state)
{
    struct bench b = bench_of(AGG_LAST);

    (void)state;
    put(&b, 30 * SECOND, 3, good);
    put(&b, 10 * SECOND, 1, good);
    close_after(&b, MINUTE);
    assert_value(b.last, 3);
    assert_int_equal(b.last.used, 2);
}

static void a_closed_period_takes_no_late_sample(void **state)
{
    struct bench b = bench_of(AGG_SUM);

    (void)state;
    put(&b, 10 * SECOND, 1, good);
    assert_true(close_after(&b, MINUTE));
    assert_false(put(&b, 50 * SECOND, 100, good));
    assert_false(close_after(&b, 5 * MINUTE));
    put(&b, MINUTE + SECOND, 2, good);
    assert_false(put(&b, 50 * SECOND, 100, good));
    assert_true(close_after(&b, 2 * MINUTE));
    assert_value(b.last, 2);
}

static void a_clock_put_back_by_days_opens_a_period_there(void **state)
{
    const int64_t back = -INT64_C(3) * 24 * 60 * MINUTE;
    struct bench b = bench_of(AGG_SUM);

    (void)state;
    put(&b, 0, 1, good);
    assert_false(put(&b, back, 7, good));
    assert_true(close_after(&b, back + MINUTE));
    assert_value(b.last, 7);
    assert_int_equal(b.last.start_ms, T0 + back);
}

static void times_before_1970_have_periods_too(void **state)
{
    struct bench b = bench_of(AGG_SUM);

    (void)state;
    put(&b, -T0 - 1, 1, good);
    assert_true(put(&b, -T0, 2, good));
    assert_int_equal(b.last.start_ms, -MINUTE);
    assert_true(close_after(&b, -T0 + MINUTE));
    assert_int_equal(b.last.start_ms, 0);
}

static void a_restart_in_the_middle_changes_nothing(void **state)
{
    static const enum aggregate kinds[] = { AGG_MEAN,   AGG_VECTOR, AGG_ENERGY,
                                            AGG_COUNTS, AGG_SUM,    AGG_DIFF,
                                            AGG_LAST,   AGG_MAX,    AGG_MIN };

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct bench whole = bench_of(kinds[k]), cut = bench_of(kinds[k]);
        for (int i = 0; i < 600; i++) {
            unsigned char stored[sizeof cut.state];
            const double x = (i * 37 % 101) + 0.5;
            const bool is_closed = put(&whole, i * 7 * SECOND, x, good);
            memcpy(stored, &cut.state, sizeof stored);
            memset(&cut.state, 0xA5, sizeof cut.state);
            memcpy(&cut.state, stored, sizeof stored);
            assert_int_equal(put(&cut, i * 7 * SECOND, x, good), is_closed);
            if (is_closed) {
                assert_int_equal(whole.last.value.v, cut.last.value.v);
                assert_int_equal(whole.last.used, cut.last.used);
            }
        }
    }
}

/* Whatever comes: the value lies between min and max, and nothing usable is counted twice. */
static void any_course_keeps_its_books(void **state)
{
    uint64_t seed = 0x9E3779B97F4A7C15u;
    struct bench b = bench_of(AGG_MEAN);
    int64_t now = 0;
    uint64_t fed = 0, used = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        now += (int64_t)(seed & 0x3FFF);
        fed += 1;
        if (!put(&b, now, (double)(int64_t)(seed >> 40) / 100, good))
            continue;
        used += b.last.used;
        assert_true(decimal_to_double(b.last.value) >= b.last.min - 0.01);
        assert_true(decimal_to_double(b.last.value) <= b.last.max + 0.01);
    }
    assert_int_equal(used + b.state.used, fed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_is_labelled_by_its_start),
        cmocka_unit_test(directions_have_a_vector_mean),
        cmocka_unit_test(opposite_directions_have_none),
        cmocka_unit_test(levels_have_an_energy_mean),
        cmocka_unit_test(sums_extremes_and_last_are_what_they_say),
        cmocka_unit_test(a_counter_gives_what_it_moved),
        cmocka_unit_test(a_counter_goes_on_across_the_border_of_a_period),
        cmocka_unit_test(a_counter_that_was_reset_loses_nothing),
        cmocka_unit_test(a_counter_ignores_bad_and_older_readings),
        cmocka_unit_test(a_period_is_valid_from_three_quarters),
        cmocka_unit_test(an_invalid_period_has_the_most_frequent_status),
        cmocka_unit_test(more_than_a_quarter_suspect_is_suspect),
        cmocka_unit_test(what_nobody_judged_is_not_silently_good),
        cmocka_unit_test(bad_missing_and_manual_values_do_not_enter),
        cmocka_unit_test(slow_channels_expect_one_sample),
        cmocka_unit_test(a_later_sample_closes_the_period_and_is_in_the_next),
        cmocka_unit_test(closes_once_and_not_before_the_end),
        cmocka_unit_test(out_of_order_inside_the_period_counts),
        cmocka_unit_test(a_closed_period_takes_no_late_sample),
        cmocka_unit_test(a_clock_put_back_by_days_opens_a_period_there),
        cmocka_unit_test(times_before_1970_have_periods_too),
        cmocka_unit_test(a_restart_in_the_middle_changes_nothing),
        cmocka_unit_test(any_course_keeps_its_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
