/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/offset.h"

static bool is_over(const struct offset_config *c, struct offset *o, const struct ring *r,
                    double difference)
{
    const bool is_back = difference < 0.5 * ring_quantile(r, 0.5) && difference < 0.5 * c->from;

    o->back = is_back ? (uint8_t)(o->back + 1) : 0;
    return o->back >= c->back || ring_quantile(r, c->quantile) < c->over * c->from;
}

bool offset_push(const struct offset_config *c, struct offset *o, struct ring *differences,
                 double difference)
{
    ring_push(differences, difference);
    if (differences->n < c->least)
        return o->is_up;
    if (!o->is_up) {
        o->is_up = ring_quantile(differences, c->quantile) > c->from;
        o->back = 0;
    }
    if (o->is_up && is_over(c, o, differences, difference)) {
        o->is_up = false;
        ring_clear(differences);
    }
    return o->is_up;
}

double offset_size(const struct offset *o, const struct ring *differences)
{
    return o->is_up ? ring_quantile(differences, 0.5) : 0;
}
