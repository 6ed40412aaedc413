/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calibration/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(type, member) .offset = offsetof(struct type, member)

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY (24.0 * HOUR)

static const char *const kinds[] = { "zero", "span", "point", NULL };
static const char *const policies[] = { "off", "zero", "zero-span", NULL };
static const char *const revises[] = { "off", "flag", "drift", NULL };
static const char *const scopes[] = { "device", "channel", NULL };

int calibration_hour_parse(const char *text, int64_t *ret_ms)
{
    static const char form[] = "dd:dd";

    for (size_t i = 0; i < sizeof form; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return -EINVAL;
    }
    const int hour = 10 * (text[0] - '0') + text[1] - '0';
    const int minute = 10 * (text[3] - '0') + text[4] - '0';
    if (hour > 23 || minute > 59)
        return -EINVAL;
    *ret_ms = (int64_t)hour * HOUR + (int64_t)minute * MINUTE;
    return 0;
}

static bool hour_is_ok(const char *text, char *why, size_t size)
{
    int64_t ms;

    if (calibration_hour_parse(text, &ms) == 0)
        return true;
    snprintf(why, size, "expected a time of day from \"00:00\" to \"23:59\", got '%.20s'",
             text);
    return false;
}

static bool unit_is_ok(const char *text, char *why, size_t size)
{
    if (unit_find(text))
        return true;
    snprintf(why, size, "expected a unit such as [ppb] or mg/m3, got '%.20s'", text);
    return false;
}

static const struct field step_fields[] = {
    { .name = "kind",
      .type = FIELD_ENUM,
      AT(calibration_step_conf, kind),
      .flags = FIELD_REQUIRED,
      .help = "zero; span: the value that the factor is made of; point: a further one.",
      .words = kinds },
    { .name = "value",
      .type = FIELD_DOUBLE,
      AT(calibration_step_conf, value),
      .help = "What is to be read. Not given: 0, at zero alone." },
    { .name = "settle",
      .type = FIELD_DURATION,
      AT(calibration_step_conf, settle_ms),
      .dflt = "-1ms",
      .min = 0,
      .max = DAY,
      .help = "How long it takes until the reading counts. Not given: that of the sequence." },
    { .name = "measure",
      .type = FIELD_DURATION,
      AT(calibration_step_conf, measure_ms),
      .dflt = "-1ms",
      .min = 1 * SECOND,
      .max = DAY,
      .help = "How long readings are taken. Not given: that of the sequence." },
    { .name = "command",
      .type = FIELD_ID,
      AT(calibration_step_conf, command),
      .help =
          "Command of the profile that turns the value on. Not given: it comes by itself." },
    { 0 },
};

static const struct field limits_fields[] = {
    { .name = "zero_warn",
      .type = FIELD_DOUBLE,
      AT(calibration_limits_conf, zero_warn),
      .min = 0,
      .max = 1e12,
      .help = "A zero further off, in the unit, passes with a warning." },
    { .name = "zero",
      .type = FIELD_DOUBLE,
      AT(calibration_limits_conf, zero),
      .min = 0,
      .max = 1e12,
      .help = "A zero further off, in the unit, fails." },
    { .name = "warn",
      .type = FIELD_DOUBLE,
      AT(calibration_limits_conf, warn),
      .min = 0,
      .max = 1e12,
      .help = "A span or point further off, in the unit, passes with a warning." },
    { .name = "fail",
      .type = FIELD_DOUBLE,
      AT(calibration_limits_conf, fail),
      .min = 0,
      .max = 1e12,
      .help = "A span or point further off, in the unit, fails." },
    { .name = "warn_pct",
      .type = FIELD_DOUBLE,
      AT(calibration_limits_conf, warn_pct),
      .min = 0,
      .max = 100,
      .help = "The same in percent of the value; the larger one counts." },
    { .name = "fail_pct",
      .type = FIELD_DOUBLE,
      AT(calibration_limits_conf, fail_pct),
      .min = 0,
      .max = 100,
      .help = "The same in percent of the value; the larger one counts." },
    { 0 },
};

const struct field calibration_fields[] = {
    { .name = "every",
      .type = FIELD_DURATION,
      AT(calibration_conf, every_ms),
      .dflt = "-1ms",
      .min = 0,
      .max = 400 * DAY,
      .help = "A check is due so often; 0: never. Not given: the quantity's." },
    { .name = "unit",
      .type = FIELD_TEXT,
      AT(calibration_conf, unit),
      .help = "UCUM unit of values and limits. Not given: the quantity's canonical unit.",
      .is_ok = unit_is_ok },
    { .name = "at",
      .type = FIELD_TEXT,
      AT(calibration_conf, at),
      .help = "Local time at which the station runs the sequence. Not given: it does not.",
      .is_ok = hour_is_ok },
    { .name = "settle",
      .type = FIELD_DURATION,
      AT(calibration_conf, settle_ms),
      .dflt = "5min",
      .min = 0,
      .max = DAY,
      .help = "How long a reading takes to settle, at each step and behind the last." },
    { .name = "measure",
      .type = FIELD_DURATION,
      AT(calibration_conf, measure_ms),
      .dflt = "5min",
      .min = 1 * SECOND,
      .max = DAY,
      .help = "How long readings of a step are taken." },
    { .name = "steps",
      .type = FIELD_LIST,
      AT(calibration_conf, steps),
      .min = 1,
      .max = CALIBRATION_STEPS_MAX,
      .help = "The sequence, in its order: zero first, then what is above it.",
      .fields = step_fields,
      .size = sizeof(struct calibration_step_conf) },
    { .name = "end",
      .type = FIELD_ID,
      AT(calibration_conf, end),
      .help = "Command of the profile that goes back to measuring, behind the last step." },
    { .name = "full",
      .type = FIELD_DOUBLE,
      AT(calibration_conf, full),
      .min = 1e-9,
      .max = 1e12,
      .help = "Full scale that drift is told in percent of. Not given: the span's value." },
    { .name = "limits",
      .type = FIELD_GROUP,
      AT(calibration_conf, limits),
      .help = "Control limits. Not given: the quantity's.",
      .fields = limits_fields },
    { .name = "correct",
      .type = FIELD_ENUM,
      AT(calibration_conf, correct),
      .dflt = "off",
      .help = "What passed checks correct: nothing, the zero, or zero and factor.",
      .words = policies },
    { .name = "revise",
      .type = FIELD_ENUM,
      AT(calibration_conf, revise),
      .dflt = "flag",
      .help =
          "Readings before a failed check: left, written again as doubtful, also corrected.",
      .words = revises },
    { .name = "scope",
      .type = FIELD_ENUM,
      AT(calibration_conf, scope),
      .dflt = "device",
      .help = "What is calibration meanwhile: all that the device reads, or the channel alone.",
      .words = scopes },
    { .name = "recognise",
      .type = FIELD_BOOL,
      AT(calibration_conf, is_recognised),
      .dflt = "true",
      .help = "Readings that look like a calibration nobody announced are told in a notice." },
    { .name = "certificate",
      .type = FIELD_TEXT,
      AT(calibration_conf, certificate),
      .help = "Gas bottle, buffer or calibrator that the values come from." },
    { 0 },
};

/* ---- setup ---- */

static double first_number(double a, double b)
{
    return isnan(a) ? b : a;
}

/* A limit without its warning has it at two thirds. */
static void set_pair(double given_warn, double given_fail, double *warn, double *fail)
{
    if (!isnan(given_fail)) {
        *fail = given_fail;
        *warn = given_fail * 2 / 3;
    }
    *warn = first_number(given_warn, *warn);
}

static void set_limits(const struct calibration_limits_conf *c, double k,
                       struct calibration_limits *l)
{
    const bool is_given = !isnan(c->fail) || !isnan(c->fail_pct);

    if (is_given) /* both forms are the user's then */
        l->warn = l->fail = l->share_warn = l->share_fail = NAN;
    set_pair(c->zero_warn * k, c->zero * k, &l->zero_warn, &l->zero_fail);
    set_pair(c->warn * k, c->fail * k, &l->warn, &l->fail);
    set_pair(c->warn_pct / 100, c->fail_pct / 100, &l->share_warn, &l->share_fail);
}

static void set_steps(const struct calibration_conf *c, struct calibration_setup *s)
{
    const struct calibration_step_conf *step = c->steps.items;

    for (size_t i = 0; i < c->steps.n && i < CALIBRATION_STEPS_MAX; i++) {
        const enum calibration_kind kind = (enum calibration_kind)step[i].kind;
        const bool is_zero = kind == CALIBRATION_ZERO;
        const double value = step[i].value * s->unit.factor + s->unit.offset;
        s->command[i] = step[i].command;
        s->plan.step[s->plan.n++] = (struct calibration_step){
            .kind = kind,
            .reference = is_zero ? first_number(value, 0) : value,
            .settle_ms = step[i].settle_ms >= 0 ? step[i].settle_ms : c->settle_ms,
            .measure_ms = step[i].measure_ms > 0 ? step[i].measure_ms : c->measure_ms,
        };
        if (kind == CALIBRATION_SPAN && isnan(s->full))
            s->full = value;
    }
}

int calibration_unit(const char *unit, const struct quantity *q, struct unit_conversion *ret)
{
    const struct unit *u = unit ? unit_find(unit) : NULL;

    if (unit && !u)
        return -EDOM;
    if (!u) {
        *ret = (struct unit_conversion){ .factor = 1, .is_identity = true };
        return 0;
    }
    return unit_conversion_for(u, q, ret);
}

struct calibration_setup calibration_setup_of(const struct calibration_conf *c,
                                              const struct quantity *q)
{
    struct calibration_setup s = {
        .at_ms = -1,
        .end = c->end,
        .certificate = c->certificate,
        .settle_ms = c->settle_ms,
        .measure_ms = c->measure_ms,
        .full = c->full,
        .correct = (enum calibration_policy)c->correct,
        .revise = (enum calibration_revise)c->revise,
        .scope = (enum calibration_scope)c->scope,
        .is_recognised = c->is_recognised,
        .unit = { .factor = 1 },
    };

    s.is_unit_wrong = calibration_unit(c->unit, q, &s.unit) < 0;
    s.full *= s.unit.factor;
    s.is_known = calibration_default(q, &s.limits, &s.every_ms) || c->steps.n > 0;
    set_limits(&c->limits, s.unit.factor, &s.limits);
    if (c->every_ms >= 0)
        s.every_ms = c->every_ms;
    else if (c->steps.n == 0)
        s.every_ms = 0; /* nobody said that this channel is checked at all */
    if (c->at)
        calibration_hour_parse(c->at, &s.at_ms);
    s.plan.return_ms = c->settle_ms;
    set_steps(c, &s);
    return s;
}

const char *calibration_setup_error(const struct calibration_setup *s)
{
    if (s->is_unit_wrong)
        return "The unit does not fit the quantity.";
    for (unsigned i = 0; i < s->plan.n; i++) {
        const struct calibration_step *step = &s->plan.step[i];
        if (!isfinite(step->reference))
            return "A step of the kind span or point needs its value.";
        if (step->kind == CALIBRATION_SPAN && step->reference == 0)
            return "A span of 0 is a zero.";
    }
    if (s->at_ms >= 0 && s->plan.n == 0)
        return "The station cannot run a sequence without steps.";
    if (s->at_ms >= 0 && s->every_ms < HOUR)
        return "A sequence that the station runs needs `every` of one hour or more.";
    return calibration_limits_error(&s->limits);
}
