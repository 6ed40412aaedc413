/* SPDX-License-Identifier: Apache-2.0 */
/* status_clock - the clock's line of sluice status. */
#pragma once

#include <jansson.h>

/* The member "clock" of the daemon's answer, on standard output; nothing without one. */
void status_print_clock(const json_t *clock);
