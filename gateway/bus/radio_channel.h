/* SPDX-License-Identifier: Apache-2.0 */
/*
 * radio_channel - who may speak on a radio channel that several serial ports with modems share:
 * one exchange at a time, in the order of asking, and no more air time than is allowed. Main
 * thread.
 *
 * The air time that was spent is a level that sinks by `share` of the time; a turn is given
 * while it is below what `share` allows in RADIO_CHANNEL_WINDOW_MS. So a window of any length
 * has at most its share and one such allowance of air time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { RADIO_CHANNEL_WINDOW_MS = 60000 };

struct radio_channel;

/* Of one port; the owner's storage, all 0 but for the first two. */
struct radio_turn {
    void (*on_turn)(void *user);
    void *user;
    struct radio_turn *next;
    bool is_waiting, is_mine;
};

/* share: of the time, above 0 to 1. name must outlive it. 0 or a negative errno. */
int radio_channel_create(uv_loop_t *loop, const char *name, double share,
                         struct radio_channel **ret);

/* Calls t->on_turn as soon as it may, perhaps from inside. Not while it waits or has the turn.
 */
void radio_channel_ask(struct radio_channel *c, struct radio_turn *t);

/* The turn is over: so much air time was spent, and for quiet_ms something may still be on the
 * air. */
void radio_channel_leave(struct radio_channel *c, struct radio_turn *t, int64_t air_us,
                         int64_t quiet_ms);

/* Neither wants nor has the turn any more. */
void radio_channel_withdraw(struct radio_channel *c, struct radio_turn *t);

/* Microseconds of air time since it was made. */
uint64_t radio_channel_air_us(const struct radio_channel *c);

/* Nobody gets a turn any more; on_closed once, later. Then destroy; takes NULL. */
void radio_channel_close(struct radio_channel *c, void (*on_closed)(void *user), void *user);
void radio_channel_destroy(struct radio_channel *c);
