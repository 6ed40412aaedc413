/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jit_queue - the just-in-time queue of the reference packet forwarder: which transmissions a
 * concentrator accepts, and when they leave (facts: lorawan section 1.3). Counter values wrap;
 * a time in the past is far in the future. Pure.
 */
#pragma once

#include <stdbool.h>

#include "gateway/sim/air.h"

enum {
    JIT_QUEUE_MAX = 32,
    JIT_START_US = 1500,
    JIT_MARGIN_US = 1000,
    JIT_LEAD_US = 40000, /* it leaves the queue that long before its time */
    JIT_ADVANCE_US = 512 * 1000 * 1000,
};

struct jit_packet {
    uint32_t tmst;
    bool is_immediate;
    int64_t airtime_us;
    struct air_frame frame; /* without its times */
};

struct jit_queue { /* all zero at first; ordered by time from now */
    size_t n;
    struct jit_packet packets[JIT_QUEUE_MAX];
};

enum jit_verdict { JIT_TAKEN, JIT_FULL, JIT_TOO_LATE, JIT_TOO_EARLY, JIT_COLLISION };

enum jit_verdict jit_queue_add(struct jit_queue *q, const struct jit_packet *p, uint32_t now);
/* Microseconds until the next one leaves the queue; -1: it is empty. */
int64_t jit_queue_wait_us(const struct jit_queue *q, uint32_t now);
/* Takes the first one out. */
struct jit_packet jit_queue_take(struct jit_queue *q);
