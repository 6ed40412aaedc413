/* SPDX-License-Identifier: Apache-2.0 */
/* replay - parts of the command: reading a recording, answering from it. */
#pragma once

#include "gateway/traffic/exchange.h"

/* Hands every exchange of a recording over, until `take` fails; a request that the end of the
 * file cuts off is none. An exit status; errors are told on stderr with file and line. */
int replay_read(const char *path, int (*take)(void *user, const struct traffic_exchange *e),
                void *user, uint64_t *ret_frames);

/* Answers at "tcp:PORT", "tcp:HOST:PORT" or "pty:PATH" until a signal. An exit status. */
int replay_serve(const char *path, const char *where);
