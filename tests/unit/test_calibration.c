/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "rules/calibration/options.h"
#include "rules/calibration/pattern.h"
#include "tests/unit/unit.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY (INT64_C(24) * HOUR)

static const struct calibration_correction none = { 0, 1 };
static const struct calibration_limits limits = { 4, 6, NAN, NAN, 0.05, 0.10 };

static struct calibration_reading read_of(enum calibration_kind kind, double reference,
                                          double mean)
{
    return (struct calibration_reading){
        .kind = kind, .reference = reference, .n = 10, .mean = mean, .sd = 0.5
    };
}

static enum calibration_verdict judged(enum calibration_kind kind, double reference,
                                       double mean)
{
    const struct calibration_reading r = read_of(kind, reference, mean);

    return calibration_judge(&limits, &r, 0, &none, 3).verdict;
}

static void a_limit_itself_still_passes(void **state)
{
    (void)state;
    assert_int_equal(judged(CALIBRATION_ZERO, 0, 4), CALIBRATION_PASS);
    assert_int_equal(judged(CALIBRATION_ZERO, 0, -4.01), CALIBRATION_WARN);
    assert_int_equal(judged(CALIBRATION_ZERO, 0, 6), CALIBRATION_WARN);
    assert_int_equal(judged(CALIBRATION_ZERO, 0, -6.01), CALIBRATION_FAIL);
    assert_int_equal(judged(CALIBRATION_SPAN, 400, 420), CALIBRATION_PASS);
    assert_int_equal(judged(CALIBRATION_SPAN, 400, 440), CALIBRATION_WARN);
    assert_int_equal(judged(CALIBRATION_SPAN, 400, 359.9), CALIBRATION_FAIL);
}

static void a_span_is_judged_apart_from_the_zero(void **state)
{
    const struct calibration_reading r = read_of(CALIBRATION_SPAN, 400, 450);
    const struct calibration_result x = calibration_judge(&limits, &r, 50, &none, 3);

    (void)state;
    assert_int_equal(x.verdict, CALIBRATION_PASS);
    assert_true(x.error == 0 && x.deviation == 50 && x.factor == 1);
}

static void what_is_no_check_is_neither_passed_nor_failed(void **state)
{
    struct calibration_reading r = read_of(CALIBRATION_ZERO, 0, 1);

    (void)state;
    r.n = 2;
    assert_int_equal(calibration_judge(&limits, &r, 0, &none, 3).verdict, CALIBRATION_NO_DATA);
    r.n = 10;
    r.sd = 6.1;
    assert_int_equal(calibration_judge(&limits, &r, 0, &none, 3).verdict, CALIBRATION_UNSTABLE);
    assert_int_equal(judged(CALIBRATION_SPAN, NAN, 400), CALIBRATION_NOT_JUDGED);
    assert_false(calibration_is_passed(CALIBRATION_NO_DATA));
    assert_false(calibration_is_passed(CALIBRATION_UNSTABLE));
    assert_true(calibration_is_passed(CALIBRATION_WARN));
}

static void a_sequence_corrects_so_that_the_next_one_reads_right(void **state)
{
    const struct calibration_reading zero = read_of(CALIBRATION_ZERO, 0, 5),
                                     span = read_of(CALIBRATION_SPAN, 400, 395);
    struct calibration_result r = calibration_judge(&limits, &zero, 0, &none, 3);
    struct calibration_correction c =
        calibration_correct(CALIBRATION_CORRECT_ZERO_SPAN, &none, none, &r);

    (void)state;
    assert_true(c.zero == 5 && c.factor == 1);
    r = calibration_judge(&limits, &span, r.deviation, &none, 3);
    const struct calibration_correction zero_alone =
        calibration_correct(CALIBRATION_CORRECT_ZERO, &none, c, &r);
    assert_true(zero_alone.zero == 5 && zero_alone.factor == 1);
    c = calibration_correct(CALIBRATION_CORRECT_ZERO_SPAN, &none, c, &r);
    assert_true(fabs((5 - c.zero) * c.factor) < 1e-9);
    assert_true(fabs((395 - c.zero) * c.factor - 400) < 1e-9);
}

static void a_correction_grows_from_the_one_in_force(void **state)
{
    const struct calibration_correction now = { 5, 1.1 };
    const struct calibration_reading zero = read_of(CALIBRATION_ZERO, 0, 1.1);
    const struct calibration_result r = calibration_judge(&limits, &zero, 0, &now, 3);
    const struct calibration_correction next =
        calibration_correct(CALIBRATION_CORRECT_ZERO, &now, now, &r);

    (void)state;
    assert_true(fabs(next.zero - 6) < 1e-9 && next.factor == 1.1);
}

static void an_instrument_far_off_is_not_hidden_by_its_correction(void **state)
{
    const struct calibration_correction now = { 20, 1 };
    const struct calibration_reading zero = read_of(CALIBRATION_ZERO, 0, 0);

    (void)state;
    assert_int_equal(calibration_judge(&limits, &zero, 0, &now, 3).verdict, CALIBRATION_WARN);
}

static void a_failed_check_corrects_nothing(void **state)
{
    const struct calibration_reading zero = read_of(CALIBRATION_ZERO, 0, 30);
    const struct calibration_result r = calibration_judge(&limits, &zero, 0, &none, 3);
    const struct calibration_correction next =
        calibration_correct(CALIBRATION_CORRECT_ZERO_SPAN, &none, none, &r);

    (void)state;
    assert_true(next.zero == 0 && next.factor == 1);
}

/* ---- the course ---- */

static const struct calibration_plan plan = {
    .step = { { CALIBRATION_ZERO, 0, 2 * MINUTE, 3 * MINUTE },
              { CALIBRATION_SPAN, 400, MINUTE, MINUTE } },
    .n = 2,
    .return_ms = 2 * MINUTE,
};

static void a_sequence_takes_its_course(void **state)
{
    struct calibration_run r;
    struct calibration_reading got;
    int64_t t = T0;

    (void)state;
    calibration_run_start(&r, &plan, t);
    assert_int_equal(calibration_run_tick(&r, t, &got), CALIBRATION_STEP_BEGINS);
    t += HOUR; /* the gas is not on: nothing happens */
    assert_int_equal(calibration_run_tick(&r, t, &got), CALIBRATION_NOTHING);
    assert_int_equal(calibration_run_service(&r), QC_ZERO);
    calibration_run_flow(&r, t);
    calibration_run_sample(&r, 99); /* settling: does not count */
    t += 2 * MINUTE;
    assert_int_equal(calibration_run_tick(&r, t, &got), CALIBRATION_NOTHING);
    for (int i = 1; i <= 5; i++)
        calibration_run_sample(&r, i);
    t += 3 * MINUTE;
    assert_int_equal(calibration_run_tick(&r, t, &got), CALIBRATION_STEP_ENDS);
    assert_true(got.kind == CALIBRATION_ZERO && got.n == 5 && got.mean == 3);
    assert_true(fabs(got.sd - sqrt(2.5)) < 1e-12);
    assert_true(got.settled_ms == T0 + HOUR + 2 * MINUTE && got.end_ms == t);
    assert_int_equal(calibration_run_tick(&r, t, &got), CALIBRATION_STEP_BEGINS);
    assert_int_equal(calibration_run_service(&r), QC_SPAN);
    calibration_run_flow(&r, t);
    calibration_run_tick(&r, t + MINUTE, &got);
    assert_int_equal(calibration_run_tick(&r, t + 2 * MINUTE, &got), CALIBRATION_STEP_ENDS);
    assert_true(got.n == 0 && isnan(got.mean));
    assert_int_equal(calibration_run_tick(&r, t + 2 * MINUTE, &got), CALIBRATION_RETURNS);
    assert_int_equal(calibration_run_service(&r), QC_SETTLING);
    assert_int_equal(calibration_run_tick(&r, t + 4 * MINUTE, &got), CALIBRATION_ENDS);
    assert_int_equal(calibration_run_service(&r), QC_MEASURING);
    assert_int_equal(calibration_run_tick(&r, t + 9 * MINUTE, &got), CALIBRATION_NOTHING);
}

static void an_aborted_run_settles_before_it_ends(void **state)
{
    struct calibration_run r;
    struct calibration_reading got;

    (void)state;
    calibration_run_start(&r, &plan, T0);
    calibration_run_tick(&r, T0, &got);
    calibration_run_abort(&r, T0);
    assert_int_equal(calibration_run_service(&r), QC_SETTLING);
    assert_int_equal(calibration_run_tick(&r, T0 + MINUTE, &got), CALIBRATION_NOTHING);
    calibration_run_shift(&r, HOUR); /* a step of the clock is no time */
    assert_int_equal(calibration_run_tick(&r, T0 + HOUR + MINUTE, &got), CALIBRATION_NOTHING);
    assert_int_equal(calibration_run_tick(&r, T0 + HOUR + 2 * MINUTE, &got), CALIBRATION_ENDS);
}

static void a_step_without_an_end_ends_when_it_is_closed(void **state)
{
    const struct calibration_plan open = {
        .step = { { CALIBRATION_ZERO, 0, 0, CALIBRATION_OPEN } }, .n = 1
    };
    struct calibration_run r;
    struct calibration_reading got;

    (void)state;
    calibration_run_start(&r, &open, T0);
    calibration_run_tick(&r, T0, &got);
    calibration_run_flow(&r, T0);
    calibration_run_tick(&r, T0, &got);
    calibration_run_sample(&r, 2);
    assert_int_equal(calibration_run_tick(&r, T0 + DAY, &got), CALIBRATION_NOTHING);
    calibration_run_close(&r);
    assert_int_equal(calibration_run_tick(&r, T0 + DAY, &got), CALIBRATION_STEP_ENDS);
    assert_true(got.n == 1 && got.mean == 2);
}

/* ---- when ---- */

static void a_slot_is_at_its_local_hour(void **state)
{
    const struct calibration_schedule s = { DAY, HOUR + 30 * MINUTE, 8 * HOUR };
    const int64_t due_ms = T0 + 17 * HOUR + 30 * MINUTE; /* 01:30 of the next day at +08:00 */
    const int64_t before = calibration_slot(&s, due_ms - 1);

    (void)state;
    assert_int_equal(calibration_slot(&s, due_ms), before + 1);
    assert_int_equal(calibration_slot(&s, due_ms + DAY - 1), before + 1);
    assert_int_equal(calibration_slot_ms(&s, before + 1), due_ms);
}

static void a_check_is_overdue_after_a_grace(void **state)
{
    (void)state;
    assert_false(calibration_is_overdue(DAY, T0, T0 + DAY + DAY / 10));
    assert_true(calibration_is_overdue(DAY, T0, T0 + DAY + DAY / 10 + 1));
    assert_true(calibration_is_overdue(30 * DAY, T0, T0 + 31 * DAY + 1));
    assert_false(calibration_is_overdue(0, T0, T0 + 1000 * DAY));
}

/* ---- pattern ---- */

static const struct calibration_pattern pattern = {
    .zero = 0, .zero_tolerance = 3, .standard = { 400 }, .standards_n = 1, .samples = 5
};

static enum calibration_hint feed(const struct calibration_pattern *c,
                                  struct calibration_pattern_state *st, int64_t *t, double x,
                                  int n, int64_t *since)
{
    enum calibration_hint hint = CALIBRATION_NO_HINT;

    for (; n > 0; n--, *t += MINUTE) {
        const enum calibration_hint h = calibration_pattern_step(c, st, *t, x, since);
        hint = h ? h : hint;
    }
    return hint;
}

static void zero_then_a_standard_looks_like_a_calibration(void **state)
{
    struct calibration_pattern_state st = { 0 };
    int64_t t = T0, since = 0;

    (void)state;
    assert_int_equal(feed(&pattern, &st, &t, 60, 10, &since), CALIBRATION_NO_HINT);
    const int64_t begin = t;
    assert_int_equal(feed(&pattern, &st, &t, 0.5, 10, &since), CALIBRATION_NO_HINT);
    assert_int_equal(feed(&pattern, &st, &t, 250, 2, &since), CALIBRATION_NO_HINT);
    assert_int_equal(feed(&pattern, &st, &t, 403, 4, &since), CALIBRATION_NO_HINT);
    assert_int_equal(feed(&pattern, &st, &t, 402, 1, &since), CALIBRATION_LIKE_SEQUENCE);
    assert_int_equal(since, begin);
    assert_int_equal(feed(&pattern, &st, &t, 402, 20, &since), CALIBRATION_NO_HINT);
}

static void a_zero_alone_is_told_at_its_usual_hour(void **state)
{
    struct calibration_pattern usual = pattern;
    struct calibration_pattern_state st = { 0 };
    int64_t t = T0, since = 0;

    (void)state;
    usual.usual_ms = T0 + HOUR - 30 * DAY;
    feed(&usual, &st, &t, 60, 20, &since);
    assert_int_equal(feed(&usual, &st, &t, 0, 10, &since), CALIBRATION_NO_HINT);
    feed(&usual, &st, &t, 60, 25, &since);
    assert_int_equal(feed(&usual, &st, &t, 0, 10, &since), CALIBRATION_LIKE_ZERO);
    assert_int_equal(since, T0 + 55 * MINUTE);
}

static void a_slow_decline_to_zero_is_weather(void **state)
{
    struct calibration_pattern usual = pattern;
    struct calibration_pattern_state st = { 0 };
    int64_t t = T0, since = 0;

    (void)state;
    usual.usual_ms = T0;
    for (int x = 60; x > 3; x -= 2)
        feed(&usual, &st, &t, x, 1, &since);
    usual.usual_ms = t;
    assert_int_equal(feed(&usual, &st, &t, 0, 10, &since), CALIBRATION_NO_HINT);
}

/* ---- configuration ---- */

static struct calibration_conf conf_of(void)
{
    return (struct calibration_conf){ .every_ms = -1,
                                      .settle_ms = 5 * MINUTE,
                                      .measure_ms = 5 * MINUTE,
                                      .full = NAN,
                                      .limits = { NAN, NAN, NAN, NAN, NAN, NAN },
                                      .is_recognised = true };
}

static void a_quantity_has_its_limits_and_nothing_is_due_without_steps(void **state)
{
    const struct calibration_conf c = conf_of();
    const struct calibration_setup s = calibration_setup_of(&c, quantity_find("ozone"));
    const struct calibration_setup pm = calibration_setup_of(&c, quantity_find("pm2_5"));

    (void)state;
    assert_true(s.is_known && s.every_ms == 0 && s.limits.share_fail == 0.07);
    assert_true(fabs(s.limits.zero_fail - 9.81) < 0.01);
    assert_true(!pm.is_known && isnan(pm.limits.zero_fail));
}

static void steps_make_a_check_due(void **state)
{
    struct calibration_step_conf steps[] = { { CALIBRATION_ZERO, NAN, -1, -1, NULL },
                                             { CALIBRATION_SPAN, 400, 1, 2 * SECOND, "span" } };
    struct calibration_conf c = conf_of();

    (void)state;
    c.steps = (struct field_array){ steps, 2 };
    c.limits.fail_pct = 3;
    struct calibration_setup s = calibration_setup_of(&c, quantity_find("ozone"));
    assert_null(calibration_setup_error(&s));
    assert_true(s.every_ms == 14 * DAY && s.full == 400 && s.plan.step[0].reference == 0);
    assert_true(s.plan.step[0].settle_ms == 5 * MINUTE && s.plan.step[1].settle_ms == 1);
    assert_true(fabs(s.limits.share_warn - 0.02) < 1e-12);
    steps[1].value = NAN;
    s = calibration_setup_of(&c, quantity_find("ozone"));
    assert_non_null(calibration_setup_error(&s));
}

static void values_may_be_in_another_unit(void **state)
{
    struct calibration_step_conf steps[] = { { CALIBRATION_SPAN, 400, -1, -1, NULL } };
    struct calibration_conf c = conf_of();

    (void)state;
    c.steps = (struct field_array){ steps, 1 };
    c.unit = "[ppb]";
    c.limits.zero = 5;
    struct calibration_setup s = calibration_setup_of(&c, quantity_find("ozone"));
    assert_null(calibration_setup_error(&s));
    assert_true(fabs(s.plan.step[0].reference - 400 * 48.0 / 24.465) < 0.1);
    assert_true(fabs(s.limits.zero_fail - 9.81) < 0.01 && s.full == s.plan.step[0].reference);
    c.unit = "Cel";
    s = calibration_setup_of(&c, quantity_find("ozone"));
    assert_string_equal(calibration_setup_error(&s), "The unit does not fit the quantity.");
}

static void refuses_a_sequence_that_cannot_be_run(void **state)
{
    struct calibration_conf c = conf_of();

    (void)state;
    c.at = "01:30";
    struct calibration_setup s = calibration_setup_of(&c, quantity_find("ozone"));
    assert_string_equal(calibration_setup_error(&s),
                        "The station cannot run a sequence without steps.");
    c.at = NULL;
    c.limits.warn_pct = 20;
    s = calibration_setup_of(&c, quantity_find("ozone"));
    assert_non_null(calibration_setup_error(&s));
}

static void an_hour_is_written_with_four_digits(void **state)
{
    static const char *const wrong[] = {
        "1:30", "24:00", "01:60", "0130", "01:30 ", "", "ab:cd"
    };
    int64_t ms;

    (void)state;
    assert_int_equal(calibration_hour_parse("23:59", &ms), 0);
    assert_int_equal(ms, DAY - MINUTE);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(calibration_hour_parse(wrong[i], &ms), -EINVAL);
}

static void drift_is_even_between_two_checks(void **state)
{
    struct calibration_drift d = { .zero = { 1000, 3000, 2, 6 },
                                   .factor = { 1000, 3000, 1, 1.2 } };

    (void)state;
    assert_true(calibration_drift_is_known(&d));
    assert_true(fabs(calibration_drift_at(&d, 1500).zero - 3) < 1e-12);
    assert_true(fabs(calibration_drift_at(&d, 2000).factor - 1.1) < 1e-12);
    assert_true(calibration_drift_at(&d, 0).zero == 2);
    assert_true(calibration_drift_at(&d, 9000).zero == 6);
    d.factor.to = NAN; /* the span was not checked again */
    assert_true(calibration_drift_is_known(&d));
    assert_true(calibration_drift_at(&d, 2000).factor == 1);
    d.zero.to_ms = d.zero.from_ms; /* nor the zero */
    assert_false(calibration_drift_is_known(&d));
    d = (struct calibration_drift){ .zero = { 1000, 3000, 2, 6 },
                                    .factor = { 1000, 3000, 1, 2.5 } };
    assert_false(calibration_drift_is_known(&d)); /* a fault, no drift */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_itself_still_passes),
        cmocka_unit_test(a_span_is_judged_apart_from_the_zero),
        cmocka_unit_test(what_is_no_check_is_neither_passed_nor_failed),
        cmocka_unit_test(a_sequence_corrects_so_that_the_next_one_reads_right),
        cmocka_unit_test(a_correction_grows_from_the_one_in_force),
        cmocka_unit_test(an_instrument_far_off_is_not_hidden_by_its_correction),
        cmocka_unit_test(a_failed_check_corrects_nothing),
        cmocka_unit_test(a_sequence_takes_its_course),
        cmocka_unit_test(an_aborted_run_settles_before_it_ends),
        cmocka_unit_test(a_step_without_an_end_ends_when_it_is_closed),
        cmocka_unit_test(a_slot_is_at_its_local_hour),
        cmocka_unit_test(a_check_is_overdue_after_a_grace),
        cmocka_unit_test(zero_then_a_standard_looks_like_a_calibration),
        cmocka_unit_test(a_zero_alone_is_told_at_its_usual_hour),
        cmocka_unit_test(a_slow_decline_to_zero_is_weather),
        cmocka_unit_test(a_quantity_has_its_limits_and_nothing_is_due_without_steps),
        cmocka_unit_test(steps_make_a_check_due),
        cmocka_unit_test(values_may_be_in_another_unit),
        cmocka_unit_test(refuses_a_sequence_that_cannot_be_run),
        cmocka_unit_test(an_hour_is_written_with_four_digits),
        cmocka_unit_test(drift_is_even_between_two_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
