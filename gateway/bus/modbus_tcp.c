/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_tcp - Modbus TCP on the loop: non-blocking, one transaction at a time.
 *
 * The deadline of a transaction is absolute: bytes that trickle in do not move it. A late
 * answer carries the number of its transaction and is dropped by it; a peer that breaks the
 * framing is left, for nothing behind the break can be told apart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/bus/kinds.h"
#include "gateway/bus/modbus_frame.h"
#include "gateway/bus/tcp_link.h"

enum {
    RECEIVE_MAX = 2 * ADU_TCP_MAX, /* a late answer and the expected one in one read */
    STRAY_MAX = 64, /* answers to nothing in a row: whoever sends more is not a Modbus device */
};

struct tcp {
    struct bus base;
    struct bus_options opt;
    struct tcp_link link;
    bool is_started;
    uv_timer_t timer; /* the pause before a request, then its deadline */

    bool is_asked; /* request has no reply yet */
    bool is_sent;
    struct bus_request request;
    uint16_t transaction;
    int64_t sent_ms, before_ms; /* real monotonic; of this request and the one before */
    int64_t ended_ms;           /* the last transaction */
    int errors;                 /* failed transactions in a row */
    int strays;
    size_t n;
    uint8_t in[RECEIVE_MAX];
};

static void on_timer(uv_timer_t *timer);

/* ---- the end of a transaction ---- */

static void reply(struct tcp *t, struct bus_reply *r, enum bus_outcome outcome)
{
    r->outcome = outcome;
    r->time_ms = clock_wall_ms(t->base.clock);
    r->boot_ms = clock_boot_ms(t->base.clock);
    r->took_ms = t->is_sent ? mono_ms() - t->sent_ms : 0;
    r->quiet_ms = 0; /* a late answer carries its transaction's number */
    t->is_asked = t->is_sent = false;
    t->ended_ms = mono_ms();
    bus_tell_reply(&t->base, r);
}

static void reply_failed(struct tcp *t, enum bus_outcome outcome)
{
    struct bus_reply r;

    uv_timer_stop(&t->timer);
    if (!t->is_asked)
        return;
    r.exception = 0;
    r.n = 0;
    reply(t, &r, outcome);
}

static void forget_stream(struct tcp *t)
{
    t->n = 0;
    t->errors = t->strays = 0;
}

static void show(struct tcp *t, enum bus_fate fate, const uint8_t *p, size_t n)
{
    const struct bus_frame f = {
        .fate = fate,
        .unit = n >= ADU_TCP_HEADER ? adu_tcp_unit(p) : t->request.unit,
        .time_ms = clock_wall_ms(t->base.clock),
        .since_us = t->sent_ms ? (mono_ms() - t->sent_ms) * 1000 : -1,
        .bytes = p,
        .n = n,
    };

    bus_tell_frame(&t->base, &f);
}

/* What can be no frame any more, in pieces. */
static void show_rest(struct tcp *t)
{
    for (size_t at = 0, part; at < t->n && bus_is_watched(&t->base); at += part) {
        part = t->n - at < ADU_TCP_MAX ? t->n - at : ADU_TCP_MAX;
        show(t, BUS_DAMAGED, t->in + at, part);
    }
}

/* The stream is not believed any more. */
static void leave(struct tcp *t, enum bus_outcome outcome)
{
    show_rest(t);
    forget_stream(t);
    tcp_link_drop(&t->link);
    reply_failed(t, outcome);
}

/* A transaction ended badly on a connection that may be sound. */
static void fail(struct tcp *t, enum bus_outcome outcome)
{
    /* Half a frame after the whole deadline: its rest would be read as the next header. */
    if (++t->errors >= BUS_ERRORS_MAX || outcome == BUS_BAD_FRAME || t->n > 0)
        leave(t, outcome);
    else
        reply_failed(t, outcome);
}

static int begin(struct tcp *t);

static void on_timer(uv_timer_t *timer)
{
    struct tcp *t = timer->data;

    if (!t->is_sent) {
        if (begin(t) != 0)
            tcp_link_lose(&t->link);
        return;
    }
    /* The loop's clock may lag behind within a burst. */
    int64_t left = t->sent_ms + t->request.timeout_ms - mono_ms();

    if (left > 0)
        uv_timer_start(&t->timer, on_timer, (uint64_t)left, 0);
    else
        fail(t, BUS_NO_ANSWER);
}

/* ---- frames ---- */

static int send_request(struct tcp *t)
{
    uint8_t adu[ADU_TCP_MAX];
    size_t n = adu_tcp_build(&t->request, ++t->transaction, adu);

    t->before_ms = t->sent_ms;
    t->sent_ms = mono_ms();
    if (tcp_link_send(&t->link, adu, n) != 0)
        return -ENOTCONN;
    t->is_sent = true;
    uv_timer_start(&t->timer, on_timer, (uint64_t)t->request.timeout_ms, 0);
    if (bus_is_watched(&t->base))
        show(t, BUS_SENT, adu, n);
    return 0;
}

/* Sends the request, after the pause that it asks for. */
static int begin(struct tcp *t)
{
    int64_t wait_ms = t->ended_ms + t->request.pause_ms - mono_ms();

    if (t->request.pause_ms == 0 || t->ended_ms == 0 || wait_ms <= 0)
        return send_request(t);
    uv_timer_start(&t->timer, on_timer, (uint64_t)wait_ms, 0);
    return 0;
}

static void on_stray(struct tcp *t, const uint8_t *frame)
{
    uint16_t age = (uint16_t)(t->transaction - adu_tcp_transaction(frame));
    int64_t sent_ms = age == 0 ? t->sent_ms : t->before_ms;

    t->strays++;
    bus_tell_late(&t->base, adu_tcp_unit(frame), age <= 1 ? mono_ms() - sent_ms : -1);
}

static enum bus_fate fate_of(enum adu_verdict v)
{
    static const enum bus_fate fates[] = {
        [ADU_ANSWER] = BUS_TAKEN,
        [ADU_EXCEPTION] = BUS_REFUSED,
        [ADU_FOREIGN] = BUS_LATE,
        [ADU_DAMAGED] = BUS_DAMAGED,
    };

    return fates[v];
}

static void on_frame(struct tcp *t, const uint8_t *frame, size_t n)
{
    struct adu_content c;
    struct bus_reply r;
    enum adu_verdict v =
        t->is_sent ? adu_tcp_check(&t->request, t->transaction, frame, n, &c) : ADU_FOREIGN;

    if (bus_is_watched(&t->base))
        show(t, fate_of(v), frame, n);
    if (v == ADU_FOREIGN) {
        on_stray(t, frame);
        return;
    }
    if (v == ADU_DAMAGED) {
        t->n = 0; /* shown */
        fail(t, BUS_BAD_FRAME);
        return;
    }
    uv_timer_stop(&t->timer);
    tcp_link_believe(&t->link);
    t->errors = t->strays = 0;
    adu_fill_reply(v, &c, &r);
    reply(t, &r, r.outcome);
}

/* Takes whole frames off the front. A callback may send the next request or stop the bus. */
static void take_frames(struct tcp *t)
{
    size_t at = 0;
    int length = 0;

    while (at < t->n && tcp_link_is_up(&t->link)) {
        length = adu_tcp_length(t->in + at, t->n - at);
        if (length <= 0 || (size_t)length > t->n - at)
            break;
        uint8_t frame[ADU_TCP_MAX];
        memcpy(frame, t->in + at, (size_t)length);
        at += (size_t)length;
        on_frame(t, frame, (size_t)length);
    }
    if (!tcp_link_is_up(&t->link))
        return;
    t->n -= at;
    memmove(t->in, t->in + at, t->n);
    if (length < 0 || t->strays > STRAY_MAX)
        leave(t, BUS_BAD_FRAME);
}

/* ---- the connection ---- */

static void on_readable(void *user)
{
    struct tcp *t = user;
    ssize_t n = tcp_link_receive(&t->link, t->in + t->n, sizeof t->in - t->n);

    if (n <= 0)
        return;
    t->n += (size_t)n;
    take_frames(t);
}

static void on_up(void *user)
{
    struct tcp *t = user;

    if (t->is_asked && !t->is_sent && begin(t) != 0)
        tcp_link_lose(&t->link);
}

static void on_lost(void *user)
{
    struct tcp *t = user;

    forget_stream(t);
    reply_failed(t, BUS_NO_LINK);
}

static void on_news(void *user, bool is_up)
{
    bus_tell_link(user, is_up);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct tcp *t = h->data;

    t->base.on_closed(t->base.closed_user);
}

static void on_link_closed(void *user)
{
    struct tcp *t = user;

    uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

/* ---- the bus ---- */

static int tcp_start(struct bus *b)
{
    struct tcp *t = (struct tcp *)b;

    if (t->is_started)
        return 0;
    t->is_started = true;
    uv_timer_init(t->opt.loop, &t->timer);
    t->timer.data = t;
    tcp_link_start(&t->link);
    return 0;
}

static int tcp_send(struct bus *b, const struct bus_request *r)
{
    struct tcp *t = (struct tcp *)b;

    if (t->is_asked)
        return -EBUSY;
    if (tcp_link_is_hopeless(&t->link))
        return -ENOTCONN;
    t->request = *r;
    t->is_asked = true;
    t->is_sent = false;
    if (tcp_link_is_up(&t->link) && begin(t) != 0) {
        t->is_asked = false; /* told by the return value alone */
        tcp_link_lose(&t->link);
        return -ENOTCONN;
    }
    return 0;
}

static void tcp_stop(struct bus *b)
{
    struct tcp *t = (struct tcp *)b;

    if (!t->is_started) {
        b->on_closed(b->closed_user);
        return;
    }
    uv_timer_stop(&t->timer);
    tcp_link_stop(&t->link);
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
    const struct tcp_link_events on = {
        on_up, on_readable, on_lost, on_news, on_link_closed, t
    };
    tcp_link_init(&t->link, o->loop, &t->opt.place, &on);
    t->transaction = (uint16_t)random_u32();
    *ret = &t->base;
    return 0;
}
