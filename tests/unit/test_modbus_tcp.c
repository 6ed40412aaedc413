/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>

#include "tests/unit/tcp_rig.h"

enum { TIMEOUT_MS = 60 };

/* ---- what peers do ---- */

static bool get_request(struct server *s, uint8_t adu[ADU_TCP_REQUEST])
{
    return peer_read(&s->rig, adu, ADU_TCP_REQUEST);
}

static size_t make_answer(const uint8_t *adu, uint8_t *out)
{
    uint16_t first = get_be16(adu + 8), count = get_be16(adu + 10);

    memcpy(out, adu, ADU_TCP_HEADER + 1);
    put_be16(out + 4, (uint16_t)(3 + 2 * count));
    out[8] = (uint8_t)(2 * count);
    for (uint16_t i = 0; i < count; i++)
        put_be16(out + 9 + 2 * i, (uint16_t)(first + i));
    return 9u + 2u * count;
}

static void answer(struct server *s, const uint8_t *adu)
{
    uint8_t out[ADU_TCP_MAX];

    peer_write(&s->rig, out, make_answer(adu, out));
}

static void serve_all(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    while (get_request(s, adu))
        answer(s, adu);
}

static void be_late_once(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    get_request(s, adu);
    peer_pause(TIMEOUT_MS + TIMEOUT_MS / 2);
    answer(s, adu);
    serve_all(s);
}

static void be_silent(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    while (get_request(s, adu))
        ;
}

static void trickle(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST], out[ADU_TCP_MAX];

    if (!get_request(s, adu))
        return;
    size_t n = make_answer(adu, out);
    for (size_t i = 0; i < n && !atomic_load(&s->rig.is_peer_over); i++) {
        peer_write(&s->rig, out + i, 1);
        peer_pause(TIMEOUT_MS / 4);
    }
}

/* Answers with one byte of the answer changed. */
static void spoil(struct server *s, size_t at, uint8_t value)
{
    uint8_t adu[ADU_TCP_REQUEST], out[ADU_TCP_MAX];

    if (!get_request(s, adu))
        return;
    size_t n = make_answer(adu, out);
    out[at] = value;
    peer_write(&s->rig, out, n);
    serve_all(s);
}

static void answer_as_other_unit(struct server *s)
{
    spoil(s, 6, RIG_UNIT + 1);
}

static void lie_about_bytes(struct server *s)
{
    spoil(s, 8, 250);
}

static void lie_about_length(struct server *s)
{
    spoil(s, 4, 0xFF);
}

/* More registers than were asked for, in a frame that is sound in itself. */
static void answer_too_much(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    if (!get_request(s, adu))
        return;
    put_be16(adu + 10, 125);
    answer(s, adu);
    serve_all(s);
}

static void stop_in_the_header(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    if (!get_request(s, adu))
        return;
    peer_write(&s->rig, adu, 5);
    serve_all(s);
}

static void stop_half_way(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST], out[ADU_TCP_MAX];

    if (!get_request(s, adu))
        return;
    peer_write(&s->rig, out, make_answer(adu, out) - 1);
    serve_all(s);
}

static void send_garbage(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST], noise[4096];

    get_request(s, adu);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 167 + i / 7 + 1);
    for (int i = 0; i < 64; i++)
        peer_write(&s->rig, noise, sizeof noise);
    serve_all(s);
}

static void acknowledge_another_value(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    get_request(s, adu);
    adu[11]++;
    peer_write(&s->rig, adu, sizeof adu);
    serve_all(s);
}

static void acknowledge(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    while (get_request(s, adu))
        peer_write(&s->rig, adu, sizeof adu);
}

static void tell_product(struct server *s)
{
    uint8_t adu[11], out[] = "\0\0\0\0\0\x10\7\x2B\x0E\4\x81\0\0\1\1\6AQT530";

    if (!peer_read(&s->rig, adu, sizeof adu))
        return;
    memcpy(out, adu, 2);
    peer_write(&s->rig, out, sizeof out - 1);
    serve_all(s);
}

static void speak_http(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    get_request(s, adu);
    peer_write(&s->rig, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    serve_all(s);
}

static void refuse(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    while (get_request(s, adu)) {
        adu[5] = 3;
        adu[7] |= 0x80;
        adu[8] = 2;
        peer_write(&s->rig, adu, 9);
    }
}

static void hang_up(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST];

    get_request(s, adu);
}

static void flood(struct server *s)
{
    uint8_t adu[ADU_TCP_REQUEST], out[ADU_TCP_MAX];

    if (!get_request(s, adu))
        return;
    size_t n = make_answer(adu, out);
    put_be16(out, (uint16_t)(get_be16(adu) + 1000));
    for (int i = 0; i < 200; i++)
        peer_write(&s->rig, out, n);
    serve_all(s);
}

/* ---- rig ---- */

static void prepare(struct server *s)
{
    memset(s, 0, sizeof *s);
    s->type = BUS_MODBUS_TCP;
    rig_init(&s->rig);
}

static void setup(struct server *s, void (*script)(struct server *s))
{
    prepare(s);
    listen_on(s, 0);
    start_peer(s, script, serve_all);
    start_bus(s, "127.0.0.1");
}

/* ---- tests ---- */

static void reads_registers(void **state)
{
    struct server s;

    (void)state;
    setup(&s, serve_all);
    int64_t before_ms = clock_wall_ms(&s.rig.clock);
    rig_read(&s.rig, 100, 125);
    assert_in_range(s.rig.reply.time_ms, before_ms, before_ms + 1000);
    assert_int_equal(s.rig.ups, 1);
    teardown(&s);
}

static bool knows_localhost(void)
{
    struct addrinfo *found = NULL;
    bool is_known = getaddrinfo("localhost", NULL, NULL, &found) == 0;

    if (is_known)
        freeaddrinfo(found);
    return is_known;
}

static void finds_hosts_by_name(void **state)
{
    struct server s;

    (void)state;
    if (!knows_localhost()) {
        print_message("this system has no name for its own address\n");
        skip();
    }
    prepare(&s);
    listen_on(&s, 0);
    start_peer(&s, serve_all, serve_all);
    start_bus(&s, "localhost");
    /* The name may lead to ::1 first, where nobody listens: the next try takes the next
     * address. */
    for (int i = 0; i < 3 && rig_ask(&s.rig, 1, 1, TIMEOUT_MS) != BUS_OK; i++)
        ;
    rig_assert_words(&s.rig, 1, 1);
    teardown(&s);
}

static void keeps_the_pause_that_a_request_asks_for(void **state)
{
    struct server s;
    struct bus_request r = rig_request(5, 2, TIMEOUT_MS);

    (void)state;
    setup(&s, serve_all);
    rig_ask(&s.rig, 1, 2, PATIENT_MS);
    int64_t start_ms = mono_ms();
    r.pause_ms = 80;
    assert_int_equal(bus_send(s.rig.bus, &r), 0);
    rig_wait(&s.rig, &s.rig.replies);
    rig_assert_words(&s.rig, 5, 2);
    assert_in_range(mono_ms() - start_ms, 79, RIG_LIMIT_MS);
    assert_in_range(s.rig.reply.took_ms, 0, 79); /* the pause is not the device's */
    teardown(&s);
}

static void never_takes_a_late_answer(void **state)
{
    struct server s;

    (void)state;
    setup(&s, be_late_once);
    assert_int_equal(rig_ask(&s.rig, 100, 2, TIMEOUT_MS), BUS_NO_ANSWER);
    rig_read(&s.rig, 200, 2);
    assert_int_equal(s.rig.lates, 1);
    assert_in_range(s.rig.late_ms, TIMEOUT_MS, RIG_LIMIT_MS);
    teardown(&s);
}

static void keeps_its_deadline_when_bytes_trickle(void **state)
{
    struct server s;

    (void)state;
    setup(&s, trickle);
    assert_int_equal(rig_ask(&s.rig, 1, 20, TIMEOUT_MS), BUS_NO_ANSWER);
    assert_in_range(s.rig.reply.took_ms, TIMEOUT_MS, 2 * TIMEOUT_MS);
    teardown(&s);
}

static void gives_up_on_a_silent_device(void **state)
{
    struct server s;

    (void)state;
    setup(&s, be_silent);
    assert_int_equal(rig_ask(&s.rig, 1, 2, TIMEOUT_MS), BUS_NO_ANSWER);
    assert_in_range(s.rig.reply.took_ms, TIMEOUT_MS, 2 * TIMEOUT_MS);
    assert_int_equal(s.rig.reply.n, 0);
    teardown(&s);
}

static void refuses_false_answers_and_goes_on(void **state)
{
    static const struct {
        const char *what;
        void (*script)(struct server *s);
    } peers[] = {
        { "another unit", answer_as_other_unit }, { "a false byte count", lie_about_bytes },
        { "a frame of 65 kB", lie_about_length }, { "another protocol", speak_http },
        { "more registers", answer_too_much },    { "garbage", send_garbage },
    };

    (void)state;
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        struct server s;
        setup(&s, peers[i].script);
        if (rig_ask(&s.rig, 1, 2, 10 * TIMEOUT_MS) != BUS_BAD_FRAME)
            fail_msg("took %s", peers[i].what);
        rig_read(&s.rig, 50, 2);
        teardown(&s);
    }
}

/* The rest would be read as the next header: only another connection helps. */
static void leaves_a_peer_that_stops_in_the_middle_of_a_frame(void **state)
{
    void (*const scripts[])(struct server *) = { stop_in_the_header, stop_half_way };

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct server s;
        setup(&s, scripts[i]);
        assert_int_equal(rig_ask(&s.rig, 1, 2, TIMEOUT_MS), BUS_NO_ANSWER);
        assert_in_range(s.rig.reply.took_ms, TIMEOUT_MS, 2 * TIMEOUT_MS);
        rig_read(&s.rig, 50, 2);
        teardown(&s);
    }
}

static enum bus_outcome send_and_wait(struct server *s, const struct bus_request *r)
{
    while (bus_send(s->rig.bus, r) != 0)
        rig_wait(&s->rig, &s->rig.ups);
    rig_wait(&s->rig, &s->rig.replies);
    return s->rig.reply.outcome;
}

static void believes_a_write_by_its_echo_alone(void **state)
{
    static const uint16_t word = 7;
    const struct bus_request r = { .unit = RIG_UNIT,
                                   .function = BUS_WRITE_REGISTER,
                                   .first = 1,
                                   .count = 1,
                                   .words = &word,
                                   .timeout_ms = TIMEOUT_MS };
    struct server s;

    (void)state;
    setup(&s, acknowledge);
    assert_int_equal(send_and_wait(&s, &r), BUS_OK);
    assert_int_equal(s.rig.reply.n, 0);
    teardown(&s);
    setup(&s, acknowledge_another_value);
    assert_int_equal(send_and_wait(&s, &r), BUS_BAD_FRAME);
    teardown(&s);
    setup(&s, be_silent);
    bus_watch(s.rig.bus, true);
    assert_int_equal(send_and_wait(&s, &r), BUS_NO_ANSWER);
    rig_assert_fates(&s.rig, "s"); /* once */
    teardown(&s);
}

static void asks_for_the_product(void **state)
{
    const struct bus_request r = { .unit = RIG_UNIT,
                                   .function = BUS_IDENTIFY,
                                   .first = 1,
                                   .count = 1,
                                   .timeout_ms = TIMEOUT_MS };
    struct server s;

    (void)state;
    setup(&s, tell_product);
    assert_int_equal(send_and_wait(&s, &r), BUS_OK);
    assert_string_equal(s.rig.reply.text, "AQT530");
    assert_int_equal(s.rig.reply.n, 6);
    teardown(&s);
}

static void reports_exceptions(void **state)
{
    struct server s;

    (void)state;
    setup(&s, refuse);
    assert_int_equal(rig_ask(&s.rig, 1, 2, PATIENT_MS), BUS_EXCEPTION);
    assert_int_equal(s.rig.reply.exception, 2);
    teardown(&s);
}

static void tells_frames_to_who_watches(void **state)
{
    struct server s;

    (void)state;
    setup(&s, be_late_once);
    bus_watch(s.rig.bus, true);
    rig_ask(&s.rig, 100, 2, TIMEOUT_MS);
    rig_ask(&s.rig, 200, 2, PATIENT_MS);
    rig_assert_fates(&s.rig, "sslt");
    assert_int_equal(s.rig.frame[0].n, ADU_TCP_REQUEST);
    assert_int_equal(s.rig.frame[2].unit, RIG_UNIT);
    assert_int_equal(s.rig.frame[3].n, 13);
    assert_int_equal(s.rig.frame[3].replies, 1);
    bus_watch(s.rig.bus, false);
    rig_ask(&s.rig, 300, 2, PATIENT_MS);
    assert_int_equal(s.rig.frames, 4);
    teardown(&s);
}

static void comes_back_after_a_hang_up(void **state)
{
    struct server s;

    (void)state;
    setup(&s, hang_up);
    assert_int_equal(rig_ask(&s.rig, 1, 2, PATIENT_MS), BUS_NO_LINK);
    rig_read(&s.rig, 60, 3);
    assert_int_equal(s.rig.downs, 1);
    teardown(&s);
}

static void reconnects_when_the_server_appears(void **state)
{
    struct server s;
    struct bus_request r = rig_request(1, 1, TIMEOUT_MS);

    (void)state;
    prepare(&s);
    listen_on(&s, 0);
    start_bus(&s, "127.0.0.1"); /* bound but not listening: refused */
    assert_int_equal(rig_ask(&s.rig, 1, 1, PATIENT_MS), BUS_NO_LINK);
    assert_int_equal(bus_send(s.rig.bus, &r), -ENOTCONN);
    start_peer(&s, serve_all, serve_all);
    int64_t start_ms = mono_ms();
    rig_read(&s.rig, 70, 1);
    assert_in_range(mono_ms() - start_ms, 0, 2000);
    teardown(&s);
}

static void leaves_a_peer_that_floods(void **state)
{
    struct server s;

    (void)state;
    setup(&s, flood);
    assert_int_equal(rig_ask(&s.rig, 1, 2, PATIENT_MS), BUS_BAD_FRAME);
    rig_read(&s.rig, 80, 1);
    teardown(&s);
}

static void carries_one_request_at_a_time(void **state)
{
    struct server s;
    struct bus_request r = rig_request(1, 1, TIMEOUT_MS);

    (void)state;
    setup(&s, serve_all);
    assert_int_equal(bus_send(s.rig.bus, &r), 0);
    assert_int_equal(bus_send(s.rig.bus, &r), -EBUSY);
    rig_wait(&s.rig, &s.rig.replies);
    r.count = 126;
    assert_int_equal(bus_send(s.rig.bus, &r), -EINVAL);
    teardown(&s);
}

static void stops_in_the_middle_of_a_lookup(void **state)
{
    struct server s;

    (void)state;
    prepare(&s);
    s.port = 502;
    start_bus(&s, "no-such-host.invalid");
    rig_done(&s.rig);
    assert_int_equal(s.rig.ups, 0);
}

static void fails_requests_to_a_host_without_address(void **state)
{
    struct server s;

    (void)state;
    prepare(&s);
    s.port = 502;
    char host[300];
    memset(host, 'a', sizeof host);
    host[sizeof host - 1] = 0; /* too long for any resolver: fails without one */
    start_bus(&s, host);
    struct bus_request r = rig_request(1, 1, TIMEOUT_MS);
    assert_int_equal(bus_send(s.rig.bus, &r), -ENOTCONN);
    rig_done(&s.rig);
}

static void on_closed_destroy(void *user)
{
    struct rig *rig = user;

    bus_destroy(rig->bus);
    rig->is_closed = true;
}

static void on_reply_stop(void *user, const struct bus_reply *r)
{
    struct rig *rig = user;

    assert_int_equal(r->outcome, BUS_NO_LINK);
    bus_stop(rig->bus, on_closed_destroy, rig);
}

/* The socket's handle is the last to close then. */
static void may_be_destroyed_as_it_closes_after_a_failure(void **state)
{
    struct server s = { .rig.peer_fd = -1 };
    struct bus_request r = rig_request(1, 1, TIMEOUT_MS);

    (void)state;
    rig_init(&s.rig);
    listen_on(&s, 0);
    close(s.listen_fd); /* nobody listens there now */
    const struct bus_events on = { .on_reply = on_reply_stop, .user = &s.rig };
    const struct bus_place place = {
        .type = BUS_MODBUS_TCP, .host = "127.0.0.1", .port = s.port, .connect_timeout_ms = 500
    };
    assert_int_equal(bus_create(&s.rig.loop, &s.rig.clock, &place, &on, &s.rig.bus), 0);
    assert_int_equal(bus_start(s.rig.bus), 0);
    assert_int_equal(bus_send(s.rig.bus, &r), 0);
    while (!s.rig.is_closed)
        uv_run(&s.rig.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&s.rig.limit, NULL);
    uv_run(&s.rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s.rig.loop), 0);
}

static void stops_in_the_middle_of_a_transaction(void **state)
{
    struct server s;
    struct bus_request r = rig_request(1, 1, 10000);

    (void)state;
    setup(&s, be_silent);
    assert_int_equal(bus_send(s.rig.bus, &r), 0);
    rig_wait(&s.rig, &s.rig.ups);
    teardown(&s);
    assert_int_equal(s.rig.replies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_registers),
        cmocka_unit_test(keeps_the_pause_that_a_request_asks_for),
        cmocka_unit_test(finds_hosts_by_name),
        cmocka_unit_test(never_takes_a_late_answer),
        cmocka_unit_test(keeps_its_deadline_when_bytes_trickle),
        cmocka_unit_test(gives_up_on_a_silent_device),
        cmocka_unit_test(refuses_false_answers_and_goes_on),
        cmocka_unit_test(leaves_a_peer_that_stops_in_the_middle_of_a_frame),
        cmocka_unit_test(believes_a_write_by_its_echo_alone),
        cmocka_unit_test(asks_for_the_product),
        cmocka_unit_test(reports_exceptions),
        cmocka_unit_test(tells_frames_to_who_watches),
        cmocka_unit_test(comes_back_after_a_hang_up),
        cmocka_unit_test(reconnects_when_the_server_appears),
        cmocka_unit_test(leaves_a_peer_that_floods),
        cmocka_unit_test(carries_one_request_at_a_time),
        cmocka_unit_test(stops_in_the_middle_of_a_lookup),
        cmocka_unit_test(fails_requests_to_a_host_without_address),
        cmocka_unit_test(stops_in_the_middle_of_a_transaction),
        cmocka_unit_test(may_be_destroyed_as_it_closes_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
