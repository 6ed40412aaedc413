/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "gateway/poll/device.h"
#include "sensors/core/bytes.h"

/* ---- one profile for all: two blocks of two 16-bit registers ---- */

enum { BLOCKS = 2, POINTS = 4, UNIT = 9, TIMEOUT_MS = 40 };

struct sheet {
    struct profile profile;
    struct profile_point points[POINTS];
    struct profile_span spans[BLOCKS];
    struct poll_device conf;
};

static void sheet_init(struct sheet *s)
{
    memset(s, 0, sizeof *s);
    for (uint16_t i = 0; i < POINTS; i++) {
        s->points[i] = (struct profile_point){
            .id = "p",
            .at = { SPACE_HOLDING, (uint16_t)(i / 2 * 100 + i % 2), 1, -1 },
            .type = TYPE_U16,
            .order = -1,
            .scale = 1,
        };
    }
    for (uint16_t i = 0; i < BLOCKS; i++)
        s->spans[i] =
            (struct profile_span){ SPACE_HOLDING, (uint16_t)(100 * i), 2, (uint16_t)(2 * i) };
    s->profile = (struct profile){ .id = "sheet",
                                   .points = s->points,
                                   .points_n = POINTS,
                                   .spans = s->spans,
                                   .spans_n = BLOCKS,
                                   .words_n = POINTS,
                                   .retries = 1 };
    s->conf = (struct poll_device){ .id = "d",
                                    .profile = &s->profile,
                                    .unit = UNIT,
                                    .order = -1,
                                    .interval_ms = 1000,
                                    .timeout_ms = TIMEOUT_MS,
                                    .is_enabled = true };
}

/* ---- a device alone, with replies made up ---- */

struct bench {
    struct sheet sheet;
    struct device d;
    struct reading readings[POINTS];
    struct plan_piece left_out;
    enum health_change change;
};

static void setup(struct bench *b)
{
    memset(b, 0, sizeof *b);
    sheet_init(&b->sheet);
    assert_int_equal(device_init(&b->d, &b->sheet.conf, 0), 0);
    device_begin(&b->d, 0, 0, 5000);
}

static enum device_step take(struct bench *b, enum bus_outcome outcome, uint8_t exception)
{
    struct bus_request q = device_ask(&b->d);
    struct bus_reply r = { .outcome = outcome,
                           .exception = exception,
                           .time_ms = 6000,
                           .took_ms = 12,
                           .n = outcome == BUS_OK ? q.count : 0 };

    for (uint16_t i = 0; i < r.n; i++)
        r.words[i] = (uint16_t)(q.first + i);
    return device_take(&b->d, &r, 0, &b->left_out);
}

static enum scan_outcome end(struct bench *b)
{
    return device_end(&b->d, b->readings, &b->change);
}

static void asks_block_after_block_and_decodes(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    struct bus_request q = device_ask(&b.d);
    assert_int_equal(q.unit, UNIT);
    assert_int_equal(q.function, 3);
    assert_int_equal(q.timeout_ms, TIMEOUT_MS);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_ASK);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_OK);
    assert_int_equal(b.change, HEALTH_CAME_ONLINE);
    assert_int_equal(b.readings[3].value.v, 101);
    assert_int_equal(b.d.time_ms, 6000);
    assert_int_equal(b.d.counters.answers, 2);
    device_done(&b.d);
}

static void tries_as_often_as_the_profile_says(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_ASK);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_NO_ANSWER);
    assert_int_equal(b.readings[0].verdict.status, STATUS_NO_COMMUNICATION);
    assert_int_equal(b.readings[0].verdict.grade, GRADE_MISSING);
    assert_false(decimal_has_value(b.readings[0].value));
    device_done(&b.d);
}

static void probes_a_silent_device_once(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    for (int i = 0; i < HEALTH_FAILURES_MAX; i++) {
        device_begin(&b.d, 0, 0, 0);
        while (take(&b, BUS_NO_ANSWER, 0) != DEVICE_DONE)
            ;
        end(&b);
    }
    assert_int_equal(b.change, HEALTH_WENT_SILENT);
    device_begin(&b.d, 0, 0, 0);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_DONE);
    device_done(&b.d);
}

static void goes_on_when_only_one_block_is_mute(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    take(&b, BUS_OK, 0);
    take(&b, BUS_NO_ANSWER, 0);
    assert_int_equal(take(&b, BUS_NO_ANSWER, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_OK);
    assert_true(decimal_has_value(b.readings[0].value));
    assert_false(decimal_has_value(b.readings[2].value));
    device_done(&b.d);
}

static void begins_with_another_block_after_a_failure(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(device_ask(&b.d).first, 0);
    take(&b, BUS_NO_ANSWER, 0);
    take(&b, BUS_NO_ANSWER, 0);
    end(&b);
    device_begin(&b.d, 0, 0, 0);
    assert_int_equal(device_ask(&b.d).first, 100);
    device_done(&b.d);
}

static void leaves_out_what_is_refused_and_keeps_the_rest(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 2), DEVICE_ASK); /* 0..1 refused: split */
    assert_int_equal(device_ask(&b.d).count, 1);
    assert_int_equal(take(&b, BUS_EXCEPTION, 2), DEVICE_ASK); /* 0 refused: left out */
    assert_int_equal(b.left_out.first, 0);
    assert_int_equal(b.left_out.count, 1);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_ASK);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_OK);
    assert_false(decimal_has_value(b.readings[0].value));
    assert_int_equal(b.readings[1].value.v, 1);
    assert_int_equal(b.d.counters.left_out, 1);
    device_done(&b.d);
}

static void tries_left_out_registers_again_later(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    take(&b, BUS_EXCEPTION, 2);
    take(&b, BUS_EXCEPTION, 2);
    take(&b, BUS_OK, 0);
    take(&b, BUS_OK, 0);
    end(&b);
    device_begin(&b.d, 0, DEVICE_RETRY_FIRST_MS - 1, 0);
    assert_int_equal(device_ask(&b.d).first, 1);
    device_begin(&b.d, 0, DEVICE_RETRY_FIRST_MS, 0);
    assert_int_equal(device_ask(&b.d).first, 0);
    assert_int_equal(device_ask(&b.d).count, 1); /* alone: the others are not put at risk */
    while (take(&b, BUS_OK, 0) != DEVICE_DONE)
        ;
    end(&b);
    assert_int_equal(b.d.counters.left_out, 0);
    device_begin(&b.d, 0, DEVICE_RETRY_FIRST_MS + 1, 0);
    assert_int_equal(device_ask(&b.d).count, 2);
    device_done(&b.d);
}

static void starts_afresh_when_everything_was_refused(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    for (int i = 0; take(&b, BUS_EXCEPTION, 1) != DEVICE_DONE; i++)
        assert_true(i < 10);
    assert_int_equal(end(&b), SCAN_EXCEPTION);
    device_begin(&b.d, 0, 1000, 0);
    assert_int_equal(device_ask(&b.d).count, 2);
    device_done(&b.d);
}

static void does_not_ask_for_every_register_of_a_device_that_refuses_all(void **state)
{
    enum { MANY = 64 };
    struct profile_span span = { SPACE_HOLDING, 0, MANY, 0 };
    struct bench b;
    int asked = 0;

    (void)state;
    memset(&b, 0, sizeof b);
    sheet_init(&b.sheet);
    b.sheet.profile.spans = &span;
    b.sheet.profile.spans_n = 1;
    b.sheet.profile.words_n = MANY;
    assert_int_equal(device_init(&b.d, &b.sheet.conf, 0), 0);
    device_begin(&b.d, 0, 0, 0);
    do
        asked++;
    while (take(&b, BUS_EXCEPTION, 2) != DEVICE_DONE);
    assert_int_equal(asked, DEVICE_REFUSALS_MAX);
    assert_int_equal(end(&b), SCAN_EXCEPTION);
    device_done(&b.d);
}

static void gives_a_busy_device_time(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 6), DEVICE_REST);
    assert_int_equal(b.d.rest_ms, DEVICE_BUSY_REST_MS);
    assert_int_equal(take(&b, BUS_OK, 0), DEVICE_ASK);
    device_done(&b.d);
}

static void believes_a_gateway_that_the_target_is_mute(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 11), DEVICE_DONE); /* it has waited already */
    assert_int_equal(end(&b), SCAN_NO_TARGET);
    assert_int_equal(b.d.counters.answers, 0);
    assert_int_equal(b.d.counters.exceptions, 0);
    assert_int_equal(b.d.counters.timeouts, 1);
    device_done(&b.d);
}

static void gives_a_gateway_without_a_path_time(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    assert_int_equal(take(&b, BUS_EXCEPTION, 10), DEVICE_REST);
    assert_int_equal(take(&b, BUS_EXCEPTION, 10), DEVICE_DONE);
    assert_int_equal(end(&b), SCAN_NO_PATH);
    assert_int_equal(b.d.counters.exceptions, 0);
    assert_int_equal(b.d.counters.link_errors, 2);
    device_done(&b.d);
}

static void waits_longer_for_a_device_that_was_late(void **state)
{
    struct bench b;

    (void)state;
    setup(&b);
    device_late(&b.d, 80);
    assert_int_equal(device_ask(&b.d).timeout_ms, 100);
    device_late(&b.d, 10000);
    assert_int_equal(device_ask(&b.d).timeout_ms, TIMEOUT_MS * DEVICE_STRETCH_MAX);
    assert_int_equal(b.d.counters.late_answers, 2);
    device_done(&b.d);
}

/* ---- the poller on a loop, with a server beside it ---- */

enum { DEVICES = 4, SPEED = 20, LIMIT_MS = 5000 };

struct station {
    uv_loop_t loop;
    uv_tcp_t server, client;
    bool has_client, is_dead[256];
    uint8_t in[256];
    size_t n;
    uint16_t port;
    uv_timer_t limit;
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
    for (; st->n >= 12; st->n -= 12) {
        answer(st, st->in);
        memmove(st->in, st->in + 12, st->n - 12);
    }
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
    st->limit.data = st;
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

static void run_until(struct station *st, const int *count, int value)
{
    st->is_over = false;
    uv_timer_start(&st->limit, on_limit, LIMIT_MS, 0);
    while (*count < value && !st->is_over)
        uv_run(&st->loop, UV_RUN_ONCE);
    uv_timer_stop(&st->limit);
    assert_false(st->is_over);
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
    if (st->has_client)
        uv_close((uv_handle_t *)&st->client, NULL);
    uv_run(&st->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&st->loop), 0);
}

static void polls_every_device_at_every_slot(void **state)
{
    struct station st;
    struct poll_jitter j;

    (void)state;
    station_init(&st, true);
    run_until(&st, &st.good[DEVICES - 1], 1);
    int64_t first_ms = st.last_ms[DEVICES - 1];
    run_until(&st, &st.good[DEVICES - 1], 11);
    for (int i = 0; i < DEVICES; i++)
        assert_in_range(st.good[i], 10, 12);
    assert_in_range(st.last_ms[DEVICES - 1] - first_ms, 9500, 10800);
    assert_int_equal(st.states[DEVICE_ONLINE], DEVICES);
    poll_jitter_get(st.poll, &j);
    assert_true(j.max_us >= 0);
    station_done(&st);
}

static void a_dead_unit_costs_its_neighbours_nothing(void **state)
{
    struct station st;

    (void)state;
    memset(&st, 0, sizeof st);
    station_init(&st, true);
    st.is_dead[1] = true;
    run_until(&st, &st.states[DEVICE_SILENT], 1);
    int before = st.good[3];
    int64_t from_ms = st.last_ms[3];
    run_until(&st, &st.good[3], before + 20);
    assert_in_range(st.last_ms[3] - from_ms, 19000, 22000);
    assert_int_equal(poll_device_state(st.poll, 0), DEVICE_SILENT);
    station_done(&st);
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
        cmocka_unit_test(asks_block_after_block_and_decodes),
        cmocka_unit_test(tries_as_often_as_the_profile_says),
        cmocka_unit_test(probes_a_silent_device_once),
        cmocka_unit_test(goes_on_when_only_one_block_is_mute),
        cmocka_unit_test(begins_with_another_block_after_a_failure),
        cmocka_unit_test(leaves_out_what_is_refused_and_keeps_the_rest),
        cmocka_unit_test(tries_left_out_registers_again_later),
        cmocka_unit_test(starts_afresh_when_everything_was_refused),
        cmocka_unit_test(does_not_ask_for_every_register_of_a_device_that_refuses_all),
        cmocka_unit_test(gives_a_busy_device_time),
        cmocka_unit_test(believes_a_gateway_that_the_target_is_mute),
        cmocka_unit_test(gives_a_gateway_without_a_path_time),
        cmocka_unit_test(waits_longer_for_a_device_that_was_late),
        cmocka_unit_test(polls_every_device_at_every_slot),
        cmocka_unit_test(a_dead_unit_costs_its_neighbours_nothing),
        cmocka_unit_test(brings_a_device_back),
        cmocka_unit_test(hands_over_failures_too),
        cmocka_unit_test(polls_at_once_when_the_link_is_back),
        cmocka_unit_test(refuses_what_cannot_be_polled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
