/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/known.h"

#include <math.h>

unsigned known_sort(const double *value, unsigned n, double *ret)
{
    unsigned found = 0;

    for (unsigned i = 0; i < n; i++) {
        if (!isfinite(value[i]))
            continue;
        unsigned at = found++;
        for (; at > 0 && ret[at - 1] > value[i]; at--)
            ret[at] = ret[at - 1];
        ret[at] = value[i];
    }
    return found;
}

double known_median(const double *sorted, unsigned n)
{
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}
