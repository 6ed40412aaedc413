/* SPDX-License-Identifier: Apache-2.0 */
/* cursor - which entries are acknowledged: a contiguous part and ranges above it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/store/store.h"

bool cursor_has(const struct store_cursor *c, uint64_t seq);

/* Adds from..to; what touches is merged. False, and nothing changed, when there is no place for
 * one more range: the entries will be sent and acknowledged again. */
bool cursor_ack(struct store_cursor *c, uint64_t from, uint64_t to);

/* The first entry from `seq` on that is not acknowledged. */
uint64_t cursor_next(const struct store_cursor *c, uint64_t seq);

/* Entries up to `last` that are not acknowledged. */
uint64_t cursor_backlog(const struct store_cursor *c, uint64_t last);
