/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/alert/input.h"
#include "tests/unit/unit.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

#define T0 INT64_C(1795000000000)

struct bench {
    struct alert_input in;
    void *state;
    int64_t now_ms;
    struct alert_score s;
    bool is_active;
    uint32_t random;
};

static struct bench bench(const char *text)
{
    struct bench b = {
        .in = { .k = (double)NAN, .step_ms = MINUTE, .side = 1, .resolution = 0.1 },
        .now_ms = T0,
        .random = 1
    };
    char why[256];

    assert_int_equal(alert_input_parse(text, &b.in, why, sizeof why), 0);
    b.in.step_ms = MINUTE;
    assert_null(alert_input_error(&b.in));
    b.state = calloc(1, alert_input_size(&b.in) + 1);
    assert_non_null(b.state);
    alert_input_init(&b.in, b.state);
    return b;
}

static void feed(struct bench *b, double x)
{
    b->now_ms += MINUTE;
    alert_input_step(&b->in, b->state, b->now_ms, x, b->is_active, &b->s);
}

/* About 0, within 1, the same in every run. */
static double noise(struct bench *b)
{
    b->random = b->random * 1664525u + 1013904223u;
    return (double)(b->random >> 8) / (1 << 23) - 1;
}

static void feed_noise(struct bench *b, double about, double by, int n)
{
    for (int i = 0; i < n; i++)
        feed(b, about + by * noise(b));
}

static void done(struct bench *b)
{
    free(b->state);
}

static void assert_near(double x, double want, double by)
{
    if (!(fabs(x - want) <= by))
        fail_msg("%g is not within %g of %g", x, by, want);
}

/* ---- texts ---- */

static void reads_inputs(void **state)
{
    static const struct {
        const char *text, *statistic;
        enum alert_input_kind kind;
        int64_t window_ms;
    } good[] = {
        { "raw", "", ALERT_RAW, 0 },
        { "event", "", ALERT_EVENT, 0 },
        { "mean(1min)", "1min", ALERT_STATISTIC, MINUTE },
        { "mean(8h)", "8h", ALERT_STATISTIC, 8 * HOUR },
        { "max(1h)", "1h.max", ALERT_STATISTIC, HOUR },
        { "l10(10min)", "10min.l10", ALERT_STATISTIC, 10 * MINUTE },
        { "rate(10min)", "", ALERT_RATE, 10 * MINUTE },
        { "residual(24h)", "", ALERT_RESIDUAL, 24 * HOUR },
        { "cusum(2d)", "", ALERT_CUSUM, 48 * HOUR },
        { "forecast(90min)", "", ALERT_FORECAST, 90 * MINUTE },
    };
    static const char *const bad[] = {
        "",
        "mean",
        "mean(",
        "mean()",
        "mean(2h)",
        "mean(1h",
        "sum(1h)",
        "rate(3)",
        "rate(2 of 3)",
        "residual(8d)",
        "raw(1h)",
        "mean(1h) ",
        "rate(1h)x",
        "(1h)",
        "residual(99999999999999999999h)",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(1h)"
    };
    char why[256];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct alert_input in = { .k = 7 };
        assert_int_equal(alert_input_parse(good[i].text, &in, why, sizeof why), 0);
        assert_int_equal(in.kind, good[i].kind);
        assert_int_equal(in.window_ms, good[i].window_ms);
        assert_string_equal(in.statistic, good[i].statistic);
        assert_true(in.k == 7);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct alert_input in = { .kind = ALERT_CUSUM, .window_ms = 5 };
        why[0] = 0;
        if (alert_input_parse(bad[i], &in, why, sizeof why) >= 0)
            fail_msg("'%s' is taken", bad[i]);
        assert_true(in.kind == ALERT_CUSUM && in.window_ms == 5);
        assert_true(strlen(why) > 10);
        assert_false(alert_input_is_ok(bad[i], why, sizeof why));
    }
}

static void needs_enough_samples(void **state)
{
    struct alert_input in = { .kind = ALERT_RATE,
                              .window_ms = 10 * MINUTE,
                              .step_ms = 2 * MINUTE };

    (void)state;
    assert_non_null(alert_input_error(&in));
    in.step_ms = MINUTE;
    assert_null(alert_input_error(&in));
    in.kind = ALERT_RESIDUAL;
    assert_non_null(alert_input_error(&in));
    in.step_ms = 0;
    assert_non_null(alert_input_error(&in));
}

static void remembers_within_two_kilobytes(void **state)
{
    static const char *const all[] = { "rate(7d)", "residual(7d)", "cusum(7d)",
                                       "forecast(7d)" };
    char why[256];

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct alert_input in = { .step_ms = 1000 };
        assert_int_equal(alert_input_parse(all[i], &in, why, sizeof why), 0);
        assert_in_range(alert_input_size(&in), 1, 1024);
    }
}

/* ---- rate ---- */

static void a_rate_is_the_change_within_its_time(void **state)
{
    struct bench b = bench("rate(30min)");

    (void)state;
    for (int i = 0; i < 10; i++) {
        feed(&b, 20 + 0.5 * i);
        assert_true(isnan(b.s.x)); /* half of the time has not been seen */
    }
    for (int i = 10; i < 60; i++)
        feed(&b, 20 + 0.5 * i);
    assert_near(b.s.x, 15, 1e-3);
    feed_noise(&b, 50, 0.01, 40);
    assert_true(fabs(b.s.x) < 0.1);
    done(&b);
}

static void a_long_line_is_drawn_through_means(void **state)
{
    struct bench b = bench("rate(24h)");

    (void)state;
    for (int i = 0; i < 48 * 60; i++)
        feed(&b, 100 - i / 60.0 + 5 * noise(&b));
    assert_near(b.s.x, -24, 0.7);
    done(&b);
}

static void a_pause_and_a_clock_set_back_begin_anew(void **state)
{
    struct bench b = bench("rate(30min)");

    (void)state;
    for (int i = 0; i < 60; i++)
        feed(&b, i);
    b.now_ms += 24 * HOUR;
    feed(&b, 5000);
    assert_true(isnan(b.s.x));
    feed_noise(&b, 5000, 0, 40);
    assert_near(b.s.x, 0, 1e-6);
    b.now_ms -= 100 * HOUR;
    feed(&b, 9000);
    assert_true(isnan(b.s.x));
    done(&b);
}

/* ---- residual ---- */

static void a_residual_counts_only_where_it_stands_out(void **state)
{
    struct bench b = bench("residual(24h)");

    (void)state;
    for (int i = 0; i < 12; i++) {
        feed(&b, 100);
        assert_true(isnan(b.s.x));
    }
    feed_noise(&b, 100, 10, 24 * 60); /* robust standard deviation: about 7.4 */
    feed(&b, 120);
    assert_near(b.s.x, 20, 2);
    assert_false(b.s.is_significant);
    feed(&b, 150);
    assert_near(b.s.x, 50, 3);
    assert_true(b.s.is_significant);
    feed(&b, 50);
    assert_true(b.s.is_significant && b.s.x < -35);
    b.in.k = 9;
    feed(&b, 150);
    assert_false(b.s.is_significant);
    done(&b);
}

static void an_alert_does_not_become_normal_by_lasting(void **state)
{
    struct bench b = bench("residual(2h)");

    (void)state;
    feed_noise(&b, 100, 1, 200);
    b.is_active = true;
    feed_noise(&b, 150, 1, 100);
    assert_near(b.s.x, 50, 3);
    feed_noise(&b, 150, 1, 120); /* it does when it has lasted longer than the window */
    assert_true(fabs(b.s.x) < 5);
    b.is_active = false;
    done(&b);
}

/* ---- cusum ---- */

static void a_cusum_finds_a_small_shift_that_lasts(void **state)
{
    struct bench b = bench("cusum(24h)");
    double most = 0;

    (void)state;
    feed_noise(&b, 100, 10, 24 * 60);
    for (int i = 0; i < 24 * 60; i++) {
        feed_noise(&b, 100, 10, 1);
        most = fmax(most, b.s.x);
    }
    assert_true(most < 8);
    b.is_active = true;          /* learns no more */
    feed_noise(&b, 110, 10, 30); /* one and a third deviations */
    assert_true(b.s.x > 12 && b.s.is_significant);
    feed_noise(&b, 100, 10, 90);
    assert_true(b.s.x < 8);
    feed_noise(&b, 1e6, 1, 1000);
    feed_noise(&b, 100, 10, 400); /* bounded: it comes back */
    assert_true(b.s.x < 10);
    done(&b);
}

static void a_cusum_of_a_low_limit_looks_down(void **state)
{
    struct bench b = bench("cusum(24h)");

    (void)state;
    b.in.side = -1;
    feed_noise(&b, 100, 10, 600);
    b.is_active = true;
    feed_noise(&b, 120, 10, 60);
    assert_true(b.s.x < 5);
    feed_noise(&b, 85, 10, 60);
    assert_true(b.s.x > 12);
    done(&b);
}

/* ---- forecast ---- */

static void a_forecast_tells_when_the_limit_is_reached(void **state)
{
    struct bench b = bench("forecast(2h)");
    int64_t after_ms = 0, plus_minus_ms = 0;

    (void)state;
    for (int i = 0; i < 4 * 60; i++)
        feed(&b, 50 + i / 6.0 + noise(&b)); /* 10 an hour */
    assert_true(b.s.is_significant);
    assert_near(b.s.x, 50 + 240 / 6.0 + 20, 1.0);
    assert_true(alert_input_crossing(&b.s, 90, 100, &after_ms, &plus_minus_ms));
    assert_in_range(after_ms, 55 * MINUTE, 65 * MINUTE);
    assert_in_range(plus_minus_ms, 1, 10 * MINUTE);
    assert_false(alert_input_crossing(&b.s, 110, 100, &after_ms, &plus_minus_ms));
    done(&b);
}

static void a_slope_of_noise_foresees_nothing(void **state)
{
    struct bench b = bench("forecast(2h)");

    (void)state;
    for (int i = 0; i < 7 * 24 * 60; i++) {
        feed_noise(&b, 50, 10, 1);
        if (!isnan(b.s.x) && b.s.is_significant && fabs(b.s.x - 50) > 15)
            fail_msg("foresees %g at %d", b.s.x, i);
    }
    done(&b);
}

static void plain_inputs_hand_the_sample_on(void **state)
{
    struct alert_input in = { .kind = ALERT_STATISTIC };
    struct alert_score s;

    (void)state;
    assert_int_equal(alert_input_size(&in), 0);
    alert_input_step(&in, NULL, T0, 42, false, &s);
    assert_true(s.x == 42 && s.is_significant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_inputs),
        cmocka_unit_test(needs_enough_samples),
        cmocka_unit_test(remembers_within_two_kilobytes),
        cmocka_unit_test(a_rate_is_the_change_within_its_time),
        cmocka_unit_test(a_long_line_is_drawn_through_means),
        cmocka_unit_test(a_pause_and_a_clock_set_back_begin_anew),
        cmocka_unit_test(a_residual_counts_only_where_it_stands_out),
        cmocka_unit_test(an_alert_does_not_become_normal_by_lasting),
        cmocka_unit_test(a_cusum_finds_a_small_shift_that_lasts),
        cmocka_unit_test(a_cusum_of_a_low_limit_looks_down),
        cmocka_unit_test(a_forecast_tells_when_the_limit_is_reached),
        cmocka_unit_test(a_slope_of_noise_foresees_nothing),
        cmocka_unit_test(plain_inputs_hand_the_sample_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
