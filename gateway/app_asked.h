/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_asked - what the centre asks of the station through an uplink, and the replies.
 *
 *   in   {"id": "c-17", "kind": "alert", "body": {"do": "acknowledge", "alert": "12", ...},
 *         "by": "Li Wei", "station": "north-01", "expires": "2026-11-22T08:00:00.000Z"}
 *   out  {"id": "c-17", "station": "north-01", "time": "...", and the answer: "ok", "changed",
 *         "alert", or "reason" and "text"}
 *
 * The last three of the request may be left out. Its id names the request: sent again, it is
 * answered again and done once. Requests are carried out on the main thread, whatever thread
 * they came from; boxes are bounded, and live until the gateway ends.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "gateway/app_alerts.h"
#include "gateway/base/queue.h"
#include "gateway/forward/forward.h"

enum {
    ASKED_BOXES_MAX = 16,
    ASKED_LETTERS_MAX = 64,     /* of a box, each way */
    ASKED_PENDING_MAX = 64,     /* waiting for the log */
    ASKED_ID_MAX = 64,          /* bytes of an id */
    ASKED_REPLY_MAX = 96 << 10, /* what any broker takes */
};

struct app_asked;

struct asked_box {
    struct uplink_asking asking; /* what the uplink is given */
    struct app_asked *owner;
    char uplink[ASKED_ID_MAX + 1];
    struct queue *in, *out; /* of char *, each its reader's to free */
};

struct asked_pending {
    uint64_t ticket; /* 0: free */
    struct asked_box *box;
    char id[ASKED_ID_MAX];
};

/* Zero at start; must not move. */
struct app_asked {
    struct app_alerts *alerts;
    const struct clock *clock;
    char station[ASKED_ID_MAX + 1];
    uv_async_t wake;
    atomic_bool is_open;
    struct asked_box *boxes[ASKED_BOXES_MAX];
    size_t boxes_n;
    struct asked_pending pending[ASKED_PENDING_MAX];
    uint64_t ticket;
    void (*on_reply)(void *user); /* there is one in some box */
    void *user;
};

/* With alerts, clock, on_reply and user set. */
int app_asked_start(struct app_asked *a, uv_loop_t *loop);
/* After the log is closed, which may tell of its last commit. */
void app_asked_stop(struct app_asked *a);
/* The log has committed: answers may wait for that. Any thread. */
void app_asked_committed(struct app_asked *a);
/* The box of an uplink, the same across reloads; NULL: it can be asked nothing. */
const struct uplink_asking *app_asked_box(struct app_asked *a, const char *uplink);
