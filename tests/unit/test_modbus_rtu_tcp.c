/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rtu_peer.h"
#include "tests/unit/tcp_rig.h"

enum { TIMEOUT_MS = 80 };

/* ---- what peers do ---- */

static void serve_all(struct server *s)
{
    rtu_serve_all(&s->rig);
}

static void be_late_once(struct server *s)
{
    rtu_be_late_once(&s->rig, TIMEOUT_MS + TIMEOUT_MS / 2);
}

static void be_one_behind(struct server *s)
{
    rtu_be_one_behind(&s->rig);
}

static void trickle(struct server *s)
{
    uint8_t adu[ADU_RTU_REQUEST], out[ADU_RTU_MAX];

    if (!rtu_get_request(&s->rig, adu))
        return;
    size_t n = rig_rtu_answer(adu, out);
    for (size_t i = 0; i < n; i++) {
        peer_write(&s->rig, out + i, 1);
        peer_pause(2);
    }
    serve_all(s);
}

static void be_silent(struct server *s)
{
    rtu_be_silent(&s->rig);
}

static void hang_up(struct server *s)
{
    uint8_t adu[ADU_RTU_REQUEST];

    rtu_get_request(&s->rig, adu);
}

static void echo_all(struct server *s)
{
    rtu_echo_all(&s->rig);
}

static void speak_http(struct server *s)
{
    uint8_t adu[ADU_RTU_REQUEST];

    rtu_get_request(&s->rig, adu);
    for (int i = 0; i < 200; i++)
        peer_write(&s->rig, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    serve_all(s);
}

/* ---- rig ---- */

static void setup(struct server *s, void (*script)(struct server *s))
{
    memset(s, 0, sizeof *s);
    s->type = BUS_MODBUS_RTU_TCP;
    rig_init(&s->rig);
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
    for (uint16_t i = 1; i <= 125; i += 31) {
        rig_read(&s.rig, (uint16_t)(100 * i), i);
    }
    assert_int_equal(s.rig.ups, 1);
    teardown(&s);
}

static void never_takes_a_late_answer(void **state)
{
    struct server s;

    (void)state;
    setup(&s, be_late_once);
    assert_int_equal(rig_ask(&s.rig, 100, 2, TIMEOUT_MS), BUS_NO_ANSWER);
    assert_in_range(s.rig.reply.quiet_ms, TIMEOUT_MS, 2 * TIMEOUT_MS);
    rig_read(&s.rig, 200, 2);
    assert_int_equal(s.rig.lates, 1);
    assert_in_range(s.rig.late_ms, TIMEOUT_MS, RIG_LIMIT_MS);
    teardown(&s);
}

static void never_takes_an_answer_later_than_the_quiet_time(void **state)
{
    struct server s;

    (void)state;
    setup(&s, be_one_behind);
    assert_int_equal(rig_ask(&s.rig, 100, 2, TIMEOUT_MS), BUS_NO_ANSWER);
    rig_read(&s.rig, 200, 2);
    teardown(&s);
}

static void takes_an_answer_in_pieces(void **state)
{
    struct server s;

    (void)state;
    setup(&s, trickle);
    rig_read(&s.rig, 100, 2);
    teardown(&s);
}

static void leaves_a_server_that_stays_silent(void **state)
{
    struct server s;

    (void)state;
    setup(&s, be_silent);
    for (int i = 0; i < BUS_ERRORS_MAX; i++)
        assert_int_equal(rig_ask(&s.rig, 1, 2, TIMEOUT_MS / 4), BUS_NO_ANSWER);
    rig_read(&s.rig, 50, 2); /* over a new connection, which serves */
    assert_int_equal(s.rig.downs, 0);
    teardown(&s);
}

static void comes_back_after_a_hang_up(void **state)
{
    struct server s;

    (void)state;
    setup(&s, hang_up);
    assert_int_equal(rig_ask(&s.rig, 1, 2, PATIENT_MS), BUS_NO_LINK);
    int64_t start_ms = mono_ms();
    rig_read(&s.rig, 60, 3);
    assert_in_range(mono_ms() - start_ms, 0, 2000);
    assert_int_equal(s.rig.downs, 1);
    teardown(&s);
}

static void goes_on_after_a_stream_of_another_protocol(void **state)
{
    struct server s;

    (void)state;
    setup(&s, speak_http);
    assert_int_equal(rig_ask(&s.rig, 1, 2, 2 * TIMEOUT_MS), BUS_BAD_FRAME);
    rig_read(&s.rig, 50, 2);
    teardown(&s);
}

/* Its own echo is no answer to a write. */
static void passes_over_what_an_adapter_hands_back(void **state)
{
    static const uint16_t word = 5;
    struct server s;
    struct bus_request r = { .unit = RIG_UNIT,
                             .function = BUS_WRITE_REGISTER,
                             .first = 1,
                             .count = 1,
                             .words = &word,
                             .timeout_ms = 5 * TIMEOUT_MS };

    (void)state;
    setup(&s, echo_all);
    assert_int_equal(bus_send(s.rig.bus, &r), 0);
    rig_wait(&s.rig, &s.rig.replies);
    assert_int_equal(s.rig.reply.outcome, BUS_NO_ANSWER);
    rig_read(&s.rig, 100, 2);
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
    rig_assert_fates(&s.rig, "slstst"); /* the late one, a short read, the request */
    teardown(&s);
}

static void stops_in_the_middle_of_a_transaction(void **state)
{
    struct server s;
    struct bus_request r = rig_request(1, 1, 10000);

    (void)state;
    setup(&s, be_silent);
    assert_int_equal(bus_send(s.rig.bus, &r), 0);
    assert_int_equal(bus_send(s.rig.bus, &r), -EBUSY);
    rig_wait(&s.rig, &s.rig.ups);
    teardown(&s);
    assert_int_equal(s.rig.replies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_registers),
        cmocka_unit_test(never_takes_a_late_answer),
        cmocka_unit_test(never_takes_an_answer_later_than_the_quiet_time),
        cmocka_unit_test(takes_an_answer_in_pieces),
        cmocka_unit_test(leaves_a_server_that_stays_silent),
        cmocka_unit_test(comes_back_after_a_hang_up),
        cmocka_unit_test(goes_on_after_a_stream_of_another_protocol),
        cmocka_unit_test(passes_over_what_an_adapter_hands_back),
        cmocka_unit_test(tells_frames_to_who_watches),
        cmocka_unit_test(stops_in_the_middle_of_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
