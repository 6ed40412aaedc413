/* SPDX-License-Identifier: Apache-2.0 */
/*
 * radios - the radio channels that a poller's lora-serial buses share: one for each name. Main
 * thread.
 */
#pragma once

#include <uv.h>

#include "gateway/bus/radio_channel.h"
#include "gateway/poll/poll.h"

struct radios {
    struct radio_channel **channel; /* per bus; the same for buses of one name, else NULL */
    size_t n;                       /* buses */
};

/* 0 or a negative errno; then radios_close() and radios_done() all the same. */
int radios_init(struct radios *r, uv_loop_t *loop, const struct poll_bus *buses, size_t n);

/* on_closed once for each channel; returns how many there are. */
size_t radios_close(struct radios *r, void (*on_closed)(void *user), void *user);
void radios_done(struct radios *r);
