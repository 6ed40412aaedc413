/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanisms of rules/detect, each by itself. */
#include <math.h>

#include "rules/detect/background.h"
#include "rules/detect/hold.h"
#include "rules/detect/liveliness.h"
#include "rules/detect/mofn.h"
#include "rules/detect/notice.h"
#include "rules/detect/repeat.h"
#include "rules/detect/scatter.h"
#include "rules/detect/standard.h"
#include "tests/unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

/* ---- m of n ---- */

static void m_of_n_is_true_from_the_mth_hit_on(void **state)
{
    struct mofn r = { 0 };

    (void)state;
    assert_false(mofn_push(&r, true, 3, 5));
    assert_false(mofn_push(&r, false, 3, 5));
    assert_false(mofn_push(&r, true, 3, 5));
    assert_true(mofn_push(&r, true, 3, 5));
}

static void m_of_n_drops_what_is_older_than_n(void **state)
{
    struct mofn r = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        mofn_push(&r, true, 3, 5);
    assert_true(mofn_push(&r, false, 3, 5));
    assert_true(mofn_push(&r, false, 3, 5));
    assert_false(mofn_push(&r, false, 3, 5));
    mofn_clear(&r);
    assert_int_equal(mofn_count(&r), 0);
}

static void m_of_n_uses_every_bit_of_its_register(void **state)
{
    struct mofn r = { 0 };

    (void)state;
    for (int i = 0; i < MOFN_MAX - 1; i++)
        assert_false(mofn_push(&r, true, MOFN_MAX, MOFN_MAX));
    assert_true(mofn_push(&r, true, MOFN_MAX, MOFN_MAX));
    assert_false(mofn_push(&r, false, MOFN_MAX, MOFN_MAX));
}

/* ---- hold-off ---- */

static void values_behind_a_gap_are_held_off(void **state)
{
    struct hold h = { 0 };

    (void)state;
    assert_false(hold_value(&h, 3, 2));
    for (int i = 1; i <= 3; i++)
        assert_int_equal(hold_miss(&h), i);
    assert_true(hold_value(&h, 3, 2));
    assert_true(hold_value(&h, 3, 2));
    assert_false(hold_value(&h, 3, 2));
}

static void a_gap_that_is_too_short_holds_nothing_off(void **state)
{
    struct hold h = { 0 };

    (void)state;
    for (int i = 0; i < 4; i++) {
        hold_miss(&h);
        hold_miss(&h);
        assert_false(hold_value(&h, 3, 8));
    }
}

static void a_gap_of_months_is_still_a_gap(void **state)
{
    struct hold h = { 0 };

    (void)state;
    for (int i = 0; i < 65536 + 1; i++)
        hold_miss(&h);
    assert_true(hold_value(&h, 3, 1));
}

static void a_request_does_not_shorten_a_hold_off(void **state)
{
    struct hold h = { 0 };

    (void)state;
    hold_request(&h, 3);
    hold_request(&h, 1);
    for (int i = 0; i < 3; i++)
        assert_true(hold_pass(&h));
    assert_false(hold_pass(&h));
}

/* ---- notice ---- */

static void a_notice_ends_after_so_many_quiet_samples_in_a_row(void **state)
{
    struct notice n = { 0 };

    (void)state;
    assert_false(notice_step(&n, false, true, 2));
    assert_true(notice_step(&n, true, false, 2)); /* the sample that raises it is not quiet */
    assert_true(notice_step(&n, true, false, 2));
    assert_true(notice_step(&n, false, true, 2));
    assert_true(notice_step(&n, false, false, 2));
    assert_false(notice_step(&n, false, false, 2));
}

static void raising_a_notice_again_does_not_prolong_it(void **state)
{
    struct notice n = { 0 };

    (void)state;
    notice_raise(&n);
    assert_true(notice_pass(&n, false, 2));
    notice_raise(&n);
    assert_false(notice_pass(&n, false, 2));
    assert_false(notice_pass(&n, true, 2));
}

/* ---- repeats ---- */

static void repeats_are_counted_with_the_first(void **state)
{
    struct repeat r = { 0 };

    (void)state;
    assert_int_equal(repeat_push(&r, 0), 1);
    assert_int_equal(repeat_push(&r, 0), 2);
    assert_int_equal(repeat_push(&r, 0.1), 1);
    assert_int_equal(repeat_push(&r, (double)NAN), 1);
    assert_int_equal(repeat_push(&r, (double)NAN), 1);
}

/* ---- background ---- */

static const struct background_config hour = {
    .low = 20, .window = 60, .enough = 30, .stale = 30, .frozen_max = 240
};

static void assert_level(double level, double expected)
{
    assert_true(fabs(level - expected) < 1e-9);
}

static void learn_many(struct background *b, int n, double level)
{
    for (int i = 0; i < n; i++)
        background_learn(&hour, b, level);
}

static void the_background_is_unknown_until_it_has_enough(void **state)
{
    struct background b;

    (void)state;
    background_start(&b);
    learn_many(&b, 29, 45.1);
    assert_false(b.is_known);
    learn_many(&b, 1, 45.1);
    assert_true(b.is_known);
    assert_level(background_l90(&hour, &b), 45.25);
    assert_level(background_l50(&hour, &b), 45.25);
}

static int bin_at(const struct background *b, int share)
{
    int below = 0, bin = 0;

    while ((below + b->count[bin]) * share <= b->n)
        below += b->count[bin++];
    return bin;
}

static void percentiles_are_those_of_the_histogram(void **state)
{
    struct background b;
    uint32_t seed = 7;

    (void)state;
    background_start(&b);
    for (int i = 0; i < 20000; i++) {
        const double middle = 60 + 20 * sin(i / 300.0);
        background_learn(&hour, &b, middle + (double)(draw(&seed) % 200) / 10 - 10);
        if (!b.is_known)
            continue;
        assert_in_range(b.n, 1, hour.window);
        assert_level(background_l90(&hour, &b), 20.25 + 0.5 * bin_at(&b, 10));
        assert_level(background_l50(&hour, &b), 20.25 + 0.5 * bin_at(&b, 2));
    }
}

static void the_background_follows_within_a_window(void **state)
{
    struct background b;

    (void)state;
    background_start(&b);
    learn_many(&b, 100, 40);
    learn_many(&b, 60, 60);
    assert_level(background_l50(&hour, &b), 60.25);
    learn_many(&b, 120, 60);
    assert_level(background_l90(&hour, &b), 60.25);
}

static void a_background_that_is_stale_starts_afresh(void **state)
{
    struct background b;

    (void)state;
    background_start(&b);
    learn_many(&b, 40, 40);
    for (int i = 0; i < 30; i++)
        background_lose(&b);
    learn_many(&b, 1, 60);
    assert_true(b.is_known);
    for (int i = 0; i < 31; i++)
        background_lose(&b);
    assert_true(b.is_known);
    background_refresh(&hour, &b);
    assert_false(b.is_known);
    learn_many(&b, 1, 60);
    assert_false(b.is_known);
    assert_int_equal(b.n, 1);
}

static void a_noise_that_never_ends_makes_the_background_unknown(void **state)
{
    struct background b;

    (void)state;
    background_start(&b);
    learn_many(&b, 40, 40);
    for (int i = 0; i < 240; i++)
        background_freeze(&hour, &b);
    assert_true(b.is_known);
    background_freeze(&hour, &b);
    assert_false(b.is_known);
}

static void samples_all_in_bins_of_their_own_leave_nothing_to_halve(void **state)
{
    struct background b;

    (void)state;
    background_start(&b);
    for (int i = 0; i < 60; i++)
        background_learn(&hour, &b, 20.1 + i);
    assert_false(b.is_known);
    learn_many(&b, 30, 50);
    assert_level(background_l90(&hour, &b), 50.25);
}

static void levels_outside_the_bins_count_at_their_ends(void **state)
{
    struct background b;

    (void)state;
    background_start(&b);
    learn_many(&b, 20, -1e300);
    learn_many(&b, 20, 1e300);
    assert_int_equal(b.count[0], 20);
    assert_int_equal(b.count[BACKGROUND_BINS - 1], 20);
    assert_level(background_l90(&hour, &b), 20.25);
}

/* ---- liveliness ---- */

static const struct liveliness_config source = { .jump = 90,
                                                 .jumps = 4,
                                                 .of = 12,
                                                 .least = 4,
                                                 .most = 8,
                                                 .alive = 5,
                                                 .steady_n = 30,
                                                 .steady = 4 };

static void live_on(struct liveliness *l, int n, int level, int swing)
{
    for (int i = 0; i < n; i++)
        liveliness_push(&source, l, (int16_t)(level + (i & 1 ? swing : -swing)));
}

static void sound_moves_and_hum_does_not(void **state)
{
    struct liveliness sound = { 0 }, hum = { 0 };

    (void)state;
    live_on(&sound, 4, 700, 10);
    live_on(&hum, 30, 700, 1);
    assert_true(liveliness_is_alive(&source, &sound));
    assert_false(liveliness_is_alive(&source, &hum));
    assert_true(liveliness_is_steady(&source, &hum));
}

static void spread_needs_a_few_samples(void **state)
{
    struct liveliness l = { 0 };

    (void)state;
    live_on(&l, 3, 700, 10);
    assert_false(liveliness_is_alive(&source, &l));
    live_on(&l, 1, 700, 10);
    assert_true(liveliness_is_alive(&source, &l));
    assert_false(liveliness_is_steady(&source, &l));
}

static void a_standard_deviation_at_the_bound_is_alive(void **state)
{
    struct liveliness l = { 0 };

    (void)state;
    live_on(&l, 3, 700, 0);
    liveliness_push(&source, &l, 709);
    assert_false(liveliness_is_alive(&source, &l));
    l = (struct liveliness){ 0 };
    live_on(&l, 3, 700, 0);
    liveliness_push(&source, &l, 710); /* the square of its deviation: 75 / 3 = 5 * 5 */
    assert_true(liveliness_is_alive(&source, &l));
}

static void one_sample_of_before_does_not_make_a_hum_alive(void **state)
{
    struct liveliness l = { 0 };

    (void)state;
    live_on(&l, 10, 500, 10);
    live_on(&l, 10, 720, 1);
    assert_int_equal(l.n, 10);
    assert_false(liveliness_is_alive(&source, &l));
}

static void a_source_that_is_switched_is_alive(void **state)
{
    struct liveliness l = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        live_on(&l, 2, 500, 0);
        live_on(&l, 2, 720, 0);
    }
    assert_false(liveliness_is_alive(&source, &l));
    live_on(&l, 2, 500, 0);
    assert_true(liveliness_is_alive(&source, &l));
}

static void a_break_is_no_jump(void **state)
{
    struct liveliness l = { 0 };

    (void)state;
    for (int i = 0; i < 8; i++) {
        liveliness_break(&l);
        live_on(&l, 1, i & 1 ? 500 : 720, 0);
        assert_int_equal(l.n, 1);
    }
    assert_false(liveliness_is_alive(&source, &l));
}

static void the_widest_swing_does_not_overflow(void **state)
{
    struct liveliness l = { 0 };
    struct liveliness_config wide = source;

    (void)state;
    wide.jump = INT32_MAX;
    for (int i = 0; i < 100; i++)
        liveliness_push(&wide, &l, i & 1 ? INT16_MAX : INT16_MIN);
    assert_true(liveliness_is_alive(&wide, &l));
    assert_false(liveliness_is_steady(&wide, &l));
}

/* ---- scatter ---- */

static const struct scatter_config wild = { .step = 80, .sure = 6, .forget = 12 };

static void values_that_jump_to_and_fro_are_scattered(void **state)
{
    struct scatter s = { 0 };
    static const enum scatter_verdict expected[] = { SCATTER_NONE, SCATTER_NONE, SCATTER_SEEN,
                                                     SCATTER_SEEN, SCATTER_SEEN, SCATTER_SURE,
                                                     SCATTER_SURE, SCATTER_SURE, SCATTER_SURE };

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(scatter_push(&wild, &s, i & 1 ? 980 : 900), expected[i]);
}

static void a_source_that_is_on_is_not_scattered(void **state)
{
    struct scatter s = { 0 };

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(scatter_push(&wild, &s, (int16_t)(i & 1 ? 779 : 700)), SCATTER_NONE);
}

static void what_was_scattered_long_ago_is_forgotten(void **state)
{
    struct scatter s = { 0 };

    (void)state;
    for (int i = 0; i < 8; i++)
        scatter_push(&wild, &s, i & 1 ? 980 : 900);
    for (int i = 0; i < 11; i++)
        scatter_pass(&wild, &s);
    assert_int_equal(s.n, 8);
    scatter_pass(&wild, &s);
    assert_int_equal(scatter_push(&wild, &s, 900), SCATTER_NONE);
    assert_int_equal(s.n, 1);
}

/* ---- standards ---- */

static const int16_t levels[] = { 940, 1140 };
static const struct standard_config calibrator = {
    .values = levels, .n = COUNT(levels), .tolerance = 5, .spread = 3
};

static void a_run_on_a_standard_is_counted(void **state)
{
    struct standard s = { 0 };

    (void)state;
    assert_true(standard_push(&calibrator, &s, 940));
    assert_true(standard_push(&calibrator, &s, 943));
    assert_int_equal(s.run, 2);
    assert_false(standard_push(&calibrator, &s, 946));
    assert_int_equal(s.run, 0);
    assert_true(standard_push(&calibrator, &s, 1135));
    assert_int_equal(s.run, 1);
}

static void a_value_that_wanders_begins_a_new_run(void **state)
{
    struct standard s = { 0 };

    (void)state;
    standard_push(&calibrator, &s, 938);
    standard_push(&calibrator, &s, 941);
    assert_int_equal(s.run, 2);
    assert_true(standard_push(&calibrator, &s, 942));
    assert_int_equal(s.run, 1);
    assert_int_equal(s.lowest, 942);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(m_of_n_is_true_from_the_mth_hit_on),
        cmocka_unit_test(m_of_n_drops_what_is_older_than_n),
        cmocka_unit_test(m_of_n_uses_every_bit_of_its_register),
        cmocka_unit_test(values_behind_a_gap_are_held_off),
        cmocka_unit_test(a_gap_that_is_too_short_holds_nothing_off),
        cmocka_unit_test(a_gap_of_months_is_still_a_gap),
        cmocka_unit_test(a_request_does_not_shorten_a_hold_off),
        cmocka_unit_test(a_notice_ends_after_so_many_quiet_samples_in_a_row),
        cmocka_unit_test(raising_a_notice_again_does_not_prolong_it),
        cmocka_unit_test(repeats_are_counted_with_the_first),
        cmocka_unit_test(the_background_is_unknown_until_it_has_enough),
        cmocka_unit_test(percentiles_are_those_of_the_histogram),
        cmocka_unit_test(the_background_follows_within_a_window),
        cmocka_unit_test(a_background_that_is_stale_starts_afresh),
        cmocka_unit_test(a_noise_that_never_ends_makes_the_background_unknown),
        cmocka_unit_test(samples_all_in_bins_of_their_own_leave_nothing_to_halve),
        cmocka_unit_test(levels_outside_the_bins_count_at_their_ends),
        cmocka_unit_test(sound_moves_and_hum_does_not),
        cmocka_unit_test(spread_needs_a_few_samples),
        cmocka_unit_test(a_standard_deviation_at_the_bound_is_alive),
        cmocka_unit_test(one_sample_of_before_does_not_make_a_hum_alive),
        cmocka_unit_test(a_source_that_is_switched_is_alive),
        cmocka_unit_test(a_break_is_no_jump),
        cmocka_unit_test(the_widest_swing_does_not_overflow),
        cmocka_unit_test(values_that_jump_to_and_fro_are_scattered),
        cmocka_unit_test(a_source_that_is_on_is_not_scattered),
        cmocka_unit_test(what_was_scattered_long_ago_is_forgotten),
        cmocka_unit_test(a_run_on_a_standard_is_counted),
        cmocka_unit_test(a_value_that_wanders_begins_a_new_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
