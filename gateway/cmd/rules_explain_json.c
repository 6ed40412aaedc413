/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/rules_explain.h"

static json_t *time_json(int64_t ms)
{
    char text[TIME_TEXT_MAX];

    if (ms == 0)
        return json_null();
    time_print_utc(ms, text);
    return json_string(text);
}

static json_t *number_json(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *delay_json(const struct alert_delay *d)
{
    if (d->n)
        return json_pack("{s:i,s:i}", "m", d->m, "n", d->n);
    return json_pack("{s:I}", "ms", (json_int_t)d->duration_ms);
}

static json_t *text_json(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* ---- the rule ---- */

static json_t *levels_json(const struct alert_rule *r)
{
    json_t *o = json_object();

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        if (r->level[l].is_set)
            json_object_set_new(
                o, alert_level_id((enum alert_level)l),
                json_pack("{s:o,s:o,s:o,s:o}", "set", number_json(r->level[l].set), "clear",
                          number_json(r->level[l].clear), "on", delay_json(&r->level[l].on),
                          "off", delay_json(&r->level[l].off)));
    return o;
}

static json_t *rule_json(const struct explanation *e)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "id", e->rule->id, "version", e->version,
                     "input", e->conf->input ? e->conf->input : "raw", "direction",
                     alert_direction_words[e->rule->direction], "levels", levels_json(e->rule),
                     "when", text_json(e->conf->when), "suppress_when",
                     text_json(e->conf->suppress_when));
}

static json_t *alert_json(const struct explained *a)
{
    json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:o}", "key", a->key, "rule", a->rule, "channel",
                          a->channel, "raised", time_json(a->raised_ms), "cleared",
                          time_json(a->cleared_ms));

    if (a->no)
        json_object_set_new(o, "no", json_integer((json_int_t)a->no));
    if (a->version[0])
        json_object_set_new(o, "version", json_string(a->version));
    return o;
}

/* ---- samples ---- */

static json_t *progress_json(const struct alert_delay *d, uint32_t bits, int64_t since_ms,
                             int64_t now_ms)
{
    return d->n ? json_integer(explain_count(bits, d))
                : json_pack("{s:I}", "ms", (json_int_t)(since_ms ? now_ms - since_ms : 0));
}

static json_t *windows_json(const struct explanation *e, const struct explain_step *s)
{
    const struct alert_state *st = &s->after;
    json_t *o = json_object();

    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++) {
        const struct alert_threshold *t = &e->rule->level[l];
        if (!t->is_set)
            continue;
        json_t *level = json_object();
        json_object_set_new(
            level, "on", progress_json(&t->on, st->on_bits[l], st->on_since_ms[l], s->time_ms));
        if (l <= st->level)
            json_object_set_new(
                level, "off",
                progress_json(&t->off, st->off_bits[l], st->off_since_ms[l], s->time_ms));
        json_object_set_new(o, alert_level_id((enum alert_level)l), level);
    }
    return o;
}

static json_t *reasons_json(uint32_t reasons)
{
    json_t *list = json_array();

    for (int i = 0; i < 31; i++)
        if (reasons >> i & 1 && reason_id(UINT32_C(1) << i))
            json_array_append_new(list, json_string(reason_id(UINT32_C(1) << i)));
    return list;
}

static json_t *condition_json(const struct explanation *e, const struct expression *x,
                              const struct expression_value *values, int64_t time_ms)
{
    static const char *const truths[] = { [EXPRESSION_FALSE] = "false",
                                          [EXPRESSION_TRUE] = "true",
                                          [EXPRESSION_UNKNOWN] = "unknown" };
    const int zone_min = (int)(e->table->channels.zone_ms / 60000);
    json_t *channels = json_object();

    for (unsigned i = 0; i < x->channels_n; i++)
        json_object_set_new(channels, e->table->channel[x->channel[i]].id,
                            values[i].is_known ? number_json(values[i].value) : json_null());
    return json_pack("{s:s,s:o}", "is",
                     truths[expression_eval(x, values, expression_now(time_ms, zone_min))],
                     "values", channels);
}

static void add_sample(const struct explanation *e, const struct explain_step *s, json_t *o)
{
    json_object_set_new(o, "value", number_json(s->value));
    json_object_set_new(o, "judged", number_json(s->x));
    json_object_set_new(o, "status", json_string(status_id((enum status)s->verdict.status)));
    json_object_set_new(o, "grade", json_string(grade_id((enum grade)s->verdict.grade)));
    json_object_set_new(o, "reasons", reasons_json(s->verdict.reasons));
    if (e->rule->input.kind == ALERT_EVENT) {
        json_object_set_new(o, "event", json_boolean(s->is_event));
        json_object_set_new(o, "compared", number_json(s->compared));
    }
    if (e->rule->when)
        json_object_set_new(o, "when", condition_json(e, e->rule->when, s->when, s->time_ms));
    if (e->rule->suppress_when)
        json_object_set_new(o, "suppress_when",
                            condition_json(e, e->rule->suppress_when, s->suppress, s->time_ms));
}

static json_t *step_json(const struct explanation *e, const struct explain_step *s)
{
    json_t *o =
        json_pack("{s:o,s:s}", "time", time_json(s->time_ms), "fate", explain_fate_id(s->fate));

    if (s->fate != FATE_TIME)
        add_sample(e, s, o);
    json_object_set_new(o, "level",
                        json_string(alert_level_id((enum alert_level)s->after.level)));
    json_object_set_new(o, "levels", windows_json(e, s));
    if (s->change.what != ALERT_QUIET)
        json_object_set_new(o, "transition", json_string(alert_transition_id(s->change.what)));
    return o;
}

void explain_print_json(const struct explanation *e)
{
    json_t *o = json_object(), *samples = json_array();

    for (size_t i = 0; i < e->steps.n; i++)
        json_array_append_new(samples, step_json(e, &e->steps.items[i]));
    json_object_set_new(o, "alert", alert_json(e->alert));
    json_object_set_new(o, "rule", rule_json(e));
    json_object_set_new(o, "reproduced", json_boolean(e->steps.raise < e->steps.n));
    json_object_set_new(o, "samples", samples);
    json_object_set_new(o, "unchanged", json_integer((json_int_t)e->steps.skipped));
    json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(o);
}
