/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qc_bench [SAMPLES] - what judging one sample costs: the default chain of each medium, and a
 * chain with every check that looks back. Time of the process, state of one channel.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rules/qc/qc.h"

enum { CHANNELS = 200, INTERVAL_MS = 1000, VALUES = 4096 };

#define T0          INT64_C(1767225600000)

#define HOLD_US     0.5
#define HOLD_MEMORY 1024

static struct decimal values[VALUES];

static double process_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A slow wave with noise in the last digits, as a register with two decimals gives it. */
static void make_values(double middle)
{
    uint32_t seed = 1;

    for (int i = 0; i < VALUES; i++) {
        seed = seed * 1664525 + 1013904223;
        const double wave = sin(i * 6.2831853 / VALUES) * 0.2 * middle;
        values[i] = decimal_round(middle + wave + (double)(seed >> 24) / 256, 2);
    }
}

static int measure(const char *name, const struct qc_config *c, uint64_t samples)
{
    static struct qc_state states[CHANNELS];
    const size_t windows = qc_memory(c);
    char *memory = calloc(CHANNELS, windows + 1);
    uint64_t good = 0;

    if (!memory)
        abort();
    for (size_t i = 0; i < CHANNELS; i++)
        qc_start(c, &states[i], memory + i * windows);
    const double begin = process_s();
    for (uint64_t i = 0; i < samples; i++) {
        const uint32_t channel = (uint32_t)(i % CHANNELS);
        const struct decimal v = values[(i / CHANNELS + channel * 7) % VALUES];
        struct sample s = { .time_ms = T0 + (int64_t)(i / CHANNELS) * INTERVAL_MS,
                            .channel = channel,
                            .value = v };
        qc_step(c, &states[channel], v, &s);
        good += s.verdict.grade == GRADE_GOOD;
    }
    const double us = (process_s() - begin) / (double)samples * 1e6;
    const size_t memory_used = sizeof states[0] + windows;
    const bool is_held = us <= HOLD_US && (windows || memory_used <= HOLD_MEMORY);
    printf("  %-14s %.3f us a sample, %zu bytes a channel, %.1f %% good%s\n", name, us,
           memory_used, 100 * (double)good / (double)samples, is_held ? "" : "  NOT REACHED");
    free(memory);
    return !is_held;
}

static struct qc_config with_windows(struct qc_config c)
{
    c.flat = (struct qc_flat){ 300, 900, 0.005 };
    c.attenuated = (struct qc_attenuated){
        .suspect = 0.01, .fail = 0.001, .period_ms = 600000, .min_n = 100
    };
    return c;
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "ozone", "air_temp", "ph", "sound_level",
                                         "count_rate" };
    const uint64_t samples = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    int missed = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct quantity *q = quantity_find(names[i]);
        const struct qc_config c = qc_default(q, INTERVAL_MS);
        make_values(q->medium == MEDIUM_NOISE ? 60 : q->range_max > 14 ? 30 : 7);
        missed += measure(names[i], &c, samples);
    }
    const struct qc_config c = with_windows(qc_default(quantity_find("ozone"), INTERVAL_MS));
    make_values(30);
    missed += measure("with windows", &c, samples);
    return missed != 0;
}
