/* SPDX-License-Identifier: Apache-2.0 */
/* What people ask of the LoRa side: `sluice lora`. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/lora/internal.h"

enum {
    REQUEST_MAX = 4096,
    SEND_PATIENCE_S = 3600, /* a class A device may be heard that much later */
    DOWNLINK_MAX = 242,
    FLOAT_DIGITS = 7, /* as many as a float has */
};

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static void put(json_t *o, const char *key, uint64_t x)
{
    json_object_set_new(o, key, json_integer((json_int_t)x));
}

static json_t *when(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    if (ms == 0)
        return json_null();
    time_print_utc(ms, text);
    return json_string(text);
}

static json_t *hex(uint64_t x, int digits)
{
    char text[17];

    snprintf(text, sizeof text, "%0*" PRIx64, digits, x);
    return json_string(text);
}

static json_t *both(const char *en, const char *zh)
{
    json_t *o = json_object();

    json_object_set_new(o, "en", json_string(en));
    json_object_set_new(o, "zh", json_string(zh));
    return o;
}

static json_t *refuse(const char *reason, const char *en, const char *zh)
{
    json_t *o = json_object();

    json_object_set_new(o, "ok", json_false());
    json_object_set_new(o, "reason", json_string(reason));
    json_object_set_new(o, "text", both(en, zh));
    return o;
}

/* ---- devices ---- */

static const char *const state_words[] = { "waiting", "online", "silent", "disabled" };

static json_t *refusals_of(const struct network_device_state *n)
{
    json_t *o = json_object();

    for (int i = 1; i < NETWORK_REFUSAL_COUNT_; i++)
        if (n->refusals[i])
            json_object_set_new(o, network_refusal_id((enum network_refusal)i),
                                json_integer((json_int_t)n->refusals[i]));
    return o;
}

static void put_network(json_t *o, const struct network_device_state *n)
{
    json_object_set_new(o, "joined", json_boolean(n->is_joined));
    json_object_set_new(o, "doubtful", json_boolean(n->is_doubtful));
    json_object_set_new(o, "dev_addr", n->is_joined ? hex(n->dev_addr, 8) : json_null());
    json_object_set_new(o, "joined_at", when(n->joined_ms));
    json_object_set_new(o, "heard", when(n->heard_ms));
    json_object_set_new(o, "rssi", n->heard_ms ? number((double)n->rssi) : json_null());
    json_object_set_new(o, "snr", n->heard_ms ? number((double)n->snr) : json_null());
    put(o, "dr", n->dr);
    put(o, "fcnt_up", n->fcnt_up);
    put(o, "fcnt_down", n->fcnt_down);
    put(o, "uplinks", n->uplinks);
    put(o, "lost", n->lost);
    put(o, "repeated", n->repeated);
    put(o, "copies", n->copies);
    put(o, "joins", n->joins);
    put(o, "downlinks", n->downlinks);
    put(o, "missed", n->missed);
    json_object_set_new(o, "battery", n->battery < 0 ? json_null() : json_integer(n->battery));
    put(o, "queued", n->queued);
    json_object_set_new(o, "refusals", refusals_of(n));
    if (n->is_doubtful)
        put(o, "doubt_fcnt", n->doubt_fcnt);
    if (n->refused == NETWORK_TAKEN)
        return;
    json_object_set_new(o, "refused", json_string(network_refusal_id(n->refused)));
    json_object_set_new(o, "refused_at", when(n->refused_ms));
    json_object_set_new(
        o, "refused_text",
        both(network_refusal_text(n->refused, "en"), network_refusal_text(n->refused, "zh")));
}

static json_t *device_json(const struct lora *l, size_t i)
{
    const struct lora_device *d = &l->o.devices[i];
    struct lora_device_view v, zh;
    json_t *o = json_object();

    lora_device_get(l, i, "en", &v);
    lora_device_get(l, i, "zh", &zh);
    json_object_set_new(o, "id", json_string(d->id));
    json_object_set_new(o, "bus", json_string(l->o.buses[d->bus].id));
    json_object_set_new(o, "dev_eui", hex(d->network.dev_eui, 16));
    json_object_set_new(o, "state", json_string(state_words[v.state]));
    json_object_set_new(o, "gateway", v.gateway ? json_string(v.gateway) : json_null());
    put(o, "decoded", v.decoded);
    put(o, "undecoded", v.undecoded);
    if (v.why[0])
        json_object_set_new(o, "why", both(v.why, zh.why));
    put_network(o, &v.net);
    return o;
}

static json_t *devices_json(struct lora *l, const json_t *request)
{
    const char *only = json_string_value(json_object_get(request, "device"));
    json_t *list = json_array(), *o = json_object();

    for (size_t i = 0; i < l->o.devices_n; i++)
        if (!only || strcmp(only, l->o.devices[i].id) == 0)
            json_array_append_new(list, device_json(l, i));
    json_object_set_new(o, "ok", json_true());
    json_object_set_new(o, "devices", list);
    return o;
}

/* ---- concentrators ---- */

static json_t *gateway_json(const struct lora_side *s, uint32_t i)
{
    static const char *const words[] = { "waiting", "up", "silent" };
    const struct lora_bus *bus = &s->lora->o.buses[s->bus];
    struct concentrator_counters c;
    enum concentrator_state state = concentrators_get(s->concentrators, i, &c);
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(bus->concentrators[i].id));
    json_object_set_new(o, "bus", json_string(bus->id));
    json_object_set_new(o, "eui", hex(bus->concentrators[i].eui, 16));
    json_object_set_new(o, "state", json_string(words[state]));
    json_object_set_new(o, "address", c.address[0] ? json_string(c.address) : json_null());
    json_object_set_new(o, "pull", when(c.pull_ms));
    json_object_set_new(o, "push", when(c.push_ms));
    put(o, "rx", c.rx);
    put(o, "rx_crc_bad", c.rx_crc_bad);
    put(o, "rx_malformed", c.rx_malformed);
    put(o, "tx", c.tx);
    put(o, "tx_accepted", c.tx_accepted);
    put(o, "tx_refused", c.tx_refused);
    put(o, "tx_no_answer", c.tx_no_answer);
    put(o, "restarts", c.restarts);
    json_object_set_new(o, "ackr", number(c.ackr));
    json_object_set_new(o, "temp", number(c.temp));
    return o;
}

static json_t *network_json(const struct lora_side *s)
{
    struct network_counters c;
    json_t *o = json_object();

    network_counters_get(s->network, &c);
    json_object_set_new(o, "bus", json_string(s->lora->o.buses[s->bus].id));
    put(o, "rx", c.rx);
    put(o, "uplinks", c.uplinks);
    put(o, "copies", c.copies);
    put(o, "neighbours", c.neighbours);
    put(o, "joins", c.joins);
    put(o, "tx", c.tx);
    put(o, "tx_rx1", c.tx_rx1);
    put(o, "tx_rx2", c.tx_rx2);
    put(o, "missed", c.missed);
    put(o, "band_refused", c.band_refused);
    json_object_set_new(o, "lead_ms_min",
                        c.lead_us_min == INT64_MAX ? json_null()
                                                   : number((double)c.lead_us_min / 1000));
    return o;
}

static json_t *gateways_json(struct lora *l, const json_t *request)
{
    json_t *list = json_array(), *networks = json_array(), *o = json_object();

    (void)request;
    for (size_t i = 0; i < l->o.buses_n; i++) {
        const struct lora_side *s = &l->sides[i];
        if (l->o.buses[i].kind != LORA_UDP)
            continue;
        json_array_append_new(networks, network_json(s));
        for (uint32_t g = 0; g < l->o.buses[i].concentrators_n; g++)
            json_array_append_new(list, gateway_json(s, g));
    }
    json_object_set_new(o, "ok", json_true());
    json_object_set_new(o, "gateways", list);
    json_object_set_new(o, "networks", networks);
    return o;
}

/* ---- operators ---- */

/* NULL after *ret_refusal is set. */
static struct lora_side *side_of(struct lora *l, const json_t *request, uint32_t *ret_device,
                                 json_t **ret_refusal)
{
    const char *id = json_string_value(json_object_get(request, "device"));

    for (uint32_t i = 0; id && i < l->o.devices_n; i++) {
        const struct lora_device *d = &l->o.devices[i];
        if (strcmp(d->id, id) != 0)
            continue;
        if (l->o.buses[d->bus].kind != LORA_UDP) {
            *ret_refusal =
                refuse("server", "The device belongs to another network server; do it there.",
                       "该设备属于外部网络服务器，请在该服务器上操作。");
            return NULL;
        }
        *ret_device = i;
        return &l->sides[d->bus];
    }
    *ret_refusal = refuse("device", "No LoRa device of this name is configured.",
                          "没有配置该名称的 LoRa 设备。");
    return NULL;
}

static json_t *done(struct lora *l, uint32_t device)
{
    json_t *o = json_object();

    json_object_set_new(o, "ok", json_true());
    json_object_set_new(o, "device", device_json(l, device));
    lora_arm(l);
    return o;
}

/* An operator's act is an event: it lets frames in that were refused. */
static void tell_act(struct lora *l, uint32_t device, const char *what, const char *who,
                     const char *en, const char *zh)
{
    const char *id = l->o.devices[device].id;
    char details[160];

    snprintf(details, sizeof details, "{\"by\":\"%.64s\"}",
             who && !strpbrk(who, "\"\\") ? who : "");
    log_notice("device %s: %s device=%s", id, en, id);
    l->o.on_notice(l->o.user, what, id, en, zh, details);
}

static json_t *confirm(struct lora *l, const json_t *request, const char *who)
{
    json_t *refusal = NULL, *fcnt = json_object_get(request, "fcnt");
    struct network_device_state n;
    uint32_t device;
    struct lora_side *s = side_of(l, request, &device, &refusal);

    if (!s)
        return refusal;
    network_device_get(s->network, l->seen[device].number, &n);
    if (!json_is_integer(fcnt) && n.doubt_fcnt == 0) /* from 0 on every old frame were good */
        return refuse(
            "fcnt",
            n.is_doubtful ? "No frame of the device was heard since the log was restored: wait "
                            "for one, or say with --fcnt from which counter on they are good."
                          : "The session is in no doubt; --fcnt says from which counter on "
                            "frames of a device that was reset are good.",
            n.is_doubtful ? "日志恢复之后尚未收到该设备的帧：请等待一帧，或用 --fcnt 指明从哪个"
                            "计数起有效。"
                          : "该会话不存疑；设备复位后，用 --fcnt 指明从哪个计数起有效。");
    json_int_t next =
        json_is_integer(fcnt) ? json_integer_value(fcnt) : (json_int_t)n.doubt_fcnt;
    if (next < 0 || next > UINT32_MAX)
        return refuse("fcnt", "The counter must be from 0 to 4294967295.",
                      "计数器应在 0 到 4294967295 之间。");
    if (network_confirm(s->network, l->seen[device].number, (uint32_t)next) < 0)
        return refuse("session", "The device has no session that could be confirmed.",
                      "该设备没有可确认的会话。");
    tell_act(l, device, "lora_confirmed", who,
             "An operator confirmed the session: frames count from here on.",
             "操作员已确认会话，自此计数。");
    return done(l, device);
}

static json_t *forget_nonces(struct lora *l, const json_t *request, const char *who)
{
    json_t *refusal = NULL;
    uint32_t device;
    struct lora_side *s = side_of(l, request, &device, &refusal);

    if (!s)
        return refusal;
    if (network_forget_nonces(s->network, l->seen[device].number) < 0)
        return refuse("activation", "The device does not join: it has no nonces.",
                      "该设备不入网激活，没有随机数记录。");
    tell_act(l, device, "lora_nonces_forgotten", who,
             "An operator let the device join again with nonces it used before.",
             "操作员允许设备用曾用过的随机数重新入网。");
    return done(l, device);
}

static int hex_bytes(const char *text, uint8_t *out, size_t size)
{
    size_t n = 0;
    unsigned x;
    int used;

    while (*text) {
        if (n == size || sscanf(text, "%2x%n", &x, &used) != 1 || used != 2)
            return -EINVAL;
        out[n++] = (uint8_t)x;
        text += 2;
    }
    return (int)n;
}

static json_t *send_down(struct lora *l, const json_t *request, const char *who)
{
    const char *text = json_string_value(json_object_get(request, "data"));
    json_int_t fport = json_integer_value(json_object_get(request, "fport"));
    uint8_t bytes[DOWNLINK_MAX];
    json_t *refusal = NULL;
    uint32_t device;
    struct lora_side *s = side_of(l, request, &device, &refusal);

    if (!s)
        return refusal;
    int n = text ? hex_bytes(text, bytes, sizeof bytes) : -EINVAL;
    if (n < 0 || fport < 1 || fport > 223)
        return refuse("data", "Expected fport from 1 to 223 and data as hexadecimal bytes.",
                      "应给出 1 到 223 的 fport 和十六进制数据。");
    const struct network_downlink d = {
        .fport = (uint8_t)fport,
        .is_confirmed = json_is_true(json_object_get(request, "confirmed")),
        .bytes = bytes,
        .n = (size_t)n,
        .deadline_us = lora_now_us() + (int64_t)SEND_PATIENCE_S * 1000000,
    };
    int rc = network_send(s->network, l->seen[device].number, &d, lora_now_us());
    if (rc == -ENOENT)
        return refuse("session", "The device has not joined yet.", "该设备尚未入网。");
    if (rc == -EMSGSIZE)
        return refuse("size", "The data is too long for the device's data rate.",
                      "数据超过该设备当前速率允许的长度。");
    if (rc < 0)
        return refuse("busy", "Too much waits for this device already.",
                      "等待发往该设备的数据过多。");
    tell_act(l, device, "lora_sent", who, "An operator sent data to the device.",
             "操作员向设备下发了数据。");
    return done(l, device);
}

static json_t *carry_out(struct lora *l, const json_t *request, const char *who)
{
    const char *what = json_string_value(json_object_get(request, "do"));

    if (!what || strcmp(what, "devices") == 0)
        return devices_json(l, request);
    if (strcmp(what, "gateways") == 0)
        return gateways_json(l, request);
    if (strcmp(what, "confirm") == 0)
        return confirm(l, request, who);
    if (strcmp(what, "forget-nonces") == 0)
        return forget_nonces(l, request, who);
    if (strcmp(what, "send") == 0)
        return send_down(l, request, who);
    return refuse("request", "Expected devices, gateways, confirm, forget-nonces or send.",
                  "应为 devices、gateways、confirm、forget-nonces 或 send。");
}

char *lora_request(struct lora *l, const char *json, const char *who)
{
    size_t n = strnlen(json, REQUEST_MAX + 1);
    json_t *request =
        n > REQUEST_MAX ? NULL : json_loadb(json, n, JSON_REJECT_DUPLICATES, NULL);
    json_t *answer = json_is_object(request)
                         ? carry_out(l, request, who)
                         : refuse("request", "Expected a JSON object.", "应为 JSON 对象。");
    char *text = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(FLOAT_DIGITS));

    json_decref(request);
    json_decref(answer);
    return text;
}
