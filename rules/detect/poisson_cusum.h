/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poisson_cusum - a lasting rise of counts, found as early as its size allows: the sum of how
 * much more likely each count is under a rise by `ratio` than under the background, never below
 * 0 (Page 1954; for counts Lucas 1985). A second counter beside adds its own evidence. Pure,
 * plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct poisson_cusum_config {
    double ratio, ln_ratio; /* the rise it is best at, and its natural logarithm */
    double enough;          /* evidence that makes an alarm */
    double clip;            /* a count is taken for at most so many sigma: one wild value is no
                               rise */
    double clip_least;  /* evidence that a count may bring at least: with many counts sigma is
                           small, and a rise would be clipped away */
    double share;       /* of the excess, that each counter must show of the other's */
    double significant; /* sigma, that the second counter must show by itself */
};

struct poisson_cusum {
    double evidence;
    double excess, excess_beside; /* since the evidence was 0 */
    double expected_beside;       /* 0: the second counter was never there */
};

/* A count, and what was expected, > 0; `beside`: NaN where there is no second counter. Whether
 * there is enough evidence. */
bool poisson_cusum_push(const struct poisson_cusum_config *c, struct poisson_cusum *s, double x,
                        double expected, double beside, double expected_beside);
/* Whether the second counter, where there is one, shows the excess too. */
bool poisson_cusum_is_shared(const struct poisson_cusum_config *c,
                             const struct poisson_cusum *s);
void poisson_cusum_clear(struct poisson_cusum *s);
