/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/frozen.h"

#include <math.h>

static void learn(const struct frozen_config *c, struct frozen *f, uint16_t run)
{
    f->share = (1 - (1 - f->share) * pow(c->memory, run - 1)) * c->memory;
    f->longest = fmax(run, f->longest * c->fade);
}

static uint16_t need_of(const struct frozen_config *c, const struct frozen *f)
{
    const double share = fmin(c->share_max, fmax(c->share_min, f->share));
    const double by_chance = floor(log(c->chance) / log(share)) + 1;
    const double by_longest = floor(c->times * f->longest);

    return (uint16_t)fmin(c->most, fmax(c->least, fmax(by_chance, by_longest)));
}

void frozen_start(const struct frozen_config *c, struct frozen *f)
{
    *f = (struct frozen){ .share = c->share_start };
}

int frozen_push(const struct frozen_config *c, struct frozen *f, double x, double small,
                bool is_lively)
{
    const struct repeat before = f->repeat;

    if (repeat_push(&f->repeat, x) > 1)
        return f->repeat.run;
    if (before.run && fabs(x - before.last) <= small)
        learn(c, f, before.run);
    f->is_lively = is_lively;
    f->need = need_of(c, f);
    return 1;
}

void frozen_break(struct frozen *f)
{
    f->repeat.run = 0;
}

bool frozen_is(const struct frozen *f)
{
    return f->is_lively && f->repeat.run >= f->need;
}
