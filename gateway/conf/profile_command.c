/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: what an instrument can be told to do, with what keeps a slip of the pen out of it.
 */
#include <math.h>
#include <string.h>

#include "gateway/conf/profile_read.h"
#include "sensors/profile/command.h"
#include "sensors/profile/type.h"

enum {
    COMMANDS_MAX = 32,    /* of one instrument; the largest known has 12 */
    WAIT_MAX_MS = 600000, /* of one step: a longer one belongs into an operator's hand */
    MODE_MAX_MS = 24 * 60 * 60000, /* a zero, span or maintenance of a day */
};

static const char *const lasting_modes[] = { "zero", "span", "calibration", "maintenance",
                                             NULL };

static bool refuse(struct profile_reader *r, struct fy_node *node, const char *why)
{
    yaml_error(r->y, r->d, node, E_CONFLICT, "%s", why);
    return false;
}

static bool read_default(struct profile_reader *r, struct fy_node *node,
                         struct profile_parameter *p)
{
    if (!profile_read_number(r, node, &p->dflt))
        return false;
    if (p->dflt >= p->min && p->dflt <= p->max && (!p->is_integer || p->dflt == round(p->dflt)))
        return true;
    yaml_error(r->y, r->d, node, E_RANGE, "the default is no %s from %g to %g",
               p->is_integer ? "whole number" : "number", p->min, p->max);
    return false;
}

static bool read_parameter(struct profile_reader *r, struct fy_node *node,
                           struct profile_parameter *p)
{
    static const char *const keys[] = { "id",      "names",   "unit", "range",
                                        "default", "integer", NULL };
    struct fy_node *n[6];
    struct unit_conversion unused;
    enum step_source word;

    if (!profile_read_keys(r, node, "a parameter", keys))
        return false;
    for (size_t i = 0; i < 6; i++)
        n[i] = yaml_find(node, keys[i]);
    if (!n[0] || !n[1] || !n[3]) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a parameter needs 'id', 'names' and 'range'");
        return false;
    }
    p->dflt = (double)NAN;
    bool is_ok = profile_read_id(r, n[0], false, &p->id);
    if (is_ok && command_clock_find(p->id, &word))
        is_ok = refuse(r, n[0], "a parameter cannot have the name of a part of the clock");
    is_ok = profile_read_names(r, n[1], &p->en, &p->zh) && is_ok;
    is_ok = (!n[2] || profile_read_unit(r, n[2], NULL, &p->unit, &unused)) && is_ok;
    is_ok = (!n[5] || profile_read_bool(r, n[5], &p->is_integer)) && is_ok;
    is_ok = profile_read_range(r, n[3], &p->min, &p->max) && is_ok;
    return is_ok && (!n[4] || read_default(r, n[4], p));
}

static bool read_parameters(struct profile_reader *r, struct fy_node *list,
                            struct profile_command *c)
{
    struct profile_parameter *params;
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;

    if (!profile_read_list(r, list, COMMAND_PARAMETERS_MAX))
        return false;
    params = arena_alloc(r->arena, COMMAND_PARAMETERS_MAX * sizeof *params);
    if (!params)
        return false;
    c->parameters = params;
    while ((node = fy_node_sequence_iterate(list, &state))) {
        struct profile_parameter *p = &params[c->parameters_n++];
        is_ok = read_parameter(r, node, p) && is_ok;
        for (size_t i = 0; p->id && &params[i] < p; i++)
            if (params[i].id && !strcmp(params[i].id, p->id)) {
                yaml_error(r->y, r->d, yaml_find(node, "id"), E_DUPLICATE_ID,
                           "the parameter '%s' stands twice", p->id);
                is_ok = false;
            }
    }
    return is_ok;
}

static bool find_parameter(const struct profile_command *c, const char *id, size_t *ret)
{
    for (size_t i = 0; i < c->parameters_n; i++)
        if (c->parameters[i].id && !strcmp(c->parameters[i].id, id)) {
            *ret = i;
            return true;
        }
    return false;
}

/* A number, $parameter, or $part of the clock. */
static bool read_value(struct profile_reader *r, struct fy_node *node,
                       const struct profile_command *c, struct profile_step *s)
{
    const char *text = yaml_text(node);
    char shown[DIAG_SHOWN_BYTES];

    if (!text || *text != '$')
        return profile_read_number(r, node, &s->value);
    if (find_parameter(c, text + 1, &s->parameter)) {
        s->source = FROM_PARAMETER;
        return true;
    }
    if (command_clock_find(text + 1, &s->source))
        return true;
    yaml_error(r->y, r->d, node, E_REFERENCE,
               "%s is no parameter of this command and no part of the clock: $year $year2 "
               "$month $day $hour $minute $second $weekday $unix",
               yaml_shown(node, shown));
    return false;
}

/* What the step can get goes into its register, whole. */
static bool check_value(struct profile_reader *r, struct fy_node *node,
                        const struct profile_command *c, const struct profile_step *s)
{
    double min, max, raw = (s->value - s->offset) / s->scale;

    command_step_range(c, s, &min, &max);
    if (!command_step_takes(s, min) || !command_step_takes(s, max)) {
        const char *scaled = s->scale != 1 || s->offset != 0 ? " as scaled" : "";
        if (min < max)
            yaml_error(r->y, r->d, node, E_RANGE, "%.15g to %.15g do not fit type %s%s", min,
                       max, type_name(s->type), scaled);
        else
            yaml_error(r->y, r->d, node, E_RANGE, "%.15g does not fit type %s%s", min,
                       type_name(s->type), scaled);
        return false;
    }
    if (s->source == FROM_CONSTANT && !type_is_float(s->type) &&
        fabs(raw - round(raw)) > 1e-9 * fmax(1, fabs(raw))) {
        yaml_error(r->y, r->d, node, E_RANGE, "type %s cannot hold %.15g without rounding it",
                   type_name(s->type), s->value);
        return false;
    }
    return true;
}

static bool read_step_scaling(struct profile_reader *r, struct fy_node *node,
                              struct profile_step *s)
{
    struct fy_node *scale = yaml_find(node, "scale"), *offset = yaml_find(node, "offset"),
                   *order = yaml_find(node, "order");

    if ((scale && !profile_read_number(r, scale, &s->scale)) ||
        (offset && !profile_read_number(r, offset, &s->offset)) ||
        (order && !profile_read_word(r, order, profile_order_words, &s->order)))
        return false;
    if (s->scale != 0)
        return true;
    yaml_error(r->y, r->d, scale, E_RANGE, "a scale of 0 makes every value 0");
    return false;
}

/* Where a step writes or looks, and as what. */
static bool read_step_place(struct profile_reader *r, struct fy_node *node, struct fy_node *at,
                            struct profile_step *s)
{
    struct fy_node *type = yaml_find(node, "type");

    if (!profile_read_address(r, at, &s->at))
        return false;
    bool is_register = s->at.space >= SPACE_HOLDING;
    if (s->kind == STEP_WRITE && s->at.space != SPACE_HOLDING && s->at.space != SPACE_COIL)
        return refuse(r, at, "only holding registers and coils can be written");
    if (s->kind == STEP_WRITE && s->at.bit >= 0)
        return refuse(
            r, at, "a single bit of a register cannot be written without writing the others");
    if (!type && is_register && s->at.bit < 0) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a register needs 'type'");
        return false;
    }
    if (!profile_read_type(r, type, &s->at, &s->type))
        return false;
    if (s->type == TYPE_TEXT)
        return refuse(r, type, "texts are neither written nor expected");
    return profile_fit_type(r, at, &s->at, s->type);
}

static bool read_flags_of_write(struct profile_reader *r, struct fy_node *node,
                                struct profile_step *s)
{
    struct fy_node *joined = yaml_find(node, "joined"), *multiple = yaml_find(node, "multiple");

    return (!joined || profile_read_bool(r, joined, &s->is_joined)) &&
           (!multiple || profile_read_bool(r, multiple, &s->is_multiple));
}

static bool read_exchange(struct profile_reader *r, struct fy_node *node, struct fy_node *at,
                          const struct profile_command *c, struct profile_step *s)
{
    static const char *const write_keys[] = { "write", "type",   "value",    "scale", "offset",
                                              "order", "joined", "multiple", NULL };
    static const char *const expect_keys[] = { "expect", "type",  "value", "scale",
                                               "offset", "order", NULL };
    struct fy_node *value = yaml_find(node, "value");
    bool is_write = s->kind == STEP_WRITE;

    bool is_ok = profile_read_keys(r, node, is_write ? "a write" : "an expectation",
                                   is_write ? write_keys : expect_keys);
    if (!value) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a step that %s needs 'value'",
                   is_write ? "writes" : "expects");
        return false;
    }
    return read_step_place(r, node, at, s) && read_step_scaling(r, node, s) &&
           read_flags_of_write(r, node, s) && read_value(r, value, c, s) &&
           check_value(r, value, c, s) && is_ok;
}

static bool read_step(struct profile_reader *r, struct fy_node *node,
                      const struct profile_command *c, struct profile_step *s)
{
    static const char *const wait_keys[] = { "wait", NULL };
    struct fy_node *write = yaml_find(node, "write"), *wait = yaml_find(node, "wait"),
                   *expect = yaml_find(node, "expect");

    *s = (struct profile_step){ .order = -1, .scale = 1 };
    if (!write + !wait + !expect != 2) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a step has one of 'write', 'wait' and 'expect'");
        return false;
    }
    s->kind = write ? STEP_WRITE : wait ? STEP_WAIT : STEP_EXPECT;
    if (!wait)
        return read_exchange(r, node, write ? write : expect, c, s);
    return profile_read_keys(r, node, "a wait", wait_keys) &&
           profile_read_duration(r, wait, 1, WAIT_MAX_MS, &s->wait_ms);
}

/* A joined write is the next register of the request that it goes into. `words` counts them. */
static bool check_joint(struct profile_reader *r, struct fy_node *node,
                        const struct profile_step *s, const struct profile_step *before,
                        size_t *words)
{
    *words = s->is_joined ? *words + s->at.count : s->at.count;
    if (!s->is_joined)
        return true;
    struct fy_node *joined = yaml_find(node, "joined");
    if (!before || before->kind != STEP_WRITE)
        return refuse(r, joined, "'joined' needs a write just before it");
    if (before->at.space != s->at.space || before->at.first + before->at.count != s->at.first)
        return refuse(r, joined,
                      "a joined write goes to the address next to the one before it");
    if (*words <= COMMAND_WORDS_MAX)
        return true;
    yaml_error(r->y, r->d, joined, E_RANGE, "more than %d registers in one request",
               COMMAND_WORDS_MAX);
    return false;
}

static bool read_steps(struct profile_reader *r, struct fy_node *list,
                       struct profile_command *c)
{
    struct profile_step *steps;
    struct fy_node *node;
    void *state = NULL;
    size_t words = 0, writes = 0;
    bool is_ok = true;

    if (!profile_read_list(r, list, COMMAND_STEPS_MAX))
        return false;
    steps = arena_alloc(r->arena, COMMAND_STEPS_MAX * sizeof *steps);
    if (!steps)
        return false;
    c->steps = steps;
    while ((node = fy_node_sequence_iterate(list, &state))) {
        struct profile_step *s = &steps[c->steps_n];
        bool is_read = read_step(r, node, c, s);
        is_ok = is_read && check_joint(r, node, s, c->steps_n ? s - 1 : NULL, &words) && is_ok;
        writes += s->kind == STEP_WRITE;
        c->steps_n++;
    }
    if (is_ok && !writes)
        return refuse(r, list, "a command writes something");
    return is_ok;
}

/* {set: zero, for: 10min} */
static bool read_lasting_mode(struct profile_reader *r, struct fy_node *node,
                              struct profile_command *c)
{
    static const char *const keys[] = { "set", "for", NULL };
    struct fy_node *set = yaml_find(node, "set"), *length = yaml_find(node, "for");
    int word;

    if (!profile_read_keys(r, node, "the mode of a command", keys))
        return false;
    if (!set || !length) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "the mode of a command needs 'set' and 'for'");
        return false;
    }
    if (!profile_read_word(r, set, lasting_modes, &word))
        return false;
    c->mode = lasting_modes[word];
    return profile_read_duration(r, length, 1000, MODE_MAX_MS, &c->mode_ms);
}

/* A parameter that nothing uses is asked for in vain. */
static bool check_use(struct profile_reader *r, struct fy_node *node,
                      const struct profile_command *c)
{
    for (size_t i = 0; i < c->parameters_n; i++) {
        bool is_used = false;
        for (size_t k = 0; k < c->steps_n; k++)
            is_used |= c->steps[k].source == FROM_PARAMETER && c->steps[k].parameter == i;
        if (is_used)
            continue;
        yaml_error(r->y, r->d, node, E_REFERENCE, "no step uses the parameter '%s'",
                   c->parameters[i].id ? c->parameters[i].id : "?");
        return false;
    }
    return true;
}

static bool read_command(struct profile_reader *r, struct fy_node *node,
                         struct profile_command *c)
{
    static const char *const keys[] = { "id", "names", "mode", "parameters", "steps", NULL };
    struct fy_node *n[5];

    bool is_ok = profile_read_keys(r, node, "a command", keys);
    for (size_t i = 0; i < 5; i++)
        n[i] = yaml_find(node, keys[i]);
    if (!n[0] || !n[1] || !n[4]) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a command needs 'id', 'names' and 'steps'");
        return false;
    }
    is_ok = profile_read_id(r, n[0], false, &c->id) && is_ok;
    is_ok = profile_read_names(r, n[1], &c->en, &c->zh) && is_ok;
    is_ok = (!n[2] || read_lasting_mode(r, n[2], c)) && is_ok;
    is_ok = (!n[3] || read_parameters(r, n[3], c)) && is_ok;
    is_ok = read_steps(r, n[4], c) && is_ok;
    return is_ok && (!n[3] || check_use(r, n[3], c));
}

bool profile_read_commands(struct profile_reader *r, struct fy_node *list)
{
    struct profile *p = r->p;
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;

    if (!profile_read_list(r, list, COMMANDS_MAX))
        return false;
    p->commands = arena_alloc(r->arena, COMMANDS_MAX * sizeof *p->commands);
    if (!p->commands)
        return false;
    while ((node = fy_node_sequence_iterate(list, &state))) {
        struct profile_command *c = &p->commands[p->commands_n++];
        is_ok = read_command(r, node, c) && is_ok;
        for (size_t i = 0; c->id && &p->commands[i] < c; i++)
            if (p->commands[i].id && !strcmp(p->commands[i].id, c->id)) {
                yaml_error(r->y, r->d, yaml_find(node, "id"), E_DUPLICATE_ID,
                           "the command '%s' stands twice", c->id);
                is_ok = false;
            }
    }
    return is_ok;
}
