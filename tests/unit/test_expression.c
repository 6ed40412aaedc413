/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rules/alert/expression.h"
#include "tests/unit/unit.h"

/* A station's channels; their numbers are those of this table. */
static const struct {
    const char *name, *quantity;
} channels[] = {
    { "wind_speed", "wind_speed" }, { "mast/rain", "precip_intensity" },
    { "roof-o3/ozone", "o3" },      { "air_temp", "air_temp" },
    { "dew_point", "dew_point" },   { "north/pm2_5@1h", "pm2_5" },
    { "south/pm2_5@1h", "pm2_5" },  { "river/ph", "ph" },
    { "west/pm2_5@1h", "pm2_5" },
};

enum { WIND, RAIN, OZONE, TEMPERATURE, DEW_POINT, NORTH, SOUTH, PH, WEST, CHANNELS };

static bool find(void *user, const char *name, uint32_t *ret_channel,
                 const struct quantity **ret_quantity)
{
    (void)user;
    for (uint32_t i = 0; i < CHANNELS; i++) {
        if (strcmp(channels[i].name, name) != 0)
            continue;
        *ret_channel = i;
        *ret_quantity = quantity_find(channels[i].quantity);
        assert_non_null(*ret_quantity);
        return true;
    }
    return false;
}

static const struct expression_names names = { find, NULL };

struct bench {
    struct expression_value value[CHANNELS];
    struct expression_now now;
};

static struct bench bench(void)
{
    struct bench b = { .now = { .hour = 12, .weekday = 3, .month = 6, .year = 2026 } };

    for (int i = 0; i < CHANNELS; i++)
        b.value[i] = (struct expression_value){ .value = 10, .is_known = true };
    return b;
}

static enum expression_truth eval(const struct bench *b, const char *text)
{
    struct expression e;
    struct expression_error err = { 0 };
    struct expression_value values[EXPRESSION_CHANNELS_MAX];

    if (expression_parse(text, &names, &e, &err) < 0)
        fail_msg("%s: at %d: %s", text, err.at, err.why);
    for (int i = 0; i < e.channels_n; i++)
        values[i] = b->value[e.channel[i]];
    return expression_eval(&e, values, b->now);
}

static void assert_is(const struct bench *b, const char *text, enum expression_truth want)
{
    const enum expression_truth is = eval(b, text);

    if (is != want)
        fail_msg("%s is %d, not %d", text, (int)is, (int)want);
}

static void compares_and_joins(void **state)
{
    struct bench b = bench();

    (void)state;
    b.value[RAIN].value = 0;
    assert_is(&b, "wind_speed > 5 m/s", EXPRESSION_TRUE);
    assert_is(&b, "wind_speed >= 10 m/s and wind_speed <= 10 m/s", EXPRESSION_TRUE);
    assert_is(&b, "wind_speed < 10 m/s or mast/rain > 0 mm/h", EXPRESSION_FALSE);
    assert_is(&b, "not wind_speed < 10 m/s", EXPRESSION_TRUE);
    assert_is(&b, "not not (wind_speed == 10 m/s)", EXPRESSION_TRUE);
    assert_is(&b, "wind_speed != 10 m/s", EXPRESSION_FALSE);
    /* and binds tighter than or */
    assert_is(&b, "wind_speed > 5 m/s or wind_speed < 5 m/s and mast/rain > 0 mm/h",
              EXPRESSION_TRUE);
}

static void computes(void **state)
{
    struct bench b = bench();

    (void)state;
    b.value[NORTH].value = 30;
    b.value[SOUTH].value = 50;
    b.value[WEST].value = 100;
    assert_is(&b, "mean(north/pm2_5@1h, south/pm2_5@1h, west/pm2_5@1h) == 60 ug/m3",
              EXPRESSION_TRUE);
    assert_is(&b, "median(west/pm2_5@1h, north/pm2_5@1h, south/pm2_5@1h) == 50 ug/m3",
              EXPRESSION_TRUE);
    assert_is(&b, "median(west/pm2_5@1h, north/pm2_5@1h) == 65 ug/m3", EXPRESSION_TRUE);
    assert_is(
        &b,
        "max(west/pm2_5@1h, north/pm2_5@1h) - min(west/pm2_5@1h, north/pm2_5@1h) == 70 ug/m3",
        EXPRESSION_TRUE);
    assert_is(&b, "west/pm2_5@1h / south/pm2_5@1h == 2", EXPRESSION_TRUE);
    assert_is(&b, "south/pm2_5@1h > 1.5 * north/pm2_5@1h", EXPRESSION_TRUE);
    assert_is(&b, "south/pm2_5@1h - 2 * north/pm2_5@1h == -10 ug/m3", EXPRESSION_TRUE);
    assert_is(&b, "abs(north/pm2_5@1h - south/pm2_5@1h) == 20 ug/m3", EXPRESSION_TRUE);
    assert_is(&b, "-(north/pm2_5@1h) < 0 ug/m3", EXPRESSION_TRUE);
    assert_is(&b, "river/ph > 9", EXPRESSION_TRUE); /* pH is written without a unit */
}

static void converts_units(void **state)
{
    struct bench b = bench();

    (void)state;
    b.value[OZONE].value = 200;
    assert_is(&b, "roof-o3/ozone > 0.1 ppm and roof-o3/ozone < 103 ppb", EXPRESSION_TRUE);
    assert_is(&b, "wind_speed == 36 km/h", EXPRESSION_TRUE);
    assert_is(&b, "air_temp > 283.14 K and air_temp < 283.16 K", EXPRESSION_TRUE);
}

static void a_difference_of_temperatures_is_none(void **state)
{
    struct bench b = bench();

    (void)state;
    b.value[TEMPERATURE].value = 20;
    b.value[DEW_POINT].value = 19;
    assert_is(&b, "air_temp - dew_point < 2 K", EXPRESSION_TRUE);
    assert_is(&b, "air_temp - dew_point < 0.5 Cel", EXPRESSION_FALSE);
    assert_is(&b, "dew_point > air_temp - 2 K", EXPRESSION_TRUE);
    assert_is(&b, "2 K + dew_point == 21 Cel", EXPRESSION_TRUE);
    assert_is(&b, "30 Cel - air_temp == 10 K", EXPRESSION_TRUE);
}

static void what_is_unknown_decides_nothing(void **state)
{
    struct bench b = bench();

    (void)state;
    b.value[WIND].is_known = false;
    b.value[NORTH].value = NAN;
    assert_is(&b, "wind_speed > 5 m/s", EXPRESSION_UNKNOWN);
    assert_is(&b, "not wind_speed > 5 m/s", EXPRESSION_UNKNOWN);
    assert_is(&b, "wind_speed > 5 m/s or mast/rain > 0 mm/h", EXPRESSION_TRUE);
    assert_is(&b, "wind_speed > 5 m/s and mast/rain < 0 mm/h", EXPRESSION_FALSE);
    assert_is(&b, "wind_speed > 5 m/s and mast/rain > 0 mm/h", EXPRESSION_UNKNOWN);
    assert_is(&b, "mean(north/pm2_5@1h, south/pm2_5@1h) == 10 ug/m3", EXPRESSION_TRUE);
    assert_is(&b, "mean(north/pm2_5@1h) == 10 ug/m3", EXPRESSION_UNKNOWN);
    assert_is(&b, "air_temp / (air_temp - dew_point) > 1 or mast/rain > 0 mm/h",
              EXPRESSION_TRUE);
}

static void asks_for_states_and_time(void **state)
{
    struct bench b = bench();

    (void)state;
    b.value[RAIN].is_known = false;
    b.value[OZONE].verdict.status = STATUS_CALIBRATION;
    assert_is(&b, "valid(wind_speed) and not valid(mast/rain) and missing(mast/rain)",
              EXPRESSION_TRUE);
    assert_is(&b, "in_calibration(roof-o3/ozone) and not in_maintenance(wind_speed)",
              EXPRESSION_TRUE);
    assert_is(&b, "hour >= 6 and hour < 22 and weekday <= 5 and month == 6", EXPRESSION_TRUE);
    assert_is(&b, "year >= 2031", EXPRESSION_FALSE);

    const struct expression_now now = expression_now(INT64_C(1795305600000), 480);
    /* 2026-11-22T00:00:00Z, a Sunday */
    assert_int_equal(now.hour, 8);
    assert_int_equal(now.weekday, 7);
    assert_int_equal(now.month, 11);
    assert_int_equal(now.year, 2026);
    assert_int_equal(expression_now(INT64_C(1924963199999), 480).year, 2030);
    assert_int_equal(expression_now(INT64_C(1924963200000), 480).year, 2031);
    assert_int_equal(expression_now(INT64_C(1795305600000), -60).weekday, 6);
}

struct wrong {
    const char *text;
    int at;
    const char *why; /* part of the sentence */
};

static void says_what_is_wrong_and_where(void **state)
{
    static const struct wrong wrongs[] = {
        { "", 0, "expected here" },
        { "wind_speed", 0, "compare it" },
        { "wind_speed > ", 13, "expected here" },
        { "wind_speed > 5", 13, "unit is missing" },
        { "wind_speed > 5 ug/m3", 13, "does not fit" },
        { "wind_sped > 5 m/s", 0, "No channel is called 'wind_sped'" },
        { "wind_speed > air_temp", 13, "Cel" },
        { "(wind_speed > 5 m/s", 19, "')'" },
        { "wind_speed > 5 m/s)", 18, "'and', 'or'" },
        { "wind_speed > 5 m/s and mast/rain", 23, "compare it" },
        { "wind_speed > 5 m/s + wind_speed > 3 m/s", 32, "'and', 'or'" },
        { "(wind_speed > 5 m/s) + 3 > 2", 0, "condition" },
        { "wind_speed * air_temp > 5", 0, "cannot be multiplied" },
        { "2 * 5 m/s < wind_speed", 0, "cannot be multiplied" },
        { "min(5 m/s, 3 m/s) < wind_speed", 4, "Two written" },
        { "valid(5)", 6, "name of a channel" },
        { "mean() > 3", 5, "expected here" },
        { "5 < wind_speed < 6 m/s", 0, "unit is missing" },
        { "1e999 m/s < wind_speed", 0, "finite" },
        { "wind_speed > 5 m/s; x", 15, "No unit is called 'm/s;'" },
        { "wind_speed > 5 knoten", 15, "No unit is called 'knoten'" },
        { "((((((((((((((((((wind_speed > 5 m/s))))))))))))))))))", 16, "nested" },
        { "max(max(max(max(max(max(max(max(max(max(max(max(max(max(max(max(max(max(wind_speed",
          64, "nested" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct expression e = { .ops_n = 77 };
        struct expression_error err = { .at = -1 };
        if (expression_parse(wrongs[i].text, &names, &e, &err) == 0)
            fail_msg("%s is taken", wrongs[i].text);
        if (err.at != wrongs[i].at || !strstr(err.why, wrongs[i].why))
            fail_msg("%s: at %d: %s", wrongs[i].text, err.at, err.why);
        assert_int_equal(err.why[strlen(err.why) - 1], '.');
        assert_true(err.at >= 0 && err.length >= 0 &&
                    (size_t)(err.at + err.length) <= strlen(wrongs[i].text));
        assert_int_equal(e.ops_n, 77);
    }
}

static void is_bounded(void **state)
{
    static const char part[] = "wind_speed > 1 m/s", more[] = " or wind_speed > 1 m/s";
    char text[4 * EXPRESSION_TEXT_MAX] = { 0 };
    struct expression e;
    struct expression_error err;

    (void)state;
    memcpy(text, part, sizeof part - 1);
    for (size_t i = 0; i < 20; i++)
        memcpy(text + sizeof part - 1 + i * (sizeof more - 1), more, sizeof more);
    assert_int_not_equal(expression_parse(text, &names, &e, &err), 0);
    assert_non_null(strstr(err.why, "at most"));
    memset(text, '-', sizeof text - 1);
    assert_int_not_equal(expression_parse(text, &names, &e, &err), 0);
    memset(text, '(', 400);
    text[400] = '\0';
    assert_int_not_equal(expression_parse(text, &names, &e, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_and_joins),
        cmocka_unit_test(computes),
        cmocka_unit_test(converts_units),
        cmocka_unit_test(a_difference_of_temperatures_is_none),
        cmocka_unit_test(what_is_unknown_decides_nothing),
        cmocka_unit_test(asks_for_states_and_time),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
