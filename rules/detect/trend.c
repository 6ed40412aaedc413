/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/trend.h"

#include <math.h>

/* So many samples make a point. */
static int64_t stretch_of(const struct trend_config *c)
{
    const int64_t n = c->window_ms / c->step_ms / TREND_POINTS;

    return n > 1 ? n : 1;
}

static double seconds_of(const struct trend *t, int64_t time_ms)
{
    return (double)(time_ms - t->base_ms) / 1000;
}

static double newest_s(const struct trend *t)
{
    return t->n ? (double)t->s[(t->head + TREND_POINTS - 1) % TREND_POINTS] : -INFINITY;
}

/* Seconds in a float stay exact to a tenth only so far from their origin. */
#define BASE_MAX_S 1e6

static void move_base(struct trend *t, int64_t time_ms)
{
    const double by_s = seconds_of(t, time_ms);

    for (int i = 0; i < t->n; i++)
        t->s[i] = (float)((double)t->s[i] - by_s);
    t->sum_s -= by_s * t->in_stretch;
    t->base_ms = time_ms;
}

static void close_stretch(struct trend *t)
{
    t->s[t->head] = (float)(t->sum_s / t->in_stretch);
    t->x[t->head] = (float)(t->sum / t->in_stretch);
    t->head = (uint8_t)((t->head + 1) % TREND_POINTS);
    if (t->n < TREND_POINTS)
        t->n++;
    t->in_stretch = 0;
    t->sum_s = t->sum = 0;
}

void trend_push(const struct trend_config *c, struct trend *t, int64_t time_ms, double x)
{
    if (t->n + t->in_stretch == 0 || seconds_of(t, time_ms) < newest_s(t))
        *t = (struct trend){ .base_ms = time_ms };
    if (seconds_of(t, time_ms) > BASE_MAX_S)
        move_base(t, time_ms);
    t->in_stretch++;
    t->sum_s += seconds_of(t, time_ms);
    t->sum += x;
    if (t->in_stretch >= stretch_of(c))
        close_stretch(t);
}

struct sums {
    double n, s, x, ss, sx, xx, first_s, last_s;
};

/* About the newest point: squares of large numbers that are nearly equal cancel. */
static struct sums sums_of(const struct trend_config *c, const struct trend *t, int64_t now_ms,
                           double about_s, double about_x)
{
    const double from_s = seconds_of(t, now_ms) - (double)c->window_ms / 1000;
    struct sums a = { .first_s = INFINITY, .last_s = -INFINITY };

    for (int i = 0; i < t->n; i++) {
        const double s = (double)t->s[i] - about_s, x = (double)t->x[i] - about_x;
        if ((double)t->s[i] < from_s)
            continue;
        a.n += 1;
        a.s += s;
        a.x += x;
        a.ss += s * s;
        a.sx += s * x;
        a.xx += x * x;
        a.first_s = fmin(a.first_s, s);
        a.last_s = fmax(a.last_s, s);
    }
    return a;
}

bool trend_fit(const struct trend_config *c, const struct trend *t, int64_t now_ms,
               struct trend_line *ret)
{
    const double about_s = t->n ? newest_s(t) : 0;
    const double about_x = t->n ? (double)t->x[(t->head + TREND_POINTS - 1) % TREND_POINTS] : 0;
    const struct sums a = sums_of(c, t, now_ms, about_s, about_x);
    const double var_s = a.ss - a.s * a.s / a.n;

    if (a.n < TREND_LEAST || !(var_s > 0))
        return false;
    const double cov = a.sx - a.s * a.x / a.n, var_x = a.xx - a.x * a.x / a.n;
    const double slope = cov / var_s;
    const double rest = fmax(0, var_x - slope * cov) / (a.n - 2);
    *ret = (struct trend_line){
        .slope = slope,
        .slope_se = sqrt(rest / var_s),
        .scatter = sqrt(rest),
        .value = about_x + a.x / a.n + slope * (seconds_of(t, now_ms) - about_s - a.s / a.n),
        .span_ms = (int64_t)((a.last_s - a.first_s) * 1000),
    };
    return true;
}
