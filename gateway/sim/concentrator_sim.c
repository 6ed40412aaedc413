/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/concentrator_sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/buf.h"
#include "gateway/sim/noise.h"
#include "gateway/sim/rxpk.h"
#include "gateway/sim/txpk.h"

enum { PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_RESP, PULL_ACK, TX_ACK };

enum {
    VERSION = 2,
    HEADER_SIZE = 12,
    DATAGRAM_MAX = 16 * 1024, /* 16 receptions of 255 bytes */
    KEEPALIVE_MS = 10000,
    STAT_MS = 30000,
    FETCH_MS = 10,
    FETCH_MAX = 16, /* receptions of one fetch; a concentrator holds no more */
    PUSH_WAIT_US = 100 * 1000,
    PULL_WAIT_US = 200 * 1000,
    SENT_MAX = 8, /* transmissions remembered to be deaf during them */
};

struct wait { /* for the acknowledgement of the last datagram of a kind */
    bool is_open;
    uint16_t token;
    int64_t sent_us;
};

/* The sockets of one run of the forwarder; they end with it. */
struct sockets {
    uv_udp_t up, down;
    unsigned handles;
    char room[2048];
    struct concentrator_sim *owner; /* NULL: over */
};

struct concentrator_sim {
    struct concentrator_sim_options o;
    struct sockaddr_storage server;
    struct sockets *sockets;
    uv_timer_t fetch, keepalive, stat, jit;
    unsigned handles;
    bool is_cut;
    int ear; /* in the air; -1: none */
    uint16_t token;
    int64_t draws;
    int64_t zero_us; /* monotonic time at which the counter was 0 */
    struct wait push, pull;
    struct jit_queue queue;
    struct rxpk received[FETCH_MAX];
    size_t received_n;
    struct {
        int64_t start_us, end_us;
    } sent[SENT_MAX];
    unsigned sent_n;
    struct {
        unsigned rxnb, rxok, rxfw, dwnb, txnb, push, acked;
    } stats; /* since the last stat */
    struct concentrator_sim_counters counters;
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static bool happens(struct concentrator_sim *c, double share)
{
    return share > 0 && noise_uniform(c->o.seed, c->draws++) < share;
}

static uint32_t tmst_at(const struct concentrator_sim *c, int64_t us)
{
    return (uint32_t)(us - c->zero_us);
}

uint32_t concentrator_sim_tmst(const struct concentrator_sim *c)
{
    return tmst_at(c, now_us());
}

/* ---- towards the server ---- */

static void send_datagram(struct concentrator_sim *c, uv_udp_t *from, const void *data,
                          size_t n)
{
    const uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)n);

    if (!c->is_cut && !happens(c, c->o.loss))
        uv_udp_try_send(from, &buf, 1, (const struct sockaddr *)&c->server);
}

static void put_header(const struct concentrator_sim *c, struct buf *b, uint16_t token,
                       uint8_t id)
{
    uint8_t head[HEADER_SIZE] = { VERSION, (uint8_t)(token >> 8), (uint8_t)token, id };

    for (int i = 0; i < 8; i++)
        head[4 + i] = (uint8_t)(c->o.eui >> (56 - 8 * i));
    buf_put(b, head, sizeof head);
}

static void pull(struct concentrator_sim *c)
{
    struct buf b = BUF_INIT(HEADER_SIZE);

    c->pull = (struct wait){ .is_open = true, .token = ++c->token, .sent_us = now_us() };
    c->counters.pull++;
    put_header(c, &b, c->pull.token, PULL_DATA);
    if (!b.has_failed)
        send_datagram(c, &c->sockets->down, b.data, b.size);
    buf_done(&b);
}

static void push(struct concentrator_sim *c, struct buf *b)
{
    c->push = (struct wait){ .is_open = true, .token = c->token, .sent_us = now_us() };
    c->counters.push++;
    c->stats.push++;
    if (b->has_failed)
        return;
    send_datagram(c, &c->sockets->up, b->data, b->size);
    if (happens(c, c->o.duplicate))
        send_datagram(c, &c->sockets->up, b->data, b->size);
}

static void on_fetch(uv_timer_t *timer)
{
    struct concentrator_sim *c = timer->data;
    struct buf b = BUF_INIT(DATAGRAM_MAX);

    put_header(c, &b, ++c->token, PUSH_DATA);
    buf_puts(&b, "{\"rxpk\":[");
    for (size_t i = 0; i < c->received_n; i++) {
        if (i > 0)
            buf_puts(&b, ",");
        rxpk_print(&b, &c->received[i]);
    }
    buf_puts(&b, "]}");
    c->stats.rxfw += (unsigned)c->received_n;
    c->received_n = 0;
    push(c, &b);
    buf_done(&b);
}

static void on_stat(uv_timer_t *timer)
{
    struct concentrator_sim *c = timer->data;
    struct buf b = BUF_INIT(1024);
    const time_t now = time(NULL);
    struct tm tm;
    char text[32];

    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S GMT", &tm);
    put_header(c, &b, ++c->token, PUSH_DATA);
    buf_printf(&b,
               "{\"stat\":{\"time\":\"%s\",\"rxnb\":%u,\"rxok\":%u,\"rxfw\":%u,\"ackr\":%.1f,"
               "\"dwnb\":%u,\"txnb\":%u,\"temp\":35.2}}",
               text, c->stats.rxnb, c->stats.rxok, c->stats.rxfw,
               c->stats.push > 0 ? 100.0 * c->stats.acked / c->stats.push : 0.0, c->stats.dwnb,
               c->stats.txnb);
    memset(&c->stats, 0, sizeof c->stats);
    push(c, &b);
    buf_done(&b);
}

static void on_keepalive(uv_timer_t *timer)
{
    pull(timer->data);
}

/* ---- receptions ---- */

static bool is_deaf(const struct concentrator_sim *c, const struct air_frame *f)
{
    for (size_t i = 0; i < SENT_MAX; i++) {
        if (f->start_us < c->sent[i].end_us && c->sent[i].start_us < f->end_us)
            return true;
    }
    return false;
}

static void garble(struct concentrator_sim *c, struct rxpk *r)
{
    r->is_garbled = true;
    for (size_t i = 0; i < r->frame.n; i += 3)
        r->frame.phy[i] ^= (uint8_t)(noise_bits(c->o.seed, c->draws++) | 1);
}

void concentrator_sim_hear(struct concentrator_sim *c, const struct air_frame *f, float rssi,
                           float snr)
{
    if (is_deaf(c, f)) {
        c->counters.deaf++;
        return;
    }
    if (c->received_n == FETCH_MAX || !c->sockets)
        return;
    struct rxpk *r = &c->received[c->received_n++];
    *r = (struct rxpk){ .tmst = tmst_at(c, f->end_us), .rssi = rssi, .snr = snr, .frame = *f };
    c->counters.heard++;
    c->stats.rxnb++;
    if (happens(c, c->o.crc_bad)) {
        garble(c, r);
        c->counters.garbled++;
    } else {
        c->stats.rxok++;
    }
    if (!uv_is_active((uv_handle_t *)&c->fetch))
        uv_timer_start(&c->fetch, on_fetch, FETCH_MS, 0);
}

static void hear(void *user, const struct air_frame *f, float rssi, float snr)
{
    concentrator_sim_hear(user, f, rssi, snr);
}

/* ---- transmissions ---- */

static void radiate(struct concentrator_sim *c, const struct jit_packet *p)
{
    struct air_frame f = p->frame;
    const int64_t now = now_us();

    /* Its time is at most the lead away: the counter tells which turn of it. */
    f.start_us = now + (int32_t)(p->tmst - tmst_at(c, now));
    f.end_us = f.start_us + p->airtime_us;
    if (is_deaf(c, &f)) {
        c->counters.overlapped++;
        return;
    }
    c->sent[c->sent_n % SENT_MAX].start_us = f.start_us;
    c->sent[c->sent_n++ % SENT_MAX].end_us = f.end_us;
    c->counters.radiated++;
    c->stats.txnb++;
    if (c->ear >= 0)
        air_send(c->o.air, (unsigned)c->ear, &f);
    if (c->o.on_radiate)
        c->o.on_radiate(c->o.user, &f);
}

static void on_jit(uv_timer_t *timer);

static void arm_jit(struct concentrator_sim *c)
{
    const int64_t wait_us = jit_queue_wait_us(&c->queue, concentrator_sim_tmst(c));

    if (wait_us >= 0)
        uv_timer_start(&c->jit, on_jit, (uint64_t)(wait_us + 999) / 1000, 0);
}

static void on_jit(uv_timer_t *timer)
{
    struct concentrator_sim *c = timer->data;

    while (jit_queue_wait_us(&c->queue, concentrator_sim_tmst(c)) == 0) {
        const struct jit_packet p = jit_queue_take(&c->queue);
        radiate(c, &p);
    }
    arm_jit(c);
}

static void answer(struct concentrator_sim *c, uint16_t token, const char *error)
{
    struct buf b = BUF_INIT(256);

    if (c->o.is_mute)
        return;
    put_header(c, &b, token, TX_ACK);
    if (error)
        buf_printf(&b, "{\"txpk_ack\":{\"error\":\"%s\"}}", error);
    if (!b.has_failed)
        send_datagram(c, &c->sockets->down, b.data, b.size);
    buf_done(&b);
}

static const char *enqueue(struct concentrator_sim *c, const struct jit_packet *p)
{
    const uint32_t hz = p->frame.freq_hz;

    if (c->o.max_hz > 0 && (hz < c->o.min_hz || hz > c->o.max_hz)) {
        c->counters.refused++;
        return "TX_FREQ";
    }
    switch (jit_queue_add(&c->queue, p, concentrator_sim_tmst(c))) {
    case JIT_TAKEN:
        c->counters.accepted++;
        return NULL;
    case JIT_TOO_LATE:
        c->counters.too_late++;
        return "TOO_LATE";
    case JIT_TOO_EARLY:
        c->counters.too_early++;
        return "TOO_EARLY";
    default:
        c->counters.collisions++;
        return "COLLISION_PACKET";
    }
}

static void take_pull_resp(struct concentrator_sim *c, uint16_t token, const char *json,
                           size_t n)
{
    struct jit_packet p;
    const int rc = txpk_read(json, n, &p);

    c->counters.asked++;
    c->stats.dwnb++;
    c->counters.unreadable += rc == -EINVAL;
    c->counters.refused += rc == -ENOTSUP;
    if (rc < 0 && rc != -ENOTSUP)
        return;
    answer(c, token, rc < 0 ? "GPS_UNLOCKED" : enqueue(c, &p));
    arm_jit(c);
}

/* ---- from the server ---- */

static bool closes(struct wait *w, uint16_t token, int64_t within_us)
{
    if (!w->is_open || w->token != token || now_us() - w->sent_us > within_us)
        return false;
    w->is_open = false;
    return true;
}

static void take(struct concentrator_sim *c, const char *data, size_t n)
{
    const uint16_t token = (uint16_t)((uint8_t)data[1] << 8 | (uint8_t)data[2]);

    if (data[0] != VERSION)
        return;
    if (data[3] == PUSH_ACK && closes(&c->push, token, PUSH_WAIT_US)) {
        c->counters.push_acked++;
        c->stats.acked++;
    } else if (data[3] == PULL_ACK && closes(&c->pull, token, PULL_WAIT_US)) {
        c->counters.pull_acked++;
    } else if (data[3] == PULL_RESP) {
        take_pull_resp(c, token, data + 4, n - 4);
    }
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    struct sockets *s = udp->data;
    struct concentrator_sim *c = s->owner;

    if (c && from && n >= 4 && !(flags & UV_UDP_PARTIAL) && !c->is_cut &&
        !happens(c, c->o.loss))
        take(c, buf->base, (size_t)n);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct sockets *s = handle->data;

    (void)suggested;
    *ret = uv_buf_init(s->room, sizeof s->room);
}

/* ---- life ---- */

static void on_socket_closed(uv_handle_t *handle)
{
    struct sockets *s = handle->data;

    if (--s->handles == 0)
        free(s);
}

static void sockets_close(struct sockets *s)
{
    if (!s)
        return;
    s->owner = NULL;
    uv_close((uv_handle_t *)&s->up, on_socket_closed);
    uv_close((uv_handle_t *)&s->down, on_socket_closed);
}

/* Any port; the first datagram would bind it, but receiving begins before. */
static int open_socket(struct concentrator_sim *c, uv_udp_t *udp)
{
    struct sockaddr_storage any = { .ss_family = c->server.ss_family };
    const int rc = uv_udp_bind(udp, (const struct sockaddr *)&any, 0);

    return rc < 0 ? rc : uv_udp_recv_start(udp, on_room, on_datagram);
}

static int sockets_open(struct concentrator_sim *c)
{
    struct sockets *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    uv_udp_init(c->o.loop, &s->up);
    uv_udp_init(c->o.loop, &s->down);
    s->handles = 2;
    s->up.data = s->down.data = s;
    s->owner = c;
    int rc = open_socket(c, &s->up);
    if (rc == 0)
        rc = open_socket(c, &s->down);
    if (rc < 0) {
        sockets_close(s);
        return rc;
    }
    c->sockets = s;
    return 0;
}

static int server_address(const char *text, struct sockaddr_storage *ret)
{
    const char *colon = strrchr(text, ':');
    char host[64];

    if (!colon || (size_t)(colon - text) >= sizeof host)
        return -EINVAL;
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    const int port = (int)strtol(colon + 1, NULL, 10);
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)ret) == 0)
        return 0;
    host[strcspn(host, "]")] = '\0';
    return *host == '[' ? uv_ip6_addr(host + 1, port, (struct sockaddr_in6 *)ret) : -EINVAL;
}

/* What power on begins with. */
static int begin(struct concentrator_sim *c, uint32_t tmst)
{
    const int keepalive_ms = c->o.keepalive_ms > 0 ? c->o.keepalive_ms : KEEPALIVE_MS;
    const int stat_ms = c->o.stat_ms > 0 ? c->o.stat_ms : STAT_MS;
    const int rc = sockets_open(c);

    if (rc < 0)
        return rc;
    c->zero_us = now_us() - tmst;
    c->queue.n = 0;
    c->received_n = 0;
    c->push.is_open = c->pull.is_open = false;
    memset(&c->stats, 0, sizeof c->stats);
    uv_timer_start(&c->keepalive, on_keepalive, 0, (uint64_t)keepalive_ms);
    uv_timer_start(&c->stat, on_stat, (uint64_t)stat_ms, (uint64_t)stat_ms);
    return 0;
}

static void init_timers(struct concentrator_sim *c)
{
    uv_timer_t *const timers[] = { &c->fetch, &c->keepalive, &c->stat, &c->jit };

    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        uv_timer_init(c->o.loop, timers[i]);
        timers[i]->data = c;
        c->handles++;
    }
}

static int join_air(struct concentrator_sim *c)
{
    if (!c->o.air)
        return 0;
    c->ear = air_join(c->o.air, &(struct air_ear){ .hear = hear, .user = c });
    return c->ear < 0 ? c->ear : 0;
}

int concentrator_sim_create(const struct concentrator_sim_options *o,
                            struct concentrator_sim **ret)
{
    struct concentrator_sim *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->o = *o;
    c->ear = -1;
    int rc = server_address(o->server, &c->server);
    if (rc < 0) {
        free(c);
        return rc;
    }
    init_timers(c);
    rc = begin(c, o->tmst_start);
    if (rc == 0)
        rc = join_air(c);
    if (rc < 0) {
        concentrator_sim_destroy(c);
        return rc;
    }
    *ret = c;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct concentrator_sim *c = handle->data;

    if (--c->handles == 0)
        free(c);
}

void concentrator_sim_destroy(struct concentrator_sim *c)
{
    if (!c)
        return;
    if (c->ear >= 0)
        air_leave(c->o.air, (unsigned)c->ear);
    sockets_close(c->sockets);
    uv_close((uv_handle_t *)&c->fetch, on_timer_closed);
    uv_close((uv_handle_t *)&c->keepalive, on_timer_closed);
    uv_close((uv_handle_t *)&c->stat, on_timer_closed);
    uv_close((uv_handle_t *)&c->jit, on_timer_closed);
}

int concentrator_sim_restart(struct concentrator_sim *c)
{
    sockets_close(c->sockets);
    c->sockets = NULL;
    uv_timer_stop(&c->fetch);
    uv_timer_stop(&c->keepalive);
    uv_timer_stop(&c->stat);
    uv_timer_stop(&c->jit);
    return begin(c, 0);
}

void concentrator_sim_cut(struct concentrator_sim *c, bool is_cut)
{
    c->is_cut = is_cut;
}

void concentrator_sim_get(const struct concentrator_sim *c,
                          struct concentrator_sim_counters *ret)
{
    *ret = c->counters;
}
