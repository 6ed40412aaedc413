/* SPDX-License-Identifier: Apache-2.0 */
/* replay_names - whose values a table of a replay has, by the names of files and columns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/table.h"

/* By the first n bytes of the name. */
bool replay_find_device(const struct table *t, const char *name, size_t n, size_t *ret);
/* A point that is a channel, by its id, else the only one of that quantity. */
bool replay_find_point(const struct table *t, size_t device, const char *name, int32_t *ret);
/* By a file's name without ".csv": "roof", or "dev.roof" as sluice export names it;
 * "roof.ozone" leaves "ozone" in *ret_point, else that is NULL. */
bool replay_find_by_file(const struct table *t, const char *stem, size_t *ret,
                         const char **ret_point);

/* On standard error: what a name might have meant, the channels of one device, or (NULL) of
 * all. */
void replay_list_channels(const struct table *t, const char *device, const char *wrong);
void replay_list_devices(const struct table *t);
