/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands - what instruments are told to do: checked, logged, carried out, logged again.
 *
 * Only commands that a profile names, with values inside its ranges; there is no way to a bare
 * register. Nothing is sent before the log has committed who asked for what; a run that is cut
 * off between the two entries is told at the next start. A request that carries the id of an
 * earlier one is answered by what became of that one and carried out no second time.
 *
 * Main thread, but for commands_committed(). Lives as long as the gateway; the configuration in
 * force is attached and detached.
 */
#pragma once

#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/poll/poll.h"
#include "gateway/store/store.h"

enum {
    COMMAND_REQUEST_MAX = 64, /* bytes of a request's id */
    COMMAND_WHO_MAX = 64,
    COMMAND_PAST_MAX = 64,       /* requests remembered, also across a restart */
    COMMAND_LOG_PATIENCE = 10000 /* real ms for the log to commit; then nothing is sent */
};

struct commands_options {
    uv_loop_t *loop;
    const struct clock *clock;
    struct store *store;
};

struct commands_station {
    struct poll *poll;
    const struct poll_device *devices;
    size_t devices_n;
    int64_t zone_ms;                                /* local time, east of UTC */
    void (*on_event)(void *user, const char *json); /* every event, beside the log */
    void *user;
};

struct commands;

/* Takes up from the log what an earlier run left. 0 or a negative errno. */
int commands_create(const struct commands_options *o, struct commands **ret);
/* Copies `s`. Tells of commands that an earlier run left open; modes that last go on. */
void commands_attach(struct commands *c, const struct commands_station *s);
/* After poll_stop(); what was not sent yet is over. */
void commands_detach(struct commands *c);
/* Any thread: store_commit.batches of the log. */
void commands_committed(struct commands *c, uint64_t batches);
void commands_close(struct commands *c); /* its handles; then let the loop run */
void commands_destroy(struct commands *c);

/*
 * One request of a caller who may: {"device", "command", "values": {parameter: number},
 * "request": id of the caller's making}. Without "command" it asks what there is to be told, of
 * one device or of all. on_answer comes once, perhaps from inside, with one JSON object:
 * {"ok", "event"} of a command that ran, {"ok": false, "reason", "text": {en, zh}} of one that
 * did not, {"ok": true, "devices"} of a question.
 */
void commands_request(struct commands *c, const char *json, const char *who,
                      void (*on_answer)(void *user, uint64_t ticket, const char *json),
                      void *user, uint64_t ticket);
