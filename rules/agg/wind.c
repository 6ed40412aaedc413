/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/agg/wind.h"

#include <math.h>

#define DEGREE (3.14159265358979323846 / 180)

/* Of the mean speed: a shorter vector points nowhere. */
#define VECTOR_MIN 1e-9

void wind_clear(struct wind *w)
{
    w->east = w->north = 0;
    w->n = 0;
}

struct agg_input wind_join(struct wind *w, struct agg_input direction, double speed)
{
    if (direction.is_usable && speed <= WIND_CALM) {
        direction.a = direction.b = 0;
        direction.is_calm = true;
    }
    if (direction.is_usable && isfinite(speed)) {
        w->east += speed * direction.a;
        w->north += speed * direction.b;
        w->n++;
    }
    return direction;
}

void wind_mean(const struct wind *w, double *ret_speed, double *ret_direction)
{
    const double length = hypot(w->east, w->north);

    *ret_speed = w->n ? length / w->n : NAN;
    *ret_direction = NAN;
    if (w->n == 0 || length <= VECTOR_MIN * w->n)
        return;
    const double x = atan2(w->east, w->north) / DEGREE;
    *ret_direction = x < 0 ? x + 360 : x;
}
