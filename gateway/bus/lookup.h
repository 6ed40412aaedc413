/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup - a host's addresses by name, off the loop and never waited for.
 *
 * A resolver without a server blocks for many seconds and cannot be interrupted. libuv's own
 * lookups would hold up the end of the loop and of the program for that long; here a detached
 * thread blocks, and whoever cancels forgets it.
 */
#pragma once

#include <netdb.h>
#include <stdint.h>
#include <uv.h>

struct lookup;

/* Main thread. on_done comes once, later, on the loop, unless cancelled; `list` is NULL when
 * there is no such host, and lives during the call. The lookup is over then. 0 or a negative
 * errno. */
int lookup_start(uv_loop_t *loop, const char *host, uint16_t port,
                 void (*on_done)(void *user, const struct addrinfo *list), void *user,
                 struct lookup **ret);

/* Main thread, before on_done. Takes NULL. */
void lookup_cancel(struct lookup *l);
