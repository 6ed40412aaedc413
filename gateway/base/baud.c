/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/baud.h"

#include <stddef.h>
#include <stdlib.h>

int64_t baud_nearest(int64_t baud)
{
    static const int64_t rates[] = { 300,     600,     1200,    2400,    4800,    9600,
                                     19200,   38400,   57600,   115200,  230400,  460800,
                                     500000,  576000,  921600,  1000000, 1152000, 1500000,
                                     2000000, 2500000, 3000000, 3500000, 4000000 };
    int64_t near = rates[0];

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (llabs(rates[i] - baud) < llabs(near - baud))
            near = rates[i];
    }
    return near;
}
