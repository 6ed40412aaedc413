/* SPDX-License-Identifier: Apache-2.0 */
/* Events of ChirpStack v4: api/proto/integration/integration.proto in its JSON form. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lns/event.h"

enum {
    DRIFT_MAX_MS =
        30000, /* the server's own bound for a gateway's clock (rx_timestamp_max_drift) */
    GPS_DELTA_MS = 2000, /* a receiver that is further off counts weeks or leap seconds wrong */
};

/* 1980-01-06 in UTC, and the leap seconds since; none is announced until 2035. */
#define GPS_EPOCH_MS INT64_C(315964800000)
#define GPS_LEAP_MS  INT64_C(18000)

static const struct event_radio radio = { "lora", "bandwidth", "spreadingFactor",
                                          "fsk",  "datarate",  "lrFhss" };

/* ---- when ---- */

/* UTC by a gateway's GPS receiver; INT64_MIN: it has none. */
static int64_t gps_time(json_t *rx)
{
    double s = event_real(rx, "timeSinceGpsEpoch", 0);

    if (!(s > 0))
        s = event_real(rx, "fineTimeSinceGpsEpoch", 0);
    if (!(s > 0 && s < 1e10))
        return INT64_MIN;
    return GPS_EPOCH_MS - GPS_LEAP_MS + (int64_t)(s * 1000);
}

static int64_t lenient_time(json_t *rx, const char *key)
{
    const char *text = json_string_value(json_object_get(rx, key));

    return text ? event_read_time(text) : INT64_MIN;
}

static bool is_near(int64_t a, int64_t b, int64_t ms)
{
    return a != INT64_MIN && b != INT64_MIN && a - b < ms && b - a < ms;
}

/*
 * The event's time is already that of a gateway when the server found it plausible, GPS before
 * all and unchecked. So it is compared with what no gateway can touch: when the network server
 * had the frame.
 */
static void take_time(struct feed_message *m, json_t *receptions)
{
    int64_t server = INT64_MIN;
    size_t i;
    json_t *rx;

    json_array_foreach(receptions, i, rx)
    {
        int64_t ns = lenient_time(rx, "nsTime");
        if (ns != INT64_MIN && (server == INT64_MIN || ns < server))
            server = ns;
    }
    if (server == INT64_MIN)
        server = m->time_ms;
    else if (!is_near(m->time_ms, server, DRIFT_MAX_MS))
        m->time_ms = server;
    json_array_foreach(receptions, i, rx)
    {
        int64_t gps = gps_time(rx);
        if (!is_near(gps, server, GPS_DELTA_MS))
            continue;
        m->time_ms = gps;
        m->is_time_gps = true;
        return;
    }
}

/* Events of servers before 4.3 have one `time` a reception, and it may be all there is. */
static void take_gateway_time(struct feed_message *m, json_t *receptions)
{
    static const char *const keys[] = { "nsTime", "gwTime", "time" };
    json_t *rx = json_array_get(receptions, 0);

    for (size_t i = 0; m->time_ms == INT64_MIN && i < sizeof keys / sizeof keys[0]; i++)
        m->time_ms = lenient_time(rx, keys[i]);
}

/* ---- how ---- */

static void take_reception(struct feed_message *m, json_t *receptions, json_t *tx)
{
    json_t *best = event_receptions(receptions, m);
    const char *id = json_string_value(json_object_get(best, "gatewayId"));

    event_copy(m->gateway, sizeof m->gateway, id ? id : "");
    m->freq_hz = event_frequency(tx);
    event_rate(json_object_get(tx, "modulation"), &radio, m->rate, sizeof m->rate);
}

/* ---- the kinds ---- */

static void fill_up(struct event *e, struct feed_message *m)
{
    json_t *receptions = json_object_get(e->root, "rxInfo");

    m->dev_addr = (uint32_t)event_hex(e, e->root, "devAddr", 8);
    m->fcnt = event_number(e, e->root, "fCnt", UINT32_MAX);
    m->fport = (uint8_t)event_number(e, e->root, "fPort", UINT8_MAX);
    m->is_confirmed = event_bool(e, e->root, "confirmed");
    event_payload(e, e->root, "data", m);
    if (e->has_failed)
        return;
    event_copy(m->key[0], sizeof m->key[0], event_text(e, e->root, "deduplicationId"));
    event_second_key(m);
    take_gateway_time(m, receptions);
    take_time(m, receptions);
    take_reception(m, receptions, json_object_get(e->root, "txInfo"));
}

static void fill_join(struct event *e, struct feed_message *m)
{
    m->dev_addr = (uint32_t)event_hex(e, e->root, "devAddr", 8);
}

static void fill_status(struct event *e, struct feed_message *m)
{
    bool is_external = event_bool(e, e->root, "externalPowerSource");
    bool is_unknown = event_bool(e, e->root, "batteryLevelUnavailable");
    double level = event_real(e->root, "batteryLevel", 0); /* absent when empty */
    double margin = event_real(e->root, "margin", 0);

    m->battery = is_external                                   ? -1
                 : is_unknown || !(level >= 0 && level <= 100) ? -2
                                                               : (int)lround(level);
    m->margin = margin >= -32 && margin <= 31 ? (int)margin : 0; /* six bits, signed */
}

static void fill_log(struct event *e, struct feed_message *m)
{
    json_t *context = event_object(e, e->root, "context");

    event_copy(m->code, sizeof m->code, event_text(e, e->root, "code"));
    event_copy(m->text, sizeof m->text, event_text(e, e->root, "description"));
    event_copy(m->key[0], sizeof m->key[0], event_text(e, context, "context.queue_item_id"));
}

static void fill_ack(struct event *e, struct feed_message *m)
{
    bool is_good = event_bool(e, e->root, "acknowledged");

    m->progress = is_good ? FEED_DOWN_ACKNOWLEDGED : FEED_DOWN_REFUSED;
    event_copy(m->key[0], sizeof m->key[0], event_text(e, e->root, "queueItemId"));
}

static void fill_txack(struct event *e, struct feed_message *m)
{
    m->progress = FEED_DOWN_SENT;
    event_copy(m->key[0], sizeof m->key[0], event_text(e, e->root, "queueItemId"));
}

static const struct kind {
    const char *event; /* last level of the topic */
    enum feed_kind kind;
    void (*fill)(struct event *e, struct feed_message *m);
} kinds[] = {
    { "up", FEED_UPLINK, fill_up },         { "join", FEED_JOIN, fill_join },
    { "status", FEED_STATUS, fill_status }, { "log", FEED_LOG, fill_log },
    { "ack", FEED_DOWNLINK, fill_ack },     { "txack", FEED_DOWNLINK, fill_txack },
};

static const struct kind *find_kind(const char *topic)
{
    const char *slash = strrchr(topic, '/');
    const char *event = slash ? slash + 1 : topic;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].event, event) == 0)
            return &kinds[i];
    return NULL;
}

/* A device is known by what the broker let the sender publish to, too. */
static void check_topic(struct event *e, const struct feed_message *m)
{
    const char *level = strstr(e->topic, "/device/");
    char *end;

    if (!level)
        return; /* another template */
    level += strlen("/device/");
    uint64_t eui = strtoull(level, &end, 16);
    if (end - level == 16 && *end == '/' && eui != m->dev_eui)
        event_fail(e,
                   "deviceInfo.devEui is %016llx, another device than the one of the topic; "
                   "they must be the same.",
                   (unsigned long long)m->dev_eui);
}

static void fill_device(struct event *e, struct feed_message *m)
{
    json_t *info = event_object(e, e->root, "deviceInfo");

    if (!info &&
        (json_object_get(e->root, "devEUI") || json_object_get(e->root, "applicationID"))) {
        event_fail(e, "This is an event of ChirpStack 3; version 4 is understood.");
        return;
    }
    m->dev_eui = event_hex(e, info, "deviceInfo.devEui", 16);
    event_copy(m->device_id, sizeof m->device_id, event_text(e, info, "deviceInfo.deviceName"));
    event_copy(m->application, sizeof m->application,
               event_text(e, info, "deviceInfo.applicationId"));
    m->time_ms = event_time(e, e->root, "time");
    if (m->dev_eui == 0)
        event_fail(e, "deviceInfo.devEui is missing; it must be the device's EUI, 16 "
                      "hexadecimal digits.");
    check_topic(e, m);
}

int chirpstack_parse(const char *topic, const void *json, size_t n, struct feed_message *ret,
                     char *why, size_t size)
{
    struct event e = { .topic = topic, .why = why, .size = size };
    const struct kind *k = find_kind(topic);
    struct feed_message m;

    if (!k)
        return -ENOENT;
    int rc = event_open(&e, json, n,
                        "If the server sends protobuf, set json = true in "
                        "[integration.mqtt] of its configuration.");
    if (rc < 0)
        return rc;
    event_init_message(&m, k->kind);
    fill_device(&e, &m);
    k->fill(&e, &m);
    rc = e.has_failed ? -EBADMSG : 0;
    if (rc == 0) {
        if (m.kind == FEED_UPLINK)
            m.object = event_dump(json_object_get(e.root, "object"));
        *ret = m;
    }
    event_close(&e);
    return rc;
}
