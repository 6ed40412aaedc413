/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "gateway/poll/poll.h"
#include "sensors/core/bytes.h"
#include "tests/unit/poll_sheet.h"

/* ---- the poller on a loop, with a server beside it ---- */

enum { DEVICES = 4, SPEED = 20, LIMIT_MS = 5000 };
/* A machine with other work may hold the whole test up, server and poller alike, for longer
 * than a slot has room: then what came of it says nothing, and the test is repeated. */
enum { BEAT_MS = 2, HELD_UP_MS = 10, TRIES_MAX = 60 };

struct station {
    uv_loop_t loop;
    uv_tcp_t server, client;
    bool has_client, is_dead[256];
    uint8_t in[256];
    size_t n;
    uint16_t port;
    uv_timer_t limit, delay, beat;
    int64_t beat_ms;   /* the last one */
    bool is_held_up;   /* was, at any time */
    uint64_t delay_ms; /* of every answer */
    bool is_over;

    struct sheet sheet;
    struct clock clock;
    struct poll_bus bus;
    struct poll_device devices[DEVICES];
    struct poll *poll;
    int scans[DEVICES], good[DEVICES];
    int64_t last_ms[DEVICES];
    int states[4];
    enum scan_outcome outcome;
    bool is_closed;
};

static void answer(struct station *st, const uint8_t *adu)
{
    uint8_t out[64];
    uint16_t first = get_be16(adu + 8), count = get_be16(adu + 10);
    uv_buf_t buf = uv_buf_init((char *)out, 9u + 2u * count);

    if (st->is_dead[adu[6]])
        return;
    memcpy(out, adu, 8);
    put_be16(out + 4, (uint16_t)(3 + 2 * count));
    out[8] = (uint8_t)(2 * count);
    for (uint16_t i = 0; i < count; i++)
        put_be16(out + 9 + 2 * i, (uint16_t)(first + i));
    assert_int_equal(uv_try_write((uv_stream_t *)&st->client, &buf, 1), 9 + 2 * count);
}

static void take_request(struct station *st)
{
    answer(st, st->in);
    st->n -= 12;
    memmove(st->in, st->in + 12, st->n);
}

static void on_delay(uv_timer_t *t)
{
    take_request(t->data);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    struct station *st = h->data;

    (void)size;
    *buf = uv_buf_init((char *)st->in + st->n, (unsigned)(sizeof st->in - st->n));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct station *st = h->data;

    (void)buf;
    if (n <= 0)
        return;
    st->n += (size_t)n;
    if (st->delay_ms && st->n >= 12)
        uv_timer_start(&st->delay, on_delay, st->delay_ms, 0);
    while (!st->delay_ms && st->n >= 12)
        take_request(st);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct station *st = server->data;

    assert_int_equal(status, 0);
    if (st->has_client)
        return;
    uv_tcp_init(&st->loop, &st->client);
    st->client.data = st;
    st->has_client = true;
    assert_int_equal(uv_accept(server, (uv_stream_t *)&st->client), 0);
    uv_read_start((uv_stream_t *)&st->client, on_alloc, on_read);
}

static void on_scan(void *user, const struct scan *s)
{
    struct station *st = user;
    bool is_good = s->outcome == SCAN_OK;

    assert_int_equal(s->n, POINTS);
    assert_true(s->start_ms <= s->time_ms);
    if (is_good)
        assert_int_equal(s->readings[3].value.v, 101);
    st->scans[s->device]++;
    st->good[s->device] += is_good;
    st->last_ms[s->device] = s->time_ms;
    st->outcome = s->outcome;
}

static void on_state(void *user, uint32_t device, enum device_state state,
                     enum scan_outcome why)
{
    struct station *st = user;

    (void)device, (void)why;
    st->states[state]++;
}

static void on_limit(uv_timer_t *t)
{
    ((struct station *)t->data)->is_over = true;
}

static void on_beat(uv_timer_t *t)
{
    struct station *st = t->data;
    int64_t now_ms = mono_ms();

    st->is_held_up = st->is_held_up || now_ms - st->beat_ms > HELD_UP_MS;
    st->beat_ms = now_ms;
}

static void listen_here(struct station *st)
{
    struct sockaddr_in a;
    int size = sizeof a;

    uv_ip4_addr("127.0.0.1", 0, &a);
    uv_tcp_init(&st->loop, &st->server);
    st->server.data = st;
    uv_tcp_bind(&st->server, (const struct sockaddr *)&a, 0);
    uv_tcp_getsockname(&st->server, (struct sockaddr *)&a, &size);
    st->port = (uint16_t)(a.sin_port >> 8 | a.sin_port << 8);
}

/* Station time runs SPEED times as fast and has an hour to go. */
static void station_init(struct station *st, bool has_server)
{
    struct clock now;

    memset(st, 0, sizeof *st);
    sheet_init(&st->sheet);
    clock_init(&now, 1, 0);
    clock_init(&st->clock, SPEED, clock_wall_ms(&now) - 3600000);
    uv_loop_init(&st->loop);
    uv_timer_init(&st->loop, &st->limit);
    uv_timer_init(&st->loop, &st->delay);
    uv_timer_init(&st->loop, &st->beat);
    st->limit.data = st->delay.data = st->beat.data = st;
    st->beat_ms = mono_ms();
    uv_timer_start(&st->beat, on_beat, BEAT_MS, BEAT_MS);
    listen_here(st);
    if (has_server)
        assert_int_equal(uv_listen((uv_stream_t *)&st->server, 4, on_connection), 0);
    st->bus = (struct poll_bus){ .id = "b",
                                 .place = { .type = BUS_MODBUS_TCP,
                                            .host = "127.0.0.1",
                                            .port = st->port,
                                            .connect_timeout_ms = 500 } };
    for (uint8_t i = 0; i < DEVICES; i++) {
        st->devices[i] = st->sheet.conf;
        st->devices[i].unit = (uint8_t)(i + 1);
    }
    const struct poll_options o = { .loop = &st->loop,
                                    .clock = &st->clock,
                                    .buses = &st->bus,
                                    .buses_n = 1,
                                    .devices = st->devices,
                                    .devices_n = DEVICES,
                                    .on_scan = on_scan,
                                    .on_state = on_state,
                                    .user = st };
    assert_int_equal(poll_create(&o, &st->poll), 0);
    poll_start(st->poll);
}

static bool comes(struct station *st, const int *count, int value)
{
    st->is_over = false;
    uv_timer_start(&st->limit, on_limit, LIMIT_MS, 0);
    while (*count < value && !st->is_over)
        uv_run(&st->loop, UV_RUN_ONCE);
    uv_timer_stop(&st->limit);
    return !st->is_over;
}

static void run_until(struct station *st, const int *count, int value)
{
    assert_true(comes(st, count, value));
}

static void on_poll_closed(void *user)
{
    ((struct station *)user)->is_closed = true;
}

static void station_done(struct station *st)
{
    poll_stop(st->poll, on_poll_closed, st);
    while (!st->is_closed)
        uv_run(&st->loop, UV_RUN_ONCE);
    poll_destroy(st->poll);
    uv_close((uv_handle_t *)&st->server, NULL);
    uv_close((uv_handle_t *)&st->limit, NULL);
    uv_close((uv_handle_t *)&st->delay, NULL);
    uv_close((uv_handle_t *)&st->beat, NULL);
    if (st->has_client)
        uv_close((uv_handle_t *)&st->client, NULL);
    uv_run(&st->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&st->loop), 0);
}

/* Whether `try` says that all was as it should be, the first time that it can be told. */
static bool is_so(bool (*try)(struct station *st))
{
    struct station st;
    bool is_good = false;

    for (int i = 0; i < TRIES_MAX && !is_good; i++) {
        station_init(&st, true);
        is_good = try(&st);
        station_done(&st);
        if (!st.is_held_up)
            break;
    }
    return is_good;
}

static bool has_polled_at_every_slot(struct station *st)
{
    struct poll_jitter j;

    if (!comes(st, &st->good[DEVICES - 1], 1))
        return false;
    int64_t first_ms = st->last_ms[DEVICES - 1];
    if (!comes(st, &st->good[DEVICES - 1], 11))
        return false;
    int64_t took_ms = st->last_ms[DEVICES - 1] - first_ms;
    poll_jitter_get(st->poll, &j);
    bool is_good = took_ms >= 9500 && took_ms <= 10800 &&
                   st->states[DEVICE_ONLINE] == DEVICES && j.max_us >= 0;
    for (int i = 0; i < DEVICES; i++)
        is_good = is_good && st->good[i] >= 10 && st->good[i] <= 12;
    return is_good;
}

static void polls_every_device_at_every_slot(void **state)
{
    (void)state;
    assert_true(is_so(has_polled_at_every_slot));
}

static bool are_neighbours_on_time(struct station *st)
{
    st->is_dead[1] = true;
    if (!comes(st, &st->states[DEVICE_SILENT], 1))
        return false;
    int before = st->good[3];
    int64_t from_ms = st->last_ms[3];
    if (!comes(st, &st->good[3], before + 20))
        return false;
    int64_t took_ms = st->last_ms[3] - from_ms;
    return took_ms >= 19000 && took_ms <= 22000 &&
           poll_device_state(st->poll, 0) == DEVICE_SILENT;
}

static void a_dead_unit_costs_its_neighbours_nothing(void **state)
{
    (void)state;
    assert_true(is_so(are_neighbours_on_time));
}

/* Eight answers of 8 ms do not fit into the 50 ms of an interval. */
static bool is_line_shared(struct station *st)
{
    int fewest = INT_MAX, most = 0;

    st->delay_ms = 8;
    if (!comes(st, &st->good[0], 12))
        return false;
    for (int i = 0; i < DEVICES; i++) {
        fewest = st->good[i] < fewest ? st->good[i] : fewest;
        most = st->good[i] > most ? st->good[i] : most;
    }
    return fewest * 3 >= most * 2;
}

static void shares_a_line_that_is_asked_for_too_much(void **state)
{
    (void)state;
    assert_true(is_so(is_line_shared));
}

static void brings_a_device_back(void **state)
{
    struct station st;
    struct poll_counters c;

    (void)state;
    memset(&st, 0, sizeof st);
    station_init(&st, true);
    st.is_dead[2] = true;
    run_until(&st, &st.states[DEVICE_SILENT], 1);
    st.is_dead[2] = false;
    run_until(&st, &st.good[1], 1);
    assert_int_equal(poll_device_state(st.poll, 1), DEVICE_ONLINE);
    poll_counters_get(st.poll, 1, &c);
    assert_true(c.timeouts >= 3);
    assert_true(c.last_answer_ms > 0);
    station_done(&st);
}

static void hands_over_failures_too(void **state)
{
    struct station st;

    (void)state;
    station_init(&st, false);
    run_until(&st, &st.scans[2], 3);
    assert_int_equal(st.outcome, SCAN_NO_LINK);
    assert_int_equal(st.good[2], 0);
    station_done(&st);
}

static void polls_at_once_when_the_link_is_back(void **state)
{
    struct station st;

    (void)state;
    station_init(&st, false);
    run_until(&st, &st.states[DEVICE_SILENT], DEVICES);
    assert_int_equal(uv_listen((uv_stream_t *)&st.server, 4, on_connection), 0);
    run_until(&st, &st.good[0], 1);
    station_done(&st);
}

static void refuses_what_cannot_be_polled(void **state)
{
    struct station st;
    struct poll *p;

    (void)state;
    memset(&st, 0, sizeof st);
    sheet_init(&st.sheet);
    clock_init(&st.clock, 1, 0);
    uv_loop_init(&st.loop);
    st.devices[0] = st.sheet.conf;
    st.devices[0].bus = 1;
    const struct poll_options o = { .loop = &st.loop,
                                    .clock = &st.clock,
                                    .buses = &st.bus,
                                    .buses_n = 1,
                                    .devices = st.devices,
                                    .devices_n = 1,
                                    .on_scan = on_scan,
                                    .user = &st };
    assert_int_equal(poll_create(&o, &p), -EINVAL);
    assert_int_equal(uv_loop_close(&st.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_every_device_at_every_slot),
        cmocka_unit_test(a_dead_unit_costs_its_neighbours_nothing),
        cmocka_unit_test(shares_a_line_that_is_asked_for_too_much),
        cmocka_unit_test(brings_a_device_back),
        cmocka_unit_test(hands_over_failures_too),
        cmocka_unit_test(polls_at_once_when_the_link_is_back),
        cmocka_unit_test(refuses_what_cannot_be_polled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
