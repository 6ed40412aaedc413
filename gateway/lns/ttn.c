/* SPDX-License-Identifier: Apache-2.0 */
/* Events of The Things Stack v3: ApplicationUp in its JSON form, names in snake case. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/lns/command.h"
#include "gateway/lns/event.h"

enum {
    GPS_DELTA_MS = 2000,
    SESSION_SHOWN_MAX = 32, /* a session's id is 16 bytes in base64; a longer one is hashed */
};

static const struct event_radio radio = { "lora", "bandwidth", "spreading_factor",
                                          "fsk",  "bit_rate",  "lrfhss" };

/* ---- uplinks ---- */

/* Only what a GPS receiver says: `time` without a fine timestamp is of the gateway's own clock,
 * which may be decades off. */
static int64_t gps_time(json_t *rx)
{
    const char *text = json_string_value(json_object_get(rx, "gps_time"));

    if (!text && event_real(rx, "fine_timestamp", 0) > 0)
        text = json_string_value(json_object_get(rx, "time"));
    return text ? event_read_time(text) : INT64_MIN;
}

static void take_time(struct feed_message *m, json_t *receptions)
{
    size_t i;
    json_t *rx;

    json_array_foreach(receptions, i, rx)
    {
        int64_t gps = gps_time(rx);
        if (gps == INT64_MIN || gps - m->time_ms >= GPS_DELTA_MS ||
            m->time_ms - gps >= GPS_DELTA_MS)
            continue;
        m->time_ms = gps;
        m->is_time_gps = true;
        return;
    }
}

static void take_reception(struct feed_message *m, json_t *receptions, json_t *settings)
{
    json_t *best = event_receptions(receptions, m);
    const char *id =
        json_string_value(json_object_get(json_object_get(best, "gateway_ids"), "gateway_id"));

    event_copy(m->gateway, sizeof m->gateway, id ? id : "");
    m->freq_hz = event_frequency(settings);
    event_rate(json_object_get(settings, "data_rate"), &radio, m->rate, sizeof m->rate);
}

/* Device, session and counter: correlation_ids are not unique for an uplink. */
static void first_key(struct feed_message *m, const char *session)
{
    char hash[20];

    if (!*session)
        return;
    if (strlen(session) > SESSION_SHOWN_MAX) {
        snprintf(hash, sizeof hash, "#%016" PRIx64, event_hash(session, strlen(session)));
        session = hash;
    }
    snprintf(m->key[0], sizeof m->key[0], "%016" PRIx64 "/%s/%" PRIu32, m->dev_eui, session,
             m->fcnt);
}

static void fill_up(struct event *e, json_t *up, struct feed_message *m)
{
    json_t *receptions = json_object_get(up, "rx_metadata");
    int64_t at_ms = event_time(e, up, "uplink_message.received_at");

    m->time_ms = at_ms != INT64_MIN ? at_ms : m->time_ms;
    m->fcnt = event_number(e, up, "uplink_message.f_cnt", UINT32_MAX);
    m->fport = (uint8_t)event_number(e, up, "uplink_message.f_port", UINT8_MAX);
    m->is_confirmed = event_bool(e, up, "uplink_message.confirmed");
    m->is_simulated = event_bool(e, e->root, "simulated");
    event_payload(e, up, "uplink_message.frm_payload", m);
    first_key(m, event_text(e, up, "uplink_message.session_key_id"));
    event_second_key(m);
    take_time(m, receptions);
    take_reception(m, receptions, json_object_get(up, "settings"));
}

/* ---- the other kinds ---- */

static void fill_join(struct event *e, json_t *join, struct feed_message *m)
{
    int64_t at_ms = event_time(e, join, "join_accept.received_at");

    m->time_ms = at_ms != INT64_MIN ? at_ms : m->time_ms;
}

/* Which of the correlation ids is the one of our command. */
static void take_id(json_t *ids, struct feed_message *m)
{
    size_t i;
    json_t *id;

    json_array_foreach(ids, i, id)
    {
        const char *text = json_string_value(id);
        if (text && strncmp(text, TTN_ID_PREFIX, strlen(TTN_ID_PREFIX)) == 0)
            event_copy(m->key[0], sizeof m->key[0], text + strlen(TTN_ID_PREFIX));
    }
}

static void fill_down(struct event *e, json_t *down, struct feed_message *m)
{
    take_id(json_object_get(e->root, "correlation_ids"), m);
    take_id(json_object_get(down, "correlation_ids"), m);
}

static void fill_failed(struct event *e, json_t *failed, struct feed_message *m)
{
    json_t *error = event_object(e, failed, "downlink_failed.error");
    const char *text = event_text(e, error, "downlink_failed.error.message_format");
    const char *name = event_text(e, error, "downlink_failed.error.name");

    fill_down(e, event_object(e, failed, "downlink_failed.downlink"), m);
    event_copy(m->code, sizeof m->code, name);
    event_copy(m->text, sizeof m->text, *text ? text : name);
}

static const struct kind {
    const char *event, *body; /* end of the topic; the member it is in */
    enum feed_kind kind;
    enum feed_progress progress;
    void (*fill)(struct event *e, json_t *body, struct feed_message *m);
} kinds[] = {
    { "up", "uplink_message", FEED_UPLINK, FEED_DOWN_QUEUED, fill_up },
    { "join", "join_accept", FEED_JOIN, FEED_DOWN_QUEUED, fill_join },
    { "down/queued", "downlink_queued", FEED_DOWNLINK, FEED_DOWN_QUEUED, fill_down },
    { "down/sent", "downlink_sent", FEED_DOWNLINK, FEED_DOWN_SENT, fill_down },
    { "down/ack", "downlink_ack", FEED_DOWNLINK, FEED_DOWN_ACKNOWLEDGED, fill_down },
    { "down/nack", "downlink_nack", FEED_DOWNLINK, FEED_DOWN_REFUSED, fill_down },
    { "down/failed", "downlink_failed", FEED_DOWNLINK, FEED_DOWN_FAILED, fill_failed },
};

/* "v3/{application}@{tenant}/devices/{device}/{event}" */
struct parts {
    const char *application, *device, *event;
    size_t application_n, device_n;
};

static bool split_topic(const char *topic, struct parts *ret)
{
    static const char first[] = "v3/", second[] = "/devices/";

    if (strncmp(topic, first, strlen(first)) != 0)
        return false;
    ret->application = topic + strlen(first);
    const char *devices = strstr(ret->application, second);
    if (!devices)
        return false;
    ret->application_n = (size_t)(devices - ret->application);
    ret->device = devices + strlen(second);
    ret->device_n = strcspn(ret->device, "/");
    ret->event = ret->device + ret->device_n + 1;
    return ret->device[ret->device_n] == '/';
}

static const struct kind *find_kind(const char *event)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].event, event) == 0)
            return &kinds[i];
    return NULL;
}

static void fill_device(struct event *e, struct feed_message *m)
{
    json_t *ids = event_object(e, e->root, "end_device_ids");
    json_t *application = event_object(e, ids, "end_device_ids.application_ids");

    m->dev_eui = event_hex(e, ids, "end_device_ids.dev_eui", 16);
    m->dev_addr = (uint32_t)event_hex(e, ids, "end_device_ids.dev_addr", 8);
    event_copy(m->device_id, sizeof m->device_id,
               event_text(e, ids, "end_device_ids.device_id"));
    event_copy(m->application, sizeof m->application,
               event_text(e, application, "end_device_ids.application_ids.application_id"));
    m->time_ms = event_time(e, e->root, "received_at");
    if (m->dev_eui == 0)
        event_fail(e, "end_device_ids.dev_eui is missing; give the device a DevEUI, 16 "
                      "hexadecimal digits, at the server.");
}

static void check_topic(struct event *e, const struct parts *p, const struct feed_message *m)
{
    bool is_same = strlen(m->device_id) == p->device_n &&
                   memcmp(m->device_id, p->device, p->device_n) == 0;

    if (!is_same && p->device_n < FEED_NAME_MAX)
        event_fail(e,
                   "end_device_ids.device_id is \"%s\", another device than the one of the "
                   "topic; they must be the same.",
                   m->device_id);
}

/* e->root is the ApplicationUp. */
static void fill(struct event *e, const struct kind *k, struct feed_message *m)
{
    json_t *body = event_object(e, e->root, k->body);

    event_init_message(m, k->kind);
    m->progress = k->progress;
    fill_device(e, m);
    if (!body)
        event_fail(e, "%s is missing; it must be an object.", k->body);
    k->fill(e, body, m);
}

/* Hands the message over, unless something was wrong with it. */
static int finish(struct event *e, struct feed_message *m, struct feed_message *ret)
{
    json_t *up = json_object_get(e->root, "uplink_message");

    if (e->has_failed)
        return -EBADMSG;
    if (m->kind == FEED_UPLINK)
        m->object = event_dump(json_object_get(up, "decoded_payload"));
    *ret = *m;
    return 0;
}

int ttn_parse(const char *topic, const void *json, size_t n, struct feed_message *ret,
              char *why, size_t size)
{
    struct event e = { .topic = topic, .why = why, .size = size };
    struct feed_message m;
    struct parts p;

    const struct kind *k = split_topic(topic, &p) ? find_kind(p.event) : NULL;
    if (!k)
        return -ENOENT;
    int rc = event_open(&e, json, n,
                        "If an integration of the application sends protobuf, set its format "
                        "to JSON.");
    if (rc < 0)
        return rc;
    fill(&e, k, &m);
    check_topic(&e, &p, &m);
    if (p.application_n < sizeof m.application) /* with its tenant, as a command needs it */
        snprintf(m.application, sizeof m.application, "%.*s", (int)p.application_n,
                 p.application);
    rc = finish(&e, &m, ret);
    event_close(&e);
    return rc;
}

int ttn_stored_parse(const void *json, size_t n, struct feed_message *ret, int64_t *ret_at_ms,
                     char *why, size_t size)
{
    struct event e = { .topic = "storage", .why = why, .size = size };
    struct feed_message m;

    int rc = event_open(&e, json, n, "A stored uplink is {\"result\":{...}}.");
    if (rc < 0)
        return rc;
    json_t *line = e.root, *error = event_object(&e, line, "error");
    if (error) {
        event_fail(&e, "The server says: %.160s.", event_text(&e, error, "error.message"));
        event_close(&e);
        return -EIO;
    }
    e.root = event_object(&e, line, "result");
    if (!e.root)
        event_fail(&e, "result is missing; it must be an object.");
    fill(&e, &kinds[0], &m);
    int64_t at_ms = event_time(&e, e.root, "received_at");
    rc = finish(&e, &m, ret);
    if (rc == 0)
        *ret_at_ms = at_ms != INT64_MIN ? at_ms : m.time_ms;
    json_decref(line);
    return rc;
}
