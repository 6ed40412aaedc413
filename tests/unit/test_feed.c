/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds on a real broker, mosquitto, with a scripted server behind it. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/lns/feed.h"

#include "http_script.h"
#include "unit.h"

#define BROKER      "/usr/sbin/mosquitto"
#define APPLICATION "0b8c9d52-7a3e-4f6e-9a51-2f4f6c0f7d11"
#define DEVICE      "application/" APPLICATION "/device/a84041ffff1834a2/"
#define EUI         UINT64_C(0xa84041ffff1834a2)

enum { WAIT_MS = 6000, HEARD_MAX = 4096, PAGES = 4 };

/* A storage: one page a request, the last one for all that follow. */
struct storage {
    int listener;
    uint16_t port;
    pthread_t thread;
    const char *pages[PAGES]; /* NULL: 403 */
    size_t asked;
    char first[1024]; /* request */
};

struct world {
    char folder[64];
    uint16_t port;
    pid_t broker;
    int peer; /* the network server's connection; 0: there is no broker */
    uv_loop_t loop;
    struct clock clock;
    char url[64];
    struct feed_conf conf;
    struct feed *feed;
    bool is_closed;
    /* heard */
    struct feed_message last;
    size_t messages, states;
    uint32_t fcnt[HEARD_MAX];
    bool is_up, has_been_down;
    char state[FEED_TEXT_MAX];
};

static struct world w;

/* ---- broker ---- */

/* A socket, as soon as it listens. */
static int connect_to_broker(void)
{
    const struct sockaddr_in a = { .sin_family = AF_INET,
                                   .sin_port = htons(w.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    for (int64_t end = mono_ms() + WAIT_MS; mono_ms() < end; poll(NULL, 0, 10)) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int rc = connect(fd, (const struct sockaddr *)&a, sizeof a);
        if (rc == 0)
            return fd;
        close(fd);
    }
    fail_msg("the broker does not listen");
    return -1;
}

static void start_broker(void)
{
    char file[96];

    snprintf(file, sizeof file, "%s/mosquitto.conf", w.folder);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fprintf(f,
            "listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\n"
            "max_queued_messages 5000\n",
            w.port);
    if (getuid() == 0)
        fprintf(f, "user root\n");
    fclose(f);
    w.broker = fork();
    if (w.broker == 0) {
        if (!freopen("/dev/null", "w", stderr)) /* it does not like to be root */
            _exit(127);
        execl(BROKER, BROKER, "-c", file, (char *)NULL);
        _exit(127);
    }
    assert_true(w.broker > 0);
    close(connect_to_broker()); /* refused, the library would pause for a second */
}

static void stop_broker(void)
{
    if (w.broker <= 0)
        return;
    kill(w.broker, SIGKILL);
    waitpid(w.broker, NULL, 0);
    w.broker = 0;
}

/* ---- the network server: just enough of MQTT 3.1.1, of its own ---- */

static void send_packet(uint8_t first, const uint8_t *body, size_t n)
{
    uint8_t head[3] = { first, (uint8_t)((n & 0x7f) | 0x80), (uint8_t)(n >> 7) };

    assert_true(n < 1 << 14);
    assert_int_equal(send(w.peer, head, sizeof head, MSG_NOSIGNAL | MSG_MORE), sizeof head);
    assert_int_equal(send(w.peer, body, n, MSG_NOSIGNAL), n);
}

static void put_text(uint8_t *body, size_t *n, const char *text)
{
    size_t size = strlen(text);

    body[(*n)++] = (uint8_t)(size >> 8);
    body[(*n)++] = (uint8_t)size;
    memcpy(body + *n, text, size);
    *n += size;
}

static void read_all(uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = read(w.peer, p, n);
        if (got <= 0)
            fail_msg("the broker is silent");
        p += got;
        n -= (size_t)got;
    }
}

/* The next packet of this kind; others go by. */
static size_t read_packet(uint8_t kind, uint8_t *body, size_t max)
{
    for (;;) {
        uint8_t first, byte = 0x80;
        size_t n = 0;
        read_all(&first, 1);
        for (unsigned shift = 0; byte & 0x80; shift += 7) {
            read_all(&byte, 1);
            n |= (size_t)(byte & 0x7f) << shift;
        }
        assert_true(n <= max);
        read_all(body, n);
        if (first >> 4 == kind)
            return n;
    }
}

static void connect_peer(void)
{
    const struct timeval patience = { .tv_sec = WAIT_MS / 1000 };
    uint8_t body[256];
    size_t n = 0;

    if (w.peer > 0)
        close(w.peer);
    w.peer = connect_to_broker();
    setsockopt(w.peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    put_text(body, &n, "MQTT");
    memcpy(body + n, "\4\2\0\0", 4);
    n += 4;
    put_text(body, &n, "server");
    send_packet(0x10, body, n);
    read_packet(2, body, sizeof body);
    assert_int_equal(body[1], 0);
    n = 2;
    memcpy(body, "\0\1", 2);
    put_text(body, &n, "application/+/device/+/command/down");
    body[n++] = 0;
    put_text(body, &n, "v3/+/devices/+/down/push");
    body[n++] = 0;
    send_packet(0x82, body, n);
    read_packet(9, body, sizeof body);
}

/* Returns when the broker has it. */
static void publish(const char *topic, const char *json)
{
    uint8_t body[2048];
    size_t n = 0;

    put_text(body, &n, topic);
    memcpy(body + n, "\0\2", 2);
    n += 2;
    memcpy(body + n, json, strlen(json));
    send_packet(0x32, body, n + strlen(json));
    read_packet(4, body, sizeof body);
}

static void take_command(char *topic, char *json, size_t size)
{
    uint8_t body[2048];
    size_t n = read_packet(3, body, sizeof body), topic_n = (size_t)(body[0] << 8 | body[1]);

    snprintf(topic, size, "%.*s", (int)topic_n, (const char *)body + 2);
    snprintf(json, size, "%.*s", (int)(n - 2 - topic_n), (const char *)body + 2 + topic_n);
}

static void publish_up(uint32_t fcnt)
{
    char json[512];

    snprintf(json, sizeof json,
             "{\"deduplicationId\":\"id-%" PRIu32 "\",\"time\":\"2026-11-22T07:09:30.125Z\","
             "\"deviceInfo\":{\"devEui\":\"a84041ffff1834a2\",\"applicationId\":\"" APPLICATION
             "\",\"deviceName\":\"weir-3\"},\"devAddr\":\"01ab23cd\",\"fCnt\":%" PRIu32
             ",\"fPort\":2,\"data\":\"AQID\"}",
             fcnt, fcnt);
    publish(DEVICE "event/up", json);
}

/* ---- feed ---- */

static void on_message(void *user, struct feed_message *m)
{
    (void)user;
    free(m->object);
    m->object = NULL;
    w.last = *m;
    w.fcnt[w.messages % HEARD_MAX] = m->fcnt;
    w.messages++;
}

static void on_state(void *user, bool is_up, const char *why)
{
    (void)user;
    w.is_up = is_up;
    w.has_been_down |= !is_up;
    w.states++;
    snprintf(w.state, sizeof w.state, "%s", why);
}

static void on_closed(void *user)
{
    (void)user;
    w.is_closed = true;
}

static void on_deadline(uv_timer_t *t)
{
    bool *is_over = t->data;

    *is_over = true;
}

/* Runs the loop until it is so. */
static void run_until(bool (*is_so)(void), const char *what)
{
    uv_timer_t timer;
    bool is_over = false;

    uv_timer_init(&w.loop, &timer);
    timer.data = &is_over;
    uv_timer_start(&timer, on_deadline, WAIT_MS, 0);
    while (!is_so() && !is_over)
        uv_run(&w.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&w.loop, UV_RUN_NOWAIT);
    if (!is_so())
        fail_msg("waited in vain for %s; the last state: %s", what, w.state);
}

static size_t expected;

static bool is_up(void)
{
    return w.is_up;
}

static bool is_down(void)
{
    return w.has_been_down && !w.is_up;
}

static bool has_all(void)
{
    return w.messages >= expected;
}

static bool is_closed(void)
{
    return w.is_closed;
}

static void wait_messages(size_t n)
{
    expected = n;
    run_until(has_all, "messages");
    assert_int_equal(w.messages, n);
}

static void start_feed(int64_t since_ms)
{
    const struct feed_options o = { .loop = &w.loop,
                                    .clock = &w.clock,
                                    .conf = &w.conf,
                                    .since_ms = since_ms,
                                    .on_message = on_message,
                                    .on_state = on_state };

    w.is_up = w.is_closed = false;
    assert_int_equal(feed_start(&o, &w.feed), 0);
}

static void stop_feed(void)
{
    if (!w.feed)
        return;
    feed_stop(w.feed, on_closed, NULL);
    run_until(is_closed, "the end");
    feed_destroy(w.feed);
    w.feed = NULL;
}

static struct feed_counters counters(void)
{
    struct feed_counters c;

    feed_counters_get(w.feed, &c);
    return c;
}

static int begin(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    memset(&w, 0, sizeof w);
    if (access(BROKER, X_OK) != 0)
        return 0;
    snprintf(w.folder, sizeof w.folder, "/tmp/sluice-feed-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    close(script_listen(&w.port));
    start_broker();
    snprintf(w.url, sizeof w.url, "mqtt://127.0.0.1:%d", w.port);
    w.conf = (struct feed_conf){ .id = "test", .url = w.url };
    connect_peer();
    uv_loop_init(&w.loop);
    clock_init(&w.clock, 1, 0);
    return 0;
}

static int end(void **state)
{
    char file[96];

    (void)state;
    if (!w.peer)
        return 0;
    stop_feed();
    close(w.peer);
    stop_broker();
    snprintf(file, sizeof file, "%s/mosquitto.conf", w.folder);
    unlink(file);
    rmdir(w.folder);
    return uv_loop_close(&w.loop);
}

static void need_broker(void)
{
    if (!w.peer) {
        print_message("no mosquitto on this machine\n");
        skip();
    }
}

/* ---- ChirpStack ---- */

static void hands_over_what_the_server_publishes(void **state)
{
    (void)state;
    need_broker();
    start_feed(0);
    run_until(is_up, "the connection");
    publish_up(7);
    wait_messages(1);
    assert_true(w.last.dev_eui == EUI && w.last.fcnt == 7 && w.last.n == 3);
    assert_true(w.last.boot_ms > 0 && !w.last.is_backfill);
    assert_string_equal(w.state, "Connected.");
    struct feed_counters c = counters();
    assert_true(c.is_up && c.messages == 1 && c.uplinks == 1 && c.malformed == 0);
}

static void a_message_that_is_none_does_not_stop_the_next(void **state)
{
    (void)state;
    need_broker();
    start_feed(0);
    run_until(is_up, "the connection");
    publish(DEVICE "event/up", "\x0a\x24protobuf");
    publish(DEVICE "event/location", "{}");
    publish_up(8);
    wait_messages(1);
    assert_int_equal(w.last.fcnt, 8);
    struct feed_counters c = counters();
    assert_int_equal(c.malformed, 1);
    assert_non_null(strstr(c.error, "json = true"));
}

static void comes_back_after_the_broker(void **state)
{
    (void)state;
    need_broker();
    start_feed(0);
    run_until(is_up, "the connection");
    stop_broker();
    run_until(is_down, "the loss");
    assert_non_null(strstr(w.state, "trying again"));
    assert_int_equal(feed_send(w.feed, EUI, NULL, 2, (const uint8_t *)"\1", 1, false, NULL),
                     -ENOTCONN);
    start_broker();
    run_until(is_up, "the connection again");
    connect_peer();
    publish_up(9);
    wait_messages(1);
    assert_int_equal(counters().reconnects, 1);
}

static void what_came_while_away_is_handed_over(void **state)
{
    (void)state;
    need_broker();
    w.conf.client_id = "station-1-feed";
    start_feed(0);
    run_until(is_up, "the connection");
    stop_feed();
    for (uint32_t i = 0; i < 50; i++)
        publish_up(i);
    start_feed(0);
    wait_messages(50);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(w.fcnt[i], i);
}

/* More than the feed's own queue holds, while the owner does something else. */
static void a_slow_owner_loses_nothing(void **state)
{
    (void)state;
    need_broker();
    start_feed(0);
    run_until(is_up, "the connection");
    for (uint32_t i = 0; i < 600; i++)
        publish_up(i);
    wait_messages(600);
    for (uint32_t i = 0; i < 600; i++)
        assert_int_equal(w.fcnt[i], i);
    assert_int_equal(counters().dropped, 0);
}

static void sends_a_command_to_a_device_it_knows(void **state)
{
    static const char id[] = "5f0f2c5e-43c1-4b1f-8a55-0d6f8f0c9b21";
    char topic[512], json[512];

    (void)state;
    need_broker();
    start_feed(0);
    run_until(is_up, "the connection");
    assert_int_equal(feed_send(w.feed, EUI, NULL, 2, (const uint8_t *)"\1", 1, true, id),
                     -ENOENT);
    publish_up(1);
    wait_messages(1);
    assert_int_equal(feed_send(w.feed, EUI, NULL, 2, (const uint8_t *)"\1\2", 2, true, id), 0);
    take_command(topic, json, sizeof topic);
    assert_string_equal(topic, DEVICE "command/down");
    assert_non_null(strstr(json, "\"data\":\"AQI=\""));
    assert_non_null(strstr(json, id));
    publish(DEVICE "event/txack",
            "{\"deviceInfo\":{\"devEui\":\"a84041ffff1834a2\"},\"queueItemId\":"
            "\"5f0f2c5e-43c1-4b1f-8a55-0d6f8f0c9b21\"}");
    wait_messages(2);
    assert_true(w.last.kind == FEED_DOWNLINK && w.last.progress == FEED_DOWN_SENT);
    assert_string_equal(w.last.key[0], id);
}

static void a_server_that_never_answers_does_not_hold_up_the_end(void **state)
{
    char url[64];
    uint16_t port;
    int fd;

    (void)state;
    need_broker();
    fd = script_listen(&port);
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%d", port);
    w.conf.url = url;
    start_feed(0);
    int peer = accept(fd, NULL, NULL); /* it waits for CONNACK */
    int64_t before = mono_ms();
    stop_feed();
    assert_true(mono_ms() - before < 2000);
    close(peer);
    close(fd);
}

static void refuses_a_conf_that_cannot_work(void **state)
{
    const struct feed_options o = { .loop = &w.loop, .conf = &w.conf, .on_state = on_state };
    struct feed *f = NULL;

    (void)state;
    need_broker();
    w.conf.url = "tcp://x";
    log_set_level(LOG_ERROR - 1);
    assert_int_equal(feed_start(&o, &f), -EINVAL);
    assert_null(f);
}

/* ---- The Things Stack ---- */

#define TTN_UP(fcnt, at) \
    "{\"end_device_ids\":{\"device_id\":\"weir-3\",\"application_ids\":{\"application_id\":" \
    "\"river\"},\"dev_eui\":\"A84041FFFF1834A2\",\"dev_addr\":\"260BAB12\"},\"received_at\":" \
    "\"2026-11-22T07:" at "Z\",\"uplink_message\":{\"session_key_id\":\"S\",\"f_port\":2," \
    "\"f_cnt\":" #fcnt ",\"frm_payload\":\"AQ==\",\"received_at\":\"2026-11-22T07:" at "Z\"}}"
#define LINE(fcnt, at) "{\"result\":" TTN_UP(fcnt, at) "}\n\n"

static void answer(int fd, const char *page)
{
    char head[128];

    snprintf(head, sizeof head,
             "HTTP/1.1 %s\r\nContent-Type: text/event-stream\r\nContent-Length: %zu\r\n\r\n",
             page ? "200 OK" : "403 Forbidden", page ? strlen(page) : 0);
    send(fd, head, strlen(head), MSG_NOSIGNAL);
    for (size_t n = page ? strlen(page) : 0; n > 0;) {
        ssize_t sent = send(fd, page, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        page += sent;
        n -= (size_t)sent;
    }
}

static void *serve(void *user)
{
    struct storage *s = user;
    char text[4096];
    size_t head;

    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd))
        while (script_read(fd, text, sizeof text, &head)) {
            if (s->asked == 0)
                snprintf(s->first, sizeof s->first, "%.*s", (int)sizeof s->first - 1, text);
            answer(fd, s->pages[s->asked < PAGES ? s->asked : PAGES - 1]);
            s->asked++;
        }
    return NULL;
}

static void start_storage(struct storage *s, char *url, size_t size)
{
    s->listener = script_listen(&s->port);
    snprintf(url, size, "http://127.0.0.1:%d/", s->port);
    w.conf.server = FEED_TTN;
    w.conf.username = "river@ttn";
    w.conf.password = "NNSXS.KEY";
    w.conf.storage_url = url;
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop_storage(struct storage *s)
{
    stop_feed(); /* which keeps its connection */
    shutdown(s->listener, SHUT_RDWR);
    close(s->listener);
    pthread_join(s->thread, NULL);
}

static void fetches_what_was_missed_once(void **state)
{
    static struct storage s;
    char url[64];

    (void)state;
    need_broker();
    s = (struct storage){ .pages = {
                              LINE(1, "01:00.5") LINE(2, "02:00.5"),
                              "data: " LINE(2, "02:00.5") "nonsense\n" LINE(3, "03:00.5"),
                              LINE(3, "03:00.5"), "" } };
    start_storage(&s, url, sizeof url);
    start_feed(INT64_C(1795331100000)); /* 07:05:00 */
    wait_messages(3);
    assert_true(w.last.is_backfill && w.last.fcnt == 3);
    publish("v3/river@ttn/devices/weir-3/up", TTN_UP(4, "09:30.5"));
    wait_messages(4);
    assert_true(!w.last.is_backfill && w.last.fcnt == 4);
    struct feed_counters c = counters();
    assert_true(c.backfilled == 3 && c.malformed == 1);
    stop_storage(&s);
    assert_non_null(strstr(s.first, "GET /api/v3/as/applications/river/packages/storage/"
                                    "uplink_message?after=2026-11-22T07:00:00.000Z&limit="));
    assert_non_null(strstr(s.first, "Authorization: Bearer NNSXS.KEY\r\n"));
    assert_non_null(strstr(s.first, "Accept: text/event-stream\r\n"));
    assert_int_equal(s.asked, 3);
}

/* Of a page too large to be kept, the whole lines count, and the rest is asked for again. */
static void a_page_that_is_too_large_is_not_lost(void **state)
{
    enum { SIZE = 5 << 20 };
    static struct storage s;
    static char page[SIZE];
    char url[64];
    size_t n = strlen(LINE(1, "01:00.5"));

    (void)state;
    need_broker();
    memset(page, ' ', SIZE);
    memcpy(page, LINE(1, "01:00.5"), n);
    memcpy(page + SIZE - 1 - strlen(LINE(2, "02:00.5")), LINE(2, "02:00.5"),
           strlen(LINE(2, "02:00.5")));
    page[SIZE - 1] = '\0';
    s = (struct storage){ .pages = { page, LINE(2, "02:00.5"), "", "" } };
    start_storage(&s, url, sizeof url);
    start_feed(INT64_C(1795331100000));
    wait_messages(2);
    assert_int_equal(w.last.fcnt, 2);
    assert_int_equal(counters().malformed, 0);
    stop_storage(&s);
    assert_true(s.asked >= 2);
}

static bool says_failed(void)
{
    return strstr(w.state, "database is down") != NULL;
}

/* What came before counts; the rest is asked for later on. */
static void a_storage_that_fails_in_the_midst_is_told(void **state)
{
    static struct storage s;
    char url[64];

    (void)state;
    need_broker();
    s = (struct storage){
        .pages = { LINE(1, "01:00.5") "{\"error\":{\"message\":\"database is down\"}}\n" }
    };
    start_storage(&s, url, sizeof url);
    start_feed(INT64_C(1795331100000));
    run_until(says_failed, "the failure");
    assert_true(w.is_up);
    assert_int_equal(w.messages, 1);
    assert_int_equal(counters().malformed, 0);
    stop_storage(&s);
}

static bool says_denied(void)
{
    return strstr(w.state, "403") != NULL;
}

static void a_storage_that_refuses_is_told_and_live_uplinks_go_on(void **state)
{
    static struct storage s;
    char url[64];

    (void)state;
    need_broker();
    s = (struct storage){ .asked = 0 };
    start_storage(&s, url, sizeof url);
    start_feed(INT64_C(1795331100000));
    run_until(says_denied, "the refusal");
    assert_true(w.is_up);
    assert_non_null(strstr(w.state, "must be enabled"));
    publish("v3/river@ttn/devices/weir-3/up", TTN_UP(4, "09:30.5"));
    wait_messages(1);
    stop_storage(&s);
}

static void without_anything_stored_nothing_is_fetched(void **state)
{
    static struct storage s;
    char url[64], topic[512], json[512];

    (void)state;
    need_broker();
    s = (struct storage){ .asked = 0 };
    start_storage(&s, url, sizeof url);
    start_feed(0);
    run_until(is_up, "the connection");
    assert_int_equal(
        feed_send(w.feed, EUI, "weir-3", 2, (const uint8_t *)"\1", 1, false, "c-1"), 0);
    take_command(topic, json, sizeof topic);
    assert_string_equal(topic, "v3/river@ttn/devices/weir-3/down/push");
    stop_storage(&s);
    assert_int_equal(s.asked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hands_over_what_the_server_publishes),
        TEST(a_message_that_is_none_does_not_stop_the_next),
        TEST(comes_back_after_the_broker),
        TEST(what_came_while_away_is_handed_over),
        TEST(a_slow_owner_loses_nothing),
        TEST(sends_a_command_to_a_device_it_knows),
        TEST(a_server_that_never_answers_does_not_hold_up_the_end),
        TEST(refuses_a_conf_that_cannot_work),
        TEST(fetches_what_was_missed_once),
        TEST(a_page_that_is_too_large_is_not_lost),
        TEST(a_storage_that_fails_in_the_midst_is_told),
        TEST(a_storage_that_refuses_is_told_and_live_uplinks_go_on),
        TEST(without_anything_stored_nothing_is_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
