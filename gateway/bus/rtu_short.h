/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtu_short - the short read that goes ahead of a request whose answer could be mistaken: its
 * own looks like none that is outstanding. Pure; inside gateway/bus only.
 *
 * It reads where the request reads or writes, as few registers as do: an instrument has at
 * least something there, and an exception proves nearly as much.
 */
#pragma once

#include "gateway/bus/bus.h"
#include "gateway/bus/rtu_open.h"

struct rtu_knowledge { /* of a unit */
    bool is_heard;     /* it has answered since the last timeout */
    bool has_doubt;    /* an exception was not believed: other functions tell more */
};

/* False: there is none, and the request must not be sent. */
bool rtu_short_read(struct rtu_open *o, const struct bus_request *r, struct rtu_knowledge known,
                    struct bus_request *ret);
