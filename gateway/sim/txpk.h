/* SPDX-License-Identifier: Apache-2.0 */
/* txpk - a transmission as the reference packet forwarder reads it: strictly, and without a
 * word about what it misses. Pure. */
#pragma once

#include "gateway/sim/jit_queue.h"

/* The JSON of a PULL_RESP. 0, -EINVAL: dropped in silence; -ENOTSUP: by GPS time, which it has
 * none of (GPS_UNLOCKED). */
int txpk_read(const char *json, size_t n, struct jit_packet *ret);
