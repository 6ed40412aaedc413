/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/concentrators.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/forwarder/concentrator.h"
#include "gateway/forwarder/pending.h"
#include "gateway/forwarder/strangers.h"

enum {
    BATCH = 8, /* datagrams of one system call */
    ROOM_SIZE = BATCH * 65536,
    RECEIVE_BUFFER = 1 << 20, /* a burst while the loop is busy; the kernel may grant less */
    ANSWER_US = 1000 * 1000,
};

struct concentrators {
    struct concentrators_options o;
    uv_udp_t udp;
    uv_timer_t timer;
    unsigned handles; /* not yet closed */
    unsigned port;
    bool is_stopping;
    void (*on_closed)(void *user);
    void *closed_user;
    struct pending pending;
    struct strangers strangers;
    struct concentrator list[CONCENTRATORS_MAX];
    struct semtech_push push;
    char room[ROOM_SIZE]; /* only its touched pages take memory */
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static uint32_t number_of(const struct concentrators *c, const struct concentrator *k)
{
    return (uint32_t)(k - c->list);
}

/* ---- what is due ---- */

static void on_timer(uv_timer_t *timer);

static int64_t next_due(const struct concentrators *c)
{
    int64_t due_us = pending_due(&c->pending);

    for (size_t i = 0; i < c->o.n; i++) {
        const int64_t silent_us = concentrator_silent_us(&c->list[i]);
        due_us = silent_us < due_us ? silent_us : due_us;
    }
    return due_us;
}

static void arm(struct concentrators *c)
{
    const int64_t due_us = next_due(c), wait_us = due_us - now_us();

    if (c->is_stopping)
        return;
    if (due_us == INT64_MAX)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0,
                       0);
}

static void tell_state(struct concentrators *c, const struct concentrator *k, bool is_restart)
{
    if (!c->is_stopping && c->o.on_state)
        c->o.on_state(c->o.user, number_of(c, k), k->state, is_restart);
}

static void finish(struct concentrators *c, struct pending_tx *t, enum radio_result r)
{
    const uint64_t id = t->tx.id;

    concentrator_sent(&c->list[t->tx.gateway], &t->tx, r, now_us());
    t->state = PENDING_FREE;
    if (!c->is_stopping)
        c->o.on_result(c->o.user, id, r);
}

/* What was not handed over yet and cannot be any more. */
static void drop_held(struct concentrators *c, const struct concentrator *k)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        struct pending_tx *t = &c->pending.txs[i];
        if (t->state == PENDING_HELD && t->tx.gateway == number_of(c, k))
            finish(c, t, RADIO_NO_PATH);
    }
}

static int hand_over(struct concentrators *c, struct pending_tx *t)
{
    struct concentrator *k = &c->list[t->tx.gateway];
    char text[SEMTECH_TX_MAX];
    const size_t n = semtech_print_tx(&t->tx, k->version, t->token, text);
    const uv_buf_t buf = uv_buf_init(text, (unsigned)n);
    const int rc =
        uv_udp_try_send(&c->udp, &buf, 1, (const struct sockaddr *)(const void *)&k->address);

    if (rc < 0)
        return rc;
    k->counters.tx++;
    t->state = PENDING_SENT;
    t->due_us = now_us() + ANSWER_US;
    return 0;
}

static void run_pending(struct concentrators *c)
{
    struct pending_tx *t;

    while (!c->is_stopping && (t = pending_next_due(&c->pending, now_us()))) {
        if (t->state == PENDING_SENT)
            finish(c, t, RADIO_NO_ANSWER);
        else if (hand_over(c, t) < 0)
            finish(c, t, RADIO_NO_PATH);
    }
}

static void find_silent(struct concentrators *c)
{
    for (size_t i = 0; i < c->o.n && !c->is_stopping; i++) {
        struct concentrator *k = &c->list[i];
        if (concentrator_silent_us(k) > now_us())
            continue;
        concentrator_fall_silent(k);
        tell_state(c, k, false);
        drop_held(c, k);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct concentrators *c = timer->data;

    run_pending(c);
    find_silent(c);
    arm(c);
}

/* ---- what comes in ---- */

static void refuse(struct concentrators *c, const struct semtech_datagram *d,
                   const struct concentrator *k, const struct sockaddr *from)
{
    char host[48] = "", why[256];

    if (!c->o.on_stranger || !strangers_tell(&c->strangers, d->eui, now_us()))
        return;
    uv_ip_name(from, host, sizeof host);
    if (k)
        snprintf(why, sizeof why,
                 "A packet forwarder at %s calls itself %016" PRIx64
                 ", but concentrator %s is only taken from %s.",
                 host, d->eui, k->conf->id, k->conf->from);
    else
        snprintf(why, sizeof why,
                 "The packet forwarder %016" PRIx64 " at %s is not a concentrator of this "
                 "station.",
                 d->eui, host);
    c->o.on_stranger(c->o.user, d->eui, why);
}

static struct concentrator *find(struct concentrators *c, uint64_t eui)
{
    for (size_t i = 0; i < c->o.n; i++) {
        if (c->list[i].conf->eui == eui)
            return &c->list[i];
    }
    return NULL;
}

static void acknowledge(struct concentrators *c, const struct semtech_datagram *d,
                        const struct sockaddr *to)
{
    uint8_t ack[SEMTECH_ACK_SIZE];

    if (d->type == SEMTECH_TX_ACK)
        return;
    semtech_print_ack(d, ack);
    const uv_buf_t buf = uv_buf_init((char *)ack, sizeof ack);
    uv_udp_try_send(&c->udp, &buf, 1, to); /* as good as lost on the way; the next one counts */
}

static void take_push(struct concentrators *c, struct concentrator *k,
                      const struct semtech_datagram *d, int64_t arrived_us)
{
    const int64_t utc_ms = clock_wall_ms(c->o.clock), boot_ms = clock_boot_ms(c->o.clock);

    if (semtech_read_push(d->json, d->json_n, &c->push) < 0)
        c->push.malformed = 1;
    concentrator_pushed(k, &c->push, arrived_us, utc_ms);
    for (size_t i = 0; i < c->push.n && !c->is_stopping; i++) {
        struct semtech_rx *r = &c->push.rx[i];
        r->rx.gateway = number_of(c, k);
        if (concentrator_date(k, r, arrived_us, boot_ms, utc_ms)) {
            tell_state(c, k, true);
            drop_held(c, k);
        }
        if (!c->is_stopping)
            c->o.on_rx(c->o.user, &r->rx);
    }
}

static void take_tx_ack(struct concentrators *c, struct concentrator *k,
                        const struct semtech_datagram *d)
{
    struct pending_tx *t = pending_find(&c->pending, number_of(c, k), d->token);
    enum radio_result r;

    if (semtech_read_tx_ack(d->json, d->json_n, &r) < 0)
        k->counters.rx_malformed++;
    else if (t)
        finish(c, t, r);
}

static void take(struct concentrators *c, const struct semtech_datagram *d,
                 const struct sockaddr *from, int64_t arrived_us)
{
    struct concentrator *k = find(c, d->eui);

    if (!k || !source_has(&k->source, from)) {
        refuse(c, d, k, from);
        return;
    }
    acknowledge(c, d, from);
    if (d->type == SEMTECH_PUSH_DATA) {
        take_push(c, k, d, arrived_us);
    } else if (d->type == SEMTECH_TX_ACK) {
        take_tx_ack(c, k, d);
    } else if (concentrator_pulled(k, d, from, arrived_us, clock_wall_ms(c->o.clock))) {
        tell_state(c, k, false);
        arm(c);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct concentrators *c = handle->data;

    (void)suggested;
    *ret = uv_buf_init(c->room, sizeof c->room);
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    struct concentrators *c = udp->data;
    struct semtech_datagram d;

    /* n < 0: an ICMP error of an earlier transmission; its TX_ACK stays away, too. */
    if (c->is_stopping || n <= 0 || !from || flags & UV_UDP_PARTIAL)
        return;
    if (semtech_parse(buf->base, (size_t)n, &d) == 0)
        take(c, &d, from, now_us());
}

/* ---- life ---- */

static int listen_address(const char *text, struct sockaddr_storage *ret)
{
    const char *colon = strrchr(text, ':');
    char host[64], *end;

    if (!colon || colon == text || colon[1] < '0' || colon[1] > '9')
        return -EINVAL;
    const long port = strtol(colon + 1, &end, 10);
    const bool is_v6 = *text == '[' && colon[-1] == ']';
    const int n = (int)(colon - text) - 2 * is_v6;
    if (*end || port > UINT16_MAX || n <= 0 || (size_t)n >= sizeof host)
        return -EINVAL;
    snprintf(host, sizeof host, "%.*s", n, text + is_v6);
    if (is_v6)
        return uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)(void *)ret);
    return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)(void *)ret);
}

static int check(const struct concentrators_options *o, struct sockaddr_storage *ret,
                 char *error, size_t size)
{
    struct source source;

    if (o->n > CONCENTRATORS_MAX) {
        snprintf(error, size, "There are %zu concentrators, at most %d are possible.", o->n,
                 CONCENTRATORS_MAX);
        return -E2BIG;
    }
    for (size_t i = 0; i < o->n; i++) {
        const struct concentrator_conf *k = &o->concentrators[i];
        if (!k->from || source_parse(k->from, &source) == 0)
            continue;
        snprintf(error, size,
                 "Concentrator %s: \"%s\" is no address or network, as 192.0.2.7 or "
                 "192.0.2.0/24.",
                 k->id, k->from);
        return -EINVAL;
    }
    if (listen_address(o->listen, ret) == 0)
        return 0;
    snprintf(error, size, "\"%s\" is no address and port, as 127.0.0.1:1700 or [::1]:1700.",
             o->listen);
    return -EINVAL;
}

static unsigned bound_port(const uv_udp_t *udp)
{
    struct sockaddr_storage a = { 0 };
    int size = sizeof a;

    if (uv_udp_getsockname(udp, (struct sockaddr *)&a, &size) < 0)
        return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&a)->sin6_port
                                         : ((struct sockaddr_in *)(void *)&a)->sin_port);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct concentrators *c = handle->data;

    if (--c->handles == 0 && c->on_closed)
        c->on_closed(c->closed_user);
}

static void destroy_closed(void *user)
{
    concentrators_destroy(user);
}

static int bind_socket(struct concentrators *c, const struct sockaddr_storage *at)
{
    int size = RECEIVE_BUFFER;
    int rc = uv_udp_bind(&c->udp, (const struct sockaddr *)(const void *)at, 0);

    if (rc == 0)
        rc = uv_udp_recv_start(&c->udp, on_room, on_datagram);
    if (rc < 0)
        return rc;
    uv_recv_buffer_size((uv_handle_t *)&c->udp, &size);
    c->port = bound_port(&c->udp);
    return 0;
}

static int make(const struct concentrators_options *o, struct concentrators **ret)
{
    struct concentrators *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->o = *o;
    const int rc = uv_udp_init_ex(o->loop, &c->udp, AF_UNSPEC | UV_UDP_RECVMMSG);
    if (rc < 0) {
        free(c);
        return rc;
    }
    uv_timer_init(o->loop, &c->timer);
    c->udp.data = c->timer.data = c;
    c->handles = 2;
    c->pending.token = (uint16_t)uv_hrtime(); /* answers to an earlier run match nothing */
    for (size_t i = 0; i < o->n; i++)
        concentrator_init(&c->list[i], &o->concentrators[i], now_us());
    *ret = c;
    return 0;
}

int concentrators_start(const struct concentrators_options *o, struct concentrators **ret,
                        char *error, size_t error_size)
{
    struct sockaddr_storage at = { 0 };
    struct concentrators *c = NULL;
    int rc = check(o, &at, error, error_size);

    if (rc < 0)
        return rc;
    rc = make(o, &c);
    if (rc == 0)
        rc = bind_socket(c, &at);
    if (rc < 0) {
        snprintf(error, error_size, "Packet forwarders cannot be listened to on %s: %s.",
                 o->listen, uv_strerror(rc));
        if (c)
            concentrators_stop(c, destroy_closed, c);
        return rc;
    }
    arm(c);
    *ret = c;
    return 0;
}

unsigned concentrators_port(const struct concentrators *c)
{
    return c->port;
}

int concentrators_send(struct concentrators *c, const struct radio_tx *tx)
{
    const int64_t now = now_us();

    if (tx->gateway >= c->o.n || c->list[tx->gateway].state != CONCENTRATOR_UP)
        return -ENOTCONN;
    const int64_t due_us = concentrator_hand_over_us(&c->list[tx->gateway], tx, now);
    struct pending_tx *t = pending_add(&c->pending, tx, due_us);
    if (!t)
        return -ENOBUFS;
    const int rc = due_us > now ? 0 : hand_over(c, t);
    if (rc < 0)
        t->state = PENDING_FREE;
    else
        arm(c);
    return rc;
}

enum concentrator_state concentrators_get(const struct concentrators *c, uint32_t i,
                                          struct concentrator_counters *ret)
{
    concentrator_get(&c->list[i], now_us(), ret);
    return c->list[i].state;
}

void concentrators_stop(struct concentrators *c, void (*on_closed)(void *user), void *user)
{
    c->is_stopping = true;
    c->on_closed = on_closed;
    c->closed_user = user;
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
    uv_close((uv_handle_t *)&c->udp, on_handle_closed);
}

void concentrators_destroy(struct concentrators *c)
{
    free(c);
}
