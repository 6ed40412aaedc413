/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc - allocations that fail when a test wants them to: of the program's own code (linked
 * with --wrap), of SQLite and of jansson. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Before SQLite is used. */
void alloc_install(void);

/* The n-th (1..) allocation from now fails, and with is_persistent all after it; 0: none. */
void alloc_fail_at(uint64_t n, bool is_persistent);
/* Whether one did since alloc_fail_at(). */
bool alloc_has_failed(void);
/* Blocks that the program holds. */
int64_t alloc_blocks(void);
