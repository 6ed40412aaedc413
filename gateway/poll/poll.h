/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll - asks every device on time and hands over what it says.
 *
 * Schedule on monotonic time, aligned slots: polls due within a few milliseconds share a
 * wake-up. One state per (bus, unit): a silent device backs off to probes, and its requests
 * use the time that the others leave (gateway/poll/line.h has the rule). Everything runs on the
 * main loop; serial lines have a thread each behind gateway/bus. The sink is called on the main
 * thread, one scan per due poll, also when it failed.
 */
#pragma once

#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/base/scan.h"
#include "gateway/bus/bus.h"
#include "gateway/poll/errand.h"
#include "sensors/profile/profile.h"

struct poll_bus {
    const char *id;
    struct bus_place place;
};

struct poll_device {
    const char *id;
    const struct profile *profile;
    uint32_t bus; /* index into buses */
    uint8_t unit;
    int order;           /* enum word_order; -1: the profile's */
    int64_t interval_ms; /* station time */
    int64_t timeout_ms;  /* per transaction, real time */
    bool is_enabled;
};

enum device_state { DEVICE_WAITING, DEVICE_ONLINE, DEVICE_SILENT, DEVICE_DISABLED };

struct poll_counters { /* of one device, since start */
    uint64_t polls, answers, timeouts, bad_frames, exceptions, link_errors, late_answers;
    int64_t answer_ms_mean, answer_ms_max;
    int64_t last_answer_ms; /* UTC, 0: never */
    uint64_t skipped;       /* polls that never began: the ones before took too long */
    uint64_t left_out;      /* values that the device refuses, at present */
};

struct poll_options {
    uv_loop_t *loop;
    const struct clock *clock;
    const struct poll_bus *buses;
    size_t buses_n;
    const struct poll_device *devices;
    size_t devices_n; /* the index of a device is its number in scans */
    void (*on_scan)(void *user, const struct scan *s);
    /* A device went silent or came online, for the first time too; after its on_scan. Telling
     * people is up to the owner; registers that a device refuses are logged here. */
    void (*on_state)(void *user, uint32_t device, enum device_state state,
                     enum scan_outcome why);
    /* NULL, or every frame while somebody watches (poll_watch). */
    void (*on_frame)(void *user, uint32_t bus, const struct bus_frame *f);
    void *user;
};

struct poll;

/* Options' arrays and what they point to must outlive the poller. 0 or a negative errno. */
int poll_create(const struct poll_options *o, struct poll **ret);
void poll_start(struct poll *p);
/* Stops asking, ends the line threads within 500 ms, closes every handle; then on_closed. */
void poll_stop(struct poll *p, void (*on_closed)(void *user), void *user);
void poll_destroy(struct poll *p); /* after on_closed; takes NULL */

/*
 * Carries a command out: ahead of the scans that wait for the device's line, never within a
 * transaction; while it waits, others have the line. Every write goes out once. on_done is
 * called exactly once, never from inside, from poll_stop() at the latest. 0, -EBUSY: one is
 * under way for this device, -ENODEV: it is disabled, is never asked or the poller stops,
 * -EINVAL, -ENOMEM.
 */
int poll_command(struct poll *p, uint32_t device, const struct command_plan *plan,
                 void (*on_done)(void *user, const struct errand_result *r), void *user);

/* The profile or variant by which it is read; NULL: which variant it is is not known yet. */
const struct profile *poll_device_profile(const struct poll *p, uint32_t device);

/* Until then (UTC) every measurement of the device is no better than this. */
void poll_device_mode(struct poll *p, uint32_t device, struct verdict v, int64_t until_ms);

/* Whether on_frame is called; off at first. */
void poll_watch(struct poll *p, bool is_on);

void poll_counters_get(const struct poll *p, uint32_t device, struct poll_counters *ret);
enum device_state poll_device_state(const struct poll *p, uint32_t device);

/* Since start, in microseconds. */
struct poll_jitter {
    double mean_us, deviation_us; /* of wake-ups from their slot */
    int64_t max_us;
    /* Of the time between two polls of a device as it sees them, from its interval. */
    double interval_deviation_us;
    int64_t interval_max_us;
};
void poll_jitter_get(const struct poll *p, struct poll_jitter *ret);

/* How busy a bus was, since start. */
struct poll_bus_load {
    uint64_t busy_us; /* real time with a request on it, silences included */
    uint64_t requests;
};
void poll_bus_load_get(const struct poll *p, uint32_t bus, struct poll_bus_load *ret);
