/* SPDX-License-Identifier: Apache-2.0 */
/* test_words - what test and scan say in the user's language. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/bus/bus.h"

/* "illegal data address" ...; "unknown code" for what Modbus does not define. */
const char *exception_words(uint8_t code);

/* Why a request brought nothing: "no answer within 1000 ms", "exception 02: ...". Returns buf.
 */
const char *outcome_words(enum bus_outcome outcome, uint8_t exception, int64_t timeout_ms,
                          char *buf, size_t size);

/* "rtu /dev/ttyUSB0 9600 8N1", "tcp 192.0.2.20:502". Returns buf. */
const char *place_words(const struct bus_place *p, char *buf, size_t size);

/* Why a serial port cannot be used, by what port_check() gave: "there is no such port". */
const char *port_words(int rc);

/* Says whom a serial port belongs to and why that matters; on stderr. True when somebody has
 * it. */
bool port_is_taken(const char *command, const char *path, bool is_taking);
