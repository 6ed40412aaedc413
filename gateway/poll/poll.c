/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll - schedule, lines and devices put together on the main loop.
 *
 *   timer -> due devices -> queue of their line -> bus -> device_take -> on_scan
 *
 * One timer wakes for all: for slots (station time) and for devices that rest between two
 * requests (real time). Who is next on a line is up to gateway/poll/line.
 */
#include "gateway/poll/poll.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/poll/internal.h"

enum {
    SHARE_MS = 2, /* real: polls due so soon join this wake-up */
    DAY_MS = 86400000,
};

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
    int64_t errand_ms = errands_due_ms(p);
    return errand_ms < wake_ms ? errand_ms : wake_ms;
}

void poll_arm(struct poll *p)
{
    int64_t now_ms = mono_ms(), wake_ms = next_wake_ms(p, now_ms);

    if (p->is_stopping || wake_ms == INT64_MAX || (p->armed_ms && p->armed_ms <= wake_ms))
        return;
    wake_at(&p->wake, wake_ms);
    p->armed_ms = wake_ms;
}

/* ---- scans ---- */

static void plan_next(struct poll *p, struct device *d)
{
    const struct line *l = &p->buses[d->conf->bus].line;
    int64_t interval_ms = d->conf->interval_ms, wait_ms = 0;

    if (d->health.is_silent)
        wait_ms = health_wait(&d->health, interval_ms, l->devices_n == 1) - interval_ms;
    else if (schedule_has(&p->slots, d->number))
        return;
    schedule_put(
        &p->slots, d->number,
        schedule_slot(p->origin_ms, interval_ms, clock_mono_ms(p->opt.clock) + wait_ms + 1));
    poll_arm(p);
}

/* Into the queue of its line. */
static void begin_scan(struct poll *p, struct device *d, int64_t slot_ms, int64_t now_ms)
{
    struct served *b = &p->buses[d->conf->bus];

    device_begin(d, slot_ms, now_ms, clock_wall_ms(p->opt.clock));
    d->boot_ms = clock_boot_ms(p->opt.clock);
    d->is_slow = d->is_slow || line_is_too_slow(&b->line, d, p->opt.clock);
    if (d->quiet_until_ms > 0 && d->quiet_until_ms > mono_ms())
        schedule_put(&p->rests, d->number, d->quiet_until_ms);
    else
        line_put(&b->line, d, now_ms);
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
                                    .boot_ms = d->boot_ms,
                                    .start_ms = d->start_ms,
                                    .outcome = outcome,
                                    .readings = p->readings,
                                    .n = d->conf->profile->points_n,
                                });
    tell_state(p, d, change, outcome);
    if (d->missed_ms == 0)
        return;
    if (device_is_in_trouble(d))
        d->counters.skipped++;
    else
        begin_scan(p, d, d->missed_ms, clock_mono_ms(p->opt.clock));
    d->missed_ms = 0;
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

static void tell_variant(const struct device *d)
{
    const char *variant = d->profile->variant;

    log_info("device %s is %s%s%s by what it says of itself device=%s profile=%s", d->conf->id,
             variant ? "the variant " : "none of the variants", variant ? variant : "",
             variant ? "" : " of its profile", d->conf->id, d->conf->profile->id);
}

/* Real time since a slot; real_us: now. */
static int64_t late_us(const struct poll *p, int64_t slot_ms, uint64_t real_us)
{
    const struct clock *c = p->opt.clock;

    if (c->speed == 1)
        return (int64_t)real_us - slot_ms * 1000;
    return (int64_t)((double)(clock_mono_ms(c) - slot_ms) * 1000 / c->speed);
}

/* A device that goes behind others has no steady interval to keep. */
static void note_interval(struct poll *p, struct device *d, uint64_t real_us)
{
    int64_t us = late_us(p, d->slot_ms, real_us);

    if (d->has_sent && !d->is_slow)
        jitter_note_interval(&p->jitter, us - d->sent_us);
    d->is_asked = true;
    d->has_sent = !d->is_slow;
    d->sent_us = us;
}

/* Sends the request at hand. False: the link is down and the scan is over. */
static bool ask(struct served *b, struct device *d, int64_t timeout_ms)
{
    struct poll *p = b->poll;
    struct bus_request r = device_ask(d);

    if (timeout_ms < r.timeout_ms)
        r.timeout_ms = timeout_ms;
    b->line.asked = d;
    b->line.asked_us = uv_hrtime() / 1000;
    if (!d->is_asked)
        note_interval(p, d, b->line.asked_us);
    if (bus_send(b->bus, &r) == 0)
        return true;
    b->line.asked = NULL;
    device_lost(d, clock_wall_ms(p->opt.clock));
    d->boot_ms = clock_boot_ms(p->opt.clock);
    end_scan(p, d);
    return false;
}

static void enqueue(struct served *b, struct device *d)
{
    line_put(&b->line, d, d->is_slow ? clock_mono_ms(b->poll->opt.clock) : 0);
}

void poll_serve(struct served *b)
{
    struct poll *p = b->poll;
    int64_t timeout_ms;

    while (!p->is_stopping && !b->line.asked && !errands_send(b)) {
        int64_t now_ms = b->line.slow.head ? clock_mono_ms(p->opt.clock) : 0;
        struct device *d = line_take(&b->line, &p->slots, p->opt.clock, now_ms, &timeout_ms);
        if (!d || ask(b, d, timeout_ms))
            break;
    }
}

static void rest(struct poll *p, struct device *d)
{
    schedule_put(&p->rests, d->number, mono_ms() + d->rest_ms);
    poll_arm(p);
}

static enum device_step take_reply(struct device *d, const struct bus_reply *r)
{
    struct plan_piece left_out;
    const struct profile *was = d->profile;
    bool was_chosen = d->is_chosen;
    enum device_step step = device_take(d, r, d->slot_ms, &left_out);

    if (left_out.count)
        tell_left_out(d, &left_out);
    if (d->profile != was || d->is_chosen != was_chosen)
        tell_variant(d);
    return step;
}

static void on_reply(void *user, const struct bus_reply *r)
{
    struct served *b = user;
    struct poll *p = b->poll;
    struct device *d = b->line.asked;

    b->line.asked = NULL;
    b->line.busy_us += uv_hrtime() / 1000 - b->line.asked_us;
    b->line.requests++;
    if (r->quiet_ms > 0)
        d->quiet_until_ms = mono_ms() + r->quiet_ms;
    if (b->errand) {
        errands_take(b, r);
        poll_serve(b);
        return;
    }
    enum device_step step = take_reply(d, r);
    if (step == DEVICE_REST)
        rest(p, d);
    else if (step == DEVICE_DONE)
        end_scan(p, d);
    else if (d->is_slow)
        enqueue(b, d);
    else
        ask(b, d, INT64_MAX);
    poll_serve(b);
}

static void on_late(void *user, uint8_t unit, int64_t took_ms)
{
    struct served *b = user;

    for (struct device *d = b->line.devices; d; d = d->sibling) {
        if (d->conf->unit == unit)
            device_late(d, took_ms);
    }
}

/* A link that is back: its silent devices are worth asking at their next slot. */
static void on_link(void *user, bool is_up)
{
    struct served *b = user;
    struct poll *p = b->poll;
    int64_t now_ms = clock_mono_ms(p->opt.clock);

    b->is_up = is_up;
    for (struct device *d = is_up ? b->line.devices : NULL; d; d = d->sibling) {
        if (!d->health.is_silent)
            continue;
        health_hope(&d->health);
        if (!d->is_scanning)
            schedule_put(&p->slots, d->number,
                         schedule_slot(p->origin_ms, d->conf->interval_ms, now_ms + 1));
    }
    poll_arm(p);
}

/* A slot that comes while the scan before still runs is made up for once that has ended; later
 * ones replace it. */
static void miss(struct device *d, int64_t slot_ms)
{
    d->counters.skipped += d->missed_ms != 0;
    d->missed_ms = slot_ms;
}

/* real_us: now, of this wake-up. */
static void start_scan(struct poll *p, struct device *d, int64_t slot_ms, int64_t now_ms,
                       uint64_t real_us)
{
    int64_t interval_ms = d->conf->interval_ms;
    int64_t from_ms = slot_ms + 1 > now_ms - interval_ms ? slot_ms + 1 : now_ms + 1;
    int64_t next_ms = schedule_slot(p->origin_ms, interval_ms, from_ms);

    d->counters.skipped += (uint64_t)((next_ms - slot_ms) / interval_ms - 1);
    if (d->is_scanning || !d->health.is_silent)
        schedule_put(&p->slots, d->number, next_ms);
    if (d->is_scanning) {
        miss(d, slot_ms);
        return;
    }
    jitter_note_slot(&p->jitter, late_us(p, slot_ms, real_us));
    begin_scan(p, d, slot_ms, now_ms);
    poll_serve(&p->buses[d->conf->bus]);
}

static void end_rests(struct poll *p)
{
    struct schedule_entry e;
    int64_t now_ms = mono_ms();

    while (schedule_pop(&p->rests, now_ms, &e)) {
        struct device *d = &p->devices[e.id];
        enqueue(&p->buses[d->conf->bus], d);
        poll_serve(&p->buses[d->conf->bus]);
    }
}

static void on_wake(void *user)
{
    struct poll *p = user;
    struct schedule_entry e;
    int64_t now_ms = clock_mono_ms(p->opt.clock);
    int64_t share_ms = (int64_t)(SHARE_MS * p->opt.clock->speed);
    uint64_t real_us = uv_hrtime() / 1000;

    p->armed_ms = 0;
    errands_wake(p);
    end_rests(p);
    while (!p->is_stopping && schedule_pop(&p->slots, now_ms + share_ms, &e))
        start_scan(p, &p->devices[e.id], e.due_ms, now_ms, real_us);
    poll_arm(p);
}

/* ---- life ---- */

static void on_frame(void *user, const struct bus_frame *f)
{
    const struct served *b = user;
    struct poll *p = b->poll;

    p->opt.on_frame(p->opt.user, (uint32_t)(b - p->buses), f);
}

static int open_bus(struct poll *p, const struct poll_bus *conf, struct served *b)
{
    const struct bus_events on = { on_reply, on_late, on_link,
                                   p->opt.on_frame ? on_frame : NULL, b };

    struct bus_place place = conf->place;

    b->poll = p;
    place.channel = p->radios.channel[conf - p->opt.buses];
    load_line_of(&place, &b->line.load);
    return bus_create(p->opt.loop, p->opt.clock, &place, &on, &b->bus);
}

static int init_devices(struct poll *p)
{
    size_t points_max = 1;
    int rc = 0;

    for (size_t i = 0; i < p->opt.devices_n && rc == 0; i++) {
        const struct poll_device *conf = &p->opt.devices[i];
        if (conf->bus >= p->opt.buses_n || conf->interval_ms <= 0)
            return -EINVAL;
        if (p->opt.buses[conf->bus].place.type == BUS_NONE) { /* nothing to plan */
            p->devices[i] = (struct device){ .conf = conf,
                                             .number = (uint32_t)i,
                                             .profile = conf->profile };
            continue;
        }
        struct line *l = &p->buses[conf->bus].line;
        rc = device_init(&p->devices[i], conf, (uint32_t)i);
        if (rc == 0)
            line_add(l, &p->devices[i]);
        if (conf->profile->points_n > points_max)
            points_max = conf->profile->points_n;
    }
    p->readings = calloc(points_max, sizeof p->readings[0]);
    return rc == 0 && !p->readings ? -ENOMEM : rc;
}

static int init(struct poll *p)
{
    int rc = radios_init(&p->radios, p->opt.loop, p->opt.buses, p->opt.buses_n);

    for (size_t i = 0; i < p->opt.buses_n && rc == 0; i++)
        rc = open_bus(p, &p->opt.buses[i], &p->buses[i]);
    if (rc == 0)
        rc = init_devices(p);
    if (rc == 0)
        rc = wake_init(p->opt.loop, &p->wake, on_wake, p);
    return rc;
}

int poll_create(const struct poll_options *o, struct poll **ret)
{
    struct poll *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    p->opt = *o;
    p->buses = calloc(o->buses_n + 1, sizeof p->buses[0]);
    p->devices = calloc(o->devices_n + 1, sizeof p->devices[0]);
    int rc = p->buses && p->devices ? schedule_init(&p->slots, o->devices_n) : -ENOMEM;
    if (rc == 0)
        rc = schedule_init(&p->rests, o->devices_n);
    if (rc == 0)
        rc = init(p);
    if (rc != 0) {
        poll_destroy(p);
        return rc;
    }
    p->origin_ms = clock_mono_ms(o->clock) - clock_wall_ms(o->clock) % DAY_MS;
    *ret = p;
    return 0;
}

void poll_start(struct poll *p)
{
    int64_t now_ms = clock_mono_ms(p->opt.clock);

    for (size_t i = 0; i < p->opt.buses_n; i++) {
        const struct served *b = &p->buses[i];
        if (b->line.devices_n && bus_start(b->bus) != 0)
            log_error("bus %s: cannot start its thread", p->opt.buses[i].id);
    }
    for (size_t i = 0; i < p->opt.devices_n; i++) {
        const struct poll_device *conf = &p->opt.devices[i];
        if (conf->is_enabled && p->opt.buses[conf->bus].place.type != BUS_NONE)
            schedule_put(&p->slots, (uint32_t)i,
                         schedule_slot(p->origin_ms, conf->interval_ms, now_ms));
    }
    poll_arm(p);
}

static void on_part_closed(void *user)
{
    struct poll *p = user;

    if (--p->open == 0)
        p->on_closed(p->closed_user);
}

void poll_stop(struct poll *p, void (*on_closed)(void *user), void *user)
{
    p->is_stopping = true;
    errands_stop(p);
    p->on_closed = on_closed;
    p->closed_user = user;
    p->open = p->opt.buses_n + 1;
    p->open += radios_close(&p->radios, on_part_closed, p);
    wake_close(&p->wake, on_part_closed);
    for (size_t i = 0; i < p->opt.buses_n; i++)
        bus_stop(p->buses[i].bus, on_part_closed, p);
}

void poll_destroy(struct poll *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->opt.buses_n && p->buses; i++)
        bus_destroy(p->buses[i].bus);
    radios_done(&p->radios);
    errands_free(p);
    for (size_t i = 0; i < p->opt.devices_n && p->devices; i++)
        device_done(&p->devices[i]);
    schedule_done(&p->slots);
    schedule_done(&p->rests);
    free(p->buses);
    free(p->devices);
    free(p->readings);
    free(p);
}

/* ---- questions ---- */

void poll_watch(struct poll *p, bool is_on)
{
    for (size_t i = 0; i < p->opt.buses_n; i++)
        bus_watch(p->buses[i].bus, is_on);
}

void poll_counters_get(const struct poll *p, uint32_t device, struct poll_counters *ret)
{
    const struct device *d = &p->devices[device];

    *ret = d->counters;
    ret->answer_ms_mean =
        d->counters.answers ? (int64_t)(d->answer_ms_sum / d->counters.answers) : 0;
}

const struct profile *poll_device_profile(const struct poll *p, uint32_t device)
{
    const struct device *d = &p->devices[device];

    return d->conf->profile->variants_n > 0 && !d->is_chosen ? NULL : d->profile;
}

void poll_device_mode(struct poll *p, uint32_t device, struct verdict v, int64_t until_ms)
{
    p->devices[device].mode = v;
    p->devices[device].mode_until_ms = until_ms;
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
    jitter_get(&p->jitter, ret);
}

void poll_bus_load_get(const struct poll *p, uint32_t bus, struct poll_bus_load *ret)
{
    const struct line *l = &p->buses[bus].line;

    *ret = (struct poll_bus_load){ l->busy_us, l->requests };
}
