/* SPDX-License-Identifier: Apache-2.0 */
/* jitter - how evenly polls go out. Pure. */
#pragma once

#include "gateway/poll/poll.h"

struct jitter_sum {
    uint64_t n;
    double sum_us, square_us;
    int64_t max_us;
};

struct jitter {
    struct jitter_sum slot, interval;
};

/* A poll began so long after its slot; before it when negative. */
void jitter_note_slot(struct jitter *j, int64_t late_us);

/* The time between two polls of a device was so much longer than the one between their slots.
 */
void jitter_note_interval(struct jitter *j, int64_t longer_us);

void jitter_get(const struct jitter *j, struct poll_jitter *ret);
