/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/calibration/calibrations.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/calibration/internal.h"

enum {
    JUMP_MS = 2000, /* of the clock: less is the tick's own delay and slewing */
};

#define CLOCK_FROM INT64_C(946684800000) /* 2000: an earlier clock was never set */

/* ---- services ---- */

static enum qc_service device_service(const struct device_member *d)
{
    if (d->maintenance)
        return QC_MAINTENANCE;
    if (!d->run || d->run->scope == CALIBRATION_SCOPE_CHANNEL)
        return QC_MEASURING;
    return calibration_run_service(&d->run->course) == QC_SETTLING ? QC_SETTLING
                                                                   : QC_CALIBRATION;
}

static void tell_device(struct calibrations *c, uint32_t device, bool is_always)
{
    struct device_member *d = &c->devices[device];
    const enum qc_service now = device_service(d);
    const int64_t until_ms = d->maintenance ? d->maintenance->until_ms : 0;

    if (!is_always && d->told == now && d->until_ms == until_ms)
        return;
    d->told = (uint8_t)now;
    d->until_ms = until_ms;
    c->station.on_service(c->station.user, device, CALIBRATIONS_NO_CHANNEL, now, until_ms);
}

static void tell_channel(struct calibrations *c, uint32_t channel, bool is_always)
{
    struct member *m = &c->members[channel];
    const bool is_ours = m->run && m->run->source != BY_INSTRUMENT;
    const enum qc_service now =
        is_ours ? calibration_run_service(&m->run->course) : QC_MEASURING;

    if (!is_always && m->told == now)
        return;
    m->told = (uint8_t)now;
    c->station.on_service(c->station.user, m->device, (int32_t)channel, now, 0);
}

static void tell_all(struct calibrations *c, uint32_t device, bool is_always)
{
    const struct channel_table *t = c->station.table;

    tell_device(c, device, is_always);
    for (uint32_t i = 0; i < t->n; i++) {
        if (!t->channels[i].statistic && c->members[i].device == device)
            tell_channel(c, i, is_always);
    }
}

void tell_services(struct calibrations *c, uint32_t device)
{
    tell_all(c, device, false);
}

/* ---- finding ---- */

uint32_t device_number(const struct calibrations *c, const char *id)
{
    for (uint32_t i = 0; i < c->station.devices_n; i++) {
        if (strcmp(c->station.devices[i], id) == 0)
            return i;
    }
    return NOWHERE;
}

uint32_t channel_number(const struct calibrations *c, const char *id)
{
    const struct channel_table *t = c->station.table;

    for (uint32_t i = 0; i < t->n; i++) {
        if (!t->channels[i].statistic && strcmp(t->channels[i].id, id) == 0)
            return i;
    }
    return NOWHERE;
}

/* ---- answers ---- */

void answer_now(const struct calibrations_request *q, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_FORM) : NULL;

    q->on_answer(q->user, q->ticket, text ? text : "{\"ok\":false}");
    free(text);
    json_decref(root);
}

void answer_committed(struct calibrations *c, const struct calibrations_request *q,
                      json_t *root)
{
    struct answer_later *a = root ? calloc(1, sizeof *a) : NULL;

    if (!a) {
        answer_now(q, root);
        return;
    }
    a->to = *q;
    a->to.json = a->to.who = NULL;
    a->root = root;
    a->batch = store_submitted(c->store);
    a->until_ms = mono_ms() + CALIBRATIONS_LOG_PATIENCE;
    a->next = c->later;
    c->later = a;
}

static bool answer_if_committed(struct answer_later *a, uint64_t committed, bool is_last)
{
    if (a->batch > committed && mono_ms() < a->until_ms && !is_last)
        return false;
    if (a->batch > committed)
        json_object_set_new(a->root, "log", json_string("late"));
    answer_now(&a->to, a->root);
    free(a);
    return true;
}

static void answer_waiting(struct calibrations *c, bool is_last)
{
    struct answer_later **at = &c->later;
    struct store_health health;

    if (!c->later)
        return;
    store_health_get(c->store, &health);
    while (*at) {
        struct answer_later *a = *at, *next = a->next;
        if (answer_if_committed(a, health.committed.batches, is_last))
            *at = next;
        else
            at = &a->next;
    }
}

/* ---- time ---- */

/* The clock was set: what was begun in this run lasts as long as it was to. */
static void shift(struct calibrations *c, int64_t by_ms)
{
    for (struct run *r = c->runs; r; r = r->next)
        calibration_run_shift(&r->course, by_ms);
    for (struct maintenance *m = c->maintenances; m; m = m->next) {
        if (m->is_restored)
            continue;
        m->since_ms += by_ms;
        m->until_ms += by_ms;
        kept_device(c, m->device_id, m, NULL);
        if (m->device != NOWHERE)
            tell_services(c, m->device);
    }
}

static void look_for_jump(struct calibrations *c, int64_t now_ms, int64_t boot_ms)
{
    const int64_t by_ms = now_ms - boot_ms - c->ahead_ms;

    if (c->has_ticked && (by_ms > JUMP_MS || by_ms < -JUMP_MS))
        shift(c, by_ms);
    c->ahead_ms = now_ms - boot_ms;
    c->has_ticked = true;
}

void calibrations_tick(struct calibrations *c, int64_t now_ms, int64_t boot_ms)
{
    struct run *next;

    if (!c->station.table)
        return;
    look_for_jump(c, now_ms, boot_ms);
    c->now_ms = now_ms;
    for (struct run *r = c->runs; r; r = next) {
        next = r->next;
        run_tick(c, r, now_ms);
    }
    maintenances_tick(c, now_ms);
    if (now_ms >= CLOCK_FROM)
        watch_tick(c, now_ms);
    answer_waiting(c, false);
}

void calibrations_sample(struct calibrations *c, const struct sample *s)
{
    if (c->station.table && !c->station.table->channels[s->channel].statistic)
        watch_sample(c, &c->members[s->channel], s);
}

/* ---- life ---- */

int calibrations_create(struct store *store, struct calibrations **ret)
{
    struct calibrations *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->store = store;
    int rc = kept_open(c);
    if (rc < 0) {
        calibrations_destroy(c);
        return rc;
    }
    *ret = c;
    return 0;
}

/* Channels of a device stand side by side. */
static void find_devices(struct calibrations *c)
{
    const struct channel_table *t = c->station.table;
    uint32_t device = 0;

    for (uint32_t i = 0; i < t->n; i++) {
        if (device == NOWHERE || strcmp(c->station.devices[device], t->channels[i].device) != 0)
            device = device_number(c, t->channels[i].device);
        c->members[i].device = device;
    }
}

static struct calibration_correction correction_of(const json_t *state)
{
    const json_t *pair = json_object_get(state, "correction");
    const double zero = json_number_value(json_array_get(pair, 0)),
                 factor = json_number_value(json_array_get(pair, 1));

    return factor > 0 ? (struct calibration_correction){ zero, factor }
                      : (struct calibration_correction){ 0, 1 };
}

/* A policy that was taken out of the configuration takes its correction with it. */
static void attach_channel(struct calibrations *c, uint32_t i)
{
    const struct calibration_setup *s = &c->station.setups[i];
    struct member *m = &c->members[i];

    m->state = json_object_get(c->states, c->station.table->channels[i].id);
    m->correction = correction_of(s->correct ? m->state : NULL);
    if (m->correction.zero != 0 || m->correction.factor != 1)
        c->station.on_correction(c->station.user, i, &m->correction);
    if (s->plan.n > 0)
        c->planned[c->planned_n++] = i;
}

static void attach_maintenance(struct calibrations *c, struct maintenance *m, int64_t now_ms)
{
    const int64_t most_ms = now_ms + INT64_C(86400000) * MAINTENANCE_MAX_DAYS;

    m->device = device_number(c, m->device_id);
    if (m->device != NOWHERE)
        c->devices[m->device].maintenance = m;
    if (m->until_ms > most_ms && now_ms >= CLOCK_FROM) /* begun by a clock that was wrong */
        m->until_ms = most_ms;
}

int calibrations_attach(struct calibrations *c, const struct calibrations_station *s,
                        int64_t now_ms)
{
    c->members = calloc(s->table->n + 1, sizeof *c->members);
    c->devices = calloc(s->devices_n + 1, sizeof *c->devices);
    c->planned = calloc(s->table->n + 1, sizeof *c->planned);
    c->planned_n = 0;
    if (!c->members || !c->devices || !c->planned) {
        calibrations_detach(c);
        return -ENOMEM;
    }
    c->station = *s;
    c->now_ms = now_ms;
    find_devices(c);
    for (uint32_t i = 0; i < s->table->n; i++) {
        if (!s->table->channels[i].statistic)
            attach_channel(c, i);
    }
    for (struct maintenance *m = c->maintenances; m; m = m->next)
        attach_maintenance(c, m, now_ms);
    runs_attach(c, now_ms);
    for (uint32_t i = 0; i < s->table->n; i++) {
        if (c->members[i].state && !c->members[i].run)
            doubt_tell(c, i);
    }
    for (uint32_t i = 0; i < s->devices_n; i++)
        tell_all(c, i, true);
    return 0;
}

void calibrations_detach(struct calibrations *c)
{
    answer_waiting(c, true);
    for (struct run *r = c->runs; r; r = r->next)
        r->channel = r->device = NOWHERE;
    for (struct maintenance *m = c->maintenances; m; m = m->next)
        m->device = NOWHERE;
    free(c->members);
    free(c->devices);
    free(c->planned);
    c->members = NULL;
    c->devices = NULL;
    c->planned = NULL;
    c->station = (struct calibrations_station){ 0 };
}

void calibrations_destroy(struct calibrations *c)
{
    if (!c)
        return;
    if (c->station.table)
        calibrations_detach(c);
    while (c->runs) {
        struct run *r = c->runs;
        c->runs = r->next;
        run_free(r);
    }
    while (c->maintenances) {
        struct maintenance *m = c->maintenances;
        c->maintenances = m->next;
        free(m);
    }
    json_decref(c->states);
    json_decref(c->ledger);
    free(c);
}
