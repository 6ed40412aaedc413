/* SPDX-License-Identifier: Apache-2.0 */
/* lanes - what an uplink sends next; the order is told in follow.h. Internal to the forwarder.
 */
#pragma once

#include "gateway/forward/follow.h"

/* Nothing is under way any more: everything unacknowledged is to be sent from the oldest on. */
void lanes_restart(struct follow *f);

/* Fills the empty batch; nothing to send leaves it empty. 0 or a negative errno. */
int lanes_read(struct follow *f, uint64_t last, int64_t now_ms);

/* The destination lacks frames. More needs than fit are asked for again. */
void lanes_need(struct follow *f, const struct uplink_need *need, bool is_asked);
