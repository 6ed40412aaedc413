/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_rtu - the bus in front of a serial line's thread.
 *
 *   main loop  -- asked (queue, 1) -->  line thread: serial_line
 *              <-- told (queue) -----
 *
 * Values only pass through the queues; the thread owns the port and everything known of it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/backoff.h"
#include "gateway/base/log.h"
#include "gateway/base/queue.h"
#include "gateway/bus/kinds.h"
#include "gateway/bus/modbus_frame.h"
#include "gateway/bus/radio_channel.h"
#include "gateway/bus/serial_line.h"

enum {
    ASKED_MAX = 2,
    TOLD_MAX = 64,
    TOLD_SPARE = 8, /* kept for replies and link changes when late answers come in floods */
    TOLD_WAIT_MS = 10,
};

enum told_kind { TOLD_REPLY, TOLD_LATE, TOLD_LINK, TOLD_FRAME };

struct told_frame {
    struct bus_frame frame;
    uint8_t bytes[ADU_RTU_MAX];
};

struct told {
    enum told_kind kind;
    bool is_up;
    uint8_t unit;
    int64_t took_ms;
    union {
        struct bus_reply reply;
        struct told_frame told;
    };
};

struct rtu {
    struct bus base;
    struct bus_options opt;
    struct queue *asked, *told;
    struct serial_line *line; /* the thread's, once it runs */
    uv_async_t async;
    atomic_bool has_ended;
    atomic_uint frames_lost; /* since the last that was told */

    /* line thread */
    struct backoff backoff;
    int64_t reopen_ms; /* real time of the next try */

    /* main thread */
    pthread_t thread;
    bool has_async, has_thread;
    bool is_asked;              /* a request has no reply yet */
    struct bus_request request; /* that one, when its turn on the radio is waited for */
    struct radio_turn turn;
    bool is_down; /* as told last */
};

/* ---- line thread ---- */

/* A reply must arrive: with the main loop stalled the thread waits with it. */
static void tell(struct rtu *b, const struct told *t)
{
    while (!queue_push(b->told, t) && !serial_line_is_final(b->line))
        uv_sleep(TOLD_WAIT_MS);
    uv_async_send(&b->async);
}

static void on_line_late(void *user, uint8_t unit, int64_t took_ms)
{
    struct rtu *b = user;

    if (queue_length(b->told) < TOLD_MAX - TOLD_SPARE)
        tell(b, &(struct told){ .kind = TOLD_LATE, .unit = unit, .took_ms = took_ms });
}

/* Whoever looks on must not hold up the line: with no room left frames are counted only. */
static void on_line_frame(void *user, const struct bus_frame *f)
{
    struct rtu *b = user;
    struct told t = { .kind = TOLD_FRAME };

    if (!bus_is_watched(&b->base))
        return;
    if (queue_length(b->told) >= TOLD_MAX - TOLD_SPARE) {
        atomic_fetch_add(&b->frames_lost, 1);
        return;
    }
    t.told.frame = *f;
    t.told.frame.time_ms = clock_wall_ms(b->base.clock);
    memcpy(t.told.bytes, f->bytes, f->n);
    tell(b, &t);
}

static void tell_link(struct rtu *b, bool is_up)
{
    tell(b, &(struct told){ .kind = TOLD_LINK, .is_up = is_up });
}

static void answer(struct rtu *b, const struct bus_request *r)
{
    struct told t = { .kind = TOLD_REPLY };

    if (serial_line_is_open(b->line))
        serial_line_ask(b->line, r, &t.reply);
    else
        t.reply.outcome = BUS_NO_LINK;
    t.reply.time_ms = clock_wall_ms(b->base.clock);
    t.reply.boot_ms = clock_boot_ms(b->base.clock);
    if (t.reply.outcome == BUS_OK || t.reply.outcome == BUS_EXCEPTION)
        backoff_reset(&b->backoff); /* a port that only opens is not a working one */
    tell(b, &t);
}

static void plan_reopen(struct rtu *b)
{
    b->reopen_ms = mono_ms() + backoff_next(&b->backoff, random_u32());
}

/* Tries to open a closed port when it is time. Returns how long the thread may wait for
 * something to do, -1: as long as it takes. */
static int keep_open(struct rtu *b)
{
    int64_t now_ms = mono_ms();

    if (serial_line_is_open(b->line))
        return -1;
    if (now_ms < b->reopen_ms)
        return (int)(b->reopen_ms - now_ms);
    if (serial_line_open(b->line) != 0) {
        plan_reopen(b);
        return 0;
    }
    return -1;
}

static void *line_main(void *arg)
{
    struct rtu *b = arg;
    struct bus_request r;
    enum { UNKNOWN, DOWN, UP } told = UNKNOWN;

    while (!serial_line_is_final(b->line)) {
        int wait_ms = keep_open(b);
        if (serial_line_is_open(b->line) != (told == UP) || told == UNKNOWN) {
            told = serial_line_is_open(b->line) ? UP : DOWN;
            tell_link(b, told == UP);
        }
        serial_line_wait(b->line, wait_ms);
        if (queue_pop(b->asked, &r, 0) && !serial_line_is_final(b->line))
            answer(b, &r);
        if (told == UP && !serial_line_is_open(b->line))
            plan_reopen(b);
    }
    atomic_store(&b->has_ended, true);
    uv_async_send(&b->async);
    return NULL;
}

/* ---- main thread ---- */

static void on_async_closed(uv_handle_t *h)
{
    struct rtu *b = h->data;

    b->base.on_closed(b->base.closed_user);
}

static void pass_on_frame(struct rtu *b, const struct told_frame *t)
{
    struct bus_frame f = t->frame;
    unsigned lost = atomic_exchange(&b->frames_lost, 0);

    if (lost > 0)
        log_warning("frames came faster than they could be shown, %u are missing port=%s", lost,
                    b->opt.place.device);
    f.bytes = t->bytes;
    bus_tell_frame(&b->base, &f);
}

/* What the exchange was for the others on its radio channel. */
static void end_turn(struct rtu *b, const struct bus_reply *r)
{
    const struct lora_modem *modem = &b->opt.place.modem;
    bool is_answered = r->outcome == BUS_OK || r->outcome == BUS_EXCEPTION;
    uint8_t adu[ADU_RTU_MAX];

    if (!b->opt.place.channel)
        return;
    const struct lora_exchange x =
        lora_exchange_of(modem, serial_char_us(&b->opt.place), adu_rtu_build(&b->request, adu),
                         adu_rtu_answer_size(&b->request));
    radio_channel_leave(b->opt.place.channel, &b->turn,
                        r->took_ms > 0 ? lora_spent_us(&x, r->took_ms * 1000, is_answered) : 0,
                        is_answered || r->took_ms == 0 ? 0 : lora_drain_us(modem) / 1000);
}

static void pass_on(struct rtu *b, const struct told *t)
{
    switch (t->kind) {
    case TOLD_REPLY:
        b->is_asked = false;
        end_turn(b, &t->reply);
        bus_tell_reply(&b->base, &t->reply);
        break;
    case TOLD_LATE:
        bus_tell_late(&b->base, t->unit, t->took_ms);
        break;
    case TOLD_LINK:
        b->is_down = !t->is_up;
        bus_tell_link(&b->base, t->is_up);
        break;
    case TOLD_FRAME:
        pass_on_frame(b, &t->told);
        break;
    }
}

static void on_async(uv_async_t *async)
{
    struct rtu *b = async->data;
    struct told t;

    while (queue_pop(b->told, &t, 0))
        pass_on(b, &t);
    if (atomic_load(&b->has_ended) && b->has_thread) {
        pthread_join(b->thread, NULL);
        b->has_thread = false;
        uv_close((uv_handle_t *)async, on_async_closed);
    }
}

/* Signals are for the main thread. */
static int rtu_start(struct bus *base)
{
    struct rtu *b = (struct rtu *)base;
    sigset_t all, before;

    if (b->has_async)
        return b->has_thread ? 0 : -EAGAIN;
    int rc = uv_async_init(b->opt.loop, &b->async, on_async);
    if (rc != 0)
        return rc;
    b->async.data = b;
    b->has_async = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    b->has_thread = pthread_create(&b->thread, NULL, line_main, b) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return b->has_thread ? 0 : -EAGAIN;
}

/* To the thread, which has no other. */
static void hand_over(void *user)
{
    struct rtu *b = user;

    queue_push(b->asked, &b->request);
    serial_line_interrupt(b->line, false);
}

static int rtu_send(struct bus *base, const struct bus_request *r)
{
    struct rtu *b = (struct rtu *)base;

    if (b->is_asked)
        return -EBUSY;
    if (b->is_down || !b->has_thread)
        return -ENOTCONN;
    b->request = *r;
    b->is_asked = true;
    if (b->opt.place.channel)
        radio_channel_ask(b->opt.place.channel, &b->turn);
    else
        hand_over(b);
    return 0;
}

static void rtu_stop(struct bus *base)
{
    struct rtu *b = (struct rtu *)base;

    if (b->opt.place.channel)
        radio_channel_withdraw(b->opt.place.channel, &b->turn);
    if (b->has_thread)
        serial_line_interrupt(b->line, true);
    else if (b->has_async)
        uv_close((uv_handle_t *)&b->async, on_async_closed);
    else
        base->on_closed(base->closed_user);
}

static void rtu_destroy(struct bus *base)
{
    struct rtu *b = (struct rtu *)base;

    serial_line_destroy(b->line);
    queue_destroy(b->asked);
    queue_destroy(b->told);
    free(b);
}

static const struct bus_kind rtu_kind = { rtu_start, rtu_send, rtu_stop, rtu_destroy };

int modbus_rtu_create(const struct bus_options *o, struct bus **ret)
{
    struct rtu *b = calloc(1, sizeof *b);

    if (!b)
        return -ENOMEM;
    b->base = (struct bus){ .kind = &rtu_kind, .clock = o->clock, .on = o->on };
    b->opt = *o;
    b->turn = (struct radio_turn){ .on_turn = hand_over, .user = b };
    b->backoff =
        (struct backoff){ .first_ms = BUS_REOPEN_FIRST_MS, .max_ms = BUS_REOPEN_MAX_MS };
    const struct serial_options line = {
        .port = &b->opt.place, .on_late = on_line_late, .on_frame = on_line_frame, .user = b
    };
    int rc = queue_create(sizeof(struct bus_request), ASKED_MAX, &b->asked);
    if (rc == 0)
        rc = queue_create(sizeof(struct told), TOLD_MAX, &b->told);
    if (rc == 0)
        rc = serial_line_create(&line, &b->line);
    if (rc != 0) {
        rtu_destroy(&b->base);
        return rc;
    }
    *ret = &b->base;
    return 0;
}
