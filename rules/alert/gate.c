/* SPDX-License-Identifier: Apache-2.0 */
/* What of a sample may be judged: quality control goes in front of every rule. */
#include <math.h>

#include "rules/alert/alert.h"
#include "rules/index/exact.h"

enum { USUAL_GRADES = 1 << GRADE_GOOD | 1 << GRADE_SUSPECT };

/* What makes even a saturated reading no reading. */
static const uint32_t NO_READING =
    REASON_FRAME | REASON_UNIT | REASON_CLK_FUTURE | REASON_WARMUP | REASON_AFTER_GAP;

/*
 * A saturated instrument must not silence an alarm: above its range means at least the limit,
 * whatever the range and stuck checks say of the number, and even without one.
 */
static bool is_saturated(const struct alert_rule *r, const struct sample *s)
{
    return s->verdict.status == STATUS_OVER_RANGE && r->direction == ALERT_ABOVE &&
           !r->gate.ignores_saturation && !(s->verdict.reasons & NO_READING);
}

static double highest_set(const struct alert_rule *r)
{
    int l = LEVEL_RED;

    while (l > LEVEL_NONE && !r->level[l].is_set)
        l--;
    return r->level[l].set;
}

/* A clock that is not set makes a value not evaluated, not wrong: a station without network
 * must go on alerting. */
static bool is_usable(const struct alert_rule *r, const struct sample *s, double x)
{
    const unsigned grades = r->gate.grades ? r->gate.grades : USUAL_GRADES;

    if (!isfinite(x) ||
        (s->verdict.status != STATUS_VALID && s->verdict.status != STATUS_OVER_RANGE))
        return false;
    if (s->verdict.status == STATUS_OVER_RANGE && r->gate.ignores_saturation)
        return false;
    if (grades & 1u << s->verdict.grade)
        return true;
    return s->verdict.grade == GRADE_NOT_EVALUATED && s->verdict.reasons & REASON_CLK_UNSYNC &&
           !(s->verdict.reasons & REASON_AFTER_GAP);
}

/* GB/T 8170: rounded once, on the decimal value. */
static double value_of(const struct alert_rule *r, const struct sample *s)
{
    struct decimal rounded;

    if (r->gate.is_rounded && exact_round(s->value, (struct exact_ratio){ 0 }, r->gate.decimals,
                                          EXACT_HALF_EVEN, &rounded) == 0)
        return decimal_to_double(rounded);
    return decimal_to_double(s->value);
}

static double gated_value(const struct alert_rule *r, const struct sample *s)
{
    const double x = value_of(r, s);

    if (is_saturated(r, s)) {
        const double limit = highest_set(r);
        const double least = r->is_kept_at_limit ? nextafter(limit, INFINITY) : limit;
        return isfinite(x) && x > least ? x : least;
    }
    return is_usable(r, s, x) ? x : NAN;
}

/* Behind these an instrument needs time: what it reads first is of the calibration, not of the
 * air. */
static bool is_serviced(struct verdict v)
{
    return v.status == STATUS_CALIBRATION || v.status == STATUS_MAINTENANCE ||
           v.reasons & REASON_POWER;
}

struct alert_look alert_look_at(const struct alert_rule *r, const struct sample *s)
{
    return (struct alert_look){
        .time_ms = s->time_ms,
        .verdict = s->verdict,
        .x = gated_value(r, s),
        .is_held = s->verdict.reasons & REASON_AFTER_GAP && decimal_has_value(s->value),
        .is_serviced = is_serviced(s->verdict),
    };
}
