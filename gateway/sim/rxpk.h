/* SPDX-License-Identifier: Apache-2.0 */
/* rxpk - a reception as the reference packet forwarder writes it. Pure. */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/sim/air.h"

struct rxpk {
    uint32_t tmst;
    bool is_garbled; /* its CRC was wrong */
    float rssi, snr;
    struct air_frame frame;
};

/* One object of the array. */
void rxpk_print(struct buf *b, const struct rxpk *r);
