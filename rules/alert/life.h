/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life - what becomes of an alert once it is raised: received, acknowledged, triaged, routed,
 * in handling, verified, closed (facts: alerting section 3), each step with a limit of time.
 *
 * One `struct life` is the life of one episode: plain values, time is an argument. That the
 * condition is gone ("cleared") is a fact beside the state and never changes it; whoever
 * acknowledges says that he has seen the alert, not that it is over. A colour above the one
 * that was acknowledged asks anew.
 *
 * Acts are idempotent: one that has been done, or comes after what it would lead to, changes
 * nothing. One that does not fit is refused, with a sentence. Every change has a number, from 1
 * on without gaps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/alert/alert.h"

enum life_state {
    LIFE_PENDING, /* the on-delay runs: no episode yet */
    LIFE_RAISED,
    LIFE_RECEIVED, /* by the centre */
    LIFE_ACKNOWLEDGED,
    LIFE_TRIAGED,
    LIFE_ROUTED,
    LIFE_HANDLING,
    LIFE_VERIFIED,
    LIFE_CLOSED,
    LIFE_STATE_COUNT_
};

enum life_verdict {
    LIFE_NOT_JUDGED,
    LIFE_TRUE,
    LIFE_FALSE,
    LIFE_SENSOR_FAULT,
    LIFE_DUPLICATE,
    LIFE_VERDICT_COUNT_
};

enum life_mark { /* facts beside the state */
                 LIFE_CLEARED = 1 << 0,
                 LIFE_CANNOT_JUDGE = 1 << 1, /* no usable samples: the alert stays as it is */
                 LIFE_UNSTABLE = 1 << 2,     /* raised again and again: one alert, told once */
                 LIFE_SUPERSEDED = 1 << 3,   /* a fault of the instrument was found */
                 LIFE_REOPENED = 1 << 4,
                 LIFE_DOUBTFUL =
                     1 << 5, /* of readings that a failed calibration has made doubtful */
                 LIFE_LATE = 1 << 6,    /* found long after its time */
                 LIFE_OVERDUE = 1 << 7, /* the limit in force has passed */
                 LIFE_SHELVED = 1 << 8,
                 LIFE_OUT_OF_SERVICE = 1 << 9,
                 LIFE_RULE_CHANGED = 1 << 10, /* its rule is another one by now, or gone */
                 LIFE_WITHDRAWN = 1 << 11,
                 LIFE_FLOOD = 1 << 12, /* one of more than anybody can follow */
};
enum { LIFE_MARKS_N = 13 };

enum life_act {
    LIFE_RECEIVE, /* those of persons, and of the centre */
    LIFE_ACKNOWLEDGE,
    LIFE_TRIAGE,
    LIFE_COMMENT,
    LIFE_ASSIGN,
    LIFE_HANDLE,
    LIFE_VERIFY,
    LIFE_CLOSE,
    LIFE_REOPEN,
    LIFE_WITHDRAW,
    LIFE_SUPERSEDE,
    LIFE_ACT_COUNT_
};

/* What a state waits for. */
enum life_due {
    LIFE_DUE_NONE,
    LIFE_DUE_ACKNOWLEDGE,
    LIFE_DUE_TRIAGE,
    LIFE_DUE_ROUTE,
    LIFE_DUE_HANDLE,
    LIFE_DUE_VERIFY,
    LIFE_DUE_COUNT_
};

/* How a colour is to be answered. 0 ms: no limit. Texts may be NULL. */
struct life_response {
    int64_t within_ms[LIFE_DUE_COUNT_];
    const char *route, *escalate_to; /* the unit offered to assign; who hears of a lapse */
};
/* The usual limits of a colour: red must be acknowledged in 5 minutes, blue in 60. */
struct life_response life_response_default(enum alert_level l);

enum { LIFE_ESCALATIONS_MAX = 3 }; /* of one limit: more often nobody listens */

struct life { /* all zero: pending */
    uint8_t state, verdict, level, peak;
    uint8_t due, escalations;
    uint32_t marks, number;
    int64_t raised_ms, entered_ms, cleared_ms; /* entered: the state */
    int64_t due_ms;                            /* 0: nothing is due */
};

enum life_answer { LIFE_DONE, LIFE_SAME, LIFE_REFUSED };

struct life_doing {
    enum life_act act;
    enum life_verdict verdict; /* LIFE_TRIAGE */
    bool is_other_unit;        /* LIFE_ASSIGN: than the one it is assigned to */
    int64_t now_ms;
};

/* Changes *l only with LIFE_DONE. A refusal has its reason in *ret_why: an identifier, and
 * life_refusal_text(). `r`: of each colour. */
enum life_answer life_do(struct life *l, const struct life_doing *d,
                         const struct life_response *r, const char **ret_why);
const char *life_refusal_text(const char *why, const char *lang);

/* What the rule says. life_raise() begins the episode, or raises an unstable one again. */
void life_raise(struct life *l, enum alert_level level, int64_t now_ms,
                const struct life_response *r);
void life_upgrade(struct life *l, enum alert_level level, int64_t now_ms,
                  const struct life_response *r);
void life_downgrade(struct life *l, enum alert_level level);
void life_clear(struct life *l, int64_t now_ms);
/* A fact beside the state begins or ends: false when it was so already. */
bool life_mark(struct life *l, enum life_mark mark, bool is_on);

/* The limit in force has passed: true, once for each escalation. Nothing is due while it is
 * shelved or out of service; life_resume() begins the limit anew after that. */
bool life_tick(struct life *l, int64_t now_ms, const struct life_response *r);
void life_resume(struct life *l, int64_t now_ms, const struct life_response *r);

/* The clock was set by so much. The episode's beginning is a name and stays. */
void life_shift(struct life *l, int64_t by_ms);

/* ---- words ---- */
const char *life_state_id(enum life_state s);
const char *life_state_name(enum life_state s, const char *lang);
int life_state_find(const char *id, enum life_state *ret);
const char *life_verdict_id(enum life_verdict v); /* "" when it was not judged */
const char *life_verdict_name(enum life_verdict v, const char *lang);
int life_verdict_find(const char *id, enum life_verdict *ret);
const char *life_due_id(enum life_due d);
const char *life_due_name(enum life_due d, const char *lang);
const char *life_mark_id(enum life_mark m); /* "cleared"; of one mark */
const char *life_mark_name(enum life_mark m, const char *lang);
uint32_t life_mark_find(const char *id); /* 0: none */
/* What a change is called in the log: "acknowledged", "assigned". */
const char *life_act_done(enum life_act a);
const char *life_act_done_name(enum life_act a, const char *lang);
int life_act_find(const char *verb, enum life_act *ret); /* "acknowledge", "ack", "assign" */
