/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "gateway/forwarder/counter.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

/* The forwarder's delay on a LAN, 0 to 20 ms, from a sequence. */
static int64_t jitter_us(int64_t i)
{
    return i * 7919 % 20 * 1000;
}

static void finds_no_age_on_a_lan_over_days_and_wraps(void **state)
{
    struct counter c = { 0 };
    int64_t age_us;

    (void)state;
    for (int64_t i = 0; i < 2000; i++) { /* 2.8 days, the counter begins before its wrap */
        const int64_t end_us = i * 2 * MINUTE + 5 * SECOND;
        const uint32_t tmst = (uint32_t)(end_us + 4294000000);
        assert_int_equal(counter_take(&c, tmst, end_us + jitter_us(i), &age_us),
                         COUNTER_GOES_ON);
        assert_true(age_us >= 0 && age_us <= 80 * 1000);
    }
}

static void follows_crystals_that_drift_both_ways(void **state)
{
    static const int64_t ppm[] = { -100, 100 };

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct counter c = { 0 };
        int64_t age_us = 0;
        for (int64_t i = 0; i < 3000; i++) {
            const int64_t now_us = i * 30 * SECOND;
            const uint32_t tmst = (uint32_t)(now_us + now_us / 1000000 * ppm[k]);
            assert_int_equal(counter_take(&c, tmst, now_us, &age_us), COUNTER_GOES_ON);
            assert_true(age_us <= 10 * 1000);
        }
    }
}

static void tells_the_age_of_what_was_held_back(void **state)
{
    struct counter c = { 0 };
    int64_t age_us;

    (void)state;
    counter_take(&c, 1000, HOUR, &age_us);
    assert_int_equal(age_us, 0);
    const uint32_t tmst = (uint32_t)(1000 + 10 * SECOND);
    assert_int_equal(counter_take(&c, tmst, HOUR + 40 * SECOND, &age_us), COUNTER_GOES_ON);
    assert_in_range(age_us, 29900 * 1000, 30000 * 1000);
}

/* Ten frames kept for a while and sent at once are ten ages, no restart. */
static void frames_held_back_together_are_no_restart(void **state)
{
    struct counter c = { 0 };
    int64_t age_us;

    (void)state;
    counter_take(&c, 0, HOUR, &age_us);
    for (int i = 0; i < 10; i++) {
        const uint32_t tmst = (uint32_t)((10 + 2 * i) * SECOND);
        assert_int_equal(counter_take(&c, tmst, HOUR + 50 * SECOND + i, &age_us),
                         COUNTER_GOES_ON);
    }
    assert_in_range(age_us, 21900 * 1000, 22000 * 1000);
}

static void notices_a_restart_wherever_the_counter_was(void **state)
{
    static const uint32_t before[] = { 1800000000U, 4200000000U, 3000000000U, 70000000U };

    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        struct counter c = { 0 };
        int64_t age_us = -1;
        counter_take(&c, before[i], HOUR, &age_us);
        assert_int_equal(counter_take(&c, 3 * SECOND, HOUR + 10 * SECOND, &age_us),
                         COUNTER_RESTARTED);
        assert_int_equal(age_us, 0);
    }
}

/* Restarted within a minute of its value: what comes agrees on one impossible delay. */
static void notices_a_restart_of_a_young_counter(void **state)
{
    struct counter c = { 0 };
    int64_t age_us;

    (void)state;
    counter_take(&c, 30 * SECOND, HOUR, &age_us);
    assert_int_equal(counter_take(&c, 3 * SECOND, HOUR + 10 * SECOND, &age_us),
                     COUNTER_GOES_ON);
    assert_int_equal(counter_take(&c, 9 * SECOND, HOUR + 16 * SECOND + 10000, &age_us),
                     COUNTER_GOES_ON);
    assert_int_equal(counter_take(&c, 12 * SECOND, HOUR + 19 * SECOND, &age_us),
                     COUNTER_RESTARTED);
    assert_int_equal(age_us, 0);
    assert_int_equal(counter_take(&c, 15 * SECOND, HOUR + 22 * SECOND, &age_us),
                     COUNTER_GOES_ON);
    assert_true(age_us < 10000);
}

static void notices_a_counter_that_stands_still(void **state)
{
    struct counter c = { 0 };
    int64_t age_us;

    (void)state;
    counter_take(&c, 5, HOUR, &age_us);
    assert_int_equal(counter_take(&c, 5, HOUR + 100, &age_us), COUNTER_GOES_ON); /* a copy */
    assert_int_equal(counter_take(&c, 5, HOUR + 2 * SECOND, &age_us), COUNTER_STUCK);
    assert_int_equal(age_us, 0);
    assert_int_equal(counter_take(&c, 5, HOUR + 9 * MINUTE, &age_us), COUNTER_STUCK);
}

static void places_counter_values_on_the_monotonic_clock(void **state)
{
    struct counter c = { 0 };
    int64_t age_us;

    (void)state;
    assert_true(counter_mono_us(&c, 77, HOUR) == HOUR);
    counter_take(&c, 4294967000U, HOUR, &age_us);
    assert_true(counter_mono_us(&c, 4294967000U, HOUR) == HOUR);
    assert_true(counter_mono_us(&c, 999704, HOUR + 5000) == HOUR + SECOND);
    assert_true(counter_mono_us(&c, 4293967000U, HOUR + 5000) == HOUR - SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_no_age_on_a_lan_over_days_and_wraps),
        cmocka_unit_test(follows_crystals_that_drift_both_ways),
        cmocka_unit_test(tells_the_age_of_what_was_held_back),
        cmocka_unit_test(frames_held_back_together_are_no_restart),
        cmocka_unit_test(notices_a_restart_wherever_the_counter_was),
        cmocka_unit_test(notices_a_restart_of_a_young_counter),
        cmocka_unit_test(notices_a_counter_that_stands_still),
        cmocka_unit_test(places_counter_values_on_the_monotonic_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
