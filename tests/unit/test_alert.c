/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rules/alert/alert.h"
#include "tests/unit/unit.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, STALE = 10 * MINUTE };

#define T0 INT64_C(1795000000000)

/* A rule, its state and a clock that only the test moves. */
struct bench {
    struct alert_rule rule;
    struct alert_state state;
    struct alert_change last;
    int64_t now_ms;
    bool is_touched;
};

static struct bench bench_of(enum alert_direction direction)
{
    return (struct bench){
        .rule = { .id = "rule",
                  .title_en = "Rule",
                  .title_zh = "规则",
                  .direction = direction,
                  .stale_ms = STALE },
        .now_ms = T0,
    };
}

static void set_level(struct bench *b, enum alert_level l, double set, double clear,
                      const char *on, const char *off)
{
    struct alert_threshold t = { .is_set = true, .set = set, .clear = clear };
    char why[128];

    assert_int_equal(alert_delay_parse(on, &t.on, why, sizeof why), 0);
    assert_int_equal(alert_delay_parse(off, &t.off, why, sizeof why), 0);
    b->rule.level[l] = t;
    assert_null(alert_rule_error(&b->rule));
}

/* One yellow level at 100/90, 2 of 3 on, 3 of 3 off. */
static struct bench simple_bench(void)
{
    struct bench b = bench_of(ALERT_ABOVE);

    set_level(&b, LEVEL_YELLOW, 100, 90, "2 of 3", "3 of 3");
    return b;
}

static struct bench four_colours(void)
{
    struct bench b = bench_of(ALERT_ABOVE);

    set_level(&b, LEVEL_BLUE, 10, 9, "1", "2");
    set_level(&b, LEVEL_YELLOW, 20, 18, "1", "2");
    set_level(&b, LEVEL_ORANGE, 30, 27, "1", "2");
    set_level(&b, LEVEL_RED, 40, 36, "1", "2");
    return b;
}

static enum alert_transition put(struct bench *b, struct decimal value, struct verdict verdict)
{
    const struct sample s = { .time_ms = b->now_ms, .value = value, .verdict = verdict };

    alert_step(&b->rule, &b->state, &s, &b->last, &b->is_touched);
    return b->last.what;
}

/* A good sample, one minute after the one before. */
static enum alert_transition feed(struct bench *b, double x)
{
    b->now_ms += MINUTE;
    return put(b, decimal_from_double(x), (struct verdict){ 0 });
}

static enum alert_transition feed_graded(struct bench *b, double x, struct verdict v)
{
    b->now_ms += MINUTE;
    return put(b, decimal_from_double(x), v);
}

static enum alert_transition tick(struct bench *b, int64_t after_ms)
{
    b->now_ms += after_ms;
    alert_tick(&b->rule, &b->state, b->now_ms, &b->last, &b->is_touched);
    return b->last.what;
}

static void feed_quietly(struct bench *b, double x, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(feed(b, x), ALERT_QUIET);
}

/* ---- raise and clear ---- */

static void raises_when_m_of_n_samples_exceed(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    assert_int_equal(feed(&b, 120), ALERT_QUIET);
    assert_int_equal(feed(&b, 80), ALERT_QUIET);
    assert_int_equal(feed(&b, 110), ALERT_RAISED);
    assert_int_equal(b.last.level, LEVEL_YELLOW);
    assert_int_equal(b.last.from_level, LEVEL_NONE);
    assert_int_equal(b.last.time_ms, b.now_ms);
    assert_int_equal(b.last.raised_ms, b.now_ms);
    assert_true(b.last.value == 110 && b.last.limit == 100 && b.last.extreme == 110);
}

static void forgets_exceedances_older_than_n_samples(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(feed(&b, 120), ALERT_QUIET);
        feed_quietly(&b, 80, 2);
    }
}

static void at_set_is_an_exceedance_and_at_clear_is_not_clear(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed_quietly(&b, 100, 1);
    assert_int_equal(feed(&b, 100), ALERT_RAISED);
    feed_quietly(&b, 90, 10);
    feed_quietly(&b, 89.99, 2);
    assert_int_equal(feed(&b, 89.99), ALERT_CLEARED);
    assert_true(b.last.limit == 90);
    assert_int_equal(b.last.peak, LEVEL_YELLOW);
}

/* A limit of a GB standard: an average of exactly 100 keeps it. */
static void a_limit_that_is_kept_at_equality_is_exceeded_above_it(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    b.rule.is_kept_at_limit = true;
    set_level(&b, LEVEL_YELLOW, 100, 100, "1", "1");
    feed_quietly(&b, 100, 3);
    assert_int_equal(feed(&b, 100.01), ALERT_RAISED);
    feed_quietly(&b, 100.01, 2);
    assert_int_equal(feed(&b, 100), ALERT_CLEARED);
}

static void a_lower_limit_is_kept_at_equality_too(void **state)
{
    struct bench b = bench_of(ALERT_BELOW);

    (void)state;
    b.rule.is_kept_at_limit = true;
    set_level(&b, LEVEL_YELLOW, 5, 5, "1", "1");
    feed_quietly(&b, 5, 3);
    assert_int_equal(feed(&b, 4.99), ALERT_RAISED);
    assert_int_equal(feed(&b, 5), ALERT_CLEARED);
}

/* GB/T 8170: half to even, on the decimal value. */
static void values_are_rounded_before_they_are_compared(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    b.rule.is_kept_at_limit = true;
    b.rule.gate.is_rounded = true;
    b.rule.gate.decimals = 0;
    set_level(&b, LEVEL_YELLOW, 60, 60, "1", "1");
    feed_quietly(&b, 60.5, 2);
    assert_int_equal(feed(&b, 60.51), ALERT_RAISED);
    assert_true(b.last.value == 61);
    assert_int_equal(feed(&b, 60.49), ALERT_CLEARED);
}

static void a_saturated_instrument_exceeds_a_limit_that_is_kept_too(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);
    const struct verdict over = { .status = STATUS_OVER_RANGE, .grade = GRADE_SUSPECT };

    (void)state;
    b.rule.is_kept_at_limit = true;
    set_level(&b, LEVEL_YELLOW, 100, 100, "1", "1");
    assert_int_equal(feed_graded(&b, 90, over), ALERT_RAISED);
}

static void levels_of_one_set_differ_by_how_long_it_lasts(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_BLUE, 200, 200, "1", "1");
    set_level(&b, LEVEL_YELLOW, 200, 200, "2", "1");
    set_level(&b, LEVEL_ORANGE, 200, 200, "3", "1");
    assert_int_equal(feed(&b, 210), ALERT_RAISED);
    assert_int_equal(feed(&b, 210), ALERT_UPGRADED);
    assert_int_equal(feed(&b, 210), ALERT_UPGRADED);
    assert_int_equal(b.last.level, LEVEL_ORANGE);
    assert_int_equal(feed(&b, 190), ALERT_CLEARED);
    b.rule.level[LEVEL_ORANGE].on = b.rule.level[LEVEL_YELLOW].on;
    assert_non_null(alert_rule_error(&b.rule));
    b.rule.level[LEVEL_ORANGE].on = (struct alert_delay){ .duration_ms = 10 * MINUTE };
    assert_non_null(alert_rule_error(&b.rule));
}

static void stays_up_between_set_and_clear(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed(&b, 120);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    for (int i = 0; i < 50; i++)
        assert_int_equal(feed(&b, i % 3 ? 89 : 95), ALERT_QUIET);
    assert_int_equal(b.state.level, LEVEL_YELLOW);
}

static void what_lay_behind_clear_before_the_raise_does_not_count(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 100, 90, "1", "3 of 4");
    feed_quietly(&b, 80, 3);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    feed_quietly(&b, 80, 2);
    assert_int_equal(feed(&b, 80), ALERT_CLEARED);
}

static void what_exceeded_before_the_clear_does_not_raise_again(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 100, 90, "2 of 3", "1");
    feed(&b, 120);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    assert_int_equal(feed(&b, 80), ALERT_CLEARED);
    assert_int_equal(feed(&b, 120), ALERT_QUIET);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

static void a_low_limit_works_the_other_way_round(void **state)
{
    struct bench b = bench_of(ALERT_BELOW);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 5, 5.5, "2", "2");
    set_level(&b, LEVEL_RED, 2, 3, "2", "2");
    feed_quietly(&b, 5, 1);
    assert_int_equal(feed(&b, 4.5), ALERT_RAISED);
    feed_quietly(&b, 1.5, 1);
    assert_int_equal(feed(&b, 1.2), ALERT_UPGRADED);
    assert_true(b.last.extreme == 1.2);
    feed_quietly(&b, 4, 1);
    assert_int_equal(feed(&b, 4), ALERT_DOWNGRADED);
    feed_quietly(&b, 5.5, 5);
    feed_quietly(&b, 7, 1);
    assert_int_equal(feed(&b, 7), ALERT_CLEARED);
    assert_true(b.last.extreme == 1.2);
}

/* ---- levels ---- */

static void climbs_and_descends_through_all_four_colours(void **state)
{
    static const double up[] = { 12, 22, 32, 42 };
    static const double down[] = { 30, 20, 10, 5 };
    struct bench b = four_colours();

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(feed(&b, up[i]), i ? ALERT_UPGRADED : ALERT_RAISED);
        assert_int_equal(b.last.level, LEVEL_BLUE + i);
        assert_int_equal(b.last.from_level, LEVEL_NONE + i);
        assert_int_equal(b.last.raised_ms, T0 + MINUTE);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(feed(&b, down[i]), ALERT_QUIET);
        assert_int_equal(feed(&b, down[i]), i < 3 ? ALERT_DOWNGRADED : ALERT_CLEARED);
        assert_int_equal(b.last.level, LEVEL_ORANGE - i);
        assert_int_equal(b.last.peak, LEVEL_RED);
        assert_true(b.last.extreme == 42);
    }
}

static void a_jump_goes_straight_to_red_and_down_to_nothing(void **state)
{
    struct bench b = four_colours();

    (void)state;
    assert_int_equal(feed(&b, 99), ALERT_RAISED);
    assert_int_equal(b.last.level, LEVEL_RED);
    assert_true(b.last.limit == 40);
    feed_quietly(&b, 1, 1);
    assert_int_equal(feed(&b, 1), ALERT_CLEARED);
    assert_int_equal(b.last.from_level, LEVEL_RED);
    assert_true(b.last.limit == 36);
}

static void a_downgrade_stops_at_the_level_whose_off_delay_runs(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 20, 18, "1", "4");
    set_level(&b, LEVEL_RED, 40, 36, "1", "2");
    assert_int_equal(feed(&b, 50), ALERT_RAISED);
    feed_quietly(&b, 10, 1);
    assert_int_equal(feed(&b, 10), ALERT_DOWNGRADED);
    assert_int_equal(b.last.level, LEVEL_YELLOW);
    feed_quietly(&b, 10, 1);
    assert_int_equal(feed(&b, 10), ALERT_CLEARED);
}

static void upgrades_again_after_a_downgrade_only_by_new_samples(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 20, 18, "1", "3");
    set_level(&b, LEVEL_RED, 40, 36, "2 of 4", "1");
    feed(&b, 50);
    assert_int_equal(feed(&b, 50), ALERT_UPGRADED);
    assert_int_equal(feed(&b, 30), ALERT_DOWNGRADED);
    assert_int_equal(feed(&b, 50), ALERT_QUIET);
    assert_int_equal(feed(&b, 50), ALERT_UPGRADED);
}

/* ---- durations ---- */

static struct bench duration_bench(void)
{
    struct bench b = bench_of(ALERT_ABOVE);

    set_level(&b, LEVEL_ORANGE, 100, 90, "5min", "3min");
    return b;
}

static void raises_after_a_duration_without_interruption(void **state)
{
    struct bench b = duration_bench();

    (void)state;
    feed_quietly(&b, 120, 4);
    feed_quietly(&b, 99, 1);
    feed_quietly(&b, 120, 5);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

static void raises_when_the_duration_ends_between_two_samples(void **state)
{
    struct bench b = duration_bench();

    (void)state;
    feed_quietly(&b, 120, 5);
    assert_int_equal(tick(&b, 59 * SECOND), ALERT_QUIET);
    assert_int_equal(tick(&b, SECOND), ALERT_RAISED);
    assert_true(b.is_touched);
    assert_true(b.last.value == 120 && b.last.limit == 100);
}

static void clears_after_a_duration_but_only_with_a_sample(void **state)
{
    struct bench b = duration_bench();

    (void)state;
    feed_quietly(&b, 120, 5);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    feed_quietly(&b, 80, 2);
    feed_quietly(&b, 92, 1);
    feed_quietly(&b, 80, 3);
    assert_int_equal(tick(&b, 5 * MINUTE), ALERT_QUIET);
    assert_int_equal(feed(&b, 80), ALERT_CLEARED);
}

static void a_duration_starts_anew_behind_a_gap(void **state)
{
    struct bench b = duration_bench();

    (void)state;
    feed_quietly(&b, 120, 4);
    b.now_ms += STALE;
    feed_quietly(&b, 120, 5);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

/* ---- gate ---- */

static void unusable_samples_neither_count_nor_reset(void **state)
{
    static const struct verdict unusable[] = {
        { STATUS_VALID, GRADE_BAD, REASON_STUCK },
        { STATUS_VALID, GRADE_BAD, REASON_RANGE },
        { STATUS_VALID, GRADE_NOT_EVALUATED, 0 },
        { STATUS_VALID, GRADE_NOT_EVALUATED, REASON_CLK_UNSYNC | REASON_AFTER_GAP },
        { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_SPAN },
        { STATUS_MAINTENANCE, GRADE_BAD, REASON_MAINT },
        { STATUS_FAULT, GRADE_SUSPECT, REASON_BELOW_RANGE },
        { STATUS_MANUAL, GRADE_NOT_EVALUATED, 0 },
    };
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 100, 90, "3", "3");
    feed_quietly(&b, 120, 2);
    for (size_t i = 0; i < sizeof unusable / sizeof *unusable; i++) {
        assert_int_equal(feed_graded(&b, 500, unusable[i]), ALERT_QUIET);
        assert_int_equal(feed_graded(&b, 1, unusable[i]), ALERT_QUIET);
        assert_int_equal(feed(&b, 80), ALERT_QUIET); /* not stale meanwhile */
        feed_quietly(&b, 120, 2);
    }
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

static void suspect_samples_and_an_unset_clock_still_alert(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed_graded(&b, 120, (struct verdict){ STATUS_VALID, GRADE_SUSPECT, REASON_SPIKE });
    assert_int_equal(
        feed_graded(&b, 120,
                    (struct verdict){ STATUS_VALID, GRADE_NOT_EVALUATED, REASON_CLK_UNSYNC }),
        ALERT_RAISED);
    assert_int_equal(b.last.verdict.reasons, REASON_CLK_UNSYNC);
}

static void a_saturated_instrument_counts_as_at_least_every_limit(void **state)
{
    const struct verdict over = { STATUS_OVER_RANGE, GRADE_SUSPECT, REASON_ABOVE_RANGE };
    const struct verdict stuck = { STATUS_OVER_RANGE, GRADE_BAD, REASON_STUCK | REASON_RANGE };
    const struct verdict empty = { STATUS_OVER_RANGE, GRADE_MISSING, REASON_NO_VALUE };
    struct bench b = four_colours();

    (void)state;
    assert_int_equal(feed_graded(&b, 35, over), ALERT_RAISED);
    assert_int_equal(b.last.level, LEVEL_RED);
    assert_true(b.last.value == 40);
    assert_int_equal(feed_graded(&b, 35, stuck), ALERT_QUIET);
    b.now_ms += MINUTE;
    assert_int_equal(put(&b, DECIMAL_MISSING, empty), ALERT_QUIET);
    assert_int_equal(b.state.level, LEVEL_RED);
    assert_int_equal(feed_graded(&b, 77, over), ALERT_QUIET);
    assert_true(b.state.extreme == 77);
}

static void a_saturated_instrument_that_warms_up_does_not(void **state)
{
    const struct verdict warm = { STATUS_OVER_RANGE, GRADE_BAD, REASON_WARMUP };
    struct bench b = four_colours();

    (void)state;
    assert_int_equal(feed_graded(&b, 99, warm), ALERT_QUIET);
    assert_int_equal(b.state.level, LEVEL_NONE);
}

static void a_low_limit_takes_saturation_as_a_plain_value(void **state)
{
    struct bench b = bench_of(ALERT_BELOW);

    (void)state;
    set_level(&b, LEVEL_RED, 5, 6, "1", "1");
    assert_int_equal(
        feed_graded(&b, 20, (struct verdict){ STATUS_OVER_RANGE, GRADE_SUSPECT, 0 }),
        ALERT_QUIET);
}

static void nan_and_no_value_change_nothing(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed(&b, 120);
    const struct alert_state before = b.state;
    b.now_ms += MINUTE;
    assert_int_equal(put(&b, DECIMAL_MISSING, (struct verdict){ 0 }), ALERT_QUIET);
    assert_false(b.is_touched);
    b.now_ms += MINUTE;
    put(&b, (struct decimal){ INT64_C(0x7FF8000000000000), DECIMAL_DOUBLE },
        (struct verdict){ 0 });
    assert_false(b.is_touched);
    assert_memory_equal(&before, &b.state, sizeof before);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

static void an_infinite_value_is_no_value(void **state)
{
    struct bench b = four_colours();

    (void)state;
    b.now_ms += MINUTE;
    assert_int_equal(put(&b, decimal_from_double(INFINITY), (struct verdict){ 0 }),
                     ALERT_QUIET);
}

static void a_sample_of_the_same_time_counts_once(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed(&b, 120);
    assert_int_equal(put(&b, decimal_from_double(120), (struct verdict){ 0 }), ALERT_QUIET);
    assert_int_equal(put(&b, decimal_from_double(120), (struct verdict){ 0 }), ALERT_QUIET);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

static void a_late_sample_is_ignored_and_a_clock_put_back_is_not(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed(&b, 120);
    b.now_ms -= 2 * MINUTE;
    assert_int_equal(put(&b, decimal_from_double(120), (struct verdict){ 0 }), ALERT_QUIET);
    assert_false(b.is_touched);
    b.now_ms -= 24 * 60 * MINUTE;
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

/* ---- silence ---- */

static void missing_data_never_clears(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed(&b, 120);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    assert_int_equal(tick(&b, STALE), ALERT_QUIET);
    assert_int_equal(tick(&b, SECOND), ALERT_CANNOT_JUDGE);
    assert_int_equal(b.last.level, LEVEL_YELLOW);
    assert_true(b.is_touched);
    for (int i = 0; i < 1000; i++) {
        b.now_ms += MINUTE;
        put(&b, DECIMAL_MISSING,
            (struct verdict){ STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM });
        assert_int_equal(tick(&b, SECOND), ALERT_QUIET);
    }
    assert_int_equal(b.state.level, LEVEL_YELLOW);
    assert_int_equal(feed(&b, 120), ALERT_JUDGES_AGAIN);
    assert_int_equal(b.last.level, LEVEL_YELLOW);
}

static void a_rule_that_never_saw_a_sample_says_nothing(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(tick(&b, STALE), ALERT_QUIET);
}

static void cannot_judge_is_told_once(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    feed(&b, 50);
    assert_int_equal(tick(&b, STALE + 1), ALERT_CANNOT_JUDGE);
    for (int i = 0; i < 10; i++)
        assert_int_equal(tick(&b, STALE), ALERT_QUIET);
    assert_int_equal(feed(&b, 50), ALERT_JUDGES_AGAIN);
}

static void samples_after_a_gap_are_held_off(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_RED, 100, 90, "1", "1");
    b.rule.hold_samples = 2;
    feed_quietly(&b, 50, 1);
    b.now_ms += STALE;
    feed_quietly(&b, 900, 2);
    assert_int_equal(feed(&b, 900), ALERT_RAISED);
}

static void samples_held_off_by_quality_control_are_not_held_off_twice(void **state)
{
    const struct verdict held = { STATUS_VALID, GRADE_NOT_EVALUATED, REASON_AFTER_GAP };
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_RED, 100, 90, "1", "1");
    b.rule.hold_samples = 2;
    feed_quietly(&b, 50, 1);
    b.now_ms += STALE;
    assert_int_equal(feed_graded(&b, 900, held), ALERT_QUIET);
    assert_int_equal(feed_graded(&b, 900, held), ALERT_QUIET);
    assert_int_equal(feed(&b, 900), ALERT_RAISED);
}

/* ---- flapping ---- */

static void a_flapping_value_is_raised_again_only_after_rearm(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);
    int raised = 0;

    (void)state;
    set_level(&b, LEVEL_YELLOW, 100, 90, "1", "1");
    b.rule.rearm_ms = 30 * MINUTE;
    for (int i = 0; i < 60; i++)
        raised += feed(&b, i % 2 ? 80 : 120) == ALERT_RAISED;
    assert_int_equal(raised, 2);
}

static void what_lasts_is_raised_when_rearm_is_over(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 100, 90, "1", "1");
    b.rule.rearm_ms = 10 * MINUTE;
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    assert_int_equal(feed(&b, 80), ALERT_CLEARED);
    feed_quietly(&b, 120, 8);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    assert_int_equal(b.last.raised_ms, T0 + 11 * MINUTE);
}

static void something_worse_is_raised_at_once(void **state)
{
    struct bench b = four_colours();

    (void)state;
    b.rule.rearm_ms = 30 * MINUTE;
    assert_int_equal(feed(&b, 22), ALERT_RAISED);
    feed(&b, 1);
    assert_int_equal(feed(&b, 1), ALERT_CLEARED);
    assert_int_equal(feed(&b, 22), ALERT_QUIET);
    assert_int_equal(feed(&b, 45), ALERT_RAISED);
    assert_int_equal(b.last.level, LEVEL_RED);
}

/* ---- restart ---- */

/* A course with every transition, and missing data in it. */
static double course(int i)
{
    static const double x[] = { 5,   12, 14, 25, 45, 45, 33, 30, 30, 15, 15, 12,
                                NAN, 8,  7,  22, 22, 5,  5,  5,  41, 41, 41, 2 };

    return x[i % (sizeof x / sizeof *x)];
}

/* The transitions of 200 samples as text; with a restart before each sample whose number
 * divides. */
static void run_course(int restart_every, char *ret, size_t size)
{
    struct bench b = four_colours();
    struct alert_state stored = { 0 };
    size_t n = 0;

    b.rule.rearm_ms = 5 * MINUTE;
    b.rule.level[LEVEL_RED].on = (struct alert_delay){ 0, 0, MINUTE };
    for (int i = 0; i < 200; i++) {
        if (restart_every && i % restart_every == 0)
            memcpy(&b.state, &stored, sizeof stored);
        feed(&b, course(i));
        if (b.is_touched)
            memcpy(&stored, &b.state, sizeof stored);
        if (b.last.what != ALERT_QUIET)
            n += (size_t)snprintf(ret + n, size - n, "%d:%d%d ", i, b.last.what, b.last.level);
        assert_true(n < size);
    }
}

static void a_restart_at_any_moment_neither_repeats_nor_forgets(void **state)
{
    char whole[4096], cut[4096];

    (void)state;
    run_course(0, whole, sizeof whole);
    for (int every = 1; every < 50; every++) {
        run_course(every, cut, sizeof cut);
        assert_string_equal(whole, cut);
    }
}

static void a_quiet_rule_is_not_stored_for_every_sample(void **state)
{
    struct bench b = simple_bench();

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(feed(&b, 50), ALERT_QUIET);
        assert_false(b.is_touched);
    }
    feed(&b, 120);
    assert_true(b.is_touched);
}

static void a_restart_of_a_quiet_rule_does_not_claim_silence(void **state)
{
    struct bench b = simple_bench();
    struct alert_state stored = { 0 };

    (void)state;
    for (int i = 0; i < 200; i++) {
        feed(&b, i == 3 ? 120 : 50);
        if (b.is_touched)
            stored = b.state;
    }
    b.state = stored;
    assert_int_equal(tick(&b, SECOND), ALERT_QUIET);
    assert_int_equal(feed(&b, 50), ALERT_QUIET);
}

static void the_time_without_power_counts_as_missing_data(void **state)
{
    struct bench b = simple_bench();
    struct alert_state stored;

    (void)state;
    b.rule.hold_samples = 1;
    feed(&b, 120);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    stored = b.state;
    b.now_ms += 24 * 60 * MINUTE;
    b.state = stored;
    assert_int_equal(tick(&b, SECOND), ALERT_CANNOT_JUDGE);
    feed_quietly(&b, 50, 1);
    assert_int_equal(feed(&b, 50), ALERT_JUDGES_AGAIN);
    feed_quietly(&b, 50, 1);
    assert_int_equal(feed(&b, 50), ALERT_CLEARED);
    assert_int_equal(b.last.raised_ms, T0 + 2 * MINUTE);
}

/* ---- properties ---- */

/* Whatever comes: levels change only as told, and never by what is not a usable sample. */
static void any_course_keeps_its_books(void **state)
{
    uint64_t seed = 0x2545F4914F6CDD1Du;
    struct bench b = four_colours();
    int level = LEVEL_NONE;

    (void)state;
    b.rule.rearm_ms = 7 * MINUTE;
    b.rule.hold_samples = 2;
    for (int i = 0; i < 100000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        const double x = (double)(seed >> 8 & 1023) / 20;
        const struct verdict v = verdict_from_flag(seed >> 20 & 7 ? 0 : (uint32_t)(seed >> 32));
        if ((seed & 63) == 0)
            tick(&b, (int64_t)(seed >> 40 & 0xFFFFF));
        else
            feed_graded(&b, x, v);
        if (b.last.what == ALERT_QUIET || b.last.what == ALERT_CANNOT_JUDGE ||
            b.last.what == ALERT_JUDGES_AGAIN) {
            assert_int_equal(b.state.level, level);
            continue;
        }
        assert_int_equal(b.last.from_level, level);
        assert_int_not_equal(b.last.level, level);
        assert_true(b.is_touched);
        assert_true(b.last.peak >= b.last.level);
        level = b.last.level;
        assert_int_equal(b.state.level, level);
    }
}

/* ---- rules and texts ---- */

static void fills_in_what_was_not_configured(void **state)
{
    struct alert_threshold t = { .is_set = true, .set = 200, .clear = NAN };

    (void)state;
    alert_threshold_default(ALERT_ABOVE, &t);
    assert_true(t.clear == 190);
    assert_int_equal(t.on.m, 3);
    assert_int_equal(t.on.n, 3);
    assert_int_equal(t.off.m, 6);
    assert_int_equal(t.off.n, 6);

    t = (struct alert_threshold){ .set = -10, .clear = NAN, .on = { 2, 20, 0 } };
    alert_threshold_default(ALERT_BELOW, &t);
    assert_true(t.clear == -9.5);
    assert_int_equal(t.off.m, 4);
    assert_int_equal(t.off.n, 32);

    t = (struct alert_threshold){ .set = 10, .clear = 8, .on = { 0, 0, MINUTE } };
    alert_threshold_default(ALERT_ABOVE, &t);
    assert_true(t.clear == 8);
    assert_int_equal(t.off.duration_ms, 2 * MINUTE);
    assert_int_equal(t.off.n, 0);
}

static void refuses_rules_that_cannot_work(void **state)
{
    struct bench b = four_colours();

    (void)state;
    assert_null(alert_rule_error(&b.rule));
    b.rule.level[LEVEL_RED].set = 30;
    assert_non_null(alert_rule_error(&b.rule));
    b = four_colours();
    b.rule.level[LEVEL_RED].clear = 41;
    assert_non_null(alert_rule_error(&b.rule));
    b = four_colours();
    b.rule.direction = ALERT_BELOW;
    assert_non_null(alert_rule_error(&b.rule));
    b = four_colours();
    b.rule.level[LEVEL_BLUE].set = NAN;
    assert_non_null(alert_rule_error(&b.rule));
    b = four_colours();
    b.rule.level[LEVEL_BLUE].on = (struct alert_delay){ 4, 3, 0 };
    assert_non_null(alert_rule_error(&b.rule));
    assert_non_null(alert_rule_error(&(struct alert_rule){ .id = "empty" }));
}

static void reads_delays(void **state)
{
    static const struct {
        const char *text;
        struct alert_delay delay;
    } good[] = {
        { "2 of 3", { 2, 3, 0 } },     { "3", { 3, 3, 0 } },
        { "32 of 32", { 32, 32, 0 } }, { "10min", { 0, 0, 600000 } },
        { "250ms", { 0, 0, 250 } },    { "1h", { 0, 0, 3600000 } },
        { "2d", { 0, 0, 172800000 } }, { "0s", { 1, 1, 0 } },
    };
    char why[128];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct alert_delay d;
        assert_int_equal(alert_delay_parse(good[i].text, &d, why, sizeof why), 0);
        assert_int_equal(d.m, good[i].delay.m);
        assert_int_equal(d.n, good[i].delay.n);
        assert_int_equal(d.duration_ms, good[i].delay.duration_ms);
    }
}

static void refuses_delays_with_a_reason(void **state)
{
    static const char *const wrong[] = {
        "",         "0",
        "33",       "3 of 2",
        "0 of 3",   "2 of 33",
        "of 3",     "2 of",
        "2 of 3 x", "-1",
        "10 m",     "10m",
        "min",      "1.5h",
        "5 weeks",  "99999999999999999999",
        "9999999d", "2 of 99999999999999999999",
        "2of3min",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct alert_delay d = { 7, 7, 7 };
        char why[128] = "";
        assert_int_equal(alert_delay_parse(wrong[i], &d, why, sizeof why), -EINVAL);
        assert_int_equal(d.m, 7);
        assert_true(strlen(why) > 10);
        assert_false(alert_delay_is_ok(wrong[i], why, sizeof why));
    }
}

/* ---- other sides, gates, conditions ---- */

static void outside_means_far_from_zero_on_either_side(void **state)
{
    struct bench b = bench_of(ALERT_OUTSIDE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 10, 8, "2", "2");
    feed_quietly(&b, -12, 1);
    assert_int_equal(feed(&b, 11), ALERT_RAISED);
    feed(&b, -20);
    assert_true(b.state.extreme == -20);
    feed_quietly(&b, -8, 3); /* at clear is not clear */
    feed_quietly(&b, -7, 1);
    assert_int_equal(feed(&b, 7), ALERT_CLEARED);
    b.rule.level[LEVEL_YELLOW].set = 0;
    b.rule.level[LEVEL_YELLOW].clear = 0;
    assert_non_null(alert_rule_error(&b.rule));
}

static void a_code_is_equal_or_not(void **state)
{
    struct bench b = bench_of(ALERT_EQUAL);

    (void)state;
    set_level(&b, LEVEL_RED, 3, 3, "1", "2");
    feed_quietly(&b, 4, 2);
    assert_int_equal(feed(&b, 3), ALERT_RAISED);
    feed_quietly(&b, 7, 1);
    assert_int_equal(feed(&b, 0), ALERT_CLEARED);
}

static void a_level_stays_for_its_shortest_time(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);

    (void)state;
    set_level(&b, LEVEL_YELLOW, 100, 90, "1", "1");
    b.rule.level[LEVEL_YELLOW].min_ms = 5 * MINUTE;
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    feed_quietly(&b, 50, 4);
    assert_int_equal(feed(&b, 50), ALERT_CLEARED);
}

static void may_be_asked_for_good_samples_alone(void **state)
{
    struct bench b = bench_of(ALERT_ABOVE);
    const struct verdict over = { STATUS_OVER_RANGE, GRADE_SUSPECT, REASON_ABOVE_RANGE };

    (void)state;
    set_level(&b, LEVEL_YELLOW, 100, 90, "1", "1");
    b.rule.gate = (struct alert_gate){ .grades = 1 << GRADE_GOOD, .ignores_saturation = true };
    assert_int_equal(
        feed_graded(&b, 120, (struct verdict){ STATUS_VALID, GRADE_SUSPECT, REASON_SPIKE }),
        ALERT_QUIET);
    assert_int_equal(feed_graded(&b, 120, over), ALERT_QUIET);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
}

static void the_first_samples_behind_a_calibration_are_not_judged(void **state)
{
    static const struct verdict services[] = {
        { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_SPAN },
        { STATUS_MAINTENANCE, GRADE_BAD, REASON_MAINT },
        { STATUS_VALID, GRADE_BAD, REASON_POWER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        struct bench b = bench_of(ALERT_ABOVE);
        set_level(&b, LEVEL_YELLOW, 100, 90, "1", "1");
        b.rule.hold_samples = 2;
        feed_quietly(&b, 50, 1);
        assert_int_equal(feed_graded(&b, 400, services[i]), ALERT_QUIET);
        assert_true(b.is_touched); /* a restart in between does not forget it */
        feed_quietly(&b, 400, 2);
        assert_int_equal(feed(&b, 120), ALERT_RAISED);
    }
}

static void what_is_refuted_neither_raises_nor_keeps(void **state)
{
    struct bench b = simple_bench();
    struct alert_look look = { .x = 120, .is_refuted = true };

    (void)state;
    for (int i = 0; i < 5; i++) {
        look.time_ms = b.now_ms += MINUTE;
        alert_judge(&b.rule, &b.state, &look, &b.last, &b.is_touched);
        assert_int_equal(b.last.what, ALERT_QUIET);
    }
    feed(&b, 120);
    assert_int_equal(feed(&b, 120), ALERT_RAISED);
    for (int i = 0; i < 3; i++) {
        look.time_ms = b.now_ms += MINUTE;
        alert_judge(&b.rule, &b.state, &look, &b.last, &b.is_touched);
    }
    assert_int_equal(b.last.what, ALERT_CLEARED);
}

static void names_levels_in_both_languages(void **state)
{
    (void)state;
    assert_string_equal(alert_level_id(LEVEL_ORANGE), "orange");
    assert_string_equal(alert_level_name(LEVEL_RED, "zh-CN"), "红色");
    assert_string_equal(alert_level_name(LEVEL_RED, NULL), "red");
    assert_string_equal(alert_transition_id(ALERT_JUDGES_AGAIN), "judges_again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raises_when_m_of_n_samples_exceed),
        cmocka_unit_test(forgets_exceedances_older_than_n_samples),
        cmocka_unit_test(at_set_is_an_exceedance_and_at_clear_is_not_clear),
        cmocka_unit_test(a_limit_that_is_kept_at_equality_is_exceeded_above_it),
        cmocka_unit_test(a_lower_limit_is_kept_at_equality_too),
        cmocka_unit_test(values_are_rounded_before_they_are_compared),
        cmocka_unit_test(a_saturated_instrument_exceeds_a_limit_that_is_kept_too),
        cmocka_unit_test(levels_of_one_set_differ_by_how_long_it_lasts),
        cmocka_unit_test(stays_up_between_set_and_clear),
        cmocka_unit_test(what_lay_behind_clear_before_the_raise_does_not_count),
        cmocka_unit_test(what_exceeded_before_the_clear_does_not_raise_again),
        cmocka_unit_test(a_low_limit_works_the_other_way_round),
        cmocka_unit_test(climbs_and_descends_through_all_four_colours),
        cmocka_unit_test(a_jump_goes_straight_to_red_and_down_to_nothing),
        cmocka_unit_test(a_downgrade_stops_at_the_level_whose_off_delay_runs),
        cmocka_unit_test(upgrades_again_after_a_downgrade_only_by_new_samples),
        cmocka_unit_test(raises_after_a_duration_without_interruption),
        cmocka_unit_test(raises_when_the_duration_ends_between_two_samples),
        cmocka_unit_test(clears_after_a_duration_but_only_with_a_sample),
        cmocka_unit_test(a_duration_starts_anew_behind_a_gap),
        cmocka_unit_test(unusable_samples_neither_count_nor_reset),
        cmocka_unit_test(suspect_samples_and_an_unset_clock_still_alert),
        cmocka_unit_test(a_saturated_instrument_counts_as_at_least_every_limit),
        cmocka_unit_test(a_saturated_instrument_that_warms_up_does_not),
        cmocka_unit_test(a_low_limit_takes_saturation_as_a_plain_value),
        cmocka_unit_test(nan_and_no_value_change_nothing),
        cmocka_unit_test(an_infinite_value_is_no_value),
        cmocka_unit_test(a_sample_of_the_same_time_counts_once),
        cmocka_unit_test(a_late_sample_is_ignored_and_a_clock_put_back_is_not),
        cmocka_unit_test(missing_data_never_clears),
        cmocka_unit_test(a_rule_that_never_saw_a_sample_says_nothing),
        cmocka_unit_test(cannot_judge_is_told_once),
        cmocka_unit_test(samples_after_a_gap_are_held_off),
        cmocka_unit_test(samples_held_off_by_quality_control_are_not_held_off_twice),
        cmocka_unit_test(a_flapping_value_is_raised_again_only_after_rearm),
        cmocka_unit_test(what_lasts_is_raised_when_rearm_is_over),
        cmocka_unit_test(something_worse_is_raised_at_once),
        cmocka_unit_test(a_restart_at_any_moment_neither_repeats_nor_forgets),
        cmocka_unit_test(a_quiet_rule_is_not_stored_for_every_sample),
        cmocka_unit_test(a_restart_of_a_quiet_rule_does_not_claim_silence),
        cmocka_unit_test(the_time_without_power_counts_as_missing_data),
        cmocka_unit_test(any_course_keeps_its_books),
        cmocka_unit_test(fills_in_what_was_not_configured),
        cmocka_unit_test(refuses_rules_that_cannot_work),
        cmocka_unit_test(reads_delays),
        cmocka_unit_test(refuses_delays_with_a_reason),
        cmocka_unit_test(outside_means_far_from_zero_on_either_side),
        cmocka_unit_test(a_code_is_equal_or_not),
        cmocka_unit_test(a_level_stays_for_its_shortest_time),
        cmocka_unit_test(may_be_asked_for_good_samples_alone),
        cmocka_unit_test(the_first_samples_behind_a_calibration_are_not_judged),
        cmocka_unit_test(what_is_refuted_neither_raises_nor_keeps),
        cmocka_unit_test(names_levels_in_both_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
