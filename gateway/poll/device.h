/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - one device's scans as a state machine: what to ask next, what an answer means.
 *
 * Pure: time is an argument and the asking is done by the owner (poll.c):
 *
 *   device_begin -> device_ask -> (bus) -> device_take -> DEVICE_ASK, DEVICE_REST ...
 * DEVICE_DONE
 *
 * A device whose profile has variants is first asked which one it is: before its first scan and
 * whenever it comes back from silence.
 */
#pragma once

#include "gateway/bus/bus.h"
#include "gateway/poll/health.h"
#include "gateway/poll/load.h"
#include "gateway/poll/plan.h"
#include "gateway/poll/poll.h"

enum {
    DEVICE_TIMEOUT_MS = 1000,  /* where neither the station nor the profile says */
    DEVICE_BUSY_REST_MS = 250, /* after "acknowledge" or "busy": the device needs time */
    DEVICE_REFUSALS_MAX = 16,  /* refused requests before the first answer of a scan: a device
                                * that refuses everything is not asked register by register */
    DEVICE_STRETCH_MAX = 3,    /* late answers raise the timeout up to so many times */
    DEVICE_RETRY_FIRST_MS = 60000, /* left-out registers are tried again after a minute ... */
    DEVICE_RETRY_FACTOR = 8,
    DEVICE_RETRY_MAX_MS = 86400000, /* ... and once a day in the end */
    DEVICE_LEARN_ANSWERS = 16,      /* after so many its turnaround is measured, not assumed */
    DEVICE_FIRST_NEED_MS = 250, /* an instrument that will answer has mostly begun by then */
};

struct device {
    const struct poll_device *conf;
    const struct profile *profile; /* the base one or a variant */
    const struct load_line *line;  /* NULL: nothing is known of it */
    uint32_t number;
    struct plan plan;
    struct health health;
    struct poll_counters counters;
    uint64_t answer_ms_sum;
    int64_t answer_us;     /* lately, smoothed; 0: never heard */
    int64_t turnaround_us; /* the same without the time on the wire */
    uint16_t *words;       /* image of the profile; room for the largest variant */
    uint8_t *have;
    int64_t slowest_ms;     /* of its late answers, real */
    int64_t quiet_until_ms; /* real monotonic: not to be asked before */
    int64_t retry_wait_ms;  /* station time between tries of left-out registers */
    int64_t retry_at_ms;    /* monotonic station time; 0: nothing left out */
    int64_t cuts_at_ms;     /* the same for requests that had to be cut */
    struct verdict mode;    /* of its measurements until mode_until_ms, UTC */
    int64_t mode_until_ms;
    bool is_chosen; /* `profile` is what the device said of itself */

    /* the scan under way */
    bool is_scanning;
    bool is_slow; /* something failed: others go first */
    bool has_answer;
    bool is_choosing;
    size_t variant, test; /* being asked, while choosing */
    size_t request;
    int tries_left, refusals;
    enum scan_outcome failure; /* the last one */
    int64_t slot_ms;           /* monotonic station time */
    int64_t missed_ms;         /* the slot that came meanwhile; 0: none */
    int64_t start_ms, time_ms; /* UTC */
    int64_t boot_ms;           /* the instant of time_ms since the machine started */
    int64_t rest_ms;           /* real, with DEVICE_REST */
    bool is_asked;             /* its first request went out */

    bool has_sent;   /* the scan before kept its place */
    int64_t sent_us; /* real time from slot to its first request */

    struct device *next;    /* in a line's queue */
    int64_t queued_ms;      /* since when, monotonic station time */
    struct device *sibling; /* on the same line */
};

/* 0, -ENOMEM, or -EINVAL when the profile reads nothing. */
int device_init(struct device *d, const struct poll_device *conf, uint32_t number);
void device_done(struct device *d);

/* What time costs on its line, for a plan that fits it; must outlive the device. */
void device_know_line(struct device *d, const struct load_line *line);

/* Start a scan for a slot. station_ms: monotonic; utc_ms: station wall time. */
void device_begin(struct device *d, int64_t slot_ms, int64_t station_ms, int64_t utc_ms);

struct bus_request device_ask(const struct device *d);

/* Per transaction: what station or profile says, stretched when its answers come late. */
int64_t device_timeout_ms(const struct device *d);

/* Whether it failed lately: it is not known to answer at all. */
bool device_is_in_trouble(const struct device *d);

/* How long its answer to the request at hand is expected to take, at most its timeout. */
int64_t device_need_ms(const struct device *d);

enum device_step {
    DEVICE_ASK,  /* the next request can go */
    DEVICE_REST, /* the same, after rest_ms */
    DEVICE_DONE
};

/* What a reply means. *ret_left_out is written and its count not 0 when registers are left out
 * that were not reported before. */
enum device_step device_take(struct device *d, const struct bus_reply *r, int64_t station_ms,
                             struct plan_piece *ret_left_out);

/* The link is known to be down: the scan is over. */
void device_lost(struct device *d, int64_t utc_ms);

/* An answer came after its deadline; took_ms < 0: nobody knows how late. */
void device_late(struct device *d, int64_t took_ms);

/* After DEVICE_DONE: ends the scan, judges the device's health, fills readings[points_n]. */
enum scan_outcome device_end(struct device *d, struct reading *readings,
                             enum health_change *ret_change);
