/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/centre.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/state.h"

enum { TEXT_MAX = 400 };

static const struct centre_limits default_limits = {
    .stations = 4096,
    .streams = 1024,
    .kept_bytes = 256u << 20,
    .kept_station_bytes = 32u << 20,
    .state_bytes = 512u << 20,
    .layout_bytes = 128u << 20,
};

/* ---- life ---- */

static void set_limit(size_t *limit, size_t dflt)
{
    if (*limit == 0)
        *limit = dflt;
}

static void set_limits(struct centre_limits *l)
{
    set_limit(&l->stations, default_limits.stations);
    set_limit(&l->streams, default_limits.streams);
    set_limit(&l->kept_bytes, default_limits.kept_bytes);
    set_limit(&l->kept_station_bytes, default_limits.kept_station_bytes);
    set_limit(&l->state_bytes, default_limits.state_bytes);
    set_limit(&l->layout_bytes, default_limits.layout_bytes);
}

int centre_create(const struct centre_options *o, struct centre **ret)
{
    struct centre *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->o = *o;
    set_limits(&c->o.limits);
    c->queue_end = &c->queue;
    c->database = UPLINK_SENT;
    for (c->stations_cap = 16; c->stations_cap < c->o.limits.stations * 2;)
        c->stations_cap *= 2;
    c->stations = calloc(c->stations_cap, sizeof *c->stations);
    c->sending = &c->boxes[0];
    c->filling = &c->boxes[1];
    if (!c->stations || outbox_init(&c->boxes[0]) < 0 || outbox_init(&c->boxes[1]) < 0 ||
        journal_init(&c->journal) < 0) {
        centre_destroy(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

void centre_destroy(struct centre *c)
{
    if (!c)
        return;
    writing_forget(c);
    for (size_t i = 0; c->stations && i < c->stations_cap; i++)
        station_destroy(c, c->stations[i]);
    outbox_done(&c->boxes[0]);
    outbox_done(&c->boxes[1]);
    journal_done(&c->journal);
    free(c->stations);
    free(c);
}

const struct centre_counts *centre_counts(const struct centre *c)
{
    return &c->counts;
}

/* ---- words for the log ---- */

void centre_tell(struct centre *c, enum log_level level, const char *text)
{
    if (c->o.tell)
        c->o.tell(c->o.user, level, text);
}

/* "Station x: ... (37 more like this)" */
void centre_complain(struct centre *c, enum complaint kind, enum log_level level,
                     const struct station *s, const char *format, ...)
{
    struct complaint_state *state = &c->complaints[kind];
    char what[TEXT_MAX], text[TEXT_MAX + 160], more[48] = "";
    va_list args;

    if (state->was_told && c->now_ms - state->told_ms < STATE_TELL_MS) {
        state->silent++;
        return;
    }
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (state->silent)
        snprintf(more, sizeof more, " (%" PRIu64 " more like this)", state->silent);
    snprintf(text, sizeof text, "%s%s%s%s%s", s ? "Station " : "", s ? s->name.station : "",
             s ? ": " : "", what, more);
    centre_tell(c, level, text);
    *state = (struct complaint_state){ .told_ms = c->now_ms, .was_told = true };
}

/* ---- messages in ---- */

void centre_take(struct centre *c, const char *topic, const void *data, size_t size,
                 int64_t now_ms)
{
    struct mqtt_topic t;

    c->now_ms = now_ms;
    if (mqtt_topic_parse(topic, strlen(topic), &t) < 0) {
        c->counts.malformed++;
        centre_complain(c, COMPLAIN_TOPIC, LOG_WARNING, NULL,
                        "A message to a topic that no station uses is dropped: '%.80s'", topic);
        return;
    }
    if (t.leaf != MQTT_SERIES && t.leaf != MQTT_EVENT && t.leaf != MQTT_LAYOUT)
        return;
    struct station *s = station_get(c, &t);
    if (!s)
        return;
    s->heard_ms = now_ms;
    if (t.leaf == MQTT_SERIES)
        arrive_series(c, s, data, size);
    else if (t.leaf == MQTT_EVENT)
        arrive_event(c, s, data, size);
    else
        arrive_layout(c, s, t.layout, data, size);
}
