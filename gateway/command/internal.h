/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share. Nobody else includes it. */
#pragma once

#include <jansson.h>

#include "gateway/base/buf.h"
#include "gateway/command/commands.h"

enum { LINE_MAX_BYTES = 1 << 20, TEXT_MAX_BYTES = 2048 };

/* ---- request.c ---- */

/* What a caller wants, with everything found that it names. */
struct command_request {
    char id[COMMAND_REQUEST_MAX + 1]; /* "" without one */
    uint32_t device;
    const struct profile *profile; /* or the variant in force */
    const struct profile_command *command;
    double value[COMMAND_PARAMETERS_MAX];
};

/* Why a request is not carried out. */
struct command_refusal {
    const char *reason;
    char en[TEXT_MAX_BYTES], zh[TEXT_MAX_BYTES];
};

void refuse(struct command_refusal *r, const char *reason, const char *en, const char *zh);

bool device_find(const struct commands_station *s, const char *id, uint32_t *ret);
int request_read(const struct commands_station *s, const json_t *root,
                 struct command_request *ret, struct command_refusal *why);
/* The requests that carry it out, with the clock's values of now. */
int request_plan(const struct commands_station *s, const struct command_request *q,
                 const struct clock *clock, struct command_plan *ret,
                 struct command_refusal *why);

/* What one device can be told, as an object of "devices". */
json_t *device_describe(const struct commands_station *s, uint32_t device);

/* ---- event.c ---- */

enum command_end { /* errand_outcome and what never came to an errand */
                   END_DONE,
                   END_REFUSED,
                   END_NO_ANSWER,
                   END_UNEXPECTED,
                   END_NO_LINK,
                   END_INTERRUPTED,
                   END_NOT_LOGGED,
};

/* The event that goes ahead. NULL without memory. */
json_t *event_begin(const struct commands_station *s, const struct command_request *q,
                    const struct command_plan *plan, const char *who, int64_t now_ms);
/* The event that says what became of it. `r` NULL: nothing is known of its steps. */
json_t *event_end(const json_t *begin, enum command_end end, const struct errand_result *r,
                  const struct command_step *step, int64_t now_ms);
