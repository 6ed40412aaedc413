/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/forward/cursor.h"

enum {
    STATUS_EVERY_MS = 500,
    MEASURE_EVERY_MS = 5000,
    MEASURED_ENTRIES = 256, /* of each end of the backlog */
    ASIDE_EVERY_MS = 60000, /* an event that is refused itself must not make events for ever */
    EVENT_TEXT_MAX = 1500,
};

/* ---- events ---- */

static int64_t station_ms(const struct follow *f)
{
    struct clock system;

    if (f->o->clock)
        return clock_wall_ms(f->o->clock);
    clock_init(&system, 1, 0);
    return clock_wall_ms(&system);
}

static void put_notice(struct follow *f, struct buf *b)
{
    struct store_batch *batch;
    const char *json = buf_text(b);

    if (!json || store_batch_begin(f->o->store, &batch) < 0)
        return; /* the line on stderr stays */
    if (store_batch_event(batch, json) == 0)
        store_batch_submit(batch, STORE_WITH_INTERVAL);
    else
        store_batch_drop(batch);
}

static void begin_notice(const struct follow *f, struct buf *b, const char *what,
                         const char *en, const char *zh)
{
    char when[TIME_TEXT_MAX];

    time_print_utc(station_ms(f), when);
    buf_printf(b, "{\"kind\":\"notice\",\"time\":\"%s\",\"what\":\"%s\",\"subject\":", when,
               what);
    buf_json(b, f->fu->id);
    buf_puts(b, ",\"text\":{\"en\":");
    buf_json(b, en);
    buf_puts(b, ",\"zh\":");
    buf_json(b, zh);
    buf_puts(b, "},\"details\":{\"uplink\":");
    buf_json(b, f->fu->id);
}

static void end_notice(struct follow *f, struct buf *b, const char *why)
{
    buf_puts(b, ",\"why\":");
    buf_json(b, why);
    buf_puts(b, "}}");
    put_notice(f, b);
    buf_done(b);
}

void tell_denied(struct follow *f, const char *why)
{
    struct buf b = BUF_INIT(EVENT_TEXT_MAX);

    log_error("uplink %s: the destination denies us, keeping everything, next try in %" PRId64
              " s: %s",
              f->fu->id, f->times.denied_ms / 1000, why);
    begin_notice(f, &b, "uplink_denied",
                 "The destination refuses access; everything is kept until it is let in again.",
                 "目的地拒绝访问；全部数据保留，待恢复后补传。");
    end_notice(f, &b, why);
}

void tell_aside(struct follow *f, uint64_t seq, const char *why, int64_t now_ms)
{
    struct buf b = BUF_INIT(EVENT_TEXT_MAX);

    log_warning("uplink %s: entry set aside: %s; seq=%" PRIu64, f->fu->id, why, seq);
    if (f->aside.n++ == 0)
        f->aside.first = seq;
    if (f->aside.told_ms > 0 && now_ms - f->aside.told_ms < ASIDE_EVERY_MS)
        return;
    if (f->fu->kind->takes_any_order)
        begin_notice(f, &b, "uplink_set_aside",
                     "The destination does not take some entries; they were set aside, stay in "
                     "the log and are tried again every hour.",
                     "目的地未接收部分条目；已单独留存在日志中，每小时重试一次。");
    else
        begin_notice(f, &b, "uplink_set_aside",
                     "The destination refuses entries for good; they were set aside and stay "
                     "in the log.",
                     "目的地永久拒收部分条目；已单独留存在日志中。");
    buf_printf(&b, ",\"entries\":%" PRIu64 ",\"from\":%" PRIu64 ",\"to\":%" PRIu64, f->aside.n,
               f->aside.first, seq);
    end_notice(f, &b, why);
    f->aside.n = 0;
    f->aside.told_ms = now_ms > 0 ? now_ms : 1;
}

void tell_connected(struct follow *f, bool is_connected, const char *why)
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

/* ---- status ---- */

struct measure {
    const struct follow *f;
    uint64_t n, bytes;
    int64_t oldest_ms;
    unsigned left;
};

static bool measure_entry(void *user, const struct store_entry *e)
{
    struct measure *m = user;

    if (!e->is_local && !cursor_has(&m->f->cursor, e->seq)) {
        m->n++;
        m->bytes += e->size;
        if (m->oldest_ms == 0)
            m->oldest_ms = e->t_first;
    }
    return --m->left > 0;
}

/* Of a long backlog both ends stand for the whole: it is not read for its length. */
static void measure(struct follow *f, uint64_t last, int64_t now_ms)
{
    struct measure m = { .f = f, .left = MEASURED_ENTRIES };
    uint64_t from = f->cursor.acked_to + 1;

    f->measured_ms = now_ms;
    f->status.backlog_bytes = 0;
    f->status.oldest_ms = 0;
    if (f->status.backlog == 0)
        return;
    if (store_read_entries(f->reader, from, last, measure_entry, &m) < 0)
        return;
    if (last >= from + 2 * MEASURED_ENTRIES) {
        m.left = MEASURED_ENTRIES;
        store_read_entries(f->reader, last - MEASURED_ENTRIES + 1, last, measure_entry, &m);
    } else if (m.left == 0) {
        m.left = MEASURED_ENTRIES;
        store_read_entries(f->reader, from + MEASURED_ENTRIES, last, measure_entry, &m);
    }
    if (m.n > 0)
        f->status.backlog_bytes = m.bytes * f->status.backlog / m.n;
    f->status.oldest_ms = m.oldest_ms;
}

bool tell_is_due(const struct follow *f)
{
    const struct forward_status *a = &f->status, *b = &f->told;

    return a->acked_seq != b->acked_seq || a->backlog != b->backlog || a->sent != b->sent ||
           a->set_aside != b->set_aside || a->backlog_bytes != b->backlog_bytes;
}

static bool state_is_news(const struct follow *f)
{
    return f->status.is_connected != f->told.is_connected ||
           f->status.is_standby != f->told.is_standby ||
           strcmp(f->status.error, f->told.error) != 0;
}

int64_t tell_wait_ms(const struct follow *f, int64_t now_ms)
{
    return f->status_ms + STATUS_EVERY_MS - now_ms;
}

void tell_status(struct follow *f, uint64_t last, int64_t now_ms)
{
    uint64_t before = f->status.backlog;

    f->status.is_connected = f->is_connected;
    f->status.acked_seq = f->cursor.acked_to;
    f->status.backlog = cursor_backlog(&f->cursor, last);
    bool is_over = f->status.backlog == 0 && before > 0;
    if (is_over || now_ms - f->measured_ms >= MEASURE_EVERY_MS || f->measured_ms == 0)
        measure(f, last, now_ms);
    bool is_time = now_ms - f->status_ms >= STATUS_EVERY_MS;
    if (!state_is_news(f) && !(is_time && tell_is_due(f)))
        return;
    f->told = f->status;
    f->status_ms = now_ms;
    if (f->o->on_status)
        f->o->on_status(f->o->user, &f->status);
}
