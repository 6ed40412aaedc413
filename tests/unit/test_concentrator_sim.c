/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated concentrator on its own, and against the gateway's side on loopback. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/forwarder/concentrators.h"
#include "gateway/lorawan/region.h"
#include "gateway/sim/concentrator_sim.h"
#include "gateway/sim/txpk.h"

#define EUI UINT64_C(0x0016c001ff10a235)

enum { WAIT_MS = 3000, LISTENER_MAX = 4 };

static const struct concentrator_conf conf = { .id = "roof", .eui = EUI, .keepalive_ms = 200 };
static const struct radio_rate sf7 = { .sf = 7, .bw_hz = 125000 };
static const struct air_frame uplink = { .freq_hz = 868100000,
                                         .rate = { .sf = 7, .bw_hz = 125000 },
                                         .has_crc = true,
                                         .phy = { 0x40, 1, 2, 3 },
                                         .n = 4 };

struct fixture {
    uv_loop_t loop;
    struct clock clock;
    struct concentrators *server;
    struct air *air;
    struct concentrator_sim *sim;
    int device;
    unsigned rx_n, results_n, ups, silences, restarts, radiated_n, heard_n;
    struct radio_rx rx;
    uint8_t phy[RADIO_SIZE_MAX];
    enum radio_result result;
    struct air_frame radiated, heard;
};

static void on_rx(void *user, const struct radio_rx *rx)
{
    struct fixture *f = user;

    f->rx_n++;
    f->rx = *rx;
    memcpy(f->phy, rx->phy, rx->n);
}

static void on_result(void *user, uint64_t id, enum radio_result r)
{
    struct fixture *f = user;

    (void)id;
    f->results_n++;
    f->result = r;
}

static void on_state(void *user, uint32_t concentrator, enum concentrator_state s,
                     bool is_restart)
{
    struct fixture *f = user;

    (void)concentrator;
    f->restarts += is_restart;
    f->ups += !is_restart && s == CONCENTRATOR_UP;
    f->silences += !is_restart && s == CONCENTRATOR_SILENT;
}

static void on_radiate(void *user, const struct air_frame *frame)
{
    struct fixture *f = user;

    f->radiated_n++;
    f->radiated = *frame;
}

static void on_heard(void *user, const struct air_frame *frame, float rssi, float snr)
{
    struct fixture *f = user;

    (void)rssi;
    (void)snr;
    f->heard_n++;
    f->heard = *frame;
}

/* Loop, server, air with one device; the concentrator is the test's. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char error[256];

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    clock_init(&f->clock, 1, 0);
    const struct concentrators_options o = { .loop = &f->loop,
                                             .clock = &f->clock,
                                             .listen = "127.0.0.1:0",
                                             .concentrators = &conf,
                                             .n = 1,
                                             .on_rx = on_rx,
                                             .on_result = on_result,
                                             .on_state = on_state,
                                             .user = f };
    assert_int_equal(concentrators_start(&o, &f->server, error, sizeof error), 0);
    assert_int_equal(air_create(&(struct air_options){ .loop = &f->loop, .seed = 1 }, &f->air),
                     0);
    f->device = air_join(
        f->air, &(struct air_ear){ .hears_inverted = true, .hear = on_heard, .user = f });
    assert_true(f->device >= 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    concentrator_sim_destroy(f->sim);
    air_destroy(f->air);
    concentrators_stop(f->server, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    concentrators_destroy(f->server);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void start(struct fixture *f, struct concentrator_sim_options o)
{
    char server[32];

    snprintf(server, sizeof server, "127.0.0.1:%u", concentrators_port(f->server));
    o.loop = &f->loop;
    o.server = server;
    o.eui = EUI;
    o.air = f->air;
    o.keepalive_ms = 100;
    o.on_radiate = on_radiate;
    o.user = f;
    assert_int_equal(concentrator_sim_create(&o, &f->sim), 0);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static void wait_for(struct fixture *f, const unsigned *count, unsigned n)
{
    const int64_t end_ms = mono_ms() + WAIT_MS;
    uv_timer_t tick;

    uv_timer_init(&f->loop, &tick);
    uv_timer_start(&tick, on_tick, 1, 1);
    while (*count < n) {
        assert_true(mono_ms() < end_ms);
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static void send_uplink(struct fixture *f)
{
    struct air_frame up = uplink;

    up.start_us = now_us();
    assert_int_equal(air_send(f->air, (unsigned)f->device, &up), 0);
}

static struct radio_tx downlink(uint32_t tmst)
{
    return (struct radio_tx){ .id = 7,
                              .tmst = tmst,
                              .freq_hz = 868100000,
                              .rate = sf7,
                              .power_dbm = 14,
                              .phy = { 0x60, 9 },
                              .n = 2 };
}

static struct concentrator_sim_counters counters(const struct fixture *f)
{
    struct concentrator_sim_counters k;

    concentrator_sim_get(f->sim, &k);
    return k;
}

static void an_uplink_gets_through_with_its_time(void **state)
{
    struct fixture *f = *state;

    start(f, (struct concentrator_sim_options){ .tmst_start = 4294967290U });
    wait_for(f, &f->ups, 1);
    send_uplink(f);
    const int64_t end_us = now_us() + radio_airtime_us(&sf7, 4, true);
    wait_for(f, &f->rx_n, 1);
    assert_int_equal(f->rx.freq_hz, 868100000);
    assert_int_equal(f->rx.rate.sf, 7);
    assert_int_equal(f->rx.n, 4);
    assert_memory_equal(f->phy, uplink.phy, 4);
    assert_true(f->rx.rssi == -70.0F && f->rx.snr == 9.0F);
    assert_true(f->rx.tmst < 3000000); /* its counter has wrapped */
    assert_in_range(f->rx.mono_us - end_us + 2000, 0, 1000000);
    assert_int_equal(counters(f).push, 1);
    send_uplink(f);
    wait_for(f, &f->rx_n, 2);
    assert_true(counters(f).push_acked >= 1 && counters(f).pull_acked >= 1);
    assert_int_equal(f->restarts, 0);
}

/* To the microsecond of its counter, and the device hears it. */
static void a_downlink_is_radiated_at_its_time(void **state)
{
    struct fixture *f = *state;

    start(f, (struct concentrator_sim_options){ .tmst_start = 4294900000U });
    wait_for(f, &f->ups, 1);
    send_uplink(f);
    wait_for(f, &f->rx_n, 1);
    const int64_t before_us = now_us();
    const uint32_t tmst = f->rx.tmst + 200000;
    const uint32_t away_us = tmst - concentrator_sim_tmst(f->sim);
    const struct radio_tx tx = downlink(tmst);
    assert_int_equal(concentrators_send(f->server, &tx), 0);
    wait_for(f, &f->results_n, 1);
    assert_int_equal(f->result, RADIO_ACCEPTED);
    wait_for(f, &f->heard_n, 1);
    assert_int_equal(f->radiated_n, 1);
    assert_in_range(f->radiated.start_us - before_us - away_us + 1000, 0, 2000);
    assert_true(f->radiated.is_inverted && !f->radiated.has_crc);
    assert_int_equal(f->heard.freq_hz, 868100000);
    assert_memory_equal(f->heard.phy, "\x60\x09", 2);
    assert_true(f->heard.end_us == f->heard.start_us + radio_airtime_us(&sf7, 2, false));
}

static void says_what_the_reference_says_of_wrong_times(void **state)
{
    struct fixture *f = *state;
    struct radio_tx tx;
    static const struct {
        int32_t away_us;
        enum radio_result r;
    } cases[] = { { 20000, RADIO_TOO_LATE },      { -1000, RADIO_TOO_EARLY },
                  { 600000000, RADIO_TOO_EARLY }, { 500000, RADIO_ACCEPTED },
                  { 530000, RADIO_COLLISION },    { 800000, RADIO_ACCEPTED } };

    start(f, (struct concentrator_sim_options){ .tmst_start = 4294900000U });
    wait_for(f, &f->ups, 1);
    const uint32_t now = concentrator_sim_tmst(f->sim);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint32_t from = i < 3 ? concentrator_sim_tmst(f->sim) : now;
        tx = downlink(from + (uint32_t)cases[i].away_us);
        assert_int_equal(concentrators_send(f->server, &tx), 0);
        wait_for(f, &f->results_n, i + 1);
        assert_int_equal(f->result, cases[i].r);
    }
    const struct concentrator_sim_counters k = counters(f);
    assert_true(k.asked == 6 && k.accepted == 2 && k.too_late == 1 && k.too_early == 2 &&
                k.collisions == 1);
}

static void an_immediate_one_leaves_at_once(void **state)
{
    struct fixture *f = *state;
    struct radio_tx tx = downlink(0);

    start(f, (struct concentrator_sim_options){ .min_hz = 863000000, .max_hz = 870000000 });
    wait_for(f, &f->ups, 1);
    tx.is_immediate = true;
    const int64_t before_us = now_us();
    assert_int_equal(concentrators_send(f->server, &tx), 0);
    wait_for(f, &f->radiated_n, 1);
    assert_in_range(f->radiated.start_us - before_us, 80000, 1000000);
    tx.freq_hz = 486300000;
    assert_int_equal(concentrators_send(f->server, &tx), 0);
    wait_for(f, &f->results_n, 2);
    assert_int_equal(f->result, RADIO_REFUSED);
}

static void is_deaf_while_it_transmits(void **state)
{
    struct fixture *f = *state;
    struct radio_tx tx = downlink(0);

    start(f, (struct concentrator_sim_options){ .keepalive_ms = 0 });
    wait_for(f, &f->ups, 1);
    tx.is_immediate = true;
    tx.n = 100;
    assert_int_equal(concentrators_send(f->server, &tx), 0);
    wait_for(f, &f->radiated_n, 1);
    struct air_frame up = uplink;
    up.start_us = f->radiated.start_us + 1000;
    up.end_us = up.start_us + 30000;
    concentrator_sim_hear(f->sim, &up, -70, 9);
    assert_int_equal(counters(f).deaf, 1);
    assert_int_equal(counters(f).heard, 0);
    up.start_us = f->radiated.end_us;
    up.end_us = up.start_us + 30000;
    concentrator_sim_hear(f->sim, &up, -70, 9);
    assert_int_equal(counters(f).heard, 1);
}

static void a_mute_one_answers_nothing_and_garbled_frames_are_dropped(void **state)
{
    struct fixture *f = *state;
    struct concentrator_counters k;
    const struct radio_tx tx = downlink(500000);

    start(f, (struct concentrator_sim_options){ .is_mute = true, .crc_bad = 1 });
    wait_for(f, &f->ups, 1);
    assert_int_equal(concentrators_send(f->server, &tx), 0);
    send_uplink(f);
    wait_for(f, &f->results_n, 1);
    assert_int_equal(f->result, RADIO_NO_ANSWER);
    assert_int_equal(f->radiated_n, 1);
    concentrators_get(f->server, 0, &k);
    assert_true(k.rx == 0 && k.rx_crc_bad == 1 && f->rx_n == 0);
}

static void a_restart_and_a_cut_are_noticed(void **state)
{
    struct fixture *f = *state;

    start(f, (struct concentrator_sim_options){ .tmst_start = 1000000000U });
    send_uplink(f);
    wait_for(f, &f->rx_n, 1);
    const struct radio_tx tx = downlink(concentrator_sim_tmst(f->sim) + 400000);
    assert_int_equal(concentrators_send(f->server, &tx), 0);
    wait_for(f, &f->results_n, 1);
    assert_int_equal(concentrator_sim_restart(f->sim), 0);
    send_uplink(f);
    wait_for(f, &f->rx_n, 2);
    assert_int_equal(f->restarts, 1);
    assert_true(f->rx.tmst < 1000000);
    concentrator_sim_cut(f->sim, true);
    wait_for(f, &f->silences, 1);
    concentrator_sim_cut(f->sim, false);
    wait_for(f, &f->ups, 2);
    assert_int_equal(f->radiated_n, 0); /* what was queued went with the restart */
}

static void frames_that_meet_are_lost_and_weak_ones_too(void **state)
{
    struct fixture *f = *state;
    struct air *air;
    struct air_frame up = uplink, slow = uplink;
    unsigned ear;

    assert_int_equal(
        air_create(&(struct air_options){ .loop = &f->loop, .is_colliding = true }, &air), 0);
    ear = (unsigned)air_join(air, &(struct air_ear){ .hear = on_heard, .user = f });
    up.start_us = slow.start_us = now_us();
    slow.rate.sf = 9;
    assert_int_equal(air_send(air, 99, &up), 0);
    assert_int_equal(air_send(air, 98, &up), 0);
    assert_int_equal(air_send(air, 97, &slow), 0); /* another data rate passes between */
    wait_for(f, &f->heard_n, 1);
    assert_int_equal(f->heard.rate.sf, 9);
    up.start_us = now_us();
    assert_int_equal(air_send(air, 99, &up), 0);
    wait_for(f, &f->heard_n, 2);
    air_leave(air, ear);
    air_destroy(air);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

#define TXPK_END \
    "\"rfch\":0,\"datr\":\"SF7BW125\",\"modu\":\"LORA\",\"size\":2,\"data\":\"YAk=\"}}"

static void drops_in_silence_what_lacks_a_mandatory_field(void **state)
{
    static const struct {
        const char *json;
        int rc;
    } cases[] = {
        { "{\"txpk\":{\"tmst\":1,\"freq\":868.1,\"codr\":\"4/5\"," TXPK_END, 0 },
        { "{\"txpk\":{\"imme\":true,\"freq\":868.1,\"codr\":\"4/5\"," TXPK_END, 0 },
        { "{\"txpk\":{\"tmms\":1,\"freq\":868.1,\"codr\":\"4/5\"," TXPK_END, -ENOTSUP },
        { "{\"txpk\":{\"freq\":868.1,\"codr\":\"4/5\"," TXPK_END, -EINVAL },
        { "{\"txpk\":{\"tmst\":1,\"codr\":\"4/5\"," TXPK_END, -EINVAL },
        { "{\"txpk\":{\"tmst\":1,\"freq\":868.1," TXPK_END, -EINVAL },
        { "{\"txpk\":{\"tmst\":1,\"freq\":868.1,\"codr\":\"4/9\"," TXPK_END, -EINVAL },
        { "{\"txpk\":{\"tmst\":1,\"freq\":\"868.1\",\"codr\":\"4/5\"," TXPK_END, -EINVAL },
        { "{\"tmst\":1}", -EINVAL },
        { "", -EINVAL },
    };
    struct jit_packet p;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(txpk_read(cases[i].json, strlen(cases[i].json), &p), cases[i].rc);
}

static void the_queue_holds_32_in_order_across_the_wrap(void **state)
{
    static struct jit_queue q;
    const uint32_t now = 4294000000U;
    struct jit_packet p = { .airtime_us = 10000 };

    (void)state;
    assert_int_equal(jit_queue_wait_us(&q, now), -1);
    for (uint32_t i = 0; i < JIT_QUEUE_MAX; i++) {
        p.tmst = now + 100000 + (i * 7 % JIT_QUEUE_MAX) * 100000;
        assert_int_equal(jit_queue_add(&q, &p, now), JIT_TAKEN);
    }
    p.tmst = now + 60000000;
    assert_int_equal(jit_queue_add(&q, &p, now), JIT_FULL);
    assert_int_equal(jit_queue_wait_us(&q, now), 100000 - JIT_LEAD_US);
    for (uint32_t i = 0; i < JIT_QUEUE_MAX; i++)
        assert_int_equal(jit_queue_take(&q).tmst, now + 100000 + i * 100000);
}

static void an_immediate_packet_goes_behind_the_queued_ones(void **state)
{
    static struct jit_queue q;
    struct jit_packet p = { .tmst = 1100000, .airtime_us = 50000 };

    (void)state;
    assert_int_equal(jit_queue_add(&q, &p, 1000000), JIT_TAKEN);
    p.is_immediate = true;
    assert_int_equal(jit_queue_add(&q, &p, 1000000), JIT_TAKEN);
    jit_queue_take(&q);
    const uint32_t tmst = jit_queue_take(&q).tmst;
    assert_true(tmst >= 1100000 + 50000 && tmst <= 1100000 + 50000 + 100000);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(an_uplink_gets_through_with_its_time),
        WITH(a_downlink_is_radiated_at_its_time),
        WITH(says_what_the_reference_says_of_wrong_times),
        WITH(an_immediate_one_leaves_at_once),
        WITH(is_deaf_while_it_transmits),
        WITH(a_mute_one_answers_nothing_and_garbled_frames_are_dropped),
        WITH(a_restart_and_a_cut_are_noticed),
        WITH(frames_that_meet_are_lost_and_weak_ones_too),
        cmocka_unit_test(drops_in_silence_what_lacks_a_mandatory_field),
        cmocka_unit_test(the_queue_holds_32_in_order_across_the_wrap),
        cmocka_unit_test(an_immediate_packet_goes_behind_the_queued_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
