/* SPDX-License-Identifier: Apache-2.0 */
/*
 * book - the station's open alerts: each from the moment it is raised until it is closed, with
 * whoever acknowledged, judged, took and verified it, and what is overdue.
 *
 * An episode is a state of the log, written in the same transaction as the event that tells of
 * its change: after a kill -9 both are there or neither, so nothing is repeated or forgotten.
 * What the rules find comes from the pipeline within its own batch; what persons do, and the
 * lapse of time, the book writes itself. Closed episodes stay at hand for a while, so that a
 * repeated or late act is answered with the state as it is; then only the log has them. The
 * book is bounded: when it is full, closed and cleared ones go first, with an event.
 *
 * Main thread. Time comes with the calls. Lives as long as the gateway; the configuration in
 * force is attached and detached.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/base/channel.h"
#include "gateway/clock/timeline.h"
#include "gateway/store/store.h"
#include "rules/alert/life.h"

enum {
    BOOK_EPISODES_MAX = 512, /* open ones and those just closed; more no station can handle */
    BOOK_CLOSED_MAX = 64,
    BOOK_SHELVES_MAX = 64,
    BOOK_KEY_MAX = 224,  /* "rule/device/quantity/start" */
    BOOK_NAME_MAX = 96,  /* bytes of a person, a unit, an id of a request */
    BOOK_TEXT_MAX = 400, /* bytes of a note */
    BOOK_VERSION_MAX = 17,
    BOOK_LOG_PATIENCE = 10000, /* ms; then an answer says that the log is late */
};

#define BOOK_CLOSED_KEPT_MS INT64_C(86400000) /* and is answered for so long */

/* What the configuration says of a rule beyond its levels. */
struct book_plan {
    char version[BOOK_VERSION_MAX];              /* of the rule: a hash */
    struct life_response response[LEVEL_COUNT_]; /* by colour */
    unsigned flap; /* raises in an hour that make it unstable; 0: never */
};

struct book_station {
    const struct channel_table *table;
    const struct alert_rule *rules; /* as the pipeline's */
    const struct book_plan *const *plans;
    size_t rules_n;
    const struct timeline *timeline; /* NULL: the clock is always believed */
    int64_t shelve_max_ms;           /* longest time on the shelf */
    unsigned flood; /* in ten minutes; behind so many blue and yellow ones are told to nobody;
                     * 0: all are */
    int64_t reopen_ms; /* raised again so soon after it cleared, it says so */
    /* The alert is withdrawn: the rule begins quiet. Into the batch of the event. */
    void (*on_withdrawn)(void *user, size_t rule, struct store_batch *batch);
    bool (*is_pending)(void *user, size_t rule);    /* its on-delay runs; NULL: nobody knows */
    void (*on_event)(void *user, const char *json); /* every event, beside the log */
    void *user;
};

struct book;
struct episode;

/* Takes up from the log what an earlier run left. 0 or a negative errno. */
int book_create(struct store *store, struct book **ret);
/* Copies `s`, whose arrays must live until book_detach(). Before the pipeline is created. */
int book_attach(struct book *b, const struct book_station *s, int64_t now_ms);
void book_detach(struct book *b);
void book_destroy(struct book *b); /* takes NULL */

/* About once a second: limits that lapse, shelves that end. */
void book_tick(struct book *b, int64_t now_ms);
/* The log has committed: whose answer waits for that is answered, not only at the next tick. */
void book_committed(struct book *b);
/* The clock was set by so much; goes into the batch. */
void book_shift(struct book *b, struct store_batch *batch, int64_t by_ms);

/* ---- the pipeline's side ---- */

/* A transition of rule number `rule`: the episode it belongs to, with its state in the batch.
 * a->raised_ms is set to the beginning of that episode, which may be an earlier one. NULL: none
 * (the rule was quiet, or the book is full). */
const struct episode *book_take(struct book *b, size_t rule, struct alert_change *a,
                                struct store_batch *batch);
/* Appends members to the event of the transition: ,"number":1,"state":"raised",... */
void book_put(const struct episode *e, struct buf *event);
/* The rule as it was when it raised what stands now, where the configuration has another one by
 * now: `r` gets the levels, delays and limits of then. False: it is the same. */
bool book_rule(const struct book *b, size_t rule, struct alert_rule *r);
/* A rule stands raised since then, as the log says: an episode is there for it afterwards. */
void book_standing(struct book *b, size_t rule, const struct alert_change *a);

/* The episodes whose condition stands, as a JSON list of objects with the members of their
 * events; free() it. NULL without memory. */
char *book_standing_json(const struct book *b, int64_t now_ms);

/* ---- what others find out ---- */

/* A fault of the instrument has begun: what stands of the channel and of its statistics, and
 * nobody has judged yet, is superseded by it. Into the batch of the fault's notice. */
void book_fault(struct book *b, const char *channel, const char *note, int64_t now_ms,
                struct store_batch *batch);

/* The centre has acknowledged all entries of the log up to `seq`: it has received the alerts
 * among them. */
void book_received(struct book *b, const char *centre, uint64_t seq);

/* Whether any destination is reached. What was raised while none was, and is told only now, is
 * late: it says so. */
void book_link(struct book *b, bool is_up);

/* A check that failed later makes the readings doubtful that it was raised of; whoever found
 * that has told it. */
void book_doubt(struct book *b, const char *key);

/* ---- persons ---- */

/*
 * Requests of callers who may. on_answer comes once, perhaps from inside, at the latest when
 * the log has committed what was done: {"ok": true, "changed": bool, "alert": {...}} or
 * {"ok": false, "reason", "text": {en, zh}}; what is wrong with the request itself has
 * "usage": true.
 *
 *   {"do": "list", "all": bool}, {"do": "show", "alert"}, {"do": "figures"}
 *   {"do": acknowledge | triage | comment | assign | handle | verify | close | reopen |
 *          withdraw | supersede | receive, "alert", "note", "verdict", "to", "number",
 * "request"}
 *   {"do": "shelve" | "out_of_service", "alert" | "rule" | "channel" | "device", "for_ms",
 *          "note"}, {"do": "unshelve" | "in_service", the same}
 *
 * "alert" is the key, its number in the book, or what only one open alert's key begins with.
 * "number" is the change that the caller knows of: when there are newer ones he is told the
 * state, and nothing is changed. "request" names the request: done once, however often it
 * comes.
 */
typedef void book_answer(void *user, uint64_t ticket, const char *json);
struct book_request {
    const char *json, *who;
    int64_t now_ms;
    book_answer *on_answer;
    void *user;
    uint64_t ticket;
};
void book_request(struct book *b, const struct book_request *q);

/* ---- figures: how much is asked of whoever is on duty (ISA-18.2) ---- */

struct book_figures {
    unsigned open, unacknowledged, overdue, shelved, unstable;
    unsigned standing_day; /* raised for more than 24 h */
    unsigned raised_10min; /* in the last ten minutes, */
    unsigned raised_day;   /* in the last 24 h */
    unsigned worst_10min;  /* the most in ten minutes of the last 24 h */
    uint64_t dropped;      /* found no room in the book, since start */
    struct {
        char rule[BOOK_NAME_MAX];
        unsigned raised; /* of the last 24 h */
    } top[10];
    unsigned top_n;
};
void book_figures_get(const struct book *b, int64_t now_ms, struct book_figures *ret);
