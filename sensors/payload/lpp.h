/* SPDX-License-Identifier: Apache-2.0 */
/* lpp - the types of Cayenne LPP: record = channel u8, type u8, value big-endian. Constant
 * data; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensors/payload/layout.h"

struct lpp_type {
    uint8_t type;
    const char *name; /* "temperature" */
    const char *unit; /* of the value, UCUM; NULL: a bare number */
    uint8_t parts;    /* components, of `number` each: x, y, z; latitude, longitude, altitude */
    enum number_type number;
    double scale;
    double last_scale; /* of the last component where it is another one; 0: the same */
};

extern const struct lpp_type lpp_types[];
extern const size_t lpp_types_n;

/* NULL: unknown, and so is its length. */
const struct lpp_type *lpp_find(uint8_t type);
const struct lpp_type *lpp_find_name(const char *name);
size_t lpp_bytes(const struct lpp_type *t);
