/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_series - a folder of tables as the readings of a station: one table a device
 * ("roof.csv", columns are its points or their quantities), one a channel ("roof.ozone.csv") or
 * any with the ids of channels ("roof/ozone") in its heading. Rows of all tables come in the
 * order of time; of each table one row is in memory.
 */
#pragma once

#include "gateway/table.h"

struct replay_series;

/* The table of channels must outlive it. 0, -EINVAL: told on standard error, or -ENOMEM. */
int replay_series_open(const char *folder, const struct table *t, struct replay_series **ret);
void replay_series_close(struct replay_series *s); /* takes NULL */

/* The next instant at which there is a row. 1, 0 behind the last, -EINVAL: told, or -ENOMEM. */
int replay_series_next(struct replay_series *s, int64_t *ret_ms);

/* Of that instant, one per point of the profile; NULL: the device has no row. */
const struct reading *replay_series_readings(const struct replay_series *s, size_t device);

/* Whether any table has a column of the channel. */
bool replay_series_has(const struct replay_series *s, uint32_t channel);

struct replay_progress {
    size_t files, columns;
    uint64_t rows, bytes, bytes_total;
    bool has_milliseconds; /* a table's times have decimals */
};
struct replay_progress replay_series_progress(const struct replay_series *s);
