/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lns/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/backoff.h"
#include "gateway/base/base64.h"
#include "gateway/uplink/mqtt_address.h"

#define CHIRPSTACK_TOPIC "application/{{application_id}}/device/{{dev_eui}}/event/{{event}}"

enum { CLIENT_ID_MAX = 128, FPORT_APPLICATION_MAX = 223 };

/* ---- names ---- */

/* One level of a topic, and one segment of an address. */
static bool is_level(const char *text)
{
    static const char also[] = "-_.@";
    size_t n = 0;

    for (; text[n]; n++) {
        unsigned char c = (unsigned char)text[n];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && !strchr(also, c))
            return false;
    }
    return n > 0 && n < FEED_NAME_MAX;
}

static const char *ttn_application(const struct feed_conf *c)
{
    return c->application ? c->application : c->username ? c->username : "";
}

/* A template is text and placeholders, "{{dev_eui}}" or "{{ dev_eui }}". */
enum placeholder { APPLICATION_ID, DEV_EUI, EVENT, PLACEHOLDERS, NO_PLACEHOLDER };

/* The placeholder at *at, which moves behind it; PLACEHOLDERS: one that nobody knows. */
static enum placeholder take_placeholder(const char **at)
{
    static const char *const names[] = { "application_id", "dev_eui", "event" };
    const char *p = *at;

    if (strncmp(p, "{{", 2) != 0)
        return NO_PLACEHOLDER;
    p += 2 + strspn(p + 2, " ");
    for (size_t i = 0; i < PLACEHOLDERS; i++) {
        size_t n = strlen(names[i]);
        const char *end = p + n + (strncmp(p, names[i], n) == 0 ? strspn(p + n, " ") : 0);
        if (strncmp(p, names[i], n) != 0 || strncmp(end, "}}", 2) != 0)
            continue;
        *at = end + 2;
        return (enum placeholder)i;
    }
    return PLACEHOLDERS;
}

/* Only known placeholders, and the last level is the event. */
static bool is_template(const char *template)
{
    const char *level = strrchr(template, '/');

    for (const char *p = template; *p;) {
        enum placeholder found = take_placeholder(&p);
        if (found == PLACEHOLDERS)
            return false;
        p += found == NO_PLACEHOLDER;
    }
    if (!level || level == template)
        return false;
    level++;
    return take_placeholder(&level) == EVENT && *level == '\0';
}

static const char *events_template(const struct feed_conf *c)
{
    return c->topic ? c->topic : CHIRPSTACK_TOPIC;
}

static int refuse(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return -EINVAL;
}

static int check_ttn(const struct feed_conf *c, char *why, size_t size)
{
    const char *s = c->storage_url;

    if (!is_level(ttn_application(c)))
        return refuse(why, size,
                      "application must be the id of the application at the server and its "
                      "tenant, such as my-app@ttn.");
    if (c->topic)
        return refuse(why, size,
                      "topic is only for ChirpStack; The Things Stack has no other topics than "
                      "its own.");
    if (s && strncmp(s, "http://", 7) != 0 && strncmp(s, "https://", 8) != 0)
        return refuse(why, size,
                      "storage must begin with https:// or http://, such as "
                      "https://eu1.cloud.thethings.network.");
    if (s && !c->password)
        return refuse(why, size, "storage needs the API key of the server as password.");
    return 0;
}

static int check_chirpstack(const struct feed_conf *c, char *why, size_t size)
{
    if (c->application && !is_level(c->application))
        return refuse(why, size,
                      "application must be the id of the application at the server, a UUID.");
    if (c->topic && (!is_template(c->topic) || strpbrk(c->topic, "+#") ||
                     strlen(c->topic) >= FEED_TOPIC_MAX / 2))
        return refuse(why, size,
                      "topic must be the event_topic of the server's configuration and end in "
                      "/{{event}}, such as " CHIRPSTACK_TOPIC ".");
    if (c->storage_url)
        return refuse(why, size, "storage is only for The Things Stack; ChirpStack has none.");
    return 0;
}

int feed_check(const struct feed_conf *c, char *why, size_t size)
{
    struct mqtt_address a;

    if (!c->url)
        return refuse(why, size, "url is missing; it is the address of the server's broker.");
    if (mqtt_address_parse(c->url, &a, why, size) < 0)
        return -EINVAL;
    if (c->client_id && (!*c->client_id || strlen(c->client_id) > CLIENT_ID_MAX))
        return refuse(why, size, "client_id must have 1 to 128 characters.");
    return c->server == FEED_TTN ? check_ttn(c, why, size) : check_chirpstack(c, why, size);
}

/* ---- topics ---- */

/* What stands for each placeholder. False: it does not fit. */
static bool print_template(const char *template, const char *const values[PLACEHOLDERS],
                           char *out)
{
    size_t n = 0;

    for (const char *p = template; *p;) {
        char one[2] = { *p };
        enum placeholder found = take_placeholder(&p);
        const char *piece = found < PLACEHOLDERS ? values[found] : one;
        p += found >= PLACEHOLDERS;
        size_t size = strlen(piece);
        if (n + size >= FEED_TOPIC_MAX)
            return false;
        memcpy(out + n, piece, size);
        n += size;
    }
    out[n] = '\0';
    return true;
}

/* A wildcard stands for a whole level: "eui-+" becomes "+". In place. */
static void widen_levels(char *filter)
{
    char *to = filter;

    for (const char *p = filter; *p;) {
        size_t n = strcspn(p, "/");
        bool is_wild = memchr(p, '+', n) != NULL;
        memmove(to, is_wild ? "+" : p, is_wild ? 1 : n);
        to += is_wild ? 1 : n;
        p += n;
        if (*p == '/')
            *to++ = *p++;
    }
    *to = '\0';
}

static int ttn_filters(const struct feed_conf *c, char out[FEED_FILTERS_MAX][FEED_TOPIC_MAX])
{
    static const char *const events[] = { "up",       "join",      "down/queued", "down/sent",
                                          "down/ack", "down/nack", "down/failed" };
    int n = 0;

    for (; (size_t)n < sizeof events / sizeof events[0]; n++)
        snprintf(out[n], FEED_TOPIC_MAX, "v3/%s/devices/+/%s", ttn_application(c), events[n]);
    return n;
}

int feed_filters(const struct feed_conf *c, char out[FEED_FILTERS_MAX][FEED_TOPIC_MAX])
{
    char why[FEED_TEXT_MAX];

    if (feed_check(c, why, sizeof why) < 0)
        return -EINVAL;
    if (c->server == FEED_TTN)
        return ttn_filters(c, out);
    const char *const any[] = { c->application ? c->application : "+", "+", "+" };
    if (!print_template(events_template(c), any, out[0]))
        return -EINVAL;
    widen_levels(out[0]);
    return 1;
}

/* The command's topic is the events' with "command" where they have "event". */
static bool print_command_topic(const struct feed_conf *c, const struct feed_command *k,
                                char *out)
{
    static const char level[] = "/event/";
    char template[FEED_TOPIC_MAX], eui[20];
    const char *events = events_template(c), *at = strstr(events, level);

    snprintf(eui, sizeof eui, "%016" PRIx64, k->dev_eui);
    if (at)
        snprintf(template, sizeof template, "%.*s/command/%s", (int)(at - events), events,
                 at + strlen(level));
    else
        snprintf(template, sizeof template, "%s", events);
    const char *const values[] = { k->application, eui, "down" };
    return print_template(template, values, out);
}

/* ---- commands ---- */

static bool is_uuid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t n = strlen(text);

    if (n != strlen(form))
        return false;
    for (size_t i = 0; i < n; i++)
        if (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return true;
}

void feed_id_make(char *out)
{
    uint64_t a = random_u64(), b = random_u64();

    a = (a & ~UINT64_C(0xf000)) | UINT64_C(0x4000);     /* version 4 */
    b = (b & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63; /* variant */
    snprintf(out, FEED_ID_MAX, "%08x-%04x-%04x-%04x-%012" PRIx64, (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xffff), (unsigned)(b >> 48),
             b & UINT64_C(0xffffffffffff));
}

static int chirpstack_print(const struct feed_conf *c, const struct feed_command *k,
                            const char *data, char *topic, struct buf *json)
{
    if (k->id && !is_uuid(k->id))
        return -EINVAL;
    if (!is_level(k->application) || !print_command_topic(c, k, topic))
        return -EINVAL;
    buf_puts(json, "{");
    if (k->id)
        buf_printf(json, "\"id\":\"%s\",", k->id);
    buf_printf(json,
               "\"devEui\":\"%016" PRIx64 "\",\"confirmed\":%s,\"fPort\":%u,\"data\":\"%s\"}",
               k->dev_eui, k->is_confirmed ? "true" : "false", k->fport, data);
    return 0;
}

static int ttn_print(const struct feed_conf *c, const struct feed_command *k, const char *data,
                     char *topic, struct buf *json)
{
    if ((k->id && !is_level(k->id)) || !is_level(k->device_id))
        return -EINVAL;
    snprintf(topic, FEED_TOPIC_MAX, "v3/%s/devices/%s/down/push", ttn_application(c),
             k->device_id);
    buf_printf(json,
               "{\"downlinks\":[{\"f_port\":%u,\"frm_payload\":\"%s\",\"priority\":\"NORMAL\","
               "\"confirmed\":%s",
               k->fport, data, k->is_confirmed ? "true" : "false");
    if (k->id)
        buf_printf(json, ",\"correlation_ids\":[\"" TTN_ID_PREFIX "%s\"]", k->id);
    buf_puts(json, "}]}");
    return 0;
}

int feed_command_print(const struct feed_conf *c, const struct feed_command *k, char *topic,
                       struct buf *json)
{
    char data[BASE64_SIZE(FEED_DOWN_MAX) + 1];

    if (k->n > FEED_DOWN_MAX)
        return -EMSGSIZE;
    if (k->fport < 1 || k->fport > FPORT_APPLICATION_MAX)
        return -EINVAL;
    base64_encode(k->bytes, k->n, data);
    int rc = c->server == FEED_TTN ? ttn_print(c, k, data, topic, json)
                                   : chirpstack_print(c, k, data, topic, json);
    return rc == 0 && json->has_failed ? -ENOMEM : rc;
}
