/* SPDX-License-Identifier: Apache-2.0 */
/*
 * station_clock - the clock of a running gateway: the timeline over the system's clocks, taken
 * up from the log at start, carried into everything that asks for station time. A fast clock of
 * a demonstration is its own timeline. Main thread, but for the reading of `clock`.
 */
#pragma once

#include "gateway/clock/timeline.h"
#include "gateway/live/live.h"
#include "gateway/pipeline/pipeline.h"

struct station_clock {
    struct clock clock;        /* station time; for everybody */
    struct timeline *timeline; /* for the pipeline; NULL with a fast clock */
    struct timeline own;
    _Atomic int64_t offset_ms;
    struct timeline_absence absence;
    uint64_t steps; /* told since start */
};

/* Until the log is open station time is the system's. Must not move in memory afterwards. */
void station_clock_init(struct station_clock *c, const struct clock *given);

/* Takes up what the log knows. */
void station_clock_start(struct station_clock *c, struct store *store);

/* About once a second: reads the clocks and tells the pipeline. */
void station_clock_tick(struct station_clock *c, struct pipeline *p);

/* Says in an event how long the station was away, and whether its clock went back meanwhile. */
void station_clock_tell_start(const struct station_clock *c, struct pipeline *p);

/* Rows that wait go out before their channels change. */
void station_clock_end_waiting(struct station_clock *c, struct pipeline *p);

struct live_clock station_clock_live(const struct station_clock *c,
                                     const struct pipeline *pipeline);
