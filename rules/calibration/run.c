/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calibration/calibration.h"

#include <math.h>

static void enter(struct calibration_run *r, enum calibration_phase phase, int64_t now_ms)
{
    r->phase = phase;
    r->since_ms = now_ms;
}

static void begin_step(struct calibration_run *r, int64_t now_ms)
{
    r->n = 0;
    r->mean = r->squares = 0;
    r->step_ms = r->settled_ms = now_ms;
    enter(r, CALIBRATION_IDLE, now_ms); /* the next tick tells of it */
}

void calibration_run_start(struct calibration_run *r, const struct calibration_plan *p,
                           int64_t now_ms)
{
    *r = (struct calibration_run){ .plan = *p };
    begin_step(r, now_ms);
}

void calibration_run_flow(struct calibration_run *r, int64_t now_ms)
{
    if (r->phase == CALIBRATION_WAITING)
        enter(r, CALIBRATION_SETTLING, now_ms);
}

static struct calibration_reading reading_of(const struct calibration_run *r, int64_t now_ms)
{
    const struct calibration_step *s = &r->plan.step[r->step];

    return (struct calibration_reading){
        .kind = s->kind,
        .reference = s->reference,
        .n = r->n,
        .mean = r->n ? r->mean : (double)NAN,
        .sd = r->n > 1 ? sqrt(r->squares / (r->n - 1)) : 0,
        .start_ms = r->step_ms,
        .settled_ms = r->settled_ms,
        .end_ms = now_ms,
    };
}

static enum calibration_news end_step(struct calibration_run *r, int64_t now_ms,
                                      struct calibration_reading *ret_reading)
{
    *ret_reading = reading_of(r, now_ms);
    r->step++;
    begin_step(r, now_ms);
    return CALIBRATION_STEP_ENDS;
}

/* Between two steps, and behind the last. */
static enum calibration_news go_on(struct calibration_run *r, int64_t now_ms)
{
    if (r->step < r->plan.n) {
        r->step_ms = now_ms;
        enter(r, CALIBRATION_WAITING, now_ms);
        return CALIBRATION_STEP_BEGINS;
    }
    if (r->plan.n == 0)
        return CALIBRATION_NOTHING; /* it is over */
    enter(r, CALIBRATION_RETURNING, now_ms);
    return CALIBRATION_RETURNS;
}

enum calibration_news calibration_run_tick(struct calibration_run *r, int64_t now_ms,
                                           struct calibration_reading *ret_reading)
{
    const struct calibration_step *s = &r->plan.step[r->step];
    const int64_t passed_ms = now_ms - r->since_ms;

    if (r->phase == CALIBRATION_IDLE)
        return go_on(r, now_ms);
    if (r->phase == CALIBRATION_SETTLING && passed_ms >= s->settle_ms) {
        r->settled_ms = now_ms;
        enter(r, CALIBRATION_MEASURING, now_ms);
        return CALIBRATION_NOTHING;
    }
    if (r->phase == CALIBRATION_MEASURING && passed_ms >= s->measure_ms)
        return end_step(r, now_ms, ret_reading);
    if (r->phase == CALIBRATION_RETURNING && passed_ms >= r->plan.return_ms) {
        *r = (struct calibration_run){ 0 };
        return CALIBRATION_ENDS;
    }
    return CALIBRATION_NOTHING;
}

void calibration_run_sample(struct calibration_run *r, double x)
{
    if (r->phase != CALIBRATION_MEASURING || !isfinite(x))
        return;
    const double from_mean = x - r->mean;
    r->n++;
    r->mean += from_mean / r->n;
    r->squares += from_mean * (x - r->mean);
}

void calibration_run_close(struct calibration_run *r)
{
    if (r->step < r->plan.n)
        r->plan.step[r->step].settle_ms = r->plan.step[r->step].measure_ms = 0;
    if (r->phase == CALIBRATION_WAITING || r->phase == CALIBRATION_SETTLING)
        r->phase = CALIBRATION_MEASURING;
}

void calibration_run_abort(struct calibration_run *r, int64_t now_ms)
{
    if (r->plan.n == 0)
        return;
    r->step = r->plan.n;
    enter(r, CALIBRATION_RETURNING, now_ms);
}

void calibration_run_shift(struct calibration_run *r, int64_t by_ms)
{
    r->since_ms += by_ms;
    r->step_ms += by_ms;
    r->settled_ms += by_ms;
}

enum qc_service calibration_run_service(const struct calibration_run *r)
{
    static const enum qc_service services[] = {
        [CALIBRATION_ZERO] = QC_ZERO,
        [CALIBRATION_SPAN] = QC_SPAN,
        [CALIBRATION_POINT] = QC_CALIBRATION,
    };

    if (r->plan.n == 0)
        return QC_MEASURING;
    if (r->phase == CALIBRATION_RETURNING || r->step >= r->plan.n)
        return QC_SETTLING;
    return services[r->plan.step[r->step].kind];
}
