/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child - one process of the codec worker as the daemon sees it: from its start to its end, one
 * call at a time, each within CODEC_WALL_MS. Main loop only.
 */
#pragma once

#include <uv.h>

#include "gateway/codec/message.h"

enum child_end {
    CHILD_LEFT,      /* ended by itself, or was stopped by us */
    CHILD_NOT_READY, /* never got as far as taking calls */
    CHILD_CPU,       /* used up its CPU time */
    CHILD_SLOW,      /* did not answer in time */
    CHILD_FORBIDDEN, /* made a system call that it has not got */
    CHILD_CRASHED,   /* another signal, or nonsense on the wire */
};

struct child;

struct child_events {
    void (*on_ready)(void *user);
    void (*on_result)(void *user, const struct codec_message *m); /* lives during the call */
    /* The process is gone and so is the object. `why`: of CHILD_NOT_READY, "" when not known.
     */
    void (*on_end)(void *user, enum child_end end, const char *why);
    void *user;
};

/* `self`: path of the program. 0 or a negative errno, then nothing is ever called. */
int child_start(uv_loop_t *loop, const char *self, const struct child_events *events,
                struct child **ret);
/* Takes the bytes over (and buf_done()s them); on_result() follows, or on_end(). */
void child_call(struct child *c, struct buf *messages);
/* on_end() follows. */
void child_stop(struct child *c);
