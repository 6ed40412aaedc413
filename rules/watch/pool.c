/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/watch/pool.h"

#include <math.h>

/* Three quarters of the values make a mean of an hour (GB 3095-2012, table 4: 45 minutes). */
enum { PARTS = 4, PARTS_LEAST = 3 };

uint32_t pool_of(const struct watch_config *c, int64_t whole_ms)
{
    const int64_t n = (whole_ms + c->step_ms / 2) / c->step_ms;

    return n > 1 ? (uint32_t)(n < UINT32_MAX / PARTS ? n : UINT32_MAX / PARTS) : 1;
}

static enum watch_gate gate_of(const struct watch_config *c, const struct watch_slot *s)
{
    if (s->gate != WATCH_GATE_OK)
        return s->gate;
    if (isnan(s->value))
        return WATCH_GATE_MISSING;
    return s->value >= c->range_min && s->value <= c->range_max ? WATCH_GATE_OK
                                                                : WATCH_GATE_BAD;
}

static void add_asides(struct pool *p, const struct watch_slot *s)
{
    for (int i = 0; i < WATCH_ASIDES; i++)
        if (isfinite(s->aside[i])) {
            p->aside[i] += s->aside[i];
            p->asides[i]++;
        }
}

/* A mean that follows each value stays what it is while they repeat: stuck is still seen. */
static void add(struct pool *p, enum watch_gate gate, const struct watch_slot *s)
{
    p->slots++;
    p->calibrations += gate == WATCH_GATE_CALIBRATION;
    p->impossible += gate == WATCH_GATE_BAD;
    if (gate == WATCH_GATE_OK) {
        p->values++;
        p->mean += (s->value - p->mean) / p->values;
    }
    add_asides(p, s);
}

static enum watch_gate gate_of_all(const struct pool *p)
{
    if ((uint64_t)p->values * PARTS >= (uint64_t)p->slots * PARTS_LEAST)
        return WATCH_GATE_OK;
    if (p->calibrations)
        return WATCH_GATE_CALIBRATION;
    return p->impossible ? WATCH_GATE_BAD : WATCH_GATE_MISSING;
}

/* One slot needs no pool. */
static void pass(enum watch_gate gate, const struct watch_slot *s, struct watch_slot *ret)
{
    *ret = *s;
    ret->gate = gate;
    for (int i = 0; i < WATCH_ASIDES; i++)
        if (!isfinite(ret->aside[i]))
            ret->aside[i] = NAN;
}

bool pool_add(const struct watch_config *c, struct pool *p, uint32_t of,
              const struct watch_slot *s, struct watch_slot *ret)
{
    const enum watch_gate gate = gate_of(c, s);

    if (of == 1) {
        pass(gate, s, ret);
        return true;
    }
    add(p, gate, s);
    if (p->slots < of)
        return false;
    ret->gate = gate_of_all(p);
    ret->value = ret->gate == WATCH_GATE_OK ? p->mean : NAN;
    for (int i = 0; i < WATCH_ASIDES; i++)
        ret->aside[i] = p->asides[i] ? p->aside[i] / p->asides[i] : NAN;
    *p = (struct pool){ 0 };
    return true;
}
