/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard - who is connected: a bound per address, and an end to exchanges that never end.
 *
 * libmicrohttpd's timeout counts idle time only, so a client that sends one byte in nine
 * seconds would stay for ever. The guard shuts such a socket down; libmicrohttpd then sees it
 * closed.
 */
#pragma once

#include <microhttpd.h>

struct guard;

int guard_create(struct guard **ret);
void guard_destroy(struct guard *g);

/* Callbacks of libmicrohttpd; cls is the guard. */
enum MHD_Result guard_accept(void *cls, const struct sockaddr *address, socklen_t size);
void guard_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode what);

/* An exchange has ended: the next one has its full time again. */
void guard_renew(struct guard *g, struct MHD_Connection *connection);
/* A stream may last; streams.c watches it. */
void guard_exempt(struct guard *g, struct MHD_Connection *connection);
/* Ends what has lasted longer than limit_ms. Any thread. */
void guard_sweep(struct guard *g, int64_t limit_ms);
/* Ends this connection. Any thread, while the connection is known to exist. */
void guard_end(struct guard *g, struct MHD_Connection *connection);
unsigned guard_connections(struct guard *g);
