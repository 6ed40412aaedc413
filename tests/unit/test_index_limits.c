/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and classes: GB 3095-2026, GB 3838, GB 3096, dose rate against the background. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "rules/index/dose.h"
#include "rules/index/gb3095.h"
#include "rules/index/gb3096.h"
#include "rules/index/gb3838.h"

#include "tests/unit/unit.h"

static const struct exact_ratio one = { 0 };

static struct decimal of(const char *text)
{
    struct decimal d;

    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

/* ---- GB 3095 ---- */

static bool exceeds(const char *item, enum gb3095_mean mean, int grade, int year,
                    const char *value)
{
    const struct gb3095_date d = { year, 12, 31 };
    struct gb3095_verdict v;

    assert_int_equal(gb3095_judge(gb3095_find(item, mean), grade, d, of(value), one, &v), 0);
    return v.is_exceeded;
}

static void limits_change_with_the_year_2031(void **state)
{
    (void)state;
    assert_false(exceeds("pm2_5", GB3095_DAY, 2, 2030, "60"));
    assert_true(exceeds("pm2_5", GB3095_DAY, 2, 2031, "60"));
    assert_false(exceeds("pm2_5", GB3095_YEAR, 2, 2030, "30"));
    assert_true(exceeds("pm2_5", GB3095_YEAR, 2, 2031, "26"));
    assert_false(exceeds("sulfur_dioxide", GB3095_1H, 2, 2030, "500"));
    assert_true(exceeds("so2", GB3095_1H, 2, 2031, "151"));
    assert_true(exceeds("o3", GB3095_8H, 1, 2026, "101"));
    assert_false(exceeds("o3", GB3095_8H, 2, 2026, "160"));
    assert_null(gb3095_find("pm2_5", GB3095_1H));
}

static void compares_after_rounding_to_the_limits_decimals(void **state)
{
    (void)state;
    assert_false(exceeds("pm2_5", GB3095_DAY, 2, 2026, "60.5"));
    assert_true(exceeds("pm2_5", GB3095_DAY, 2, 2026, "60.51"));
    assert_false(exceeds("co", GB3095_DAY, 2, 2026, "4.05"));
    assert_true(exceeds("co", GB3095_DAY, 2, 2026, "4.06"));
}

static void tells_how_many_times_over(void **state)
{
    const struct gb3095_date d = { 2026, 7, 1 };
    struct gb3095_verdict v;

    (void)state;
    assert_int_equal(gb3095_judge(gb3095_find("pm2_5", GB3095_DAY), 2, d, of("75"), one, &v),
                     0);
    assert_int_equal(v.times_over.v, 25);
    assert_int_equal(v.times_over.e, 2);
    assert_int_equal(gb3095_judge(gb3095_find("pm2_5", GB3095_DAY), 3, d, of("75"), one, &v),
                     -EINVAL);
    assert_int_equal(
        gb3095_judge(gb3095_find("pm2_5", GB3095_DAY), 2, d, DECIMAL_MISSING, one, &v),
        -ENODATA);
}

static void is_in_force_from_march_2026(void **state)
{
    (void)state;
    assert_false(gb3095_is_in_force((struct gb3095_date){ 2026, 2, 28 }));
    assert_true(gb3095_is_in_force((struct gb3095_date){ 2026, 3, 1 }));
}

static void knows_how_many_values_a_mean_needs(void **state)
{
    (void)state;
    assert_int_equal(gb3095_least("o3", GB3095_1H), 45);
    assert_int_equal(gb3095_least("o3", GB3095_8H), 6);
    assert_int_equal(gb3095_least("pm10", GB3095_DAY), 20);
    assert_int_equal(gb3095_least("pm10", GB3095_1H), 0);
    assert_int_equal(gb3095_least("pm2_5", GB3095_YEAR), 324);
    assert_int_equal(gb3095_least("pb", GB3095_QUARTER), 15);
    assert_int_equal(gb3095_least_of_month(2), 25);
    assert_int_equal(gb3095_least_of_month(3), 27);
}

/* 28 days a month, 336 a year: 1, 2, ... in an order that is not theirs. */
static size_t fill(struct gb3095_day *days)
{
    size_t n = 0;

    for (int month = 12; month >= 1; month--)
        for (int day = 0; day < 28; day++, n++)
            days[n] =
                (struct gb3095_day){ month, { (int64_t)((month - 1) * 28 + day + 1), 0 } };
    return n;
}

static void a_year_has_its_mean_and_percentile(void **state)
{
    struct gb3095_day days[GB3095_DAYS_MAX];
    const size_t n = fill(days);
    struct gb3095_year y;

    (void)state;
    assert_int_equal(gb3095_year(gb3095_find("pm2_5", GB3095_DAY), 2, 2026, days, n, &y), 0);
    assert_int_equal(y.days, 336);
    assert_true(y.is_complete);
    assert_int_equal(y.days_kept, 60);
    assert_int_equal(y.kept_pct.v, 179); /* 17.857 % */
    assert_int_equal(y.mean.v, 168);     /* 168.5, half to even */
    assert_int_equal(y.of_mean.limit.v, 30);
    assert_true(y.of_mean.is_exceeded);
    assert_int_equal(y.percentile.v, 319); /* rank 1 + 335 x 0.95 = 319.25 */
}

static void a_short_month_makes_a_year_incomplete(void **state)
{
    struct gb3095_day days[GB3095_DAYS_MAX];
    const size_t n = fill(days);
    struct gb3095_year y;

    (void)state;
    days[0].value = days[1].value = DECIMAL_MISSING; /* December has 26 */
    assert_int_equal(gb3095_year(gb3095_find("o3", GB3095_8H), 2, 2026, days, n, &y), 0);
    assert_int_equal(y.days, 334);
    assert_false(y.is_complete);
    assert_false(decimal_has_value(y.of_mean.limit));
    days[5].month = 13;
    assert_int_equal(gb3095_year(gb3095_find("o3", GB3095_8H), 2, 2026, days, n, &y), -EINVAL);
    assert_int_equal(
        gb3095_year(gb3095_find("o3", GB3095_8H), 2, 2026, days, GB3095_DAYS_MAX + 1, &y),
        -EINVAL);
}

static void a_year_without_a_day_is_empty(void **state)
{
    struct gb3095_year y;

    (void)state;
    assert_int_equal(gb3095_year(gb3095_find("co", GB3095_DAY), 2, 2026, NULL, 0, &y), 0);
    assert_int_equal(y.days, 0);
    assert_false(decimal_has_value(y.percentile));
}

/* ---- GB 3838 ---- */

static int class_of(const char *item, enum gb3838_body body, const char *value)
{
    return gb3838_class(gb3838_find(item), body, of(value), one);
}

static void an_item_has_the_best_class_it_keeps(void **state)
{
    (void)state;
    assert_int_equal(class_of("ammonia_nitrogen", GB3838_RIVER, "0.15"), 1);
    assert_int_equal(class_of("ammonia_nitrogen", GB3838_RIVER, "0.151"), 2);
    assert_int_equal(class_of("ammonia_nitrogen", GB3838_RIVER, "2.0"), 5);
    assert_int_equal(class_of("ammonia_nitrogen", GB3838_RIVER, "2.01"), GB3838_WORSE);
    assert_int_equal(class_of("cod", GB3838_RIVER, "15"), 1);
    assert_int_equal(class_of("copper", GB3838_RIVER, "0.5"), 2);
    assert_int_equal(class_of("mercury", GB3838_RIVER, "0.00005"), 1);
    assert_int_equal(class_of("mercury", GB3838_RIVER, "0.00006"), 3);
    assert_int_equal(class_of("total_phosphorus", GB3838_RIVER, "0.05"), 2);
    assert_int_equal(class_of("total_phosphorus", GB3838_LAKE, "0.05"), 3);
    assert_int_equal(class_of("total_nitrogen", GB3838_RIVER, "0.1"), GB3838_NONE);
    assert_int_equal(class_of("total_nitrogen", GB3838_LAKE, "0.9"), 3);
    assert_null(gb3838_find("conductivity"));
}

static void oxygen_counts_upside_down(void **state)
{
    (void)state;
    assert_int_equal(class_of("dissolved_oxygen", GB3838_RIVER, "7.5"), 1);
    assert_int_equal(class_of("dissolved_oxygen", GB3838_RIVER, "7.49"), 2);
    assert_int_equal(class_of("dissolved_oxygen", GB3838_RIVER, "1.99"), GB3838_WORSE);
    assert_int_equal(gb3838_class_of_oxygen(of("7.0"), of("90")), 1);
    assert_int_equal(gb3838_class_of_oxygen(of("7.0"), of("89.9")), 2);
    assert_int_equal(gb3838_class_of_oxygen(of("7.0"), DECIMAL_MISSING), 2);
}

static void ph_is_first_class_or_worse_than_fifth(void **state)
{
    (void)state;
    assert_int_equal(class_of("ph", GB3838_RIVER, "6"), 1);
    assert_int_equal(class_of("ph", GB3838_RIVER, "9.00"), 1);
    assert_int_equal(class_of("ph", GB3838_RIVER, "5.99"), GB3838_WORSE);
    assert_int_equal(class_of("ph", GB3838_RIVER, "9.01"), GB3838_WORSE);
}

static void limits_never_get_stricter_from_class_to_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < gb3838_items_n; i++) {
        const struct gb3838_item *item = &gb3838_items[i];
        assert_non_null(unit_find_ucum(item->unit));
        for (int b = 0; b < GB3838_BODIES; b++)
            for (int c = 1; c < GB3838_CLASSES; c++)
                assert_true(item->is_least ? item->limit[b][c] <= item->limit[b][c - 1]
                                           : item->limit[b][c] >= item->limit[b][c - 1]);
    }
}

/* ---- GB 3096 ---- */

static void noise_is_judged_by_zone_and_hour(void **state)
{
    struct gb3096_verdict v;

    (void)state;
    assert_int_equal(gb3096_judge(gb3096_find("4a"), GB3096_DAY, of("70.0"), &v), 0);
    assert_false(v.is_exceeded);
    assert_int_equal(gb3096_judge(gb3096_find("4a"), GB3096_NIGHT, of("55.1"), &v), 0);
    assert_true(v.is_exceeded);
    assert_int_equal(v.over.v, 1);
    assert_int_equal(gb3096_judge(gb3096_find("0"), GB3096_NIGHT_MAX, of("55"), &v), 0);
    assert_int_equal(v.limit, 55);
    assert_false(v.is_exceeded);
    assert_int_equal(gb3096_judge(gb3096_find("0"), GB3096_DAY, DECIMAL_MISSING, &v), -ENODATA);
    assert_null(gb3096_find("5"));
}

static void the_night_goes_over_midnight(void **state)
{
    (void)state;
    assert_true(gb3096_is_night(22 * 60, GB3096_NIGHT_BEGIN, GB3096_NIGHT_END));
    assert_true(gb3096_is_night(5 * 60 + 59, GB3096_NIGHT_BEGIN, GB3096_NIGHT_END));
    assert_false(gb3096_is_night(6 * 60, GB3096_NIGHT_BEGIN, GB3096_NIGHT_END));
    assert_true(gb3096_is_night(60, 0, 300));
    assert_false(gb3096_is_night(300, 0, 300));
}

/* ---- dose rate ---- */

static void a_rise_is_judged_against_the_background(void **state)
{
    const struct dose_config *c = &dose_default;
    const struct dose_background b = dose_background_of(c, 80, 5);

    (void)state;
    assert_int_equal(dose_judge(c, &b, 95, false).level, DOSE_NORMAL);
    assert_int_equal(dose_judge(c, &b, 95.1, false).level, DOSE_NOTICE);
    assert_int_equal(dose_judge(c, &b, 120, true).level, DOSE_RAIN);
    assert_int_equal(dose_judge(c, &b, 160, true).level, DOSE_ALARM);
    assert_int_equal(dose_judge(c, &b, 1000, false).level, DOSE_HIGH);
    assert_int_equal(dose_judge(c, &b, (double)NAN, false).level, DOSE_UNKNOWN);
}

static void learns_the_background_from_quiet_hours_alone(void **state)
{
    const struct dose_config *c = &dose_default;
    struct dose_background b = { 0 };

    (void)state;
    for (uint32_t i = 0; i < c->hours_least; i++) {
        assert_int_equal(dose_judge(c, &b, 80, false).level, DOSE_UNKNOWN);
        assert_true(dose_background_add(c, &b, i % 2 ? 78 : 82, false));
    }
    assert_false(dose_background_add(c, &b, 81, true));
    assert_false(dose_background_add(c, &b, 200, false));
    assert_false(dose_background_add(c, &b, (double)NAN, false));
    assert_true(fabs(b.mean - 80) < 1e-9);
    assert_true(fabs(dose_background_deviation(&b) - 2.0140) < 1e-3);
    assert_int_equal(dose_judge(c, &b, 2000, false).level, DOSE_HIGH);
}

static void refuses_settings_that_cannot_be(void **state)
{
    struct dose_config c = dose_default;

    (void)state;
    assert_null(dose_config_error(&c));
    c.factor_alarm = 1;
    assert_non_null(dose_config_error(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_change_with_the_year_2031),
        cmocka_unit_test(compares_after_rounding_to_the_limits_decimals),
        cmocka_unit_test(tells_how_many_times_over),
        cmocka_unit_test(is_in_force_from_march_2026),
        cmocka_unit_test(knows_how_many_values_a_mean_needs),
        cmocka_unit_test(a_year_has_its_mean_and_percentile),
        cmocka_unit_test(a_short_month_makes_a_year_incomplete),
        cmocka_unit_test(a_year_without_a_day_is_empty),
        cmocka_unit_test(an_item_has_the_best_class_it_keeps),
        cmocka_unit_test(oxygen_counts_upside_down),
        cmocka_unit_test(ph_is_first_class_or_worse_than_fifth),
        cmocka_unit_test(limits_never_get_stricter_from_class_to_class),
        cmocka_unit_test(noise_is_judged_by_zone_and_hour),
        cmocka_unit_test(the_night_goes_over_midnight),
        cmocka_unit_test(a_rise_is_judged_against_the_background),
        cmocka_unit_test(learns_the_background_from_quiet_hours_alone),
        cmocka_unit_test(refuses_settings_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
