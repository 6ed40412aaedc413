/* SPDX-License-Identifier: Apache-2.0 */
/* field - what one group of bytes says of the points of a profile, and the inverse. Shared by
 * the sources of this folder. Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/payload/layout.h"

/* One moment of a device while it is put together. */
struct payload_moment {
    const struct profile *p;
    struct reading *readings; /* one per point */
    uint8_t *has;
    bool has_any;
};

/* Nothing is said of any point. */
void moment_clear(struct payload_moment *m);
/* The fields of a group; false when one that must be there lies beyond the bytes. */
bool moment_read(struct payload_moment *m, const struct payload_group *g, const uint8_t *bytes,
                 size_t n);
/* A number of the device, in its own unit, for a point. */
void moment_set(struct payload_moment *m, size_t point, struct decimal d);
void moment_set_missing(struct payload_moment *m, size_t point);
/* Verdicts of a group's status; false when a status lies beyond the bytes. */
bool moment_judge(struct payload_moment *m, const struct payload_group *g, const uint8_t *bytes,
                  size_t n);
/* Diagnostics judge last: what is missing has no value then. */
void moment_finish(struct payload_moment *m);

/* Writes a value (canonical unit; NaN: none) where the field stands. */
void field_write(const struct profile *p, const struct payload_field *f, double value,
                 uint8_t *bytes, size_t n);
