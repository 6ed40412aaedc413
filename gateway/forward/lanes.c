/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/lanes.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/forward/cursor.h"
#include "gateway/forward/trial.h"

enum {
    EVENTS_FIRST = 64,           /* newest events sent before a backlog */
    EVENTS_BYTES = 64 << 10,     /* of them: 1 KiB each */
    LANES_BEYOND = EVENTS_FIRST, /* entries behind that part the lanes */
    RANGES_SPARE = 64,           /* of the cursor, kept free for acknowledgements */
    ANEW_MS = 1000,
};

void lanes_restart(struct follow *f)
{
    batch_clear(&f->batch);
    window_clear(&f->window);
    pace_restart(&f->pace);
    f->next = f->cursor.acked_to + 1;
    f->live_from = f->live_next = 0;
    f->needs_n = 0;
}

void lanes_need(struct follow *f, const struct uplink_need *need, bool is_asked)
{
    for (size_t i = 0; i < f->needs_n; i++) {
        struct follow_need *n = &f->needs[i];
        if (n->need.stream != need->stream || n->need.segment != need->segment)
            continue;
        if (need->from_frame_seq < n->need.from_frame_seq)
            n->need.from_frame_seq = need->from_frame_seq;
        n->is_asked |= is_asked;
        return;
    }
    if (f->needs_n < FOLLOW_NEEDS_MAX)
        f->needs[f->needs_n++] = (struct follow_need){ *need, is_asked };
}

/* Retention went past the cursor: what is gone cannot be sent. */
static void skip_trimmed(struct follow *f)
{
    uint64_t first = store_read_first_seq(f->reader);

    if (first <= f->cursor.acked_to + 1)
        return;
    log_warning("uplink %s: entries were trimmed before they were delivered; from=%" PRIu64
                " to=%" PRIu64,
                f->fu->id, f->cursor.acked_to + 1, first - 1);
    if (cursor_ack(&f->cursor, f->cursor.acked_to + 1, first - 1))
        f->is_cursor_new = true;
    window_ack(&f->window, 0, first - 1);
    isolate_drop(&f->isolate, 0, first - 1);
}

static void part_or_join(struct follow *f, uint64_t last)
{
    if (f->next <= f->cursor.acked_to)
        f->next = f->cursor.acked_to + 1;
    if (f->live_from == 0 && last >= f->next + LANES_BEYOND) {
        f->live_from = f->live_next = last + 1;
        f->events_to = 0;
        batch_begin_lane(&f->batch, LANE_LIVE);
    } else if (f->live_from > 0 && f->next >= f->live_from) {
        f->next = f->live_next;
        f->live_from = f->live_next = 0;
    }
}

/* What could not be remembered is met again at the end. */
static void begin_anew(struct follow *f, uint64_t last, int64_t now_ms)
{
    if (!f->has_passed_over || f->next <= last || f->live_from > 0 ||
        now_ms - f->anew_ms < ANEW_MS)
        return;
    f->has_passed_over = false;
    f->anew_ms = now_ms;
    f->next = f->cursor.acked_to + 1;
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

static int read_events(struct follow *f, uint64_t last)
{
    if (f->live_from == 0 || f->events_to >= last)
        return 0;
    batch_set_bytes(&f->batch, EVENTS_BYTES); /* urgent whatever the pace */
    int rc = batch_read_events(&f->batch, f->events_to, EVENTS_FIRST);
    if (rc == 0)
        f->events_to = last;
    return rc;
}

/* What does not fit one batch goes on in the next. */
static void keep_rest(struct follow *f, const struct follow_need *n)
{
    struct uplink_need rest = n->need;

    if (!f->batch.is_full || f->batch.n == 0)
        return;
    rest.from_frame_seq = f->batch.heads[f->batch.n - 1].frame_seq + 1;
    lanes_need(f, &rest, n->is_asked);
}

static int read_needed(struct follow *f)
{
    int rc = 0;

    while (rc == 0 && f->batch.n == 0 && f->needs_n > 0) {
        struct follow_need n = f->needs[0];
        memmove(f->needs, f->needs + 1, --f->needs_n * sizeof f->needs[0]);
        rc = batch_read_segment(&f->batch, &n.need, BATCH_ENTRIES_MAX, n.is_asked);
        if (rc == 0)
            keep_rest(f, &n);
    }
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

/*
 * Frames that continue a segment whose beginning the other end may not have: that goes first,
 * then they are read again.
 */
static int read_live(struct follow *f, uint64_t last)
{
    uint64_t from = f->live_next;

    if (f->live_from == 0 || from > last)
        return 0;
    int rc = read_lane(f, &f->live_next, last, LANE_LIVE);
    if (rc < 0 || f->batch.begun_n == 0)
        return rc;
    for (size_t i = 0; i < f->batch.begun_n; i++)
        lanes_need(f, &f->batch.begun[i], false);
    batch_clear(&f->batch);
    f->live_next = from;
    rc = read_needed(f);
    return rc == 0 && f->batch.n == 0 ? read_lane(f, &f->live_next, last, LANE_LIVE) : rc;
}

static int read_backlog(struct follow *f, uint64_t last)
{
    uint64_t to = f->live_from > 0 ? f->live_from - 1 : last;

    if (f->next > to || pace_room(&f->pace) == 0)
        return 0;
    return read_lane(f, &f->next, to, LANE_BACKLOG);
}

int lanes_read(struct follow *f, uint64_t last, int64_t now_ms)
{
    int rc = 0;

    f->origin = FROM_LANES;
    skip_trimmed(f);
    part_or_join(f, last);
    begin_anew(f, last, now_ms);
    rc = read_events(f, last);
    size_t room = pace_room(&f->pace);
    batch_set_bytes(&f->batch, room > PACE_LEAST ? room : PACE_LEAST);
    if (rc == 0 && f->batch.n == 0)
        rc = trial_read(f, now_ms);
    if (rc == 0 && f->batch.n == 0 && room > 0)
        rc = read_needed(f);
    if (rc == 0 && f->batch.n == 0 && room > 0 && f->fu->kind->is_windowed)
        rc = read_due(f, now_ms);
    if (rc == 0 && f->batch.n == 0 && may_send_more(f))
        rc = read_live(f, last);
    if (rc == 0 && f->batch.n == 0 && may_send_more(f))
        rc = read_backlog(f, last);
    if (rc < 0 || f->batch.n > 0 || f->is_connected)
        return rc;
    f->trial.is_turn = true; /* there is nobody else to ask with */
    return trial_read(f, now_ms);
}
