/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtu_pump - drives an rtu_master on the loop: waits, hands bytes to whoever sends them, tells
 * what became of a request. Inside gateway/bus only.
 */
#pragma once

#include <uv.h>

#include "gateway/bus/rtu_master.h"

struct rtu_pump {
    struct rtu_master *master;
    uv_timer_t timer;
    bool is_running; /* a callback may ask again meanwhile */
    bool is_stopped;
    void (*send)(void *user, const uint8_t *bytes, size_t n);
    void (*reply)(void *user, struct bus_reply *r); /* without times */
    void *user;
};

int64_t rtu_pump_now_us(void);

/* With master and callbacks set. */
void rtu_pump_start(struct rtu_pump *p, uv_loop_t *loop);
/* Does what the transaction needs until it waits for something. */
void rtu_pump_run(struct rtu_pump *p);
/* The same from the loop: never a callback from inside. */
void rtu_pump_wake(struct rtu_pump *p);
/* No callback comes any more; the timer is to be closed by rtu_pump_close(). */
void rtu_pump_stop(struct rtu_pump *p);
void rtu_pump_close(struct rtu_pump *p, uv_close_cb on_closed, void *data);
