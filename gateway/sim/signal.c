/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/signal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sim/noise.h"

static const double PI = 3.14159265358979323846;

enum {
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    SHOWER_SLOT_MS = 3 * HOUR_MS,
    SHOWER_COUNTER_SLOTS = 240, /* the rain counter starts anew after 30 days */
};

static int64_t modulo(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

static int64_t divide(int64_t a, int64_t b)
{
    return (a - modulo(a, b)) / b;
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* ---- episodes and windows ---- */

int signal_duration_parse(const char **text, int64_t *ret)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "min", MINUTE_MS }, { "ms", 1 }, { "s", SECOND_MS }, { "h", HOUR_MS } };
    char *end;
    double x = strtod(*text, &end);

    if (end == *text || !(x >= 0 && x <= 1e6))
        return -EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t len = strlen(units[i].unit);
        if (strncmp(end, units[i].unit, len) == 0) {
            *ret = (int64_t)(x * (double)units[i].ms);
            *text = end + len;
            return 0;
        }
    }
    return -EINVAL;
}

int signal_times_parse(const char **text, struct signal_times *ret)
{
    struct signal_times t = { 0 };

    if (signal_duration_parse(text, &t.start_ms) < 0 || **text != '+')
        return -EINVAL;
    ++*text;
    const char *length = *text;
    if (signal_duration_parse(text, &t.length_ms) < 0 || t.length_ms == 0) {
        *text = length;
        return -EINVAL;
    }
    if (**text == '/') {
        const char *every = ++*text;
        if (signal_duration_parse(text, &t.every_ms) < 0 || t.every_ms <= t.length_ms) {
            *text = every;
            return -EINVAL;
        }
    }
    *ret = t;
    return 0;
}

int64_t signal_times_since(const struct signal_times *t, int64_t origin_ms, int64_t t_ms)
{
    int64_t since = t_ms - origin_ms - t->start_ms;

    if (since < 0)
        return -1;
    if (t->every_ms > 0)
        since = modulo(since, t->every_ms);
    return since < t->length_ms ? since : -1;
}

int signal_episode_parse(const char *text, struct signal_episode *ret, char *why, size_t size)
{
    struct signal_episode e = { 0 };
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : 0;
    char *end = NULL;
    const char *times;

    if (len > 0 && len < sizeof e.target) {
        memcpy(e.target, text, len);
        e.peak = strtod(equals + 1, &end);
    }
    times = end && *end == '@' ? end + 1 : "";
    if (!end || end == equals + 1 || !isfinite(e.peak) ||
        signal_times_parse(&times, &e.times) < 0 || *times) {
        snprintf(why, size,
                 "'%s' is no episode; expected TARGET=PEAK@START+LENGTH/EVERY such as "
                 "pm2_5=190@1min+4min/10min",
                 text);
        return -EINVAL;
    }
    *ret = e;
    return 0;
}

/* The edges take a sixth of the length each. */
double signal_episode_share(const struct signal_episode *e, int64_t origin_ms, int64_t t_ms)
{
    int64_t since = signal_times_since(&e->times, origin_ms, t_ms);

    if (since < 0)
        return 0;
    double edge = (double)e->times.length_ms / 6;
    double inside = fmin((double)since, (double)(e->times.length_ms - since)) / edge;
    return inside >= 1 ? 1 : 0.5 - 0.5 * cos(PI * inside);
}

bool signal_window_is_open(const struct signal_window *w, int64_t t_ms)
{
    return w->every_ms > 0 && modulo(t_ms - w->phase_ms, w->every_ms) < w->length_ms;
}

/* ---- courses ---- */

/* Minutes of memory and seconds of scatter, standard deviation 1. */
static double wander(uint64_t seed, int64_t t_ms)
{
    int64_t minute = divide(t_ms, MINUTE_MS);
    double part = (double)modulo(t_ms, MINUTE_MS) / MINUTE_MS;
    double slow =
        (1 - part) * noise_ar1(seed, minute, 0.93) + part * noise_ar1(seed, minute + 1, 0.93);
    double fast = noise_ar1(~seed, divide(t_ms, SECOND_MS), 0.6);
    return 0.75 * slow + 0.66 * fast;
}

static double driver_at(const struct signal *s, int64_t t_ms)
{
    return wander(noise_bits(s->station_seed, (int64_t)s->course.driver), t_ms);
}

double signal_scatter(const struct signal *s, int64_t t_ms)
{
    double c = s->course.coupling;
    double shared = s->course.driver == DRIVER_NONE ? 0 : c * driver_at(s, t_ms);

    return s->course.noise * (shared + sqrt(1 - c * c) * wander(s->seed, t_ms));
}

static double local_hour(const struct signal *s, int64_t t_ms)
{
    return (double)modulo(t_ms + s->zone_ms, DAY_MS) / HOUR_MS;
}

static double daily(const struct signal *s, int64_t t_ms)
{
    double angle = 2 * PI * (local_hour(s, t_ms) - s->course.peak_hour) / 24;
    return s->course.base + s->course.swing * cos(angle) + signal_scatter(s, t_ms);
}

/* Clouds take up to two thirds; a thermopile shows a little less than nothing at night. */
static double sun(const struct signal *s, int64_t t_ms)
{
    double hour = local_hour(s, t_ms);
    double height = hour > 6 && hour < 18 ? sin(PI * (hour - 6) / 12) : 0;
    double clear = clamp(0.75 + 0.2 * driver_at(s, t_ms), 0.3, 1);

    return s->course.base + s->course.swing * height * clear -
           fabs(s->course.noise * wander(s->seed, t_ms));
}

static double direction(const struct signal *s, int64_t t_ms)
{
    double x = fmod(daily(s, t_ms), 360);
    return x < 0 ? x + 360 : x;
}

struct shower {
    double start, length, peak; /* milliseconds into its slot; mm/h */
};

/* One slot in three has a shower of 20 to 70 minutes. */
static struct shower shower_of(const struct signal *s, int64_t slot)
{
    uint64_t seed = noise_seed(s->station_seed, "showers");
    double u = noise_uniform(seed, 4 * slot + 1);

    if (noise_uniform(seed, 4 * slot) > 0.33)
        return (struct shower){ 0 };
    return (struct shower){ .start = u * 1.5 * HOUR_MS,
                            .length = (20 + 50 * noise_uniform(seed, 4 * slot + 2)) * MINUTE_MS,
                            .peak = s->course.swing *
                                    (0.15 + 0.85 * noise_uniform(seed, 4 * slot + 3)) };
}

static double rain(const struct signal *s, int64_t t_ms)
{
    struct shower w = shower_of(s, divide(t_ms, SHOWER_SLOT_MS));
    double since = (double)modulo(t_ms, SHOWER_SLOT_MS) - w.start;

    return since > 0 && since < w.length ? w.peak * sin(PI * since / w.length) : 0;
}

/* The integral of a half sine from its start to `since`, in mm. */
static double shower_sum(struct shower w, double since)
{
    if (w.length <= 0 || since <= 0)
        return 0;
    return w.peak * w.length / HOUR_MS / PI * (1 - cos(PI * fmin(since / w.length, 1)));
}

static double rain_sum(const struct signal *s, int64_t t_ms)
{
    int64_t now = divide(t_ms, SHOWER_SLOT_MS);
    int64_t first = now - modulo(now, SHOWER_COUNTER_SLOTS);
    double sum = 0;

    for (int64_t slot = first; slot <= now; slot++) {
        struct shower w = shower_of(s, slot);
        sum += shower_sum(w, (double)(t_ms - slot * SHOWER_SLOT_MS) - w.start);
    }
    return sum;
}

double signal_at(const struct signal *s, int64_t t_ms)
{
    static double (*const shapes[])(const struct signal *, int64_t) = {
        [COURSE_DAY] = daily, [COURSE_SUN] = sun,           [COURSE_DIRECTION] = direction,
        [COURSE_RAIN] = rain, [COURSE_RAIN_SUM] = rain_sum,
    };
    double x = shapes[s->course.shape](s, t_ms);

    if (x < s->min)
        return s->min;
    return x > s->max ? s->max : x;
}
