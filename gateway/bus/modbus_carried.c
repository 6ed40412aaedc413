/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_carried - Modbus RTU through something that carries frames: a LoRaWAN bridge. The same
 * transactions as on a serial line (rtu_master): an answer that comes late, as they do through
 * the air, is never taken for the next one. There is no link to lose; that nothing comes back
 * is all that is ever known.
 */
#include <errno.h>
#include <stdlib.h>

#include "gateway/bus/kinds.h"
#include "gateway/bus/modbus_frame.h"
#include "gateway/bus/rtu_pump.h"

enum {
    GAP_US = 2000,       /* the bridge keeps the line's own silence */
    STRANGE_US = 100000, /* an answer comes whole: in one uplink */
};

struct carried {
    struct bus base;
    struct bus_options opt;
    struct rtu_pump pump;
    bool is_started;
    bool is_asked; /* the request has no reply yet */
};

static void reply(void *user, struct bus_reply *r)
{
    struct carried *b = user;

    b->is_asked = false;
    r->time_ms = clock_wall_ms(b->base.clock);
    r->boot_ms = clock_boot_ms(b->base.clock);
    bus_tell_reply(&b->base, r);
}

static void send_bytes(void *user, const uint8_t *bytes, size_t n)
{
    struct carried *b = user;
    const struct bus_carrier *c = b->opt.place.carrier;

    int rc = c->send(c->user, bytes, n, b->opt.place.reply_ms);
    rtu_master_sent(b->pump.master, rtu_pump_now_us());
    if (rc == 0)
        return;
    rtu_master_lose(b->pump.master, rtu_pump_now_us());
    rtu_master_open(b->pump.master, rtu_pump_now_us());
}

static void on_bytes(void *user, const uint8_t *bytes, size_t n)
{
    struct carried *b = user;

    rtu_master_take(b->pump.master, bytes, n, false, rtu_pump_now_us());
    rtu_pump_run(&b->pump);
}

static void on_late(void *user, uint8_t unit, int64_t took_us)
{
    bus_tell_late(user, unit, took_us < 0 ? -1 : took_us / 1000);
}

static void on_frame(void *user, const struct bus_frame *f)
{
    struct carried *b = user;
    struct bus_frame told = *f;

    if (!bus_is_watched(&b->base))
        return;
    told.time_ms = clock_wall_ms(b->base.clock);
    bus_tell_frame(&b->base, &told);
}

/* ---- the bus ---- */

static int carried_start(struct bus *base)
{
    struct carried *b = (struct carried *)base;
    const struct bus_carrier *c = b->opt.place.carrier;

    if (b->is_started)
        return 0;
    b->is_started = true;
    rtu_pump_start(&b->pump, b->opt.loop);
    rtu_master_open(b->pump.master, rtu_pump_now_us());
    c->listen(c->user, on_bytes, b);
    return 0;
}

static int carried_send(struct bus *base, const struct bus_request *r)
{
    struct carried *b = (struct carried *)base;
    struct bus_request slow = *r;

    if (b->is_asked)
        return -EBUSY;
    if (slow.timeout_ms < b->opt.place.reply_ms)
        slow.timeout_ms = b->opt.place.reply_ms;
    int rc = rtu_master_ask(b->pump.master, &slow, rtu_pump_now_us());
    if (rc != 0)
        return rc;
    b->is_asked = true;
    rtu_pump_wake(&b->pump); /* never a reply from inside */
    return 0;
}

static void on_timer_closed(uv_handle_t *h)
{
    struct carried *b = h->data;

    b->base.on_closed(b->base.closed_user);
}

static void carried_stop(struct bus *base)
{
    struct carried *b = (struct carried *)base;
    const struct bus_carrier *c = b->opt.place.carrier;

    if (!b->is_started) {
        base->on_closed(base->closed_user);
        return;
    }
    c->listen(c->user, NULL, NULL);
    rtu_pump_stop(&b->pump);
    rtu_pump_close(&b->pump, on_timer_closed, b);
}

static void carried_destroy(struct bus *base)
{
    struct carried *b = (struct carried *)base;

    rtu_master_destroy(b->pump.master);
    free(b);
}

static const struct bus_kind carried_kind = { carried_start, carried_send, carried_stop,
                                              carried_destroy };

int modbus_carried_create(const struct bus_options *o, struct bus **ret)
{
    struct carried *b = o->place.carrier ? calloc(1, sizeof *b) : NULL;

    if (!b)
        return o->place.carrier ? -ENOMEM : -EINVAL;
    b->opt = *o;
    b->base = (struct bus){ .kind = &carried_kind, .clock = o->clock, .on = o->on };
    b->pump.send = send_bytes;
    b->pump.reply = reply;
    b->pump.user = b;
    const struct rtu_options options = {
        .gap_us = GAP_US,
        .strange_us = STRANGE_US,
        .on_late = on_late,
        .on_frame = o->on.on_frame ? on_frame : NULL,
        .user = b,
    };
    int rc = rtu_master_create(&options, &b->pump.master);
    if (rc != 0) {
        free(b);
        return rc;
    }
    *ret = &b->base;
    return 0;
}
