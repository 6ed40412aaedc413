/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/standard.h"

#include <stdlib.h>

#include "rules/detect/count.h"

static bool is_on_standard(const struct standard_config *c, int16_t x)
{
    for (size_t i = 0; i < c->n; i++)
        if (abs(x - c->values[i]) <= c->tolerance)
            return true;
    return false;
}

bool standard_push(const struct standard_config *c, struct standard *s, int16_t x)
{
    if (!is_on_standard(c, x)) {
        s->run = 0;
        return false;
    }
    if (s->run == 0)
        s->lowest = s->highest = x;
    if (x < s->lowest)
        s->lowest = x;
    if (x > s->highest)
        s->highest = x;
    if (s->highest - s->lowest > c->spread) {
        s->run = 0;
        s->lowest = s->highest = x;
    }
    s->run = count_up(s->run);
    return true;
}
