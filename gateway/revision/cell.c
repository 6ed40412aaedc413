/* SPDX-License-Identifier: Apache-2.0 */
/* What a reading is, now that the check behind it is known. */
#include <string.h>

#include "gateway/revision/internal.h"
#include "rules/agg/plan.h"
#include "sensors/core/status.h"

/* More than a quarter of the period, or the very moment of a reading. */
static bool is_held(const struct spans *spans, int64_t period_ms, int64_t time_ms)
{
    if (period_ms == 0)
        return spans_has(spans, time_ms);
    return spans_overlap(spans, time_ms, time_ms + period_ms) > period_ms / 4;
}

bool row_is_revised(const struct revision *x, const struct stage *s, int64_t time_ms)
{
    if (is_held(&x->before, s->period_ms, time_ms))
        return false;
    struct spans all = x->before;
    spans_add(&all, x->from_ms, x->to_ms);
    return is_held(&all, s->period_ms, time_ms);
}

/* (x - zero) * factor goes through it: not through levels, counts, deviations, directions. */
static bool is_linear(const struct channel *ch)
{
    static const enum agg_figure figures[] = { AGG_VALUE, AGG_FIGURE_MIN, AGG_FIGURE_MAX,
                                               AGG_FIGURE_MAX8H };
    const enum aggregate how = ch->quantity->agg;
    struct agg_want w;
    char why[128];

    if (!ch->statistic)
        return true;
    if ((how != AGG_MEAN && how != AGG_LAST && how != AGG_MAX && how != AGG_MIN) ||
        agg_want_parse(ch->statistic, &w, why, sizeof why) < 0)
        return false;
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (w.figure == figures[i])
            return true;
    return false;
}

/* One decimal more than before, as where a passed check corrects. */
static struct decimal corrected(const struct revision *x, int64_t at_ms, struct decimal value)
{
    const struct calibration_correction k = calibration_drift_at(&x->drift, at_ms);
    const double y = (decimal_to_double(value) - k.zero) * k.factor;

    if (value.e < 0)
        return decimal_from_double(y);
    return decimal_round(y, value.e < DECIMAL_MAX_E ? value.e + 1 : value.e);
}

bool cell_revise(const struct revision *x, const struct stage *s, const struct channel *ch,
                 int64_t time_ms, struct series_cell *cell)
{
    const struct verdict was = verdict_from_flag(cell->flag);

    if (!decimal_has_value(series_value(cell)) || was.status == STATUS_CALIBRATION ||
        was.status == STATUS_MAINTENANCE)
        return false;
    const uint32_t flag = verdict_to_flag(verdict_add(was, GRADE_SUSPECT, REASON_CAL_DRIFT));
    struct decimal value = series_value(cell);
    if (x->is_corrected && is_linear(ch))
        value = corrected(x, time_ms + s->period_ms / 2, value);
    *cell = series_cell_of(value, flag);
    return true;
}
