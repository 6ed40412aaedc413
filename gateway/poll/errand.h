/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errand - a command on its way through one device, as a state machine: what to send next, what
 * the answer means.
 *
 * Pure: the sending is done by the owner (errands.c):
 *
 *   errand_begin -> ERRAND_ASK: errand_ask -> (bus) -> errand_take -> ERRAND_ASK ... ERRAND_END
 *                   ERRAND_REST: the same after rest_ms, with the line free for others
 *
 * A write goes out once. Without an answer it is not known whether the instrument did it, and
 * the command ends there: doing it again could do it twice. A reading (an expectation) may be
 * repeated.
 */
#pragma once

#include "gateway/bus/bus.h"
#include "sensors/profile/command.h"

enum {
    ERRAND_READS_MAX = 3,   /* of one expectation */
    ERRAND_BUSY_MS = 250,   /* before a busy instrument is read again */
    ERRAND_WRITE_MS = 1000, /* deadline of a write, at least: some save to flash first, and
                             * nothing is lost by waiting for what cannot be repeated */
};

enum errand_outcome {
    ERRAND_DONE,
    ERRAND_REFUSED,    /* the device, or the gateway in front of it, answered by an exception */
    ERRAND_NO_ANSWER,  /* or a damaged one, or the link broke: see is_unknown */
    ERRAND_UNEXPECTED, /* an expectation found something else */
    ERRAND_NO_LINK,    /* the link was down: this step was not sent */
    ERRAND_STOPPED,    /* the poller was stopped: see is_unknown */
};

struct errand_result {
    enum errand_outcome outcome;
    size_t step;     /* the one concerned, from 0 */
    size_t written;  /* writes that were acknowledged */
    bool is_unknown; /* this step is a write that may or may not have been done */
    bool is_damaged; /* with NO_ANSWER: something came and was no answer to it */
    uint8_t exception;
    size_t n; /* with UNEXPECTED: words found, as many as the step has */
    uint16_t found[COMMAND_WORDS_MAX];
};

struct errand {
    struct command_plan plan;
    uint8_t unit;
    int64_t pause_ms, timeout_ms;
    size_t step;
    int reads_left;
    int64_t rest_ms; /* real, with ERRAND_REST */
    struct errand_result result;
};

enum errand_next { ERRAND_ASK, ERRAND_REST, ERRAND_END };

/* -EINVAL when the plan asks for nothing that a request could carry. */
int errand_begin(struct errand *e, const struct command_plan *plan, uint8_t unit,
                 int64_t pause_ms, int64_t timeout_ms);

/* What comes first or, after a rest, next. */
enum errand_next errand_next(struct errand *e);

/* The request lives as long as the errand does. */
struct bus_request errand_ask(const struct errand *e);
enum errand_next errand_take(struct errand *e, const struct bus_reply *r);

/* It ends here; was_sent: the request of this step is on its way. */
void errand_break(struct errand *e, enum errand_outcome why, bool was_sent);
