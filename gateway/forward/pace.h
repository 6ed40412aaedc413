/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace - how many bytes may be under way, so that what is urgent never waits long behind them
 * whatever the link is: a quick link gets more and more, a slow one less. Time is an argument.
 * Pure; one thread.
 *
 * One round trip at a time is timed. The quickest one seen is what the link itself takes, as
 * over a satellite; what comes on top is waiting, and that is held near PACE_WAIT_MS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_WAIT_MS = 200,   /* so an alert is out within a second with the rest of its way */
    PACE_LEAST = 1 << 10, /* nearly a packet: below, headers cost more than they carry */
    PACE_FIRST = 2 << 10, /* small, so that the first round trip shows the link itself */
    PACE_MOST = 4 << 20,  /* beyond, no link we serve gets faster */
};

struct pace {
    size_t budget;
    uint64_t handed, passed, mark; /* bytes since the beginning; the one that is timed */
    bool is_timing, was_full;
    int64_t began_ms, base_ms, progress_ms;
};

void pace_init(struct pace *p);

/* The connection is new: nothing is under way, the link may be another one. */
void pace_restart(struct pace *p);

/* Bytes that may still be handed over; 0: wait. */
size_t pace_room(const struct pace *p);

void pace_handed(struct pace *p, size_t bytes, int64_t now_ms);

/* Of all that was handed over so much has not arrived yet. */
void pace_left(struct pace *p, size_t bytes, int64_t now_ms);

/* How long what is under way has made no progress; 0 when nothing is. */
int64_t pace_silent_ms(const struct pace *p, int64_t now_ms);
