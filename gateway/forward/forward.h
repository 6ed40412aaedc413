/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward - follows the log for every uplink, one thread each: cursor, order, retry clock,
 * back-off, bisection, set-aside. Losing anything here costs repetition, never data.
 */
#pragma once

#include "gateway/base/clock.h"
#include "gateway/store/store.h"
#include "gateway/uplink/uplink.h"

struct forward_uplink {
    const char *id; /* names the cursor */
    const struct uplink_kind *kind;
    const void *options;
    /*
     * Another uplink of the list that takes over when this one has been down for failover_ms,
     * until it is back; NULL: none. Both share this one's cursor: what either has delivered is
     * done.
     */
    const char *fallback;
    int64_t failover_ms;
    const struct uplink_asking *asking; /* NULL: it can be asked nothing */
};

struct forward_status {
    const char *id, *kind;
    bool is_connected;
    bool is_standby; /* a fallback whose first uplink is well */
    uint64_t acked_seq, backlog, sent, set_aside;
    uint64_t backlog_bytes; /* of those entries; of a long backlog estimated */
    int64_t oldest_ms;      /* station time of the first of them; 0: none waits */
    char error[160];
};

/* Waiting times in real milliseconds; 0: the default. */
struct forward_times {
    int64_t later_first_ms,
        later_max_ms;                 /* back-off after a transient failure: 200 ms .. 5 min */
    int64_t resend_ms, resend_max_ms; /* an entry without acknowledgement: 60 s .. 1 h */
    int64_t overtaken_ms; /* an entry sent so long before an acknowledged one is lost: 5 s */
    int64_t denied_ms;    /* between two tries at a destination that denies us: 10 min */
    int64_t cursor_ms;    /* the cursor is kept at most this often: 1 s */
    int64_t aside_ms;     /* what was set aside is tried again: 1 h */
};

struct forward_options {
    struct store *store;
    const struct clock *clock; /* of the station: stamps its events; networks run in real time.
                                * NULL: the system's */
    const struct forward_times *times; /* NULL: all defaults */
    struct uplink_station station;     /* layout_json, its user and asking are set here */
    const struct forward_uplink *uplinks;
    size_t uplinks_n;
    /* Called from an uplink's thread when its state changes; must not block. */
    void (*on_status)(void *user, const struct forward_status *s);
    void *user;
};

struct forward;

/* Starts the threads. Options and what they point to must outlive it. */
int forward_create(const struct forward_options *o, struct forward **ret);
/* New entries are committed up to `seq`: wake up. Any thread, never blocks; not any more once
 * forward_destroy() is called. */
void forward_wake(struct forward *f, uint64_t seq);
/* There is a reply for somebody: as forward_wake(). */
void forward_poke(struct forward *f);
/* Stop and join, within 1 s. Takes NULL. */
void forward_destroy(struct forward *f);

struct forward_preview {
    const char *log_path;
    const struct forward_uplink *uplink;
    const char *cursor_id; /* its own id, or that of the uplink whose fallback it is */
    struct uplink_station station;
    unsigned tries; /* as many batches, each taken as delivered */
    bool is_whole;  /* every byte */
    void (*each)(void *user, const char *text, size_t size);
    void *user;
};

/* Shows what an uplink would send next; touches neither log nor network. *ret_backlog: entries
 * that wait. 0, or a negative errno with a sentence. */
int forward_preview(const struct forward_preview *p, uint64_t *ret_backlog, char *error,
                    size_t size);
