/* SPDX-License-Identifier: Apache-2.0 */
/* One bus of concentrators, and the network server behind them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/lora/internal.h"

static const struct lora_bus *bus_of(const struct lora_side *s)
{
    return &s->lora->o.buses[s->bus];
}

static struct scan_state state_of(const struct network_keep *k)
{
    return (struct scan_state){ k->key, k->data, k->size };
}

static void show_frame(const struct lora_side *s, const char *device, const uint8_t *phy,
                       size_t n, int64_t time_ms, const char *fate)
{
    const struct lora *l = s->lora;

    if (l->is_watched && l->o.on_frame)
        l->o.on_frame(l->o.user, s->bus, device, phy, n, time_ms, fate);
}

/* ---- from the network ---- */

static void on_uplink(void *user, const struct network_uplink *u)
{
    struct lora_side *s = user;
    struct lora *l = s->lora;
    const struct scan_state state = state_of(&u->keep);
    const uint32_t device = s->device_of[u->device];
    const uint8_t fport = u->fport > 0 ? (uint8_t)u->fport : 0;
    const bool is_answer = fport && bridge_take(l, device, fport, u->payload, u->payload_n);
    const struct lora_message m = {
        .device = device,
        .fcnt = u->fcnt,
        .fport = is_answer ? 0 : fport,
        .payload = u->payload,
        .n = u->payload_n,
        .boot_ms = u->rx->boot_ms,
        .time_ms = u->rx->time_ms,
        .is_urgent = u->is_answered,
        .states = &state,
        .states_n = 1,
        .note = note_uplink(l, s, u),
    };

    show_frame(s, l->o.devices[device].id, u->rx->phy, u->rx->n, u->rx->time_ms, "taken");
    state_heard(l, m.device, u->rx->time_ms);
    if (decode_message(l, &m) == 0 && u->is_answered)
        lora_wait_for_commit(l, s->bus, u->keep.ticket);
}

/* State alone: a row without readings. */
static int keep(struct lora_side *s, uint32_t device, const struct network_keep *k,
                const char *note)
{
    struct lora *l = s->lora;
    const struct scan_state state = state_of(k);
    const struct scan scan = { .device = l->o.devices[s->device_of[device]].number,
                               .time_ms = clock_wall_ms(l->o.clock),
                               .boot_ms = clock_boot_ms(l->o.clock),
                               .states = &state,
                               .states_n = 1,
                               .note = note,
                               .is_urgent = k->ticket != 0 };
    int rc = l->o.on_scan(l->o.user, &scan);

    if (rc == 0 && k->ticket)
        lora_wait_for_commit(l, s->bus, k->ticket);
    return rc;
}

static void on_keep(void *user, uint32_t device, const struct network_keep *k)
{
    keep(user, device, k, NULL);
}

static void on_join(void *user, uint32_t device, const struct network_keep *k)
{
    struct lora_side *s = user;
    const char *id = s->lora->o.devices[s->device_of[device]].id;
    char en[160], zh[160];

    keep(s, device, k, NULL);
    snprintf(en, sizeof en, "Device %s joined the LoRa network of bus %s.", id, bus_of(s)->id);
    snprintf(zh, sizeof zh, "设备 %s 已加入总线 %s 的 LoRa 网络。", id, bus_of(s)->id);
    s->lora->o.on_notice(s->lora->o.user, "lora_joined", id, en, zh, NULL);
}

/* Frames that might be genuine are kept: after a restore their readings can still be made. */
static void on_refused(void *user, uint32_t device, enum network_refusal why,
                       const struct radio_rx *rx, const struct frame *f)
{
    struct lora_side *s = user;
    struct lora *l = s->lora;
    const char *id = device == UINT32_MAX ? NULL : l->o.devices[s->device_of[device]].id;

    (void)f;
    show_frame(s, id, rx->phy, rx->n, rx->time_ms, network_refusal_id(why));
    if (why != NETWORK_DOUBTFUL || !id)
        return;
    const struct scan scan = { .device = l->o.devices[s->device_of[device]].number,
                               .time_ms = rx->time_ms,
                               .boot_ms = rx->boot_ms,
                               .note = note_refused(l, s->device_of[device], why, s, rx) };
    l->o.on_scan(l->o.user, &scan);
}

static void on_transmit(void *user, const struct radio_tx *tx)
{
    struct lora_side *s = user;

    show_frame(s, NULL, tx->phy, tx->n, clock_wall_ms(s->lora->o.clock), "sent");
    if (concentrators_send(s->concentrators, tx) < 0)
        network_result(s->network, tx->id, RADIO_NO_PATH, lora_now_us());
}

/* What became of network_send() of the bridge is told by the answer that comes or does not. */
static void on_sent(void *user, uint32_t device, uint64_t id, int result)
{
    (void)user, (void)device, (void)id, (void)result;
}

static int64_t gps_ms(void *user, int64_t mono_us)
{
    struct lora_side *s = user;
    struct lora *l = s->lora;

    if (!l->o.is_time_believed(l->o.user))
        return INT64_MIN;
    return gps_time_ms(clock_wall_ms(l->o.clock) - (lora_now_us() - mono_us) / 1000);
}

/* ---- from the concentrators ---- */

static void on_rx(void *user, const struct radio_rx *rx)
{
    struct lora_side *s = user;

    network_rx(s->network, rx, lora_now_us());
    lora_arm(s->lora);
}

static void on_result(void *user, uint64_t id, enum radio_result r)
{
    struct lora_side *s = user;

    network_result(s->network, id, r, lora_now_us());
    lora_arm(s->lora);
}

static void tell_state(const struct lora_side *s, uint32_t g, enum concentrator_state state,
                       bool is_restart)
{
    const char *id = bus_of(s)->concentrators[g].id;
    const struct lora_options *o = &s->lora->o;
    char en[160], zh[160];

    if (is_restart) {
        snprintf(en, sizeof en, "Concentrator %s started again.", id);
        snprintf(zh, sizeof zh, "集中器 %s 已重新启动。", id);
        o->on_notice(o->user, "concentrator_restarted", id, en, zh, NULL);
    } else if (state == CONCENTRATOR_SILENT) {
        snprintf(en, sizeof en, "Concentrator %s is silent: nothing came for three keepalives.",
                 id);
        snprintf(zh, sizeof zh, "集中器 %s 失联：已有三个保活周期没有消息。", id);
        o->on_notice(o->user, "concentrator_silent", id, en, zh, NULL);
    } else {
        log_info("concentrator %s is there", id);
    }
}

static void on_state(void *user, uint32_t g, enum concentrator_state state, bool is_restart)
{
    struct lora_side *s = user;

    network_gateway_up(s->network, g, state == CONCENTRATOR_UP);
    if (is_restart || state != CONCENTRATOR_UP)
        network_gateway_lost(s->network, g, lora_now_us());
    tell_state(s, g, state, is_restart);
    lora_arm(s->lora);
}

static void on_stranger(void *user, uint64_t eui, const char *why)
{
    const struct lora_side *s = user;

    log_warning("bus %s: packet forwarder %016" PRIx64 " is refused: %s", bus_of(s)->id, eui,
                why);
}

/* ---- life ---- */

static int choose_devices(struct lora_side *s)
{
    struct lora *l = s->lora;

    s->devices = calloc(l->o.devices_n + 1, sizeof *s->devices);
    s->device_of = calloc(l->o.devices_n + 1, sizeof *s->device_of);
    if (!s->devices || !s->device_of)
        return -ENOMEM;
    for (uint32_t i = 0; i < l->o.devices_n; i++) {
        if (l->o.devices[i].bus != s->bus)
            continue;
        l->seen[i].number = (uint32_t)s->devices_n;
        s->device_of[s->devices_n] = i;
        s->devices[s->devices_n++] = l->o.devices[i].network;
    }
    return 0;
}

static bool is_restored(const struct lora *l)
{
    size_t size = 0;
    uint64_t epoch = store_epoch(l->o.store);
    uint64_t *kept = store_state_get(l->o.store, LORA_EPOCH_KEY, &size);
    bool is_other = kept && size == sizeof epoch && memcmp(kept, &epoch, sizeof epoch) != 0;

    free(kept);
    return is_other;
}

static int create_network(struct lora_side *s)
{
    struct network_options o = bus_of(s)->network;
    int rc = choose_devices(s);

    o.gateways = bus_of(s)->gateways;
    o.gateways_n = bus_of(s)->concentrators_n;
    o.devices = s->devices;
    o.devices_n = s->devices_n;
    o.is_restored = is_restored(s->lora);
    o.gps_ms = gps_ms;
    o.on_uplink = on_uplink;
    o.on_join = on_join;
    o.on_keep = on_keep;
    o.on_refused = on_refused;
    o.on_transmit = on_transmit;
    o.on_sent = on_sent;
    o.user = s;
    return rc < 0 ? rc : network_create(&o, &s->network);
}

int udp_create(struct lora_side *s, char *error, size_t size)
{
    const struct lora_bus *bus = bus_of(s);
    int rc = create_network(s);

    if (rc < 0) {
        snprintf(error, size, "The network server of bus %s cannot start: %s.", bus->id,
                 strerror(-rc));
        return rc;
    }
    const struct concentrators_options o = {
        .loop = s->lora->o.loop,
        .clock = s->lora->o.clock,
        .listen = bus->listen,
        .concentrators = bus->concentrators,
        .n = bus->concentrators_n,
        .on_rx = on_rx,
        .on_result = on_result,
        .on_state = on_state,
        .on_stranger = on_stranger,
        .user = s,
    };
    return concentrators_start(&o, &s->concentrators, error, size);
}

void udp_restore(struct lora_side *s, const char *key, const void *data, size_t size)
{
    int rc = network_restore(s->network, key, data, size);

    if (rc == -EINVAL)
        log_warning(
            "bus %s: what the log has of a LoRa session (%s) is damaged: the device has "
            "to join again",
            bus_of(s)->id, key);
}

int64_t udp_due(const struct lora_side *s)
{
    return s->network ? network_due(s->network) : INT64_MAX;
}

void udp_stop(struct lora_side *s)
{
    if (!s->concentrators)
        return;
    s->lora->open++;
    concentrators_stop(s->concentrators, lora_part_closed, s->lora);
}

void udp_destroy(struct lora_side *s)
{
    concentrators_destroy(s->concentrators);
    network_destroy(s->network);
    free(s->devices);
    free(s->device_of);
}
