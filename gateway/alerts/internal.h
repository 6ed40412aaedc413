/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this folder share. Nobody else includes it. */
#pragma once

#include <jansson.h>

#include "gateway/alerts/book.h"

/* Nine digits are more than any instrument has. */
#define JSON_FORM (JSON_COMPACT | JSON_REAL_PRECISION(9))
#define NO_RULE   SIZE_MAX

enum {
    REQUESTS_KEPT = 8, /* of an episode: repeats come soon */
    SENTENCE_MAX = 900,
    RAISES_KEPT = 2048, /* of a day: fourteen times what one person can manage */
};

/* What a rule judges by, as numbers: so an alert can be judged on by the rule that raised it.
 */
struct judged {
    uint8_t direction;
    struct alert_threshold level[LEVEL_COUNT_];
    int64_t hold_samples, stale_ms, rearm_ms;
};

struct episode {
    struct life life;
    struct judged judged;
    uint64_t no; /* its number in the book, for people */
    char key[BOOK_KEY_MAX];
    json_t *told;  /* its events so far: told.c */
    json_t *about; /* rule, title, channel, device, quantity, medium, unit, direction */
    char version[BOOK_VERSION_MAX]; /* of the rule that raised it */
    char assigned[BOOK_NAME_MAX], actor[BOOK_NAME_MAX], note[BOOK_TEXT_MAX];
    char reopens[BOOK_KEY_MAX];
    double value, limit, extreme;
    uint32_t flag;
    int64_t changed_ms, last_raise_ms;
    uint32_t raises;
    uint64_t requests[REQUESTS_KEPT]; /* hashes of their names, a ring */
    uint32_t requests_n;
    /* Until the centre has it: the batch of its raise, then an entry at or behind it. */
    uint64_t sent_batch, sent_seq;
    bool is_unsent;      /* the batch is being built */
    int64_t evidence_ms; /* the window of samples around it is still to be written; 0: not */
    size_t rule;         /* of the station attached; NO_RULE: it has none like that */
    bool is_restored;    /* nothing has changed since the gateway started */
    bool is_unkept;      /* its state found no way into the log yet */
};

enum shelf_kind { SHELVED, OUT_OF_SERVICE };
enum shelf_of { OF_ALERT, OF_RULE, OF_CHANNEL, OF_DEVICE, SHELF_OF_COUNT_ };

struct shelf {
    uint8_t kind, of; /* enums above */
    char id[BOOK_KEY_MAX];
    int64_t since_ms, until_ms; /* until 0: a person ends it */
    char who[BOOK_NAME_MAX], note[BOOK_TEXT_MAX];
    bool is_restored;
};

struct raise {
    int64_t time_ms;
    uint64_t what; /* hash of rule and channel */
    char rule[BOOK_NAME_MAX];
};

/* An answer that waits for the log. */
struct reply_later {
    struct reply_later *next;
    struct book_request to; /* json, who: not kept */
    json_t *root;
    uint64_t batch;
    int64_t until_ms;
};

struct evidence; /* evidence.c */

struct book {
    struct store *store;
    struct book_station station; /* table NULL: none is attached */
    struct episode *episodes[BOOK_EPISODES_MAX];
    size_t episodes_n;
    uint64_t next_no;
    struct shelf shelves[BOOK_SHELVES_MAX];
    size_t shelves_n;
    struct raise *raises; /* a ring of RAISES_KEPT */
    size_t raises_n, raises_at;
    struct reply_later *later;
    struct evidence *evidence;
    struct life_response usual[LEVEL_COUNT_];
    int64_t now_ms;
    int64_t down_ms;   /* no destination is reached since then; 0: one is */
    bool was_believed; /* the clock, in this run */
    uint64_t dropped;
};

/* ---- episode.c: the list, and the log ---- */

struct episode *episode_of_key(const struct book *b, const char *key);
/* The newest of a rule on a channel that is not over; NULL: none. */
struct episode *episode_of_rule(const struct book *b, size_t rule);
/* A place for one more; NULL: the book is full of what stands. */
struct episode *episode_add(struct book *b, struct store_batch *batch);
void episode_remove(struct book *b, size_t at, struct store_batch *batch);
void episode_free(struct episode *e);
bool episode_is_over(const struct episode *e); /* closed, and its condition is gone */
/* Its state into the batch; noted for the next tick when that fails. */
void episode_keep(struct book *b, struct episode *e, struct store_batch *batch);
/* The rule of the station attached that it is of. */
void episode_attach(const struct book *b, struct episode *e);
const struct life_response *episode_response(const struct book *b, const struct episode *e);
const char *episode_text(const struct episode *e, const char *member); /* of `about`; "" */
int episodes_restore(struct book *b);
uint64_t text_hash(const char *text);

/* Behind its time an alert is late. */
#define LATE_MS INT64_C(600000)

/* ---- told.c: what was told before ---- */

/* It is being told, with its number as it stands; before its state is kept. */
void episode_told(struct episode *e, const char *what, int64_t time_ms);
/* What was told before its newest number: [[number, ms, transition, level, peak, verdict,
 * quiet], ...], the oldest first. */
json_t *episode_earlier(const struct episode *e);

/* ---- judged.c: the rule that raised it ---- */

struct judged judged_of(const struct alert_rule *r);
void judged_apply(const struct judged *j, struct alert_rule *r);
json_t *judged_json(const struct judged *j);
bool judged_read(const json_t *o, struct judged *ret);

/* ---- event.c: what is told ---- */

json_t *when_json(int64_t ms); /* null for 0 */
/* Why nobody needs to be told of it just now; NULL: somebody does. */
const char *episode_quiet(const struct episode *e);
json_t *episode_about(const struct channel_table *t, const struct alert_rule *r);
/* All that is known of it, as it is listed. */
json_t *episode_json(const struct episode *e);
/* The event of a change; `what` is its transition. */
json_t *alert_event(const struct book *b, const struct episode *e, const char *what,
                    const char *done_en, const char *done_zh, int64_t now_ms);
json_t *shelf_event(const struct book *b, const struct shelf *s, const char *what,
                    const char *who, int64_t now_ms);

/* A change on its way into the log: events and states together. */
struct book_change {
    struct book *book;
    struct store_batch *batch;
    bool has_any; /* else book_end() drops it */
    int64_t now_ms;
};
struct book_change book_begin(struct book *b, int64_t now_ms);
void book_event(struct book_change *c, json_t *event); /* takes it over */
/* An episode has changed: its state and the event of it. */
void book_changed(struct book_change *c, struct episode *e, const char *what, const char *en,
                  const char *zh);
/* 0, or a negative errno: nothing of it is in the log, it was told in the log of errors. */
int book_end(struct book_change *c);
/* Its rule begins quiet: what stood is gone, by a person's word or by a fault. */
void book_quiet(const struct book_change *c, struct episode *e);

/* ---- shelf.c ---- */

/* Marks what lies on a shelf, before the event of its raise is written. */
void shelves_apply(const struct book *b, struct episode *e);
void shelves_tick(struct book *b, int64_t now_ms);
void shelves_shift(struct book *b, struct store_batch *batch, int64_t by_ms, bool is_first);
int shelves_restore(struct book *b);
struct shelf *shelf_find(struct book *b, enum shelf_kind kind, enum shelf_of of,
                         const char *id);
json_t *shelf_json(const struct shelf *s);
/* Puts it there, or gives it another end. False: there is no room. */
bool shelf_put(struct book_change *c, const struct shelf *s);
void shelf_take(struct book_change *c, struct shelf *s, const char *who);
const char *shelf_of_id(enum shelf_of of);
const char *shelf_of_name_zh(enum shelf_of of);

/* ---- flood.c ---- */

int flood_restore(struct book *b);
void flood_note(struct book *b, const char *rule, const char *channel, int64_t time_ms);
/* How often it was raised in the hour before. */
unsigned flood_raises(const struct book *b, const char *rule, const char *channel,
                      int64_t now_ms);
/* All that were raised in the ten minutes before. */
unsigned flood_ten_minutes(const struct book *b, int64_t now_ms);
json_t *flood_json(const struct book *b, int64_t now_ms);

/* ---- link.c ---- */

void link_restore(struct book *b);
void link_shift(struct book *b, struct store_batch *batch, int64_t by_ms);

/* ---- reply.c ---- */

void reply_now(const struct book_request *q, json_t *root); /* takes root over */
/* When the log has committed everything so far. */
void reply_committed(struct book *b, const struct book_request *q, json_t *root);
void replies_waiting(struct book *b, bool is_last);

/* ---- evidence.c: the samples around a raise, read beside the main thread ---- */

int evidence_open(struct book *b);
void evidence_close(struct book *b);
void evidence_tick(struct book *b);
