/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errands - commands on their lines: ahead of scans, between two transactions, one for a device
 * at a time. While one rests the line is free for others.
 */
#include <errno.h>
#include <stdlib.h>

#include "gateway/poll/errand.h"
#include "gateway/poll/internal.h"

struct errand_job {
    struct errand_job *next;
    struct device *device;
    struct errand errand;
    int64_t due_ms; /* real: not to be sent before */
    bool is_new;
    void (*on_done)(void *user, const struct errand_result *r);
    void *user;
};

static struct served *line_of(const struct poll *p, const struct errand_job *j)
{
    return &p->buses[j->device->conf->bus];
}

static int64_t due_ms(const struct errand_job *j)
{
    return j->due_ms > j->device->quiet_until_ms ? j->due_ms : j->device->quiet_until_ms;
}

int64_t errands_due_ms(const struct poll *p)
{
    int64_t first_ms = INT64_MAX;
    int64_t now_ms = p->errands ? mono_ms() : 0;

    for (const struct errand_job *j = p->errands; j; j = j->next) {
        bool has_turn = line_of(p, j)->line.asked && due_ms(j) <= now_ms; /* with the reply */
        if (!has_turn && due_ms(j) < first_ms)
            first_ms = due_ms(j);
    }
    return first_ms;
}

static void unlink_job(struct poll *p, const struct errand_job *j)
{
    struct errand_job **at = &p->errands;

    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
}

static void finish(struct poll *p, struct errand_job *j)
{
    unlink_job(p, j);
    j->on_done(j->user, &j->errand.result);
    free(j);
}

static void go_on(struct poll *p, struct errand_job *j, enum errand_next next)
{
    if (next == ERRAND_END) {
        finish(p, j);
        return;
    }
    j->due_ms = next == ERRAND_REST ? mono_ms() + j->errand.rest_ms : 0;
    poll_arm(p);
}

/* Its rest is over: whether it has a request to send. */
static bool is_ready(struct poll *p, struct errand_job *j)
{
    if (!j->is_new && j->due_ms == 0)
        return true;
    j->is_new = false;
    j->due_ms = 0;
    enum errand_next next = errand_next(&j->errand);
    if (next != ERRAND_ASK)
        go_on(p, j, next);
    return next == ERRAND_ASK;
}

static bool send_job(struct served *b, struct errand_job *j)
{
    struct bus_request r = errand_ask(&j->errand);

    b->line.asked = j->device;
    b->line.asked_us = uv_hrtime() / 1000;
    b->errand = j;
    if (b->is_up && bus_send(b->bus, &r) == 0)
        return true;
    b->line.asked = NULL;
    b->errand = NULL;
    errand_break(&j->errand, ERRAND_NO_LINK, false);
    finish(b->poll, j);
    return false;
}

bool errands_send(struct served *b)
{
    struct poll *p = b->poll;
    struct errand_job *next;
    int64_t now_ms = p->errands ? mono_ms() : 0;

    for (struct errand_job *j = p->errands; j; j = next) {
        next = j->next;
        if (line_of(p, j) == b && due_ms(j) <= now_ms && is_ready(p, j) && send_job(b, j))
            return true;
    }
    return false;
}

static bool has_due(const struct served *b, int64_t now_ms)
{
    for (const struct errand_job *j = b->poll->errands; j; j = j->next) {
        if (line_of(b->poll, j) == b && due_ms(j) <= now_ms)
            return true;
    }
    return false;
}

/* Serving a line may end any of its errands, so it goes by lines. */
void errands_wake(struct poll *p)
{
    int64_t now_ms = p->errands ? mono_ms() : 0;

    for (size_t i = 0; p->errands && i < p->opt.buses_n; i++) {
        if (has_due(&p->buses[i], now_ms))
            poll_serve(&p->buses[i]);
    }
}

void errands_take(struct served *b, const struct bus_reply *r)
{
    struct errand_job *j = b->errand;

    b->errand = NULL;
    go_on(b->poll, j, errand_take(&j->errand, r));
}

int poll_command(struct poll *p, uint32_t device, const struct command_plan *plan,
                 void (*on_done)(void *user, const struct errand_result *r), void *user)
{
    struct device *d = &p->devices[device];
    struct errand_job **last = &p->errands;

    if (!d->conf->is_enabled || p->is_stopping ||
        p->opt.buses[d->conf->bus].place.type == BUS_NONE)
        return -ENODEV;
    for (; *last; last = &(*last)->next) {
        if ((*last)->device == d)
            return -EBUSY;
    }
    struct errand_job *j = calloc(1, sizeof *j);
    if (!j)
        return -ENOMEM;
    int rc = errand_begin(&j->errand, plan, d->conf->unit, d->profile->read_pause_ms,
                          device_timeout_ms(d));
    if (rc != 0) {
        free(j);
        return rc;
    }
    j->device = d;
    j->is_new = true;
    j->due_ms = mono_ms(); /* from the wake-up: on_done never comes from inside here */
    j->on_done = on_done;
    j->user = user;
    *last = j;
    poll_arm(p);
    return 0;
}

void errands_stop(struct poll *p)
{
    while (p->errands) {
        struct errand_job *j = p->errands;
        errand_break(&j->errand, ERRAND_STOPPED, line_of(p, j)->errand == j);
        p->errands = j->next;
        j->on_done(j->user, &j->errand.result);
        j->next = p->over;
        p->over = j;
    }
}

void errands_free(struct poll *p)
{
    while (p->over) {
        struct errand_job *j = p->over;
        p->over = j->next;
        free(j);
    }
}
