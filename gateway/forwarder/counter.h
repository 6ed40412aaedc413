/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter - a concentrator's microsecond counter (tmst, 32 bits, wraps every 71.6 min) against
 * the machine's monotonic clock: how old a reception is that arrives now, and whether the
 * counter began again.
 *
 * The least delay seen is taken for none: arrival less counter, its lower envelope. It may rise
 * by what two crystals drift apart. Pure; time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct counter { /* all zero at first */
    bool is_known;
    uint32_t tmst;      /* last reception */
    int64_t arrived_us; /* its arrival */
    int64_t offset_us;  /* monotonic time less counter at no delay */
    int64_t offset_at_us;
    struct { /* receptions that agree on one delay: the offset is what is wrong */
        unsigned n;
        int64_t offset_us, count_us;
    } late;
};

enum counter_step {
    COUNTER_GOES_ON,
    COUNTER_RESTARTED, /* age 0: its offset is learned anew */
    COUNTER_STUCK,     /* the same value as long before; age 0 */
};

/* A reception that ended at tmst arrives at now_us. */
enum counter_step counter_take(struct counter *c, uint32_t tmst, int64_t now_us,
                               int64_t *ret_age_us);

/* Monotonic time of a counter value at most 35 min away; now_us while it is not known. */
int64_t counter_mono_us(const struct counter *c, uint32_t tmst, int64_t now_us);
