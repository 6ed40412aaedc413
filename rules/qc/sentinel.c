/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/checks.h"

bool qc_is_sentinel(const struct qc_sentinels *c, double x)
{
    if (!isfinite(x))
        return true;
    for (unsigned i = 0; i < c->n; i++)
        if (x == c->value[i])
            return true;
    return false;
}
