/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll - schedule, lines and devices put together on the main loop.
 *
 *   timer -> due devices -> queue of their line -> bus -> device_take -> on_scan
 *
 * One timer wakes for all: for slots (station time) and for devices that rest between two
 * requests (real time). A line serves devices in trouble only when no other waits, so that a
 * dead unit costs its neighbours at most the request that is under way.
 */
#include "gateway/poll/poll.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/poll/device.h"
#include "gateway/poll/schedule.h"

enum {
    SHARE_MS = 2,       /* real: polls due so soon join this wake-up */
    PATIENCE_SCANS = 2, /* a device in trouble waits at most so many intervals for its turn */
    DAY_MS = 86400000,
};

struct queue_of_devices {
    struct device *head, *tail;
};

struct line {
    struct poll *poll;
    struct bus *bus;
    uint32_t devices_n;
    struct device *asked; /* its request is on the bus */
    struct queue_of_devices ready, slow;
};

struct jitter {
    uint64_t n;
    double sum_us, square_us;
    int64_t max_us;
};

struct poll {
    struct poll_options opt;
    struct line *lines;
    struct device *devices;
    struct reading *readings; /* of the scan being handed over */
    struct schedule slots;    /* station time */
    struct schedule rests;    /* real time */
    int64_t origin_ms;        /* of all slots: a UTC midnight */
    uv_timer_t timer;
    int64_t armed_ms; /* real time the timer waits for; 0: not armed */
    struct jitter jitter;
    bool is_stopping;
    size_t open; /* buses and handles not closed yet */
    void (*on_closed)(void *user);
    void *closed_user;
};

static void serve(struct line *l);
static void on_timer(uv_timer_t *timer);

/* ---- waking up ---- */

static int64_t next_wake_ms(struct poll *p, int64_t now_ms)
{
    int64_t slot_ms, rest_ms, wake_ms = INT64_MAX;

    if (schedule_next(&p->slots, &slot_ms)) {
        int64_t left_ms = slot_ms - clock_mono_ms(p->opt.clock);
        wake_ms = now_ms + clock_real_ms(p->opt.clock, left_ms);
    }
    if (schedule_next(&p->rests, &rest_ms) && rest_ms < wake_ms)
        wake_ms = rest_ms;
    return wake_ms;
}

static void arm(struct poll *p)
{
    int64_t now_ms = mono_ms(), wake_ms = next_wake_ms(p, now_ms);

    if (p->is_stopping || wake_ms == INT64_MAX || (p->armed_ms && p->armed_ms <= wake_ms))
        return;
    uv_update_time(p->opt.loop); /* after a burst the loop's idea of now is old */
    uv_timer_start(&p->timer, on_timer, wake_ms > now_ms ? (uint64_t)(wake_ms - now_ms) : 0, 0);
    p->armed_ms = wake_ms;
}

/* ---- queues of a line ---- */

static void queue_put(struct queue_of_devices *q, struct device *d)
{
    d->next = NULL;
    if (q->tail)
        q->tail->next = d;
    else
        q->head = d;
    q->tail = d;
}

static struct device *queue_take(struct queue_of_devices *q)
{
    struct device *d = q->head;

    if (d) {
        q->head = d->next;
        if (!q->head)
            q->tail = NULL;
    }
    return d;
}

static void enqueue(struct line *l, struct device *d)
{
    queue_put(d->is_slow ? &l->slow : &l->ready, d);
}

static struct device *dequeue(struct line *l)
{
    const struct device *slow = l->slow.head;

    if (slow && l->ready.head) {
        int64_t waited_ms = clock_mono_ms(l->poll->opt.clock) - slow->slot_ms;
        if (waited_ms < slow->conf->interval_ms * PATIENCE_SCANS)
            return queue_take(&l->ready);
    }
    return slow ? queue_take(&l->slow) : queue_take(&l->ready);
}

/* ---- scans ---- */

static void plan_next(struct poll *p, struct device *d)
{
    const struct line *l = &p->lines[d->conf->bus];
    int64_t interval_ms = d->conf->interval_ms;
    int64_t now_ms = clock_mono_ms(p->opt.clock);

    if (d->health.is_silent)
        now_ms += health_wait(&d->health, interval_ms, l->devices_n == 1) - interval_ms;
    else if (schedule_has(&p->slots, d->number))
        return;
    schedule_put(&p->slots, d->number, schedule_slot(p->origin_ms, interval_ms, now_ms + 1));
    arm(p);
}

static void tell_state(struct poll *p, struct device *d, enum health_change change,
                       enum scan_outcome why)
{
    if (change != HEALTH_SAME && p->opt.on_state)
        p->opt.on_state(p->opt.user, d->number,
                        change == HEALTH_WENT_SILENT ? DEVICE_SILENT : DEVICE_ONLINE, why);
}

static void end_scan(struct poll *p, struct device *d)
{
    enum health_change change;
    enum scan_outcome outcome = device_end(d, p->readings, &change);

    plan_next(p, d);
    p->opt.on_scan(p->opt.user, &(struct scan){
                                    .device = d->number,
                                    .time_ms = d->time_ms,
                                    .start_ms = d->start_ms,
                                    .outcome = outcome,
                                    .readings = p->readings,
                                    .n = d->conf->profile->points_n,
                                });
    tell_state(p, d, change, outcome);
}

static void tell_left_out(const struct device *d, const struct plan_piece *piece)
{
    static const char *const spaces[] = { "", "coil", "discrete input", "holding register",
                                          "input register" };

    log_warning("device %s refuses %u %s(s) from address %u: left out, tried again later "
                "device=%s profile=%s",
                d->conf->id, (unsigned)piece->count, spaces[piece->space],
                (unsigned)piece->first, d->conf->id, d->conf->profile->id);
}

/* Sends the request at hand. False: the link is down and the scan is over. */
static bool ask(struct line *l, struct device *d)
{
    struct bus_request r = device_ask(d);

    l->asked = d;
    if (bus_send(l->bus, &r) == 0)
        return true;
    l->asked = NULL;
    device_lost(d, clock_wall_ms(l->poll->opt.clock));
    end_scan(l->poll, d);
    return false;
}

static void serve(struct line *l)
{
    while (!l->poll->is_stopping && !l->asked) {
        struct device *d = dequeue(l);
        if (!d || ask(l, d))
            break;
    }
}

static void rest(struct poll *p, struct device *d)
{
    schedule_put(&p->rests, d->number, mono_ms() + d->rest_ms);
    arm(p);
}

static void on_reply(void *user, const struct bus_reply *r)
{
    struct line *l = user;
    struct poll *p = l->poll;
    struct device *d = l->asked;
    struct plan_piece left_out;

    l->asked = NULL;
    if (r->quiet_ms > 0)
        d->quiet_until_ms = mono_ms() + r->quiet_ms;
    enum device_step step = device_take(d, r, clock_mono_ms(p->opt.clock), &left_out);
    if (left_out.count)
        tell_left_out(d, &left_out);
    if (step == DEVICE_REST)
        rest(p, d);
    else if (step == DEVICE_DONE)
        end_scan(p, d);
    else if (d->is_slow)
        enqueue(l, d);
    else
        ask(l, d);
    serve(l);
}

static void on_late(void *user, uint8_t unit, int64_t took_ms)
{
    struct line *l = user;
    struct poll *p = l->poll;

    for (size_t i = 0; i < p->opt.devices_n; i++) {
        const struct poll_device *conf = &p->opt.devices[i];
        if (&p->lines[conf->bus] == l && conf->unit == unit)
            device_late(&p->devices[i], took_ms);
    }
}

/* A link that is back: its silent devices are worth asking at their next slot. */
static void on_link(void *user, bool is_up)
{
    struct line *l = user;
    struct poll *p = l->poll;
    int64_t now_ms = clock_mono_ms(p->opt.clock);

    for (size_t i = 0; i < p->opt.devices_n && is_up; i++) {
        struct device *d = &p->devices[i];
        if (&p->lines[p->opt.devices[i].bus] != l || !d->health.is_silent)
            continue;
        health_hope(&d->health);
        if (!d->is_scanning)
            schedule_put(&p->slots, d->number,
                         schedule_slot(p->origin_ms, d->conf->interval_ms, now_ms + 1));
    }
    arm(p);
}

static void note_jitter(struct poll *p, int64_t slot_ms)
{
    const struct clock *c = p->opt.clock;
    int64_t late_us = c->speed == 1
                          ? (int64_t)(uv_hrtime() / 1000) - slot_ms * 1000
                          : (int64_t)((double)(clock_mono_ms(c) - slot_ms) * 1000 / c->speed);
    int64_t off_us = late_us < 0 ? -late_us : late_us;

    p->jitter.n++;
    p->jitter.sum_us += (double)late_us;
    p->jitter.square_us += (double)late_us * (double)late_us;
    if (off_us > p->jitter.max_us)
        p->jitter.max_us = off_us;
}

static void start_scan(struct poll *p, struct device *d, int64_t slot_ms, int64_t now_ms)
{
    struct line *l = &p->lines[d->conf->bus];
    int64_t interval_ms = d->conf->interval_ms;
    int64_t from_ms = slot_ms + 1 > now_ms - interval_ms ? slot_ms + 1 : now_ms + 1;
    int64_t next_ms = schedule_slot(p->origin_ms, interval_ms, from_ms);

    d->counters.skipped += (uint64_t)((next_ms - slot_ms) / interval_ms - 1);
    if (d->is_scanning || !d->health.is_silent)
        schedule_put(&p->slots, d->number, next_ms);
    if (d->is_scanning) {
        d->counters.skipped++;
        return;
    }
    note_jitter(p, slot_ms);
    device_begin(d, slot_ms, now_ms, clock_wall_ms(p->opt.clock));
    if (d->quiet_until_ms > mono_ms()) {
        schedule_put(&p->rests, d->number, d->quiet_until_ms);
        return;
    }
    enqueue(l, d);
    serve(l);
}

static void end_rests(struct poll *p)
{
    struct schedule_entry e;
    int64_t now_ms = mono_ms();

    while (schedule_pop(&p->rests, now_ms, &e)) {
        struct device *d = &p->devices[e.id];
        enqueue(&p->lines[d->conf->bus], d);
        serve(&p->lines[d->conf->bus]);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct poll *p = timer->data;
    struct schedule_entry e;
    int64_t now_ms = clock_mono_ms(p->opt.clock);
    int64_t share_ms = (int64_t)(SHARE_MS * p->opt.clock->speed);

    p->armed_ms = 0;
    end_rests(p);
    while (!p->is_stopping && schedule_pop(&p->slots, now_ms + share_ms, &e))
        start_scan(p, &p->devices[e.id], e.due_ms, now_ms);
    arm(p);
}

/* ---- life ---- */

static void on_frame(void *user, const struct bus_frame *f)
{
    const struct line *l = user;
    struct poll *p = l->poll;

    p->opt.on_frame(p->opt.user, (uint32_t)(l - p->lines), f);
}

static int open_bus(struct poll *p, const struct poll_bus *b, struct line *l)
{
    const struct bus_events on = { on_reply, on_late, on_link,
                                   p->opt.on_frame ? on_frame : NULL, l };

    l->poll = p;
    return bus_create(p->opt.loop, p->opt.clock, &b->place, &on, &l->bus);
}

static int init_devices(struct poll *p)
{
    size_t points_max = 1;
    int rc = 0;

    for (size_t i = 0; i < p->opt.devices_n && rc == 0; i++) {
        const struct poll_device *conf = &p->opt.devices[i];
        if (conf->bus >= p->opt.buses_n || conf->interval_ms <= 0)
            return -EINVAL;
        rc = device_init(&p->devices[i], conf, (uint32_t)i);
        if (conf->is_enabled)
            p->lines[conf->bus].devices_n++;
        if (conf->profile->points_n > points_max)
            points_max = conf->profile->points_n;
    }
    p->readings = calloc(points_max, sizeof p->readings[0]);
    return rc == 0 && !p->readings ? -ENOMEM : rc;
}

static int init(struct poll *p)
{
    int rc = init_devices(p);

    for (size_t i = 0; i < p->opt.buses_n && rc == 0; i++)
        rc = open_bus(p, &p->opt.buses[i], &p->lines[i]);
    return rc;
}

int poll_create(const struct poll_options *o, struct poll **ret)
{
    struct poll *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    p->opt = *o;
    p->lines = calloc(o->buses_n + 1, sizeof p->lines[0]);
    p->devices = calloc(o->devices_n + 1, sizeof p->devices[0]);
    int rc = p->lines && p->devices ? schedule_init(&p->slots, o->devices_n) : -ENOMEM;
    if (rc == 0)
        rc = schedule_init(&p->rests, o->devices_n);
    if (rc == 0)
        rc = init(p);
    if (rc != 0) {
        poll_destroy(p);
        return rc;
    }
    uv_timer_init(o->loop, &p->timer);
    p->timer.data = p;
    p->origin_ms = clock_mono_ms(o->clock) - clock_wall_ms(o->clock) % DAY_MS;
    *ret = p;
    return 0;
}

void poll_start(struct poll *p)
{
    int64_t now_ms = clock_mono_ms(p->opt.clock);

    for (size_t i = 0; i < p->opt.buses_n; i++) {
        if (p->lines[i].devices_n && bus_start(p->lines[i].bus) != 0)
            log_error("bus %s: cannot start its thread", p->opt.buses[i].id);
    }
    for (size_t i = 0; i < p->opt.devices_n; i++) {
        const struct poll_device *conf = &p->opt.devices[i];
        if (conf->is_enabled)
            schedule_put(&p->slots, (uint32_t)i,
                         schedule_slot(p->origin_ms, conf->interval_ms, now_ms));
    }
    arm(p);
}

static void on_part_closed(void *user)
{
    struct poll *p = user;

    if (--p->open == 0)
        p->on_closed(p->closed_user);
}

static void on_timer_closed(uv_handle_t *h)
{
    on_part_closed(h->data);
}

void poll_stop(struct poll *p, void (*on_closed)(void *user), void *user)
{
    p->is_stopping = true;
    p->on_closed = on_closed;
    p->closed_user = user;
    p->open = p->opt.buses_n + 1;
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
    for (size_t i = 0; i < p->opt.buses_n; i++)
        bus_stop(p->lines[i].bus, on_part_closed, p);
}

void poll_destroy(struct poll *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->opt.buses_n && p->lines; i++)
        bus_destroy(p->lines[i].bus);
    for (size_t i = 0; i < p->opt.devices_n && p->devices; i++)
        device_done(&p->devices[i]);
    schedule_done(&p->slots);
    schedule_done(&p->rests);
    free(p->lines);
    free(p->devices);
    free(p->readings);
    free(p);
}

/* ---- questions ---- */

void poll_watch(struct poll *p, bool is_on)
{
    for (size_t i = 0; i < p->opt.buses_n; i++)
        bus_watch(p->lines[i].bus, is_on);
}

void poll_counters_get(const struct poll *p, uint32_t device, struct poll_counters *ret)
{
    const struct device *d = &p->devices[device];

    *ret = d->counters;
    ret->answer_ms_mean =
        d->counters.answers ? (int64_t)(d->answer_ms_sum / d->counters.answers) : 0;
}

enum device_state poll_device_state(const struct poll *p, uint32_t device)
{
    const struct device *d = &p->devices[device];

    if (!d->conf->is_enabled)
        return DEVICE_DISABLED;
    if (d->health.is_silent)
        return DEVICE_SILENT;
    return d->health.is_online ? DEVICE_ONLINE : DEVICE_WAITING;
}

void poll_jitter_get(const struct poll *p, struct poll_jitter *ret)
{
    const struct jitter *j = &p->jitter;
    double n = j->n ? (double)j->n : 1, mean = j->sum_us / n;
    double variance = j->square_us / n - mean * mean;

    *ret = (struct poll_jitter){ mean, variance > 0 ? sqrt(variance) : 0, j->max_us };
}
