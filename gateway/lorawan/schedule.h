/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule - when one concentrator transmits, on its own clock (tmst, microseconds modulo
 * 2^32), so that two of our downlinks never meet in its queue. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCHEDULE_MAX = 32,       /* what the queue of the reference forwarder holds */
    SCHEDULE_GAP_US = 50000, /* it refuses less than 42 ms */
};

struct schedule {
    struct {
        uint32_t tmst;
        uint32_t us;
        int64_t end_us; /* monotonic: forgotten after that */
    } slots[SCHEDULE_MAX];
    size_t n;
    uint32_t tmst; /* of the newest reception */
    int64_t mono_us;
    bool is_known;
};

/* The concentrator's clock at some instant. */
void schedule_see(struct schedule *s, uint32_t tmst, int64_t mono_us);
/* Its clock at another one; 0 when nothing was heard of it. */
uint32_t schedule_tmst(const struct schedule *s, int64_t mono_us);

/* Takes the time when it is free. start_us: monotonic, the same instant as tmst. */
bool schedule_take(struct schedule *s, uint32_t tmst, int64_t us, int64_t start_us,
                   int64_t now_us);
void schedule_drop(struct schedule *s, uint32_t tmst);
/* How long after `tmst` it is busy, us; 0: free. */
int64_t schedule_busy(const struct schedule *s, uint32_t tmst, int64_t us);
/* It started again: its queue is gone. */
void schedule_reset(struct schedule *s);
