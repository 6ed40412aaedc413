/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "gateway/poll/health.h"
#include "gateway/poll/schedule.h"

enum { MANY = 500 };

static void hands_out_what_is_due_in_order(void **state)
{
    struct schedule s;
    struct schedule_entry e, last = { 0, 0 };

    (void)state;
    assert_int_equal(schedule_init(&s, MANY), 0);
    for (uint32_t i = 0; i < MANY; i++)
        schedule_put(&s, i, (int64_t)(i * 7919 % 100));
    for (int i = 0; i < MANY; i++) {
        assert_true(schedule_pop(&s, 1000, &e));
        assert_true(i == 0 || e.due_ms > last.due_ms ||
                    (e.due_ms == last.due_ms && e.id > last.id));
        last = e;
    }
    assert_false(schedule_pop(&s, 1000, &e));
    schedule_done(&s);
}

static void keeps_what_is_not_due(void **state)
{
    struct schedule s;
    struct schedule_entry e;
    int64_t next_ms;

    (void)state;
    assert_int_equal(schedule_init(&s, 2), 0);
    assert_false(schedule_next(&s, &next_ms));
    schedule_put(&s, 0, 50);
    schedule_put(&s, 1, 40);
    assert_true(schedule_next(&s, &next_ms));
    assert_int_equal(next_ms, 40);
    assert_false(schedule_pop(&s, 39, &e));
    assert_true(schedule_pop(&s, 40, &e));
    assert_int_equal(e.id, 1);
    assert_false(schedule_pop(&s, 40, &e));
    schedule_done(&s);
}

static void moves_and_removes(void **state)
{
    struct schedule s;
    struct schedule_entry e;

    (void)state;
    assert_int_equal(schedule_init(&s, MANY), 0);
    for (uint32_t i = 0; i < MANY; i++)
        schedule_put(&s, i, i);
    for (uint32_t i = 0; i < MANY; i += 2)
        schedule_put(&s, i, 1000 + (int64_t)i);
    for (uint32_t i = 1; i < MANY; i += 4)
        schedule_remove(&s, i);
    assert_false(schedule_has(&s, 1));
    assert_true(schedule_has(&s, 2));
    assert_int_equal(s.n, MANY - MANY / 4);
    for (uint32_t i = 3; i < MANY; i += 4) {
        assert_true(schedule_pop(&s, 10000, &e));
        assert_int_equal(e.id, i);
    }
    for (uint32_t i = 0; i < MANY; i += 2) {
        assert_true(schedule_pop(&s, 10000, &e));
        assert_int_equal(e.id, i);
    }
    schedule_done(&s);
}

static void finds_slots_on_both_sides_of_the_origin(void **state)
{
    (void)state;
    assert_int_equal(schedule_slot(100, 1000, 100), 100);
    assert_int_equal(schedule_slot(100, 1000, 101), 1100);
    assert_int_equal(schedule_slot(100, 1000, 1100), 1100);
    assert_int_equal(schedule_slot(100, 1000, -950), -900);
    assert_int_equal(schedule_slot(100, 1000, -900), -900);
}

static void calls_a_device_silent_after_three_failures(void **state)
{
    struct health h = { 0 };

    (void)state;
    assert_int_equal(health_note(&h, true), HEALTH_CAME_ONLINE);
    assert_int_equal(health_note(&h, false), HEALTH_SAME);
    assert_int_equal(health_note(&h, false), HEALTH_SAME);
    assert_int_equal(health_note(&h, false), HEALTH_WENT_SILENT);
    assert_int_equal(health_note(&h, false), HEALTH_SAME);
    assert_int_equal(health_note(&h, true), HEALTH_CAME_ONLINE);
    assert_int_equal(health_note(&h, true), HEALTH_SAME);
}

static void forgives_failures_that_are_not_in_a_row(void **state)
{
    struct health h = { 0 };

    (void)state;
    for (int i = 0; i < 10; i++) {
        health_note(&h, false);
        health_note(&h, false);
        assert_int_not_equal(health_note(&h, true), HEALTH_WENT_SILENT);
    }
}

static int64_t longest_probe(int64_t interval_ms, bool is_alone)
{
    struct health h = { .is_silent = true };
    int64_t ms = 0;

    assert_int_equal(health_wait(&h, interval_ms, is_alone), interval_ms);
    for (int i = 0; i < 20; i++)
        ms = health_wait(&h, interval_ms, is_alone);
    return ms;
}

static void probes_ever_more_rarely_up_to_a_bound(void **state)
{
    struct health h = { .is_silent = true };

    (void)state;
    assert_int_equal(health_wait(&h, 1000, false), 1000);
    assert_int_equal(health_wait(&h, 1000, false), 2000);
    assert_int_equal(health_wait(&h, 1000, false), 4000);
    assert_int_equal(longest_probe(1000, false), 60000);
    assert_int_equal(longest_probe(1000, true), 10000);
    assert_int_equal(longest_probe(300000, true), 300000);
    health_hope(&h);
    assert_int_equal(health_wait(&h, 1000, false), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_what_is_due_in_order),
        cmocka_unit_test(keeps_what_is_not_due),
        cmocka_unit_test(moves_and_removes),
        cmocka_unit_test(finds_slots_on_both_sides_of_the_origin),
        cmocka_unit_test(calls_a_device_silent_after_three_failures),
        cmocka_unit_test(forgives_failures_that_are_not_in_a_row),
        cmocka_unit_test(probes_ever_more_rarely_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
