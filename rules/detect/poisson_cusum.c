/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/poisson_cusum.h"

#include <math.h>

static const double FULL = 1.5; /* times enough: behind a strong event it ends in time */

static double clipped(const struct poisson_cusum_config *c, double x, double expected)
{
    const double usual = expected + c->clip * sqrt(expected);
    const double least = (c->clip_least + expected * (c->ratio - 1)) / c->ln_ratio;

    return fmin(x, fmax(usual, least));
}

static double evidence_of(const struct poisson_cusum_config *c, double x, double expected)
{
    return x * c->ln_ratio - expected * (c->ratio - 1);
}

bool poisson_cusum_push(const struct poisson_cusum_config *c, struct poisson_cusum *s, double x,
                        double expected, double beside, double expected_beside)
{
    const bool is_beside = !isnan(beside);
    const double own = clipped(c, x, expected);
    const double other = is_beside ? clipped(c, beside, expected_beside) : 0;

    s->evidence += evidence_of(c, own, expected) +
                   (is_beside ? evidence_of(c, other, expected_beside) : 0);
    if (!(s->evidence > 0)) {
        poisson_cusum_clear(s);
        return false;
    }
    s->evidence = fmin(s->evidence, FULL * c->enough);
    s->excess += own - expected;
    if (is_beside) {
        s->excess_beside += other - expected_beside;
        s->expected_beside += expected_beside;
    }
    return s->evidence >= c->enough;
}

bool poisson_cusum_is_shared(const struct poisson_cusum_config *c,
                             const struct poisson_cusum *s)
{
    if (s->expected_beside == 0)
        return true;
    return s->excess_beside >= c->share * s->excess &&
           s->excess >= c->share * s->excess_beside &&
           s->excess_beside >= c->significant * sqrt(s->expected_beside);
}

void poisson_cusum_clear(struct poisson_cusum *s)
{
    *s = (struct poisson_cusum){ 0 };
}
