/* SPDX-License-Identifier: Apache-2.0 */
/* watch_scene - one watched channel in virtual time: what it is told, and what it said since.
 */
#pragma once

#include <math.h>
#include <string.h>

#include "rules/watch/watch.h"
#include "tests/unit/unit.h"

#define SCENE_START INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

enum { SCENE_STATE = 1024 }; /* a channel of these kinds must not need more */

struct scene {
    struct watch_config config;
    int64_t now_ms;
    uint32_t seed;
    struct watch_result is;
    /* since the scene began, or was asked: */
    unsigned seen;      /* faults */
    int events, judged; /* begun; samples */
    bool was_event;
    struct verdict verdict; /* that the next samples have */
    double aside[WATCH_ASIDES];
    _Alignas(max_align_t) unsigned char state[SCENE_STATE];
};

static inline void scene_begin(struct scene *s, const struct watch_config *c)
{
    *s = (struct scene){ .config = *c, .now_ms = SCENE_START, .seed = 1 };
    for (int i = 0; i < WATCH_ASIDES; i++)
        s->aside[i] = NAN;
    assert_null(watch_config_error(c));
    assert_true(watch_size(c) <= sizeof s->state);
    watch_init(c, s->state);
}

/* Looks on from here. */
static inline void scene_look(struct scene *s)
{
    s->seen = 0;
    s->events = s->judged = 0;
}

static inline void scene_record(struct scene *s)
{
    s->seen |= s->is.faults;
    s->events += s->is.is_event && !s->was_event;
    s->judged += s->is.use == WATCH_JUDGED;
    s->was_event = s->is.is_event;
}

static inline void scene_tell(struct scene *s, double value)
{
    struct watch_sample sample = { .time_ms = s->now_ms,
                                   .value = value,
                                   .verdict = s->verdict };

    memcpy(sample.aside, s->aside, sizeof sample.aside);
    watch_step(&s->config, s->state, &sample, &s->is);
    s->now_ms += s->config.step_ms;
    scene_record(s);
}

/* Nothing arrives. */
static inline void scene_lose(struct scene *s, int n)
{
    for (int i = 0; i < n; i++) {
        s->now_ms += s->config.step_ms;
        watch_elapse(&s->config, s->state, s->now_ms - s->config.step_ms / 2, &s->is);
        scene_record(s);
    }
}

/* Even between 0 and 1, the same everywhere. */
static inline double scene_draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return ((double)(*seed >> 8) + 0.5) / (1 << 24);
}
