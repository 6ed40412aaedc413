/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_tcp - a Modbus TCP connection on the loop: non-blocking, one transaction at a time.
 *
 *   IDLE -> RESOLVING -> CONNECTING -> UP
 *              ^              |         |      any failure closes the socket
 *              +--- WAITING <-+---------+      (back-off, at most BUS_REOPEN_MAX_MS)
 *
 * The states exclude each other, so one timer serves the connect timeout, the back-off and the
 * deadline of the transaction. The deadline is absolute: bytes that trickle in do not move it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/backoff.h"
#include "gateway/bus/kinds.h"
#include "gateway/bus/lookup.h"
#include "gateway/bus/modbus_frame.h"

enum {
    RECEIVE_MAX = 2 * ADU_TCP_MAX, /* a late answer and the expected one in one read */
    STRAY_MAX = 64, /* answers to nothing in a row: whoever sends more is not a Modbus device */
};

enum tcp_state { TCP_IDLE, TCP_RESOLVING, TCP_CONNECTING, TCP_UP, TCP_WAITING, TCP_CLOSED };

struct tcp {
    struct bus base;
    struct bus_options opt;
    enum tcp_state state;
    int fd;
    bool has_failed; /* the last try to connect failed: requests need not wait for the next */
    bool is_told_up; /* what on_link was told last */
    bool has_poll;   /* `poll` is a live handle */
    int handles;     /* not closed yet */
    uv_poll_t poll;
    uv_timer_t timer;
    struct lookup *lookup;
    struct backoff backoff;
    unsigned tries; /* walks through the addresses of a name */

    bool is_asked; /* request has no reply yet */
    bool is_sent;
    struct bus_request request;
    uint16_t transaction;
    int64_t sent_ms, before_ms; /* real monotonic; of this request and the one before */
    int errors;                 /* failed transactions in a row */
    int strays;
    size_t n;
    uint8_t in[RECEIVE_MAX];
};

static void try_connect(struct tcp *t);
static void on_timer(uv_timer_t *timer);

static void reply(struct tcp *t, struct bus_reply *r, enum bus_outcome outcome)
{
    r->outcome = outcome;
    r->time_ms = clock_wall_ms(t->base.clock);
    r->took_ms = t->is_sent ? mono_ms() - t->sent_ms : 0;
    r->quiet_ms = 0; /* a late answer carries its transaction's number */
    t->is_asked = t->is_sent = false;
    bus_tell_reply(&t->base, r);
}

static void reply_failed(struct tcp *t, enum bus_outcome outcome)
{
    struct bus_reply r;

    if (!t->is_asked)
        return;
    r.exception = 0;
    r.n = 0;
    reply(t, &r, outcome);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct tcp *t = h->data;

    if (--t->handles == 0 && t->base.is_stopping)
        t->base.on_closed(t->base.closed_user);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct tcp *t = h->data;

    t->has_poll = false;
    close(t->fd);
    t->fd = -1;
    if (!t->base.is_stopping)
        uv_timer_start(&t->timer, on_timer, (uint64_t)backoff_next(&t->backoff, random_u32()),
                       0);
    on_handle_closed(h); /* the last one: whoever is told may destroy the bus */
}

/* Whatever went wrong: forget the socket, tell who waits, come again after the back-off. */
static void drop(struct tcp *t, enum bus_outcome outcome)
{
    bool was_up = t->state == TCP_UP;

    t->has_failed = !was_up;
    t->state = TCP_WAITING;
    t->n = 0;
    t->errors = t->strays = 0;
    uv_timer_stop(&t->timer);
    if (t->has_poll)
        uv_close((uv_handle_t *)&t->poll, on_poll_closed);
    else
        uv_timer_start(&t->timer, on_timer, (uint64_t)backoff_next(&t->backoff, random_u32()),
                       0);
    /* Closing a connection that is no longer believed is no news; not getting it back is. */
    if (t->is_told_up && outcome == BUS_NO_LINK) {
        t->is_told_up = false;
        bus_tell_link(&t->base, false);
    }
    reply_failed(t, outcome);
}

/* A transaction ended badly on a connection that may be sound. */
static void fail(struct tcp *t, enum bus_outcome outcome)
{
    uv_timer_stop(&t->timer);
    /* Half a frame after the whole deadline: its rest would be read as the next header. */
    if (++t->errors >= BUS_ERRORS_MAX || outcome == BUS_BAD_FRAME || t->n > 0)
        drop(t, outcome);
    else
        reply_failed(t, outcome);
}

static void show(struct tcp *t, enum bus_fate fate, const uint8_t *p, size_t n)
{
    if (!bus_is_watched(&t->base))
        return;
    bus_tell_frame(&t->base,
                   &(struct bus_frame){
                       .fate = fate,
                       .unit = n >= ADU_TCP_HEADER ? adu_tcp_unit(p) : t->request.unit,
                       .time_ms = clock_wall_ms(t->base.clock),
                       .since_us = t->sent_ms ? (mono_ms() - t->sent_ms) * 1000 : -1,
                       .bytes = p,
                       .n = n,
                   });
}

static int send_request(struct tcp *t)
{
    uint8_t adu[ADU_TCP_MAX];
    size_t n = adu_tcp_build(&t->request, ++t->transaction, adu);

    t->before_ms = t->sent_ms;
    t->sent_ms = mono_ms();
    /* One frame always fits a working connection: a short write is a broken one. */
    if (send(t->fd, adu, n, MSG_NOSIGNAL) != (ssize_t)n)
        return -ENOTCONN;
    t->is_sent = true;
    show(t, BUS_SENT, adu, n);
    uv_timer_start(&t->timer, on_timer, (uint64_t)t->request.timeout_ms, 0);
    return 0;
}

static void on_stray(struct tcp *t, const uint8_t *frame, size_t n)
{
    uint16_t age = (uint16_t)(t->transaction - adu_tcp_transaction(frame));
    int64_t sent_ms = age == 0 ? t->sent_ms : t->before_ms;

    t->strays++;
    show(t, BUS_LATE, frame, n);
    bus_tell_late(&t->base, adu_tcp_unit(frame), age <= 1 ? mono_ms() - sent_ms : -1);
}

static enum bus_fate fate_of(enum adu_verdict v)
{
    if (v == ADU_ANSWER)
        return BUS_TAKEN;
    return v == ADU_EXCEPTION ? BUS_REFUSED : BUS_DAMAGED;
}

static void on_frame(struct tcp *t, const uint8_t *frame, size_t n)
{
    struct adu_content c;
    struct bus_reply r;
    enum adu_verdict v =
        t->is_sent ? adu_tcp_check(&t->request, t->transaction, frame, n, &c) : ADU_FOREIGN;

    if (v == ADU_FOREIGN) {
        on_stray(t, frame, n);
        return;
    }
    show(t, fate_of(v), frame, n);
    if (v == ADU_DAMAGED) {
        fail(t, BUS_BAD_FRAME);
        return;
    }
    uv_timer_stop(&t->timer);
    backoff_reset(&t->backoff);
    t->errors = t->strays = 0;
    adu_fill_reply(v, &c, &r);
    reply(t, &r, r.outcome);
}

/* Takes whole frames off the front. A callback may send the next request or stop the bus. */
static void take_frames(struct tcp *t)
{
    size_t at = 0;
    int length = 0;

    while (at < t->n && t->state == TCP_UP) {
        length = adu_tcp_length(t->in + at, t->n - at);
        if (length <= 0 || (size_t)length > t->n - at)
            break;
        uint8_t frame[ADU_TCP_MAX];
        memcpy(frame, t->in + at, (size_t)length);
        at += (size_t)length;
        on_frame(t, frame, (size_t)length);
    }
    if (t->state != TCP_UP)
        return;
    t->n -= at;
    memmove(t->in, t->in + at, t->n);
    if (length < 0 || t->strays > STRAY_MAX)
        drop(t, BUS_BAD_FRAME);
}

static void on_readable(struct tcp *t)
{
    ssize_t n = recv(t->fd, t->in + t->n, sizeof t->in - t->n, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(t, BUS_NO_LINK);
        return;
    }
    t->n += (size_t)n;
    take_frames(t);
}

static void on_connected(struct tcp *t)
{
    uv_timer_stop(&t->timer);
    t->state = TCP_UP;
    t->has_failed = false;
    if (!t->is_told_up) {
        t->is_told_up = true;
        bus_tell_link(&t->base, true);
    }
    if (t->state == TCP_UP && t->is_asked && !t->is_sent && send_request(t) != 0)
        drop(t, BUS_NO_LINK);
}

static void on_poll(uv_poll_t *h, int status, int events);

static void on_connect_end(struct tcp *t)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0 ||
        uv_poll_start(&t->poll, UV_READABLE, on_poll) != 0)
        drop(t, BUS_NO_LINK);
    else
        on_connected(t);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct tcp *t = h->data;

    (void)events;
    if (t->state == TCP_CONNECTING)
        on_connect_end(t);
    else if (t->state == TCP_UP && status < 0)
        drop(t, BUS_NO_LINK);
    else if (t->state == TCP_UP)
        on_readable(t);
}

static void on_timer(uv_timer_t *timer)
{
    struct tcp *t = timer->data;

    if (t->state == TCP_WAITING) {
        try_connect(t);
    } else if (t->state == TCP_CONNECTING) {
        drop(t, BUS_NO_LINK);
    } else if (t->state == TCP_UP && t->is_sent) {
        /* The loop's clock may lag behind within a burst. */
        int64_t left = t->sent_ms + t->request.timeout_ms - mono_ms();
        if (left > 0)
            uv_timer_start(&t->timer, on_timer, (uint64_t)left, 0);
        else
            fail(t, BUS_NO_ANSWER);
    }
}

static void set_options(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
}

static void connect_to(struct tcp *t, const struct sockaddr *to, socklen_t size)
{
    t->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->fd < 0) {
        drop(t, BUS_NO_LINK);
        return;
    }
    set_options(t->fd);
    if ((connect(t->fd, to, size) != 0 && errno != EINPROGRESS) ||
        uv_poll_init_socket(t->opt.loop, &t->poll, t->fd) != 0) {
        close(t->fd);
        t->fd = -1;
        drop(t, BUS_NO_LINK);
        return;
    }
    t->poll.data = t;
    t->has_poll = true;
    t->handles++;
    t->state = TCP_CONNECTING;
    uv_timer_start(&t->timer, on_timer, (uint64_t)t->opt.place.connect_timeout_ms, 0);
    if (uv_poll_start(&t->poll, UV_WRITABLE, on_poll) != 0)
        drop(t, BUS_NO_LINK);
}

/* Every try takes the next address of the name. */
static void on_resolved(void *user, const struct addrinfo *list)
{
    struct tcp *t = user;
    const struct addrinfo *a = list;
    unsigned n = 0;

    t->lookup = NULL;
    for (; a; a = a->ai_next)
        n++;
    if (n == 0) {
        drop(t, BUS_NO_LINK);
        return;
    }
    a = list;
    for (unsigned i = t->tries++ % n; i > 0; i--)
        a = a->ai_next;
    connect_to(t, a->ai_addr, a->ai_addrlen);
}

static void resolve(struct tcp *t)
{
    t->state = TCP_RESOLVING;
    if (lookup_start(t->opt.loop, t->opt.place.host, t->opt.place.port, on_resolved, t,
                     &t->lookup) != 0)
        drop(t, BUS_NO_LINK);
}

static void try_connect(struct tcp *t)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (uv_ip4_addr(t->opt.place.host, t->opt.place.port, &v4) == 0)
        connect_to(t, (const struct sockaddr *)&v4, sizeof v4);
    else if (uv_ip6_addr(t->opt.place.host, t->opt.place.port, &v6) == 0)
        connect_to(t, (const struct sockaddr *)&v6, sizeof v6);
    else
        resolve(t);
}

static int tcp_start(struct bus *b)
{
    struct tcp *t = (struct tcp *)b;

    if (t->state != TCP_IDLE)
        return 0;
    uv_timer_init(t->opt.loop, &t->timer);
    t->timer.data = t;
    t->handles = 1;
    try_connect(t);
    return 0;
}

static int tcp_send(struct bus *b, const struct bus_request *r)
{
    struct tcp *t = (struct tcp *)b;

    if (t->is_asked)
        return -EBUSY;
    if (t->state == TCP_IDLE || (t->state != TCP_UP && t->has_failed))
        return -ENOTCONN;
    t->request = *r;
    t->is_asked = true;
    t->is_sent = false;
    if (t->state == TCP_UP && send_request(t) != 0) {
        t->is_asked = false; /* told by the return value alone */
        drop(t, BUS_NO_LINK);
        return -ENOTCONN;
    }
    return 0;
}

static void tcp_stop(struct bus *b)
{
    struct tcp *t = (struct tcp *)b;
    bool has_handles = t->state != TCP_IDLE;

    t->state = TCP_CLOSED;
    if (!has_handles) {
        b->on_closed(b->closed_user);
        return;
    }
    lookup_cancel(t->lookup);
    uv_close((uv_handle_t *)&t->timer, on_handle_closed);
    if (t->has_poll && !uv_is_closing((uv_handle_t *)&t->poll))
        uv_close((uv_handle_t *)&t->poll, on_poll_closed);
}

static void tcp_destroy(struct bus *b)
{
    free(b);
}

static const struct bus_kind tcp_kind = { tcp_start, tcp_send, tcp_stop, tcp_destroy };

int modbus_tcp_create(const struct bus_options *o, struct bus **ret)
{
    struct tcp *t = calloc(1, sizeof *t);

    if (!t)
        return -ENOMEM;
    t->opt = *o;
    t->base = (struct bus){ .kind = &tcp_kind, .clock = o->clock, .on = o->on };
    t->fd = -1;
    t->backoff =
        (struct backoff){ .first_ms = BUS_REOPEN_FIRST_MS, .max_ms = BUS_REOPEN_MAX_MS };
    t->transaction = (uint16_t)random_u32();
    *ret = &t->base;
    return 0;
}
