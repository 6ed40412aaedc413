/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_bench [SAMPLES] - what watching a channel costs: time of the process a sample, bytes a
 * channel, for each kind. Values move as those of the medium do and come near the limit now and
 * then, so that no kind gets away with its quiet path.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rules/watch/watch.h"

enum { CHANNELS = 200, VALUES = 4096 };

#define T0          INT64_C(1767225600000)

#define HOLD_US     1.0
#define HOLD_MEMORY 2048

/* What a kind is fed with. */
struct case_of {
    const char *name;
    enum watch_kind kind;
    const char *quantity;
    double step_s, limit_high, limit_low, range_min, range_max, resolution;
    double usual, event, deviation; /* of the values */
    double aside[WATCH_ASIDES];     /* around which they are; NaN: not connected */
};

static const struct case_of cases[] = {
    { "noise, 1 s",
      WATCH_NOISE,
      "laeq",
      1,
      70,
      NAN,
      20,
      140,
      0.1,
      52,
      76,
      1.2,
      { 2, NAN, NAN, NAN } },
    { "noise, 1 min",
      WATCH_NOISE,
      "laeq",
      60,
      66,
      NAN,
      20,
      140,
      0.1,
      52,
      70,
      1.2,
      { 2, NAN, NAN, NAN } },
    { "counts, 1 min",
      WATCH_COUNTS,
      "count_rate",
      60,
      60,
      NAN,
      0,
      10000,
      1,
      20,
      45,
      4.5,
      { NAN, 0, 20, NAN } },
    { "counts alone",
      WATCH_COUNTS,
      "count_rate",
      60,
      60,
      NAN,
      0,
      10000,
      1,
      20,
      45,
      4.5,
      { NAN, 0, NAN, NAN } },
    { "air, 1 min",
      WATCH_AIR,
      "pm2_5",
      60,
      150,
      NAN,
      0,
      1000,
      1,
      60,
      170,
      10,
      { NAN, NAN, NAN, 60 } },
    { "air, 1 h",
      WATCH_AIR,
      "pm2_5",
      3600,
      150,
      NAN,
      0,
      1000,
      1,
      60,
      170,
      10,
      { NAN, NAN, NAN, 60 } },
    { "water, 15 min",
      WATCH_WATER,
      "ph",
      900,
      9,
      6,
      0,
      14,
      0.01,
      7.6,
      9.2,
      0.03,
      { NAN, NAN, NAN, NAN } },
};

static struct watch_sample samples[VALUES];

static double process_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* About normal, from a generator that is the same everywhere. */
static double draw(uint32_t *seed)
{
    double sum = 0;

    for (int i = 0; i < 4; i++) {
        *seed = *seed * 1664525 + 1013904223;
        sum += (double)(*seed >> 16) / 65536;
    }
    return (sum - 2) / 0.577;
}

static void make_samples(const struct case_of *k)
{
    uint32_t seed = 1;

    for (int i = 0; i < VALUES; i++) {
        const double middle = i % 512 < 480 ? k->usual : k->event;
        const double x = middle + k->deviation * draw(&seed);
        struct watch_sample *s = &samples[i];
        *s = (struct watch_sample){ .value = round(x / k->resolution) * k->resolution };
        for (int a = 0; a < WATCH_ASIDES; a++)
            s->aside[a] = k->aside[a] * (1 + 0.1 * draw(&seed));
    }
}

static struct watch_config config_of(const struct case_of *k)
{
    struct watch_config c = { .kind = k->kind,
                              .step_ms = (int64_t)(k->step_s * 1000),
                              .limit_high = k->limit_high,
                              .limit_low = k->limit_low,
                              .range_min = k->range_min,
                              .range_max = k->range_max,
                              .resolution = k->resolution,
                              .quantity = quantity_find(k->quantity) };

    for (int a = 0; a < WATCH_ASIDES; a++)
        c.has[a] = !isnan(k->aside[a]);
    return c;
}

static int measure(const struct case_of *k, uint64_t n)
{
    const struct watch_config c = config_of(k);
    const size_t bytes = (watch_size(&c) + 15) / 16 * 16;
    char *states = calloc(CHANNELS, bytes);
    uint64_t events = 0, faults = 0;
    struct watch_result r;

    if (!states)
        abort();
    make_samples(k);
    for (size_t i = 0; i < CHANNELS; i++)
        watch_init(&c, states + i * bytes);
    const double begin = process_s();
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t channel = i % CHANNELS, at = i / CHANNELS;
        struct watch_sample s = samples[(at + channel * 7) % VALUES];
        s.time_ms = T0 + (int64_t)at * c.step_ms;
        watch_step(&c, states + channel * bytes, &s, &r);
        events += r.is_event;
        faults += r.faults != 0;
    }
    const double us = (process_s() - begin) / (double)n * 1e6;
    const bool is_held = us <= HOLD_US && bytes <= HOLD_MEMORY;
    printf("  %-14s %.3f us a sample, %zu bytes a channel; in an event %.1f %%, at fault %.1f "
           "%%%s\n",
           k->name, us, watch_size(&c), 100 * (double)events / (double)n,
           100 * (double)faults / (double)n, is_held ? "" : "  NOT REACHED");
    free(states);
    return !is_held;
}

int main(int argc, char **argv)
{
    const uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    int missed = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        missed += measure(&cases[i], n > 0 ? n : 1);
    return missed != 0;
}
