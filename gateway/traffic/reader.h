/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader - recorded exchanges of one device as readings, with the decoder that runs live.
 *
 * A scan of the device is what is asked between two requests for the same registers. Pure but
 * for its memory.
 */
#pragma once

#include "gateway/traffic/exchange.h"
#include "sensors/core/sample.h"
#include "sensors/profile/profile.h"

struct traffic_reader;

/* order: enum word_order, -1: the profile's. The profile must outlive it. 0 or -ENOMEM. */
int traffic_reader_create(const struct profile *p, int order, struct traffic_reader **ret);
void traffic_reader_destroy(struct traffic_reader *r); /* takes NULL */

/*
 * One exchange of the device. True when it begins another scan: then the scan before it is
 * decoded into the readings, as of *ret_time_ms (its last answer).
 */
bool traffic_reader_take(struct traffic_reader *r, const struct traffic_exchange *e,
                         int64_t *ret_time_ms);
/* The scan under way, if it has had an answer at all. */
bool traffic_reader_end(struct traffic_reader *r, int64_t *ret_time_ms);

/* points_n of the profile; until the next call. */
const struct reading *traffic_reader_readings(const struct traffic_reader *r);
