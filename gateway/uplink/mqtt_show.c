/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/mqtt_show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/mqtt_link.h"
#include "gateway/uplink/mqtt_message.h"
#include "gateway/uplink/mqtt_topic.h"

enum {
    HEX_COLUMNS = 32,   /* bytes of a line */
    ANNOUNCED_MAX = 64, /* layouts told once; more are told again */
};

struct show {
    const struct uplink_station *station;
    struct buf *out;
    bool is_whole;
    uint32_t announced[ANNOUNCED_MAX];
    size_t announced_n;
    struct buf body, lines; /* the series message that is being filled, and what is in it */
    int rc;
};

static void put_topic(struct show *s, enum mqtt_leaf leaf, uint32_t layout)
{
    struct mqtt_topic t = { .leaf = leaf, .layout = layout };
    char topic[MQTT_TOPIC_MAX];
    int region = snprintf(t.region, sizeof t.region, "%s", s->station->region);
    int station = snprintf(t.station, sizeof t.station, "%s", s->station->id);

    if (region > MQTT_LEVEL_MAX || station > MQTT_LEVEL_MAX || mqtt_topic_print(&t, topic) < 0)
        s->rc = -EINVAL;
    else
        buf_puts(s->out, topic);
}

static void put_hex(struct buf *out, const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (i % HEX_COLUMNS == 0)
            buf_puts(out, "    ");
        bool is_end = i % HEX_COLUMNS == HEX_COLUMNS - 1 || i + 1 == size;
        buf_printf(out, "%02x%s", p[i], is_end ? "\n" : "");
    }
}

static void flush(struct show *s)
{
    if (s->body.size == 0)
        return;
    put_topic(s, MQTT_SERIES, 0);
    buf_printf(s->out, "  qos 1, %zu bytes, epoch %016" PRIx64 "\n", s->body.size,
               s->station->epoch);
    buf_put(s->out, s->lines.data, s->lines.size);
    if (s->is_whole)
        put_hex(s->out, (const uint8_t *)s->body.data, s->body.size);
    buf_clear(&s->body);
    buf_clear(&s->lines);
}

static bool is_announced(struct show *s, uint32_t layout)
{
    for (size_t i = 0; i < s->announced_n; i++)
        if (s->announced[i] == layout)
            return true;
    if (s->announced_n == ANNOUNCED_MAX)
        s->announced_n = 0;
    s->announced[s->announced_n++] = layout;
    return false;
}

/* Goes out before the message that is being filled, once for a connection. */
static void announce(struct show *s, uint32_t layout)
{
    if (layout == 0 || is_announced(s, layout))
        return;
    char *json =
        s->station->layout_json ? s->station->layout_json(s->station->user, layout) : NULL;
    if (!json)
        return;
    put_topic(s, MQTT_LAYOUT, layout);
    buf_printf(s->out, "  qos 1, retained, %zu bytes, once for a connection\n", strlen(json));
    if (s->is_whole)
        buf_printf(s->out, "    %s\n", json);
    free(json);
}

static void put_frame(struct show *s, const struct uplink_entry *e)
{
    struct series_info f;

    announce(s, e->layout);
    if (s->body.size + MQTT_ENTRY_HEAD + e->size > MQTT_PACKET_MAX - MQTT_TOPIC_MAX)
        flush(s);
    if (s->body.size == 0)
        mqtt_series_begin(&s->body, s->station->epoch);
    mqtt_series_add(&s->body, e->seq, e->data, e->size);
    if (series_peek(e->data, e->size, &f) == 0)
        buf_printf(&s->lines,
                   "  entry %" PRIu64 ": frame of stream %" PRIu32 ", segment %" PRIu32
                   ", number %" PRIu32 "%s, %" PRIu32 " row%s, %zu bytes\n",
                   e->seq, f.stream, f.segment, f.seq, f.is_key ? " (key frame)" : "", f.rows,
                   f.rows == 1 ? "" : "s", e->size);
    else
        buf_printf(&s->lines, "  entry %" PRIu64 ": damaged frame, %zu bytes\n", e->seq,
                   e->size);
}

static void put_event(struct show *s, const struct uplink_entry *e)
{
    flush(s);
    put_topic(s, MQTT_EVENT, 0);
    buf_printf(s->out, "  qos 1, %zu bytes, entry %" PRIu64 "\n    %.*s\n", e->size, e->seq,
               (int)e->size, (const char *)e->data);
}

int mqtt_show(const struct uplink_station *station, const struct uplink_batch *b, bool is_whole,
              struct buf *out)
{
    struct show s = { .station = station,
                      .out = out,
                      .is_whole = is_whole,
                      .body = BUF_INIT(MQTT_PACKET_MAX + SERIES_FRAME_MAX),
                      .lines = BUF_INIT(MQTT_PACKET_MAX) };

    for (size_t i = 0; i < b->n && s.rc == 0; i++) {
        if (b->entries[i].is_event)
            put_event(&s, &b->entries[i]);
        else
            put_frame(&s, &b->entries[i]);
    }
    flush(&s);
    bool has_failed = out->has_failed || s.body.has_failed || s.lines.has_failed;
    buf_done(&s.body);
    buf_done(&s.lines);
    return s.rc == 0 && has_failed ? -ENOSPC : s.rc;
}
