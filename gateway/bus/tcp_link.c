/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/tcp_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static void try_connect(struct tcp_link *l);

/* ---- the end of a connection ---- */

static void on_timer(uv_timer_t *timer)
{
    struct tcp_link *l = timer->data;

    if (l->state == TCP_LINK_WAITING)
        try_connect(l);
    else if (l->state == TCP_LINK_CONNECTING)
        tcp_link_lose(l);
}

static void come_again(struct tcp_link *l)
{
    int64_t wait_ms = backoff_next(&l->backoff, random_u32());

    uv_timer_start(&l->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct tcp_link *l = h->data;

    if (--l->handles == 0 && l->state == TCP_LINK_CLOSED)
        l->on.on_closed(l->on.user);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct tcp_link *l = h->data;

    l->has_poll = false;
    close(l->fd);
    l->fd = -1;
    if (l->state != TCP_LINK_CLOSED)
        come_again(l);
    on_handle_closed(h); /* the last one: whoever is told may free the link */
}

void tcp_link_drop(struct tcp_link *l)
{
    l->has_failed = l->state != TCP_LINK_UP;
    l->state = TCP_LINK_WAITING;
    uv_timer_stop(&l->timer);
    if (l->has_poll)
        uv_close((uv_handle_t *)&l->poll, on_poll_closed);
    else
        come_again(l);
}

void tcp_link_lose(struct tcp_link *l)
{
    tcp_link_drop(l);
    if (l->is_told_up) {
        l->is_told_up = false;
        l->on.on_news(l->on.user, false);
    }
    l->on.on_lost(l->on.user);
}

/* ---- connecting ---- */

static void on_poll(uv_poll_t *h, int status, int events);

static void on_connect_end(struct tcp_link *l)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0 ||
        uv_poll_start(&l->poll, UV_READABLE, on_poll) != 0) {
        tcp_link_lose(l);
        return;
    }
    uv_timer_stop(&l->timer);
    l->state = TCP_LINK_UP;
    l->has_failed = false;
    if (!l->is_told_up) {
        l->is_told_up = true;
        l->on.on_news(l->on.user, true);
    }
    if (l->state == TCP_LINK_UP)
        l->on.on_up(l->on.user);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct tcp_link *l = h->data;

    (void)events;
    if (l->state == TCP_LINK_CONNECTING)
        on_connect_end(l);
    else if (l->state == TCP_LINK_UP && status < 0)
        tcp_link_lose(l);
    else if (l->state == TCP_LINK_UP)
        l->on.on_readable(l->on.user);
}

static void set_options(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
}

static void connect_to(struct tcp_link *l, const struct sockaddr *to, socklen_t size)
{
    l->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) {
        tcp_link_lose(l);
        return;
    }
    set_options(l->fd);
    if ((connect(l->fd, to, size) != 0 && errno != EINPROGRESS) ||
        uv_poll_init_socket(l->loop, &l->poll, l->fd) != 0) {
        close(l->fd);
        l->fd = -1;
        tcp_link_lose(l);
        return;
    }
    l->poll.data = l;
    l->has_poll = true;
    l->handles++;
    l->state = TCP_LINK_CONNECTING;
    uv_timer_start(&l->timer, on_timer, (uint64_t)l->place->connect_timeout_ms, 0);
    if (uv_poll_start(&l->poll, UV_WRITABLE, on_poll) != 0)
        tcp_link_lose(l);
}

static void on_resolved(void *user, const struct addrinfo *list)
{
    struct tcp_link *l = user;
    const struct addrinfo *a = list;
    unsigned n = 0;

    l->lookup = NULL;
    for (; a; a = a->ai_next)
        n++;
    if (n == 0) {
        tcp_link_lose(l);
        return;
    }
    a = list;
    for (unsigned i = l->tries++ % n; i > 0; i--)
        a = a->ai_next;
    connect_to(l, a->ai_addr, a->ai_addrlen);
}

static void resolve(struct tcp_link *l)
{
    l->state = TCP_LINK_RESOLVING;
    if (lookup_start(l->loop, l->place->host, l->place->port, on_resolved, l, &l->lookup) != 0)
        tcp_link_lose(l);
}

static void try_connect(struct tcp_link *l)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (uv_ip4_addr(l->place->host, l->place->port, &v4) == 0)
        connect_to(l, (const struct sockaddr *)&v4, sizeof v4);
    else if (uv_ip6_addr(l->place->host, l->place->port, &v6) == 0)
        connect_to(l, (const struct sockaddr *)&v6, sizeof v6);
    else
        resolve(l);
}

/* ---- bytes ---- */

int tcp_link_send(struct tcp_link *l, const uint8_t *p, size_t n)
{
    return send(l->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -ENOTCONN;
}

ssize_t tcp_link_receive(struct tcp_link *l, uint8_t *buf, size_t n)
{
    ssize_t got = recv(l->fd, buf, n, 0);

    if (got > 0)
        return got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    tcp_link_lose(l);
    return -ENOTCONN;
}

/* ---- life ---- */

bool tcp_link_is_up(const struct tcp_link *l)
{
    return l->state == TCP_LINK_UP;
}

bool tcp_link_is_hopeless(const struct tcp_link *l)
{
    return l->state == TCP_LINK_IDLE || l->state == TCP_LINK_CLOSED ||
           (l->state != TCP_LINK_UP && l->has_failed);
}

void tcp_link_believe(struct tcp_link *l)
{
    backoff_reset(&l->backoff);
}

void tcp_link_init(struct tcp_link *l, uv_loop_t *loop, const struct bus_place *place,
                   const struct tcp_link_events *on)
{
    *l = (struct tcp_link){
        .loop = loop,
        .place = place,
        .on = *on,
        .fd = -1,
        .backoff = { .first_ms = BUS_REOPEN_FIRST_MS, .max_ms = BUS_REOPEN_MAX_MS },
    };
}

void tcp_link_start(struct tcp_link *l)
{
    uv_timer_init(l->loop, &l->timer);
    l->timer.data = l;
    l->handles = 1;
    try_connect(l);
}

void tcp_link_stop(struct tcp_link *l)
{
    l->state = TCP_LINK_CLOSED;
    lookup_cancel(l->lookup);
    l->lookup = NULL;
    uv_close((uv_handle_t *)&l->timer, on_handle_closed);
    if (l->has_poll && !uv_is_closing((uv_handle_t *)&l->poll))
        uv_close((uv_handle_t *)&l->poll, on_poll_closed);
}
