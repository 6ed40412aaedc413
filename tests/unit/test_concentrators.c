/* SPDX-License-Identifier: Apache-2.0 */
/* Real loopback sockets; the packet forwarder is played by hand. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/forwarder/concentrators.h"
#include "gateway/forwarder/pending.h"
#include "gateway/forwarder/source.h"
#include "gateway/forwarder/strangers.h"

#define EUI_A UINT64_C(0x0016c001ff10a235)
#define EUI_B UINT64_C(0xa84041ffff1e8f2c)
#define EUI_C UINT64_C(0x0102030405060708)

enum { WAIT_MS = 3000, RX_MAX = 8, KEEPALIVE_MS = 150 };

static const struct concentrator_conf confs[] = {
    { .id = "roof", .eui = EUI_A, .from = "127.0.0.0/8", .keepalive_ms = 60000 },
    { .id = "old", .eui = EUI_B, .keepalive_ms = 60000, .is_late = true },
    { .id = "field", .eui = EUI_C, .from = "192.0.2.0/24", .keepalive_ms = 60000 },
};
static const struct concentrator_conf impatient[] = {
    { .id = "roof", .eui = EUI_A, .keepalive_ms = KEEPALIVE_MS, .is_gps_locked = true },
};

struct fixture {
    uv_loop_t loop;
    struct clock clock;
    struct concentrators *c;
    int fd; /* of the forwarder */
    unsigned rx_n, results_n, states_n, restarts_n, strangers_n;
    struct radio_rx rx[RX_MAX];
    uint8_t first_byte;
    uint64_t id;
    enum radio_result result;
    uint32_t state_of;
    enum concentrator_state state;
    char why[256];
    bool is_closed;
};

static void on_rx(void *user, const struct radio_rx *rx)
{
    struct fixture *f = user;

    f->first_byte = rx->phy[0];
    f->rx[f->rx_n++ % RX_MAX] = *rx;
}

static void on_result(void *user, uint64_t id, enum radio_result r)
{
    struct fixture *f = user;

    f->results_n++;
    f->id = id;
    f->result = r;
}

static void on_state(void *user, uint32_t concentrator, enum concentrator_state s,
                     bool is_restart)
{
    struct fixture *f = user;

    f->state_of = concentrator;
    f->state = s;
    f->states_n += !is_restart;
    f->restarts_n += is_restart;
}

static void on_stranger(void *user, uint64_t eui, const char *why)
{
    struct fixture *f = user;

    (void)eui;
    f->strangers_n++;
    snprintf(f->why, sizeof f->why, "%s", why);
}

static void on_closed(void *user)
{
    ((struct fixture *)user)->is_closed = true;
}

static int open_forwarder(const struct fixture *f)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)concentrators_port(f->c)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static struct fixture *begin(void **state, const struct concentrator_conf *c, size_t n)
{
    struct fixture *f = calloc(1, sizeof *f);
    char error[256] = "";

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    clock_init(&f->clock, 1, 0);
    const struct concentrators_options o = { .loop = &f->loop,
                                             .clock = &f->clock,
                                             .listen = "127.0.0.1:0",
                                             .concentrators = c,
                                             .n = n,
                                             .on_rx = on_rx,
                                             .on_result = on_result,
                                             .on_state = on_state,
                                             .on_stranger = on_stranger,
                                             .user = f };
    assert_int_equal(concentrators_start(&o, &f->c, error, sizeof error), 0);
    f->fd = open_forwarder(f);
    *state = f;
    return f;
}

static int setup(void **state)
{
    begin(state, confs, sizeof confs / sizeof confs[0]);
    return 0;
}

static int setup_impatient(void **state)
{
    begin(state, impatient, 1);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    concentrators_stop(f->c, on_closed, f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->is_closed);
    concentrators_destroy(f->c);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    close(f->fd);
    free(f);
    return 0;
}

/* Runs the loop until `*count` has reached `n`. */
static void wait_for(struct fixture *f, const unsigned *count, unsigned n)
{
    const int64_t end_ms = mono_ms() + WAIT_MS;

    while (*count < n) {
        assert_true(mono_ms() < end_ms);
        uv_run(&f->loop, UV_RUN_NOWAIT);
        poll(NULL, 0, 1);
    }
}

/* Everything that has arrived is taken. */
static void settle(struct fixture *f)
{
    for (int i = 0; i < 20; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        poll(NULL, 0, 1);
    }
}

static ssize_t receive(struct fixture *f, int fd, char *out, size_t size)
{
    const int64_t end_ms = mono_ms() + WAIT_MS;
    ssize_t n = -1;

    while (n < 0 && mono_ms() < end_ms) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        n = recv(fd, out, size - 1, 0);
        if (n < 0)
            poll(NULL, 0, 1);
    }
    assert_true(n >= 0);
    out[n] = '\0';
    return n;
}

static bool hears_nothing(struct fixture *f, int fd)
{
    char byte;

    settle(f);
    return recv(fd, &byte, 1, 0) < 0;
}

static void say(int fd, uint8_t version, uint16_t token, uint8_t id, uint64_t eui,
                const char *json)
{
    char b[4096] = { (char)version, (char)(token >> 8), (char)token, (char)id };

    for (int i = 0; i < 8; i++)
        b[4 + i] = (char)(eui >> (56 - 8 * i));
    const int n = snprintf(b + 12, sizeof b - 12, "%s", json);
    assert_int_equal(send(fd, b, 12 + (size_t)n, 0), 12 + n);
}

static void pull(struct fixture *f, int fd, uint64_t eui)
{
    char ack[8];

    say(fd, 2, 0x0a0b, 2, eui, "");
    assert_int_equal(receive(f, fd, ack, sizeof ack), 4);
    assert_memory_equal(ack, "\x02\x0a\x0b\x04", 4);
}

/* A reception with that counter. */
static void push(int fd, uint64_t eui, uint32_t tmst)
{
    char json[256];

    snprintf(json, sizeof json,
             "{\"rxpk\":[{\"tmst\":%u,\"freq\":868.1,\"stat\":1,\"modu\":\"LORA\","
             "\"datr\":\"SF7BW125\",\"rssi\":-60,\"lsnr\":9.5,\"data\":\"QAEC\"}]}",
             tmst);
    say(fd, 2, 0x0102, 0, eui, json);
}

static const struct radio_tx answer_tx = { .id = 42,
                                           .tmst = 2000000,
                                           .freq_hz = 868100000,
                                           .rate = { .sf = 7, .bw_hz = 125000 },
                                           .power_dbm = 14,
                                           .phy = { 0x60, 1, 2 },
                                           .n = 3 };

/* The token of the PULL_RESP that has come. */
static uint16_t token_of(const char *datagram)
{
    assert_int_equal(datagram[3], 3);
    return (uint16_t)((uint8_t)datagram[1] << 8 | (uint8_t)datagram[2]);
}

static struct concentrator_counters counters(const struct fixture *f, uint32_t i)
{
    struct concentrator_counters k;

    concentrators_get(f->c, i, &k);
    return k;
}

static void acknowledges_first_and_in_the_version_it_was_asked(void **state)
{
    struct fixture *f = *state;
    char ack[8];

    say(f->fd, 1, 0xbeef, 0, EUI_A, "this is not JSON");
    assert_int_equal(receive(f, f->fd, ack, sizeof ack), 4);
    assert_memory_equal(ack, "\x01\xbe\xef\x01", 4);
    assert_int_equal(counters(f, 0).rx_malformed, 1);
    pull(f, f->fd, EUI_A);
}

static void hands_on_what_was_received(void **state)
{
    struct fixture *f = *state;
    const int64_t before_us = (int64_t)(uv_hrtime() / 1000);

    push(f->fd, EUI_A, 4294967295U);
    wait_for(f, &f->rx_n, 1);
    assert_int_equal(f->rx[0].gateway, 0);
    assert_true(f->rx[0].tmst == 4294967295U);
    assert_int_equal(f->rx[0].n, 3);
    assert_int_equal(f->first_byte, 0x40);
    assert_true(f->rx[0].mono_us >= before_us &&
                f->rx[0].mono_us <= (int64_t)(uv_hrtime() / 1000));
    assert_true(clock_wall_ms(&f->clock) - f->rx[0].time_ms < WAIT_MS);
    assert_true(clock_boot_ms(&f->clock) - f->rx[0].boot_ms < WAIT_MS);
    push(f->fd, EUI_B, 7);
    wait_for(f, &f->rx_n, 2);
    assert_int_equal(f->rx[1].gateway, 1);
    assert_int_equal(counters(f, 0).rx, 1);
    assert_int_equal(counters(f, 0).push, 1);
    assert_true(counters(f, 0).rx_per_min > 0);
}

static void takes_a_burst_without_losing_one(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 100; i++)
        push(f->fd, EUI_A, 1000 * i);
    wait_for(f, &f->rx_n, 100);
    assert_int_equal(counters(f, 0).rx, 100);
}

static void answers_neither_strangers_nor_foreign_networks(void **state)
{
    struct fixture *f = *state;

    say(f->fd, 2, 1, 2, UINT64_C(0xdeadbeef), "");
    say(f->fd, 2, 2, 2, UINT64_C(0xdeadbeef), "");
    assert_true(hears_nothing(f, f->fd));
    assert_int_equal(f->strangers_n, 1);
    assert_non_null(strstr(f->why, "00000000deadbeef"));
    push(f->fd, EUI_C, 1);
    assert_true(hears_nothing(f, f->fd));
    assert_int_equal(f->strangers_n, 2);
    assert_non_null(strstr(f->why, "field"));
    assert_non_null(strstr(f->why, "192.0.2.0/24"));
    assert_int_equal(f->rx_n, 0);
    send(f->fd, "\x03\x00\x00\x00........", 12, 0);
    send(f->fd, "x", 1, 0);
    assert_true(hears_nothing(f, f->fd));
    assert_int_equal(f->strangers_n, 2);
}

static void sends_where_the_last_pull_came_from(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    const int up = open_forwarder(f), moved = open_forwarder(f);

    assert_int_equal(concentrators_send(f->c, &answer_tx), -ENOTCONN);
    pull(f, f->fd, EUI_A);
    push(up, EUI_A, 1000000); /* another socket, whose address says nothing */
    receive(f, up, text, sizeof text);
    assert_int_equal(concentrators_send(f->c, &answer_tx), 0);
    receive(f, f->fd, text, sizeof text);
    assert_non_null(strstr(text + 4, "\"tmst\":2000000,\"freq\":868.100000"));
    pull(f, moved, EUI_A); /* the port of a NAT changed */
    assert_int_equal(concentrators_send(f->c, &answer_tx), 0);
    receive(f, moved, text, sizeof text);
    assert_int_equal(text[3], 3);
    assert_true(hears_nothing(f, f->fd) && hears_nothing(f, up));
    close(up);
    close(moved);
}

static void matches_answers_by_token_and_concentrator(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    uint16_t tokens[3];

    pull(f, f->fd, EUI_A);
    for (unsigned i = 0; i < 3; i++) {
        struct radio_tx tx = answer_tx;
        tx.id = 100 + i;
        assert_int_equal(concentrators_send(f->c, &tx), 0);
        receive(f, f->fd, text, sizeof text);
        tokens[i] = token_of(text);
    }
    assert_true(tokens[0] != tokens[1] && tokens[1] != tokens[2] && tokens[0] != tokens[2]);
    say(f->fd, 2, tokens[1], 5, EUI_B, ""); /* another concentrator's */
    say(f->fd, 2, (uint16_t)(tokens[2] + 9), 5, EUI_A, "");
    settle(f);
    assert_int_equal(f->results_n, 0);
    say(f->fd, 2, tokens[1], 5, EUI_A, "{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}");
    wait_for(f, &f->results_n, 1);
    assert_true(f->id == 101 && f->result == RADIO_TOO_LATE);
    say(f->fd, 2, tokens[0], 5, EUI_A, "");
    wait_for(f, &f->results_n, 2);
    assert_true(f->id == 100 && f->result == RADIO_ACCEPTED);
    say(f->fd, 2, tokens[0], 5, EUI_A, ""); /* again: it was answered */
    settle(f);
    assert_int_equal(f->results_n, 2);
    assert_int_equal(counters(f, 0).tx, 3);
    assert_int_equal(counters(f, 0).tx_accepted, 1);
    assert_int_equal(counters(f, 0).tx_refused, 1);
    assert_true(counters(f, 0).tx_share > 0);
}

static void gives_up_an_answer_after_a_second(void **state)
{
    struct fixture *f = *state;
    char text[1024];

    pull(f, f->fd, EUI_A);
    assert_int_equal(concentrators_send(f->c, &answer_tx), 0);
    receive(f, f->fd, text, sizeof text);
    const int64_t sent_ms = mono_ms();
    wait_for(f, &f->results_n, 1);
    assert_true(f->id == 42 && f->result == RADIO_NO_ANSWER);
    assert_in_range(mono_ms() - sent_ms, 900, 2000);
    say(f->fd, 2, token_of(text), 5, EUI_A, "");
    settle(f);
    assert_int_equal(f->results_n, 1);
    assert_int_equal(counters(f, 0).tx_no_answer, 1);
}

static void says_when_a_counter_began_again(void **state)
{
    struct fixture *f = *state;

    push(f->fd, EUI_A, 1000000000U);
    push(f->fd, EUI_A, 1000500000U);
    push(f->fd, EUI_A, 5000);
    wait_for(f, &f->rx_n, 3);
    assert_int_equal(f->restarts_n, 1);
    assert_int_equal(f->state_of, 0);
    assert_int_equal(counters(f, 0).restarts, 1);
}

/* Held until 300 ms before its time; a restart of the forwarder makes its time meaningless. */
static void hands_over_late_where_there_is_no_queue(void **state)
{
    struct fixture *f = *state;
    struct radio_tx tx = answer_tx;
    char text[1024];

    tx.gateway = 1;
    tx.tmst = 1000000 + 500000;
    pull(f, f->fd, EUI_B);
    push(f->fd, EUI_B, 1000000);
    receive(f, f->fd, text, sizeof text);
    const int64_t heard_ms = mono_ms();
    assert_int_equal(concentrators_send(f->c, &tx), 0);
    receive(f, f->fd, text, sizeof text);
    assert_int_equal(text[3], 3);
    assert_in_range(mono_ms() - heard_ms, 150, 499);
    tx.tmst = 1000000 + 60000000;
    assert_int_equal(concentrators_send(f->c, &tx), 0);
    push(f->fd, EUI_B, 2000000000U);
    wait_for(f, &f->results_n, 1);
    assert_int_equal(f->result, RADIO_NO_PATH);
    assert_int_equal(counters(f, 1).tx, 1);
}

static void is_silent_after_three_keepalives(void **state)
{
    struct fixture *f = *state;
    char text[1024];

    pull(f, f->fd, EUI_A);
    wait_for(f, &f->states_n, 1);
    assert_int_equal(f->state, CONCENTRATOR_UP);
    assert_true(counters(f, 0).address[0] != '\0');
    const int64_t pulled_ms = mono_ms();
    push(f->fd, EUI_A, 1);
    receive(f, f->fd, text, sizeof text);
    wait_for(f, &f->states_n, 2);
    assert_int_equal(f->state, CONCENTRATOR_SILENT);
    assert_in_range(mono_ms() - pulled_ms, 3 * KEEPALIVE_MS - 20, 3 * KEEPALIVE_MS + 1000);
    assert_int_equal(concentrators_send(f->c, &answer_tx), -ENOTCONN);
    assert_string_equal(counters(f, 0).address, "");
    push(f->fd, EUI_A, 2);
    receive(f, f->fd, text, sizeof text);
    assert_true(counters(f, 0).has_no_pull);
    pull(f, f->fd, EUI_A);
    wait_for(f, &f->states_n, 3);
    assert_int_equal(f->state, CONCENTRATOR_UP);
    assert_false(counters(f, 0).has_no_pull);
}

static void one_that_never_came_is_silent_too(void **state)
{
    struct fixture *f = *state;
    struct concentrator_counters k;

    assert_int_equal(concentrators_get(f->c, 0, &k), CONCENTRATOR_WAITING);
    wait_for(f, &f->states_n, 1);
    assert_int_equal(f->state, CONCENTRATOR_SILENT);
}

/* The time of a forwarder with GPS is believed within 2 s of ours, otherwise not. */
static void believes_its_time_when_it_agrees(void **state)
{
    static const struct {
        int64_t off_ms;
        bool is_believed;
    } cases[] = { { 1500, true }, { -1900, true }, { 60000, false }, { -3000, false } };
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t own_ms = clock_wall_ms(&f->clock) + cases[i].off_ms;
        char json[256], text[TIME_TEXT_MAX];
        time_print_utc(own_ms, text);
        snprintf(json, sizeof json,
                 "{\"rxpk\":[{\"tmst\":%u,\"freq\":868.1,\"datr\":\"SF7BW125\","
                 "\"time\":\"%s\",\"data\":\"QAEC\"}]}",
                 1000 * i, text);
        say(f->fd, 2, 1, 0, EUI_A, json);
        wait_for(f, &f->rx_n, i + 1);
        assert_true((f->rx[i].time_ms == own_ms) == cases[i].is_believed);
    }
}

static void keeps_the_figures_of_the_forwarder(void **state)
{
    struct fixture *f = *state;
    char ack[8];

    assert_true(isnan(counters(f, 0).lat) && isnan(counters(f, 0).ackr));
    for (int i = 0; i < 3; i++) {
        say(f->fd, 2, 1, 0, EUI_A,
            "{\"stat\":{\"rxnb\":5,\"rxok\":4,\"rxfw\":3,\"ackr\":66.7,\"dwnb\":2,\"txnb\":1,"
            "\"lati\":30.25,\"long\":120.1,\"alti\":9,\"temp\":41.5}}");
        receive(f, f->fd, ack, sizeof ack);
    }
    const struct concentrator_counters k = counters(f, 0);
    assert_true(k.rxnb == 5 && k.rxok == 4 && k.rxfw == 3 && k.dwnb == 2 && k.txnb == 1);
    assert_true(k.ackr == 66.7 && k.lat == 30.25 && k.lon == 120.1 && k.temp == 41.5);
    assert_int_equal(k.rxnb_same, 2);
}

static void says_why_it_cannot_start(void **state)
{
    static const char *const wrong[] = {
        "",          "1700",          ":1700", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:1x",
        "[::1:1700", "localhost:1700"
    };
    struct fixture *f = *state;
    struct concentrators *c;
    struct concentrators_options o = {
        .loop = &f->loop, .clock = &f->clock, .concentrators = confs, .n = 1
    };
    char error[256], taken[32];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        o.listen = wrong[i];
        assert_int_equal(concentrators_start(&o, &c, error, sizeof error), -EINVAL);
        assert_non_null(strstr(error, "is no address and port"));
    }
    snprintf(taken, sizeof taken, "127.0.0.1:%u", concentrators_port(f->c));
    o.listen = taken;
    assert_int_equal(concentrators_start(&o, &c, error, sizeof error), UV_EADDRINUSE);
    assert_non_null(strstr(error, taken));
    const struct concentrator_conf bad = { .id = "x", .from = "192.0.2.1/24" };
    o.concentrators = &bad;
    assert_int_equal(concentrators_start(&o, &c, error, sizeof error), -EINVAL);
    assert_non_null(strstr(error, "192.0.2.1/24"));
}

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage a = { 0 };

    if (uv_ip4_addr(text, 1, (struct sockaddr_in *)&a) < 0)
        assert_int_equal(uv_ip6_addr(text, 1, (struct sockaddr_in6 *)&a), 0);
    return a;
}

static void knows_networks_of_both_kinds(void **state)
{
    static const struct {
        const char *network, *address;
        bool is_in;
    } cases[] = {
        { "192.0.2.7", "192.0.2.7", true },
        { "192.0.2.7", "192.0.2.8", false },
        { "192.0.2.0/24", "192.0.2.255", true },
        { "192.0.2.0/24", "192.0.3.0", false },
        { "192.0.2.128/25", "192.0.2.127", false },
        { "0.0.0.0/0", "203.0.113.9", true },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "192.0.2.0/24", "::ffff:192.0.2.9", true },
        { "fd00::/8", "fd12:3456::1", true },
        { "fd00::/8", "fe80::1", false },
        { "2001:db8::/33", "2001:db8:8000::1", false },
        { "::/0", "192.0.2.1", true },
    };
    static const char *const wrong[] = { "",
                                         "/24",
                                         "192.0.2.0/33",
                                         "192.0.2.0/",
                                         "192.0.2.0/a",
                                         "192.0.2.1/24",
                                         "fd00::1/8",
                                         "fd00::/129",
                                         "host",
                                         "192.0.2.0/24x",
                                         "192.0.2.0/-1" };
    struct source s;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sockaddr_storage a = address_of(cases[i].address);
        assert_int_equal(source_parse(cases[i].network, &s), 0);
        assert_int_equal(source_has(&s, (const struct sockaddr *)&a), cases[i].is_in);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(source_parse(wrong[i], &s), -EINVAL);
}

static void gives_no_token_twice_while_one_waits(void **state)
{
    static struct pending p;
    struct pending_tx *first;

    (void)state;
    first = pending_add(&p, &answer_tx, 5);
    for (int i = 0; i < 70000; i++) {
        struct pending_tx *t = pending_add(&p, &answer_tx, 9);
        assert_non_null(t);
        assert_true(t->token != first->token);
        t->state = PENDING_FREE;
    }
    assert_int_equal(pending_due(&p), 5);
    assert_null(pending_next_due(&p, 4));
    assert_ptr_equal(pending_next_due(&p, 5), first);
    for (int i = 1; i < PENDING_MAX; i++)
        assert_non_null(pending_add(&p, &answer_tx, 9));
    assert_null(pending_add(&p, &answer_tx, 9));
}

static void tells_of_a_stranger_once_a_minute_even_in_a_flood(void **state)
{
    struct strangers s = { 0 };
    unsigned told = 0;

    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        told += strangers_tell(&s, i, 1000 + (int64_t)i);
    assert_int_equal(told, STRANGERS_MAX);
    assert_false(strangers_tell(&s, 3, 30000000));
    assert_true(strangers_tell(&s, 3, 61000000));
    assert_false(strangers_tell(&s, 3, 61000001));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(acknowledges_first_and_in_the_version_it_was_asked),
        WITH(hands_on_what_was_received),
        WITH(takes_a_burst_without_losing_one),
        WITH(answers_neither_strangers_nor_foreign_networks),
        WITH(sends_where_the_last_pull_came_from),
        WITH(matches_answers_by_token_and_concentrator),
        WITH(gives_up_an_answer_after_a_second),
        WITH(says_when_a_counter_began_again),
        WITH(hands_over_late_where_there_is_no_queue),
        cmocka_unit_test_setup_teardown(is_silent_after_three_keepalives, setup_impatient,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_that_never_came_is_silent_too, setup_impatient,
                                        teardown),
        cmocka_unit_test_setup_teardown(believes_its_time_when_it_agrees, setup_impatient,
                                        teardown),
        WITH(keeps_the_figures_of_the_forwarder),
        WITH(says_why_it_cannot_start),
        cmocka_unit_test(knows_networks_of_both_kinds),
        cmocka_unit_test(gives_no_token_twice_while_one_waits),
        cmocka_unit_test(tells_of_a_stranger_once_a_minute_even_in_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
