/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/clock/timeline.h"

#include <stdio.h>
#include <string.h>

/* A clock kept by a battery may be behind the log by as much and is believed all the same. */
#define SLACK_MS 60000

enum { SLEW_SHARE = 2 }; /* while slewing one of so many milliseconds is left out */

static bool is_possible(int64_t wall_ms)
{
    return wall_ms >= TIMELINE_EARLIEST_MS && wall_ms <= TIMELINE_LATEST_MS;
}

static bool is_plausible(const struct timeline *t, const struct clock_reading *r)
{
    return is_possible(r->wall_ms) && r->wall_ms >= t->believed_ms - SLACK_MS;
}

static bool is_believed(enum clock_state s)
{
    return s >= CLOCK_UNSYNCHRONISED;
}

/* How far the slew still is from its end. */
static int64_t slew_left(const struct timeline *t, int64_t boot_ms)
{
    int64_t since_ms = boot_ms > t->slew_boot_ms ? boot_ms - t->slew_boot_ms : 0;
    int64_t left_ms = t->slew_ms - since_ms / SLEW_SHARE;

    return left_ms > 0 ? left_ms : 0;
}

int64_t timeline_at(const struct timeline *t, int64_t boot_ms)
{
    return boot_ms + t->offset_ms + slew_left(t, boot_ms);
}

bool timeline_is_waiting(const struct timeline *t)
{
    return t->state == CLOCK_WAITING;
}

bool timeline_is_doubtful(const struct timeline *t)
{
    return !is_believed(t->state) || (t->is_expected && !t->is_confirmed) ||
           slew_left(t, t->reading.boot_ms) > TIMELINE_TOLD_MS;
}

/* ---- start ---- */

static void note_absence(const struct clock_reading *r, const char *boot_id,
                         const struct clock_record *before, struct timeline_absence *ret)
{
    *ret = (struct timeline_absence){ .is_first = !before };
    if (!before)
        return;
    ret->is_same_boot =
        boot_id[0] && strcmp(boot_id, before->boot_id) == 0 && r->boot_ms >= before->boot_ms;
    ret->off_ms = ret->is_same_boot ? r->boot_ms - before->boot_ms : r->boot_ms;
    int64_t must_be_ms = before->wall_ms + ret->off_ms;
    if (must_be_ms - r->wall_ms > TIMELINE_STEP_MIN_MS)
        ret->back_ms = must_be_ms - r->wall_ms;
    if (!ret->is_same_boot && r->wall_ms - before->wall_ms > ret->off_ms)
        ret->off_ms = r->wall_ms - before->wall_ms;
}

static void go_on(struct timeline *t, const struct clock_record *before)
{
    t->state = (enum clock_state)before->state;
    if (t->state == CLOCK_SYNCHRONISED)
        t->state = CLOCK_HOLDOVER; /* until a reading says otherwise */
    t->offset_ms = before->offset_ms;
    t->waiting_since_ms = before->waiting_since_ms;
    t->is_confirmed = before->is_confirmed;
    /* a slew under way is done with by the time a process has come up: at worst its rest */
    int64_t ahead_ms = before->station_ms - before->boot_ms - before->offset_ms;
    t->slew_ms = ahead_ms > 0 && ahead_ms <= TIMELINE_SLEW_MS ? ahead_ms : 0;
    t->slew_boot_ms = before->boot_ms;
}

void timeline_start(struct timeline *t, const struct clock_reading *r, const char *boot_id,
                    bool has_service, const struct clock_record *before,
                    struct timeline_absence *ret)
{
    note_absence(r, boot_id, before, ret);
    *t = (struct timeline){ .state = CLOCK_WAITING,
                            .is_expected = has_service,
                            .waiting_since_ms = r->boot_ms,
                            .offset_ms = TIMELINE_EARLIEST_MS,
                            .reading = *r };
    snprintf(t->boot_id, sizeof t->boot_id, "%s", boot_id);
    if (!before)
        return;
    t->was_synchronised = before->was_synchronised;
    t->is_expected |= t->was_synchronised;
    t->believed_ms = before->believed_ms;
    if (ret->is_same_boot && before->state < CLOCK_STATE_COUNT_)
        go_on(t, before);
    else if (before->station_ms > t->offset_ms)
        t->offset_ms = before->station_ms;
}

/* ---- readings ---- */

/* Moves the timeline to another offset, at once or by slewing. Returns the jump. */
static int64_t follow(struct timeline *t, int64_t boot_ms, int64_t offset_ms)
{
    int64_t step_ms = offset_ms - t->offset_ms;
    int64_t left_ms = slew_left(t, boot_ms) - step_ms; /* ahead of the new offset */

    t->offset_ms = offset_ms;
    t->slew_boot_ms = boot_ms;
    t->slew_ms = left_ms > 0 && left_ms <= TIMELINE_SLEW_MS ? left_ms : 0;
    return t->slew_ms ? 0 : -left_ms;
}

/* Nothing was told outside by provisional times: they need no slewing. */
static int64_t follow_at_once(struct timeline *t, int64_t boot_ms, int64_t offset_ms)
{
    int64_t jump_ms = offset_ms - t->offset_ms - slew_left(t, boot_ms);

    t->offset_ms = offset_ms;
    t->slew_ms = 0;
    return jump_ms;
}

static int64_t size_of(int64_t step_ms)
{
    return step_ms < 0 ? -step_ms : step_ms;
}

static void note_state(struct timeline *t, const struct clock_reading *r)
{
    if (r->is_synchronised && !t->is_refused) {
        t->state = CLOCK_SYNCHRONISED;
        t->was_synchronised = t->is_expected = t->is_confirmed = true;
    } else if (t->state == CLOCK_SYNCHRONISED) {
        t->state = CLOCK_HOLDOVER;
    }
}

static bool is_time_to_believe(const struct timeline *t, const struct clock_reading *r)
{
    return r->is_synchronised ? is_possible(r->wall_ms) : !t->is_expected && is_plausible(t, r);
}

static void believe(struct timeline *t, const struct clock_reading *r,
                    struct timeline_change *ret)
{
    int64_t offset_ms = r->wall_ms - r->boot_ms;

    ret->what = TIMELINE_BELIEVED;
    ret->was_guessed = t->state == CLOCK_GUESSED;
    ret->jump_ms = ret->was_guessed ? follow(t, r->boot_ms, offset_ms)
                                    : follow_at_once(t, r->boot_ms, offset_ms);
    ret->to_ms = r->wall_ms;
    t->state = CLOCK_UNSYNCHRONISED;
    t->is_refused = false;
    note_state(t, r);
}

static void wait_on(struct timeline *t, const struct clock_reading *r,
                    struct timeline_change *ret)
{
    bool is_hopeful = is_plausible(t, r);
    int64_t wait_ms = is_hopeful ? TIMELINE_WAIT_MS : TIMELINE_WAIT_LONG_MS;
    int64_t offset_ms = r->wall_ms - r->boot_ms;

    int64_t step_ms = size_of(offset_ms - t->offset_ms);

    if (is_hopeful && step_ms > TIMELINE_STEP_MIN_MS) {
        bool is_guess = t->state == CLOCK_GUESSED;
        ret->jump_ms = is_guess ? follow(t, r->boot_ms, offset_ms)
                                : follow_at_once(t, r->boot_ms, offset_ms);
        if (is_guess && step_ms >= TIMELINE_TOLD_MS)
            ret->what = TIMELINE_STEPPED;
    }
    ret->to_ms = is_hopeful ? r->wall_ms : timeline_at(t, r->boot_ms);
    if (t->state == CLOCK_WAITING && r->boot_ms - t->waiting_since_ms >= wait_ms) {
        t->state = CLOCK_GUESSED;
        ret->what = TIMELINE_GAVE_UP;
    }
}

static void refuse(struct timeline *t, const struct clock_reading *r,
                   struct timeline_change *ret)
{
    ret->to_ms = r->wall_ms;
    ret->what = t->is_refused ? TIMELINE_SAME : TIMELINE_REFUSED;
    t->is_refused = true;
    note_state(t, r);
    if (t->state == CLOCK_SYNCHRONISED)
        t->state = CLOCK_HOLDOVER;
}

static void take_step(struct timeline *t, const struct clock_reading *r,
                      struct timeline_change *ret)
{
    int64_t offset_ms = r->wall_ms - r->boot_ms;
    int64_t step_ms = offset_ms - t->offset_ms;

    t->is_refused = false;
    ret->to_ms = r->wall_ms;
    if (size_of(step_ms) > TIMELINE_STEP_MIN_MS) {
        ret->jump_ms = follow(t, r->boot_ms, offset_ms);
        if (size_of(step_ms) >= TIMELINE_TOLD_MS) {
            ret->what = TIMELINE_STEPPED;
            t->is_confirmed = false;
        }
    }
    note_state(t, r);
}

void timeline_observe(struct timeline *t, const struct clock_reading *r,
                      struct timeline_change *ret)
{
    *ret = (struct timeline_change){ .what = TIMELINE_SAME };
    t->reading = *r;
    ret->from_ms = timeline_at(t, r->boot_ms);
    if (!is_believed(t->state) && is_time_to_believe(t, r))
        believe(t, r, ret);
    else if (!is_believed(t->state))
        wait_on(t, r, ret);
    else if (!is_possible(r->wall_ms))
        refuse(t, r, ret);
    else
        take_step(t, r, ret);
}

void timeline_give_up(struct timeline *t)
{
    if (t->state == CLOCK_WAITING)
        t->state = CLOCK_GUESSED;
}

void timeline_record(const struct timeline *t, struct clock_record *ret)
{
    memset(ret, 0, sizeof *ret); /* goes to disk as it is */
    ret->version = CLOCK_RECORD_VERSION;
    ret->state = (uint32_t)t->state;
    memcpy(ret->boot_id, t->boot_id, sizeof ret->boot_id);
    ret->boot_ms = t->reading.boot_ms;
    ret->wall_ms = t->reading.wall_ms;
    ret->station_ms = timeline_at(t, t->reading.boot_ms);
    ret->offset_ms = t->offset_ms;
    ret->believed_ms = is_believed(t->state) ? ret->station_ms : t->believed_ms;
    ret->waiting_since_ms = t->waiting_since_ms;
    ret->was_synchronised = t->was_synchronised;
    ret->is_confirmed = t->is_confirmed;
}

const char *clock_state_id(enum clock_state s)
{
    static const char *const ids[CLOCK_STATE_COUNT_] = {
        [CLOCK_WAITING] = "waiting",
        [CLOCK_GUESSED] = "guessed",
        [CLOCK_UNSYNCHRONISED] = "unsynchronised",
        [CLOCK_HOLDOVER] = "holdover",
        [CLOCK_SYNCHRONISED] = "synchronised",
    };

    return (unsigned)s < CLOCK_STATE_COUNT_ ? ids[s] : "unknown";
}
