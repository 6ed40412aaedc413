/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule judges by, kept with the alert that it raised. Conditions over other channels are
 * those of the configuration in force: what they compare may not exist any more.
 */
#include <math.h>

#include "gateway/alerts/internal.h"

struct judged judged_of(const struct alert_rule *r)
{
    struct judged j = { .direction = (uint8_t)r->direction,
                        .hold_samples = r->hold_samples,
                        .stale_ms = r->stale_ms,
                        .rearm_ms = r->rearm_ms };

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        j.level[l] = r->level[l];
    return j;
}

void judged_apply(const struct judged *j, struct alert_rule *r)
{
    r->direction = (enum alert_direction)j->direction;
    r->hold_samples = (unsigned)j->hold_samples;
    r->stale_ms = j->stale_ms;
    r->rearm_ms = j->rearm_ms;
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        r->level[l] = j->level[l];
}

/* ---- the log ---- */

static json_t *delay_json(const struct alert_delay *d)
{
    return json_pack("[i,i,I]", d->m, d->n, (json_int_t)d->duration_ms);
}

static json_t *level_json(int l, const struct alert_threshold *t)
{
    return json_pack("[i,f,f,o,o,I]", l, t->set, t->clear, delay_json(&t->on),
                     delay_json(&t->off), (json_int_t)t->min_ms);
}

json_t *judged_json(const struct judged *j)
{
    json_t *levels = json_array();

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        if (j->level[l].is_set)
            json_array_append_new(levels, level_json(l, &j->level[l]));
    return json_pack("{s:i,s:I,s:I,s:I,s:o}", "direction", j->direction, "hold",
                     (json_int_t)j->hold_samples, "stale", (json_int_t)j->stale_ms, "rearm",
                     (json_int_t)j->rearm_ms, "levels", levels);
}

static int64_t at(const json_t *list, size_t i)
{
    return json_integer_value(json_array_get(list, i));
}

static struct alert_delay read_delay(const json_t *list)
{
    return (struct alert_delay){ (uint8_t)at(list, 0), (uint8_t)at(list, 1), at(list, 2) };
}

/* NaN was no number there, and is none here. */
static double number_at(const json_t *list, size_t i)
{
    const json_t *x = json_array_get(list, i);

    return json_is_number(x) ? json_number_value(x) : (double)NAN;
}

bool judged_read(const json_t *o, struct judged *ret)
{
    const json_t *level;
    struct judged j = {
        .direction = (uint8_t)json_integer_value(json_object_get(o, "direction")),
        .hold_samples = json_integer_value(json_object_get(o, "hold")),
        .stale_ms = json_integer_value(json_object_get(o, "stale")),
        .rearm_ms = json_integer_value(json_object_get(o, "rearm")),
    };
    size_t i;

    if (!json_is_object(o) || j.direction > ALERT_EQUAL || j.hold_samples < 0)
        return false;
    json_array_foreach(json_object_get(o, "levels"), i, level)
    {
        const int64_t l = at(level, 0);
        if (l < LEVEL_BLUE || l >= LEVEL_COUNT_)
            return false;
        j.level[l] = (struct alert_threshold){ true,
                                               number_at(level, 1),
                                               number_at(level, 2),
                                               read_delay(json_array_get(level, 3)),
                                               read_delay(json_array_get(level, 4)),
                                               at(level, 5) };
    }
    *ret = j;
    return true;
}
