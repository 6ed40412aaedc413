/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live - what is true right now: latest value of every channel, devices, alerts, uplinks, log.
 *
 * The main thread writes; the HTTP thread, the control socket and tail read copies under one
 * lock that is held for a copy only. Readers that want to follow take a version number and ask
 * what is newer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/channel.h"
#include "sensors/core/sample.h"

enum {
    LIVE_ALERTS_MAX = 256, /* shown at once; more are counted */
    LIVE_UPLINKS_MAX = 16,
    LIVE_TEXT_MAX = 160,
    LIVE_REMARK_MAX = 200,      /* what a person writes */
    LIVE_INDICES_MAX = 16,      /* more than there are standards and reports */
    LIVE_MAINTENANCES_MAX = 32, /* more at once is no maintenance of a station */
    LIVE_EVENTS_KEPT = 256,     /* newest events for followers */
    LIVE_EVENT_MAX = 2048,      /* longer ones are not followed, only logged */
};

struct live_device {
    const char *id, *en, *zh, *profile, *bus; /* live as long as the table */
    enum medium medium;                       /* of its first channel */
    int state;               /* enum device_state: waiting online silent disabled */
    char why[LIVE_TEXT_MAX]; /* "" when online */
    uint64_t polls, answers, timeouts, bad_frames, exceptions, link_errors;
    int64_t last_answer_ms;
};

struct live_alert {
    char key[LIVE_TEXT_MAX]; /* rule/channel/start */
    const char *rule, *title_en, *title_zh;
    uint32_t channel;
    int level; /* 1 blue, 2 yellow, 3 orange, 4 red; the highest reached: peak */
    int peak;
    bool is_cleared;
    int64_t raised_ms, changed_ms, cleared_ms;
    double value, limit, extreme;
};

struct live_uplink {
    const char *id, *kind; /* live as long as the table */
    bool is_connected, is_standby;
    uint64_t acked_seq, backlog; /* entries */
    uint64_t backlog_bytes;
    int64_t oldest_ms; /* time of the first entry that waits; 0: none does */
    uint64_t sent, set_aside;
    char error[LIVE_TEXT_MAX]; /* last error in words, "" when all is well */
};

struct live_log {
    uint64_t seq, samples, rows, events, refused;
    int64_t size_bytes;
    char error[LIVE_TEXT_MAX];
};

/* How the station's time comes about (gateway/clock/timeline.h). */
struct live_clock {
    const char *state; /* of enum clock_state, or "fast"; static; NULL: not yet known */
    bool is_doubtful;  /* samples carry the flag "clock not synchronised" */
    bool is_refused;   /* the system's clock shows a time that cannot be */
    int64_t error_ms;  /* the kernel's bound of a synchronised clock; -1: not known */
    int64_t offset_ms; /* the system's clock less station time */
    uint64_t steps;    /* of a second and more, since start */
    uint64_t held;     /* rows that wait for the clock */
};

struct live_bus {
    const char *id; /* lives as long as the table */
    double busy;    /* share of the last minute with a request on it; NaN: not yet known */
    double busy_s;  /* since start */
    uint64_t requests;
};

/* How evenly polls go out, since start, in milliseconds. */
struct live_polling {
    double slot_mean, slot_deviation, slot_max; /* wake-ups, from their slot */
    double interval_deviation, interval_max;    /* between two polls of a device */
};

/* An air quality index of the newest hour or day that is over. Texts are static. */
struct live_index {
    const char *standard, *period; /* "HJ 633-2026", "1h" */
    const char *name_en, *name_zh; /* of the index */
    int64_t time_ms;               /* the beginning of the period; 0: none is over yet */
    int value, level;              /* -1: NA, then `cause` says why, and level is 0 */
    const char *cause, *cause_en, *cause_zh;
    const char *level_en, *level_zh, *class_en, *class_zh, *colour_en, *colour_zh;
    uint8_t rgb[3];
    const char *primary[8], *gaps[8]; /* pollutants, closed by NULL */
};

/* Somebody works at a device. */
/* Open alerts, and how often alerts are raised (ISA-18.2): what a person on duty has to do. */
struct live_duty {
    unsigned open, unacknowledged, overdue, shelved, unstable;
    unsigned standing_day; /* for more than 24 h */
    unsigned raised_10min, raised_day, worst_10min;
    uint64_t dropped; /* found no room in the book of alerts */
};

struct live_maintenance {
    const char *device, *en, *zh; /* live as long as the table */
    int64_t since_ms, until_ms;
    char who[64], why[LIVE_REMARK_MAX];
};

struct live_station {
    const char *id, *en, *zh, *region, *zone;
    double lat, lon;
    int64_t started_ms;
    const char *version;
};

struct live;

/* The table and what it points to must outlive the object. */
int live_create(const struct live_station *station, const struct channel_table *table,
                const struct live_device *devices, size_t devices_n, struct live **ret);
void live_destroy(struct live *l);

/* ---- main thread ---- */
void live_put_sample(struct live *l, const struct sample *s);
void live_put_device(struct live *l, uint32_t device, const struct live_device *d);
void live_put_alert(struct live *l,
                    const struct live_alert *a); /* by key; keeps cleared ones 24 h */
void live_put_uplink(struct live *l, const struct live_uplink *u); /* by id; any thread */
void live_put_log(struct live *l, const struct live_log *g);       /* any thread */
/* All buses and how they are polled; always the same number. 0 or -ENOMEM. */
int live_put_polling(struct live *l, const struct live_polling *p, const struct live_bus *buses,
                     size_t n);
void live_put_index(struct live *l, const struct live_index *x); /* by standard and period */
void live_put_duty(struct live *l, const struct live_duty *d);
void live_put_maintenances(struct live *l, const struct live_maintenance *m,
                           size_t n); /* all there are */
void live_put_clock(struct live *l, const struct live_clock *c);
void live_put_event(struct live *l, const char *json);
void live_set_now(struct live *l, int64_t station_ms); /* about once a second */

/* ---- any thread ---- */
const struct live_station *live_station_of(const struct live *l);
const struct channel_table *live_channels(const struct live *l);

int64_t live_now(struct live *l);
uint64_t live_version(struct live *l); /* grows with every put */

/* The version of the newest change of each kind, so that a follower looks only at what is new.
 * A device is news when its state or the reason for it changed, not with every poll. */
struct live_versions {
    uint64_t all, samples, devices, alerts;
    uint64_t delivery; /* uplinks or log */
    uint64_t overview; /* indices or maintenance */
};
void live_versions_get(struct live *l, struct live_versions *ret);

/* Copies the samples put after `since` (0: all that have one) into `out`, at most max; returns
 * how many, and the version up to which they go. A channel without a sample yet is left out. */
size_t live_samples(struct live *l, uint64_t since, struct sample *out, size_t max,
                    uint64_t *ret_version);
size_t live_devices(struct live *l, struct live_device *out, size_t max);
size_t live_devices_n(const struct live *l);
/* Standing ones first, by colour and time. */
size_t live_alerts(struct live *l, struct live_alert *out, size_t max);
uint64_t live_alerts_dropped(
    struct live *l); /* new ones that pushed another out, or found no place */
size_t live_uplinks(struct live *l, struct live_uplink *out, size_t max);
void live_log_get(struct live *l, struct live_log *ret);
size_t live_buses_n(struct live *l);
size_t live_buses(struct live *l, struct live_bus *out, size_t max);
void live_polling_get(struct live *l, struct live_polling *ret);
size_t live_indices(struct live *l, struct live_index *out, size_t max);
bool live_duty_get(struct live *l, struct live_duty *ret); /* false: nobody keeps account */
size_t live_maintenances(struct live *l, struct live_maintenance *out, size_t max);
void live_clock_get(struct live *l, struct live_clock *ret);
uint64_t live_events_last(
    struct live *l); /* the counter now: to follow what comes from here on */
/* Events after `since` (their own counter), oldest first; each is copied into `buf` of
 * LIVE_EVENT_MAX bytes and handed over. Returns the new counter. */
uint64_t live_events(struct live *l, uint64_t since, void (*each)(void *user, const char *json),
                     void *user);
