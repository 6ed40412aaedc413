/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revisions - readings that a later check showed to be doubtful, written again.
 *
 * Nothing in the log is changed: a revised row is a new row, of a stream of its own whose
 * channels are named as those that are revised with "@rev" behind. It has the time of the row
 * it revises, at least the grade suspect and the reason calibration_drift; no grade improves.
 * Rows of statistics that have more than a quarter of their period in the bracket follow as
 * soon as they stand. A cell without a value, or read in a calibration or maintenance, is none
 * of the environment: it is not written again. A row is revised once: what an earlier bracket
 * of the channel held is passed over.
 *
 * Work for idle time: a thread of its own reads what stands in the log, a slice with each tick
 * becomes rows, so a week of 1 s readings takes 42 minutes. Rows and how far they got are one
 * change of the log: a revision goes on after a restart, a kill, a reload.
 *
 * Main thread. Lives as long as the gateway; the configuration in force is attached and
 * detached.
 */
#pragma once

#include <jansson.h>

#include "gateway/base/channel.h"
#include "gateway/store/store.h"
#include "rules/calibration/calibration.h"

enum {
    REVISIONS_SLICE_ROWS = 240,   /* with each tick */
    REVISIONS_REACH_DAYS = 400,   /* no bracket goes further back */
    REVISIONS_FINISHED_MAX = 20,  /* at hand for lists */
    REVISIONS_EPISODES_MAX = 100, /* alerts of one bracket that are told one by one */
};

struct revisions_station {
    const struct channel_table *table;
    void (*on_event)(void *user, const char *json); /* every event, beside the log */
    void *user;
};

struct revision_order {
    const char *channel;                   /* a reading */
    const char *check;                     /* the kind that failed */
    int64_t from_ms;                       /* end of its last passed check; 0: there was none */
    int64_t to_ms;                         /* begin of the one that failed */
    const struct calibration_drift *drift; /* NULL: values stay as they are */
};

struct revisions;

/* Takes up from the log what an earlier run left. 0 or a negative errno. */
int revisions_create(struct store *store, struct revisions **ret);
/* Copies `s`, whose table must live until revisions_detach(). */
void revisions_attach(struct revisions *r, const struct revisions_station *s);
void revisions_detach(struct revisions *r);  /* waits for a read under way to be given up */
void revisions_destroy(struct revisions *r); /* takes NULL */

/* Takes an order; what a restart must know of it becomes part of `b`. 0 or a negative errno:
 * nothing was taken. */
int revisions_add(struct revisions *r, struct store_batch *b, const struct revision_order *o,
                  int64_t now_ms);

/* About once a second. */
void revisions_tick(struct revisions *r, int64_t now_ms);

/* Those under way, then the newest finished ones: [{"channel", "check", "start", "end", "mode":
 * flag|drift, "state": reading|statistics|done, "share": of the readings, 0 to 1, "rows",
 * "statistics"}]. A new reference. */
json_t *revisions_list(const struct revisions *r);
