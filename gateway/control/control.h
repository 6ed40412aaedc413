/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control - the daemon's local socket: one line of text in, JSON lines out.
 *
 *     status   one object: station, devices, alerts, uplinks, log (live_json_now without
 * channels) tail     {"sample":{...}} and {"event":{...}}, newest samples first once, then what
 * changes; until the client hangs up reload   {"ok":true|false,"text":"..."}
 *
 * Main loop only, and it never waits: a client that does not read is dropped, clients and
 * output are bounded. The socket has mode 0660; who may open it may reload.
 */
#pragma once

#include <uv.h>

#include "gateway/live/live.h"

struct control;

/* Reloads the configuration, or tells in `answer` why not. 0 or a negative errno. */
typedef int control_reload(void *user, char *answer, size_t size);

/*
 * A stale socket of an earlier run is removed; -EADDRINUSE when somebody answers on it, -EEXIST
 * when the path is something else. `path` is copied.
 */
int control_start(uv_loop_t *loop, const char *path, struct live *live, control_reload *reload,
                  void *user, struct control **ret);
/* After a reload; NULL in between. Followers start anew. Both take a control of NULL. */
void control_set_live(struct control *c, struct live *live);
/* Closes everything; the memory goes when the loop has run once more. */
void control_stop(struct control *c);
