/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/radio_channel.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"

enum { TOLD_AGAIN_MS = 24 * 3600 * 1000 };

struct radio_channel {
    uv_timer_t timer;
    const char *name;
    double share;
    double level_us;            /* air time spent, less what sank since */
    int64_t level_ms, quiet_ms; /* real time of it; nobody speaks before */
    struct radio_turn *head;    /* waits longest */
    struct radio_turn *owner;   /* NULL: free */
    uint64_t air_us;
    int64_t told_ms; /* overload was said; 0: never */
    void (*on_closed)(void *user);
    void *closed_user;
};

static double allowance_us(const struct radio_channel *c)
{
    return c->share * RADIO_CHANNEL_WINDOW_MS * 1000;
}

static void sink(struct radio_channel *c, int64_t now_ms)
{
    c->level_us -= (double)(now_ms - c->level_ms) * 1000 * c->share;
    if (c->level_us < 0)
        c->level_us = 0;
    c->level_ms = now_ms;
}

/* Once a day: who reads logs wants to know, not to be flooded. */
static void tell_overload(struct radio_channel *c, int64_t now_ms)
{
    if (c->told_ms != 0 && now_ms - c->told_ms < TOLD_AGAIN_MS)
        return;
    c->told_ms = now_ms;
    log_warning(
        "radio %s has used up its %.0f %% of air time and pauses: polls come late; poll "
        "less often, set a higher air rate or use another channel radio=%s",
        c->name, c->share * 100, c->name);
}

/* 0: now. */
static int64_t wait_ms(struct radio_channel *c, int64_t now_ms)
{
    double over_us = c->level_us - allowance_us(c);
    int64_t wait = c->quiet_ms - now_ms;

    if (over_us <= 0)
        return wait > 0 ? wait : 0;
    tell_overload(c, now_ms);
    int64_t pause = (int64_t)(over_us / 1000 / c->share) + 1;
    return pause > wait ? pause : wait;
}

static void serve(struct radio_channel *c);

static void on_timer(uv_timer_t *timer)
{
    serve(timer->data);
}

static void serve(struct radio_channel *c)
{
    int64_t now_ms = mono_ms();

    if (c->owner || !c->head || uv_is_closing((uv_handle_t *)&c->timer))
        return;
    sink(c, now_ms);
    int64_t wait = wait_ms(c, now_ms);
    if (wait > 0) {
        uv_timer_start(&c->timer, on_timer, (uint64_t)wait, 0);
        return;
    }
    struct radio_turn *t = c->head;
    c->head = t->next;
    c->owner = t;
    t->is_waiting = false;
    t->is_mine = true;
    t->on_turn(t->user);
}

void radio_channel_ask(struct radio_channel *c, struct radio_turn *t)
{
    struct radio_turn **at = &c->head;

    while (*at)
        at = &(*at)->next;
    *at = t;
    t->next = NULL;
    t->is_waiting = true;
    serve(c);
}

void radio_channel_leave(struct radio_channel *c, struct radio_turn *t, int64_t air_us,
                         int64_t quiet_ms)
{
    int64_t now_ms = mono_ms();

    if (!t->is_mine)
        return;
    t->is_mine = false;
    c->owner = NULL;
    sink(c, now_ms);
    c->level_us += (double)air_us;
    c->air_us += (uint64_t)air_us;
    if (c->quiet_ms < now_ms + quiet_ms)
        c->quiet_ms = now_ms + quiet_ms;
    serve(c);
}

void radio_channel_withdraw(struct radio_channel *c, struct radio_turn *t)
{
    for (struct radio_turn **at = &c->head; *at && t->is_waiting; at = &(*at)->next) {
        if (*at != t)
            continue;
        *at = t->next;
        break;
    }
    t->is_waiting = false;
    radio_channel_leave(c, t, 0, 0);
}

uint64_t radio_channel_air_us(const struct radio_channel *c)
{
    return c->air_us;
}

int radio_channel_create(uv_loop_t *loop, const char *name, double share,
                         struct radio_channel **ret)
{
    struct radio_channel *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    int rc = uv_timer_init(loop, &c->timer);
    if (rc != 0) {
        free(c);
        return rc;
    }
    c->timer.data = c;
    c->name = name;
    c->share = share;
    c->level_ms = mono_ms();
    *ret = c;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct radio_channel *c = handle->data;

    c->on_closed(c->closed_user);
}

void radio_channel_close(struct radio_channel *c, void (*on_closed)(void *user), void *user)
{
    c->on_closed = on_closed;
    c->closed_user = user;
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

void radio_channel_destroy(struct radio_channel *c)
{
    free(c);
}
