/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/rtu_pump.h"

int64_t rtu_pump_now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static void on_timer(uv_timer_t *timer)
{
    rtu_pump_run(timer->data);
}

static void wait_until(struct rtu_pump *p, int64_t until_us)
{
    int64_t left_us = until_us - rtu_pump_now_us();

    if (until_us == INT64_MAX)
        uv_timer_stop(&p->timer);
    else
        uv_timer_start(&p->timer, on_timer, left_us > 0 ? (uint64_t)(left_us + 999) / 1000 : 0,
                       0);
}

void rtu_pump_start(struct rtu_pump *p, uv_loop_t *loop)
{
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
}

void rtu_pump_run(struct rtu_pump *p)
{
    struct rtu_step step;
    bool is_over = false;

    if (p->is_running)
        return;
    p->is_running = true;
    while (!is_over && !p->is_stopped) {
        switch (rtu_master_next(p->master, rtu_pump_now_us(), &step)) {
        case RTU_WAIT:
            wait_until(p, step.until_us);
            is_over = true;
            break;
        case RTU_SEND:
            p->send(p->user, step.bytes, step.n);
            break;
        case RTU_DONE:
            p->reply(p->user, &step.reply);
            break;
        }
    }
    p->is_running = false;
}

void rtu_pump_wake(struct rtu_pump *p)
{
    wait_until(p, 0);
}

void rtu_pump_stop(struct rtu_pump *p)
{
    p->is_stopped = true;
    uv_timer_stop(&p->timer);
}

void rtu_pump_close(struct rtu_pump *p, uv_close_cb on_closed, void *data)
{
    p->timer.data = data;
    uv_close((uv_handle_t *)&p->timer, on_closed);
}
