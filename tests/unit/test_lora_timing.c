/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "gateway/bus/lora_timing.h"
#include "tests/unit/unit.h"

enum {
    CHAR_US = 1042, /* 9600 8N1 */
    REQUEST = 8,
    HEAD = 5,
};

/* Response times at 9600 8N1, instrument 50 ms, two modems of 20 ms: lower bound in
 * milliseconds, start value in tenths of a second. Their source is a table of two or three
 * figures. */
static const struct row {
    enum serial_modem_rate rate;
    struct {
        int registers, least_ms, start_tenths;
    } at[4];
} rows[] = {
    { SERIAL_MODEM_0K3,
      { { 2, 2440, 90 }, { 10, 2960, 109 }, { 60, 6450, 238 }, { 117, 10300, 379 } } },
    { SERIAL_MODEM_1K2,
      { { 2, 660, 22 }, { 10, 820, 27 }, { 60, 1760, 58 }, { 117, 2820, 92 } } },
    { SERIAL_MODEM_2K4,
      { { 2, 390, 12 }, { 10, 490, 15 }, { 60, 1070, 31 }, { 117, 1710, 50 } } },
    { SERIAL_MODEM_4K8, { { 2, 270, 7 }, { 10, 330, 9 }, { 60, 750, 19 }, { 117, 1220, 31 } } },
    { SERIAL_MODEM_9K6, { { 2, 200, 4 }, { 10, 250, 5 }, { 60, 570, 12 }, { 117, 940, 20 } } },
    { SERIAL_MODEM_19K2, { { 2, 170, 3 }, { 10, 210, 4 }, { 60, 480, 9 }, { 117, 790, 14 } } },
    { SERIAL_MODEM_38K4, { { 2, 150, 2 }, { 10, 190, 3 }, { 60, 430, 7 }, { 117, 710, 11 } } },
    { SERIAL_MODEM_62K5, { { 2, 130, 2 }, { 10, 170, 2 }, { 60, 390, 5 }, { 117, 640, 9 } } },
};

static struct lora_exchange read_of(enum serial_modem_rate rate, int registers)
{
    const struct lora_modem m = { .rate = rate, .packet = 240 };

    return lora_exchange_of(&m, CHAR_US, REQUEST, (size_t)(HEAD + 2 * registers));
}

static void assert_near(int64_t us, int64_t wanted_us, int64_t slack_us)
{
    if (llabs((long long)(us - wanted_us)) > slack_us)
        fail_msg("%lld us, expected %lld", (long long)us, (long long)wanted_us);
}

static void reproduces_the_table_of_response_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < 4; k++) {
            const struct lora_exchange x = read_of(rows[i].rate, rows[i].at[k].registers);
            int64_t least_us = rows[i].at[k].least_ms * 1000,
                    start_us = rows[i].at[k].start_tenths * 100000;
            assert_near(lora_least_us(&x), least_us, 5000 + least_us / 50);
            assert_near(lora_start_us(&x), start_us, 50000 + start_us / 50);
        }
    }
}

static void a_hundred_bytes_take_as_long_as_the_maker_says(void **state)
{
    int64_t least_us = serial_modem_air_us(SERIAL_MODEM_2K4, 240, 100);

    (void)state;
    assert_near(least_us * SERIAL_MODEM_USUAL_TENTHS / 10, 1500000, 75000);
}

static void a_long_answer_goes_in_several_packets(void **state)
{
    int64_t one_us = serial_modem_air_us(SERIAL_MODEM_2K4, 58, 58);

    (void)state;
    assert_int_equal(serial_modem_air_us(SERIAL_MODEM_2K4, 58, 116), 2 * one_us);
    assert_true(serial_modem_air_us(SERIAL_MODEM_2K4, 58, 59) > one_us);
    assert_int_equal(serial_modem_air_us(SERIAL_MODEM_2K4, 58, 0), 0);
}

static void repeaters_wake_periods_and_listening_take_their_time(void **state)
{
    struct lora_modem m = { .rate = SERIAL_MODEM_2K4, .packet = 240 };
    const struct lora_exchange plain = lora_exchange_of(&m, CHAR_US, REQUEST, 25);

    (void)state;
    m.repeaters = 2;
    m.wor_ms = 2000;
    m.has_lbt = true;
    const struct lora_exchange x = lora_exchange_of(&m, CHAR_US, REQUEST, 25);
    assert_int_equal(x.air_us, 3 * plain.air_us);
    assert_int_equal(x.wait_us, 4000000);
    assert_true(lora_start_us(&x) > lora_start_us(&plain) + 4000000);
}

static void answers_of_reads_fit_one_packet(void **state)
{
    static const struct {
        int packet, registers;
    } of[] = { { 58, 26 }, { 32, 13 }, { 64, 29 }, { 128, 61 }, { 240, 117 } };

    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        const struct lora_modem m = { .packet = of[i].packet };
        assert_int_equal(lora_registers_max(&m), of[i].registers);
    }
}

static void the_first_timeout_is_by_makers_figures(void **state)
{
    const struct lora_exchange x = read_of(SERIAL_MODEM_2K4, 10);
    const struct lora_rtt t = { 0 };

    (void)state;
    assert_int_equal(lora_rtt_timeout_us(&t, &x), lora_start_us(&x));
}

/* RFC 6298, 2.2: the first sample R gives R + 4 R / 2. */
static void the_first_round_trip_gives_three_times_itself(void **state)
{
    const struct lora_exchange x = read_of(SERIAL_MODEM_2K4, 10);
    struct lora_rtt t = { 0 };

    (void)state;
    lora_rtt_answered(&t, &x, 1000000);
    assert_near(lora_rtt_timeout_us(&t, &x), 3000000, 5000);
}

static void steady_round_trips_bring_the_timeout_near(void **state)
{
    const struct lora_exchange x = read_of(SERIAL_MODEM_2K4, 10);
    struct lora_rtt t = { 0 };

    (void)state;
    for (int i = 0; i < 60; i++)
        lora_rtt_answered(&t, &x, 1200000);
    assert_in_range(lora_rtt_timeout_us(&t, &x), 1250000, 1400000);
}

static void scattered_round_trips_keep_it_wide(void **state)
{
    const struct lora_exchange x = read_of(SERIAL_MODEM_2K4, 10);
    struct lora_rtt t = { 0 };

    (void)state;
    for (int i = 0; i < 60; i++)
        lora_rtt_answered(&t, &x, i % 2 ? 800000 : 1600000);
    assert_in_range(lora_rtt_timeout_us(&t, &x), 2400000, 3200000);
}

static void a_short_read_teaches_about_a_long_one(void **state)
{
    const struct lora_exchange few = read_of(SERIAL_MODEM_2K4, 2),
                               many = read_of(SERIAL_MODEM_2K4, 117);
    struct lora_rtt t = { 0 };

    (void)state;
    for (int i = 0; i < 60; i++)
        lora_rtt_answered(&t, &few, 3 * lora_least_us(&few));
    assert_true(lora_rtt_timeout_us(&t, &many) > 3 * lora_least_us(&many) * 99 / 100);
}

static void is_never_below_the_least_time_nor_above_a_minute(void **state)
{
    const struct lora_exchange x = read_of(SERIAL_MODEM_0K3, 117);
    struct lora_rtt t = { 0 };

    (void)state;
    for (int i = 0; i < 60; i++)
        lora_rtt_answered(&t, &x, 1000);
    assert_int_equal(lora_rtt_timeout_us(&t, &x), lora_least_us(&x));
    for (int i = 0; i < 60; i++)
        lora_rtt_answered(&t, &x, INT64_C(3600000000));
    assert_int_equal(lora_rtt_timeout_us(&t, &x), LORA_TIMEOUT_MAX_US);
}

static void misses_double_it_twice_and_an_answer_ends_that(void **state)
{
    const struct lora_exchange x = read_of(SERIAL_MODEM_62K5, 10);
    struct lora_rtt t = { 0 };
    int64_t start_us = lora_start_us(&x);

    (void)state;
    lora_rtt_missed(&t);
    assert_int_equal(lora_rtt_timeout_us(&t, &x), 2 * start_us);
    for (int i = 0; i < 9; i++)
        lora_rtt_missed(&t);
    assert_int_equal(lora_rtt_timeout_us(&t, &x), 4 * start_us);
    lora_rtt_answered(&t, &x, 200000);
    assert_true(lora_rtt_timeout_us(&t, &x) <= 600000);
}

static void what_was_spent_is_what_was_measured(void **state)
{
    const struct lora_exchange x = read_of(SERIAL_MODEM_2K4, 10);

    (void)state;
    assert_int_equal(lora_spent_us(&x, x.wire_us + 900000, true), 900000);
    assert_int_equal(lora_spent_us(&x, 1000, true), x.air_us);
    assert_int_equal(lora_spent_us(&x, 9000000, false), x.air_us * 32 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reproduces_the_table_of_response_times),
        cmocka_unit_test(a_hundred_bytes_take_as_long_as_the_maker_says),
        cmocka_unit_test(a_long_answer_goes_in_several_packets),
        cmocka_unit_test(repeaters_wake_periods_and_listening_take_their_time),
        cmocka_unit_test(answers_of_reads_fit_one_packet),
        cmocka_unit_test(the_first_timeout_is_by_makers_figures),
        cmocka_unit_test(the_first_round_trip_gives_three_times_itself),
        cmocka_unit_test(steady_round_trips_bring_the_timeout_near),
        cmocka_unit_test(scattered_round_trips_keep_it_wide),
        cmocka_unit_test(a_short_read_teaches_about_a_long_one),
        cmocka_unit_test(is_never_below_the_least_time_nor_above_a_minute),
        cmocka_unit_test(misses_double_it_twice_and_an_answer_ends_that),
        cmocka_unit_test(what_was_spent_is_what_was_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
