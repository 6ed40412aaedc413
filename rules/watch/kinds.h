/* SPDX-License-Identifier: Apache-2.0 */
/* kinds - what each kind of watch is made of; for watch.c and the kinds alone. */
#pragma once

#include "rules/watch/watch.h"

/* What a slot is before a kind looks at it: the chain of checks has spoken. */
enum watch_gate {
    WATCH_GATE_OK,
    WATCH_GATE_MISSING,
    WATCH_GATE_BAD,        /* a value that cannot be */
    WATCH_GATE_CALIBRATION /* or maintenance: the instrument, operator or schedule says so */
};

struct watch_slot {
    enum watch_gate gate;
    double value; /* NaN when missing */
    double aside[WATCH_ASIDES];
};

struct watch_ops {
    size_t (*size)(const struct watch_config *c);
    void (*init)(const struct watch_config *c, void *state);
    /* `ret` holds what the slot before left; the kind changes what has changed. */
    void (*slot)(const struct watch_config *c, void *state, const struct watch_slot *s,
                 struct watch_result *ret);
};

extern const struct watch_ops watch_noise, watch_counts, watch_air, watch_water;
