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
#include "gateway/bus/rtu_pump.h"
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
    struct rtu_pump pump;
    bool is_started;
    bool is_asked;   /* request has no reply yet */
    bool is_waiting; /* for the connection */
    struct bus_request request;
    int errors; /* failed transactions in a row */
};

static void reply(void *user, struct bus_reply *r)
{
    struct rtu_tcp *b = user;
    bool has_failed = r->outcome == BUS_NO_ANSWER || r->outcome == BUS_BAD_FRAME;

    b->is_asked = b->is_waiting = false;
    b->errors = has_failed ? b->errors + 1 : 0;
    if (r->outcome == BUS_OK || r->outcome == BUS_EXCEPTION)
        tcp_link_believe(&b->link);
    if (b->errors >= BUS_ERRORS_MAX && tcp_link_is_up(&b->link)) {
        b->errors = 0;
        tcp_link_drop(&b->link);
        rtu_master_open(b->pump.master, rtu_pump_now_us());
    }
    r->time_ms = clock_wall_ms(b->base.clock);
    r->boot_ms = clock_boot_ms(b->base.clock);
    bus_tell_reply(&b->base, r);
}

static void send_bytes(void *user, const uint8_t *bytes, size_t n)
{
    struct rtu_tcp *b = user;
    int rc = tcp_link_send(&b->link, bytes, n);

    rtu_master_sent(b->pump.master, rtu_pump_now_us());
    if (rc != 0)
        tcp_link_lose(&b->link);
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
    if (rtu_master_ask(b->pump.master, &b->request, rtu_pump_now_us()) == 0) {
        rtu_pump_run(&b->pump);
        return;
    }
    b->is_waiting = true; /* out of memory: no answer then */
    fail_waiting(b);
}

/* ---- the connection ---- */

static void on_up(void *user)
{
    struct rtu_tcp *b = user;

    rtu_master_open(b->pump.master, rtu_pump_now_us());
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
    rtu_master_take(b->pump.master, buf, (size_t)n, false, rtu_pump_now_us());
    rtu_pump_run(&b->pump);
}

static void on_lost(void *user)
{
    struct rtu_tcp *b = user;

    rtu_master_lose(b->pump.master, rtu_pump_now_us());
    fail_waiting(b);
    rtu_pump_run(&b->pump);
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

    rtu_pump_close(&b->pump, on_timer_closed, b);
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
    rtu_pump_start(&b->pump, b->opt.loop);
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
        int rc = rtu_master_ask(b->pump.master, r, rtu_pump_now_us());
        b->is_waiting = false;
        b->is_asked = rc == 0;
        if (rc != 0)
            return rc;
        rtu_pump_wake(&b->pump);
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
    rtu_pump_stop(&b->pump);
    tcp_link_stop(&b->link);
}

static void rtu_tcp_destroy(struct bus *base)
{
    struct rtu_tcp *b = (struct rtu_tcp *)base;

    rtu_master_destroy(b->pump.master);
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

    b->pump.send = send_bytes;
    b->pump.reply = reply;
    b->pump.user = b;
    return rtu_master_create(&o, &b->pump.master);
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
