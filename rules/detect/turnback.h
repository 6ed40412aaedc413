/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turnback - large moves that turn back at once, again and again: a loose contact, air bubbles,
 * fish, a fouled wiper. Water comes and goes; it does not jump there and back. Pure, plain
 * data.
 */
#pragma once

#include <stdbool.h>

#include "rules/detect/mofn.h"
#include "rules/detect/quantile.h"

struct turnback_config {
    double usual;  /* which quantile of the steps is the usual step */
    double times;  /* of the usual step: a large move */
    double share;  /* of the distance from the baseline that a large move must have: noise on a
                      plateau does not fall back to it */
    int turns, of; /* so many turns in so many values */
};

struct turnback {
    struct quantile step;
    double last, move; /* the value before and the move to it; NaN: none */
    struct mofn turns;
    bool is_on; /* until `of` values have passed without a turn */
};

/* `resolution` > 0: of the values. */
void turnback_start(struct turnback *t, double resolution);
/* `floor`: smaller moves do not count; `baseline`: NaN where it is not known. */
bool turnback_push(const struct turnback_config *c, struct turnback *t, double x, double floor,
                   double baseline, double resolution);
/* A value that cannot be counts as a turn. */
bool turnback_impossible(const struct turnback_config *c, struct turnback *t);
/* The sequence breaks: the next value has no one before it. */
void turnback_break(struct turnback *t);
