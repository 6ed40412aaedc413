/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/zero_span.h"

#include <math.h>

void zero_span_zero(struct zero_span *z)
{
    z->was_zero = true;
}

bool zero_span_push(const struct zero_span_config *c, struct zero_span *z, double x)
{
    if (z->plateau != 0 && fabs(x - z->plateau) <= c->tolerance * z->plateau)
        return true;
    z->plateau = z->was_zero && x >= c->span ? x : 0;
    z->was_zero = x <= c->zero;
    return false;
}
