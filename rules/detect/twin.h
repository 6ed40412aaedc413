/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin - one counter moves away from its background and the one beside it does not follow: the
 * counter drifts, up or, as a dying tube does, down. Pure, plain data.
 */
#pragma once

#include <stdbool.h>

#include "rules/detect/mofn.h"

struct twin_config {
    double slow;  /* values over which an excess is averaged */
    double fast;  /* values over which one sees that it is over */
    double apart; /* of the background: a mean excess that is one */
    double share; /* of it, that the twin must show, or it does not follow */
    double clip;  /* sigma, that a value counts for at most */
    int confirm;  /* values in a row, at most MOFN_MAX */
};

struct twin {
    double own, other, lately; /* mean excesses */
    struct mofn apart;
    bool is_apart;
};

/* What each has over its own background; that of the first, and its root. Whether it has
 * drifted. */
bool twin_push(const struct twin_config *c, struct twin *t, double excess, double excess_other,
               double background, double root);
