/* SPDX-License-Identifier: Apache-2.0 */
/* The uplink `mqtt` against a scripted broker on the loopback. */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/uplink/mqtt_link.h"
#include "gateway/uplink/mqtt_message.h"
#include "gateway/uplink/mqtt_topic.h"
#include "gateway/uplink/uplink.h"

#include "unit.h"

enum { PACKET_MAX = 1 << 20, SEEN_MAX = 64, WAIT_MS = 5000 };

#define EPOCH   UINT64_C(0x0123456789abcdef)
#define STATION "riverside-01"

struct seen {
    char topic[MQTT_TOPIC_MAX];
    char payload[4096];
    size_t size;
    bool is_retained;
};

struct heard {
    struct seen seen[SEEN_MAX];
    size_t seen_n, connects, versions[6];
    char will_topic[MQTT_TOPIC_MAX], client_id[128];
};

/* The script is written before the broker serves; what is under the lock, whenever. */
struct broker {
    int listener;
    uint16_t port;
    pthread_t thread;
    bool is_serving;
    /* script */
    int connack_v5, connack_v4; /* reason in CONNACK */
    uint16_t receive_max;
    uint32_t packet_max;
    const char *ack;        /* sent after the first message on P/series */
    unsigned hang_up_after; /* publications; 0: never */
    pthread_mutex_t lock;
    pthread_cond_t has_heard; /* a publication */
    int puback_reason;        /* -1: no PUBACK at all */
    struct heard heard;
};

static bool read_all(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, p, n);
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

/* One packet: first byte, body. False at the end. */
static bool read_packet(int fd, uint8_t *first, uint8_t *body, size_t *size)
{
    uint8_t byte;
    unsigned shift = 0;

    *size = 0;
    if (!read_all(fd, first, 1))
        return false;
    do {
        if (!read_all(fd, &byte, 1))
            return false;
        *size |= (size_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return *size <= PACKET_MAX && read_all(fd, body, *size);
}

static void send_packet(int fd, uint8_t first, const uint8_t *body, size_t size)
{
    uint8_t head[5] = { first };
    size_t n = 1, left = size;

    do {
        head[n++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
        left >>= 7;
    } while (left);
    send(fd, head, n, MSG_NOSIGNAL | MSG_MORE);
    send(fd, body, size, MSG_NOSIGNAL);
}

static size_t number16(const uint8_t *p)
{
    return (size_t)(p[0] << 8 | p[1]);
}

static void hear_connect(struct heard *h, const uint8_t *p)
{
    uint8_t version = p[6], flags = p[7];

    h->connects++;
    h->versions[version]++;
    p += 10;
    if (version == 5)
        p += 1 + p[0];
    size_t n = number16(p);
    memcpy(h->client_id, p + 2, n < 127 ? n : 127);
    p += 2 + n;
    if (!(flags & 4))
        return;
    if (version == 5)
        p += 1 + p[0];
    n = number16(p);
    memcpy(h->will_topic, p + 2, n < MQTT_TOPIC_MAX - 1 ? n : MQTT_TOPIC_MAX - 1);
}

static bool take_connect(struct broker *b, const uint8_t *p)
{
    pthread_mutex_lock(&b->lock);
    hear_connect(&b->heard, p);
    pthread_mutex_unlock(&b->lock);
    return p[6] == 5;
}

static bool answer_connect(struct broker *b, int fd, bool is_v5)
{
    uint8_t body[16] = { 0, (uint8_t)(is_v5 ? b->connack_v5 : b->connack_v4) };
    size_t n = 2;

    if (is_v5) {
        const uint8_t properties[] = { 0x21,
                                       (uint8_t)(b->receive_max >> 8),
                                       (uint8_t)b->receive_max,
                                       0x27,
                                       (uint8_t)(b->packet_max >> 24),
                                       (uint8_t)(b->packet_max >> 16),
                                       (uint8_t)(b->packet_max >> 8),
                                       (uint8_t)b->packet_max };
        body[n++] = sizeof properties;
        memcpy(body + n, properties, sizeof properties);
        n += sizeof properties;
    }
    send_packet(fd, 0x20, body, n);
    return body[1] == 0;
}

static void send_ack_message(struct broker *b, int fd, bool is_v5)
{
    uint8_t body[2048];
    char topic[MQTT_TOPIC_MAX];
    struct mqtt_topic t = { .region = "demo", .station = STATION, .leaf = MQTT_ACK };

    assert_int_equal(mqtt_topic_print(&t, topic), 0);
    size_t n = strlen(topic);
    body[0] = (uint8_t)(n >> 8);
    body[1] = (uint8_t)n;
    memcpy(body + 2, topic, n);
    n += 2;
    if (is_v5)
        body[n++] = 0;
    memcpy(body + n, b->ack, strlen(b->ack));
    send_packet(fd, 0x30, body, n + strlen(b->ack));
}

static void take_publish(struct broker *b, int fd, bool is_v5, uint8_t first, const uint8_t *p,
                         size_t size)
{
    size_t topic_n = number16(p);
    const uint8_t *id = p + 2 + topic_n, *payload = id + 2 + is_v5;
    size_t n = size - (size_t)(payload - p);

    pthread_mutex_lock(&b->lock);
    struct heard *h = &b->heard;
    struct seen *s = &h->seen[h->seen_n < SEEN_MAX - 1 ? h->seen_n : SEEN_MAX - 1];
    memset(s, 0, sizeof *s);
    memcpy(s->topic, p + 2, topic_n < sizeof s->topic - 1 ? topic_n : sizeof s->topic - 1);
    s->size = n;
    memcpy(s->payload, payload, n < sizeof s->payload ? n : sizeof s->payload);
    s->is_retained = first & 1;
    h->seen_n++;
    pthread_cond_broadcast(&b->has_heard);
    bool is_first_series = b->ack && strstr(s->topic, "/series") != NULL;
    int reason = b->puback_reason;
    pthread_mutex_unlock(&b->lock);

    uint8_t body[4] = { id[0], id[1], (uint8_t)reason, 0 };
    if (reason >= 0)
        send_packet(fd, 0x40, body, is_v5 ? 4 : 2);
    if (is_first_series) {
        send_ack_message(b, fd, is_v5);
        b->ack = NULL;
    }
}

static void converse(struct broker *b, int fd)
{
    static uint8_t body[PACKET_MAX];
    uint8_t first;
    size_t size;
    bool is_v5 = false;
    unsigned published = 0;

    while (read_packet(fd, &first, body, &size)) {
        const uint8_t suback[] = { body[0], body[1], 0, 1 },
                      suback4[] = { body[0], body[1], 1 };
        switch (first >> 4) {
        case 1:
            is_v5 = take_connect(b, body);
            if (!answer_connect(b, fd, is_v5))
                return;
            break;
        case 3:
            take_publish(b, fd, is_v5, first, body, size);
            if (++published == b->hang_up_after)
                return;
            break;
        case 8:
            if (is_v5)
                send_packet(fd, 0x90, suback, 4);
            else
                send_packet(fd, 0x90, suback4, 3);
            break;
        case 14:
            return;
        }
    }
}

static void *serve(void *user)
{
    struct broker *b = user;

    for (int fd; (fd = accept(b->listener, NULL, NULL)) >= 0; close(fd))
        converse(b, fd);
    return NULL;
}

struct fixture {
    struct broker b;
    const struct uplink_kind *kind;
    struct uplink_station station;
    char url[64];
    char *options;
    struct uplink *u;
    struct uplink_report why;
    struct heard heard;
};

/* Waits for `n` publications; false when they do not come. Under the broker's lock. */
static bool wait_heard(struct broker *b, size_t n)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    while (b->heard.seen_n < n && rc == 0)
        rc = pthread_cond_timedwait(&b->has_heard, &b->lock, &until);
    return rc == 0;
}

/* What the broker heard by now, and at least `n` publications if they come at all. */
static const struct heard *heard(struct fixture *f, size_t n)
{
    pthread_mutex_lock(&f->b.lock);
    wait_heard(&f->b, n);
    f->heard = f->b.heard;
    pthread_mutex_unlock(&f->b.lock);
    return &f->heard;
}

enum { WIDE_LAYOUT = 8, WIDE_SIZE = 1000 };

static char *wide_layout(void)
{
    char *json = malloc(WIDE_SIZE + 1);

    assert_non_null(json);
    memset(json, ' ', WIDE_SIZE);
    json[WIDE_SIZE] = '\0';
    return json;
}

static char *known_layout(void *user, uint32_t layout)
{
    (void)user;
    if (layout == WIDE_LAYOUT)
        return wide_layout();
    return layout == 7 ? strdup("{\"layout\":\"00000007\"}") : NULL;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;

    assert_non_null(f);
    f->b.listener = socket(AF_INET, SOCK_STREAM, 0);
    f->b.receive_max = 20;
    f->b.packet_max = 100000;
    pthread_mutex_init(&f->b.lock, NULL);
    pthread_cond_init(&f->b.has_heard, NULL);
    assert_int_equal(bind(f->b.listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(f->b.listener, 8), 0);
    getsockname(f->b.listener, (struct sockaddr *)&a, &size);
    f->b.port = ntohs(a.sin_port);

    f->kind = uplink_kind_find("mqtt");
    f->station = (struct uplink_station){
        .id = STATION, .region = "demo", .epoch = EPOCH, .layout_json = known_layout
    };
    snprintf(f->url, sizeof f->url, "mqtt://127.0.0.1:%u", f->b.port);
    f->options = calloc(1, f->kind->options_size);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    f->kind->destroy(f->u);
    shutdown(f->b.listener, SHUT_RDWR);
    if (f->b.is_serving)
        pthread_join(f->b.thread, NULL);
    close(f->b.listener);
    pthread_cond_destroy(&f->b.has_heard);
    pthread_mutex_destroy(&f->b.lock);
    free(f->options);
    free(f);
    return 0;
}

static size_t offset_of(const struct uplink_kind *kind, const char *name)
{
    for (const struct field *f = kind->options; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f->offset;
    fail_msg("no option %s", name);
    return 0;
}

/* The broker serves from now on. */
static void open_uplink(struct fixture *f, int confirm)
{
    const char *url = f->url;
    int64_t keepalive = 60000;

    assert_int_equal(pthread_create(&f->b.thread, NULL, serve, &f->b), 0);
    f->b.is_serving = true;
    memcpy(f->options + offset_of(f->kind, "url"), &url, sizeof url);
    memcpy(f->options + offset_of(f->kind, "keepalive"), &keepalive, sizeof keepalive);
    memcpy(f->options + offset_of(f->kind, "confirm"), &confirm, sizeof confirm);
    assert_int_equal(f->kind->create(f->options, &f->station, &f->u), 0);
}

enum { CENTRE, BROKER };

static struct uplink_entry frame_entry(uint64_t seq, const char *bytes)
{
    return (struct uplink_entry){
        .seq = seq, .data = (const uint8_t *)bytes, .size = strlen(bytes), .layout = 7
    };
}

static enum uplink_verdict send_entries(struct fixture *f, const struct uplink_entry *e,
                                        size_t n)
{
    enum uplink_verdict v = f->kind->send(f->u, &(struct uplink_batch){ e, n }, &f->why);

    if (v != UPLINK_SENT)
        print_message("not sent: %s\n", f->why.text);
    return v;
}

/* Collects until `n` ranges came or the time is over. */
static void collect(struct fixture *f, size_t n, struct uplink_acks *all)
{
    int64_t deadline = mono_ms() + WAIT_MS;

    *all = (struct uplink_acks){ .acked_n = 0 };
    while (all->acked_n < n && mono_ms() < deadline) {
        struct uplink_acks some;
        bool is_up = f->kind->collect(f->u, 50, &some);
        for (size_t i = 0; i < some.acked_n; i++)
            all->acked[all->acked_n++] = some.acked[i];
        for (size_t i = 0; i < some.need_n; i++)
            all->need[all->need_n++] = some.need[i];
        for (size_t i = 0; i < some.refused_n; i++)
            all->refused[all->refused_n++] = some.refused[i];
        if (!is_up)
            break;
    }
}

static void collect_refusal(struct fixture *f, struct uplink_acks *ret)
{
    int64_t deadline = mono_ms() + WAIT_MS;

    do
        assert_true(f->kind->collect(f->u, 50, ret));
    while (ret->refused_n == 0 && mono_ms() < deadline);
}

static void announces_everything_before_the_first_frame(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    const struct uplink_entry e[] = { frame_entry(1, "frame-one"),
                                      frame_entry(2, "frame-two") };

    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 2), UPLINK_SENT);
    collect(f, 1, &acks);
    const struct heard *h = heard(f, 3);
    assert_int_equal(h->seen_n, 3);
    assert_string_equal(h->seen[0].topic, "sluice/1/demo/1f/riverside-01/status");
    assert_string_equal(h->seen[0].payload, "{\"state\":\"online\",\"epoch\":"
                                            "\"0123456789abcdef\",\"software\":\"sluice\"}");
    assert_true(h->seen[0].is_retained);
    assert_string_equal(h->seen[1].topic, "sluice/1/demo/1f/riverside-01/layout/00000007");
    assert_true(h->seen[1].is_retained);
    assert_string_equal(h->seen[2].topic, "sluice/1/demo/1f/riverside-01/series");
    assert_false(h->seen[2].is_retained);
    assert_memory_equal(h->seen[2].payload,
                        "\xc0\xef\xcd\xab\x89\x67\x45\x23\x01\x01\x09"
                        "frame-one\x02\x09"
                        "frame-two",
                        31);
    assert_string_equal(h->will_topic, "sluice/1/demo/1f/riverside-01/status");
    assert_string_equal(h->client_id, "sluice-riverside-01");
}

static void counts_the_brokers_word_only_when_told_so(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    const struct uplink_entry e[] = { frame_entry(5, "a"), frame_entry(6, "b") };

    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 2), UPLINK_SENT);
    collect(f, 1, &acks);
    assert_int_equal(acks.acked_n, 1);
    assert_true(acks.acked[0].from == 5 && acks.acked[0].to == 6);
}

static void waits_for_the_centres_own_word(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    const struct uplink_entry e[] = { frame_entry(5, "a") };

    f->b.ack = "{\"epoch\":\"0123456789abcdef\",\"seq\":[[3,5]],"
               "\"need\":[{\"stream\":1,\"segment\":2,\"from\":0}]}";
    open_uplink(f, CENTRE);
    assert_int_equal(send_entries(f, e, 1), UPLINK_SENT);
    collect(f, 1, &acks);
    assert_int_equal(acks.acked_n, 1);
    assert_true(acks.acked[0].from == 3 && acks.acked[0].to == 5);
    assert_int_equal(acks.need_n, 1);
    assert_int_equal(acks.need[0].segment, 2);
}

static void ignores_an_acknowledgement_of_another_epoch(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    const struct uplink_entry e[] = { frame_entry(5, "a") };

    f->b.ack = "{\"epoch\":\"ffffffffffffffff\",\"seq\":[[1,500]]}";
    open_uplink(f, CENTRE);
    assert_int_equal(send_entries(f, e, 1), UPLINK_SENT);
    for (int i = 0; i < 5; i++) {
        assert_true(f->kind->collect(f->u, 20, &acks));
        assert_int_equal(acks.acked_n, 0);
    }
}

static void falls_back_to_the_older_version(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    const struct uplink_entry e[] = { frame_entry(5, "a") };

    f->b.connack_v5 = 0x84;
    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 1), UPLINK_LATER);
    assert_int_equal(send_entries(f, e, 1), UPLINK_SENT);
    assert_int_equal(heard(f, 0)->versions[5], 1);
    assert_int_equal(f->heard.versions[4], 1);
    collect(f, 1, &acks);
    assert_int_equal(acks.acked_n, 1);
}

static void stops_when_it_is_not_let_in(void **state)
{
    struct fixture *f = *state;
    const struct uplink_entry e[] = { frame_entry(5, "a") };

    f->b.connack_v5 = 0x86;
    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 1), UPLINK_DENIED);
    assert_string_equal(f->why.text, "not connected: Bad User Name or Password");
}

static void tries_later_when_the_broker_is_busy(void **state)
{
    struct fixture *f = *state;
    const struct uplink_entry e[] = { frame_entry(5, "a") };

    f->b.connack_v5 = 0x89;
    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 1), UPLINK_LATER);
}

static void reports_what_the_broker_refuses(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    const struct uplink_entry e[] = { frame_entry(5, "a") };

    f->b.puback_reason = 0x99;
    open_uplink(f, CENTRE);
    assert_int_equal(send_entries(f, e, 1), UPLINK_SENT);
    collect_refusal(f, &acks);
    assert_int_equal(acks.refused_n, 1);
    assert_int_equal(acks.refused[0].verdict, UPLINK_REFUSED);
    assert_int_equal(acks.refused[0].entries.from, 5);
}

static void cuts_messages_to_what_the_broker_takes(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    static char large[301], small[101];
    memset(large, 'x', 300);
    memset(small, 'y', 100);
    const struct uplink_entry e[] = { frame_entry(1, small), frame_entry(2, small),
                                      frame_entry(3, large), frame_entry(4, small) };

    f->b.packet_max = 300;
    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 4), UPLINK_SENT);
    collect(f, 2, &acks);
    assert_int_equal(acks.refused_n, 1);
    assert_int_equal(acks.refused[0].entries.from, 3);
    const struct heard *h = heard(f, 2 + 2);
    assert_int_equal(h->seen_n, 2 + 2);
    for (size_t i = 2; i < h->seen_n; i++)
        assert_true(h->seen[i].size + strlen(h->seen[i].topic) + 10 <= 300);
}

static void refuses_frames_whose_dictionary_the_broker_cannot_take(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks = { .acked_n = 0 };
    struct uplink_entry e[40];
    size_t refused = 0;

    for (size_t i = 0; i < 40; i++) {
        e[i] = frame_entry(i + 1, "frame");
        e[i].layout = i % 2 ? 7 : WIDE_LAYOUT;
    }
    f->b.packet_max = 300;
    open_uplink(f, CENTRE);
    assert_int_equal(send_entries(f, e, 40), UPLINK_SENT);
    for (int i = 0; i < 10; i++) {
        assert_true(f->kind->collect(f->u, 0, &acks));
        for (size_t k = 0; k < acks.refused_n; k++, refused++) {
            assert_int_equal(acks.refused[k].entries.from, 2 * refused + 1);
            assert_non_null(strstr(acks.refused[k].text, "dictionary"));
            assert_non_null(strstr(acks.refused[k].text, "1000 bytes"));
        }
    }
    assert_int_equal(refused, 20);
    const struct heard *h = heard(f, 3); /* status, one layout, the frames that fit */
    assert_int_equal(h->seen_n, 3);
    assert_string_equal(h->seen[1].topic, "sluice/1/demo/1f/riverside-01/layout/00000007");
}

static void keeps_to_the_brokers_window(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    struct uplink_entry e[20];

    for (size_t i = 0; i < 20; i++)
        e[i] = (struct uplink_entry){
            .seq = i + 1, .is_event = true, .data = (const uint8_t *)"{}", .size = 2
        };
    f->b.receive_max = 1;
    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 20), UPLINK_SENT);
    for (uint64_t to = 0; to < 20; to = acks.acked[acks.acked_n - 1].to) {
        collect(f, 1, &acks);
        assert_true(acks.acked_n > 0);
    }
    assert_int_equal(heard(f, 21)->seen_n, 21);
}

static void says_so_when_the_connection_breaks(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    const struct uplink_entry e[] = { frame_entry(5, "a") };
    int64_t deadline = mono_ms() + WAIT_MS;

    f->b.hang_up_after = 3;
    f->b.puback_reason = -1;
    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 1), UPLINK_SENT);
    while (f->kind->collect(f->u, 50, &acks) && mono_ms() < deadline)
        ;
    assert_true(mono_ms() < deadline);
    pthread_mutex_lock(&f->b.lock);
    f->b.puback_reason = 0;
    pthread_mutex_unlock(&f->b.lock);
    assert_int_equal(send_entries(f, e, 1), UPLINK_SENT);
    assert_int_equal(heard(f, 0)->connects, 2);
}

/* As soon as the window is full, so that nothing is left but to wait. */
static void *stop_when_full(void *user)
{
    struct fixture *f = user;

    heard(f, MQTT_WINDOW_MAX);
    f->kind->stop(f->u);
    return NULL;
}

static void stops_while_it_waits(void **state)
{
    struct fixture *f = *state;
    struct uplink_acks acks;
    pthread_t thread;
    struct uplink_entry e[20];

    for (size_t i = 0; i < 20; i++)
        e[i] = (struct uplink_entry){
            .seq = i + 1, .is_event = true, .data = (const uint8_t *)"{}", .size = 2
        };
    f->b.puback_reason = -1; /* the window never opens again */
    open_uplink(f, BROKER);
    int64_t begin = mono_ms();
    assert_int_equal(pthread_create(&thread, NULL, stop_when_full, f), 0);
    assert_int_equal(send_entries(f, e, 20), UPLINK_LATER);
    pthread_join(thread, NULL);
    f->kind->collect(f->u, 10, &acks);
    f->kind->destroy(f->u);
    f->u = NULL;
    assert_true(mono_ms() - begin < 1500);
}

static void says_goodbye(void **state)
{
    struct fixture *f = *state;
    const struct uplink_entry e[] = { frame_entry(5, "a") };

    open_uplink(f, BROKER);
    assert_int_equal(send_entries(f, e, 1), UPLINK_SENT);
    f->kind->destroy(f->u);
    f->u = NULL;
    assert_string_equal(heard(f, 4)->seen[3].payload,
                        "{\"state\":\"stopped\",\"epoch\":"
                        "\"0123456789abcdef\",\"software\":\"sluice\"}");
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(announces_everything_before_the_first_frame),
        SERVED(counts_the_brokers_word_only_when_told_so),
        SERVED(waits_for_the_centres_own_word),
        SERVED(ignores_an_acknowledgement_of_another_epoch),
        SERVED(falls_back_to_the_older_version),
        SERVED(stops_when_it_is_not_let_in),
        SERVED(tries_later_when_the_broker_is_busy),
        SERVED(reports_what_the_broker_refuses),
        SERVED(cuts_messages_to_what_the_broker_takes),
        SERVED(refuses_frames_whose_dictionary_the_broker_cannot_take),
        SERVED(keeps_to_the_brokers_window),
        SERVED(says_so_when_the_connection_breaks),
        SERVED(stops_while_it_waits),
        SERVED(says_goodbye),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
