/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/disturbance.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sim/noise.h"

enum { SECOND_MS = 1000 };

static const struct kind {
    const char *name;
    bool has_size;
} kinds[] = {
    [DISTURB_DRIFT] = { "drift", true },      [DISTURB_STEP] = { "step", true },
    [DISTURB_SPIKE] = { "spike", true },      [DISTURB_NOISE] = { "noise", true },
    [DISTURB_SHOW] = { "show", true },        [DISTURB_STUCK] = { "stuck", false },
    [DISTURB_DROPOUT] = { "dropout", false },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- text ---- */

/* Each part moves `at` behind itself, or returns what is expected where it stands. */

static const char *parse_target(const char **at, struct disturbance *d)
{
    size_t len = strcspn(*at, "=");

    if (len == 0 || !(*at)[len])
        return "expected a quantity, a point or DEVICE/POINT, and = behind it";
    if (len >= sizeof d->target)
        return "this name is too long";
    memcpy(d->target, *at, len);
    *at += len + 1;
    return NULL;
}

static const char *parse_kind(const char **at, struct disturbance *d)
{
    size_t len = strcspn(*at, ":@");

    for (size_t i = 0; i < KINDS; i++) {
        if (strlen(kinds[i].name) == len && strncmp(kinds[i].name, *at, len) == 0) {
            d->kind = (enum disturbance_kind)i;
            *at += len;
            return NULL;
        }
    }
    return "expected drift, step, spike, noise, show, stuck or dropout";
}

static const char *parse_size(const char **at, struct disturbance *d)
{
    char *end;

    if (!kinds[d->kind].has_size)
        return **at == ':' ? "stuck and dropout have no size" : NULL;
    if (**at != ':')
        return "expected : and a size, as in spike:400";
    d->size = strtod(*at + 1, &end);
    if (end == *at + 1 || !isfinite(d->size)) {
        ++*at;
        return "expected a size in the quantity's unit";
    }
    *at = end;
    return NULL;
}

static const char *parse_times(const char **at, struct disturbance *d)
{
    if (**at != '@')
        return "expected @START+LENGTH, as in @2min+5s, or @2min+5s/3min for every 3 minutes";
    ++*at;
    if (signal_times_parse(at, &d->times) < 0)
        return "expected START+LENGTH or START+LENGTH/EVERY, as in 2min+5s/3min; EVERY is more "
               "than LENGTH";
    return **at ? "expected nothing more" : NULL;
}

int disturbance_parse(const char *text, struct disturbance *ret, char *why, size_t size)
{
    static const char *(*const parts[])(const char **at,
                                        struct disturbance *d) = { parse_target, parse_kind,
                                                                   parse_size, parse_times };
    struct disturbance d = { .target = "" };
    const char *at = text, *wrong = NULL;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && !wrong; i++)
        wrong = parts[i](&at, &d);
    if (wrong) {
        snprintf(why, size, "'%s', column %zu: %s", text, (size_t)(at - text) + 1, wrong);
        return -EINVAL;
    }
    *ret = d;
    return 0;
}

/* ---- values ---- */

int64_t disturbed_instant(const struct disturbed *d, int64_t t_ms)
{
    int64_t instant = t_ms;

    for (size_t i = 0; i < d->n; i++) {
        int64_t since = signal_times_since(&d->items[i].times, d->origin_ms, t_ms);
        if (d->items[i].kind == DISTURB_STUCK && since >= 0 && t_ms - since < instant)
            instant = t_ms - since;
    }
    return instant;
}

/* Up in the first turn, down in the second. */
static double side(const struct disturbance *d, int64_t origin_ms, int64_t t_ms)
{
    int64_t since = t_ms - origin_ms - d->times.start_ms;

    return d->times.every_ms > 0 && since / d->times.every_ms % 2 == 1 ? -1 : 1;
}

static double scatter(const struct disturbed *d, const struct disturbance *one, int64_t t_ms)
{
    return one->size * noise_normal(noise_seed(d->seed, "disturbance"), t_ms / SECOND_MS);
}

/* What is added, `since` the beginning of this turn. */
static double addition(const struct disturbed *d, const struct disturbance *one, int64_t t_ms,
                       int64_t since)
{
    switch (one->kind) {
    case DISTURB_DRIFT:
        return one->size * (double)since / (double)one->times.length_ms;
    case DISTURB_STEP:
        return one->size;
    case DISTURB_SPIKE:
        return one->size * side(one, d->origin_ms, t_ms);
    case DISTURB_NOISE:
        return scatter(d, one, t_ms);
    case DISTURB_SHOW:
    case DISTURB_STUCK:
    case DISTURB_DROPOUT:
        break;
    }
    return 0;
}

static double clamp(double x, double min, double max)
{
    if (x < min)
        return min;
    return x > max ? max : x;
}

double disturbed_value(const struct disturbed *d, double x, double min, double max,
                       int64_t instant_ms)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct disturbance *one = &d->items[i];
        int64_t since = signal_times_since(&one->times, d->origin_ms, instant_ms);
        if (since < 0 || one->kind == DISTURB_STUCK)
            continue;
        if (one->kind == DISTURB_SHOW)
            x = one->size;
        else if (one->kind == DISTURB_DROPOUT)
            x = (double)NAN;
        else
            x = clamp(x + addition(d, one, instant_ms, since), min, max);
    }
    return x;
}
