/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/agg/counts.h"
#include "rules/agg/statistic.h"
#include "tests/unit/unit.h"

#define SECOND INT64_C(1000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define ZONE   (8 * HOUR)
#define T0     (INT64_C(20000) * DAY - ZONE) /* midnight of the zone */

static const struct verdict good = { STATUS_VALID, GRADE_GOOD, 0 };
static const struct verdict zero_check = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO };

struct rig {
    struct agg_config config;
    struct agg_statistic s;
    struct agg_figures f;
    union {
        struct agg_levels levels;
        struct agg_winds winds;
        struct agg_running running;
        struct agg_nights nights;
        struct running_levels running_levels;
        struct running_winds running_winds;
    } extra;
};

static void begin(struct rig *r, const char *quantity, const char *statistic,
                  enum agg_kind kind, int64_t interval_ms)
{
    const struct agg_settings settings = { .night = AGG_NIGHT };
    struct agg_want w;
    char why[128];

    memset(r, 0, sizeof *r);
    assert_int_equal(agg_want_parse(statistic, &w, why, sizeof why), 0);
    r->config = agg_config_for(quantity_find(quantity), w, interval_ms, ZONE, &settings);
    agg_statistic_init(&r->s, kind, &r->config, settings.night, &r->extra);
}

static void put(struct rig *r, int64_t after_ms, double x)
{
    const struct sample s = { .time_ms = T0 + after_ms,
                              .value = decimal_from_double(x),
                              .verdict = good };
    const struct agg_input in = agg_input_of(&r->config, &s);

    agg_statistic_put(&r->s, &in);
}

static void put_period(struct rig *r, int64_t after_ms, double x, struct verdict v, uint32_t n,
                       uint32_t of)
{
    const struct sample s = { .time_ms = T0 + after_ms,
                              .value = decimal_from_double(x),
                              .verdict = v };
    const struct agg_input in = agg_input_of_period(&r->config, &s, n, of);

    agg_statistic_put(&r->s, &in);
}

static double figure(const struct rig *r, enum agg_figure f)
{
    return decimal_to_double(agg_figure_of(&r->f, f, 6).value);
}

static void assert_near(double x, double y)
{
    if (!(fabs(x - y) < 1e-6))
        fail_msg("%.9g is not %.9g", x, y);
}

/* ---- rounding ---- */

static void a_mean_rounded_twice_is_what_it_would_be_rounded_once(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        const double x = 60 + i / 9973.0;
        const struct decimal two = agg_round(x, 2);
        for (int e = 0; e < 2; e++) {
            const struct decimal once = decimal_round(x, e);
            const struct decimal twice = decimal_round(decimal_to_double(two), e);
            assert_int_equal(once.v, twice.v);
        }
        assert_true(floor(decimal_to_double(two) * 10) == floor(x * 10));
        assert_true(ceil(decimal_to_double(two)) == ceil(x));
        assert_true(fabs(decimal_to_double(two) - x) <= 0.01);
    }
    assert_int_equal(agg_round(61.4999, 2).v, 6149);
    assert_int_equal(agg_round(61.5, 2).v, 6150);
    assert_int_equal(agg_round(61.5 + 1e-13, 2).v, 6150);
    assert_int_equal(agg_round(-61.4999, 2).v, -6149);
}

/* ---- levels ---- */

static void the_tenth_of_a_hundred_levels_is_l10(void **state)
{
    static struct levels_histogram h;
    double x[100];

    (void)state;
    for (int i = 0; i < 100; i++) {
        x[i] = 40.1 + i / 10.0;
        levels_put(&h, x[99 - i] = 40.1 + (99 - i) / 10.0);
    }
    assert_near(levels_exceeded(&h, 10), 49.1); /* 50.0 is the first, 49.1 the tenth */
    assert_near(levels_exceeded(&h, 50), 45.1);
    assert_near(levels_exceeded(&h, 90), 41.1);
    for (int p = 0; p <= 100; p++)
        assert_near(levels_exceeded(&h, p), levels_exceeded_of(x, 100, p));
}

static void an_empty_histogram_has_no_percentile(void **state)
{
    static struct levels_histogram h;

    (void)state;
    assert_true(isnan(levels_exceeded(&h, 50)));
    levels_put(&h, NAN);
    assert_true(isnan(levels_exceeded(&h, 50)));
    levels_put(&h, -5);
    levels_put(&h, 500);
    assert_near(levels_exceeded(&h, 100), 10);
    assert_near(levels_exceeded(&h, 1), 150);
}

static void an_hour_of_levels_has_all_its_figures(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "laeq", "1h", AGG_KIND_LEVELS, SECOND);
    for (int i = 0; i < 3600; i++)
        put(&r, i * SECOND, i % 6 == 0 ? 70 : 60);
    put(&r, HOUR, 30); /* closes it; not in it */
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR + SECOND, &r.f));
    assert_near(decimal_to_double(r.f.main.value),
                63.979); /* 10 lg((50e6 + 10e7) / 60): 63.9794 */
    assert_near(figure(&r, AGG_FIGURE_MAX), 70);
    assert_near(figure(&r, AGG_FIGURE_MIN), 60);
    assert_near(figure(&r, AGG_FIGURE_L10), 70);
    assert_near(figure(&r, AGG_FIGURE_L50), 60);
    assert_near(figure(&r, AGG_FIGURE_N), 3600);
    for (int i = 1; i < 3600; i++)
        put(&r, HOUR + i * SECOND, 30);
    assert_true(agg_statistic_close(&r.s, T0 + HOUR, T0 + 2 * HOUR, &r.f));
    assert_near(figure(&r, AGG_FIGURE_L5), 30);
}

static void day_and_night_make_ldn(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "laeq", "day.ld", AGG_KIND_DAYNIGHT, SECOND);
    for (int h = 0; h < 24; h++)
        put_period(&r, h * HOUR, h < 6 || h >= 22 ? 50 : 55, good, 3600, 3600);
    assert_true(agg_statistic_close(&r.s, T0, T0 + DAY, &r.f));
    assert_near(figure(&r, AGG_FIGURE_LD), 55);
    assert_near(figure(&r, AGG_FIGURE_LN), 50);
    assert_near(figure(&r, AGG_FIGURE_LDN), 57.357201); /* 10 lg((16e5.5 + 8e6) / 24) */
    assert_int_equal(r.f.main.expected, 16 * 3600);
    assert_int_equal(r.f.night.expected, 8 * 3600);
}

static void a_night_without_enough_hours_makes_ldn_invalid(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "laeq", "day.ld", AGG_KIND_DAYNIGHT, SECOND);
    for (int h = 3; h < 22; h++)
        put_period(&r, h * HOUR, 55, good, 3600, 3600);
    assert_true(agg_statistic_close(&r.s, T0, T0 + DAY, &r.f));
    assert_int_equal(agg_figure_of(&r.f, AGG_FIGURE_LD, 3).verdict.grade, GRADE_GOOD);
    assert_int_equal(agg_figure_of(&r.f, AGG_FIGURE_LN, 3).verdict.grade, GRADE_BAD);
    assert_int_equal(agg_figure_of(&r.f, AGG_FIGURE_LDN, 3).verdict.grade, GRADE_BAD);
}

static void levels_of_hours_weigh_their_valid_seconds(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "laeq", "day", AGG_KIND_PLAIN, SECOND);
    put_period(&r, 0, 60, good, 3000, 3600);
    put_period(&r, HOUR, 70, zero_check, 600, 3600); /* too few for the hour, not for the day */
    for (int h = 2; h < 24; h++)
        put_period(&r, h * HOUR, 50, good, 3600, 3600);
    assert_true(agg_statistic_close(&r.s, T0, T0 + DAY, &r.f));
    assert_near(decimal_to_double(r.f.main.value),
                round(10 * log10((3000e6 + 600e7 + 22 * 3600e5) / (3600 + 22 * 3600)) * 1000) /
                    1000);
    assert_int_equal(r.f.main.used, 3600 + 22 * 3600);
    assert_int_equal(r.f.main.verdict.grade, GRADE_GOOD);
}

/* ---- wind ---- */

static void put_wind(struct rig *r, int64_t after_ms, double direction, double speed)
{
    put(r, after_ms, direction);
    agg_statistic_put_speed(&r->s, T0 + after_ms, speed);
}

static void wind_is_weighed_by_its_speed_for_transport_only(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "wind_dir", "1h", AGG_KIND_WIND, 900 * SECOND);
    put_wind(&r, 0, 0, 3);
    put_wind(&r, 900 * SECOND, 90, 4);
    put_wind(&r, 1800 * SECOND, 0, 3);
    put_wind(&r, 2700 * SECOND, 90, 4);
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 45);
    assert_near(figure(&r, AGG_FIGURE_VECTOR_SPEED), 3.5355339 * sqrt(2) * 0.5 * 2 / 2);
    assert_near(figure(&r, AGG_FIGURE_VECTOR), atan2(4, 3) * 180 / 3.14159265358979);
    assert_near(figure(&r, AGG_FIGURE_SIGMA), asin(sqrt(0.5)) *
                                                  (1 + (2 / sqrt(3) - 1) * pow(0.5, 1.5)) *
                                                  180 / 3.14159265358979);
}

static void calm_has_no_direction_and_counts(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "wind_dir", "1h", AGG_KIND_WIND, 900 * SECOND);
    put_wind(&r, 0, 200, 2);
    agg_statistic_put_speed(&r.s, T0 + 900 * SECOND, 0); /* the speed may be first */
    put(&r, 900 * SECOND, 20);
    put_wind(&r, 1800 * SECOND, 20, 0);
    put_wind(&r, 2700 * SECOND, 20, 0);
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 200);
    assert_int_equal(r.f.main.used, 4);
    assert_near(figure(&r, AGG_FIGURE_VECTOR_SPEED), 0.5);
}

static void a_calm_hour_has_no_direction(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "wind_dir", "1h", AGG_KIND_WIND, 900 * SECOND);
    for (int i = 0; i < 4; i++)
        put_wind(&r, i * 900 * SECOND, 20, 0);
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR, &r.f));
    assert_false(decimal_has_value(r.f.main.value));
    assert_near(figure(&r, AGG_FIGURE_VECTOR_SPEED), 0);
}

static void a_direction_whose_speed_never_comes_counts_as_it_is(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "wind_dir", "1h", AGG_KIND_WIND, 900 * SECOND);
    for (int i = 0; i < 4; i++)
        put(&r, i * 900 * SECOND, 20);
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 20);
    assert_int_equal(r.f.main.used, 4);
    assert_true(isnan(figure(&r, AGG_FIGURE_VECTOR_SPEED)));
}

/* ---- counts ---- */

static void dead_time_is_corrected_and_refused_beyond_three_tenths(void **state)
{
    struct counts_rate r;

    (void)state;
    assert_int_equal(counts_correct(60000, 90e-6, 1, &r), 0); /* m tau = 0.09 */
    assert_near(r.rate, 60000 / 0.91);
    assert_near(sqrt(r.variance), sqrt(60000) / (0.91 * 0.91));
    assert_int_equal(counts_correct(60000, 310e-6, 1, &r), -34 /* ERANGE */);
    assert_int_equal(counts_correct(-1, 0, 1, &r), -34);
    assert_near(counts_net_of(30, 10, 20, 5).uncertainty, sqrt(3 + 4));
    assert_near(counts_decision_limit(100), 23.3);
    assert_near(counts_detection_limit(100), 49.21);
}

static void an_hour_of_counts_knows_its_uncertainty(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "count_rate", "1h", AGG_KIND_PLAIN, 60 * SECOND);
    for (int i = 0; i < 60; i++)
        put(&r, i * 60 * SECOND, 20);
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 20);
    assert_near(figure(&r, AGG_FIGURE_U), round(sqrt(1200) / 60 * 1e6) / 1e6); /* 2.9 % */
}

static void a_dead_tube_is_over_its_range(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "count_rate", "1h", AGG_KIND_PLAIN, 60 * SECOND);
    r.config.dead_s = 100e-6;
    for (int i = 0; i < 60; i++)
        put(&r, i * 60 * SECOND, 1e6);
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR, &r.f));
    assert_int_equal(r.f.main.verdict.status, STATUS_OVER_RANGE);
}

/* ---- 8 h and days ---- */

static void eight_hours_need_six(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "ozone", "8h", AGG_KIND_RUNNING, 60 * SECOND);
    for (int h = 0; h < 10; h++)
        put_period(&r, h * HOUR, 100 + h, h == 3 || h == 8 ? zero_check : good, 60, 60);
    assert_true(agg_statistic_close(&r.s, T0 + 2 * HOUR, T0 + 10 * HOUR, &r.f));
    assert_near(decimal_to_double(r.f.main.value), (102 + 104 + 105 + 106 + 107 + 109) / 6.0);
    assert_int_equal(r.f.main.verdict.grade, GRADE_GOOD);
    assert_int_equal(r.f.main.used, 6);
    assert_true(agg_statistic_close(&r.s, T0 + 6 * HOUR, T0 + 14 * HOUR, &r.f));
    assert_int_equal(r.f.main.used, 3); /* 6, 7, 9 */
    assert_int_equal(r.f.main.verdict.grade, GRADE_BAD);
    assert_false(agg_statistic_close(&r.s, T0 + 20 * HOUR, T0 + 28 * HOUR, &r.f));
}

/* A course of levels, one a minute; none in the third hour. */
static double level_at(int minute)
{
    return 40 + minute * 7919 % 317 / 10.0;
}

static double by_energy(int from, int to)
{
    double sum = 0;
    int n = 0;

    for (int m = from; m < to; m++)
        if (m / 60 != 2) {
            sum += pow(10, level_at(m) / 10);
            n++;
        }
    return 10 * log10(sum / n);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double by_sorting(int from, int to, double percent)
{
    double rising[16 * 60];
    size_t n = 0;

    for (int m = from; m < to; m++)
        if (m / 60 != 2)
            rising[n++] = level_at(m);
    qsort(rising, n, sizeof *rising, compare);
    return levels_exceeded_of(rising, n, percent);
}

/* The first sample of the next hour is there before this one is closed. */
static void percentiles_slide_by_the_hour(void **state)
{
    static struct rig r;

    (void)state;
    begin(&r, "laeq", "8h.l90", AGG_KIND_RUNNING_LEVELS, 60 * SECOND);
    for (int m = 0; m < 16 * 60; m++) {
        if (m / 60 != 2)
            put(&r, m * 60 * SECOND, level_at(m));
        const int hour = m / 60;
        if (m % 60 || hour < 8)
            continue;
        assert_true(
            agg_statistic_close(&r.s, T0 + (hour - 8) * HOUR, T0 + m * 60 * SECOND, &r.f));
        assert_near(r.f.percent[1], by_sorting(m - 480, m, 10));
        assert_near(r.f.percent[3], by_sorting(m - 480, m, 90));
        assert_true(fabs(decimal_to_double(r.f.main.value) - by_energy(m - 480, m)) < 0.002);
        assert_int_equal(r.f.main.expected, 480);
        assert_int_equal(r.f.main.used, hour - 8 <= 2 ? 420 : 480);
    }
    assert_false(agg_statistic_close(&r.s, T0 + 30 * HOUR, T0 + 40 * HOUR, &r.f));
}

/* Half of the time from the north at 1 m/s, half from the east at 3. */
static void directions_of_eight_hours_are_of_their_samples(void **state)
{
    static struct rig r;

    (void)state;
    begin(&r, "wind_dir", "8h.vector", AGG_KIND_RUNNING_WIND, 60 * SECOND);
    for (int m = 0; m < 480; m++) {
        put(&r, m * 60 * SECOND, m < 240 ? 0 : 90);
        agg_statistic_put_speed(&r.s, T0 + m * 60 * SECOND, m < 240 ? 1 : 3);
    }
    put(&r, 480 * 60 * SECOND, 200); /* of the next hour */
    assert_true(agg_statistic_close(&r.s, T0, T0 + 8 * HOUR + SECOND, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 45);
    assert_near(r.f.vector_direction, atan2(3, 1) * 180 / acos(-1));
    assert_near(r.f.vector_speed, sqrt(10) / 2);
    assert_int_equal(r.f.main.used, 480);
    assert_true(r.f.main.verdict.grade == GRADE_GOOD);
}

static void a_period_before_the_one_under_way_is_empty(void **state)
{
    static struct rig r;

    (void)state;
    begin(&r, "laeq", "1h", AGG_KIND_PLAIN, 60 * SECOND);
    put(&r, 5 * HOUR, 50);
    assert_false(agg_statistic_close(&r.s, T0 + 2 * HOUR, T0 + 7 * HOUR, &r.f));
    assert_true(agg_statistic_close(&r.s, T0 + 5 * HOUR, T0 + 7 * HOUR, &r.f));
    assert_int_equal(r.f.main.used, 1);
}

static void the_days_largest_eight_hours_lie_in_the_day(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "ozone", "day.max8h", AGG_KIND_MAX8H, 60 * SECOND);
    for (int h = 0; h < 24; h++)
        put_period(&r, h * HOUR, h <= 16 ? 100 + h : 300, good, 1, 1);
    assert_true(agg_statistic_close(&r.s, T0, T0 + DAY, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 116);
    assert_int_equal(r.f.main.used, 17);
    assert_int_equal(r.f.main.verdict.grade, GRADE_GOOD);
}

static void few_eight_hours_count_when_they_exceed_the_limit(void **state)
{
    struct rig r;

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(&r, "ozone", "day.max8h", AGG_KIND_MAX8H, 60 * SECOND);
        for (int h = 0; h < 13; h++)
            put_period(&r, h * HOUR, h == 5 ? 160 + i : 90, good, 1, 1);
        assert_true(agg_statistic_close(&r.s, T0, T0 + DAY, &r.f));
        assert_int_equal(r.f.main.verdict.grade, i ? GRADE_GOOD : GRADE_BAD);
    }
}

static void a_day_needs_twenty_hours_and_is_local(void **state)
{
    struct rig r;

    (void)state;
    for (int hours = 19; hours <= 20; hours++) {
        begin(&r, "pm2_5", "day", AGG_KIND_PLAIN, 60 * SECOND);
        for (int h = 0; h < 24; h++)
            put_period(&r, h * HOUR, 30, h < hours ? good : zero_check, 60, 60);
        put_period(&r, DAY, 99, good, 60, 60); /* the next local day */
        assert_true(agg_statistic_close(&r.s, T0, T0 + DAY + HOUR, &r.f));
        assert_near(decimal_to_double(r.f.main.value), 30);
        assert_int_equal(r.f.main.verdict.grade, hours == 20 ? GRADE_GOOD : GRADE_BAD);
        assert_int_equal(r.f.main.verdict.status,
                         hours == 20 ? STATUS_VALID : STATUS_CALIBRATION);
    }
}

static void rain_of_a_day_is_the_sum_of_its_hours(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "precip", "day", AGG_KIND_PLAIN, 60 * SECOND);
    for (int h = 0; h < 24; h++)
        put_period(&r, h * HOUR, 0.2, good, 60, 60);
    assert_true(agg_statistic_close(&r.s, T0, T0 + DAY, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 4.8);
}

static void a_counter_may_wrap(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "precip", "1h", AGG_KIND_PLAIN, 900 * SECOND);
    r.config.wrap = 1000;
    put(&r, 0, 999);
    put(&r, 900 * SECOND, 1);
    put(&r, 1800 * SECOND, 500);
    put(&r, 2700 * SECOND, 3); /* far from the end: a reset */
    assert_true(agg_statistic_close(&r.s, T0, T0 + HOUR, &r.f));
    assert_near(decimal_to_double(r.f.main.value), 2 + 499 + 3);
}

/* ---- names and defaults ---- */

static void statistics_are_named_by_period_and_figure(void **state)
{
    struct agg_want w;
    char why[128], name[AGG_NAME_MAX];

    (void)state;
    assert_int_equal(agg_want_parse("1h.l90", &w, why, sizeof why), 0);
    assert_string_equal(agg_want_name(w, name), "1h.l90");
    assert_int_equal(agg_want_parse("day", &w, why, sizeof why), 0);
    assert_string_equal(agg_want_name(w, name), "day");
    assert_true(agg_want_parse("2h", &w, why, sizeof why) < 0);
    assert_non_null(strstr(why, "expected a period"));
    assert_true(agg_want_parse("1h.p90", &w, why, sizeof why) < 0);
    assert_true(agg_want_parse("1h.vector_speed", &w, why, sizeof why) < 0);
    assert_true(agg_want_parse("1h.", &w, why, sizeof why) < 0);
    assert_true(agg_want_parse("", &w, why, sizeof why) < 0);
}

static void a_figure_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        const char *quantity, *statistic;
        bool fits;
    } cases[] = {
        { "laeq", "1h.l90", true },          { "ozone", "1h.l90", false },
        { "laeq", "day.l90", true },         { "laeq", "1h.ld", false },
        { "wind_dir", "8h.vector", true },   { "wind_dir", "day.sigma", true },
        { "count_rate", "day.u", false },    { "ozone", "8h.l10", false },
        { "wind_dir", "1h.sigma", true },    { "wind_speed", "1h.sigma", false },
        { "wind_speed", "1h.vector", true }, { "ozone", "day.max8h", true },
        { "count_rate", "10min.u", true },   { "dose_rate_air", "1h.u", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct agg_want w;
        char why[128];
        assert_int_equal(agg_want_parse(cases[i].statistic, &w, why, sizeof why), 0);
        assert_int_equal(agg_want_fits(quantity_find(cases[i].quantity), w, why, sizeof why),
                         cases[i].fits);
    }
}

static bool has(const struct agg_want *w, size_t n, const char *name)
{
    char text[AGG_NAME_MAX];

    for (size_t i = 0; i < n; i++)
        if (strcmp(agg_want_name(w[i], text), name) == 0)
            return true;
    return false;
}

static void what_a_standard_judges_by_is_formed_unasked(void **state)
{
    struct agg_want w[AGG_WANTS_MAX];
    size_t n = agg_default_wants(quantity_find("ozone"), 60 * SECOND, w);

    (void)state;
    assert_int_equal(n, 4);
    assert_true(has(w, n, "1min") && has(w, n, "1h") && has(w, n, "8h") &&
                has(w, n, "day.max8h"));
    n = agg_default_wants(quantity_find("pm2_5"), 60 * SECOND, w);
    assert_true(n == 3 && has(w, n, "day"));
    n = agg_default_wants(quantity_find("air_temp"), 60 * SECOND, w);
    assert_int_equal(n, 2);
    n = agg_default_wants(quantity_find("laeq"), SECOND, w);
    assert_true(has(w, n, "1h.l90") && has(w, n, "day.ldn") && has(w, n, "1h.n"));
    n = agg_default_wants(quantity_find("laeq"), 60 * SECOND, w);
    assert_false(has(w, n, "1h.l90")); /* of sixty values */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mean_rounded_twice_is_what_it_would_be_rounded_once),
        cmocka_unit_test(the_tenth_of_a_hundred_levels_is_l10),
        cmocka_unit_test(an_empty_histogram_has_no_percentile),
        cmocka_unit_test(an_hour_of_levels_has_all_its_figures),
        cmocka_unit_test(day_and_night_make_ldn),
        cmocka_unit_test(a_night_without_enough_hours_makes_ldn_invalid),
        cmocka_unit_test(levels_of_hours_weigh_their_valid_seconds),
        cmocka_unit_test(wind_is_weighed_by_its_speed_for_transport_only),
        cmocka_unit_test(calm_has_no_direction_and_counts),
        cmocka_unit_test(a_calm_hour_has_no_direction),
        cmocka_unit_test(a_direction_whose_speed_never_comes_counts_as_it_is),
        cmocka_unit_test(dead_time_is_corrected_and_refused_beyond_three_tenths),
        cmocka_unit_test(an_hour_of_counts_knows_its_uncertainty),
        cmocka_unit_test(a_dead_tube_is_over_its_range),
        cmocka_unit_test(eight_hours_need_six),
        cmocka_unit_test(percentiles_slide_by_the_hour),
        cmocka_unit_test(directions_of_eight_hours_are_of_their_samples),
        cmocka_unit_test(a_period_before_the_one_under_way_is_empty),
        cmocka_unit_test(the_days_largest_eight_hours_lie_in_the_day),
        cmocka_unit_test(few_eight_hours_count_when_they_exceed_the_limit),
        cmocka_unit_test(a_day_needs_twenty_hours_and_is_local),
        cmocka_unit_test(rain_of_a_day_is_the_sum_of_its_hours),
        cmocka_unit_test(a_counter_may_wrap),
        cmocka_unit_test(statistics_are_named_by_period_and_figure),
        cmocka_unit_test(a_figure_that_makes_no_sense_is_refused),
        cmocka_unit_test(what_a_standard_judges_by_is_formed_unasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
