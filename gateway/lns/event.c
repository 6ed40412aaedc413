/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lns/event.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/base64.h"

enum {
    TOPIC_SHOWN = 120, /* of a topic in a sentence; it may be 64 KiB of anything */
    VALUE_SHOWN = 40,
    TIME_LENGTH_MAX = 40, /* nanoseconds and a zone are 35 */
};

/* What a terminal would obey is not repeated to it. */
static void copy_shown(char *out, size_t size, const char *text)
{
    event_copy(out, size, text);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

int event_fail(struct event *e, const char *format, ...)
{
    char topic[TOPIC_SHOWN];
    va_list args;

    if (e->has_failed)
        return -EBADMSG;
    e->has_failed = true;
    copy_shown(topic, sizeof topic, e->topic);
    int n = snprintf(e->why, e->size, "%s: ", topic);
    va_start(args, format);
    if (n >= 0 && (size_t)n < e->size)
        vsnprintf(e->why + n, e->size - (size_t)n, format, args);
    va_end(args);
    return -EBADMSG;
}

int event_open(struct event *e, const void *json, size_t n, const char *hint)
{
    const char *text = json;
    json_error_t error;
    size_t i = 0;

    if (n > FEED_EVENT_MAX)
        return event_fail(e, "The event has %zu bytes; at most %d are read.", n,
                          FEED_EVENT_MAX);
    while (i < n && strchr(" \t\r\n", text[i]) && text[i])
        i++;
    if (i == n)
        return event_fail(e, "The event is empty; a JSON object is expected.");
    if (text[i] != '{')
        return event_fail(e, "The event is no JSON object, it begins with 0x%02x. %s",
                          (unsigned char)text[0], hint);
    /* decoders of users put NUL into texts of theirs, which is no reason to lose the bytes */
    e->root = json_loadb(text, n, JSON_ALLOW_NUL, &error);
    if (e->root)
        return 0;
    char said[VALUE_SHOWN * 2];
    copy_shown(said, sizeof said, error.text);
    return event_fail(e, "The event is no valid JSON: line %d, column %d: %s.", error.line,
                      error.column, said);
}

void event_close(struct event *e)
{
    json_decref(e->root);
    e->root = NULL;
}

/* ---- strict ---- */

static json_t *member(const struct event *e, json_t *in, const char *path)
{
    const char *dot = strrchr(path, '.');
    json_t *v = e->has_failed ? NULL : json_object_get(in, dot ? dot + 1 : path);

    return json_is_null(v) ? NULL : v;
}

static void fail_value(struct event *e, const char *path, json_t *v, const char *wanted)
{
    char *dump = json_is_object(v) || json_is_array(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);
    char shown[VALUE_SHOWN];

    copy_shown(shown, sizeof shown, dump ? dump : json_is_array(v) ? "a list" : "an object");
    event_fail(e, "%s is %s; it must be %s.", path, shown, wanted);
    free(dump);
}

json_t *event_object(struct event *e, json_t *in, const char *path)
{
    json_t *v = member(e, in, path);

    if (!v || json_is_object(v))
        return v;
    fail_value(e, path, v, "an object");
    return NULL;
}

const char *event_text(struct event *e, json_t *in, const char *path)
{
    json_t *v = member(e, in, path);

    if (!v)
        return "";
    if (json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v))
        return json_string_value(v);
    fail_value(e, path, v, "a text without NUL");
    return "";
}

/* 64-bit integers are texts in the JSON form of protobuf, and may be so in all places. */
uint32_t event_number(struct event *e, json_t *in, const char *path, uint32_t max)
{
    char wanted[64];
    json_t *v = member(e, in, path);

    if (!v)
        return 0;
    const char *text = json_is_string(v) ? json_string_value(v) : NULL;
    double d = json_is_number(v) ? json_number_value(v) : NAN;
    if (text && *text && strlen(text) <= 10 && text[strspn(text, "0123456789")] == '\0')
        d = strtod(text, NULL);
    if (d >= 0 && d <= max && floor(d) == d)
        return (uint32_t)d;
    snprintf(wanted, sizeof wanted, "a whole number from 0 to %" PRIu32, max);
    fail_value(e, path, v, wanted);
    return 0;
}

bool event_bool(struct event *e, json_t *in, const char *path)
{
    json_t *v = member(e, in, path);

    if (v && !json_is_boolean(v))
        fail_value(e, path, v, "true or false");
    return json_is_true(v);
}

int64_t event_time(struct event *e, json_t *in, const char *path)
{
    json_t *v = member(e, in, path);

    if (!v)
        return INT64_MIN;
    int64_t ms = json_is_string(v) ? event_read_time(json_string_value(v)) : INT64_MIN;
    if (ms == INT64_MIN)
        fail_value(e, path, v, "a time such as \"2026-11-22T07:09:30.125Z\"");
    return ms;
}

uint64_t event_hex(struct event *e, json_t *in, const char *path, size_t digits)
{
    char wanted[48];
    json_t *v = member(e, in, path);

    if (!v)
        return 0;
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    if (json_string_length(v) == digits && strspn(text, "0123456789abcdefABCDEF") == digits)
        return strtoull(text, NULL, 16);
    snprintf(wanted, sizeof wanted, "%zu hexadecimal digits", digits);
    fail_value(e, path, v, wanted);
    return 0;
}

void event_payload(struct event *e, json_t *in, const char *path, struct feed_message *m)
{
    json_t *v = member(e, in, path);
    size_t n = 0;

    if (!v)
        return;
    int rc = json_is_string(v) ? base64_decode(json_string_value(v), json_string_length(v),
                                               m->payload, FEED_PAYLOAD_MAX, &n)
                               : -EINVAL;
    if (rc == -EMSGSIZE)
        event_fail(e, "%s has more than %d bytes, which no LoRaWAN frame carries.", path,
                   FEED_PAYLOAD_MAX);
    else if (rc < 0)
        fail_value(e, path, v, "base64");
    else
        m->n = (uint8_t)n;
}

/* ---- lenient ---- */

double event_real(json_t *in, const char *key, double absent)
{
    json_t *v = json_object_get(in, key);
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    char *end;

    if (json_is_number(v))
        return json_number_value(v);
    double d = strtod(text, &end);
    bool is_whole = end != text && (*end == '\0' || strcmp(end, "s") == 0); /* durations */
    return is_whole && isfinite(d) ? d : absent;
}

/* Two digits and what must follow them; -1: they are not that. */
static int two_digits(const char **p, int max, const char *behind)
{
    const char *t = *p;

    if (!isdigit((unsigned char)t[0]) || !isdigit((unsigned char)t[1]))
        return -1;
    int v = (t[0] - '0') * 10 + t[1] - '0';
    if (*behind && !(t[2] && strchr(behind, t[2])))
        return -1;
    *p += *behind ? 3 : 2;
    return v <= max ? v : -1;
}

/* Fraction of a second, as far as milliseconds go. */
static int read_ms(const char **p)
{
    int ms = 0, scale = 100;

    if (**p != '.')
        return 0;
    for ((*p)++; isdigit((unsigned char)**p); (*p)++, scale /= 10)
        ms += (**p - '0') * scale;
    return ms;
}

static bool read_zone(const char *p, int64_t *ret_ms)
{
    int sign = *p == '-' ? -1 : 1;

    *ret_ms = 0;
    if ((*p == 'Z' || *p == 'z') && p[1] == '\0')
        return true;
    if (*p != '+' && *p != '-')
        return false;
    p++;
    int hour = two_digits(&p, 23, ":");
    int minute = hour < 0 ? -1 : two_digits(&p, 59, "");
    *ret_ms = (int64_t)sign * (hour * 60 + minute) * 60000;
    return minute >= 0 && *p == '\0';
}

int64_t event_read_time(const char *text)
{
    struct tm tm = { .tm_mon = 0 };
    const char *p = text;
    int64_t zone_ms;

    if (strlen(text) > TIME_LENGTH_MAX)
        return INT64_MIN;
    int century = two_digits(&p, 99, "");
    int year = century < 0 ? -1 : two_digits(&p, 99, "-");
    int month = year < 0 ? -1 : two_digits(&p, 12, "-");
    tm.tm_mday = month < 1 ? -1 : two_digits(&p, 31, "Tt ");
    tm.tm_hour = tm.tm_mday < 1 ? -1 : two_digits(&p, 23, ":");
    tm.tm_min = tm.tm_hour < 0 ? -1 : two_digits(&p, 59, ":");
    int second = tm.tm_min < 0 ? -1 : two_digits(&p, 60, ""), day = tm.tm_mday;
    if (second < 0)
        return INT64_MIN;
    tm.tm_year = century * 100 + year - 1900;
    tm.tm_mon = month - 1;
    int ms = read_ms(&p);
    int64_t s = timegm(&tm) + second;
    if (tm.tm_mday != day || !read_zone(p, &zone_ms)) /* the day: 30 February became March */
        return INT64_MIN;
    return s * 1000 + ms - zone_ms;
}

void event_copy(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);

    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

char *event_dump(json_t *object)
{
    /* 15 digits: what was written as 21.3 is 21.3 again */
    char *text = json_is_object(object)
                     ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15))
                     : NULL;

    if (text && strlen(text) > FEED_OBJECT_MAX) {
        free(text);
        return NULL;
    }
    return text;
}

void event_rate(json_t *modulation, const struct event_radio *r, char *out, size_t size)
{
    json_t *lora = json_object_get(modulation, r->lora);
    json_t *fsk = json_object_get(modulation, r->fsk);
    double sf = event_real(lora, r->spreading, 0), bw = event_real(lora, r->bandwidth, 0);
    double bits = event_real(fsk, r->bitrate, 0);

    *out = '\0';
    if (sf >= 5 && sf <= 12 && bw > 0 && bw < 10e6)
        snprintf(out, size, "SF%dBW%d", (int)sf, (int)(bw / 1000));
    else if (bits > 0 && bits < 10e6)
        snprintf(out, size, "FSK%d", (int)(bits / 1000));
    else if (json_object_get(modulation, r->fhss))
        snprintf(out, size, "LR-FHSS");
}

/* ---- what both servers share ---- */

json_t *event_receptions(json_t *list, struct feed_message *m)
{
    size_t i;
    json_t *rx, *best = NULL;

    json_array_foreach(list, i, rx)
    {
        if (!json_is_object(rx))
            continue;
        m->gateways++;
        if (!best || event_real(rx, "rssi", 0) > event_real(best, "rssi", 0))
            best = rx;
    }
    if (!best)
        return NULL;
    m->rssi = (float)event_real(best, "rssi", 0);
    m->snr = (float)event_real(best, "snr", 0); /* absent when exactly 0 */
    return best;
}

uint32_t event_frequency(json_t *in)
{
    double hz = event_real(in, "frequency", 0);

    return hz > 0 && hz < UINT32_MAX ? (uint32_t)hz : 0;
}

void event_init_message(struct feed_message *m, enum feed_kind kind)
{
    *m = (struct feed_message){
        .kind = kind, .time_ms = INT64_MIN, .rssi = NAN, .snr = NAN, .battery = -2
    };
}

/* FNV-1a */
uint64_t event_hash(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

void event_second_key(struct feed_message *m)
{
    uint64_t content = event_hash(m->payload, m->n) ^ m->fport;

    snprintf(m->key[1], sizeof m->key[1],
             "%016" PRIx64 "/%08" PRIx32 "/%" PRIu32 "/%016" PRIx64, m->dev_eui, m->dev_addr,
             m->fcnt, content);
}

bool feed_message_is_measurement(const struct feed_message *m)
{
    enum { FPORT_APPLICATION_MAX = 223 };

    return m->kind == FEED_UPLINK && !m->is_simulated && m->fport >= 1 &&
           m->fport <= FPORT_APPLICATION_MAX;
}
