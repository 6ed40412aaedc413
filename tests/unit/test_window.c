/* SPDX-License-Identifier: Apache-2.0 */
/* What is acknowledged, and what is under way: cursor and window in virtual time. */
#include <string.h>

#include "gateway/forward/cursor.h"
#include "gateway/forward/pace.h"
#include "gateway/forward/pair.h"
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

/* ---- pace ---- */

/* Sends as fast as it may over a link of so many bytes a second for a while; the longest time
 * that something urgent would have waited behind what was under way, once it had settled. */
static int64_t longest_wait_ms(struct pace *p, int64_t bytes_per_s, int64_t latency_ms,
                               uint64_t *ret_sent)
{
    int64_t queued = 0, worst_ms = 0;
    const int64_t tick_ms = 10, run_ms = 120000;
    int64_t arrived[1024] = { 0 }; /* bytes by the tick of their acknowledgement, a ring */

    for (int64_t now = 0; now < run_ms; now += tick_ms) {
        size_t room = pace_room(p);
        if (room >= PACE_LEAST) {
            pace_handed(p, room, now);
            queued += (int64_t)room;
        }
        int64_t sent = bytes_per_s * tick_ms / 1000;
        sent = sent < queued ? sent : queued;
        queued -= sent;
        arrived[(now / tick_ms + latency_ms / tick_ms) % 1024] += sent;
        int64_t *now_arrived = &arrived[now / tick_ms % 1024];
        *ret_sent += (uint64_t)*now_arrived;
        *now_arrived = 0;
        int64_t wait_ms = queued * 1000 / bytes_per_s;
        if (now > run_ms / 4 && wait_ms > worst_ms)
            worst_ms = wait_ms;
        pace_left(p, (size_t)(p->handed - *ret_sent), now);
    }
    return worst_ms;
}

static void holds_what_is_under_way_to_what_the_link_takes(void **state)
{
    static const struct {
        int64_t bytes_per_s, latency_ms;
        unsigned least_pct; /* of the link is used */
    } links[] = {
        { 4000, 100, 80 },   /* GPRS */
        { 50000, 60, 90 },   /* narrow-band cellular */
        { 1000000, 20, 90 }, /* a good line */
        { 30000, 600, 50 },  /* over a satellite */
    };

    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct pace p;
        uint64_t sent = 0;
        pace_init(&p);
        int64_t wait_ms = longest_wait_ms(&p, links[i].bytes_per_s, links[i].latency_ms, &sent);
        assert_in_range(wait_ms, 0, 1000);
        assert_in_range(sent * 100 / (uint64_t)(links[i].bytes_per_s * 120), links[i].least_pct,
                        100);
    }
}

static void gives_a_quick_link_all_it_takes(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p);
    for (int i = 0; i < 20; i++) {
        pace_handed(&p, pace_room(&p), i);
        pace_left(&p, 0, i + 1);
    }
    assert_int_equal(pace_room(&p), PACE_MOST);
}

static void knows_a_link_that_is_silent(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p);
    assert_int_equal(pace_silent_ms(&p, 5000), 0);
    pace_handed(&p, 1000, 5000);
    pace_handed(&p, 1000, 6000);
    assert_int_equal(pace_silent_ms(&p, 9000), 4000);
    pace_left(&p, 1000, 9500); /* half of it arrived */
    assert_int_equal(pace_silent_ms(&p, 10000), 500);
    pace_left(&p, 0, 10000);
    assert_int_equal(pace_silent_ms(&p, 20000), 0);
}

/* ---- pair ---- */

static void two_uplinks_share_what_either_delivered(void **state)
{
    struct store_cursor a = { .acked_to = 10 }, b = { .acked_to = 10 };
    struct pair p;

    (void)state;
    pair_init(&p, "first", 5000);
    assert_false(pair_share(&p, &a));
    assert_false(pair_share(&p, &b));
    assert_true(cursor_ack(&a, 13, 14));
    assert_true(cursor_ack(&b, 11, 12));
    assert_true(pair_share(&p, &a));
    assert_true(pair_share(&p, &b));
    assert_int_equal(b.acked_to, 14);
    assert_true(pair_share(&p, &a));
    assert_int_equal(a.acked_to, 14);
    assert_false(pair_share(&p, &a));
    pair_done(&p);
}

static void the_second_takes_over_after_a_while_and_gives_back(void **state)
{
    struct pair p;

    (void)state;
    pair_init(&p, "first", 5000);
    assert_false(pair_has_failed_over(&p, 100000));
    pair_report(&p, 100000);
    assert_false(pair_has_failed_over(&p, 104999));
    assert_true(pair_has_failed_over(&p, 105000));
    pair_report(&p, INT64_MAX);
    assert_false(pair_has_failed_over(&p, 200000));
    pair_done(&p);
}

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
        cmocka_unit_test(holds_what_is_under_way_to_what_the_link_takes),
        cmocka_unit_test(gives_a_quick_link_all_it_takes),
        cmocka_unit_test(knows_a_link_that_is_silent),
        cmocka_unit_test(two_uplinks_share_what_either_delivered),
        cmocka_unit_test(the_second_takes_over_after_a_while_and_gives_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
