/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line - who is asked next where devices share a bus, and how long they may take.
 *
 * One slow, silent or lying unit costs its line at most its own time. Sound devices are asked
 * in the order of their slots. A device in trouble (silent, or failed lately), one that is
 * taken apart because it refuses registers, and one whose answers take longer than its part of
 * the line (its interval divided by the devices) goes behind all others:
 *
 *   1. it is asked when no sound device waits
 *   2. and only when its answer is expected before the next slot of a sound device
 *   3. while it is in trouble its deadline ends at that slot
 *   4. having waited LINE_PATIENCE of its intervals for that, it is asked as soon as no sound
 *      device waits, one request with its whole timeout, so that a device that is merely slow
 *      is found out all the same. The others are late by a part of it. Devices in trouble have
 *      one such request in LINE_GRANT_MS for all of them together
 *   5. one that may do so and waited LINE_STARVED intervals, because the line is never free,
 *      goes first
 *
 * Pure: time is an argument. Does no asking.
 */
#pragma once

#include "gateway/base/clock.h"
#include "gateway/poll/device.h"
#include "gateway/poll/load.h"
#include "gateway/poll/schedule.h"

enum {
    LINE_PATIENCE = 2,
    LINE_STARVED = 5,
    LINE_GRANT_MS = 60000, /* a timeout of a second costs the others 2 % at most */
    LINE_MARGIN_MS = 5,    /* kept free before a slot: the end of a deadline and the silence */
};

struct line_queue {
    struct device *head, *tail;
};

struct line {
    struct load_line load;
    struct device *devices; /* chained by `sibling` */
    uint32_t devices_n;     /* enabled */
    struct device *asked;   /* its request is on the bus */
    struct line_queue ready, slow;
    int64_t grant_ms; /* station time from which a device in trouble may hold up others */
    uint64_t asked_us, busy_us; /* real: since when, and how long in all, requests were out */
    uint64_t requests;
};

void line_add(struct line *l, struct device *d);

/* Whether its answers take longer than its part of the line. */
bool line_is_too_slow(const struct line *l, const struct device *d, const struct clock *c);

/* now_ms: monotonic station time, here and below; only looked at when a slow device is
 * concerned. */
void line_put(struct line *l, struct device *d, int64_t now_ms);

/* Takes out the next device to be asked; NULL: none, or none whose answer fits. `slots`: when
 * devices are due. *ret_timeout_ms (real) limits the request's own timeout. */
struct device *line_take(struct line *l, const struct schedule *slots, const struct clock *c,
                         int64_t now_ms, int64_t *ret_timeout_ms);
