/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/platform.h"

double qc_percentile(const double *sorted, size_t n, double percent)
{
    if (!n)
        return NAN;
    const double at = percent / 100 * (double)(n - 1);
    const double whole = floor(at), part = at - whole;
    const size_t i = whole < 0 ? 0 : (size_t)whole;
    if (i + 1 >= n)
        return sorted[n - 1];
    /* From the nearer end, so that the ends themselves come out exactly. */
    const double a = sorted[i], b = sorted[i + 1];
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
}
