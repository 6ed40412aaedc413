/* SPDX-License-Identifier: Apache-2.0 */
/* Indices of air: edges that the shared vectors do not reach. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "rules/index/index.h"

#include "tests/unit/unit.h"

static struct decimal of(const char *text)
{
    struct decimal d;

    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

static struct index_sub sub_by(const char *scheme, enum index_pollutant p, enum index_mean m,
                               const char *value, struct exact_ratio by)
{
    const struct index_scheme *s = index_find(scheme);

    return index_sub(s, index_column_find(s, p, m), of(value), by);
}

static struct index_sub sub(const char *scheme, enum index_pollutant p, enum index_mean m,
                            const char *value)
{
    return sub_by(scheme, p, m, value, (struct exact_ratio){ 0 });
}

static const char *rounded(const char *value, int digits, enum exact_mode mode)
{
    static char text[DECIMAL_TEXT_MAX];
    struct decimal d;

    if (exact_round(of(value), (struct exact_ratio){ 0 }, digits, mode, &d) < 0)
        return "out of range";
    decimal_print(d, text);
    return text;
}

/* ---- rounding ---- */

static void rounds_half_to_even_on_the_decimal(void **state)
{
    (void)state;
    assert_string_equal(rounded("12.1498", 1, EXACT_HALF_EVEN), "12.1");
    assert_string_equal(rounded("12.1498", 0, EXACT_HALF_EVEN), "12");
    assert_string_equal(rounded("10.5002", 0, EXACT_HALF_EVEN), "11");
    assert_string_equal(rounded("1.050", 1, EXACT_HALF_EVEN), "1.0");
    assert_string_equal(rounded("0.35", 1, EXACT_HALF_EVEN), "0.4");
    assert_string_equal(rounded("2.675", 2, EXACT_HALF_EVEN), "2.68");
    assert_string_equal(rounded("8.53459", 2, EXACT_HALF_EVEN), "8.53");
    assert_string_equal(rounded("2500", -3, EXACT_HALF_EVEN), "2000");
    assert_string_equal(rounded("3500", -3, EXACT_HALF_EVEN), "4000");
    assert_string_equal(rounded("-3.5", 0, EXACT_HALF_EVEN), "-4");
    assert_string_equal(rounded("-2.5", 0, EXACT_HALF_EVEN), "-2");
    assert_string_equal(rounded("2.500000000000000001", 0, EXACT_HALF_EVEN), "3");
    assert_string_equal(rounded("8.999999999999999999", 3, EXACT_HALF_EVEN), "9.000");
    assert_string_equal(rounded("5", 2, EXACT_HALF_EVEN), "5.00");
    assert_string_equal(rounded("0.5", -9, EXACT_HALF_EVEN), "0");
}

static void truncates_towards_zero(void **state)
{
    (void)state;
    assert_string_equal(rounded("0.0785333", 3, EXACT_TRUNCATE), "0.078");
    assert_string_equal(rounded("35.49", 1, EXACT_TRUNCATE), "35.4");
    assert_string_equal(rounded("-0.9", 0, EXACT_TRUNCATE), "0");
    assert_string_equal(rounded("9223372036854775807", 3, EXACT_TRUNCATE), "out of range");
}

static void converts_and_rounds_in_one_step(void **state)
{
    struct exact_ratio by;
    struct decimal d;

    (void)state;
    /* 12.25 ppb of ozone: 12.25 x 48.00 / 24.465 = 24.0343 ug/m3. */
    assert_int_equal(exact_ratio_between(unit_find("ppb"), unit_find("ug/m3"),
                                         quantity_find("ozone"), MOLAR_ML_298_K, &by),
                     0);
    assert_int_equal(exact_round(of("12.25"), by, 4, EXACT_HALF_EVEN, &d), 0);
    assert_int_equal(d.v, 240343);
    /* A quotient that never ends is no half: 1/2 + 1/24465 of the last place goes up. */
    assert_int_equal(exact_round(of("1"), (struct exact_ratio){ 1, 2 }, 0, EXACT_HALF_EVEN, &d),
                     0);
    assert_int_equal(d.v, 0);
    assert_int_equal(exact_round(of("3"), (struct exact_ratio){ 1, 2 }, 0, EXACT_HALF_EVEN, &d),
                     0);
    assert_int_equal(d.v, 2);
    assert_int_equal(
        exact_round(of("10"), (struct exact_ratio){ 5001, 10000 }, 0, EXACT_HALF_EVEN, &d), 0);
    assert_int_equal(d.v, 5);
    assert_int_equal(
        exact_round(of("2.5"), (struct exact_ratio){ 100001, 100000 }, 0, EXACT_HALF_EVEN, &d),
        0);
    assert_int_equal(d.v, 3);
    assert_int_equal(exact_round(of("35.123456789012345"), (struct exact_ratio){ 1000, 1 }, 0,
                                 EXACT_HALF_EVEN, &d),
                     0);
    assert_int_equal(d.v, 35123);
}

static void refuses_units_that_say_nothing_of_each_other(void **state)
{
    struct exact_ratio by = { 7, 7 };

    (void)state;
    assert_int_equal(exact_ratio_between(unit_find("ppb"), unit_find("ug/m3"),
                                         quantity_find("pm2_5"), MOLAR_ML_298_K, &by),
                     -EDOM);
    assert_int_equal(exact_ratio_between(unit_find("hPa"), unit_find("ug/m3"),
                                         quantity_find("ozone"), MOLAR_ML_298_K, &by),
                     -EDOM);
    assert_int_equal(by.num, 7);
}

static void compares_across_decimals(void **state)
{
    (void)state;
    assert_int_equal(exact_compare(of("60.01"), of("60")), 1);
    assert_int_equal(exact_compare(of("60.00"), of("60")), 0);
    assert_int_equal(exact_compare(of("-0.1"), of("0")), -1);
    assert_int_equal(exact_compare(of("0.999999999999999999"), of("1")), -1);
    assert_int_equal(exact_compare(of("9000000000000000000"), of("0.1")), 1);
}

/* ---- sub-indices ---- */

static void a_value_at_a_breakpoint_has_the_index_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < index_schemes_n; i++) {
        const struct index_scheme *s = index_schemes[i];
        for (unsigned k = 0; k < s->columns_n; k++) {
            const struct index_column *c = &s->columns[k];
            for (unsigned row = c->first; row < c->n; row++) {
                const struct decimal hi = { c->hi[row], c->scale };
                if (c->hi[row] != INDEX_MORE)
                    assert_int_equal(index_sub(s, c, hi, (struct exact_ratio){ 0 }).sub,
                                     s->hi[row]);
            }
        }
    }
}

static void tables_rise_without_gaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < index_schemes_n; i++) {
        const struct index_scheme *s = index_schemes[i];
        for (unsigned k = 0; k < s->columns_n; k++) {
            const struct index_column *c = &s->columns[k];
            for (unsigned row = c->first; row < c->n; row++)
                assert_true(c->lo[row] < c->hi[row]);
            for (unsigned row = c->first + 1u; row < c->n; row++)
                assert_in_range(c->lo[row] - c->hi[row - 1], 0, 1);
        }
    }
}

static void works_the_examples_of_the_facts(void **state)
{
    (void)state;
    assert_int_equal(sub("hj633-2026", INDEX_PM2_5, INDEX_1H, "115.4").sub, 150);
    assert_int_equal(sub("hj633-2026", INDEX_PM2_5, INDEX_1H, "60.5").sub, 100);
    assert_int_equal(sub("hj633-2026", INDEX_O3, INDEX_1H, "301").sub, 151);
    assert_int_equal(sub("hj633-2026", INDEX_PM10, INDEX_1H, "80").sub, 72);
    assert_int_equal(sub("hj633-2026", INDEX_SO2, INDEX_1H, "900").sub, 200);
    assert_int_equal(sub("us-epa-2024", INDEX_O3, INDEX_8H, "0.07853333").sub, 126);
    assert_int_equal(sub("us-epa-2024", INDEX_O3, INDEX_1H, "0.162").sub, 147);
    assert_int_equal(sub("us-epa-2024", INDEX_PM2_5, INDEX_24H, "400").sub, 649);
}

static void hj633_2012_does_not_round_the_concentration(void **state)
{
    (void)state;
    assert_int_equal(sub("hj633-2012", INDEX_PM2_5, INDEX_24H, "115").sub, 150);
    assert_int_equal(sub("hj633-2012", INDEX_PM2_5, INDEX_24H, "115.000000000001").sub, 151);
    /* What a binary mean leaves behind the twelfth decimal is no concentration. */
    assert_int_equal(sub("hj633-2012", INDEX_PM2_5, INDEX_24H, "115.00000000000001").sub, 150);
}

static void tells_why_there_is_no_sub_index(void **state)
{
    const struct index_scheme *s = index_find("hj633-2026");
    const struct index_column *c = index_column_find(s, INDEX_PM2_5, INDEX_1H);
    const struct exact_ratio one = { 0 };

    (void)state;
    assert_int_equal(sub("hj633-2012", INDEX_SO2, INDEX_1H, "800.1").cause, INDEX_BEYOND);
    assert_int_equal(sub("us-epa-2024", INDEX_O3, INDEX_1H, "0.1249").cause, INDEX_BELOW);
    assert_int_equal(sub("us-epa-2024", INDEX_SO2, INDEX_24H, "304.9").cause, INDEX_BELOW);
    assert_int_equal(sub("us-epa-2024", INDEX_O3, INDEX_8H, "0.201").cause, INDEX_BEYOND);
    assert_int_equal(sub("hj633-2026", INDEX_PM2_5, INDEX_1H, "-0.6").cause, INDEX_NEGATIVE);
    assert_int_equal(sub("hj633-2026", INDEX_PM2_5, INDEX_1H, "-0.5").sub, 0);
    assert_int_equal(sub("us-epa-2024", INDEX_PM2_5, INDEX_24H, "-0.09").sub, 0);
    assert_int_equal(sub("us-epa-2024", INDEX_PM2_5, INDEX_24H, "1000000000").cause,
                     INDEX_UNLIKELY);
    assert_int_equal(index_sub(s, c, DECIMAL_MISSING, one).cause, INDEX_MISSING);
    assert_int_equal(index_sub(s, c, decimal_from_double((double)INFINITY), one).cause,
                     INDEX_UNLIKELY);
    assert_int_equal(index_sub(s, c, decimal_from_double(1e-300), one).sub, 0);
    assert_int_equal(index_sub(s, c, decimal_from_double(1e300), one).cause, INDEX_UNLIKELY);
    assert_null(index_column_find(index_find("hj633-2012"), INDEX_PM2_5, INDEX_1H));
}

static void takes_ppb_and_micrograms_for_the_same(void **state)
{
    const struct index_scheme *s = index_find("us-epa-2024");
    struct exact_ratio by;

    (void)state;
    /* 70 ppb of ozone are 137.339 ug/m3: the last that is 100, a little less is 97. */
    assert_int_equal(exact_ratio_between(unit_find("ug/m3"), unit_find("ppm"),
                                         quantity_find("ozone"), s->molar_ml, &by),
                     0);
    assert_int_equal(sub_by(s->id, INDEX_O3, INDEX_8H, "137.4", by).sub, 100);
    assert_int_equal(sub_by(s->id, INDEX_O3, INDEX_8H, "137.3", by).sub, 97);
    assert_int_equal(exact_ratio_between(unit_find("ppb"), unit_find("ppm"),
                                         quantity_find("ozone"), s->molar_ml, &by),
                     0);
    assert_int_equal(sub_by(s->id, INDEX_O3, INDEX_8H, "70", by).sub, 100);
}

/* ---- reports ---- */

static struct index_result judge(const char *scheme, enum index_report report,
                                 const struct index_inputs *x)
{
    struct index_result r;

    index_judge(index_find(scheme), report, x, &r);
    return r;
}

static void set(struct index_inputs *x, enum index_pollutant p, enum index_mean m,
                const char *value)
{
    x->in[p][m].value = of(value);
}

static struct index_inputs clean_hour(void)
{
    struct index_inputs x;

    index_inputs_clear(&x);
    set(&x, INDEX_SO2, INDEX_1H, "12");
    set(&x, INDEX_NO2, INDEX_1H, "38");
    set(&x, INDEX_CO, INDEX_1H, "0.8");
    set(&x, INDEX_O3, INDEX_1H, "96");
    set(&x, INDEX_PM10, INDEX_1H, "61");
    set(&x, INDEX_PM2_5, INDEX_1H, "28");
    return x;
}

static void withholds_the_index_when_one_is_bad_and_the_others_are_low(void **state)
{
    struct index_inputs x = clean_hour();

    (void)state;
    assert_int_equal(judge("hj633-2026", INDEX_HOUR, &x).index, 58);
    x.in[INDEX_CO][INDEX_1H].verdict =
        (struct verdict){ STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO };
    const struct index_result r = judge("hj633-2026", INDEX_HOUR, &x);
    assert_int_equal(r.index, INDEX_NONE);
    assert_int_equal(r.cause, INDEX_INCOMPLETE);
    assert_int_equal(r.largest, 58);
    assert_null(r.level);
    assert_int_equal(r.parts[2].cause, INDEX_INVALID);
    assert_int_equal(r.parts[2].verdict.status, STATUS_CALIBRATION);
    set(&x, INDEX_PM2_5, INDEX_1H, "61");
    assert_int_equal(judge("hj633-2026", INDEX_HOUR, &x).index, 101);
}

static void a_suspect_value_counts_and_a_manual_one_does_not(void **state)
{
    struct index_inputs x = clean_hour();

    (void)state;
    x.in[INDEX_PM10][INDEX_1H].verdict.grade = GRADE_SUSPECT;
    assert_int_equal(judge("hj633-2026", INDEX_HOUR, &x).index, 58);
    x.in[INDEX_PM10][INDEX_1H].verdict = (struct verdict){ STATUS_MANUAL, GRADE_GOOD, 0 };
    assert_int_equal(judge("hj633-2026", INDEX_HOUR, &x).index, INDEX_NONE);
}

static void counts_noise_around_zero_as_zero_only_when_told(void **state)
{
    struct index_inputs x = clean_hour();

    (void)state;
    set(&x, INDEX_SO2, INDEX_1H, "-2");
    assert_int_equal(judge("hj633-2026", INDEX_HOUR, &x).index, INDEX_NONE);
    x.is_negative_zero = true;
    const struct index_result r = judge("hj633-2026", INDEX_HOUR, &x);
    assert_int_equal(r.index, 58);
    assert_int_equal(r.parts[0].sub, 0);
}

static void the_old_scheme_uses_the_day_where_the_hour_of_so2_ends(void **state)
{
    struct index_inputs x;

    (void)state;
    index_inputs_clear(&x);
    set(&x, INDEX_SO2, INDEX_1H, "900");
    assert_int_equal(judge("hj633-2012", INDEX_HOUR, &x).index, INDEX_NONE);
    set(&x, INDEX_SO2, INDEX_24H, "475");
    const struct index_result r = judge("hj633-2012", INDEX_HOUR, &x);
    assert_int_equal(r.index, 150);
    assert_int_equal(r.parts[0].mean, INDEX_24H);
    assert_true(r.parts[0].is_exceeding);
}

static void names_every_primary_of_a_tie_and_none_up_to_50(void **state)
{
    struct index_inputs x;
    unsigned n = 0;

    (void)state;
    index_inputs_clear(&x);
    set(&x, INDEX_PM2_5, INDEX_24H, "60");
    set(&x, INDEX_PM10, INDEX_24H, "120");
    set(&x, INDEX_SO2, INDEX_24H, "20");
    set(&x, INDEX_NO2, INDEX_24H, "30");
    set(&x, INDEX_CO, INDEX_24H, "1");
    set(&x, INDEX_O3, INDEX_8H, "90");
    struct index_result r = judge("hj633-2026", INDEX_DAY, &x);
    for (unsigned i = 0; i < r.parts_n; i++)
        n += r.parts[i].is_primary;
    assert_int_equal(n, 2);
    set(&x, INDEX_PM2_5, INDEX_24H, "35");
    set(&x, INDEX_PM10, INDEX_24H, "50");
    r = judge("hj633-2026", INDEX_DAY, &x);
    assert_int_equal(r.index, 50);
    for (unsigned i = 0; i < r.parts_n; i++)
        assert_false(r.parts[i].is_primary);
    assert_string_equal(r.level->class_en, "excellent");
}

static void us_ozone_takes_the_larger_of_both_means(void **state)
{
    struct index_inputs x;

    (void)state;
    index_inputs_clear(&x);
    set(&x, INDEX_O3, INDEX_8H, "0.085");
    set(&x, INDEX_O3, INDEX_1H, "0.165");
    assert_int_equal(judge("us-epa-2024", INDEX_HOUR, &x).index, 151);
    set(&x, INDEX_O3, INDEX_1H, "0.124");
    assert_int_equal(judge("us-epa-2024", INDEX_HOUR, &x).index, 150);
    set(&x, INDEX_O3, INDEX_8H, "0.250");
    set(&x, INDEX_O3, INDEX_1H, "0.405");
    assert_int_equal(judge("us-epa-2024", INDEX_HOUR, &x).index, 301);
}

static void us_so2_above_304_is_200_until_the_day_says_more(void **state)
{
    struct index_inputs x;

    (void)state;
    index_inputs_clear(&x);
    set(&x, INDEX_SO2, INDEX_1H, "700");
    set(&x, INDEX_SO2, INDEX_24H, "304");
    assert_int_equal(judge("us-epa-2024", INDEX_DAY, &x).index, 200);
    set(&x, INDEX_SO2, INDEX_24H, "305");
    assert_int_equal(judge("us-epa-2024", INDEX_DAY, &x).index, 201);
}

static void changes_schemes_with_the_date(void **state)
{
    (void)state;
    assert_string_equal(index_of_china(2026, 2, 28)->id, "hj633-2012");
    assert_string_equal(index_of_china(2026, 3, 1)->id, "hj633-2026");
}

/* ---- NowCast ---- */

static struct decimal nowcast(const char *const *newest_first, size_t n, int digits)
{
    struct decimal hours[NOWCAST_HOURS], d = DECIMAL_MISSING;
    double raw;

    for (size_t i = 0; i < NOWCAST_HOURS; i++)
        hours[i] = i < n && newest_first[i] ? of(newest_first[i]) : DECIMAL_MISSING;
    index_nowcast(hours, digits, &raw, &d);
    return d;
}

static void truncates_the_nowcast_of_the_definition_not_of_doubles(void **state)
{
    (void)state;
    /* w = 2/3: (10 + 10) / (5/3) is 12, in doubles 11.999999999999998. */
    assert_int_equal(nowcast((const char *[]){ "10", "15" }, 2, 1).v, 120);
    /* w = x/y gives 2xy/(x+y). */
    assert_int_equal(nowcast((const char *[]){ "30", "45" }, 2, 0).v, 36);
    assert_int_equal(nowcast((const char *[]){ "0.1", "0.1", "0.1" }, 3, 1).v, 1);
    assert_int_equal(nowcast((const char *[]){ "35.5", "35.5", NULL, "35.5" }, 4, 1).v, 355);
}

static void a_nowcast_needs_two_of_the_newest_three(void **state)
{
    (void)state;
    assert_false(decimal_has_value(
        nowcast((const char *[]){ NULL, NULL, "10", "10", "10", "10" }, 6, 1)));
    assert_int_equal(nowcast((const char *[]){ NULL, "10", "10" }, 3, 1).v, 100);
}

static void a_late_hour_takes_its_place_in_the_nowcast(void **state)
{
    const struct decimal ten = { 10, 0 }, twenty = { 20, 0 };
    struct nowcast n = { .has_begun = false };

    (void)state;
    nowcast_put(&n, 100, ten);
    nowcast_put(&n, 103, ten);
    assert_false(decimal_has_value(n.hours[1]));
    assert_int_equal(n.hours[3].v, 10);
    nowcast_put(&n, 102, twenty);
    assert_int_equal(n.hours[1].v, 20);
    nowcast_put(&n, 91, twenty); /* the thirteenth: no room */
    nowcast_put(&n, 115, ten);   /* twelve later: all others are gone */
    for (int i = 1; i < NOWCAST_HOURS; i++)
        assert_false(decimal_has_value(n.hours[i]));
}

static void a_nowcast_of_a_dust_storm_does_not_overflow(void **state)
{
    const char *hours[NOWCAST_HOURS];

    (void)state;
    for (size_t i = 0; i < NOWCAST_HOURS; i++)
        hours[i] = i % 2 ? "429496.7294" : "429496.7295";
    assert_int_equal(nowcast(hours, NOWCAST_HOURS, 1).v, 4294967);
    hours[0] = "429496.7296"; /* beyond what any air holds: as missing */
    assert_int_equal(nowcast(hours, NOWCAST_HOURS, 1).v, 4294967);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_half_to_even_on_the_decimal),
        cmocka_unit_test(truncates_towards_zero),
        cmocka_unit_test(converts_and_rounds_in_one_step),
        cmocka_unit_test(refuses_units_that_say_nothing_of_each_other),
        cmocka_unit_test(compares_across_decimals),
        cmocka_unit_test(a_value_at_a_breakpoint_has_the_index_of_it),
        cmocka_unit_test(tables_rise_without_gaps),
        cmocka_unit_test(works_the_examples_of_the_facts),
        cmocka_unit_test(hj633_2012_does_not_round_the_concentration),
        cmocka_unit_test(tells_why_there_is_no_sub_index),
        cmocka_unit_test(takes_ppb_and_micrograms_for_the_same),
        cmocka_unit_test(withholds_the_index_when_one_is_bad_and_the_others_are_low),
        cmocka_unit_test(a_suspect_value_counts_and_a_manual_one_does_not),
        cmocka_unit_test(counts_noise_around_zero_as_zero_only_when_told),
        cmocka_unit_test(the_old_scheme_uses_the_day_where_the_hour_of_so2_ends),
        cmocka_unit_test(names_every_primary_of_a_tie_and_none_up_to_50),
        cmocka_unit_test(us_ozone_takes_the_larger_of_both_means),
        cmocka_unit_test(us_so2_above_304_is_200_until_the_day_says_more),
        cmocka_unit_test(changes_schemes_with_the_date),
        cmocka_unit_test(truncates_the_nowcast_of_the_definition_not_of_doubles),
        cmocka_unit_test(a_nowcast_needs_two_of_the_newest_three),
        cmocka_unit_test(a_late_hour_takes_its_place_in_the_nowcast),
        cmocka_unit_test(a_nowcast_of_a_dust_storm_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
