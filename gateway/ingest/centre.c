/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/centre.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/state.h"

enum {
    TEXT_MAX = 400,
    CHUNK_LINES = 500, /* written at once: between two looks at the size of the batch */
    WAIT_MAX_MS = 1000,
};

#define FUTURE_MAX_MS INT64_C(172800000) /* two days: what databases drop in silence */

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
    if (!c->stations || outbox_init(&c->outbox) < 0) {
        centre_destroy(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

static void settle_item(struct centre *c, struct item *i)
{
    if (i->segment)
        i->segment->queued--;
    item_release(c, i);
}

static void forget_all(struct centre *c)
{
    for (size_t i = c->outbox.settled_n; i < c->outbox.marks_n; i++)
        settle_item(c, c->outbox.marks[i].item);
    if (c->current)
        settle_item(c, c->current);
    while (c->queue) {
        struct item *i = c->queue;
        c->queue = i->next;
        settle_item(c, i);
    }
}

void centre_destroy(struct centre *c)
{
    if (!c)
        return;
    forget_all(c);
    for (size_t i = 0; c->stations && i < c->stations_cap; i++)
        station_destroy(c, c->stations[i]);
    outbox_done(&c->outbox);
    free(c->stations);
    free(c);
}

const struct centre_counts *centre_counts(const struct centre *c)
{
    return &c->counts;
}

/* ---- words for the log ---- */

static void tell(struct centre *c, enum log_level level, const char *text)
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
    tell(c, level, text);
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
    if (t.leaf == MQTT_SERIES)
        arrive_series(c, s, data, size);
    else if (t.leaf == MQTT_EVENT)
        arrive_event(c, s, data, size);
    else
        arrive_layout(c, s, t.layout, data, size);
}

/* ---- lines out ---- */

static struct item *dequeue(struct centre *c)
{
    struct item *i = c->queue;

    c->queue = i->next;
    if (!c->queue)
        c->queue_end = &c->queue;
    return i;
}

static void count_rows(struct centre *c, const struct item *i, const struct line_counts *n)
{
    c->outbox.lines += n->lines;
    c->counts.refused_rows += n->rows_refused;
    if (n->rows_refused)
        centre_complain(c, COMPLAIN_ROWS, LOG_WARNING, i->run->station,
                        "Rows whose time is before 1970 or more than two days ahead are left "
                        "out, since databases drop them in silence; entry=%" PRIu64 " rows=%zu",
                        i->seq, n->rows_refused);
}

static bool put_event(struct centre *c, struct item *i, int64_t latest_ms)
{
    struct line_counts n;

    if (line_write_event(&c->outbox.text, (const char *)i->data, i->size,
                         i->run->station->name.station, latest_ms, &n) < 0)
        return false;
    count_rows(c, i, &n);
    outbox_mark(&c->outbox, i);
    return true;
}

/* Nothing of it is acknowledged: a later version may be able to read it. Short memory passes:
 * the segment is only begun anew. */
static void give_up_segment(struct centre *c, struct item *i, int rc, const char *why)
{
    struct segment *s = i->segment;

    s->broken = rc;
    segment_drop_aside(c, s);
    c->counts.undecodable++;
    centre_complain(c, COMPLAIN_UNDECODABLE, LOG_ERROR, i->run->station,
                    "Entry %" PRIu64 " cannot be read, nor what follows it in segment %" PRIu32
                    " of stream %" PRIu32 "; not acknowledged: %s.",
                    i->seq, s->number, s->stream, why);
}

/* Unwritten and unacknowledged. */
static void skip(struct centre *c, struct item *i)
{
    struct segment *s = i->segment;
    bool is_over = s->broken == -ENOMEM && s->queued == 1;
    bool goes_with_run = i->run->is_gone && i->run->items == 1;

    settle_item(c, i);
    if (is_over && !goes_with_run)
        segment_close(c, s);
}

static void begin_frame(struct centre *c, struct item *i)
{
    struct segment *s = i->segment;
    size_t before = segment_bytes(s);

    int rc = s->broken ? s->broken : segment_decode(s, i, &c->frame);
    if (!s->broken)
        segment_used(c, s, before);
    if (rc < 0 && !s->broken)
        give_up_segment(c, i, rc, series_error_text(rc));
    if (rc < 0 || i->is_replay) {
        skip(c, i);
        return;
    }
    c->current = i;
    c->row = 0;
}

static void end_frame(struct centre *c)
{
    outbox_mark(&c->outbox, c->current);
    c->current = NULL;
}

/* The next rows of the current frame. False when memory is short. */
static bool put_rows(struct centre *c, int64_t latest_ms)
{
    const struct line_layout *l = c->current->segment->layout;
    uint32_t step = CHUNK_LINES / line_layout_columns(l);
    uint32_t last = c->row + (step ? step : 1) - 1;
    struct line_counts n;

    if (last >= c->frame.info.rows)
        last = c->frame.info.rows - 1;
    int rc = line_write_rows(&c->outbox.text, l, &c->frame, c->row, last, latest_ms, &n);
    if (rc == -EINVAL) {
        struct item *i = c->current;
        c->current = NULL;
        give_up_segment(c, i, rc, "its columns are not those of its dictionary");
        skip(c, i);
        return true;
    }
    if (rc < 0)
        return false;
    count_rows(c, c->current, &n);
    c->row = last + 1;
    if (c->row == c->frame.info.rows)
        end_frame(c);
    return true;
}

static bool put_something(struct centre *c, int64_t latest_ms)
{
    if (c->current)
        return put_rows(c, latest_ms);
    struct item *i = c->queue;
    if (!i->segment) {
        bool is_put = put_event(c, i, latest_ms);
        if (is_put)
            dequeue(c);
        return is_put;
    }
    begin_frame(c, dequeue(c));
    return true;
}

static bool is_worth_a_post(const struct centre *c)
{
    if (c->current)
        return true;
    if (!c->queue)
        return false;
    return c->kept_bytes - c->aside_bytes >= STATE_READY_BYTES ||
           c->now_ms - c->queue->came_ms >= STATE_LINGER_MS;
}

static void store(struct centre *c, const struct outbox_mark *m)
{
    struct item *i = m->item;

    if (m->refused)
        centre_complain(c, COMPLAIN_REFUSED, LOG_ERROR, i->run->station,
                        "The database refuses %" PRIu32 " lines of entry %" PRIu64
                        ", which are lost there: %s",
                        m->refused, i->seq, m->why);
    c->counts.entries++;
    ledger_store(&i->run->ledger, i->seq, i->crc);
    run_speak(c, i->run, c->now_ms + c->o.ack_interval_ms);
    settle_item(c, i);
}

static void settle(struct centre *c)
{
    for (const struct outbox_mark *m; (m = outbox_settled(&c->outbox));)
        store(c, m);
}

static void fill(struct centre *c, int64_t latest_ms)
{
    while (!outbox_is_full(&c->outbox) && (c->current || c->queue))
        if (!put_something(c, latest_ms))
            break;
    if (!outbox_is_empty(&c->outbox))
        outbox_close(&c->outbox);
    settle(c); /* entries without lines have nothing to wait for */
}

const char *centre_next_post(struct centre *c, int64_t now_ms, int64_t wall_ms,
                             size_t *ret_size)
{
    int64_t wait;

    c->now_ms = now_ms;
    if (!c->outbox.is_closed && is_worth_a_post(c))
        fill(c, wall_ms + FUTURE_MAX_MS);
    return outbox_next(&c->outbox, now_ms, ret_size, &wait);
}

/* State changes only. */
static void note_database(struct centre *c, const struct uplink_report *why)
{
    char text[TEXT_MAX];
    enum uplink_verdict v = c->outbox.state;

    if (v == c->database)
        return;
    if (v == UPLINK_DELIVERED)
        snprintf(text, sizeof text, "database answers");
    else if (v == UPLINK_DENIED)
        snprintf(text, sizeof text,
                 "database denies us, trying again every %d s, nothing is acknowledged: %s",
                 OUTBOX_DENIED_MS / 1000, why->text);
    else
        snprintf(text, sizeof text, "database does not take lines, they are kept: %s",
                 why->text);
    tell(c,
         v == UPLINK_DELIVERED ? LOG_NOTICE
         : v == UPLINK_DENIED  ? LOG_ERROR
                               : LOG_WARNING,
         text);
    c->database = v;
}

void centre_answer(struct centre *c, int64_t now_ms, enum uplink_verdict v,
                   const struct uplink_report *why)
{
    size_t before = c->outbox.from;

    c->now_ms = now_ms;
    bool is_line_refused = outbox_answer(&c->outbox, now_ms, v, why);
    if (is_line_refused)
        c->counts.refused_lines++;
    else
        for (size_t i = before; i < c->outbox.from; i++)
            c->counts.lines += c->outbox.text.data[i] == '\n';
    note_database(c, why);
    settle(c);
}

int64_t centre_wait_ms(struct centre *c, int64_t now_ms, bool is_posting)
{
    int64_t wait = WAIT_MAX_MS, left;
    size_t size;

    if (c->newest && STATE_GAP_SCAN_MS < wait)
        wait = STATE_GAP_SCAN_MS;
    if (c->due && c->due->due_ms - now_ms < wait)
        wait = c->due->due_ms - now_ms;
    if (!is_posting && c->outbox.is_closed) {
        if (outbox_next(&c->outbox, now_ms, &size, &left))
            left = 0;
        wait = left < wait ? left : wait;
    } else if (!is_posting && (c->current || c->queue)) {
        left = c->current ? 0 : c->queue->came_ms + STATE_LINGER_MS - now_ms;
        wait = left < wait ? left : wait;
    }
    return wait > 0 ? wait : 0;
}
