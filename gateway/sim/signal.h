/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal - what one point of a simulated instrument measures at an instant of station time: the
 * usual course of its quantity, noise that its neighbours share, and episodes that climb above
 * the usual limits. A function of seed and time alone. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/sim/course.h"

enum { SIGNAL_TARGET_MAX = 128 }; /* text of a quantity, a point or DEVICE/POINT, closed by 0 */

/* At start_ms after the origin for length_ms, then again each every_ms; 0: once. */
struct signal_times {
    int64_t start_ms, length_ms, every_ms;
};

/* "1min+4min/10min" at *text: start, length, repetition (may be left out). *text moves behind
 * it, or to where it is wrong. 0 or -EINVAL. */
int signal_times_parse(const char **text, struct signal_times *ret);

/* Milliseconds since the present turn began; -1 outside. */
int64_t signal_times_since(const struct signal_times *t, int64_t origin_ms, int64_t t_ms);

/* A plateau of `peak` with soft edges. */
struct signal_episode {
    char target[SIGNAL_TARGET_MAX]; /* "pm2_5", "roof-o3/ozone" */
    double peak;                    /* canonical unit */
    struct signal_times times;
};

/* "pm2_5=190@1min+4min/10min": target, peak, start, length, repetition (may be left out).
 * Returns 0, or -EINVAL with a sentence in `why`. */
int signal_episode_parse(const char *text, struct signal_episode *ret, char *why, size_t size);

/* "0.8s", "300ms", "10min", "1h" at *text, which moves behind it. 0 or -EINVAL. */
int signal_duration_parse(const char **text, int64_t *ret);

/* 0 outside, 1 on the plateau, between on the edges. */
double signal_episode_share(const struct signal_episode *e, int64_t origin_ms, int64_t t_ms);

/* Something that comes back: a zero check each night, a passing status bit. */
struct signal_window {
    int64_t every_ms, phase_ms, length_ms; /* every_ms 0: never */
};

bool signal_window_is_open(const struct signal_window *w, int64_t t_ms);

struct signal {
    struct course course;  /* of its quantity, with the point's own figures */
    double min, max;       /* what the instrument can show; NaN: unlimited */
    uint64_t seed;         /* of this point */
    uint64_t station_seed; /* of what the station's points share */
    int64_t zone_ms;       /* local time = UTC + zone_ms */
};

/* Without episodes. */
double signal_at(const struct signal *s, int64_t t_ms);
/* Its noise alone. */
double signal_scatter(const struct signal *s, int64_t t_ms);
