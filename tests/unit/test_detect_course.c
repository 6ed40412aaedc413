/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanisms of rules/detect for values that follow a slow course, each by itself. */
#include <math.h>

#include "rules/detect/creep.h"
#include "rules/detect/frozen.h"
#include "rules/detect/quantile.h"
#include "rules/detect/settle.h"
#include "rules/detect/solution.h"
#include "rules/detect/turnback.h"
#include "tests/unit/unit.h"

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

/* ---- a learnt quantile ---- */

static void a_quantile_comes_near_what_it_estimates(void **state)
{
    struct quantile q;
    uint32_t seed = 1;
    double sum = 0;

    (void)state;
    quantile_start(&q, 0.01);
    for (int i = 0; i < 20000; i++) {
        quantile_push(&q, 0.9, 0.01, draw(&seed) % 1000 / 100.0);
        sum += i >= 10000 ? q.value : 0;
    }
    assert_true(fabs(sum / 10000 - 9) < 0.2);
}

static void one_wild_value_moves_a_quantile_by_4_percent(void **state)
{
    struct quantile q;

    (void)state;
    quantile_start(&q, 1);
    for (int i = 0; i < 1000; i++)
        quantile_push(&q, 0.5, 1, 50 + i % 2);
    const double before = q.value;
    quantile_push(&q, 0.5, 1, 1e12);
    assert_true(q.value / before < 1.041);
}

static void a_quantile_stays_at_its_floor(void **state)
{
    struct quantile q;

    (void)state;
    quantile_start(&q, 0.1);
    for (int i = 0; i < 1000; i++)
        quantile_push(&q, 0.97, 0.1, 0);
    assert_true(q.value == 0.1);
}

/* ---- settling ---- */

static const struct settle_config SETTLE = { .gap = 3, .longest = 10, .calm = 2 };

static void values_behind_a_gap_are_held_until_they_are_calm(void **state)
{
    struct settle s = { 0 };

    (void)state;
    assert_false(settle_value(&SETTLE, &s, 5, 0.1));
    for (int i = 1; i <= 3; i++)
        assert_int_equal(settle_miss(&s), i);
    assert_true(settle_value(&SETTLE, &s, 9, 0.1));
    assert_true(settle_value(&SETTLE, &s, 6, 0.1));
    assert_true(settle_value(&SETTLE, &s, 6.05, 0.1));
    assert_false(settle_value(&SETTLE, &s, 6.0, 0.1));
    assert_false(settle_value(&SETTLE, &s, 9, 0.1));
}

static void what_never_calms_is_let_go(void **state)
{
    struct settle s = { 0 };
    int held = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        settle_miss(&s);
    for (int i = 0; i < 50; i++)
        held += settle_value(&SETTLE, &s, i % 2, 0.1);
    assert_int_equal(held, SETTLE.longest);
}

static void a_short_gap_holds_nothing(void **state)
{
    struct settle s = { 0 };

    (void)state;
    settle_miss(&s);
    settle_miss(&s);
    assert_false(settle_value(&SETTLE, &s, 5, 0.1));
}

/* ---- calibration solutions ---- */

static const double BUFFERS[] = { 4, 7 };
static const struct solution_config SOLUTION = {
    .values = BUFFERS, .n = 2, .tolerance = 0.03, .enough = 2, .longest = 5, .off = 2
};

static bool soak(struct solution *s, double x)
{
    return solution_push(&SOLUTION, s, x, 8, 0.5);
}

static void from_home_straight_onto_a_standard_is_a_calibration(void **state)
{
    struct solution s;

    (void)state;
    solution_start(&s);
    assert_false(soak(&s, 8.1));
    assert_false(soak(&s, 4.02));
    assert_true(soak(&s, 4.01));
    assert_true(soak(&s, 6.0)); /* rinsed */
    assert_true(soak(&s, 7.0));
    assert_true(soak(&s, 8.0)); /* on its way home */
    assert_false(soak(&s, 8.0));
}

static void onto_a_standard_by_way_of_others_is_none(void **state)
{
    struct solution s;

    (void)state;
    solution_start(&s);
    soak(&s, 8);
    soak(&s, 6);
    for (int i = 0; i < 5; i++)
        assert_false(soak(&s, 4));
}

static void longer_than_a_calibration_lasts_is_none(void **state)
{
    struct solution s;
    int in = 0;

    (void)state;
    solution_start(&s);
    soak(&s, 8);
    for (int i = 0; i < 20; i++)
        in += soak(&s, 4);
    assert_int_equal(in, SOLUTION.longest - 1);
}

static void without_a_baseline_no_solution_is_recognised(void **state)
{
    struct solution s;

    (void)state;
    solution_start(&s);
    for (int i = 0; i < 5; i++)
        assert_false(solution_push(&SOLUTION, &s, i < 2 ? 8 : 4, NAN, 0.5));
}

/* ---- frozen values ---- */

static const struct frozen_config FROZEN = { .chance = 1e-6,
                                             .least = 5,
                                             .most = 40,
                                             .times = 1.5,
                                             .memory = 0.9,
                                             .fade = 0.99,
                                             .share_start = 0.5,
                                             .share_min = 0.05,
                                             .share_max = 0.98 };

static void repeat_value(struct frozen *f, double x, int n)
{
    for (int i = 0; i < n; i++)
        frozen_push(&FROZEN, f, x, 0.3, true);
}

/* Runs of n values. */
static void live(struct frozen *f, int n)
{
    for (int i = 0; i < 50; i++)
        repeat_value(f, i % 2 ? 5 : 5.1, n);
}

static void a_run_longer_than_any_before_is_frozen(void **state)
{
    struct frozen f;

    (void)state;
    frozen_start(&FROZEN, &f);
    live(&f, 1);
    repeat_value(&f, 7, FROZEN.least - 1);
    assert_false(frozen_is(&f));
    repeat_value(&f, 7, 1);
    assert_true(frozen_is(&f));
}

static void what_repeats_itself_anyway_takes_longer(void **state)
{
    struct frozen f;

    (void)state;
    frozen_start(&FROZEN, &f);
    live(&f, 6);
    repeat_value(&f, 7, 20);
    assert_false(frozen_is(&f));
    repeat_value(&f, 7, 20);
    assert_true(frozen_is(&f));
}

static void a_run_that_ends_with_a_jump_teaches_nothing(void **state)
{
    struct frozen f;

    (void)state;
    frozen_start(&FROZEN, &f);
    live(&f, 1);
    repeat_value(&f, 5.2, 30);
    repeat_value(&f, 50, 1);
    assert_true(f.longest < 2);
}

static void one_long_run_is_forgotten(void **state)
{
    struct frozen f;

    (void)state;
    frozen_start(&FROZEN, &f);
    live(&f, 1);
    repeat_value(&f, 5.2, 30);
    for (int i = 0; i < 10; i++)
        live(&f, 1);
    assert_true(f.longest < 2);
}

static void no_run_goes_on_behind_a_missing_value(void **state)
{
    struct frozen f;

    (void)state;
    frozen_start(&FROZEN, &f);
    live(&f, 1);
    repeat_value(&f, 5, 4);
    frozen_break(&f);
    repeat_value(&f, 5, 4);
    assert_false(frozen_is(&f));
    frozen_break(&f);
    repeat_value(&f, 5.1, 1);
    assert_true(f.longest < 2);
}

static void what_does_not_move_cannot_be_frozen(void **state)
{
    struct frozen f;

    (void)state;
    frozen_start(&FROZEN, &f);
    for (int i = 0; i < 1000; i++)
        frozen_push(&FROZEN, &f, 5, 0.3, false);
    assert_false(frozen_is(&f));
}

/* ---- turning back ---- */

static const struct turnback_config TURNBACK = {
    .usual = 0.9, .times = 6, .share = 0.25, .turns = 2, .of = 6
};

static bool turn(struct turnback *t, double x)
{
    return turnback_push(&TURNBACK, t, x, 5, 0, 0.1);
}

static void two_spikes_are_scatter_and_one_is_not(void **state)
{
    struct turnback t;

    (void)state;
    turnback_start(&t, 0.1);
    turn(&t, 0);
    turn(&t, 20);
    assert_false(turn(&t, 0));
    assert_false(turn(&t, 0));
    turn(&t, 20);
    assert_true(turn(&t, 0));
    for (int i = 0; i < TURNBACK.of - 1; i++)
        assert_true(turn(&t, 0));
    assert_false(turn(&t, 0));
}

static void steps_that_go_on_are_no_scatter(void **state)
{
    struct turnback t;

    (void)state;
    turnback_start(&t, 0.1);
    for (int i = 0; i < 50; i++)
        assert_false(turn(&t, 20 * i));
}

static void noise_on_a_plateau_does_not_fall_back_to_the_baseline(void **state)
{
    struct turnback t;

    (void)state;
    turnback_start(&t, 0.1);
    for (int i = 0; i < 50; i++)
        assert_false(turn(&t, i % 2 ? 100 : 108));
}

static void values_that_cannot_be_count_as_turns(void **state)
{
    struct turnback t;

    (void)state;
    turnback_start(&t, 0.1);
    assert_false(turnback_impossible(&TURNBACK, &t));
    assert_false(turn(&t, 0));
    assert_true(turnback_impossible(&TURNBACK, &t));
}

static void no_turn_reaches_over_a_break(void **state)
{
    struct turnback t;

    (void)state;
    turnback_start(&t, 0.1);
    for (int i = 0; i < 10; i++) {
        turnback_break(&t);
        assert_false(turn(&t, 0));
        assert_false(turn(&t, 20));
    }
}

/* ---- creeping ---- */

static const struct creep_config CREEP = {
    .window = 16, .rate = 0.05, .step = 0.08, .sum = 0.3, .even = 3
};

static void the_slow_baseline_follows_at_its_rate(void **state)
{
    struct creep s;

    (void)state;
    creep_start(&s);
    creep_push(&CREEP, &s, 100, 200);
    assert_true(s.base == 100);
    for (int i = 0; i < CREEP.window; i++)
        creep_push(&CREEP, &s, 150, 200);
    assert_true(fabs(s.base - 110) < 1e-9);
}

static void an_even_way_is_a_drift(void **state)
{
    struct creep s;

    (void)state;
    creep_start(&s);
    for (int i = 0; i < 3 * CREEP.window; i++)
        creep_push(&CREEP, &s, -100 - i, 80);
    assert_int_equal(s.drift, -1);
    for (int i = 0; i < 3 * CREEP.window; i++)
        creep_push(&CREEP, &s, -148, 80);
    assert_int_equal(s.drift, 0);
}

static void an_uneven_way_is_no_drift(void **state)
{
    struct creep s;
    double x = 100;

    (void)state;
    creep_start(&s);
    for (int i = 0; i < 3 * CREEP.window; i++) {
        x += i < 34 ? 0.45 : 8;
        creep_push(&CREEP, &s, x, 80);
        assert_int_equal(s.drift, 0);
    }
}

static void the_slow_baseline_stays_while_it_drifts(void **state)
{
    struct creep s;
    int i = 0;

    (void)state;
    creep_start(&s);
    while (!s.drift)
        creep_push(&CREEP, &s, 100 + i++, 80);
    const double base = s.base;
    creep_push(&CREEP, &s, 100 + i, 80);
    assert_true(s.base == base);
}

static void a_step_is_no_drift(void **state)
{
    struct creep s;

    (void)state;
    creep_start(&s);
    for (int i = 0; i < 6 * CREEP.window; i++) {
        creep_push(&CREEP, &s, i < 3 * CREEP.window ? 100 : 150, 80);
        assert_int_equal(s.drift, 0);
    }
}

static void what_comes_and_goes_is_no_drift(void **state)
{
    struct creep s;

    (void)state;
    creep_start(&s);
    for (int i = 0; i < 10 * CREEP.window; i++) {
        creep_push(&CREEP, &s, 100 + 30 * sin(6.2831853 * i / (2 * CREEP.window)), 80);
        assert_int_equal(s.drift, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantile_comes_near_what_it_estimates),
        cmocka_unit_test(one_wild_value_moves_a_quantile_by_4_percent),
        cmocka_unit_test(a_quantile_stays_at_its_floor),
        cmocka_unit_test(values_behind_a_gap_are_held_until_they_are_calm),
        cmocka_unit_test(what_never_calms_is_let_go),
        cmocka_unit_test(a_short_gap_holds_nothing),
        cmocka_unit_test(from_home_straight_onto_a_standard_is_a_calibration),
        cmocka_unit_test(onto_a_standard_by_way_of_others_is_none),
        cmocka_unit_test(longer_than_a_calibration_lasts_is_none),
        cmocka_unit_test(without_a_baseline_no_solution_is_recognised),
        cmocka_unit_test(a_run_longer_than_any_before_is_frozen),
        cmocka_unit_test(what_repeats_itself_anyway_takes_longer),
        cmocka_unit_test(a_run_that_ends_with_a_jump_teaches_nothing),
        cmocka_unit_test(one_long_run_is_forgotten),
        cmocka_unit_test(no_run_goes_on_behind_a_missing_value),
        cmocka_unit_test(what_does_not_move_cannot_be_frozen),
        cmocka_unit_test(two_spikes_are_scatter_and_one_is_not),
        cmocka_unit_test(steps_that_go_on_are_no_scatter),
        cmocka_unit_test(noise_on_a_plateau_does_not_fall_back_to_the_baseline),
        cmocka_unit_test(values_that_cannot_be_count_as_turns),
        cmocka_unit_test(no_turn_reaches_over_a_break),
        cmocka_unit_test(the_slow_baseline_follows_at_its_rate),
        cmocka_unit_test(an_even_way_is_a_drift),
        cmocka_unit_test(an_uneven_way_is_no_drift),
        cmocka_unit_test(the_slow_baseline_stays_while_it_drifts),
        cmocka_unit_test(a_step_is_no_drift),
        cmocka_unit_test(what_comes_and_goes_is_no_drift),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
