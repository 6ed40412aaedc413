/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - a named command of a profile, with its values, as the requests that carry it out.
 *
 * Pure. Joined writes become one request; what does not fit a register is refused, never cut.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

enum {
    COMMAND_STEPS_MAX = 32, /* of one command; the longest known has 9 */
    COMMAND_WORDS_MAX = 16, /* of one request */
    COMMAND_PARAMETERS_MAX = 8,
};

struct command_step {
    enum step_kind kind;
    struct register_address
        at; /* writes: n words from at.first; expect: the same, or one bit */
    bool is_multiple;
    uint16_t n;
    uint16_t words[COMMAND_WORDS_MAX]; /* host order as on the wire; coils and bits 0 or 1 */
    int64_t wait_ms;
};

struct command_plan {
    const struct profile_command *command;
    size_t n;
    struct command_step steps[COMMAND_STEPS_MAX];
};

/* NULL: the profile has no such command. */
const struct profile_command *command_find(const struct profile *p, const char *id);

/*
 * value[command->parameters_n], NaN: not given. local_ms: local time of the station as
 * milliseconds since 1970, utc_ms the same moment in UTC. order: the device's, -1 the
 * profile's. 0, or -ERANGE (a value outside its range, or that does not fit its register),
 * -EINVAL (a value that must be given and is not, or no whole number where one is asked),
 * -E2BIG; *ret_parameter is then the parameter concerned, or parameters_n.
 */
int command_plan(const struct profile *p, const struct profile_command *c, const double *value,
                 int order, int64_t local_ms, int64_t utc_ms, struct command_plan *ret,
                 size_t *ret_parameter);

/* For the linter: the values that the step can get, and whether its register takes one. */
void command_step_range(const struct profile_command *c, const struct profile_step *s,
                        double *ret_min, double *ret_max);
bool command_step_takes(const struct profile_step *s, double value);
/* "$year" without its sign -> the source; false for a word that is no part of the clock. */
bool command_clock_find(const char *word, enum step_source *ret);
