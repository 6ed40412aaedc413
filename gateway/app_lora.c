/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app_lora.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

enum { TEXT_SIZE = 256 };

void app_lora_init(struct app_lora *a)
{
    pthread_mutex_init(&a->lock, NULL);
}

void app_lora_done(struct app_lora *a)
{
    pthread_mutex_destroy(&a->lock);
}

/* ---- from gateway/lora ---- */

static int on_scan(void *user, const struct scan *s)
{
    const struct app_lora *a = user;

    return pipeline_scan(a->pipeline, s);
}

static int64_t newest_ms(void *user, uint32_t number)
{
    const struct app_lora *a = user;

    return pipeline_newest_ms(a->pipeline, number);
}

static bool is_time_believed(void *user)
{
    const struct app_lora *a = user;

    return !a->timeline || !timeline_is_doubtful(a->timeline);
}

static void on_notice(void *user, const char *what, const char *subject, const char *en,
                      const char *zh, const char *details)
{
    const struct app_lora *a = user;

    pipeline_notice(a->pipeline, clock_wall_ms(a->clock), what, subject, en, zh, details);
}

static void on_state(void *user, uint32_t number, enum lora_state state)
{
    struct app_lora *a = user;
    const char *id = a->table->device[number].id;
    char en[TEXT_SIZE], zh[TEXT_SIZE];
    bool was_silent = view_lora_state(a->view, number, state);

    if (state == LORA_SILENT) {
        snprintf(en, sizeof en, "Device %s is silent: no uplink for three of its intervals.",
                 id);
        snprintf(zh, sizeof zh, "设备 %s 失联：已有三个上报周期没有上行数据。", id);
        log_notice("device %s is silent: no uplink for three of its intervals", id);
        on_notice(a, "device_silent", id, en, zh, NULL);
    } else if (state == LORA_ONLINE && was_silent) {
        snprintf(en, sizeof en, "Device %s is heard again.", id);
        snprintf(zh, sizeof zh, "设备 %s 恢复上报。", id);
        log_notice("device %s is heard again", id);
        on_notice(a, "device_back", id, en, zh, NULL);
    }
}

static void on_frame(void *user, uint32_t bus, const char *device, const uint8_t *phy, size_t n,
                     int64_t time_ms, const char *fate)
{
    const struct app_lora *a = user;

    control_put_frame(a->control, &(struct control_frame){ .bus = a->table->lora_bus[bus].id,
                                                           .device = device,
                                                           .framing = "lorawan",
                                                           .fate = fate,
                                                           .time_ms = time_ms,
                                                           .since_us = -1,
                                                           .bytes = phy,
                                                           .n = n });
}

/* ---- life ---- */

static bool has_bus(const struct table *t)
{
    for (size_t i = 0; i < t->config->buses.n; i++)
        if (t->lora_bus[i].kind != LORA_NONE)
            return true;
    return false;
}

static void set_committed_for(struct app_lora *a, struct lora *l)
{
    pthread_mutex_lock(&a->lock);
    a->committed_for = l;
    pthread_mutex_unlock(&a->lock);
}

/* Where there is no LoRa, as after a start that failed, nobody answers. */
static int refuse_frame(void *user, const uint8_t *frame, size_t n, int64_t reply_ms)
{
    (void)user, (void)frame, (void)n, (void)reply_ms;
    return -ENOTCONN;
}

static void hear_nothing(void *user, void (*on_bytes)(void *to, const uint8_t *bytes, size_t n),
                         void *to)
{
    (void)user, (void)on_bytes, (void)to;
}

static const struct bus_carrier no_carrier = { refuse_frame, hear_nothing, NULL };

static struct lora_bridge_conf bridge_of(const struct bus_bridge_conf *c)
{
    struct lora_bridge_conf b = { .device = c->device,
                                  .fport = (uint8_t)c->fport,
                                  .strip = (size_t)c->strip };
    unsigned x;

    for (const char *at = c->prefix ? c->prefix : ""; sscanf(at, "%2x", &x) == 1; at += 2)
        b.prefix[b.prefix_n++] = (uint8_t)x; /* at most 16: checked */
    return b;
}

/* Before the poller begins: it asks through them. */
static void give_carriers(struct app_lora *a)
{
    const struct bus_conf *buses = a->table->config->buses.items;

    for (size_t i = 0; i < a->table->config->buses.n; i++) {
        const struct bus_bridge_conf *c = lora_bridge_of(&buses[i]);
        if (!c)
            continue;
        const struct lora_bridge_conf b = bridge_of(c);
        const struct bus_carrier *carrier = a->lora ? lora_carrier(a->lora, &b) : NULL;
        a->table->bus[i].place.carrier = carrier ? carrier : &no_carrier;
    }
}

int app_lora_start(struct app_lora *a, uv_loop_t *loop, struct store *store)
{
    const struct lora_options o = {
        .loop = loop,
        .clock = a->clock,
        .store = store,
        .buses = a->table->lora_bus,
        .buses_n = a->table->config->buses.n,
        .devices = a->table->lora_device,
        .devices_n = a->table->lora_devices_n,
        .is_time_believed = is_time_believed,
        .on_scan = on_scan,
        .newest_ms = newest_ms,
        .on_state = on_state,
        .on_notice = on_notice,
        .on_frame = on_frame,
        .user = a,
    };
    char error[TEXT_SIZE] = "";
    struct lora *l;

    int rc = has_bus(a->table) ? lora_create(&o, &l, error, sizeof error) : -ENODEV;
    if (rc == 0) {
        a->lora = l;
        set_committed_for(a, l);
        lora_watch(l, control_is_watched(a->control)); /* since before a reload */
    } else if (rc != -ENODEV) {
        log_error("%s", error[0] ? error : strerror(-rc));
    }
    give_carriers(a);
    return rc == -ENODEV ? 0 : rc;
}

void app_lora_stop(struct app_lora *a, void (*on_closed)(void *user), void *user)
{
    if (!a->lora) {
        on_closed(user);
        return;
    }
    set_committed_for(a, NULL);
    a->is_stopped = true;
    lora_stop(a->lora, on_closed, user);
}

static void destroy_closed(void *user)
{
    lora_destroy(user);
}

void app_lora_destroy(struct app_lora *a)
{
    if (!a->lora)
        return;
    set_committed_for(a, NULL);
    if (a->is_stopped)
        lora_destroy(a->lora);
    else /* what was to start behind it could not */
        lora_stop(a->lora, destroy_closed, a->lora);
    a->lora = NULL;
    a->is_stopped = false;
}

void app_lora_committed(struct app_lora *a, uint64_t batches)
{
    pthread_mutex_lock(&a->lock);
    if (a->committed_for)
        lora_committed(a->committed_for, batches);
    pthread_mutex_unlock(&a->lock);
}

void app_lora_tick(struct app_lora *a)
{
    if (!a->lora)
        return;
    lora_tick(a->lora, clock_wall_ms(a->clock));
    view_put_lora(a->view, a->lora);
}

void app_lora_watch(struct app_lora *a, bool is_on)
{
    if (a->lora)
        lora_watch(a->lora, is_on);
}

static void on_request(void *user, uint64_t ticket, const char *json, const char *who)
{
    struct app_lora *a = user;
    char *answer = a->lora ? lora_request(a->lora, json, who) : NULL;

    control_answer(a->control, ticket,
                   answer ? answer
                          : "{\"ok\":false,\"text\":{\"en\":\"The station has no LoRa bus.\","
                            "\"zh\":\"本站没有 LoRa 总线。\"}}");
    free(answer);
}

void app_lora_listen(struct app_lora *a, struct control *control)
{
    a->control = control;
    control_take(control, "lora", on_request, a);
}
