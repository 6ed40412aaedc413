/* SPDX-License-Identifier: Apache-2.0 */
/*
 * neighbours - what a station usually measures beside its neighbours, and how much it scatters
 * against them, in proportion to the level: (value - neighbours) / (neighbours + level), its
 * median and its quartiles over two days. Learns only when it is told to. Over a ring that
 * whoever uses it holds. Pure, plain data.
 */
#pragma once

#include <stdbool.h>

#include "rules/detect/ring.h"

struct neighbours_config {
    int least;    /* values before it is believed */
    double level; /* below it the difference counts as it is, above it in proportion */
    double floor; /* scatter at least */
    double first; /* scatter before it is believed */
};

struct neighbours {
    double median, scatter; /* relative */
    bool is_known;
};

/* `beside`: the median of the neighbours, not negative. */
void neighbours_learn(const struct neighbours_config *c, struct neighbours *n,
                      struct ring *ratios, double x, double beside);
/* What is to be expected more than the neighbours have. */
double neighbours_usual(const struct neighbours_config *c, const struct neighbours *n,
                        double beside);
/* One sigma of it. */
double neighbours_sigma(const struct neighbours_config *c, const struct neighbours *n,
                        double beside);
