/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/station_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

void station_clock_init(struct station_clock *c, const struct clock *given)
{
    struct clock_reading r;

    *c = (struct station_clock){ .clock = *given };
    if (given->speed != 1)
        return;
    clock_read(given, &r);
    atomic_store(&c->offset_ms, r.wall_ms - r.boot_ms);
    c->clock.offset_ms = &c->offset_ms;
}

/* The system's clocks, whatever is believed of them. */
static struct clock_reading read_system(const struct station_clock *c)
{
    struct clock system = c->clock;
    struct clock_reading r;

    system.offset_ms = NULL;
    clock_read(&system, &r);
    return r;
}

static void take_over(struct station_clock *c)
{
    int64_t boot_ms = c->own.reading.boot_ms;

    atomic_store(&c->offset_ms, timeline_at(&c->own, boot_ms) - boot_ms);
}

static void log_start(const struct station_clock *c)
{
    char now[TIME_TEXT_MAX];

    time_print_utc(clock_wall_ms(&c->clock), now);
    if (timeline_is_waiting(&c->own))
        log_warning("the clock is not believed yet, samples wait for their time now=%s", now);
    else
        log_info("the clock is %s", clock_state_id(c->own.state));
}

void station_clock_start(struct station_clock *c, struct store *store)
{
    struct timeline_change change;
    char boot_id[CLOCK_BOOT_ID_MAX];
    size_t size = 0;

    if (c->clock.speed != 1)
        return;
    struct clock_record *before = store_state_get(store, PIPELINE_CLOCK_KEY, &size);
    bool is_known =
        before && size == sizeof *before && before->version == CLOCK_RECORD_VERSION &&
        before->state < CLOCK_STATE_COUNT_ && memchr(before->boot_id, '\0', CLOCK_BOOT_ID_MAX);
    struct clock_reading r = read_system(c);
    clock_boot_id(boot_id);
    timeline_start(&c->own, &r, boot_id, clock_has_service(), is_known ? before : NULL,
                   &c->absence);
    free(before);
    if (!c->absence.is_same_boot) /* else a step meanwhile is told and followed by the tick */
        timeline_observe(&c->own, &r, &change);
    c->timeline = &c->own;
    take_over(c);
    log_start(c);
}

void station_clock_tick(struct station_clock *c, struct pipeline *p)
{
    struct timeline_change change;

    if (!c->timeline)
        return;
    struct clock_reading r = read_system(c);
    timeline_observe(&c->own, &r, &change);
    take_over(c);
    if (change.what == TIMELINE_SAME && change.jump_ms == 0)
        return;
    if (change.what == TIMELINE_STEPPED) {
        c->steps++;
        log_notice("the clock was set by %" PRId64 " ms", change.to_ms - change.from_ms);
    } else if (change.what != TIMELINE_SAME) {
        log_notice("the clock is %s", clock_state_id(c->own.state));
    }
    pipeline_clock(p, &change);
}

void station_clock_end_waiting(struct station_clock *c, struct pipeline *p)
{
    if (!c->timeline || !timeline_is_waiting(c->timeline))
        return;
    int64_t now_ms = clock_wall_ms(&c->clock);
    timeline_give_up(c->timeline);
    pipeline_clock(p, &(struct timeline_change){
                          .what = TIMELINE_GAVE_UP, .from_ms = now_ms, .to_ms = now_ms });
}

static void say_length(int64_t ms, char *buf, size_t size)
{
    int64_t s = ms / 1000;

    if (s < 60)
        snprintf(buf, size, "%" PRId64 " s", s);
    else if (s < 86400)
        snprintf(buf, size, "%" PRId64 " h %02" PRId64 " min", s / 3600, s / 60 % 60);
    else
        snprintf(buf, size, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
}

void station_clock_tell_start(const struct station_clock *c, struct pipeline *p)
{
    const struct timeline_absence *a = &c->absence;
    char off[32], back[32], en[240], zh[240], details[240];

    if (!c->timeline || a->is_first)
        return;
    say_length(a->off_ms, off, sizeof off);
    say_length(a->back_ms, back, sizeof back);
    snprintf(en, sizeof en, "The station was off for %s%s%s%s.",
             a->is_same_boot ? "" : "at least ", off,
             a->back_ms ? ", and the clock went back meanwhile by " : "",
             a->back_ms ? back : "");
    snprintf(zh, sizeof zh, "本站停机%s %s%s%s。", a->is_same_boot ? "" : "至少", off,
             a->back_ms ? "，其间时钟回退 " : "", a->back_ms ? back : "");
    snprintf(details, sizeof details,
             "{\"off_ms\":%" PRId64 ",\"same_boot\":%s,\"back_ms\":%" PRId64
             ",\"state\":\"%s\",\"boot\":\"%s\"}",
             a->off_ms, a->is_same_boot ? "true" : "false", a->back_ms,
             clock_state_id(c->own.state), c->own.boot_id);
    pipeline_notice(p, clock_wall_ms(&c->clock), "clock_start", c->own.boot_id, en, zh,
                    details);
}

struct live_clock station_clock_live(const struct station_clock *c,
                                     const struct pipeline *pipeline)
{
    struct pipeline_counters n;

    if (!c->timeline)
        return (struct live_clock){ .state = "fast", .error_ms = -1 };
    pipeline_counters_get(pipeline, &n);
    const struct timeline *t = c->timeline;
    return (struct live_clock){
        .state = clock_state_id(t->state),
        .is_doubtful = timeline_is_doubtful(t),
        .is_refused = t->is_refused,
        .error_ms = t->reading.is_synchronised ? t->reading.max_error_ms : -1,
        .offset_ms = t->reading.wall_ms - timeline_at(t, t->reading.boot_ms),
        .steps = c->steps,
        .held = n.held,
    };
}
