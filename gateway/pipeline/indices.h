/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indices - air quality indices of the station, formed when the hour's or the day's statistics
 * are closed, from their rows. Nobody outside this folder includes it.
 *
 * An index is a statistic of several channels: a stream of PIPELINE_INDEX_COLUMNS columns, its
 * periods closed by statistics.c behind those that it is formed of, of means as they stand in
 * the log (index_means.h). So it costs nothing between the ends of hours, stores no state, and
 * a restart cannot come to another result.
 */
#pragma once

#include "gateway/pipeline/internal.h"

/* 0 or -ENOMEM. */
int indices_init(struct pipeline *p);
void indices_done(struct pipeline *p);

/* What a row of the stream adds. */
void indices_feed(struct pipeline *p, uint32_t stream, int64_t time_ms,
                  const struct series_cell *cells);

/* One column of an index for the period that began at label_ms, the first column first. False:
 * the channel is of no index; *ret is as it was. */
bool indices_value(struct pipeline *p, uint32_t channel, int64_t label_ms, struct sample *ret);

/* Tells the indices of the newest rows in the log, for the live view. */
void indices_tell(struct pipeline *p);
