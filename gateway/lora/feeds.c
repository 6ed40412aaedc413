/* SPDX-License-Identifier: Apache-2.0 */
/* One bus whose devices are served by a LoRaWAN network server elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/lora/internal.h"

#define PREFIX "lora.seen/"

enum {
    KEY_SIZE = 48,
    AHEAD_MAX_MS = 2000, /* a server's clock may be that far ahead of the station's */
    BATTERY_FULL = 254,  /* of a device's status, as LoRaWAN counts */
    BATTERY_UNKNOWN = 255,
};

/* A server that stamps an uplink so long before its arrival has a wrong clock, or kept it
 * beyond any use. */
#define PAST_MAX_MS (31 * INT64_C(86400000))

static int device_of(const struct lora_side *s, uint64_t dev_eui)
{
    const struct lora *l = s->lora;

    for (size_t i = 0; i < l->o.devices_n; i++)
        if (l->o.devices[i].bus == s->bus && l->o.devices[i].network.dev_eui == dev_eui)
            return (int)i;
    return -1;
}

/* The server received it then; without a time that can be true, it is that of its arrival. */
static int64_t time_of(const struct lora *l, const struct feed_message *m)
{
    int64_t age_ms = clock_boot_ms(l->o.clock) - m->boot_ms;
    int64_t arrived_ms = clock_wall_ms(l->o.clock) - age_ms;

    if (m->time_ms == INT64_MIN || !l->o.is_time_believed(l->o.user) ||
        m->time_ms > arrived_ms + AHEAD_MAX_MS || m->time_ms < arrived_ms - PAST_MAX_MS)
        return arrived_ms;
    return m->time_ms < arrived_ms ? m->time_ms : arrived_ms;
}

static void note_link(struct lora_seen *seen, const struct feed_message *m,
                      const struct seen_found *found)
{
    struct network_device_state *n = &seen->net;

    n->is_joined = true;
    n->dev_addr = m->dev_addr;
    n->heard_ms = m->time_ms;
    n->rssi = m->rssi;
    n->snr = m->snr;
    n->fcnt_up = m->fcnt + 1;
    n->uplinks++;
    n->lost += found->missed;
    snprintf(seen->gateway, sizeof seen->gateway, "%s", m->gateway);
}

static void take_uplink(struct lora_side *s, uint32_t device, struct feed_message *m)
{
    struct lora *l = s->lora;
    const struct seen_found found = seen_take(l->repeats, m);
    uint8_t bytes[SEEN_STATE_MAX];
    char key[KEY_SIZE];

    if (found.answer == SEEN_AGAIN) {
        l->seen[device].net.repeated++;
        return;
    }
    int64_t time_ms = time_of(l, m);
    int64_t now_boot_ms = clock_boot_ms(l->o.clock), now_ms = clock_wall_ms(l->o.clock);
    snprintf(key, sizeof key, PREFIX "%016" PRIx64, m->dev_eui);
    m->time_ms = time_ms;
    const struct scan_state state = { key, bytes, seen_save(l->repeats, m->dev_eui, bytes) };
    const struct lora_message message = {
        .device = device,
        .fcnt = m->fcnt,
        .fport = feed_message_is_measurement(m) ? m->fport : 0,
        .payload = m->payload,
        .n = m->n,
        .boot_ms = now_boot_ms - (now_ms - time_ms),
        .time_ms = time_ms,
        .is_late = time_ms < l->o.newest_ms(l->o.user, l->o.devices[device].number),
        .states = &state,
        .states_n = 1,
        .note = note_feed(l, device, m),
    };
    note_link(&l->seen[device], m, &found);
    state_heard(l, device, time_ms);
    decode_message(l, &message);
}

static void take_status(struct lora_seen *seen, const struct feed_message *m)
{
    if (m->battery == -1)
        seen->net.battery = 0;
    else if (m->battery >= 0)
        seen->net.battery = (m->battery * BATTERY_FULL + 50) / 100;
    else
        seen->net.battery = BATTERY_UNKNOWN;
    seen->net.margin = m->margin;
}

static void take_log(const struct lora *l, uint32_t device, const struct feed_message *m)
{
    const char *id = l->o.devices[device].id;
    char en[FEED_TEXT_MAX + 160], zh[FEED_TEXT_MAX + 160];

    snprintf(en, sizeof en, "The network server says of device %s: %s (%s).", id, m->text,
             m->code);
    snprintf(zh, sizeof zh, "网络服务器报告设备 %s：%s（%s）。", id, m->text, m->code);
    l->o.on_notice(l->o.user, "lora_server", id, en, zh, NULL);
}

static void on_message(void *user, struct feed_message *m)
{
    struct lora_side *s = user;
    struct lora *l = s->lora;
    int device = device_of(s, m->dev_eui);

    free(m->object); /* the station decodes the bytes by itself */
    m->object = NULL;
    if (device < 0 || !l->o.devices[device].is_enabled)
        return;
    if (m->kind == FEED_UPLINK)
        take_uplink(s, (uint32_t)device, m);
    else if (m->kind == FEED_JOIN)
        seen_join(l->repeats, m->dev_eui, m->dev_addr);
    else if (m->kind == FEED_STATUS)
        take_status(&l->seen[device], m);
    else if (m->kind == FEED_LOG)
        take_log(l, (uint32_t)device, m);
}

static void on_state(void *user, bool is_up, const char *why)
{
    const struct lora_side *s = user;

    if (is_up)
        log_info("bus %s: %s", s->lora->o.buses[s->bus].id, why);
    else
        log_warning("bus %s: %s", s->lora->o.buses[s->bus].id, why);
}

/* ---- life ---- */

static int64_t newest_of(const struct lora_side *s)
{
    const struct lora *l = s->lora;
    int64_t newest_ms = 0;

    for (size_t i = 0; i < l->o.devices_n; i++) {
        if (l->o.devices[i].bus != s->bus)
            continue;
        int64_t ms = l->o.newest_ms(l->o.user, l->o.devices[i].number);
        newest_ms = ms > newest_ms ? ms : newest_ms;
    }
    return newest_ms;
}

int feeds_create(struct lora_side *s, char *error, size_t size)
{
    struct lora *l = s->lora;
    const struct feed_options o = {
        .loop = l->o.loop,
        .clock = l->o.clock,
        .conf = &l->o.buses[s->bus].feed,
        .since_ms = newest_of(s),
        .on_message = on_message,
        .on_state = on_state,
        .user = s,
    };
    int rc = l->repeats ? 0 : seen_create(&l->repeats);

    for (size_t i = 0; i < l->o.devices_n; i++)
        l->seen[i].net.battery = -1;
    if (rc == 0)
        rc = feed_start(&o, &s->feed);
    if (rc < 0)
        snprintf(error, size, "The network server of bus %s cannot be followed: %s.",
                 l->o.buses[s->bus].id, strerror(-rc));
    return rc;
}

static void on_seen(void *user, const char *key, const void *data, size_t size)
{
    struct lora *l = user;
    uint64_t dev_eui = strtoull(key + strlen(PREFIX), NULL, 16);

    if (seen_restore(l->repeats, dev_eui, data, size) == -EBADMSG)
        log_warning(
            "what the log has of LoRa uplinks seen (%s) is damaged: a repetition may be "
            "taken for new",
            key);
}

int feeds_take_up(struct lora *l)
{
    return l->repeats ? store_state_each(l->o.store, PREFIX, on_seen, l) : 0;
}

void feeds_stop(struct lora_side *s)
{
    if (!s->feed)
        return;
    s->lora->open++;
    feed_stop(s->feed, lora_part_closed, s->lora);
}

void feeds_destroy(struct lora_side *s)
{
    feed_destroy(s->feed);
}
