/* SPDX-License-Identifier: Apache-2.0 */
/* What is acknowledged, and what is under way: cursor and window in virtual time. */
#include <string.h>

#include "gateway/forward/cursor.h"
#include "gateway/forward/window.h"

#include "unit.h"

/* ---- cursor ---- */

static void moves_on_in_order(void **state)
{
    struct store_cursor c = { .acked_to = 0 };

    (void)state;
    assert_true(cursor_ack(&c, 1, 5));
    assert_true(cursor_ack(&c, 6, 6));
    assert_int_equal(c.acked_to, 6);
    assert_int_equal(c.above_n, 0);
    assert_int_equal(cursor_next(&c, 1), 7);
}

static void joins_ranges_that_touch(void **state)
{
    struct store_cursor c = { .acked_to = 10 };

    (void)state;
    assert_true(cursor_ack(&c, 20, 22));
    assert_true(cursor_ack(&c, 30, 30));
    assert_true(cursor_ack(&c, 25, 27));
    assert_int_equal(c.above_n, 3);
    assert_true(cursor_ack(&c, 23, 24)); /* between two */
    assert_int_equal(c.above_n, 2);
    assert_true(c.above[0].from == 20 && c.above[0].to == 27);
    assert_true(cursor_ack(&c, 11, 19));
    assert_int_equal(c.acked_to, 27);
    assert_int_equal(c.above_n, 1);
    assert_true(cursor_ack(&c, 15, 40)); /* overlaps all */
    assert_int_equal(c.acked_to, 40);
    assert_int_equal(c.above_n, 0);
}

static void knows_what_is_left(void **state)
{
    struct store_cursor c = { .acked_to = 10 };

    (void)state;
    assert_true(cursor_ack(&c, 13, 15));
    assert_true(cursor_has(&c, 10) && !cursor_has(&c, 11) && cursor_has(&c, 13));
    assert_true(cursor_has(&c, 15) && !cursor_has(&c, 16));
    assert_int_equal(cursor_next(&c, 13), 16);
    assert_int_equal(cursor_next(&c, 12), 12);
    assert_int_equal(cursor_backlog(&c, 20), 7);
    assert_int_equal(cursor_backlog(&c, 5), 0);
}

static void agrees_with_a_plain_set(void **state)
{
    enum { N = 200 };
    struct store_cursor c = { .acked_to = 0 };
    bool set[N + 2] = { true };
    uint32_t seed = 7;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        seed = seed * 1103515245 + 12345;
        uint64_t from = 1 + (seed >> 8) % N, to = from + (seed >> 20) % 5;
        if (to > N)
            to = N;
        if (round % 500 == 0) {
            memset(set + 1, 0, N);
            c = (struct store_cursor){ .acked_to = 0 };
        }
        assert_true(cursor_ack(&c, from, to));
        for (uint64_t i = from; i <= to; i++)
            set[i] = true;
        for (uint64_t i = 1; i <= N; i++)
            assert_int_equal(cursor_has(&c, i), set[i]);
        for (size_t i = 1; i < c.above_n; i++)
            assert_true(c.above[i].from > c.above[i - 1].to + 1);
    }
}

static void has_no_place_for_more_ranges(void **state)
{
    struct store_cursor c = { .acked_to = 0 };

    (void)state;
    for (uint64_t i = 0; i < STORE_RANGES_MAX; i++)
        assert_true(cursor_ack(&c, 10 + 2 * i, 10 + 2 * i));
    assert_false(cursor_ack(&c, 9000, 9000));
    assert_true(cursor_ack(&c, 11, 11)); /* joins two */
    assert_true(cursor_ack(&c, 9000, 9000));
}

/* ---- window ---- */

enum { FIRST = 60000, MAX = 3600000, OVERTAKEN = 5000 };

static int open_window(void **state)
{
    static struct window w;

    *state = &w;
    return window_init(&w, FIRST, MAX, OVERTAKEN);
}

static int close_window(void **state)
{
    window_done(*state);
    return 0;
}

static void sends_again_after_a_time_that_doubles(void **state)
{
    struct window *w = *state;
    uint64_t due[4];
    int64_t now = 1000;

    window_sent(w, 7, 100, now);
    for (int64_t wait = FIRST; wait <= 8 * FIRST; wait *= 2) {
        assert_int_equal(window_next_due(w), now + wait);
        assert_int_equal(window_due(w, now + wait - 1, due, 4), 0);
        now += wait;
        assert_int_equal(window_due(w, now, due, 4), 1);
        assert_int_equal(due[0], 7);
        window_sent(w, 7, 100, now);
    }
    for (int i = 0; i < 10; i++)
        window_sent(w, 7, 100, now);
    assert_int_equal(window_next_due(w), now + MAX);
    assert_int_equal(w->n, 1);
    assert_int_equal(w->bytes, 100);
}

static void forgets_what_is_acknowledged(void **state)
{
    struct window *w = *state;

    for (uint64_t i = 1; i <= 10; i++)
        window_sent(w, i, 10, 0);
    assert_int_equal(window_ack(w, 3, 5), 3);
    assert_int_equal(window_ack(w, 3, 5), 0);
    assert_false(window_has(w, 4));
    assert_true(window_has(w, 6));
    assert_int_equal(w->bytes, 70);
    assert_int_equal(window_ack(w, 0, UINT64_MAX), 7);
    assert_int_equal(window_next_due(w), INT64_MAX);
}

static void sends_again_what_was_overtaken(void **state)
{
    struct window *w = *state;
    uint64_t due[4];

    window_sent(w, 1, 10, 0);
    window_sent(w, 2, 10, OVERTAKEN);
    window_sent(w, 3, 10, OVERTAKEN + 1);
    window_ack(w, 2, 2); /* close behind: may still come */
    assert_int_equal(window_due(w, OVERTAKEN + 2, due, 4), 0);
    window_ack(w, 3, 3);
    assert_int_equal(window_due(w, OVERTAKEN + 2, due, 4), 1);
    assert_int_equal(due[0], 1);
}

static void is_overtaken_only_once(void **state)
{
    struct window *w = *state;
    uint64_t due[4];

    window_sent(w, 1, 10, 0);
    window_sent(w, 2, 10, 2 * OVERTAKEN);
    window_ack(w, 2, 2);
    window_sent(w, 1, 10, 2 * OVERTAKEN);
    window_sent(w, 3, 10, 9 * OVERTAKEN);
    window_ack(w, 3, 3);
    assert_int_equal(window_due(w, 9 * OVERTAKEN, due, 4), 0);
}

static void is_full_at_its_limits(void **state)
{
    struct window *w = *state;

    for (uint64_t i = 1; i <= WINDOW_ENTRIES_MAX; i++) {
        assert_int_equal(window_is_full(w), i > WINDOW_ENTRIES_MAX - WINDOW_SPARE + 1);
        window_sent(w, i, 1, 0);
    }
    window_sent(w, WINDOW_ENTRIES_MAX + 1, 1, 0);
    assert_int_equal(w->n, WINDOW_ENTRIES_MAX);
    window_clear(w);
    window_sent(w, 1, WINDOW_BYTES_MAX, 0);
    assert_true(window_is_full(w));
}

static void takes_entries_in_any_order(void **state)
{
    static const uint64_t order[] = { 50, 10, 30, 20, 40 };
    struct window *w = *state;
    uint64_t due[8];

    for (size_t i = 0; i < 5; i++)
        window_sent(w, order[i], 1, 0);
    assert_int_equal(window_due(w, FIRST, due, 8), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(due[i], (i + 1) * 10);
}

#define WINDOW(name) cmocka_unit_test_setup_teardown(name, open_window, close_window)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_on_in_order),
        cmocka_unit_test(joins_ranges_that_touch),
        cmocka_unit_test(knows_what_is_left),
        cmocka_unit_test(agrees_with_a_plain_set),
        cmocka_unit_test(has_no_place_for_more_ranges),
        WINDOW(sends_again_after_a_time_that_doubles),
        WINDOW(forgets_what_is_acknowledged),
        WINDOW(sends_again_what_was_overtaken),
        WINDOW(is_overtaken_only_once),
        WINDOW(is_full_at_its_limits),
        WINDOW(takes_entries_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
