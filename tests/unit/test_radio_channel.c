/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/radio_channel.h"
#include "tests/unit/unit.h"

enum { HALF_A_MINUTE_US = 30000000 };

struct port {
    struct radio_turn turn;
    int turns;
};

struct world {
    uv_loop_t loop;
    struct radio_channel *channel;
    struct port port[3];
    int closed;
};

static void on_turn(void *user)
{
    struct port *p = user;

    assert_true(p->turn.is_mine);
    p->turns++;
}

static void setup(struct world *w)
{
    *w = (struct world){ 0 };
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(radio_channel_create(&w->loop, "ch-18", 0.5, &w->channel), 0);
    for (size_t i = 0; i < 3; i++)
        w->port[i].turn = (struct radio_turn){ .on_turn = on_turn, .user = &w->port[i] };
}

static void on_closed(void *user)
{
    ((struct world *)user)->closed++;
}

static void teardown(struct world *w)
{
    radio_channel_close(w->channel, on_closed, w);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->closed, 1);
    radio_channel_destroy(w->channel);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void ask(struct world *w, size_t i)
{
    radio_channel_ask(w->channel, &w->port[i].turn);
}

static void leave(struct world *w, size_t i, int64_t air_us)
{
    radio_channel_leave(w->channel, &w->port[i].turn, air_us, 0);
}

static void assert_turns(const struct world *w, int a, int b, int c)
{
    assert_int_equal(w->port[0].turns, a);
    assert_int_equal(w->port[1].turns, b);
    assert_int_equal(w->port[2].turns, c);
}

static void one_speaks_at_a_time_in_the_order_of_asking(void **state)
{
    struct world w;

    (void)state;
    setup(&w);
    ask(&w, 0);
    ask(&w, 2);
    ask(&w, 1);
    assert_turns(&w, 1, 0, 0);
    leave(&w, 0, 1000);
    ask(&w, 0);
    assert_turns(&w, 1, 0, 1);
    leave(&w, 2, 1000);
    assert_turns(&w, 1, 1, 1);
    leave(&w, 1, 1000);
    assert_turns(&w, 2, 1, 1);
    leave(&w, 0, 1000);
    assert_int_equal(radio_channel_air_us(w.channel), 4000);
    teardown(&w);
}

static void whoever_withdraws_holds_up_nobody(void **state)
{
    struct world w;

    (void)state;
    setup(&w);
    ask(&w, 0);
    ask(&w, 1);
    ask(&w, 2);
    radio_channel_withdraw(w.channel, &w.port[1].turn);
    radio_channel_withdraw(w.channel, &w.port[0].turn);
    assert_turns(&w, 1, 0, 1);
    radio_channel_withdraw(w.channel, &w.port[2].turn);
    teardown(&w);
}

/* Half of the last minute was spent: the next one waits until some of it has sunk. */
static void nobody_speaks_when_the_air_time_is_used_up(void **state)
{
    struct world w;

    (void)state;
    setup(&w);
    ask(&w, 0);
    leave(&w, 0, HALF_A_MINUTE_US);
    ask(&w, 1);
    assert_turns(&w, 1, 1, 0);
    leave(&w, 1, 200000);
    ask(&w, 2);
    assert_turns(&w, 1, 1, 0);
    while (w.port[2].turns == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    radio_channel_withdraw(w.channel, &w.port[2].turn);
    teardown(&w);
}

static void the_channel_is_left_silent_after_a_missing_answer(void **state)
{
    struct world w;

    (void)state;
    setup(&w);
    ask(&w, 0);
    radio_channel_leave(w.channel, &w.port[0].turn, 0, 20);
    ask(&w, 1);
    assert_turns(&w, 1, 0, 0);
    while (w.port[1].turns == 0)
        uv_run(&w.loop, UV_RUN_ONCE);
    radio_channel_withdraw(w.channel, &w.port[1].turn);
    teardown(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_speaks_at_a_time_in_the_order_of_asking),
        cmocka_unit_test(whoever_withdraws_holds_up_nobody),
        cmocka_unit_test(nobody_speaks_when_the_air_time_is_used_up),
        cmocka_unit_test(the_channel_is_left_silent_after_a_missing_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
