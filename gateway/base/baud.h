/* SPDX-License-Identifier: Apache-2.0 */
/* baud - the speeds of a serial line that both the terminal interface and libmodbus know. */
#pragma once

#include <stdint.h>

/* The known speed that is nearest; `baud` itself when it is one. */
int64_t baud_nearest(int64_t baud);
