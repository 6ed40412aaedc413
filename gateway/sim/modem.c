/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   near end: bytes -> packet[] -> air, one at a time -> bytes :far end
 */
#include "gateway/sim/modem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PACKET_MAX = 240,
    AIR_MAX = 32,   /* packets under way; what is more is lost, as in a full buffer */
    OWN_US = 10000, /* of a modem, from its port to the air or back */
    CUT_CHARS = 3,
    ENDS = 2,
    ROUND_US = 500, /* the loop's timers count milliseconds */
};

enum { NEAR, FAR };

struct end {
    struct modem *modem;
    bool is_open;
    int fd;
    uv_poll_t poll;
    uv_timer_t cut;
    int64_t in_us, out_us; /* its serial line is busy until then, either way */
    size_t n;
    uint8_t packet[PACKET_MAX];
};

struct packet {
    int64_t due_us;
    struct end *to;
    size_t n;
    uint8_t bytes[PACKET_MAX];
};

struct modem {
    struct modem_setup setup;
    struct end end[ENDS];
    int far_fd; /* the instruments' */
    uv_timer_t timer;
    int64_t air_us;             /* the channel is busy until then */
    struct packet air[AIR_MAX]; /* in the order of their arrival */
    size_t air_n;
    int handles;
    void (*on_closed)(void *user); /* NULL: it never opened */
    void *user;
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- the air ---- */

static void on_due(uv_timer_t *timer);

static void arm(struct modem *m)
{
    int64_t wait_us = m->air_n > 0 ? m->air[0].due_us - now_us() : 0;

    if (m->air_n > 0)
        uv_timer_start(&m->timer, on_due,
                       wait_us > 0 ? (uint64_t)(wait_us + ROUND_US) / 1000 : 0, 0);
}

/* A port that nobody reads loses bytes, as a real one does. */
static void on_due(uv_timer_t *timer)
{
    struct modem *m = ((struct end *)timer->data)->modem;

    while (m->air_n > 0 && m->air[0].due_us <= now_us() + ROUND_US) {
        const struct packet *p = &m->air[0];
        ssize_t n = write(p->to->fd, p->bytes, p->n);
        (void)n;
        m->air_n--;
        memmove(m->air, m->air + 1, m->air_n * sizeof m->air[0]);
    }
    arm(m);
}

static void transmit(struct end *from)
{
    struct modem *m = from->modem;
    struct end *to = &m->end[from == &m->end[NEAR] ? FAR : NEAR];
    int64_t serial_us = (int64_t)from->n * m->setup.char_us;
    double air_us = (double)serial_modem_air_us(m->setup.rate, PACKET_MAX, from->n) *
                    m->setup.air_factor * (1 + m->setup.repeaters);

    from->in_us = later(now_us(), from->in_us) + serial_us;
    m->air_us = later(from->in_us + OWN_US, m->air_us) + (int64_t)air_us;
    to->out_us = later(m->air_us + OWN_US, to->out_us) + serial_us;
    if (m->air_n < AIR_MAX) {
        struct packet *p = &m->air[m->air_n++];
        *p = (struct packet){ .due_us = to->out_us, .to = to, .n = from->n };
        memcpy(p->bytes, from->packet, from->n);
        while (p > m->air && p[-1].due_us > p->due_us) {
            struct packet swap = p[-1];
            p[-1] = *p;
            *p-- = swap;
        }
    }
    from->n = 0;
    arm(m);
}

/* ---- the ends ---- */

static void on_cut(uv_timer_t *timer)
{
    struct end *e = timer->data;

    if (e->n > 0)
        transmit(e);
}

static void on_bytes(uv_poll_t *poll, int status, int events)
{
    struct end *e = poll->data;
    struct modem *m = e->modem;
    size_t room = (size_t)m->setup.packet - e->n;

    (void)events;
    ssize_t n = status < 0 ? 0 : read(e->fd, e->packet + e->n, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        uv_poll_stop(poll);
        return;
    }
    e->n += (size_t)n;
    if (e->n == (size_t)m->setup.packet)
        transmit(e);
    uv_timer_start(&e->cut, on_cut, (uint64_t)(CUT_CHARS * m->setup.char_us / 1000 + 1), 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct end *e = handle->data;
    struct modem *m = e->modem;

    if (--m->handles > 0)
        return;
    void (*tell)(void *user) = m->on_closed;
    void *user = m->user;
    close(m->end[FAR].fd);
    close(m->far_fd);
    free(m);
    if (tell)
        tell(user);
}

static int open_end(uv_loop_t *loop, struct end *e, int fd)
{
    e->fd = fd;
    int rc = uv_poll_init(loop, &e->poll, fd);
    if (rc < 0)
        return rc;
    uv_timer_init(loop, &e->cut);
    e->modem->handles += 2;
    e->is_open = true;
    e->poll.data = e->cut.data = e;
    return uv_poll_start(&e->poll, UV_READABLE, on_bytes);
}

int modem_open(uv_loop_t *loop, const struct modem_setup *setup, int near_fd,
               void (*on_closed)(void *user), void *user, struct modem **ret, int *ret_fd)
{
    struct modem *m = calloc(1, sizeof *m);
    int fds[2];

    if (!m || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) {
        free(m);
        return -ENOMEM;
    }
    *m = (struct modem){ .setup = *setup, .far_fd = fds[1], .handles = 1, .user = user };
    m->end[NEAR].modem = m->end[FAR].modem = m;
    uv_timer_init(loop, &m->timer);
    m->timer.data = &m->end[FAR];
    int rc = open_end(loop, &m->end[FAR], fds[0]);
    if (rc == 0)
        rc = open_end(loop, &m->end[NEAR], near_fd);
    if (rc < 0) {
        modem_close(m);
        return rc;
    }
    m->on_closed = on_closed;
    *ret = m;
    *ret_fd = fds[1];
    return 0;
}

void modem_close(struct modem *m)
{
    uv_close((uv_handle_t *)&m->timer, on_handle_closed);
    for (size_t i = 0; i < ENDS; i++) {
        if (!m->end[i].is_open)
            continue;
        uv_close((uv_handle_t *)&m->end[i].poll, on_handle_closed);
        uv_close((uv_handle_t *)&m->end[i].cut, on_handle_closed);
    }
}
