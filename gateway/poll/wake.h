/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wake - one timer on the loop that goes off within a fraction of a millisecond.
 *
 * The loop's own timers count whole milliseconds from when it last looked at the clock, so
 * that the same slot begins up to two milliseconds earlier or later each time.
 */
#pragma once

#include <uv.h>

struct wake {
    uv_poll_t poll;
    int fd;
    void (*on_wake)(void *user);
    void (*on_closed)(void *user);
    void *user;
};

/* 0 or a negative errno; then there is nothing to close. */
int wake_init(uv_loop_t *loop, struct wake *w, void (*on_wake)(void *user), void *user);

/* At a real monotonic time, at once when that is over; replaces the one before. */
void wake_at(struct wake *w, int64_t mono_ms);

void wake_close(struct wake *w, void (*on_closed)(void *user));
