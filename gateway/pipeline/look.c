/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule sees: its sample behind the gate, and the conditions over other channels that
 * bear on it. The samples of a scan are noted before the rules judge any of them, so channels
 * of one device are compared as they are at one time.
 */
#include <math.h>
#include <stdlib.h>

#include "gateway/pipeline/internal.h"

enum { AGE_MAX = 3 }; /* intervals: what is older says nothing of now */

static bool has_condition(const struct pipeline *p)
{
    for (size_t i = 0; i < p->o->rules_n; i++)
        if (p->o->rules[i].when || p->o->rules[i].suppress_when)
            return true;
    return false;
}

static bool init_inputs(struct pipeline *p)
{
    p->inputs = calloc(p->o->rules_n + 1, sizeof *p->inputs);
    for (size_t i = 0; p->inputs && i < p->o->rules_n; i++) {
        const struct alert_input *in = &p->o->rules[i].input;
        const size_t size = alert_input_size(in);
        if (size == 0)
            continue;
        p->inputs[i] = calloc(1, size);
        if (!p->inputs[i])
            return false;
        alert_input_init(in, p->inputs[i]);
    }
    return p->inputs != NULL;
}

bool look_init(struct pipeline *p)
{
    if (!init_inputs(p))
        return false;
    if (!has_condition(p) && p->o->watches_n == 0)
        return true;
    p->newest_samples = calloc(p->o->table->n + 1, sizeof *p->newest_samples);
    return p->newest_samples != NULL;
}

void look_done(struct pipeline *p)
{
    for (size_t i = 0; p->inputs && i < p->o->rules_n; i++)
        free(p->inputs[i]);
    free(p->inputs);
    free(p->newest_samples);
}

void look_note(struct pipeline *p, const struct sample *s)
{
    const bool is_usable = s->verdict.grade < GRADE_BAD;

    if (!p->newest_samples)
        return;
    p->newest_samples[s->channel] = (struct newest_sample){
        .time_ms = s->time_ms,
        .value = is_usable ? decimal_to_double(s->value) : NAN,
        .verdict = s->verdict,
    };
}

/* A statistic is named by the start of its period and comes at the end. */
static int64_t age_max(const struct channel *ch)
{
    return (AGE_MAX + (ch->statistic != NULL)) * ch->period_ms;
}

void pipeline_values(const struct pipeline *p, const struct expression *e, int64_t time_ms,
                     struct expression_value *ret)
{
    for (unsigned i = 0; i < e->channels_n; i++) {
        const struct newest_sample *n = &p->newest_samples[e->channel[i]];
        const struct channel *ch = &p->o->table->channels[e->channel[i]];
        ret[i] = (struct expression_value){
            .value = n->value,
            .verdict = n->verdict,
            .is_known = n->time_ms != 0 && time_ms - n->time_ms <= age_max(ch),
        };
    }
}

static enum expression_truth eval(const struct pipeline *p, const struct expression *e,
                                  int64_t time_ms)
{
    struct expression_value values[EXPRESSION_CHANNELS_MAX];
    const int zone_min = (int)(p->o->table->zone_ms / 60000);

    pipeline_values(p, e, time_ms, values);
    return expression_eval(e, values, expression_now(time_ms, zone_min));
}

/* A watch has looked at the sample already, and at what is beside it. */
static void look_for_event(struct pipeline *p, const struct alert_rule *r,
                           const struct sample *s, struct alert_look *look)
{
    const struct watch_result *w = watches_result(p, s->channel);
    const int side = r->direction == ALERT_BELOW ? -1 : 1;

    look->has_event = w != NULL;
    look->is_held = false;
    if (!w)
        return;
    look->is_event = w->is_event && (r->direction == ALERT_OUTSIDE || w->side == side);
    look->limit = w->limit;
    if (w->use == WATCH_SET_ASIDE)
        look->x = NAN;
}

/* What of the sample the rule judges, where that is not the sample itself. */
static void look_through_input(struct pipeline *p, uint32_t rule, struct alert_look *look)
{
    const struct alert_rule *r = &p->o->rules[rule];
    const double value = look->x;
    struct alert_score score;

    if (!p->inputs[rule] || isnan(value))
        return;
    alert_input_step(&r->input, p->inputs[rule], look->time_ms, value,
                     p->alerts[rule].level != LEVEL_NONE, &score);
    look->x = score.x;
    look->is_suppressed = isnan(score.x); /* seen, and not enough of it yet */
    look->is_refuted = !score.is_significant;
    if (r->input.kind == ALERT_FORECAST && score.is_significant)
        alert_crossing(r, look->time_ms, value, &score, &look->crossing);
}

void look_learn(struct pipeline *p, const struct sample *s)
{
    const struct followers *f = &p->followers[s->channel];

    for (uint32_t i = 0; i < f->rules_n; i++) {
        const uint32_t rule = p->rule_index[f->rules_from + i];
        struct alert_look look = alert_look_at(&p->o->rules[rule], s);
        look_through_input(p, rule, &look);
    }
}

int64_t look_back(const struct pipeline *p, uint32_t channel)
{
    const struct followers *f = &p->followers[channel];
    int64_t longest_ms = 0;

    for (uint32_t i = 0; i < f->rules_n; i++) {
        const uint32_t rule = p->rule_index[f->rules_from + i];
        const int64_t ms = 2 * p->o->rules[rule].input.window_ms; /* a forecast's line */
        if (p->inputs[rule] && ms > longest_ms)
            longest_ms = ms;
    }
    return longest_ms;
}

/* What makes a value a matter of maintenance, not of the environment. */
enum {
    INSTRUMENT_FAULTS = WATCH_GARBAGE | WATCH_CALIBRATION | WATCH_STUCK | WATCH_STEADY |
                        WATCH_SCATTER | WATCH_TRANSIENT
};

static bool is_inhibited(struct pipeline *p, const struct alert_rule *r)
{
    const struct watch_result *w = r->yields_to_faults ? watches_result(p, r->channel) : NULL;

    if (w && w->faults & INSTRUMENT_FAULTS)
        return true;
    for (uint32_t i = 0; i < r->inhibitors_n; i++)
        if (p->alerts[r->inhibitors[i]].level != LEVEL_NONE)
            return true;
    return false;
}

struct alert_look look_of(struct pipeline *p, uint32_t rule, const struct sample *s)
{
    const struct alert_rule *r = &p->o->rules[rule];
    struct alert_look look = alert_look_at(r, s);

    if (r->input.kind == ALERT_EVENT)
        look_for_event(p, r, s, &look);
    else
        look_through_input(p, rule, &look);
    if (isnan(look.x) && !look.has_event && !look.is_suppressed)
        return look;
    if (r->suppress_when && eval(p, r->suppress_when, s->time_ms) == EXPRESSION_TRUE)
        look.is_suppressed = true;
    else if (r->when && eval(p, r->when, s->time_ms) == EXPRESSION_FALSE)
        look.is_refuted = true;
    look.is_inhibited = is_inhibited(p, r);
    return look;
}
