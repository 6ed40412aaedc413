/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frozen - a value that repeats for longer than this source ever does. How readily it repeats
 * itself is learnt: quiet water in steps of 0.01 stands still for hours, turbidity never does.
 * A run is too long when chance makes it once in 1 / `chance` values. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/detect/repeat.h"

struct frozen_config {
    double chance;      /* of a run that is called frozen */
    int least;          /* values of such a run at least, whatever was learnt */
    int most;           /* learnt or not: from here on it is frozen */
    double times;       /* so many times the longest run that went on by itself */
    double memory;      /* share of what was learnt that a pair of values leaves */
    double fade;        /* share of the longest run that a later one leaves */
    double share_start; /* of repeats, before anything is learnt */
    double share_min, share_max;
};

struct frozen {
    struct repeat repeat;
    double share;   /* learnt: of values that repeat the one before */
    double longest; /* run that went on by itself; fades */
    uint16_t need;  /* values of a run that make it frozen */
    bool is_lively; /* the source moved when the run began */
};

void frozen_start(const struct frozen_config *c, struct frozen *f);
/* A run that ends with a step of at most `small` went on by itself, and is learnt; any other
 * ended by a fault or an event. `is_lively`: the source moves by more than its resolution; one
 * that does not cannot show that it is frozen. Values in the run. */
int frozen_push(const struct frozen_config *c, struct frozen *f, double x, double small,
                bool is_lively);
/* No value: the run is broken. */
void frozen_break(struct frozen *f);
bool frozen_is(const struct frozen *f);
