/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/backoff.h"
#include "tests/unit/rtu_peer.h"

enum {
    TIMEOUT_MS = 60,
    SOAK_TIMEOUT_MS = 8,
    SOAK_REQUESTS = 150,
    SOAK_GOOD = SOAK_REQUESTS / 4 + 1,
    SOAK_MAX = 20 * SOAK_REQUESTS, /* on a machine too busy to answer in time */
};

struct slave {
    struct rig rig;
    int hold_fd; /* keeps the pty alive while the bus reopens it */
    char link[64];
    void (*script)(struct slave *s);
};

/* ---- what slaves do ---- */

static void serve_all(struct slave *s)
{
    rtu_serve_all(&s->rig);
}

static void be_late_once(struct slave *s)
{
    rtu_be_late_once(&s->rig, TIMEOUT_MS + TIMEOUT_MS / 2);
}

static void be_one_behind(struct slave *s)
{
    rtu_be_one_behind(&s->rig);
}

/* Takes writes and forgets the first answer. */
static void forget_a_write(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST];

    for (int writes = 0; rtu_get_request(&s->rig, adu);) {
        if (adu[1] == BUS_READ_HOLDING)
            rtu_answer(&s->rig, adu);
        else if (writes++ > 0)
            peer_write(&s->rig, adu, sizeof adu);
    }
}

static void echo_all(struct slave *s)
{
    rtu_echo_all(&s->rig);
}

static void be_silent(struct slave *s)
{
    rtu_be_silent(&s->rig);
}

static void let_others_speak_first(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST], out[ADU_RTU_MAX];

    if (!rtu_get_request(&s->rig, adu))
        return;
    adu[0]++;
    peer_write(&s->rig, out, rig_rtu_answer(adu, out));
    adu[0]--;
    rtu_answer(&s->rig, adu);
    serve_all(s);
}

/* As a modem hands on an answer that is longer than its packets. */
static void answer_in_packets(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST], out[ADU_RTU_MAX];

    while (rtu_get_request(&s->rig, adu)) {
        size_t n = rig_rtu_answer(adu, out);
        for (size_t at = 0; at < n; at += 58) {
            peer_write(&s->rig, out + at, n - at < 58 ? n - at : 58);
            peer_pause(30);
        }
    }
}

/* As repeaters do it. */
static void answer_twice(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST];

    while (rtu_get_request(&s->rig, adu)) {
        rtu_answer(&s->rig, adu);
        peer_pause(20);
        rtu_answer(&s->rig, adu);
    }
}

static void append_a_byte(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST], rssi = 0xB0;

    while (rtu_get_request(&s->rig, adu)) {
        rtu_answer(&s->rig, adu);
        peer_write(&s->rig, &rssi, 1);
    }
}

static void stop_half_way(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST], out[ADU_RTU_MAX];

    if (!rtu_get_request(&s->rig, adu))
        return;
    peer_write(&s->rig, out, rig_rtu_answer(adu, out) / 2);
    serve_all(s);
}

static void spoil_crc(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST], out[ADU_RTU_MAX];

    if (!rtu_get_request(&s->rig, adu))
        return;
    size_t n = rig_rtu_answer(adu, out);
    out[n - 1] ^= 1;
    peer_write(&s->rig, out, n);
    serve_all(s);
}

static void answer_too_much(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST], more[ADU_RTU_REQUEST];

    if (!rtu_get_request(&s->rig, adu))
        return;
    memcpy(more, adu, sizeof more);
    more[5]++;
    rtu_answer(&s->rig, more);
    serve_all(s);
}

static void add_a_tail(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST], out[ADU_RTU_MAX];

    if (!rtu_get_request(&s->rig, adu))
        return;
    size_t n = rig_rtu_answer(adu, out);
    memset(out + n, 0xA5, 20);
    peer_write(&s->rig, out, n + 20);
    serve_all(s);
}

static void refuse(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST];

    while (rtu_get_request(&s->rig, adu)) {
        adu[1] |= 0x80;
        adu[2] = 2;
        peer_write(&s->rig, adu, rig_seal(adu, 3));
    }
}

static void click_before_answering(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST];

    if (!rtu_get_request(&s->rig, adu))
        return;
    peer_write(&s->rig, "\xFF", 1);
    peer_pause(TIMEOUT_MS / 2);
    rtu_answer(&s->rig, adu);
    serve_all(s);
}

/* Answers everything, in order, some of it long after the deadline. */
static void be_late_at_random(struct slave *s)
{
    uint8_t adu[ADU_RTU_REQUEST];

    while (rtu_get_request(&s->rig, adu)) {
        if (random_u32() % 4 == 0)
            peer_pause((int)(random_u32() % (5 * SOAK_TIMEOUT_MS)));
        if (random_u32() % 16 == 0)
            peer_write(&s->rig, "\x07\x03\x55", 3);
        rtu_answer(&s->rig, adu);
    }
}

/* ---- rig ---- */

static void *slave_main(void *arg)
{
    struct slave *s = arg;

    s->script(s);
    return NULL;
}

static void open_pty(struct slave *s)
{
    s->rig.peer_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(s->rig.peer_fd >= 0);
    assert_int_equal(grantpt(s->rig.peer_fd), 0);
    assert_int_equal(unlockpt(s->rig.peer_fd), 0);
    assert_int_equal(ptsname_r(s->rig.peer_fd, s->rig.path, sizeof s->rig.path), 0);
    fcntl(s->rig.peer_fd, F_SETFL, O_NONBLOCK);
    s->hold_fd = open(s->rig.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(s->hold_fd >= 0);
}

static void start_slave(struct slave *s, void (*script)(struct slave *s))
{
    s->script = script;
    atomic_store(&s->rig.is_peer_over, false);
    assert_int_equal(pthread_create(&s->rig.peer, NULL, slave_main, s), 0);
}

static struct bus_place place_at(const char *path)
{
    return (struct bus_place){ .type = BUS_MODBUS_RTU,
                               .device = path,
                               .baud = 115200,
                               .parity = 'N',
                               .data_bits = 8,
                               .stop_bits = 1 };
}

static void start_bus_at(struct slave *s, const struct bus_place *place)
{
    const struct bus_events on = rig_events(&s->rig);

    assert_int_equal(bus_create(&s->rig.loop, &s->rig.clock, place, &on, &s->rig.bus), 0);
    assert_int_equal(bus_start(s->rig.bus), 0);
}

static void start_bus(struct slave *s, const char *path)
{
    const struct bus_place place = place_at(path);

    start_bus_at(s, &place);
}

static void setup(struct slave *s, void (*script)(struct slave *s))
{
    memset(s, 0, sizeof *s);
    rig_init(&s->rig);
    open_pty(s);
    start_bus(s, s->rig.path);
    rig_wait(&s->rig, &s->rig.ups);
    start_slave(s, script);
}

/* The port of a LoRa modem; the fastest there is. */
static void setup_radio(struct slave *s, void (*script)(struct slave *s))
{
    memset(s, 0, sizeof *s);
    rig_init(&s->rig);
    open_pty(s);
    struct bus_place place = place_at(s->rig.path);
    place.type = BUS_LORA_SERIAL;
    place.modem = (struct lora_modem){ .rate = SERIAL_MODEM_62K5, .packet = 58 };
    start_bus_at(s, &place);
    rig_wait(&s->rig, &s->rig.ups);
    start_slave(s, script);
}

static void end_slave(struct slave *s)
{
    atomic_store(&s->rig.is_peer_over, true);
    pthread_join(s->rig.peer, NULL);
    close(s->hold_fd);
    close(s->rig.peer_fd);
}

static void teardown(struct slave *s)
{
    rig_done(&s->rig);
    end_slave(s);
}

/* ---- tests ---- */

static void reads_registers(void **state)
{
    struct slave s;

    (void)state;
    setup(&s, serve_all);
    for (uint16_t i = 1; i <= 125; i += 31) {
        rig_read(&s.rig, (uint16_t)(100 * i), i);
    }
    assert_int_equal(s.rig.reply.quiet_ms, 0);
    teardown(&s);
}

static void never_takes_a_late_answer(void **state)
{
    struct slave s;

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
    struct slave s;

    (void)state;
    setup(&s, be_one_behind);
    assert_int_equal(rig_ask(&s.rig, 100, 2, TIMEOUT_MS), BUS_NO_ANSWER);
    rig_read(&s.rig, 200, 2);
    rig_read(&s.rig, 300, 2);
    assert_int_equal(s.rig.lates, 1);
    teardown(&s);
}

static void never_takes_a_stale_value_whatever_is_late(void **state)
{
    struct slave s;
    int good = 0;

    (void)state;
    setup(&s, be_late_at_random);
    for (int i = 0; i < SOAK_REQUESTS || (good < SOAK_GOOD && i < SOAK_MAX); i++) {
        uint16_t first = (uint16_t)(1000 + 10 * i);
        if (rig_ask(&s.rig, first, 2, SOAK_TIMEOUT_MS) != BUS_OK)
            continue;
        rig_assert_words(&s.rig, first, 2);
        good++;
    }
    assert_true(good >= SOAK_GOOD);
    teardown(&s);
}

static void passes_over_other_units(void **state)
{
    struct slave s;

    (void)state;
    setup(&s, let_others_speak_first);
    rig_read(&s.rig, 100, 2);
    assert_int_equal(s.rig.lates, 0);
    teardown(&s);
}

static void waits_after_a_click_on_the_line(void **state)
{
    struct slave s;

    (void)state;
    setup(&s, click_before_answering);
    rig_ask(&s.rig, 100, 2, 2 * TIMEOUT_MS);
    rig_assert_words(&s.rig, 100, 2);
    teardown(&s);
}

static void refuses_damaged_answers_and_goes_on(void **state)
{
    static const struct {
        const char *what;
        void (*script)(struct slave *s);
    } slaves[] = {
        { "half an answer", stop_half_way },
        { "a wrong CRC", spoil_crc },
        { "an answer to a longer request", answer_too_much },
    };

    (void)state;
    for (size_t i = 0; i < sizeof slaves / sizeof slaves[0]; i++) {
        struct slave s;
        setup(&s, slaves[i].script);
        if (rig_ask(&s.rig, 1, 2, 4 * TIMEOUT_MS) != BUS_BAD_FRAME)
            fail_msg("took %s", slaves[i].what);
        rig_read(&s.rig, 50, 2);
        teardown(&s);
    }
}

static void drops_what_follows_an_answer(void **state)
{
    struct slave s;

    (void)state;
    setup(&s, add_a_tail);
    rig_read(&s.rig, 1, 2);
    rig_read(&s.rig, 50, 2);
    teardown(&s);
}

static void drops_what_came_before_the_request(void **state)
{
    struct slave s;
    uint8_t stale[ADU_RTU_MAX], adu[ADU_RTU_REQUEST] = { RIG_UNIT, 3, 0, 9, 0, 2 };

    (void)state;
    memset(&s, 0, sizeof s);
    rig_init(&s.rig);
    open_pty(&s);
    start_bus(&s, s.rig.path);
    rig_wait(&s.rig, &s.rig.ups);
    peer_write(&s.rig, stale, rig_rtu_answer(adu, stale)); /* fits the request below */
    start_slave(&s, serve_all);
    rig_read(&s.rig, 100, 2);
    teardown(&s);
}

static void reports_exceptions(void **state)
{
    struct slave s;

    (void)state;
    setup(&s, refuse);
    assert_int_equal(rig_ask(&s.rig, 1, 2, PATIENT_MS), BUS_EXCEPTION);
    assert_int_equal(s.rig.reply.exception, 2);
    teardown(&s);
}

static void tells_frames_to_who_watches(void **state)
{
    struct slave s;

    (void)state;
    setup(&s, be_late_once);
    bus_watch(s.rig.bus, true);
    rig_ask(&s.rig, 100, 2, TIMEOUT_MS);
    rig_assert_fates(&s.rig, "s");
    assert_memory_equal(s.rig.frame[0].bytes, "\7\3\0\x64\0\2", 6);
    assert_int_equal(s.rig.frame[0].n, ADU_RTU_REQUEST);
    rig_ask(&s.rig, 200, 2, PATIENT_MS);
    rig_assert_fates(&s.rig, "slstst"); /* the late one, a short read, the request */
    assert_int_equal(s.rig.frame[1].unit, RIG_UNIT);
    assert_in_range(s.rig.frame[1].since_us, 1000 * TIMEOUT_MS, 1000 * RIG_LIMIT_MS);
    assert_memory_equal(s.rig.frame[5].bytes, "\7\3\4\0\xC8\0\xC9", 7);
    assert_int_equal(s.rig.frame[5].replies, 1);
    bus_watch(s.rig.bus, false);
    rig_ask(&s.rig, 300, 2, PATIENT_MS);
    assert_int_equal(s.rig.frames, 6);
    teardown(&s);
}

static enum bus_outcome write_word(struct slave *s, uint16_t first, const uint16_t *word,
                                   int64_t timeout_ms)
{
    const struct bus_request r = { .unit = RIG_UNIT,
                                   .function = BUS_WRITE_REGISTER,
                                   .first = first,
                                   .count = 1,
                                   .words = word,
                                   .timeout_ms = timeout_ms };

    assert_int_equal(bus_send(s->rig.bus, &r), 0);
    rig_wait(&s->rig, &s->rig.replies);
    return s->rig.reply.outcome;
}

/* Whether it happened is for the caller to find out. */
static void sends_a_write_once_and_says_when_its_answer_is_missing(void **state)
{
    static const uint16_t word = 7;
    struct slave s;

    (void)state;
    setup(&s, forget_a_write);
    bus_watch(s.rig.bus, true);
    assert_int_equal(write_word(&s, 1, &word, TIMEOUT_MS), BUS_NO_ANSWER);
    rig_assert_fates(&s.rig, "sts"); /* a read tells whether the adapter hands back */
    assert_int_equal(s.rig.frame[2].bytes[1], BUS_WRITE_REGISTER);
    assert_int_equal(write_word(&s, 2, &word, PATIENT_MS), BUS_OK);
    rig_assert_fates(&s.rig, "stsst");
    teardown(&s);
}

static void takes_no_echo_for_the_answer_to_a_write(void **state)
{
    static const uint16_t word = 7;
    struct slave s;

    (void)state;
    setup(&s, echo_all);
    assert_int_equal(write_word(&s, 1, &word, 5 * TIMEOUT_MS), BUS_NO_ANSWER);
    rig_read(&s.rig, 100, 2);
    teardown(&s);
}

/* Said in the log, once; whoever wired the line may have seen to it. */
static void goes_on_where_the_driver_has_no_direction_control(void **state)
{
    struct slave s;
    const struct bus_events on = rig_events(&s.rig);

    (void)state;
    memset(&s, 0, sizeof s);
    rig_init(&s.rig);
    open_pty(&s);
    struct bus_place place = place_at(s.rig.path);
    place.rs485 = (struct bus_rs485){ .is_on = true, .after_ms = 1 };
    assert_int_equal(bus_create(&s.rig.loop, &s.rig.clock, &place, &on, &s.rig.bus), 0);
    assert_int_equal(bus_start(s.rig.bus), 0);
    start_slave(&s, serve_all);
    rig_read(&s.rig, 100, 2);
    teardown(&s);
}

static void refuses_ports_that_cannot_be(void **state)
{
    const struct bus_events on = { 0 };
    struct bus_place bad[] = { place_at("/dev/null"), place_at("/dev/null"),
                               place_at("/dev/null"), place_at("/dev/null"), place_at(NULL) };
    struct clock clock;
    uv_loop_t loop;
    struct bus *b = NULL;

    (void)state;
    clock_init(&clock, 1, 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    bad[0].baud = 0;
    bad[1].parity = 'M';
    bad[2].data_bits = 9;
    bad[3].stop_bits = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(bus_create(&loop, &clock, &bad[i], &on, &b), -EINVAL);
    uv_loop_close(&loop);
}

static void opens_no_port_at_a_speed_that_nobody_knows(void **state)
{
    struct slave s;
    const struct bus_events on = rig_events(&s.rig);
    struct bus_place place;

    (void)state;
    memset(&s, 0, sizeof s);
    rig_init(&s.rig);
    open_pty(&s);
    place = place_at(s.rig.path);
    place.baud = 14400;
    assert_int_equal(bus_create(&s.rig.loop, &s.rig.clock, &place, &on, &s.rig.bus), 0);
    assert_int_equal(bus_start(s.rig.bus), 0);
    rig_wait(&s.rig, &s.rig.downs);
    assert_int_equal(s.rig.ups, 0);
    rig_done(&s.rig);
    close(s.hold_fd);
    close(s.rig.peer_fd);
}

static void keeps_other_units_going_beside_a_silent_one(void **state)
{
    struct slave s;
    struct bus_request other = { .unit = RIG_UNIT + 1,
                                 .function = BUS_READ_HOLDING,
                                 .first = 10,
                                 .count = 2,
                                 .timeout_ms = TIMEOUT_MS };
    struct bus_request dead = { .unit = RIG_UNIT,
                                .function = BUS_READ_HOLDING,
                                .first = 10,
                                .count = 2,
                                .timeout_ms = TIMEOUT_MS };
    (void)state;
    setup(&s, be_silent);
    bus_send(s.rig.bus, &dead);
    rig_wait(&s.rig, &s.rig.replies);
    int64_t quiet_ms = s.rig.reply.quiet_ms;
    int64_t start_ms = mono_ms();
    bus_send(s.rig.bus, &other);
    rig_wait(&s.rig, &s.rig.replies);
    assert_int_equal(s.rig.reply.outcome, BUS_NO_ANSWER);
    assert_in_range(mono_ms() - start_ms, 0, TIMEOUT_MS + quiet_ms / 2);
    teardown(&s);
}

static void reopens_a_port_that_comes_back_under_another_name(void **state)
{
    struct slave s;

    (void)state;
    memset(&s, 0, sizeof s);
    rig_init(&s.rig);
    snprintf(s.link, sizeof s.link, "/tmp/sluice-test-%d", (int)getpid());
    open_pty(&s);
    assert_int_equal(symlink(s.rig.path, s.link), 0);
    start_bus(&s, s.link);
    rig_wait(&s.rig, &s.rig.ups);
    start_slave(&s, serve_all);
    rig_read(&s.rig, 5, 1);

    end_slave(&s);
    rig_wait(&s.rig, &s.rig.downs);
    assert_int_equal(unlink(s.link), 0);
    open_pty(&s);
    assert_int_equal(symlink(s.rig.path, s.link), 0);
    start_slave(&s, serve_all);
    int64_t start_ms = mono_ms();
    rig_read(&s.rig, 6, 1);
    print_message("a port that came back: first answer after %d ms\n",
                  (int)(mono_ms() - start_ms));
    assert_in_range(mono_ms() - start_ms, 0, 2000);
    teardown(&s);
    unlink(s.link);
}

static void says_when_there_is_no_port(void **state)
{
    struct slave s;

    (void)state;
    memset(&s, 0, sizeof s);
    rig_init(&s.rig);
    start_bus(&s, "/nonexistent/tty");
    rig_wait(&s.rig, &s.rig.downs);
    struct bus_request r = rig_request(1, 1, TIMEOUT_MS);
    assert_int_equal(bus_send(s.rig.bus, &r), -ENOTCONN);
    rig_done(&s.rig);
}

static void stops_in_the_middle_of_a_transaction(void **state)
{
    struct slave s;
    struct bus_request r = rig_request(1, 1, 10000);

    (void)state;
    setup(&s, be_silent);
    assert_int_equal(bus_send(s.rig.bus, &r), 0);
    teardown(&s);
    assert_int_equal(s.rig.replies, 0);
}

static void an_answer_in_packets_is_one_answer(void **state)
{
    struct slave s;

    (void)state;
    setup_radio(&s, answer_in_packets);
    rig_read(&s.rig, 100, 2);
    rig_read(&s.rig, 200, 60);
    teardown(&s);
}

static void a_modem_is_waited_for_by_its_own_times(void **state)
{
    struct slave s;

    (void)state;
    setup_radio(&s, answer_in_packets);
    assert_int_equal(rig_ask(&s.rig, 100, 2, 1), BUS_OK);
    teardown(&s);
    setup_radio(&s, be_silent);
    assert_int_equal(rig_ask(&s.rig, 100, 2, PATIENT_MS), BUS_NO_ANSWER);
    assert_in_range(s.rig.reply.took_ms, 120, PATIENT_MS / 2);
    assert_in_range(s.rig.reply.quiet_ms, 2900, 3000);
    teardown(&s);
}

static void the_copy_of_an_answer_is_never_taken_for_the_next(void **state)
{
    struct slave s;

    (void)state;
    setup_radio(&s, answer_twice);
    for (uint16_t i = 0; i < 6; i++)
        rig_read(&s.rig, (uint16_t)(100 * i), (uint16_t)(2 + i / 3));
    teardown(&s);
}

static void the_byte_that_a_modem_appends_does_no_harm(void **state)
{
    struct slave s;

    (void)state;
    setup_radio(&s, append_a_byte);
    for (uint16_t i = 1; i < 5; i++)
        rig_read(&s.rig, (uint16_t)(100 * i), i);
    teardown(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_registers),
        cmocka_unit_test(never_takes_a_late_answer),
        cmocka_unit_test(an_answer_in_packets_is_one_answer),
        cmocka_unit_test(a_modem_is_waited_for_by_its_own_times),
        cmocka_unit_test(the_copy_of_an_answer_is_never_taken_for_the_next),
        cmocka_unit_test(the_byte_that_a_modem_appends_does_no_harm),
        cmocka_unit_test(never_takes_an_answer_later_than_the_quiet_time),
        cmocka_unit_test(never_takes_a_stale_value_whatever_is_late),
        cmocka_unit_test(passes_over_other_units),
        cmocka_unit_test(waits_after_a_click_on_the_line),
        cmocka_unit_test(refuses_damaged_answers_and_goes_on),
        cmocka_unit_test(drops_what_follows_an_answer),
        cmocka_unit_test(drops_what_came_before_the_request),
        cmocka_unit_test(reports_exceptions),
        cmocka_unit_test(tells_frames_to_who_watches),
        cmocka_unit_test(sends_a_write_once_and_says_when_its_answer_is_missing),
        cmocka_unit_test(takes_no_echo_for_the_answer_to_a_write),
        cmocka_unit_test(goes_on_where_the_driver_has_no_direction_control),
        cmocka_unit_test(refuses_ports_that_cannot_be),
        cmocka_unit_test(opens_no_port_at_a_speed_that_nobody_knows),
        cmocka_unit_test(keeps_other_units_going_beside_a_silent_one),
        cmocka_unit_test(reopens_a_port_that_comes_back_under_another_name),
        cmocka_unit_test(says_when_there_is_no_port),
        cmocka_unit_test(stops_in_the_middle_of_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
