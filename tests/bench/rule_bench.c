/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_bench [SAMPLES] - what judging a sample by a rule costs: gate, input, a condition, four
 * levels; time of the process a sample, bytes a rule and channel. 1 when it does not hold.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/alert/alert.h"

enum { RULES = 200, VALUES = 4096, STEP_MS = 60000 };

#define T0          INT64_C(1767225600000)
#define HOLD_US     1.0
#define HOLD_MEMORY 2048

static const char *const inputs[] = { "raw",           "rate(1h)",
                                      "residual(24h)", "residual(90min)",
                                      "cusum(24h)",    "forecast(2h)" };

struct judge {
    struct alert_state state;
    void *input;
};

static double process_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool find(void *user, const char *name, uint32_t *ret_channel,
                 const struct quantity **ret_quantity)
{
    (void)user, (void)name;
    *ret_channel = 0;
    *ret_quantity = quantity_find("wind_speed");
    return true;
}

static struct alert_rule rule_of(const char *input)
{
    struct alert_rule r = { .id = "r",
                            .input = { .k = (double)NAN, .side = 1 },
                            .hold_samples = 2,
                            .stale_ms = 3 * STEP_MS };
    char why[256];

    if (alert_input_parse(input, &r.input, why, sizeof why) < 0)
        exit(2);
    r.input.step_ms = STEP_MS;
    r.input.resolution = 0.1;
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        r.level[l] = (struct alert_threshold){ .is_set = true,
                                               .set = 120.0 + 10 * l,
                                               .clear = (double)NAN };
        alert_threshold_default(ALERT_ABOVE, &r.level[l]);
    }
    return r;
}

/* About 100, far beyond the limits now and then. */
static void make(struct decimal *ret)
{
    uint32_t seed = 1;

    for (int i = 0; i < VALUES; i++) {
        seed = seed * 1664525 + 1013904223;
        const double x = 100 + (double)(seed >> 16) / 6553.6 + (i % 512 > 480 ? 60 : 0);
        ret[i] = decimal_round(x, -1);
    }
}

static void judge(const struct alert_rule *r, const struct expression *when, struct judge *j,
                  const struct sample *s)
{
    const struct expression_value wind = { .value = 3, .is_known = true };
    struct alert_look look = alert_look_at(r, s);
    struct alert_change change;
    struct alert_score score;
    bool is_touched;

    if (j->input && !isnan(look.x)) {
        alert_input_step(&r->input, j->input, s->time_ms, look.x, j->state.level, &score);
        look.x = score.x;
        look.is_suppressed = isnan(score.x);
        look.is_refuted = !score.is_significant;
    }
    look.is_suppressed |=
        expression_eval(when, &wind, expression_now(s->time_ms, 480)) == EXPRESSION_TRUE;
    alert_judge(r, &j->state, &look, &change, &is_touched);
}

static bool measure(const char *input, const struct decimal *values, long samples)
{
    static struct judge judges[RULES];
    const struct expression_names names = { find, NULL };
    const struct alert_rule r = rule_of(input);
    const size_t size = alert_input_size(&r.input);
    struct expression_error err;
    struct expression when;

    if (expression_parse("wind > 20 m/s or hour == 25", &names, &when, &err) < 0)
        exit(2);
    for (int i = 0; i < RULES; i++) {
        judges[i] = (struct judge){ .input = size ? calloc(1, size) : NULL };
        if (size)
            alert_input_init(&r.input, judges[i].input);
    }
    const double from_s = process_s();
    for (long k = 0; k < samples / RULES; k++)
        for (int i = 0; i < RULES; i++) {
            const struct sample s = { .time_ms = T0 + k * STEP_MS,
                                      .value = values[k % VALUES] };
            judge(&r, &when, &judges[i], &s);
        }
    const double us = 1e6 * (process_s() - from_s) / (double)(samples / RULES * RULES);
    const size_t bytes = sizeof r + sizeof(struct alert_state) + size;
    for (int i = 0; i < RULES; i++)
        free(judges[i].input);
    printf("  %-16s %.3f us a sample, %zu bytes a rule and channel\n", input, us, bytes);
    return us <= HOLD_US && bytes <= HOLD_MEMORY;
}

int main(int argc, char **argv)
{
    static struct decimal values[VALUES];
    const long samples = argc > 1 ? strtol(argv[1], NULL, 10) : 4000000;
    bool holds = true;

    make(values);
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        holds &= measure(inputs[i], values, samples);
    printf("rules    hold %g us and %d bytes%s\n", HOLD_US, HOLD_MEMORY,
           holds ? "" : "   DOES NOT HOLD");
    return holds ? 0 : 1;
}
