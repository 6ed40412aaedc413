/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/neighbours.h"

#include <math.h>

static const double QUARTILES =
    1.349; /* sigma between the quartiles of a normal distribution */

void neighbours_learn(const struct neighbours_config *c, struct neighbours *n,
                      struct ring *ratios, double x, double beside)
{
    ring_push(ratios, (x - beside) / (beside + c->level));
    if (ratios->n < c->least)
        return;
    n->is_known = true;
    n->median = ring_quantile(ratios, 0.5);
    n->scatter = (ring_quantile(ratios, 0.75) - ring_quantile(ratios, 0.25)) / QUARTILES;
}

double neighbours_usual(const struct neighbours_config *c, const struct neighbours *n,
                        double beside)
{
    return n->median * (beside + c->level);
}

double neighbours_sigma(const struct neighbours_config *c, const struct neighbours *n,
                        double beside)
{
    return n->is_known ? fmax(n->scatter * (beside + c->level), c->floor) : c->first;
}
