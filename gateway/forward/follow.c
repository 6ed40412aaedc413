/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/forward/cursor.h"
#include "gateway/forward/lanes.h"
#include "gateway/forward/tell.h"
#include "gateway/forward/trial.h"
#include "gateway/forward/verdict.h"

enum {
    STANDBY_MS = 250, /* how late a fallback notices that it is its turn */
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
    .aside_ms = 3600000,
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
        .aside_ms = or_default(t->aside_ms, d->aside_ms),
    };
}

/* ---- life ---- */

bool follow_concerns(const struct follow *f, const struct store_entry *e)
{
    const struct uplink_kind *kind = f->fu->kind;

    return !kind->wants_event ||
           (e->kind == STORE_EVENT && kind->wants_event(f->u, e->data, e->size));
}

/* What does not concern the destination is done. */
static bool is_wanted(void *user, const struct store_entry *e)
{
    struct follow *f = user;

    if (cursor_has(&f->cursor, e->seq) || window_has(&f->window, e->seq) ||
        isolate_has(&f->isolate, e->seq))
        return false;
    if (follow_concerns(f, e) || atomic_load(&f->is_stopping)) /* then no more is looked at */
        return true;
    verdict_acked(f, e->seq, e->seq);
    return false;
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
    f->station.clock = f->o->clock;
    f->station.layout_json = read_layout;
    f->station.user = f;
    f->station.asking = f->fu->asking;
    int rc = kind->create(f->fu->options, &f->station, &f->u);
    if (rc < 0)
        return rc;
    f->times = fill_times(f->o->times, kind->resend_ms ? kind->resend_ms(f->u) : 0);
    f->backoff = (struct backoff){ f->times.later_first_ms, f->times.later_max_ms, 0 };
    return kind->is_windowed ? window_init(&f->window, f->times.resend_ms,
                                           f->times.resend_max_ms, f->times.overtaken_ms)
                             : 0;
}

const char *follow_cursor_id(const struct follow *f)
{
    return f->is_second ? f->pair->cursor_id : f->fu->id;
}

int follow_init(struct follow *f, const struct forward_options *o,
                const struct forward_uplink *fu, struct pair *pair, bool is_second)
{
    memset(f, 0, sizeof *f);
    f->o = o;
    f->fu = fu;
    f->pair = pair;
    f->is_second = is_second;
    f->trouble_ms = INT64_MAX;
    pace_init(&f->pace);
    f->limit = BATCH_ENTRIES_MAX;
    f->status = (struct forward_status){ .id = fu->id, .kind = fu->kind->name };
    int rc = store_reader_open(o->store, &f->reader);
    if (rc == 0)
        rc = store_cursor_get(f->reader, follow_cursor_id(f), &f->cursor);
    if (rc == 0)
        rc = open_uplink(f);
    batch_init(&f->batch, f->reader, fu->kind->wants_rows, is_wanted, f);
    f->batch.only_events = fu->kind->wants_event != NULL;
    if (rc < 0) {
        follow_done(f);
        return rc;
    }
    f->next = f->cursor.acked_to + 1;
    f->status.set_aside = store_read_set_aside(f->reader, follow_cursor_id(f));
    return 0;
}

static void keep_cursor(struct follow *f, int64_t now_ms)
{
    if (f->is_cursor_new && store_cursor_set(f->o->store, follow_cursor_id(f), &f->cursor) == 0)
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
    isolate_done(&f->isolate);
    store_reader_close(f->reader);
    f->u = NULL;
    f->reader = NULL;
}

/* ---- a try ---- */

/* Entries from `begin` on that go in one try; an undecodable one ends it. */
static size_t count_sendable(const struct follow *f)
{
    size_t n = 0, left = f->batch.n - f->batch.begin;
    size_t limit = f->origin == FROM_LANES ? f->limit : left; /* of a trial when it is read */

    for (; n < left && n < limit; n++) {
        const struct uplink_entry *e = &f->batch.entries[f->batch.begin + n];
        if (f->fu->kind->wants_rows && !e->is_event && !e->frame)
            break;
    }
    return n;
}

/* While a try lasts the first uplink of a pair cannot tell that it hangs. */
static void begin_try(struct follow *f, int64_t now_ms)
{
    if (!f->pair || f->is_second || f->trouble_ms != INT64_MAX)
        return;
    f->trouble_ms = now_ms;
    pair_report(f->pair, f->trouble_ms);
}

/* Tells the other one how this one gets on. */
static void report_trouble(struct follow *f, int64_t now_ms)
{
    int64_t silent_ms = pace_silent_ms(&f->pace, mono_ms());

    if (!f->pair || f->is_second)
        return;
    if (!f->is_connected && (f->status.error[0] || f->trouble_ms != INT64_MAX))
        f->trouble_ms = f->trouble_ms == INT64_MAX ? now_ms : f->trouble_ms;
    else
        f->trouble_ms = silent_ms > 0 ? now_ms - silent_ms : INT64_MAX;
    pair_report(f->pair, f->trouble_ms);
}

/* The time it takes is real, whatever the caller's clock says. */
static enum uplink_verdict try_once(struct follow *f, const struct uplink_batch *b,
                                    struct uplink_report *why)
{
    size_t size = 0;

    for (size_t i = 0; i < b->n; i++)
        size += b->entries[i].size;
    int64_t begin_ms = mono_ms();
    enum uplink_verdict v = f->fu->kind->send(f->u, b, why);
    f->took_ms = mono_ms() - begin_ms;
    if (v == UPLINK_DELIVERED || v == UPLINK_SENT)
        pace_handed(&f->pace, size, begin_ms);
    if (v == UPLINK_DELIVERED)
        pace_left(&f->pace, 0, mono_ms());
    return v;
}

static void send_batch(struct follow *f, int64_t now_ms)
{
    struct uplink_report why = { .text = "" };

    if (f->batch.n > 0 && verdict_skip_undecodable(f, now_ms))
        return;
    size_t n = count_sendable(f);
    const struct uplink_batch b = { f->batch.entries + f->batch.begin, n };
    begin_try(f, now_ms);
    enum uplink_verdict v = try_once(f, &b, &why);
    bool is_over = atomic_load(&f->is_stopping) && v != UPLINK_DELIVERED && v != UPLINK_SENT;
    if (!is_over) /* what was broken off by us says nothing of the destination */
        verdict_take(f, v, n, &why, now_ms);
}

/* ---- acknowledgements ---- */

static void take_refusal(struct follow *f, const struct uplink_refusal *r, int64_t now_ms)
{
    if (r->verdict == UPLINK_DENIED) {
        verdict_denied(f, r->text, now_ms);
    } else if (r->verdict == UPLINK_REFUSED && r->entries.from == r->entries.to) {
        verdict_put_aside(f, r->entries.from, r->text, now_ms);
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
            verdict_acked(f, acks->acked[i].from, to);
    }
    for (size_t i = 0; i < acks->need_n; i++)
        lanes_need(f, &acks->need[i], true);
    for (size_t i = 0; i < acks->refused_n; i++)
        take_refusal(f, &acks->refused[i], now_ms);
    if (acks->acked_n > 0)
        verdict_grow(f);
}

/* Many entries at once may turn out not to fit: they come a few at a time. */
static void collect(struct follow *f, int64_t timeout_ms, uint64_t last, int64_t now_ms)
{
    struct uplink_acks acks;
    bool is_up;

    do {
        is_up = f->fu->kind->collect(f->u, timeout_ms, &acks);
        take_acks(f, &acks, last, now_ms);
        timeout_ms = 0;
    } while (is_up && acks.refused_n == sizeof acks.refused / sizeof acks.refused[0]);
    if (is_up || !f->is_connected || atomic_load(&f->is_stopping))
        return;
    const struct uplink_report lost = { .text = "connection lost" };
    verdict_later(f, &lost, now_ms);
}

static void learn_pace(struct follow *f)
{
    if (f->fu->kind->under_way)
        pace_left(&f->pace, f->fu->kind->under_way(f->u), mono_ms());
    else if (f->fu->kind->is_windowed)
        pace_left(&f->pace, 0, mono_ms());
}

/* What stays in the station, and frames that the kind does not take, counts as acknowledged as
 * soon as everything before it is. */
static void pass_local(struct follow *f, uint64_t last)
{
    while (f->cursor.acked_to < last) {
        uint64_t from = f->cursor.acked_to + 1;
        uint64_t next = f->fu->kind->wants_event ? store_read_next_event(f->reader, from)
                                                 : store_read_next_shared(f->reader, from);
        if (next <= from)
            return;
        verdict_acked(f, from, next - 1 < last ? next - 1 : last);
        if (f->cursor.acked_to < from)
            return;
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t idle_ms(const struct follow *f, int64_t now_ms)
{
    int64_t wait = least(IDLE_MS, window_next_due(&f->window) - now_ms);

    if (f->is_cursor_new)
        wait = least(wait, f->cursor_ms + f->times.cursor_ms - now_ms);
    wait = least(wait, trial_wait_ms(f, now_ms));
    if (tell_is_due(f))
        wait = least(wait, tell_wait_ms(f, now_ms));
    if (f->fu->kind->repeat_ms)
        wait = least(wait, f->repeat_ms - now_ms);
    return wait > 0 ? wait : 0;
}

/* ---- as the second of a pair ---- */

/* What it has sent and nobody has acknowledged the first one sends again: the same bytes. */
static int64_t stand_by(struct follow *f, uint64_t last, int64_t now_ms)
{
    if (f->is_connected && f->fu->kind->disconnect)
        f->fu->kind->disconnect(f->u);
    lanes_restart(f);
    f->is_connected = false;
    f->status.is_standby = true;
    f->status.error[0] = '\0';
    tell_status(f, last, now_ms);
    return STANDBY_MS;
}

/* True while the first one does the work. */
static bool is_standing_by(struct follow *f, int64_t now_ms)
{
    if (!f->is_second)
        return false;
    bool has_failed_over = pair_has_failed_over(f->pair, now_ms);
    if (has_failed_over && f->status.is_standby) {
        log_warning("uplink %s: takes over for %s", f->fu->id, f->pair->cursor_id);
        f->wait_until_ms = 0;
        backoff_reset(&f->backoff);
        lanes_restart(f);
        f->status.is_standby = false;
    } else if (!has_failed_over && !f->status.is_standby && f->is_connected) {
        log_notice("uplink %s: stands by, %s delivers again", f->fu->id, f->pair->cursor_id);
    }
    return !has_failed_over;
}

static void share_cursor(struct follow *f)
{
    if (f->pair && pair_share(f->pair, &f->cursor))
        f->is_cursor_new = true;
}

/* ---- the move ---- */

/* Also when it fails: then it waits as for anything else that fails. */
static bool repeat_is_due(struct follow *f, int64_t now_ms)
{
    if (!f->fu->kind->repeat_ms || f->batch.n > 0 || now_ms < f->repeat_ms)
        return false;
    f->repeat_ms = now_ms + f->fu->kind->repeat_ms(f->u);
    return true;
}

static int64_t work(struct follow *f, uint64_t last, int64_t now_ms, int64_t max_wait_ms)
{
    bool is_windowed = f->fu->kind->is_windowed;
    int64_t wait = 0;

    if (f->batch.n == 0 && lanes_read(f, last, now_ms) < 0) {
        f->wait_until_ms = now_ms + FOLLOW_LOG_BUSY_MS;
        return FOLLOW_LOG_BUSY_MS;
    }
    bool has_work =
        f->batch.n > 0 || (is_windowed && !f->is_connected) || repeat_is_due(f, now_ms);
    if (has_work)
        send_batch(f, now_ms);
    else
        wait = idle_ms(f, now_ms);
    if (is_windowed && (f->is_connected || has_work)) { /* also what came before a try failed */
        collect(f, has_work ? 0 : least(wait, max_wait_ms), last, now_ms);
        learn_pace(f);
        wait = 0;
    }
    return wait;
}

int64_t follow_step(struct follow *f, int64_t now_ms, int64_t max_wait_ms)
{
    uint64_t last = store_read_last_seq(f->reader);

    share_cursor(f);
    if (f->is_cursor_new && now_ms - f->cursor_ms >= f->times.cursor_ms)
        keep_cursor(f, now_ms);
    if (is_standing_by(f, now_ms))
        return stand_by(f, last, now_ms);
    if (now_ms < f->wait_until_ms) {
        report_trouble(f, now_ms);
        tell_status(f, last, now_ms);
        int64_t left_ms = f->wait_until_ms - now_ms;
        return f->pair ? least(left_ms, STANDBY_MS) : left_ms;
    }
    pass_local(f, last);
    int64_t wait = work(f, last, now_ms, max_wait_ms);
    report_trouble(f, now_ms);
    share_cursor(f);
    tell_status(f, last, now_ms);
    return wait;
}
