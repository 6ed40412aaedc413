/* SPDX-License-Identifier: Apache-2.0 */
/* commit_apply - what the operations of batches do within a transaction. Writer's thread. */
#pragma once

#include "gateway/store/commit.h"

/* All operations of the list, in order. 0 or a negative errno. */
int commit_apply(struct commit *c, const struct store_batch *batches, int64_t now_ms);
/* An event, as in store_batch_event() or _note(), with its number. 0 or a negative errno. */
int commit_event(struct commit *c, const char *json, size_t size, bool is_local);
