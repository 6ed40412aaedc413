/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sample is judged by what was there before it: the line and the median are drawn first, the
 * sample joins them afterwards.
 */
#include "rules/alert/input.h"

#include <math.h>
#include <string.h>

#include "rules/detect/ring.h"
#include "rules/detect/trend.h"

/* Starting values of the facts page on alerting, sections 7 and 8. */
#define K_RESIDUAL   4.5
#define K_CUSUM      0.5
#define K_FORECAST   3.0
#define IQR_TO_SIGMA 1.349
#define CUSUM_MAX    50.0 /* deviations: an event that lasted for days ends within hours */

enum {
    BASELINE_LEAST = 12, /* values behind which a median is believed */
    CONFIRMATIONS = 3,   /* of a forecast: the slope of one sample may be chance */
    FORECAST_BASIS = 2   /* the line is drawn through so many horizons */
};

/* A window that has more samples is thinned out: each so many-th is kept. */
struct baseline {      /* its ring lies behind it */
    uint32_t passed;   /* samples since the last one kept */
    int64_t frozen_ms; /* since when nothing was learnt; 0: it learns */
    double up, down;   /* of a cusum */
};

static struct ring *ring_of(struct baseline *b)
{
    return (struct ring *)(b + 1);
}

struct course {
    struct trend trend;
    uint8_t confirmed;
};

static int baseline_capacity(const struct alert_input *in)
{
    const int64_t n = in->window_ms / in->step_ms;

    return n > RING_MAX ? RING_MAX : n < BASELINE_LEAST ? BASELINE_LEAST : (int)n;
}

static bool has_baseline(const struct alert_input *in)
{
    return in->kind == ALERT_RESIDUAL || in->kind == ALERT_CUSUM;
}

static bool has_course(const struct alert_input *in)
{
    return in->kind == ALERT_RATE || in->kind == ALERT_FORECAST;
}

size_t alert_input_size(const struct alert_input *in)
{
    if (has_course(in))
        return sizeof(struct course);
    if (has_baseline(in))
        return sizeof(struct baseline) + ring_size(baseline_capacity(in));
    return 0;
}

void alert_input_init(const struct alert_input *in, void *state)
{
    if (has_course(in)) {
        *(struct course *)state = (struct course){ .confirmed = 0 };
    } else if (has_baseline(in)) {
        struct baseline *b = state;
        *b = (struct baseline){ .passed = 0 };
        ring_init(ring_of(b), baseline_capacity(in));
    }
}

const char *alert_input_error(const struct alert_input *in)
{
    const int64_t samples = in->step_ms > 0 ? in->window_ms / in->step_ms : 0;

    if (has_course(in) && samples < TREND_LEAST)
        return "A line needs six samples: the time is too short for the interval of polling.";
    if (has_baseline(in) && samples < BASELINE_LEAST)
        return "A median needs twelve samples: the time is too short for the interval of "
               "polling.";
    return NULL;
}

static double or_usual(double x, double usual)
{
    return isnan(x) ? usual : x;
}

/* ---- rate, forecast ---- */

static struct trend_config trend_of(const struct alert_input *in)
{
    const int basis = in->kind == ALERT_FORECAST ? FORECAST_BASIS : 1;

    return (struct trend_config){ .window_ms = in->window_ms * basis, .step_ms = in->step_ms };
}

/* Half of the window must have been seen: a line through its last minutes is another question.
 */
static bool fit(const struct alert_input *in, const struct course *c, int64_t time_ms,
                struct trend_line *ret)
{
    const struct trend_config t = trend_of(in);

    return trend_fit(&t, &c->trend, time_ms, ret) && ret->span_ms >= t.window_ms / 2;
}

static void step_course(const struct alert_input *in, struct course *c, int64_t time_ms,
                        double x, struct alert_score *ret)
{
    const struct trend_config t = trend_of(in);
    const double window_s = (double)in->window_ms / 1000;
    struct trend_line line;

    trend_push(&t, &c->trend, time_ms, x);
    if (!fit(in, c, time_ms, &line)) {
        c->confirmed = 0;
        return;
    }
    ret->slope = line.slope;
    ret->slope_se = line.slope_se;
    if (in->kind == ALERT_RATE) {
        ret->x = line.slope * window_s;
        ret->is_significant = true;
        return;
    }
    const bool is_sure = fabs(line.slope) > or_usual(in->k, K_FORECAST) * line.slope_se;
    if (!is_sure)
        c->confirmed = 0;
    else if (c->confirmed < CONFIRMATIONS)
        c->confirmed++;
    ret->x = line.value + line.slope * window_s;
    ret->is_significant = c->confirmed == CONFIRMATIONS;
}

/* ---- residual, cusum ---- */

static double sigma(const struct alert_input *in, const struct ring *r)
{
    const double iqr = ring_quantile(r, 0.75) - ring_quantile(r, 0.25);

    return fmax(iqr / IQR_TO_SIGMA, in->resolution);
}

/* What stands for longer than the window is how things are now. */
static bool may_learn(const struct alert_input *in, struct baseline *b, int64_t time_ms,
                      bool is_active)
{
    if (!is_active) {
        b->frozen_ms = 0;
        return true;
    }
    if (b->frozen_ms == 0)
        b->frozen_ms = time_ms;
    return time_ms - b->frozen_ms > in->window_ms;
}

static void learn(const struct alert_input *in, struct baseline *b, double x)
{
    struct ring *r = ring_of(b);
    const int64_t each = in->window_ms / in->step_ms / r->capacity;

    if (++b->passed < (each > 1 ? (uint64_t)each : 1))
        return;
    b->passed = 0;
    ring_push(r, x);
}

static double step_cusum(const struct alert_input *in, struct baseline *b, double deviations)
{
    const double k = or_usual(in->k, K_CUSUM);

    b->up = fmin(CUSUM_MAX, fmax(0, b->up + deviations - k));
    b->down = fmin(CUSUM_MAX, fmax(0, b->down - deviations - k));
    return in->side < 0 ? b->down : b->up;
}

static void step_baseline(const struct alert_input *in, struct baseline *b, int64_t time_ms,
                          double x, bool is_active, struct alert_score *ret)
{
    const struct ring *r = ring_of(b);

    if (r->n >= BASELINE_LEAST) {
        const double rest = x - ring_quantile(r, 0.5), one = sigma(in, r);
        const bool is_sum = in->kind == ALERT_CUSUM;
        ret->x = is_sum ? step_cusum(in, b, rest / one) : rest;
        ret->is_significant = is_sum || fabs(rest) >= or_usual(in->k, K_RESIDUAL) * one;
    }
    if (may_learn(in, b, time_ms, is_active))
        learn(in, b, x);
}

/* ---- both ---- */

void alert_input_step(const struct alert_input *in, void *state, int64_t time_ms, double x,
                      bool is_active, struct alert_score *ret)
{
    *ret = (struct alert_score){ .x = NAN };
    if (has_course(in)) {
        step_course(in, state, time_ms, x, ret);
    } else if (has_baseline(in)) {
        step_baseline(in, state, time_ms, x, is_active, ret);
    } else {
        ret->x = x;
        ret->is_significant = true;
    }
}

#define CROSSING_MAX_S (7 * 86400.0)

bool alert_input_crossing(const struct alert_score *s, double value, double limit,
                          int64_t *ret_ms, int64_t *ret_plus_minus_ms)
{
    const double after_s = (limit - value) / s->slope;

    if (!(after_s >= 0) || after_s > CROSSING_MAX_S || !(s->slope_se >= 0))
        return false;
    *ret_ms = (int64_t)(after_s * 1000);
    *ret_plus_minus_ms =
        (int64_t)fmin(after_s * 1000 * s->slope_se / fabs(s->slope), CROSSING_MAX_S * 1000);
    return true;
}
