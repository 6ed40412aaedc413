/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control - the daemon's local socket: one line of text in, JSON lines out.
 *
 *     status   one object: station, devices, alerts, uplinks, log (live_json_now without
 *              channels)
 *     tail     {"sample":{...}}, {"event":{...}} and {"overview":{"indices","maintenance"}},
 *              newest samples first once, then what changes; until the client hangs up
 *     frames   {"frame":{...}} of every bus as it goes over the wire; until the client hangs
 *              up. {"dropped":n}: so many could not be kept in between
 *     reload   {"ok":true|false,"text":"..."}
 *     command {json}   one object, perhaps much later: gateway/command
 *     calibrate {json}, maint {json}   one object, perhaps much later: gateway/calibration
 *     alert {json}   one object: gateway/alerts
 *
 * Main loop only, and it never waits: a client that does not read is dropped, clients and
 * output are bounded. The socket has mode 0660; who may open it may reload and tell
 * instruments what to do.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/live/live.h"

struct control;

/* Reloads the configuration, or tells in `answer` why not. 0 or a negative errno. */
typedef int control_reload(void *user, char *answer, size_t size);

/* One frame of a bus, for those who asked for them. Texts and bytes live during the call. */
struct control_frame {
    const char *bus, *device; /* device: NULL when none of this unit is configured */
    const char *framing;      /* "tcp" or "rtu": what stands around unit and function */
    const char *fate;         /* bus_fate_name() */
    uint8_t unit;
    int64_t time_ms, since_us; /* since_us: since the request, -1: unknown */
    const uint8_t *bytes;
    size_t n;
};

/* Somebody wants frames now, or nobody any more. */
typedef void control_watch(void *user, bool is_on);

/* `who` is the caller at the other end: "uid 1000". The answer goes to control_answer(). */
typedef void control_command(void *user, uint64_t ticket, const char *json, const char *who);

/*
 * A stale socket of an earlier run is removed; -EADDRINUSE when somebody answers on it, -EEXIST
 * when the path is something else. `path` is copied.
 */
int control_start(uv_loop_t *loop, const char *path, struct live *live, control_reload *reload,
                  void *user, struct control **ret);
/* Both take a control of NULL. */
void control_on_watch(struct control *c, control_watch *watch, void *user);
bool control_is_watched(const struct control *c);
/* Costs nothing while nobody watches. Between two turns of the timer at most CONTROL_FRAMES_MAX
 * bytes are kept; further frames are counted and told. */
void control_put_frame(struct control *c, const struct control_frame *f);
enum { CONTROL_FRAMES_MAX = 1 << 20 }; /* 250 ms of a thousand frames a second, twice over */

/* From now on `word`, which must outlive the socket, is known. At most CONTROL_TAKERS_MAX.
 * Takes a control of NULL. */
void control_take(struct control *c, const char *word, control_command *take, void *user);
enum { CONTROL_TAKERS_MAX = 8 };
/* One line for whoever asked; nothing happens when they have gone. */
void control_answer(struct control *c, uint64_t ticket, const char *line);

/* After a reload; NULL in between. Followers start anew. Both take a control of NULL. */
void control_set_live(struct control *c, struct live *live);
/* Closes everything; the memory goes when the loop has run once more. */
void control_stop(struct control *c);
