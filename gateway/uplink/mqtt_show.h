/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt_show - publications of a batch as text, for `sluice forward --dry-run`. Pure. */
#pragma once

#include "gateway/uplink/uplink.h"

/* As the uplink `mqtt` would cut it for a broker without limits of its own; `is_whole`: with
 * every byte in hexadecimal. 0, -EINVAL (region or station is no topic level), -ENOSPC. */
int mqtt_show(const struct uplink_station *s, const struct uplink_batch *b, bool is_whole,
              struct buf *out);
