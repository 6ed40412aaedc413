/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/profile/command.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "sensors/profile/type.h"

/* Years that instruments are set to: a clock beyond them is not the time. */
#define UNIX_MAX 4102444799.0 /* end of 2099 */

static const struct {
    const char *word;
    double min, max;
} clock_words[] = {
    [FROM_YEAR] = { "year", 2000, 2099 },  [FROM_YEAR2] = { "year2", 0, 99 },
    [FROM_MONTH] = { "month", 1, 12 },     [FROM_DAY] = { "day", 1, 31 },
    [FROM_HOUR] = { "hour", 0, 23 },       [FROM_MINUTE] = { "minute", 0, 59 },
    [FROM_SECOND] = { "second", 0, 59 },   [FROM_WEEKDAY] = { "weekday", 1, 7 },
    [FROM_UNIX] = { "unix", 0, UNIX_MAX },
};

bool command_clock_find(const char *word, enum step_source *ret)
{
    for (int i = FROM_YEAR; i <= FROM_UNIX; i++)
        if (strcmp(clock_words[i].word, word) == 0) {
            *ret = (enum step_source)i;
            return true;
        }
    return false;
}

const struct profile_command *command_find(const struct profile *p, const char *id)
{
    for (size_t i = 0; i < p->commands_n; i++)
        if (strcmp(p->commands[i].id, id) == 0)
            return &p->commands[i];
    return NULL;
}

void command_step_range(const struct profile_command *c, const struct profile_step *s,
                        double *ret_min, double *ret_max)
{
    const struct profile_parameter *param =
        s->source == FROM_PARAMETER ? &c->parameters[s->parameter] : NULL;

    *ret_min = s->source == FROM_CONSTANT ? s->value
               : param                    ? param->min
                                          : clock_words[s->source].min;
    *ret_max = s->source == FROM_CONSTANT ? s->value
               : param                    ? param->max
                                          : clock_words[s->source].max;
}

static double register_value(const struct profile_step *s, double value)
{
    return (value - s->offset) / s->scale;
}

bool command_step_takes(const struct profile_step *s, double value)
{
    return type_holds(s->type, register_value(s, value));
}

static double clock_value(enum step_source source, int64_t local_ms, int64_t utc_ms)
{
    time_t seconds = (time_t)(local_ms / 1000 - (local_ms % 1000 < 0));
    struct tm tm;

    if (source == FROM_UNIX)
        return (double)(utc_ms / 1000);
    if (!gmtime_r(&seconds, &tm))
        return (double)NAN;
    const int parts[] = {
        [FROM_YEAR] = tm.tm_year + 1900, [FROM_YEAR2] = tm.tm_year % 100,
        [FROM_MONTH] = tm.tm_mon + 1,    [FROM_DAY] = tm.tm_mday,
        [FROM_HOUR] = tm.tm_hour,        [FROM_MINUTE] = tm.tm_min,
        [FROM_SECOND] = tm.tm_sec,       [FROM_WEEKDAY] = tm.tm_wday ? tm.tm_wday : 7,
    };
    return parts[source];
}

static int check_parameter(const struct profile_parameter *param, double x)
{
    if (isnan(x))
        return -EINVAL;
    if (x < param->min || x > param->max)
        return -ERANGE;
    return param->is_integer && x != round(x) ? -EINVAL : 0;
}

/* The values in force: what was given, else the defaults. */
static int settle_parameters(const struct profile_command *c, const double *given, double *ret,
                             size_t *ret_parameter)
{
    for (size_t i = 0; i < c->parameters_n; i++) {
        ret[i] = isnan(given[i]) ? c->parameters[i].dflt : given[i];
        int err = check_parameter(&c->parameters[i], ret[i]);
        if (err) {
            *ret_parameter = i;
            return err;
        }
    }
    return 0;
}

/* A joined write goes on where the request before it ends; the linter saw that it does. */
static struct command_step *next_request(struct command_plan *plan,
                                         const struct profile_step *s)
{
    struct command_step *last = plan->n ? &plan->steps[plan->n - 1] : NULL;

    if (s->is_joined && last && last->kind == STEP_WRITE) {
        last->is_multiple |= s->is_multiple;
        return last;
    }
    if (plan->n == COMMAND_STEPS_MAX)
        return NULL;
    plan->steps[plan->n] = (struct command_step){
        .kind = s->kind, .at = s->at, .is_multiple = s->is_multiple, .wait_ms = s->wait_ms
    };
    return &plan->steps[plan->n++];
}

static int add_words(const struct profile_step *s, enum word_order order, double value,
                     struct command_step *to)
{
    size_t n = profile_type_words(s->type);

    if (!command_step_takes(s, value))
        return -ERANGE;
    if (to->n + n > COMMAND_WORDS_MAX)
        return -E2BIG;
    words_from_raw(type_raw(s->type, register_value(s, value)), n, order, &to->words[to->n]);
    to->n = (uint16_t)(to->n + n);
    to->at.count = (uint8_t)to->n;
    return 0;
}

int command_plan(const struct profile *p, const struct profile_command *c, const double *value,
                 int order, int64_t local_ms, int64_t utc_ms, struct command_plan *ret,
                 size_t *ret_parameter)
{
    struct command_plan plan = { .command = c };
    double settled[COMMAND_PARAMETERS_MAX] = { 0 };

    *ret_parameter = c->parameters_n;
    if (c->parameters_n > COMMAND_PARAMETERS_MAX)
        return -E2BIG;
    int err = settle_parameters(c, value, settled, ret_parameter);
    for (size_t i = 0; !err && i < c->steps_n; i++) {
        const struct profile_step *s = &c->steps[i];
        struct command_step *to = next_request(&plan, s);
        if (!to)
            return -E2BIG;
        if (s->kind == STEP_WAIT)
            continue;
        int o = s->order >= 0 ? s->order : order >= 0 ? order : (int)p->order;
        double x = s->source == FROM_CONSTANT    ? s->value
                   : s->source == FROM_PARAMETER ? settled[s->parameter]
                                                 : clock_value(s->source, local_ms, utc_ms);
        err = add_words(s, (enum word_order)o, x, to);
        if (err && s->source == FROM_PARAMETER)
            *ret_parameter = s->parameter;
    }
    if (!err)
        *ret = plan;
    return err;
}
