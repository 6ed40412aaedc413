/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to stations, and when: acknowledgements, and questions for missing frames. */
#include "gateway/ingest/state.h"
#include "gateway/uplink/mqtt_message.h"

/* Behind those that are due no later: as good as always the last place, or the first. */
static void link_due(struct centre *c, struct run *r)
{
    struct run *before = c->due_last;

    while (before && before->due_ms > r->due_ms)
        before = before->due_prev;
    r->due_prev = before;
    r->due_next = before ? before->due_next : c->due;
    *(before ? &before->due_next : &c->due) = r;
    *(r->due_next ? &r->due_next->due_prev : &c->due_last) = r;
    r->is_due = true;
}

void run_be_silent(struct centre *c, struct run *r)
{
    if (!r->is_due)
        return;
    *(r->due_prev ? &r->due_prev->due_next : &c->due) = r->due_next;
    *(r->due_next ? &r->due_next->due_prev : &c->due_last) = r->due_prev;
    r->is_due = false;
}

void run_speak(struct centre *c, struct run *r, int64_t due_ms)
{
    if (r->is_gone || (r->is_due && r->due_ms <= due_ms))
        return;
    run_be_silent(c, r);
    r->due_ms = due_ms;
    link_due(c, r);
}

/* Nothing is asked for that could not be kept. */
static bool has_room(const struct centre *c)
{
    return c->kept_bytes < c->o.limits.kept_bytes / 4 * 3;
}

static bool is_ripe(const struct segment *s, int64_t now_ms, uint32_t *ret_from)
{
    return s->ask_ms <= now_ms && segment_lacks(s, ret_from);
}

/* Questions that have become due again. */
static void scan_gaps(struct centre *c, int64_t now_ms)
{
    uint32_t from;

    if (now_ms < c->gap_scan_ms)
        return;
    c->gap_scan_ms = now_ms + STATE_GAP_SCAN_MS;
    c->now_ms = now_ms;
    centre_close_idle(c);
    for (struct segment *s = has_room(c) ? c->newest : NULL; s; s = s->older)
        if (is_ripe(s, now_ms, &from))
            run_speak(c, s->run, now_ms);
}

/* Writes the questions of one run; the segments into `asked`. */
static size_t collect_needs(const struct run *r, int64_t now_ms, struct uplink_need *need,
                            struct segment **asked)
{
    size_t n = 0;
    uint32_t from;

    for (size_t i = 0; i < r->streams_n && n < MQTT_ACK_NEEDS; i++)
        for (struct segment *s = r->streams[i]->segments; s && n < MQTT_ACK_NEEDS;
             s = s->next) {
            if (!is_ripe(s, now_ms, &from))
                continue;
            asked[n] = s;
            need[n++] = (struct uplink_need){ s->stream, s->number, from };
        }
    return n;
}

bool centre_next_ack(struct centre *c, int64_t now_ms, struct centre_ack *ret)
{
    struct segment *asked[MQTT_ACK_NEEDS];

    scan_gaps(c, now_ms);
    while (c->due && c->due->due_ms <= now_ms) {
        struct run *r = c->due;
        ret->topic = r->station->ack_topic;
        ret->epoch = r->epoch;
        ret->acked = r->ledger.acked;
        ret->acked_n =
            r->ledger.acked_n < MQTT_ACK_RANGES ? r->ledger.acked_n : MQTT_ACK_RANGES;
        ret->need_n = has_room(c) ? collect_needs(r, now_ms, ret->need, asked) : 0;
        ret->refused = r->refused;
        ret->refused_n = r->refused_n;
        if (ret->acked_n || ret->need_n || ret->refused_n)
            return true;
        run_be_silent(c, r);
    }
    return false;
}

void centre_ack_sent(struct centre *c, int64_t now_ms)
{
    struct uplink_need need[MQTT_ACK_NEEDS];
    struct segment *asked[MQTT_ACK_NEEDS];
    struct run *r = c->due;

    if (!r)
        return;
    size_t n = has_room(c) ? collect_needs(r, now_ms, need, asked) : 0;
    for (size_t i = 0; i < n; i++)
        segment_asked(asked[i], now_ms);
    ledger_published(&r->ledger, MQTT_ACK_RANGES);
    r->refused_n = r->unsaid = 0;
    if (r->ledger.acked_n == 0 && n < MQTT_ACK_NEEDS)
        run_be_silent(c, r);
}
