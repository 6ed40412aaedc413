/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_series - a folder of tables as the readings of a station: one table a device
 * ("roof.csv", columns are its points or their quantities), one a channel ("roof.ozone.csv") or
 * any with the ids of channels ("roof/ozone") in its heading. Rows of all tables come in the
 * order of time; of each table one row is in memory.
 */
#pragma once

#include "gateway/cmd/replay_source.h"
#include "gateway/table.h"

/* The table of channels must outlive it. 0, -EINVAL: told on standard error, or -ENOMEM. A row
 * that is not later than the one before is refused, told. */
int replay_series_open(const char *folder, const struct table *t, struct replay_source *ret);
