/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/alertmanager_alert.h"

#include <string.h>

#include "gateway/base/clock.h"

static void put(json_t *o, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(o, name, json_string(text));
}

static void put_when(json_t *o, const char *name, int64_t ms)
{
    char when[TIME_TEXT_MAX];

    time_print_utc(ms, when);
    put(o, name, when);
}

static json_t *labels_of(const struct alert_event *e, const struct uplink_station *station,
                         const char *severity)
{
    json_t *o = json_object();
    const char *episode = strrchr(e->key, '/');

    put(o, "alertname", e->is_notice ? alert_event_text(e, "what") : e->rule);
    put(o, "kind", e->is_notice ? "notice" : "environmental");
    put(o, "station", station->id);
    put(o, "region", station->region);
    put(o, "severity", severity);
    put(o, "channel", e->channel);
    put(o, "device", e->device);
    put(o, "quantity", e->quantity);
    put(o, "medium", e->medium);
    put(o, "episode", episode ? episode + 1 : NULL);
    if (!e->is_notice)
        return o;
    put(o, "subject", alert_event_text(e, "subject"));
    put(o, "fault", alert_event_text(e, "fault"));
    return o;
}

static json_t *annotations_of(const struct alert_event *e)
{
    static const char *const numbers[] = { "value", "limit", "extreme", "number", "flag" };
    static const char *const texts[] = { "unit",    "level",   "peak",     "direction",
                                         "state",   "actor",   "note",     "key",
                                         "verdict", "version", "assigned", "crossing" };
    json_t *o = json_object();
    char text[ALERT_NUMBER_MAX];

    put(o, "summary", alert_event_in(e, e->is_notice ? "text" : "title", "en"));
    put(o, "summary_zh", alert_event_in(e, e->is_notice ? "text" : "title", "zh"));
    if (e->is_notice)
        return o;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put(o, numbers[i], alert_event_number(e, numbers[i], text));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        put(o, texts[i], alert_event_text(e, texts[i]));
    return o;
}

/* A notice that has no end stands for an hour. */
static int64_t end_of(const struct alert_event *e, int64_t start_ms,
                      const struct alertmanager_times *t)
{
    const bool is_single = e->is_notice && !*e->what;
    int64_t end_ms = !alert_event_stands(e) ? e->time_ms + t->ahead_ms
                     : is_single            ? e->time_ms + t->ahead_ms + INT64_C(3600000)
                                            : t->now_ms + t->keep_ms;

    return end_ms > start_ms ? end_ms : start_ms + 1;
}

json_t *alertmanager_alert(const struct alert_event *e, const struct uplink_station *station,
                           const char *severity, const struct alertmanager_times *t)
{
    json_t *o = json_object();
    const int64_t start_ms = (e->raised_ms > 0 ? e->raised_ms : e->time_ms) + t->ahead_ms;
    const bool is_end_alone = e->is_notice && !alert_event_stands(e);

    json_object_set_new(o, "labels", labels_of(e, station, severity));
    json_object_set_new(o, "annotations", annotations_of(e));
    if (!is_end_alone) /* when a fault began its end does not say */
        put_when(o, "startsAt", start_ms);
    put_when(o, "endsAt", end_of(e, is_end_alone ? 0 : start_ms, t));
    return o;
}

void alertmanager_set_end(json_t *alert, int64_t end_ms)
{
    put_when(alert, "endsAt", end_ms);
}
