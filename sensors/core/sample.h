/* SPDX-License-Identifier: Apache-2.0 */
/* sample - one value of one channel at one instant: the unit of the whole pipeline. */
#pragma once

#include <stdint.h>

#include "sensors/core/decimal.h"
#include "sensors/core/status.h"

/* A reading before it has a time: what a decoder says of one point of a profile. */
struct reading {
    struct decimal value; /* in the quantity's unit (the point's own without a quantity);
                             DECIMAL_MISSING when there is none */
    struct verdict verdict;
    struct decimal raw; /* as read, in the unit of the point; kept even where value is not */
};

struct sample {
    int64_t time_ms;      /* UTC, milliseconds since 1970 */
    uint32_t channel;     /* index into the station's channel table */
    struct decimal value; /* canonical unit */
    struct verdict verdict;
};
