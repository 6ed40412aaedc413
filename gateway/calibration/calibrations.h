/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibrations - what people, a schedule and the instruments themselves do to instruments:
 * maintenance with a limit of time, checks against known values with their ledger.
 *
 * A sequence is begun by an operator, at its hour, or by the instrument (its status bit); its
 * course and verdicts are rules/calibration. Everything that begins, ends or results is an
 * event in the log, committed with the state that a restart needs. A restart in the middle of
 * maintenance goes on with it; a sequence is not: it is told as interrupted, goes back to
 * measuring, and gives no verdict, for nobody knows what the instrument read meanwhile.
 *
 * Main thread. Time comes with the calls. Lives as long as the gateway; the configuration in
 * force is attached and detached.
 */
#pragma once

#include <jansson.h>

#include "gateway/base/channel.h"
#include "gateway/store/store.h"
#include "rules/calibration/options.h"
#include "sensors/core/sample.h"

enum {
    CALIBRATIONS_NO_CHANNEL = -1,
    CALIBRATIONS_LEDGER_MAX = 500,     /* results at hand; the log has all that it keeps */
    CALIBRATIONS_TEXT_MAX = 200,       /* bytes of a reason, a certificate */
    CALIBRATIONS_LOG_PATIENCE = 10000, /* ms; then the answer says that the log is late */
    MAINTENANCE_MAX_DAYS = 7,          /* longer than that an instrument is out of service */
};

/* What failed checks of a sequence make doubtful. */
struct calibrations_doubt {
    const char *channel, *check; /* id; the kind that failed first */
    int64_t from_ms;             /* end of the last passed check of that kind; 0: none */
    int64_t to_ms;               /* begin of the one that failed */
    enum calibration_revise revise;
    struct calibration_drift drift; /* from the checks before to those of the sequence */
};

struct calibrations_station {
    const struct channel_table *table;
    const struct calibration_setup *setups; /* per channel; those of statistics are not used */
    const char *const *devices;             /* ids; a device's index is its number */
    size_t devices_n;
    int64_t zone_ms;
    /* Readings of the channel, or of the whole device (CALIBRATIONS_NO_CHANNEL), are part of
     * this from now on; until_ms 0: until told otherwise. */
    void (*on_service)(void *user, uint32_t device, int32_t channel, enum qc_service service,
                       int64_t until_ms);
    void (*on_correction)(void *user, uint32_t channel, const struct calibration_correction *c);
    /* A command of the device's profile; calibrations_commanded() tells of its end, perhaps
     * from inside. 0 or a negative errno: it was not taken, nothing more is told. */
    int (*on_command)(void *user, uint32_t device, const char *command, uint64_t number);
    void (*on_event)(void *user, const char *json); /* every event, beside the log */
    /* When the sequence is over; what is made of it becomes part of `b`. 0, or a negative
     * errno: it is told again after a restart or reload. NULL: nobody wants to know. */
    int (*on_doubt)(void *user, struct store_batch *b, const struct calibrations_doubt *d);
    json_t *(*on_revisions)(void *user); /* for lists, a new reference; NULL: there are none */
    void *user;
};

struct calibrations;

/* Takes up from the log what an earlier run left. 0 or a negative errno. */
int calibrations_create(struct store *store, struct calibrations **ret);
/* Copies `s`, whose arrays must live until calibrations_detach(). Tells of corrections and
 * services in force. */
int calibrations_attach(struct calibrations *c, const struct calibrations_station *s,
                        int64_t now_ms);
void calibrations_detach(struct calibrations *c);
void calibrations_destroy(struct calibrations *c); /* takes NULL */

/* Every sample, judged; those of statistics are passed over. May be called from within the
 * pipeline: nothing is told from here. */
void calibrations_sample(struct calibrations *c, const struct sample *s);

/* Who works at which device of the configuration now, max of them at most; returns how many.
 * The texts live until the next call. */
struct calibrations_maintenance {
    uint32_t device;
    int64_t since_ms, until_ms;
    const char *who, *why;
};
size_t calibrations_maintenances(const struct calibrations *c,
                                 struct calibrations_maintenance *out, size_t max);

/* About once a second. boot_ms runs on when now_ms is set. */
void calibrations_tick(struct calibrations *c, int64_t now_ms, int64_t boot_ms);

void calibrations_commanded(struct calibrations *c, uint64_t number, bool is_done,
                            int64_t now_ms);

/*
 * Requests of callers who may; on_answer comes once, perhaps from inside, at the latest when
 * the log has committed what was done: {"ok": true, ...} or {"ok": false, "reason",
 * "text": {en, zh}}. What is wrong with the request itself has "usage": true.
 *
 *   calibrate  {"do": "list"}, {"do": "ledger", "channel", "n"},
 *              {"do": "start", "channel", "check": zero|span|point|sequence, "value", "unit",
 *               "settle_ms", "measure_ms", "certificate", "wait": bool}, {"do": "stop",
 * "channel"} maint      {"do": "list"}, {"do": "start", "device", "for_ms", "why"},
 *              {"do": "stop", "device"}
 */
typedef void calibrations_answer(void *user, uint64_t ticket, const char *json);
struct calibrations_request {
    const char *json, *who;
    int64_t now_ms;
    calibrations_answer *on_answer;
    void *user;
    uint64_t ticket;
};
void calibrations_calibrate(struct calibrations *c, const struct calibrations_request *q);
void calibrations_maint(struct calibrations *c, const struct calibrations_request *q);
