/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_rtu_tcp - Modbus RTU frames over a TCP connection, as serial device servers carry them
 * in raw mode. The same transactions as on a serial line (rtu_master), on the loop.
 *
 * The server's own buffers hold answers back, in pieces that tell nothing of the line's
 * silence, and survive a connection: what is outstanding is remembered beyond it.
 */
#include <errno.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/bus/kinds.h"
#include "gateway/bus/modbus_frame.h"
#include "gateway/bus/rtu_master.h"
#include "gateway/bus/tcp_link.h"

enum {
    GAP_US = 2000, /* the server keeps the line's own silence */
    STRANGE_US =
        100000, /* servers pack what comes for up to some ten ms, networks add theirs */
};

struct rtu_tcp {
    struct bus base;
    struct bus_options opt;
    struct tcp_link link;
    struct rtu_master *master;
    uv_timer_t timer;
    bool is_started;
    bool is_asked;   /* request has no reply yet */
    bool is_waiting; /* for the connection */
    bool is_pumping; /* a callback may ask again meanwhile */
    struct bus_request request;
    int errors; /* failed transactions in a row */
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static void pump(struct rtu_tcp *b);

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void wait_until(struct rtu_tcp *b, int64_t until_us)
{
    int64_t left_us = until_us - now_us();

    if (until_us == INT64_MAX)
        uv_timer_stop(&b->timer);
    else
        uv_timer_start(&b->timer, on_timer, left_us > 0 ? (uint64_t)(left_us + 999) / 1000 : 0,
                       0);
}

static void reply(struct rtu_tcp *b, struct bus_reply *r)
{
    bool has_failed = r->outcome == BUS_NO_ANSWER || r->outcome == BUS_BAD_FRAME;

    b->is_asked = b->is_waiting = false;
    b->errors = has_failed ? b->errors + 1 : 0;
    if (r->outcome == BUS_OK || r->outcome == BUS_EXCEPTION)
        tcp_link_believe(&b->link);
    if (b->errors >= BUS_ERRORS_MAX && tcp_link_is_up(&b->link)) {
        b->errors = 0;
        tcp_link_drop(&b->link);
        rtu_master_open(b->master, now_us());
    }
    r->time_ms = clock_wall_ms(b->base.clock);
    r->boot_ms = clock_boot_ms(b->base.clock);
    bus_tell_reply(&b->base, r);
}

static void send_bytes(struct rtu_tcp *b, const struct rtu_step *step)
{
    int rc = tcp_link_send(&b->link, step->bytes, step->n);

    rtu_master_sent(b->master, now_us());
    if (rc != 0)
        tcp_link_lose(&b->link);
}

/* Does what the transaction needs until it waits for something. */
static void pump(struct rtu_tcp *b)
{
    struct rtu_step step;
    bool is_over = false;

    if (b->is_pumping)
        return;
    b->is_pumping = true;
    while (!is_over && !b->base.is_stopping) {
        switch (rtu_master_next(b->master, now_us(), &step)) {
        case RTU_WAIT:
            wait_until(b, step.until_us);
            is_over = true;
            break;
        case RTU_SEND:
            send_bytes(b, &step);
            break;
        case RTU_DONE:
            reply(b, &step.reply);
            break;
        }
    }
    b->is_pumping = false;
}

static void fail_waiting(struct rtu_tcp *b)
{
    struct bus_reply r = { .outcome = BUS_NO_LINK };

    if (b->is_waiting)
        reply(b, &r);
}

static void ask(struct rtu_tcp *b)
{
    b->is_waiting = false;
    if (rtu_master_ask(b->master, &b->request, now_us()) == 0) {
        pump(b);
        return;
    }
    b->is_waiting = true; /* out of memory: no answer then */
    fail_waiting(b);
}

/* ---- the connection ---- */

static void on_up(void *user)
{
    struct rtu_tcp *b = user;

    rtu_master_open(b->master, now_us());
    if (b->is_waiting)
        ask(b);
}

static void on_readable(void *user)
{
    struct rtu_tcp *b = user;
    uint8_t buf[ADU_RTU_MAX];
    ssize_t n = tcp_link_receive(&b->link, buf, sizeof buf);

    if (n <= 0)
        return;
    rtu_master_take(b->master, buf, (size_t)n, false, now_us());
    pump(b);
}

static void on_lost(void *user)
{
    struct rtu_tcp *b = user;

    rtu_master_lose(b->master, now_us());
    fail_waiting(b);
    pump(b);
}

static void on_news(void *user, bool is_up)
{
    bus_tell_link(user, is_up);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct rtu_tcp *b = h->data;

    b->base.on_closed(b->base.closed_user);
}

static void on_link_closed(void *user)
{
    struct rtu_tcp *b = user;

    uv_close((uv_handle_t *)&b->timer, on_timer_closed);
}

/* ---- what the line tells ---- */

static void on_late(void *user, uint8_t unit, int64_t took_us)
{
    bus_tell_late(user, unit, took_us < 0 ? -1 : took_us / 1000);
}

static void on_frame(void *user, const struct bus_frame *f)
{
    struct rtu_tcp *b = user;
    struct bus_frame told = *f;

    if (!bus_is_watched(&b->base))
        return;
    told.time_ms = clock_wall_ms(b->base.clock);
    bus_tell_frame(&b->base, &told);
}

static void on_echo(void *user)
{
    const struct rtu_tcp *b = user;

    log_notice("this serial server hands back what is sent, which is passed over host=%s",
               b->opt.place.host);
}

/* ---- the bus ---- */

static int rtu_tcp_start(struct bus *base)
{
    struct rtu_tcp *b = (struct rtu_tcp *)base;

    if (b->is_started)
        return 0;
    b->is_started = true;
    uv_timer_init(b->opt.loop, &b->timer);
    b->timer.data = b;
    tcp_link_start(&b->link);
    return 0;
}

static int rtu_tcp_send(struct bus *base, const struct bus_request *r)
{
    struct rtu_tcp *b = (struct rtu_tcp *)base;

    if (b->is_asked)
        return -EBUSY;
    if (tcp_link_is_hopeless(&b->link))
        return -ENOTCONN;
    b->request = *r;
    b->is_asked = b->is_waiting = true;
    /* Never a reply from inside: the first thing to happen is a silence. */
    if (tcp_link_is_up(&b->link)) {
        int rc = rtu_master_ask(b->master, r, now_us());
        b->is_waiting = false;
        b->is_asked = rc == 0;
        if (rc != 0)
            return rc;
        wait_until(b, 0);
    }
    return 0;
}

static void rtu_tcp_stop(struct bus *base)
{
    struct rtu_tcp *b = (struct rtu_tcp *)base;

    if (!b->is_started) {
        base->on_closed(base->closed_user);
        return;
    }
    uv_timer_stop(&b->timer);
    tcp_link_stop(&b->link);
}

static void rtu_tcp_destroy(struct bus *base)
{
    struct rtu_tcp *b = (struct rtu_tcp *)base;

    rtu_master_destroy(b->master);
    free(b);
}

static const struct bus_kind rtu_tcp_kind = { rtu_tcp_start, rtu_tcp_send, rtu_tcp_stop,
                                              rtu_tcp_destroy };

static int create_master(struct rtu_tcp *b)
{
    int64_t pause_us = b->opt.place.pause_ms * 1000;
    const struct rtu_options o = {
        .gap_us = pause_us > GAP_US ? pause_us : GAP_US,
        .strange_us = pause_us > STRANGE_US ? pause_us : STRANGE_US,
        .on_late = on_late,
        .on_frame = b->opt.on.on_frame ? on_frame : NULL,
        .on_echo = on_echo,
        .user = b,
    };

    return rtu_master_create(&o, &b->master);
}

int modbus_rtu_tcp_create(const struct bus_options *o, struct bus **ret)
{
    struct rtu_tcp *b = calloc(1, sizeof *b);

    if (!b)
        return -ENOMEM;
    b->opt = *o;
    b->base = (struct bus){ .kind = &rtu_tcp_kind, .clock = o->clock, .on = o->on };
    const struct tcp_link_events on = {
        on_up, on_readable, on_lost, on_news, on_link_closed, b
    };
    tcp_link_init(&b->link, o->loop, &b->opt.place, &on);
    int rc = create_master(b);
    if (rc != 0) {
        rtu_tcp_destroy(&b->base);
        return rc;
    }
    *ret = &b->base;
    return 0;
}
