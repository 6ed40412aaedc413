/* SPDX-License-Identifier: Apache-2.0 */
/* What all kinds share: slots, the gate, warming up, refusals, words. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/watch/watch.h"
#include "tests/unit/unit.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

#define T0 INT64_C(1795000000000)

struct bench {
    struct watch_config c;
    void *state;
    struct watch_result is;
    int64_t now_ms;
};

static struct watch_config noise_config(void)
{
    return (struct watch_config){ .kind = WATCH_NOISE,
                                  .step_ms = MINUTE,
                                  .limit_high = 70,
                                  .limit_low = (double)NAN,
                                  .range_min = 20,
                                  .range_max = 140,
                                  .resolution = 0.1,
                                  .quantity = quantity_find("laeq") };
}

static int set_up(void **state)
{
    static struct bench b;

    b = (struct bench){ .c = noise_config(), .now_ms = T0 };
    assert_null(watch_config_error(&b.c));
    b.state = calloc(1, watch_size(&b.c));
    assert_non_null(b.state);
    watch_init(&b.c, b.state);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    free(((struct bench *)*state)->state);
    return 0;
}

static void put(struct bench *b, double x, struct verdict v)
{
    struct watch_sample s = { .time_ms = b->now_ms, .value = x, .verdict = v };

    for (int i = 0; i < WATCH_ASIDES; i++)
        s.aside[i] = (double)NAN;
    watch_step(&b->c, b->state, &s, &b->is);
    b->now_ms += b->c.step_ms;
}

static void feed(struct bench *b, int n)
{
    for (int i = 0; i < n; i++)
        put(b, 50 + 0.1 * (i * 7 % 13), (struct verdict){ 0 });
}

static void slots_that_were_missed_are_told_behind_them(void **state)
{
    struct bench *b = *state;

    feed(b, 20);
    assert_int_equal(b->is.faults, 0);
    b->now_ms += 30 * MINUTE;
    feed(b, 1);
    assert_int_equal(b->is.use, WATCH_SET_ASIDE); /* held off as behind a gap */
    feed(b, 30);
    assert_int_equal(b->is.use, WATCH_JUDGED);
}

static void silence_is_told_by_the_clock_alone(void **state)
{
    struct bench *b = *state;

    feed(b, 20);
    const int64_t newest_ms = b->now_ms - MINUTE;
    watch_elapse(&b->c, b->state, newest_ms + MINUTE, &b->is);
    assert_int_equal(b->is.faults, 0);
    watch_elapse(&b->c, b->state, newest_ms + 20 * MINUTE, &b->is);
    assert_int_equal(b->is.faults, WATCH_NO_DATA);
    watch_elapse(&b->c, b->state, newest_ms + INT64_C(3650) * 24 * HOUR, &b->is); /* bounded */
    assert_int_equal(b->is.faults, WATCH_NO_DATA);
    b->now_ms = newest_ms + INT64_C(3650) * 24 * HOUR + MINUTE;
    feed(b, 1);
    assert_int_equal(b->is.faults & WATCH_NO_DATA, 0);
}

static void a_time_that_was_there_changes_nothing(void **state)
{
    struct bench *b = *state;

    feed(b, 20);
    const struct watch_result before = b->is;
    b->now_ms -= 5 * MINUTE;
    put(b, 999, (struct verdict){ 0 });
    assert_memory_equal(&before, &b->is, sizeof before);
    watch_shift(b->state, -HOUR); /* the clock was set back: it goes on from there */
    b->now_ms = T0 + 20 * MINUTE - HOUR;
    feed(b, 3);
    assert_int_equal(b->is.use, WATCH_JUDGED);
}

static void a_warm_up_is_set_aside_and_is_no_calibration(void **state)
{
    const struct verdict warm = { STATUS_VALID, GRADE_BAD, REASON_WARMUP };
    const struct verdict calibrated = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_SPAN };
    struct bench *b = *state;

    feed(b, 20);
    for (int i = 0; i < 10; i++) {
        put(b, 55, warm);
        assert_int_equal(b->is.use, WATCH_SET_ASIDE);
        assert_int_equal(b->is.faults, 0);
    }
    feed(b, 20);
    assert_int_equal(b->is.faults, 0);
    for (int i = 0; i < 10; i++)
        put(b, 94, calibrated);
    assert_int_equal(b->is.faults, WATCH_CALIBRATION);
    for (int i = 0; i < 3; i++)
        put(b, 55, warm); /* it warms up behind it: still no new one */
    feed(b, 10);
    assert_int_equal(b->is.faults, 0);
}

static void what_the_course_says_is_left_to_the_kind(void **state)
{
    const struct verdict stuck = { STATUS_VALID, GRADE_BAD, REASON_STUCK };
    const struct verdict out = { STATUS_VALID, GRADE_BAD, REASON_RANGE };
    const struct verdict none = { STATUS_VALID, GRADE_MISSING, REASON_NO_VALUE };
    struct bench *b = *state;

    feed(b, 20);
    put(b, 51, stuck);
    assert_int_equal(b->is.use, WATCH_JUDGED);
    put(b, 500, out);
    assert_int_equal(b->is.use, WATCH_SET_ASIDE);
    put(b, (double)NAN, none);
    assert_int_equal(b->is.use, WATCH_SET_ASIDE);
}

static void refuses_what_cannot_be_watched(void **state)
{
    const double nan = (double)NAN;
    const struct watch_config good = noise_config();
    struct watch_config c[9];

    (void)state;
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++)
        c[i] = good;
    c[0].step_ms = 0;
    c[1].limit_high = nan;
    c[2].limit_high = nan;
    c[2].limit_low = 40;
    c[3].kind = WATCH_WATER;
    c[3].limit_low = 80;
    c[4].range_max = (double)INFINITY;
    c[5].range_min = 140;
    c[6].kind = WATCH_COUNTS;
    c[6].step_ms = HOUR;
    c[7].kind = WATCH_AIR;
    c[7].step_ms = 4 * HOUR;
    c[8].kind = WATCH_AIR;
    c[8].limit_high = 0;
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        const char *error = watch_config_error(&c[i]);
        if (!error)
            fail_msg("%zu is taken", i);
        assert_int_equal(error[strlen(error) - 1], '.');
    }
}

static void knows_which_quantity_it_understands(void **state)
{
    static const struct {
        const char *quantity;
        enum watch_kind kind;
    } known[] = { { "laeq", WATCH_NOISE },        { "count_rate", WATCH_COUNTS },
                  { "pm2_5", WATCH_AIR },         { "ph", WATCH_WATER },
                  { "turbidity", WATCH_WATER },   { "air_temp", WATCH_NONE },
                  { "wind_dir", WATCH_NONE },     { "dose_rate_air", WATCH_NONE },
                  { "soil_moisture", WATCH_NONE } };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct quantity *q = quantity_find(known[i].quantity);
        if (q)
            assert_int_equal(watch_kind_of(q), known[i].kind);
    }
    assert_non_null(quantity_find("dose_rate_air"));
}

static void looks_back_as_far_as_it_remembers(void **state)
{
    struct watch_config c = noise_config();

    (void)state;
    assert_int_equal(watch_lookback(&c), 600 * MINUTE);
    c.kind = WATCH_AIR;
    assert_int_equal(watch_lookback(&c), 60 * HOUR);
    c.kind = WATCH_COUNTS;
    c.step_ms = 1000;
    assert_int_equal(watch_lookback(&c), 10 * HOUR);
}

static void each_fault_has_its_words(void **state)
{
    (void)state;
    for (int i = 0; i < WATCH_FAULTS; i++) {
        const uint16_t fault = (uint16_t)(1u << i);
        assert_non_null(watch_fault_id(fault));
        assert_true(strlen(watch_fault_text(fault, "en")) > 5);
        assert_string_not_equal(watch_fault_text(fault, "en"), watch_fault_text(fault, "zh"));
        const struct verdict v = watch_verdict((struct verdict){ 0 }, fault);
        assert_true(v.grade == GRADE_GOOD || v.grade == GRADE_SUSPECT);
    }
    assert_null(watch_fault_id(WATCH_STUCK | WATCH_DRIFT));
    const struct verdict stuck = watch_verdict((struct verdict){ 0 }, WATCH_STUCK);
    assert_int_equal(stuck.grade, GRADE_SUSPECT);
    assert_int_equal(stuck.reasons, REASON_STUCK);
    const struct verdict bad = { STATUS_FAULT, GRADE_BAD, REASON_INSTR };
    assert_int_equal(watch_verdict(bad, WATCH_STUCK).grade, GRADE_BAD); /* never better */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slots_that_were_missed_are_told_behind_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(silence_is_told_by_the_clock_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_time_that_was_there_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_warm_up_is_set_aside_and_is_no_calibration, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_course_says_is_left_to_the_kind, set_up,
                                        tear_down),
        cmocka_unit_test(refuses_what_cannot_be_watched),
        cmocka_unit_test(knows_which_quantity_it_understands),
        cmocka_unit_test(looks_back_as_far_as_it_remembers),
        cmocka_unit_test(each_fault_has_its_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
