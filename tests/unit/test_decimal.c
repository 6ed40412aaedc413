/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/core/bytes.h"
#include "sensors/core/decimal.h"
#include "tests/unit/unit.h"

static void assert_decimal(struct decimal d, int64_t v, int e)
{
    assert_int_equal(d.v, v);
    assert_int_equal(d.e, e);
}

static void assert_prints(struct decimal d, const char *text)
{
    char buf[DECIMAL_TEXT_MAX];
    const size_t len = decimal_print(d, buf);

    assert_string_equal(buf, text);
    assert_int_equal(len, strlen(text));
}

/* A small generator of its own: the same sequence everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Digits of `x` as a float, at the fewest that read back; the slow and certain way. */
static int fewest_digits(float x)
{
    char text[32];

    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, (double)x);
        if (strtof(text, NULL) == x)
            return digits;
    }
    return 9;
}

static int significant_digits(int64_t v)
{
    int n = 0;

    while (v && v % 10 == 0)
        v /= 10;
    for (; v; v /= 10)
        n++;
    return n;
}

static void assert_float_is_shortest(float x)
{
    const struct decimal d = decimal_from_float(x);
    char text[DECIMAL_TEXT_MAX];

    if (d.e == DECIMAL_DOUBLE) {
        assert_true(decimal_to_double(d) == (double)x);
        return;
    }
    decimal_print(d, text);
    assert_true(strtof(text, NULL) == x);
    assert_true(significant_digits(d.v) <= fewest_digits(x));
    assert_true(d.e == 0 || d.v % 10 != 0);
}

static void gives_a_float_as_the_instrument_showed_it(void **state)
{
    (void)state;
    assert_decimal(decimal_from_float(21.3F), 213, 1);
    assert_decimal(decimal_from_float(-0.05F), -5, 2);
    assert_decimal(decimal_from_float(7.0F), 7, 0);
    assert_decimal(decimal_from_float(1013.25F), 101325, 2);
    assert_decimal(decimal_from_float(0.1234567F), 1234567, 7);
    assert_decimal(decimal_from_float(3.4028235e9F), 3402823400, 0);
    assert_decimal(decimal_from_float(1e11F), 100000000000, 0);
    assert_decimal(decimal_from_float(1e-18F), 1, 18);
    assert_decimal(decimal_from_float(16777216.0F), 16777216, 0);
    assert_decimal(decimal_from_float(8388607.5F), 83886075, 1);
}

static void gives_zero_of_either_sign_as_zero(void **state)
{
    (void)state;
    assert_decimal(decimal_from_float(0.0F), 0, 0);
    assert_decimal(decimal_from_float(-0.0F), 0, 0);
    assert_decimal(decimal_from_double(-0.0), 0, 0);
}

static void gives_nan_as_no_value(void **state)
{
    (void)state;
    assert_decimal(decimal_from_float(NAN), 0, DECIMAL_NONE);
    assert_decimal(decimal_from_double(NAN), 0, DECIMAL_NONE);
    assert_decimal(decimal_round(NAN, 2), 0, DECIMAL_NONE);
}

static void keeps_the_bits_of_what_is_no_short_decimal(void **state)
{
    const double hard[] = { INFINITY, -INFINITY, 1e300, 1e-30, 5e-324, 1e19 };

    (void)state;
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        const struct decimal d = decimal_from_double(hard[i]);
        assert_int_equal(d.e, DECIMAL_DOUBLE);
        assert_true(decimal_to_double(d) == hard[i]);
    }
    assert_int_equal(decimal_from_float(INFINITY).e, DECIMAL_DOUBLE);
    assert_int_equal(decimal_from_float(1e-30F).e, DECIMAL_DOUBLE);
    assert_int_equal(decimal_from_float(1e30F).e, DECIMAL_DOUBLE);
}

static void every_short_decimal_survives_a_float(void **state)
{
    (void)state;
    for (int v = -99999; v <= 99999; v += 7)
        for (int e = 0; e <= 6; e++) {
            char text[DECIMAL_TEXT_MAX];
            int64_t shortest = v;
            int short_e = e;
            for (; short_e > 0 && shortest % 10 == 0; short_e--)
                shortest /= 10;
            decimal_print((struct decimal){ v, (int8_t)e }, text);
            assert_decimal(decimal_from_float(strtof(text, NULL)), shortest, short_e);
            assert_decimal(decimal_from_double(strtod(text, NULL)), shortest, short_e);
        }
}

static void any_float_reads_back_from_the_fewest_digits(void **state)
{
    uint64_t seed = 0x9E3779B97F4A7C15u;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        const float x = float_from_bits((uint32_t)next_random(&seed));
        if (isfinite(x))
            assert_float_is_shortest(x);
    }
    for (uint32_t exponent = 1; exponent < 255; exponent++)
        for (int off = -2; off <= 2; off++) /* both sides of each power of two */
            assert_float_is_shortest(float_from_bits((exponent << 23) + (uint32_t)off));
}

static void any_double_reads_back(void **state)
{
    uint64_t seed = 0xD1B54A32D192ED03u;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        const uint64_t r = next_random(&seed);
        const double any = double_from_bits(r);
        const double common = ((double)(r >> 11) * 0x1p-53 - 0.5) * 2000;
        if (isfinite(any))
            assert_true(decimal_to_double(decimal_from_double(any)) == any);
        assert_true(decimal_to_double(decimal_from_double(common)) == common);
    }
}

static void rounds_half_away_from_zero(void **state)
{
    (void)state;
    assert_decimal(decimal_round(2.5, 0), 3, 0);
    assert_decimal(decimal_round(-2.5, 0), -3, 0);
    assert_decimal(decimal_round(1.005, 2), 101, 2);
    assert_decimal(decimal_round(2.675, 2), 268, 2);
    assert_decimal(decimal_round(-0.04, 1), 0, 1);
    assert_decimal(decimal_round(2.4999, 0), 2, 0);
    assert_decimal(decimal_round(0.49999999, 0), 0, 0);
    assert_decimal(decimal_round(281474976710656.3, 0), 281474976710656, 0);
}

static void rounds_to_fewer_decimals_where_64_bits_end(void **state)
{
    (void)state;
    assert_decimal(decimal_round(123456789.0, 18), 1234567890000000000, 10);
    assert_decimal(decimal_round(5e18, 3), 5000000000000000000, 0);
    assert_int_equal(decimal_round(1e30, 1).e, DECIMAL_DOUBLE);
    assert_int_equal(decimal_round(INFINITY, 1).e, DECIMAL_DOUBLE);
}

static void prints_with_exactly_its_decimals(void **state)
{
    (void)state;
    assert_prints((struct decimal){ -1250, 2 }, "-12.50");
    assert_prints((struct decimal){ 5, 3 }, "0.005");
    assert_prints((struct decimal){ -5, 1 }, "-0.5");
    assert_prints((struct decimal){ 0, 0 }, "0");
    assert_prints((struct decimal){ 0, 2 }, "0.00");
    assert_prints((struct decimal){ 100, 0 }, "100");
    assert_prints(DECIMAL_MISSING, "");
    assert_prints(decimal_from_double(1e300), "1.0000000000000001e+300");
}

static void prints_the_ends_of_64_bits(void **state)
{
    (void)state;
    assert_prints((struct decimal){ INT64_MIN, 0 }, "-9223372036854775808");
    assert_prints((struct decimal){ INT64_MIN, 18 }, "-9.223372036854775808");
    assert_prints((struct decimal){ INT64_MAX, 18 }, "9.223372036854775807");
    assert_prints((struct decimal){ -1, 18 }, "-0.000000000000000001");
}

static void parses_what_it_prints(void **state)
{
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const struct decimal d = { (int64_t)next_random(&seed) >> (i % 64),
                                   (int8_t)(i % (DECIMAL_MAX_E + 1)) };
        struct decimal back = DECIMAL_MISSING;
        char text[DECIMAL_TEXT_MAX];
        const size_t len = decimal_print(d, text);
        assert_int_equal(decimal_parse(text, len, &back), 0);
        assert_decimal(back, d.v, d.e);
    }
}

static void refuses_what_is_no_decimal(void **state)
{
    static const char *const wrong[] = {
        "",
        "-",
        ".",
        "5.",
        ".5",
        "+1",
        " 1",
        "1 ",
        "1e3",
        "1.2.3",
        "--1",
        "0x10",
        "1,5",
        "nan",
        "inf",
        "1.-5",
        "9223372036854775808",
        "-9223372036854775809",
        "0.0000000000000000001",
        "99999999999999999999999",
    };
    struct decimal d = { 42, 7 };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(decimal_parse(wrong[i], strlen(wrong[i]), &d), -EINVAL);
        assert_decimal(d, 42, 7);
    }
}

static void parses_only_the_bytes_given(void **state)
{
    struct decimal d = DECIMAL_MISSING;

    (void)state;
    assert_int_equal(decimal_parse("12.5,7", 4, &d), 0);
    assert_decimal(d, 125, 1);
    assert_int_equal(decimal_parse("007.50", 6, &d), 0);
    assert_decimal(d, 750, 2);
}

static void gives_the_nearest_double_beyond_53_bits(void **state)
{
    (void)state;
    assert_true(decimal_to_double((struct decimal){ 9007199254740993, 3 }) ==
                9007199254740.993);
    assert_true(decimal_to_double((struct decimal){ INT64_MAX, 18 }) == 9.223372036854775807);
    assert_true(isnan(decimal_to_double(DECIMAL_MISSING)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_a_float_as_the_instrument_showed_it),
        cmocka_unit_test(gives_zero_of_either_sign_as_zero),
        cmocka_unit_test(gives_nan_as_no_value),
        cmocka_unit_test(keeps_the_bits_of_what_is_no_short_decimal),
        cmocka_unit_test(every_short_decimal_survives_a_float),
        cmocka_unit_test(any_float_reads_back_from_the_fewest_digits),
        cmocka_unit_test(any_double_reads_back),
        cmocka_unit_test(rounds_half_away_from_zero),
        cmocka_unit_test(rounds_to_fewer_decimals_where_64_bits_end),
        cmocka_unit_test(prints_with_exactly_its_decimals),
        cmocka_unit_test(prints_the_ends_of_64_bits),
        cmocka_unit_test(parses_what_it_prints),
        cmocka_unit_test(refuses_what_is_no_decimal),
        cmocka_unit_test(parses_only_the_bytes_given),
        cmocka_unit_test(gives_the_nearest_double_beyond_53_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
