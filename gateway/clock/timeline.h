/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline - the station's time: milliseconds since boot plus an offset that is believed or
 * not.
 *
 * Pure: readings of the clocks come in about once a second. Samples are stamped with the time
 * since boot, which no step reaches, and get their UTC from here; so a sample is right however
 * the wall clock moved between its arrival and its turn.
 *
 * Belief. A synchronised clock is believed. One that is not is believed at once where nobody
 * would synchronise it: a plausible time is all there will ever be. Where somebody would (a
 * time service runs, or the log remembers that the clock was synchronised once) the station
 * waits: TIMELINE_WAIT_MS for a plausible time, TIMELINE_WAIT_LONG_MS for none. Then it goes on
 * with its best guess until the clock is believed. Plausible is a time between
 * TIMELINE_EARLIEST_MS and TIMELINE_LATEST_MS and not before the last one that was believed;
 * the first of these rules holds for every clock, synchronised or not.
 *
 * Without a plausible time the guess is that the machine started when the last believed time
 * was noted: no sample comes before what the log holds. The true time is later.
 *
 * Steps of the wall clock once it is believed. Forward: followed at once. Back by not more than
 * TIMELINE_SLEW_MS (a leap second, a small correction): time goes on at half speed until it is
 * caught up, so nothing is out of order. Further back: followed at once; the caller sees to it
 * that no time is used twice. To an implausible time: not followed, the station's own clock
 * goes on. Differences up to TIMELINE_STEP_MIN_MS are no step: the two clocks are not read at
 * one instant. A smeared leap second moves both clocks alike and is none either.
 */
#pragma once

#include "gateway/base/clock.h"

enum clock_state {
    CLOCK_WAITING,        /* not believed; times are provisional */
    CLOCK_GUESSED,        /* not believed in time: times are a guess */
    CLOCK_UNSYNCHRONISED, /* believed; nobody synchronises it */
    CLOCK_HOLDOVER,       /* synchronised before, going on by itself */
    CLOCK_SYNCHRONISED,
    CLOCK_STATE_COUNT_
};

#define TIMELINE_EARLIEST_MS INT64_C(1735689600000) /* 2025: this program is younger */
#define TIMELINE_LATEST_MS   INT64_C(5680281600000) /* 2150 */

enum {
    TIMELINE_WAIT_MS = 600000,
    TIMELINE_WAIT_LONG_MS = 3600000,
    TIMELINE_SLEW_MS = 10000,
    TIMELINE_STEP_MIN_MS = 20,
    TIMELINE_TOLD_MS = 900, /* a leap second, read inexactly; less is followed and not told */
};

/* What the log keeps of the clock; plain values. */
struct clock_record {
    uint32_t version, state;
    char boot_id[CLOCK_BOOT_ID_MAX];
    int64_t boot_ms, wall_ms, station_ms; /* one instant */
    int64_t offset_ms;
    int64_t believed_ms; /* the last station time that was believed, of any boot; 0: none */
    int64_t waiting_since_ms; /* time since boot */
    uint8_t was_synchronised; /* ever */
    uint8_t is_confirmed;     /* synchronised since the last step */
    uint8_t spare[6];
};
enum { CLOCK_RECORD_VERSION = 1 };

struct timeline {
    enum clock_state state;
    char boot_id[CLOCK_BOOT_ID_MAX];
    int64_t offset_ms;             /* UTC less time since boot, at the end of a slew */
    int64_t slew_ms, slew_boot_ms; /* ahead of that by so much, since then at half speed */
    int64_t believed_ms;           /* of earlier boots */
    int64_t waiting_since_ms;
    bool is_expected; /* somebody synchronises this clock */
    bool was_synchronised, is_confirmed;
    bool is_refused;              /* the wall clock shows a time that is not believed */
    struct clock_reading reading; /* the newest */
};

/* What is known of the time the station was off. */
struct timeline_absence {
    bool is_first; /* the log knows nothing */
    bool is_same_boot;
    int64_t off_ms;  /* exact within a boot, else at least so long */
    int64_t back_ms; /* the wall clock is behind what it must be by now; 0: it is not */
};

/* `before`: the log's record, NULL when there is none. */
void timeline_start(struct timeline *t, const struct clock_reading *r, const char *boot_id,
                    bool has_service, const struct clock_record *before,
                    struct timeline_absence *ret);

enum timeline_event {
    TIMELINE_SAME,
    TIMELINE_BELIEVED, /* after waiting or guessing: provisional times can be put right */
    TIMELINE_GAVE_UP,  /* waited long enough */
    TIMELINE_STEPPED,  /* a step was followed */
    TIMELINE_REFUSED,  /* a step was not followed */
};

struct timeline_change {
    enum timeline_event what;
    int64_t from_ms, to_ms; /* station time just before and by the clock followed, or refused */
    int64_t jump_ms;        /* by how much times move at once; 0 while slewing */
    bool was_guessed;       /* with TIMELINE_BELIEVED */
};

void timeline_observe(struct timeline *t, const struct clock_reading *r,
                      struct timeline_change *ret);

/* Ends the waiting: there is no room for more provisional rows. */
void timeline_give_up(struct timeline *t);

/* UTC of an instant since boot. Never falls as the instant rises, but for jumps. */
int64_t timeline_at(const struct timeline *t, int64_t boot_ms);

/* Times are provisional: rows must not be sealed. */
bool timeline_is_waiting(const struct timeline *t);

/* Samples of now carry the flag "clock not synchronised": not believed, stepped since it was
 * synchronised last, or off by more than a second while slewing. */
bool timeline_is_doubtful(const struct timeline *t);

void timeline_record(const struct timeline *t, struct clock_record *ret);

const char *clock_state_id(enum clock_state s); /* "synchronised" */
