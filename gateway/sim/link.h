/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link - one byte stream on the loop (a connection, a pseudo terminal) with a group of
 * instruments at its end: tells its requests apart, has them answered, and sends the answers
 * when and as their faults want it. Loop thread only.
 */
#pragma once

#include <uv.h>

#include "gateway/sim/slave.h"

struct link;

struct link_options {
    uv_loop_t *loop;
    int fd;                    /* non-blocking; stays the caller's, open until on_closed */
    struct slave_group *group; /* must outlive it */
    /* The other side is gone, or a fault hangs up: close it. Never from inside link_close(). */
    void (*on_end)(void *user, bool is_fault);
    void (*on_closed)(void *user); /* memory and handles are gone */
    void *user;
};

/* 0 or a negative errno. */
int link_open(const struct link_options *o, struct link **ret);
void link_close(struct link *l);
