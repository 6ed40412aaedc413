/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share. Nobody else includes it. */
#pragma once

#include <jansson.h>

#include "gateway/calibration/calibrations.h"
#include "rules/calibration/pattern.h"

/* Nine digits are more than any instrument has. */
#define JSON_FORM (JSON_COMPACT | JSON_REAL_PRECISION(9))

enum { SENTENCE_MAX = 640, ID_MAX = 160, LEAST_READINGS = 3 };

#define NOWHERE UINT32_MAX /* of a device or channel that the configuration has no more */

enum source { BY_OPERATOR, BY_SCHEDULE, BY_INSTRUMENT };

/* A sequence under way, with copies of what it needs: it goes on across a reload. */
struct run {
    struct run *next;
    uint64_t number;
    char channel_id[ID_MAX], device_id[ID_MAX];
    uint32_t channel, device;
    enum source source;
    char who[64], certificate[CALIBRATIONS_TEXT_MAX];
    struct calibration_run course;
    struct calibration_limits limits;
    enum calibration_policy policy;
    enum calibration_scope scope;
    double full;
    char command[CALIBRATION_STEPS_MAX][ID_MAX], end[ID_MAX];
    bool is_commanding;                       /* a command is under way: its answer comes */
    bool is_ending;                           /* that of the end was sent */
    double zero;                              /* deviation at zero of this sequence */
    struct calibration_correction correction; /* to come, when nothing has failed */
    bool has_failed;
    bool was_told;            /* why it is over */
    bool is_restored;         /* of an earlier run of the gateway */
    json_t *results;          /* of its steps */
    json_t *figures;          /* of the checks before it; NULL: none */
    struct answer_later *ask; /* waits for the end; NULL: nobody does */
};

struct maintenance {
    struct maintenance *next;
    char device_id[ID_MAX];
    uint32_t device;
    int64_t since_ms, until_ms;
    char who[64], why[CALIBRATIONS_TEXT_MAX];
    bool is_warned;   /* of its end */
    bool is_restored; /* its end is a time of the clock, not so long from its begin */
};

/* An answer that waits for the log. */
struct answer_later {
    struct answer_later *next;
    struct calibrations_request to; /* json, who: not kept */
    json_t *root;
    uint64_t batch;
    int64_t until_ms;
};

struct member {    /* one per channel of the table */
    json_t *state; /* the record's; NULL: none yet */
    struct run *run;
    uint32_t device;
    struct calibration_correction correction;
    struct calibration_pattern_state pattern;
    enum calibration_hint hint; /* found by a sample, told by the tick */
    int64_t hint_ms;
    uint8_t told; /* enum qc_service */
    bool
        is_left; /* a sequence of ours is over: the instrument has not said "measuring" since */
};

struct device_member { /* one per device */
    struct run *run;   /* an operator's or scheduled one */
    struct maintenance *maintenance;
    int64_t until_ms;
    uint8_t told;
};

struct calibrations {
    struct store *store;
    struct calibrations_station station; /* table NULL: none is attached */
    struct member *members;
    struct device_member *devices;
    uint32_t *planned; /* channels with a setup of their own */
    size_t planned_n;
    struct run *runs;
    struct maintenance *maintenances;
    struct answer_later *later;
    json_t *states; /* channel id -> object, as in the log */
    json_t *ledger; /* newest results, oldest first */
    uint64_t number;
    int64_t now_ms, ahead_ms; /* of the last tick; ahead: now - boot */
    bool has_ticked;
};

/* ---- kept.c: the log ---- */

int kept_open(struct calibrations *c);
json_t *kept_state(struct calibrations *c, const char *channel);
int64_t kept_time(const json_t *state, const char *group, const char *key); /* 0: none */
/* Event and state as one change, committed at once; either may be NULL. Takes the event over.
 */
void kept_channel(struct calibrations *c, const char *channel, json_t *event);
void kept_device(struct calibrations *c, const char *device, const struct maintenance *m,
                 json_t *event);
void kept_event(struct calibrations *c, json_t *event);
void kept_remember(struct calibrations *c, json_t *result);
/* The state alone, as part of a batch. 0 or a negative errno. */
int kept_put_channel(struct calibrations *c, struct store_batch *b, const char *channel);

/* ---- event.c: what is told ---- */

json_t *time_json(int64_t ms); /* null for 0 */
json_t *number_json(double x); /* null for NaN */
/* {"kind", "time", "what", "device"} and both texts. */
json_t *event_new(const char *kind, const char *what, const char *device, int64_t now_ms,
                  const char *en, const char *zh);
json_t *notice_new(const char *what, const char *subject, int64_t now_ms, const char *en,
                   const char *zh);
json_t *event_begun(const struct run *r, int64_t now_ms);
json_t *event_over(const struct run *r, const char *what, int64_t now_ms);
json_t *event_result(const struct calibrations *c, const struct run *r,
                     const struct calibration_result *x, int64_t passed_ms, double drift,
                     int64_t now_ms);
json_t *event_doubtful(const struct run *r, const struct calibration_result *x,
                       int64_t passed_ms, int64_t now_ms);
json_t *event_corrected(const struct run *r, const struct calibration_correction *before,
                        int64_t now_ms);
json_t *event_maintenance(const struct maintenance *m, const char *what, const char *who,
                          int64_t now_ms);
const char *source_id(enum source s);

/* ---- sequence.c: checks ---- */

/* What is compared with what: a kind; each point is one of its own, "point@7". */
enum { CHECK_KEY_MAX = 48 };
void check_key(enum calibration_kind kind, double reference, char *out);

struct run *run_new(struct calibrations *c, uint32_t channel, enum source source,
                    const struct calibration_plan *plan, int64_t now_ms);
void run_begin(struct calibrations *c, struct run *r, int64_t now_ms); /* tells and records */
void run_abort(struct calibrations *c, struct run *r, const char *what, int64_t now_ms);
void run_tick(struct calibrations *c, struct run *r, int64_t now_ms); /* may free it */
void run_free(struct run *r);
/* Found again by their ids, after a reload. */
void runs_attach(struct calibrations *c, int64_t now_ms);
int runs_restore(struct calibrations *c, const char *channel, const json_t *state);

/* ---- doubt.c: what a failed check says of the readings before it ---- */

/* Zero and span as they were last read; behind the verdict, before the state is kept. */
void doubt_note_result(struct calibrations *c, const struct run *r,
                       const struct calibration_result *x, int64_t passed_ms);
/* From now on readings are corrected: they have other figures. */
void doubt_note_correction(struct calibrations *c, const struct run *r, int64_t now_ms);
/* The sequence is over, or was before a restart: tells what is doubtful, if anything is. */
void doubt_tell(struct calibrations *c, uint32_t channel);

/* ---- watch.c: what nobody began: the instrument, the hour, the calendar ---- */

void watch_sample(struct calibrations *c, struct member *m, const struct sample *s);
void watch_tick(struct calibrations *c, int64_t now_ms);

/* ---- maintenance.c ---- */

struct maintenance *maintenance_find(const struct calibrations *c, const char *device);
struct maintenance *maintenance_add(struct calibrations *c, const char *device);
void maintenance_end(struct calibrations *c, struct maintenance *m, const char *who,
                     int64_t now_ms); /* frees it */
void maintenances_tick(struct calibrations *c, int64_t now_ms);

/* ---- calibrations.c ---- */

/* Tells the station what the device's readings are part of now, where that has changed. */
void tell_services(struct calibrations *c, uint32_t device);
uint32_t channel_number(const struct calibrations *c, const char *id); /* NOWHERE */
uint32_t device_number(const struct calibrations *c, const char *id);
void answer_now(const struct calibrations_request *q, json_t *root);
/* When the log has committed everything so far; takes root over. */
void answer_committed(struct calibrations *c, const struct calibrations_request *q,
                      json_t *root);
