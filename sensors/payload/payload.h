/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload - what the bytes of an uplink mean, as data, and the pure decoder of it.
 *
 * A profile of a LoRa device has a struct payload (profile->payload) instead of registers: a
 * declarative layout, Cayenne LPP, or a TS013 script whose result fields are mapped. One
 * message may give some of the points only, and several rows with times of their own (history).
 * Constant after loading, any thread; no allocation here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/sample.h"

struct profile;
struct payload; /* sensors/payload/layout.h: what the loader makes of YAML */

enum { PAYLOAD_ROWS_MAX = 64 };

struct payload_row {
    int64_t age_ms;  /* before reception; 0: now */
    int64_t time_ms; /* UTC by the device's own clock; INT64_MIN: not told, age_ms counts */
    const struct reading *readings; /* one per point of the profile, in its order */
    const uint8_t *has;             /* per point: 0: this message says nothing of it */
};

enum payload_outcome {
    PAYLOAD_OK,
    PAYLOAD_IGNORED,   /* a kind of message that carries no measurements: its port, its code */
    PAYLOAD_UNKNOWN,   /* no message of the profile is like this, or a part of it is unknown:
                          what stands before that part was handed over */
    PAYLOAD_TRUNCATED, /* what could be read was handed over */
    PAYLOAD_INVALID,   /* contradicts the layout */
    PAYLOAD_SCRIPT     /* a script has to do it: payload_script(), payload_map() */
};
/* A full sentence; zh or en. */
const char *payload_outcome_text(enum payload_outcome o, const char *lang);

/* fport 1..223. on_row is called for each row, oldest first, the present one last. */
enum payload_outcome payload_decode(const struct profile *p, uint8_t fport,
                                    const uint8_t *bytes, size_t n,
                                    void (*on_row)(void *user, const struct payload_row *row),
                                    void *user);

/* The path of a profile's script, beside the profile's own file; NULL when it has none. */
const char *payload_script(const struct profile *p);

/* One field of a script's result, flattened: "channels[0].value". */
struct payload_value {
    const char *path;
    enum { PAYLOAD_NUMBER, PAYLOAD_TEXT, PAYLOAD_BOOL } type;
    double number;          /* also 0, 1 of a bool */
    struct decimal decimal; /* the number as it was written */
    const char *text;
};
/* Maps the result of a script to rows. */
enum payload_outcome payload_map(const struct profile *p, const struct payload_value *values,
                                 size_t n,
                                 void (*on_row)(void *user, const struct payload_row *row),
                                 void *user);

/* The inverse of payload_decode() for the simulator and tests: one message of the device in its
 * usual port. value[i]: canonical unit, NaN: the point's code for "no value", or left out. The
 * length, or -ENOTSUP (script), -ENOSPC. */
int payload_encode(const struct profile *p, const double *value, uint8_t *ret_fport,
                   uint8_t *out, size_t size);
