/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/sim/noise.h"
#include "gateway/sim/signal.h"
#include "sensors/core/quantity.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static const int64_t DAY0 = INT64_C(1774828800000); /* 2026-03-30T00:00:00Z */

static struct signal signal_of(const char *quantity, uint64_t seed)
{
    struct signal s = { .course = *course_find(quantity),
                        .min = NAN,
                        .max = NAN,
                        .seed = noise_seed(seed, quantity),
                        .station_seed = seed };
    return s;
}

/* Of n values from t on, one each step. */
static double mean_of(const struct signal *s, int64_t t, int64_t step, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += signal_at(s, t + i * step);
    return sum / n;
}

static double correlation(const struct signal *a, const struct signal *b, int n, int64_t step)
{
    double ma = mean_of(a, DAY0, step, n);
    double mb = mean_of(b, DAY0, step, n);
    double ab = 0, aa = 0, bb = 0;

    for (int i = 0; i < n; i++) {
        double x = signal_at(a, DAY0 + i * step) - ma;
        double y = signal_at(b, DAY0 + i * step) - mb;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

static void gives_the_same_for_the_same_seed_and_time(void **state)
{
    (void)state;
    struct signal a = signal_of("pm2_5", 7);
    struct signal b = signal_of("pm2_5", 7);
    struct signal c = signal_of("pm2_5", 8);

    double later = signal_at(&a, DAY0 + HOUR); /* in another order: nothing is carried */
    assert_true(signal_at(&a, DAY0) == signal_at(&b, DAY0));
    assert_true(signal_at(&b, DAY0 + HOUR) == later);
    assert_true(signal_at(&a, DAY0) != signal_at(&c, DAY0));
}

static void normal_noise_has_mean_0_and_deviation_1(void **state)
{
    (void)state;
    double sum = 0, squares = 0;

    for (int i = 0; i < 20000; i++) {
        double x = noise_normal(3, i);
        sum += x;
        squares += x * x;
        assert_true(fabs(x) < 3.5);
    }
    assert_true(fabs(sum / 20000) < 0.03);
    assert_true(fabs(squares / 20000 - 1) < 0.05);
}

static void autoregressive_noise_remembers_as_told(void **state)
{
    (void)state;
    double product = 0, squares = 0;

    for (int i = 0; i < 20000; i++) {
        double x = noise_ar1(5, i, 0.8);
        product += x * noise_ar1(5, i + 1, 0.8);
        squares += x * x;
    }
    assert_true(fabs(squares / 20000 - 1) < 0.1);
    assert_true(fabs(product / squares - 0.8) < 0.03);
}

static void ozone_peaks_in_the_afternoon_and_dust_at_night(void **state)
{
    (void)state;
    struct signal ozone = signal_of("ozone", 1);
    struct signal dust = signal_of("pm10", 1);

    assert_true(mean_of(&ozone, DAY0 + 15 * HOUR, MINUTE, 30) >
                mean_of(&ozone, DAY0 + 3 * HOUR, MINUTE, 30) + 40);
    assert_true(mean_of(&dust, DAY0 + 22 * HOUR, MINUTE, 30) >
                mean_of(&dust, DAY0 + 10 * HOUR, MINUTE, 30) + 10);
}

static void local_time_moves_the_course(void **state)
{
    (void)state;
    struct signal s = signal_of("air_temp", 1);

    s.zone_ms = 8 * HOUR;
    assert_true(mean_of(&s, DAY0 + 7 * HOUR, MINUTE, 30) >
                mean_of(&s, DAY0 + 19 * HOUR, MINUTE, 30) + 5);
}

static void warm_air_is_dry_air(void **state)
{
    (void)state;
    struct signal temperature = signal_of("air_temp", 1);
    struct signal humidity = signal_of("rh", 1);

    assert_true(correlation(&temperature, &humidity, 288, 5 * MINUTE) < -0.8);
    temperature.course.swing = humidity.course.swing = 0; /* their noise alone too */
    assert_true(correlation(&temperature, &humidity, 288, 5 * MINUTE) < -0.3);
}

static void the_sun_sets(void **state)
{
    (void)state;
    struct signal s = signal_of("irradiance", 1);

    assert_true(mean_of(&s, DAY0 + 11 * HOUR, MINUTE, 60) > 200);
    for (int i = 0; i < 60; i++) {
        double night = signal_at(&s, DAY0 + 2 * HOUR + i * MINUTE);
        assert_true(night <= 0 && night > -10);
    }
}

static void wind_direction_stays_on_the_compass(void **state)
{
    (void)state;
    struct signal s = signal_of("wind_dir", 1);

    s.course.base = 350;
    for (int i = 0; i < 2000; i++) {
        double x = signal_at(&s, DAY0 + i * MINUTE);
        assert_true(x >= 0 && x < 360);
    }
}

static void the_rain_counter_adds_up_the_showers(void **state)
{
    (void)state;
    struct signal intensity = signal_of("precip_intensity", 1);
    struct signal counter = signal_of("precip", 1);
    double sum = 0;
    double before = signal_at(&counter, DAY0);

    for (int i = 0; i < 3 * 24 * 60; i++) {
        double t = signal_at(&counter, DAY0 + (int64_t)i * MINUTE);
        sum += signal_at(&intensity, DAY0 + (int64_t)i * MINUTE) / 60;
        assert_true(t >= before - 1e-9); /* never runs backwards within its month */
        before = t;
    }
    assert_true(sum > 1);
    assert_true(fabs(before - signal_at(&counter, DAY0) - sum) < 0.02 * sum + 0.05);
}

static void stays_within_what_the_instrument_shows(void **state)
{
    (void)state;
    struct signal s = signal_of("pm2_5", 1);

    s.min = 27;
    s.max = 29;
    for (int i = 0; i < 500; i++) {
        double x = signal_at(&s, DAY0 + i * MINUTE);
        assert_true(x >= 27 && x <= 29);
    }
}

static void every_course_is_of_a_known_quantity(void **state)
{
    (void)state;
    static const char *const names[] = { "ozone",         "rh",         "wind_dir",
                                         "precip",        "ph",         "soil_moisture",
                                         "sound_level",   "laeq",       "dose_rate_air",
                                         "dose_rate_h10", "cabin_temp", "water_level",
                                         "turbidity" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct course *c = course_find(names[i]);
        const struct quantity *q = quantity_find(names[i]);
        assert_non_null(c);
        assert_non_null(q);
        assert_true(c->base >= q->range_min && c->base <= q->range_max);
        assert_true(c->episode <= q->range_max);
    }
    assert_null(course_find("phlogiston"));
}

static void reads_an_episode(void **state)
{
    (void)state;
    struct signal_episode e;
    char why[200];

    assert_int_equal(signal_episode_parse("pm2_5=190@90s+4min/10min", &e, why, sizeof why), 0);
    assert_string_equal(e.target, "pm2_5");
    assert_true(e.peak == 190);
    assert_int_equal(e.times.start_ms, 90000);
    assert_int_equal(e.times.length_ms, 4 * MINUTE);
    assert_int_equal(e.times.every_ms, 10 * MINUTE);
    assert_int_equal(signal_episode_parse("roof/ph=-4.5@0s+1h", &e, why, sizeof why), 0);
    assert_int_equal(e.times.every_ms, 0);
}

static void refuses_a_wrong_episode_and_says_what_is_right(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",
                                         "pm2_5",
                                         "=1@1s+1s",
                                         "pm2_5=x@1s+1s",
                                         "pm2_5=1",
                                         "pm2_5=1@1+1s",
                                         "pm2_5=1@1s+0s",
                                         "pm2_5=1@1s+5s/5s",
                                         "pm2_5=1@1s+1s/2s more",
                                         "pm2_5=1@-1s+1s",
                                         "pm2_5=nan@1s+1s",
                                         "pm2_5=1@1e300s+1s" };
    struct signal_episode e = { .peak = 42 };
    char why[200];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(signal_episode_parse(wrong[i], &e, why, sizeof why), -EINVAL);
        assert_non_null(strstr(why, "TARGET=PEAK@START+LENGTH/EVERY"));
        assert_true(e.peak == 42);
    }
}

static void an_episode_rises_stays_and_falls_and_comes_back(void **state)
{
    (void)state;
    struct signal_episode e = { .times = { MINUTE, 6 * MINUTE, HOUR } };

    assert_true(signal_episode_share(&e, DAY0, DAY0 + 59 * 1000) == 0);
    assert_true(signal_episode_share(&e, DAY0, DAY0 - 10 * HOUR + 2 * MINUTE) == 0);
    double rising = signal_episode_share(&e, DAY0, DAY0 + MINUTE + 30000);
    assert_true(rising > 0.45 && rising < 0.55);
    assert_true(signal_episode_share(&e, DAY0, DAY0 + 4 * MINUTE) == 1);
    assert_true(signal_episode_share(&e, DAY0, DAY0 + 7 * MINUTE) == 0);
    assert_true(signal_episode_share(&e, DAY0, DAY0 + HOUR + 4 * MINUTE) == 1);
    e.times.every_ms = 0;
    assert_true(signal_episode_share(&e, DAY0, DAY0 + HOUR + 4 * MINUTE) == 0);
}

static void a_window_opens_at_its_time_each_day(void **state)
{
    (void)state;
    struct signal_window w = { .every_ms = 24 * HOUR,
                               .phase_ms = 2 * HOUR,
                               .length_ms = MINUTE };
    struct signal_window never = { 0 };

    assert_false(signal_window_is_open(&w, DAY0 + 2 * HOUR - 1));
    assert_true(signal_window_is_open(&w, DAY0 + 2 * HOUR));
    assert_true(signal_window_is_open(&w, DAY0 + 26 * HOUR + MINUTE - 1));
    assert_false(signal_window_is_open(&w, DAY0 + 2 * HOUR + MINUTE));
    assert_false(signal_window_is_open(&never, DAY0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_same_for_the_same_seed_and_time),
        cmocka_unit_test(normal_noise_has_mean_0_and_deviation_1),
        cmocka_unit_test(autoregressive_noise_remembers_as_told),
        cmocka_unit_test(ozone_peaks_in_the_afternoon_and_dust_at_night),
        cmocka_unit_test(local_time_moves_the_course),
        cmocka_unit_test(warm_air_is_dry_air),
        cmocka_unit_test(the_sun_sets),
        cmocka_unit_test(wind_direction_stays_on_the_compass),
        cmocka_unit_test(the_rain_counter_adds_up_the_showers),
        cmocka_unit_test(stays_within_what_the_instrument_shows),
        cmocka_unit_test(every_course_is_of_a_known_quantity),
        cmocka_unit_test(reads_an_episode),
        cmocka_unit_test(refuses_a_wrong_episode_and_says_what_is_right),
        cmocka_unit_test(an_episode_rises_stays_and_falls_and_comes_back),
        cmocka_unit_test(a_window_opens_at_its_time_each_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
