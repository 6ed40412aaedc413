/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/forward/cursor.h"

enum {
    LIMIT_FIRST = BATCH_ENTRIES_MAX,
    EVENTS_FIRST = 64,                    /* newest events sent before a backlog */
    LANES_BEYOND = 2 * BATCH_ENTRIES_MAX, /* entries behind that make a live lane */
    RANGES_SPARE = 64,                    /* of the cursor, kept free for acknowledgements */
    LOG_BUSY_MS = 1000,                   /* after the log could not be read or written */
    STATUS_EVERY_MS = 500,
    IDLE_MS = 60000,
};

static const struct forward_times default_times = {
    .later_first_ms = 200,
    .later_max_ms = 300000,
    .resend_ms = 60000,
    .resend_max_ms = 3600000,
    .overtaken_ms = 5000,
    .denied_ms = 600000,
    .cursor_ms = 1000,
};

static int64_t or_default(int64_t v, int64_t dflt)
{
    return v > 0 ? v : dflt;
}

static struct forward_times fill_times(const struct forward_times *t, int64_t resend_ms)
{
    const struct forward_times *d = &default_times;

    if (!t)
        t = d;
    return (struct forward_times){
        .later_first_ms = or_default(t->later_first_ms, d->later_first_ms),
        .later_max_ms = or_default(t->later_max_ms, d->later_max_ms),
        .resend_ms = or_default(t == d ? 0 : t->resend_ms, or_default(resend_ms, d->resend_ms)),
        .resend_max_ms = or_default(t->resend_max_ms, d->resend_max_ms),
        .overtaken_ms = or_default(t->overtaken_ms, d->overtaken_ms),
        .denied_ms = or_default(t->denied_ms, d->denied_ms),
        .cursor_ms = or_default(t->cursor_ms, d->cursor_ms),
    };
}

/* ---- life ---- */

static bool is_wanted(void *user, uint64_t seq)
{
    struct follow *f = user;

    return !cursor_has(&f->cursor, seq) && !window_has(&f->window, seq);
}

static char *read_layout(void *user, uint32_t layout)
{
    struct follow *f = user;

    return store_read_layout(f->reader, layout);
}

static int open_uplink(struct follow *f)
{
    const struct uplink_kind *kind = f->fu->kind;

    f->station = f->o->station;
    f->station.layout_json = read_layout;
    f->station.user = f;
    int rc = kind->create(f->fu->options, &f->station, &f->u);
    if (rc < 0)
        return rc;
    f->times = fill_times(f->o->times, kind->resend_ms ? kind->resend_ms(f->u) : 0);
    f->backoff = (struct backoff){ f->times.later_first_ms, f->times.later_max_ms, 0 };
    return kind->is_windowed ? window_init(&f->window, f->times.resend_ms,
                                           f->times.resend_max_ms, f->times.overtaken_ms)
                             : 0;
}

int follow_init(struct follow *f, const struct forward_options *o,
                const struct forward_uplink *fu)
{
    memset(f, 0, sizeof *f);
    f->o = o;
    f->fu = fu;
    f->limit = LIMIT_FIRST;
    f->status = (struct forward_status){ .id = fu->id, .kind = fu->kind->name };
    int rc = store_reader_open(o->store, &f->reader);
    if (rc == 0)
        rc = store_cursor_get(f->reader, fu->id, &f->cursor);
    if (rc == 0)
        rc = open_uplink(f);
    batch_init(&f->batch, f->reader, fu->kind->wants_rows, is_wanted, f);
    if (rc < 0) {
        follow_done(f);
        return rc;
    }
    f->next = f->cursor.acked_to + 1;
    f->status.set_aside = store_read_set_aside(f->reader, fu->id);
    return 0;
}

static void keep_cursor(struct follow *f, int64_t now_ms)
{
    if (f->is_cursor_new && store_cursor_set(f->o->store, f->fu->id, &f->cursor) == 0)
        f->is_cursor_new = false;
    f->cursor_ms = now_ms;
}

void follow_done(struct follow *f)
{
    if (f->reader)
        keep_cursor(f, f->cursor_ms);
    if (f->u)
        f->fu->kind->destroy(f->u);
    batch_done(&f->batch);
    window_done(&f->window);
    store_reader_close(f->reader);
    f->u = NULL;
    f->reader = NULL;
}

/* ---- what is told of it ---- */

static bool counts_are_news(const struct follow *f)
{
    const struct forward_status *a = &f->status, *b = &f->told;

    return a->acked_seq != b->acked_seq || a->backlog != b->backlog || a->sent != b->sent ||
           a->set_aside != b->set_aside;
}

static bool state_is_news(const struct follow *f)
{
    return f->status.is_connected != f->told.is_connected ||
           strcmp(f->status.error, f->told.error) != 0;
}

static void tell_status(struct follow *f, uint64_t last, int64_t now_ms)
{
    f->status.is_connected = f->is_connected;
    f->status.acked_seq = f->cursor.acked_to;
    f->status.backlog = cursor_backlog(&f->cursor, last);
    bool is_time = now_ms - f->status_ms >= STATUS_EVERY_MS;
    if (!state_is_news(f) && !(is_time && counts_are_news(f)))
        return;
    f->told = f->status;
    f->status_ms = now_ms;
    if (f->o->on_status)
        f->o->on_status(f->o->user, &f->status);
}

/* One line when it breaks and one when it is well again, not one for every try. */
static void set_connected(struct follow *f, bool is_connected, const char *why)
{
    bool was_in_trouble = f->status.error[0] != '\0';

    if (is_connected && (was_in_trouble || !f->is_connected))
        log_notice("uplink %s: delivers; backlog=%" PRIu64, f->fu->id, f->status.backlog);
    if (!is_connected && !was_in_trouble)
        log_warning("uplink %s: does not deliver, keeping everything: %s", f->fu->id, why);
    f->is_connected = is_connected;
    f->is_denied = f->is_denied && !is_connected;
    snprintf(f->status.error, sizeof f->status.error, "%s", is_connected ? "" : why);
}

/* ---- what became of it ---- */

/* Without a place in the cursor they stay under way, and go again. */
static void mark_acked(struct follow *f, uint64_t from, uint64_t to)
{
    if (!cursor_ack(&f->cursor, from, to))
        return;
    f->is_cursor_new = true;
    window_ack(&f->window, from, to);
}

static void start_again(struct follow *f)
{
    batch_clear(&f->batch);
    window_clear(&f->window);
    f->next = f->cursor.acked_to + 1;
    f->live_from = f->live_next = 0;
    f->needs_n = 0;
}

static void take_later(struct follow *f, const struct uplink_report *why, int64_t now_ms)
{
    int64_t wait = backoff_next(&f->backoff, random_u32());

    f->wait_until_ms = now_ms + (why->retry_after_ms > wait ? why->retry_after_ms : wait);
    set_connected(f, false, why->text);
    if (f->fu->kind->is_windowed)
        start_again(f); /* what was under way is lost with the connection */
}

static void take_denied(struct follow *f, const char *text, int64_t now_ms)
{
    if (!f->is_denied)
        log_error(
            "uplink %s: the destination denies us, keeping everything, next try in %" PRId64
            " s: %s",
            f->fu->id, f->times.denied_ms / 1000, text);
    f->is_denied = true;
    f->is_connected = false;
    snprintf(f->status.error, sizeof f->status.error, "%s", text);
    f->wait_until_ms = now_ms + f->times.denied_ms;
    if (f->fu->kind->is_windowed)
        start_again(f);
}

/* False when the log cannot take it now: the entry is tried again. */
static bool put_aside(struct follow *f, uint64_t seq, const char *why, int64_t now_ms)
{
    if (store_set_aside(f->o->store, f->fu->id, seq, why) < 0) {
        f->wait_until_ms = now_ms + LOG_BUSY_MS;
        return false;
    }
    log_warning("uplink %s: entry refused and set aside: %s; seq=%" PRIu64, f->fu->id, why,
                seq);
    f->status.set_aside++;
    mark_acked(f, seq, seq);
    return true;
}

static void grow_limit(struct follow *f)
{
    f->limit = f->limit * 2 < LIMIT_FIRST ? f->limit * 2 : LIMIT_FIRST;
}

/* The first `n` entries of the batch have been dealt with. */
static void advance(struct follow *f, size_t n)
{
    f->batch.begin += n;
    if (f->batch.begin == f->batch.n)
        batch_clear(&f->batch);
}

static void take_refused(struct follow *f, size_t n, const char *why, int64_t now_ms)
{
    if (n > 1)
        f->limit = n / 2;
    else if (put_aside(f, f->batch.entries[f->batch.begin].seq, why, now_ms))
        advance(f, 1);
}

static void take_delivered(struct follow *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t seq = f->batch.entries[f->batch.begin + i].seq;
        mark_acked(f, seq, seq);
    }
    f->status.sent += n;
    backoff_reset(&f->backoff);
    set_connected(f, true, "");
    advance(f, n);
    grow_limit(f);
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
    set_connected(f, true, "");
    if (n > 0)
        advance(f, n);
}

/* A frame that cannot be decoded any more: its segment was cut by retention, or is damaged. */
static bool skip_undecodable(struct follow *f, int64_t now_ms)
{
    const struct uplink_entry *e = &f->batch.entries[f->batch.begin];

    if (!f->fu->kind->wants_rows || e->is_event || e->frame)
        return false;
    if (put_aside(f, e->seq, "the frame cannot be decoded from what the log still has", now_ms))
        advance(f, 1);
    return true;
}

/* Entries from `begin` on that go in one try; an undecodable one ends it. */
static size_t count_sendable(const struct follow *f)
{
    size_t n = 0, left = f->batch.n - f->batch.begin;

    for (; n < left && n < f->limit; n++) {
        const struct uplink_entry *e = &f->batch.entries[f->batch.begin + n];
        if (f->fu->kind->wants_rows && !e->is_event && !e->frame)
            break;
    }
    return n;
}

static void send_batch(struct follow *f, int64_t now_ms)
{
    struct uplink_report why = { .text = "" };

    if (f->batch.n > 0 && skip_undecodable(f, now_ms))
        return;
    size_t n = count_sendable(f);
    const struct uplink_batch b = { f->batch.entries + f->batch.begin, n };
    switch (f->fu->kind->send(f->u, &b, &why)) {
    case UPLINK_DELIVERED:
        take_delivered(f, n);
        break;
    case UPLINK_SENT:
        take_sent(f, n, now_ms);
        break;
    case UPLINK_LATER:
        take_later(f, &why, now_ms);
        break;
    case UPLINK_REFUSED:
        if (n > 0)
            take_refused(f, n, why.text, now_ms);
        else
            take_later(f, &why, now_ms);
        break;
    case UPLINK_DENIED:
        take_denied(f, why.text, now_ms);
        break;
    }
}

/* ---- acknowledgements ---- */

static void take_need(struct follow *f, const struct uplink_need *need)
{
    for (size_t i = 0; i < f->needs_n; i++)
        if (f->needs[i].stream == need->stream && f->needs[i].segment == need->segment)
            return;
    if (f->needs_n < FOLLOW_NEEDS_MAX)
        f->needs[f->needs_n++] = *need; /* more are asked for again */
}

static void take_refusal(struct follow *f, const struct uplink_refusal *r, int64_t now_ms)
{
    if (r->verdict == UPLINK_DENIED) {
        take_denied(f, r->text, now_ms);
    } else if (r->verdict == UPLINK_REFUSED && r->entries.from == r->entries.to) {
        put_aside(f, r->entries.from, r->text, now_ms);
    } else if (r->verdict == UPLINK_REFUSED) {
        f->limit = 1;
        window_hurry(&f->window, r->entries.from, r->entries.to, now_ms);
    } else {
        snprintf(f->status.error, sizeof f->status.error, "%s", r->text);
    }
}

/* Ranges are checked against the log: a destination cannot acknowledge what was never there. */
static void take_acks(struct follow *f, const struct uplink_acks *acks, uint64_t last,
                      int64_t now_ms)
{
    for (size_t i = 0; i < acks->acked_n; i++) {
        uint64_t to = acks->acked[i].to < last ? acks->acked[i].to : last;
        if (acks->acked[i].from <= to)
            mark_acked(f, acks->acked[i].from, to);
    }
    for (size_t i = 0; i < acks->need_n; i++)
        take_need(f, &acks->need[i]);
    for (size_t i = 0; i < acks->refused_n; i++)
        take_refusal(f, &acks->refused[i], now_ms);
    if (acks->acked_n > 0)
        grow_limit(f);
}

static void collect(struct follow *f, int64_t timeout_ms, uint64_t last, int64_t now_ms)
{
    struct uplink_acks acks;
    bool is_up = f->fu->kind->collect(f->u, timeout_ms, &acks);

    take_acks(f, &acks, last, now_ms);
    if (is_up || !f->is_connected)
        return;
    const struct uplink_report lost = { .text = "connection lost" };
    take_later(f, &lost, now_ms);
}

/* ---- what to send next ---- */

/* Retention went past the cursor: what is gone cannot be sent. */
static void skip_trimmed(struct follow *f)
{
    uint64_t first = store_read_first_seq(f->reader);

    if (first <= f->cursor.acked_to + 1)
        return;
    log_warning("uplink %s: entries were trimmed before they were delivered; from=%" PRIu64
                " to=%" PRIu64,
                f->fu->id, f->cursor.acked_to + 1, first - 1);
    mark_acked(f, f->cursor.acked_to + 1, first - 1);
}

/* What stays in the station counts as acknowledged as soon as everything before it is. */
static void pass_local(struct follow *f, uint64_t last)
{
    while (f->cursor.acked_to < last) {
        uint64_t from = f->cursor.acked_to + 1;
        uint64_t next = store_read_next_shared(f->reader, from);
        if (next <= from)
            return;
        mark_acked(f, from, next - 1 < last ? next - 1 : last);
        if (f->cursor.acked_to < from)
            return;
    }
}

static void choose_lanes(struct follow *f, uint64_t last)
{
    if (f->next <= f->cursor.acked_to)
        f->next = f->cursor.acked_to + 1;
    if (f->live_from == 0 && last >= f->next + LANES_BEYOND) {
        f->live_from = f->live_next = last + 1;
        f->events_first = true;
    } else if (f->live_from > 0 && f->next >= f->live_from) {
        f->next = f->live_next;
        f->live_from = f->live_next = 0;
    }
}

static bool may_send_more(const struct follow *f)
{
    if (!f->fu->kind->is_windowed)
        return true;
    return !window_is_full(&f->window) && f->cursor.above_n < STORE_RANGES_MAX - RANGES_SPARE;
}

static int read_lane(struct follow *f, uint64_t *next, uint64_t to, enum batch_lane lane)
{
    uint64_t from = *next;
    int rc = batch_read_range(&f->batch, from, to, f->limit, lane);

    if (rc == 0)
        *next = f->batch.examined_to >= from ? f->batch.examined_to + 1 : to + 1;
    return rc;
}

static int read_due(struct follow *f, int64_t now_ms)
{
    uint64_t due[BATCH_ENTRIES_MAX];
    size_t n = window_due(&f->window, now_ms, due, f->limit);

    if (n == 0)
        return 0;
    int rc = batch_read_list(&f->batch, due, n, LANE_BACKLOG);
    if (rc == 0 && f->batch.n == 0) /* trimmed meanwhile */
        window_ack(&f->window, due[0], due[0]);
    return rc;
}

static int read_new(struct follow *f, uint64_t last)
{
    int rc = 0;

    choose_lanes(f, last);
    if (f->events_first) {
        f->events_first = false;
        rc = batch_read_events(&f->batch, EVENTS_FIRST);
    }
    if (rc == 0 && f->batch.n == 0 && f->live_from > 0 && f->live_next <= last)
        rc = read_lane(f, &f->live_next, last, LANE_LIVE);
    uint64_t to = f->live_from > 0 ? f->live_from - 1 : last;
    if (rc == 0 && f->batch.n == 0 && f->next <= to)
        rc = read_lane(f, &f->next, to, LANE_BACKLOG);
    return rc;
}

static int read_batch(struct follow *f, uint64_t last, int64_t now_ms)
{
    int rc = 0;

    skip_trimmed(f);
    while (rc == 0 && f->batch.n == 0 && f->needs_n > 0) {
        struct uplink_need need = f->needs[0];
        memmove(f->needs, f->needs + 1, --f->needs_n * sizeof f->needs[0]);
        rc = batch_read_segment(&f->batch, &need, BATCH_ENTRIES_MAX);
    }
    if (rc == 0 && f->batch.n == 0 && f->fu->kind->is_windowed)
        rc = read_due(f, now_ms);
    if (rc == 0 && f->batch.n == 0 && may_send_more(f))
        rc = read_new(f, last);
    return rc;
}

/* ---- the move ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t idle_ms(const struct follow *f, int64_t now_ms)
{
    int64_t wait = least(IDLE_MS, window_next_due(&f->window) - now_ms);

    if (f->is_cursor_new)
        wait = least(wait, f->cursor_ms + f->times.cursor_ms - now_ms);
    if (counts_are_news(f))
        wait = least(wait, f->status_ms + STATUS_EVERY_MS - now_ms);
    return wait > 0 ? wait : 0;
}

int64_t follow_step(struct follow *f, int64_t now_ms, int64_t max_wait_ms)
{
    uint64_t last = store_read_last_seq(f->reader);
    bool is_windowed = f->fu->kind->is_windowed;
    int64_t wait = 0;

    if (f->is_cursor_new && now_ms - f->cursor_ms >= f->times.cursor_ms)
        keep_cursor(f, now_ms);
    if (now_ms < f->wait_until_ms) {
        tell_status(f, last, now_ms);
        return f->wait_until_ms - now_ms;
    }
    pass_local(f, last);
    if (f->batch.n == 0 && read_batch(f, last, now_ms) < 0) {
        f->wait_until_ms = now_ms + LOG_BUSY_MS;
        return LOG_BUSY_MS;
    }
    bool has_work = f->batch.n > 0 || (is_windowed && !f->is_connected);
    if (has_work)
        send_batch(f, now_ms);
    else
        wait = idle_ms(f, now_ms);
    if (is_windowed && f->is_connected) {
        collect(f, has_work ? 0 : least(wait, max_wait_ms), last, now_ms);
        wait = 0;
    }
    tell_status(f, last, now_ms);
    return wait;
}
