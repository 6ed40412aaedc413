/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share. Nobody else includes it. */
#pragma once

#include <jansson.h>

#include "gateway/base/buf.h"
#include "gateway/command/commands.h"

enum { TEXT_MAX_BYTES = 2048 };

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

/* ---- record.c ---- */

struct command_record {
    struct store *store;
    json_t *states; /* device id -> {"event", "mode", "until"}, as in the log: the event of a
                     * command that is under way, the mode of the readings and its end */
    json_t *past;   /* last events of requests that have an id, oldest first */
};

/* Takes up what the log has. 0 or a negative errno; record_close() in any case. */
int record_open(struct command_record *rec, struct store *store);
void record_close(struct command_record *rec);

/* The device's; empty when there was none. */
json_t *record_state(struct command_record *rec, const char *device);
void record_put_mode(struct command_record *rec, const char *device, const char *mode,
                     int64_t until_ms);
void record_drop_mode(struct command_record *rec, const char *device);
/* False: none lasts. */
bool record_mode(struct command_record *rec, const char *device, int64_t now_ms,
                 struct verdict *ret, int64_t *ret_until_ms);

/* The event and the device's state as one change, committed at once. *ret_text, the event, is
 * freed by the caller. */
int record_write(struct command_record *rec, const char *device, const json_t *event,
                 char **ret_text);
void record_remember(struct command_record *rec, json_t *event);
const json_t *record_find(const struct command_record *rec, const char *id);

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
