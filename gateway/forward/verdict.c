/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/verdict.h"

#include <stdio.h>

#include "gateway/forward/cursor.h"
#include "gateway/forward/lanes.h"
#include "gateway/forward/tell.h"
#include "gateway/forward/trial.h"

/* Without a place in the cursor they stay under way, and go again. */
void verdict_acked(struct follow *f, uint64_t from, uint64_t to)
{
    isolate_drop(&f->isolate, from, to);
    if (!cursor_ack(&f->cursor, from, to)) {
        f->has_passed_over = true;
        return;
    }
    f->is_cursor_new = true;
    window_ack(&f->window, from, to);
}

void verdict_later(struct follow *f, const struct uplink_report *why, int64_t now_ms)
{
    int64_t wait = backoff_next(&f->backoff, random_u32());

    f->wait_until_ms = now_ms + (why->retry_after_ms > wait ? why->retry_after_ms : wait);
    tell_connected(f, false, why->text);
    if (f->fu->kind->is_windowed)
        lanes_restart(f); /* what was under way is lost with the connection */
}

void verdict_denied(struct follow *f, const char *text, int64_t now_ms)
{
    if (!f->is_denied)
        tell_denied(f, text);
    f->is_denied = true;
    f->is_connected = false;
    snprintf(f->status.error, sizeof f->status.error, "%s", text);
    f->wait_until_ms = now_ms + f->times.denied_ms;
    if (f->fu->kind->is_windowed)
        lanes_restart(f);
    else if (f->origin != FROM_LANES)
        batch_clear(&f->batch);
}

bool verdict_put_aside(struct follow *f, uint64_t seq, const char *why, int64_t now_ms)
{
    if (cursor_has(&f->cursor, seq)) { /* delivered by the other of a pair, or told before */
        verdict_acked(f, seq, seq);
        return true;
    }
    if (store_set_aside(f->o->store, follow_cursor_id(f), seq, why) < 0) {
        f->wait_until_ms = now_ms + FOLLOW_LOG_BUSY_MS;
        return false;
    }
    tell_aside(f, seq, why, now_ms);
    f->status.set_aside++;
    verdict_acked(f, seq, seq);
    return true;
}

void verdict_grow(struct follow *f)
{
    f->limit = f->limit * 2 < BATCH_ENTRIES_MAX ? f->limit * 2 : BATCH_ENTRIES_MAX;
}

static void take_later(struct follow *f, size_t n, const struct uplink_report *why,
                       int64_t now_ms)
{
    if (f->batch.n > 0 && f->origin != FROM_LANES) {
        if (trial_failed(f, n, why, now_ms))
            return;
    } else {
        trial_suspect(f, n, why);
    }
    verdict_later(f, why, now_ms);
}

static void take_refused(struct follow *f, size_t n, const char *why, int64_t now_ms)
{
    if (f->origin != FROM_LANES && trial_refused(f, n, now_ms))
        return;
    if (n > 1)
        f->limit = n / 2;
    else if (verdict_put_aside(f, f->batch.entries[f->batch.begin].seq, why, now_ms))
        batch_advance(&f->batch, 1);
}

static void take_delivered(struct follow *f, size_t n, int64_t now_ms)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t seq = f->batch.entries[f->batch.begin + i].seq;
        verdict_acked(f, seq, seq);
    }
    f->status.sent += n;
    backoff_reset(&f->backoff);
    tell_connected(f, true, "");
    trial_delivered(f, n, now_ms);
    batch_advance(&f->batch, n);
    verdict_grow(f);
}

static void take_sent(struct follow *f, size_t n, int64_t now_ms)
{
    for (size_t i = 0; i < n; i++) {
        const struct uplink_entry *e = &f->batch.entries[f->batch.begin + i];
        if (!cursor_has(&f->cursor, e->seq)) /* asked for again by "need": not waited for */
            window_sent(&f->window, e->seq, (uint32_t)e->size, now_ms);
    }
    f->status.sent += n;
    backoff_reset(&f->backoff);
    tell_connected(f, true, "");
    batch_advance(&f->batch, n);
}

void verdict_take(struct follow *f, enum uplink_verdict v, size_t n,
                  const struct uplink_report *why, int64_t now_ms)
{
    switch (v) {
    case UPLINK_DELIVERED:
        take_delivered(f, n, now_ms);
        break;
    case UPLINK_SENT:
        take_sent(f, n, now_ms);
        break;
    case UPLINK_LATER:
        take_later(f, n, why, now_ms);
        break;
    case UPLINK_REFUSED:
        if (n > 0)
            take_refused(f, n, why->text, now_ms);
        else
            take_later(f, n, why, now_ms);
        break;
    case UPLINK_DENIED:
        verdict_denied(f, why->text, now_ms);
        break;
    }
}

bool verdict_skip_undecodable(struct follow *f, int64_t now_ms)
{
    const struct uplink_entry *e = &f->batch.entries[f->batch.begin];

    if (!f->fu->kind->wants_rows || e->is_event || e->frame)
        return false;
    if (f->origin == FROM_ASIDE)
        trial_refused(f, 1, now_ms);
    else if (verdict_put_aside(
                 f, e->seq, "the frame cannot be decoded from what the log still has", now_ms))
        batch_advance(&f->batch, 1);
    return true;
}
