/* SPDX-License-Identifier: Apache-2.0 */
/*
 * damage - a log that cannot be read any more is set aside, never deleted: `sluice export
 * --salvage` gets out of it what can be got. Before the store runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Renames the database and its WAL to "<database>-damaged-<time>", which goes to `ret`. 0 or a
 * negative errno. */
int damage_set_aside(const char *database, int64_t now_ms, char *ret, size_t size);

/* The event that the new log begins with, as in store_batch_event. */
void damage_put_event(char *json, size_t size, const char *file, const char *why,
                      int64_t now_ms);
