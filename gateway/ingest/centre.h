/* SPDX-License-Identifier: Apache-2.0 */
/*
 * centre - the regional centre's judgement: messages of stations in, lines for the database,
 * acknowledgements and questions out. Pure: no network, no clock (time is an argument), no
 * logging of its own; one thread.
 *
 *   centre_take()        message -> judged by its header -> kept, or aside, or dropped
 *   centre_next_post()   kept -> decoded -> lines; the same bytes until centre_answer()
 *   centre_answer()      answered -> to be proven, or stored
 *   centre_next_proof()  is it on the database's disk? centre_proven(): stored, or written
 * again centre_next_ack()    what P/ack says to one station
 *
 * An entry is acknowledged only when every line of it is stored. What can never be stored is
 * refused: the station sets it aside, keeps its bytes and goes on. What is kept here can be
 * thrown away at any time: the station sends again what was not acknowledged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/uplink/mqtt_message.h"
#include "gateway/uplink/uplink.h"

/* What is reached is counted and told; the station sends again. 0: the default. */
struct centre_limits {
    size_t stations;           /* 4096: more are another ingest's, by shards */
    size_t streams;            /* of a station: 1024 */
    size_t kept_bytes;         /* frames and events not stored yet: 256 MiB, half of it aside */
    size_t kept_station_bytes; /* the same of one station: 32 MiB, twice a station's window */
    size_t state_bytes;        /* ledgers, open segments, decoders: 512 MiB; old ones go */
    size_t layout_bytes;       /* dictionaries: 128 MiB */
};

struct centre_options {
    int64_t ack_interval_ms;
    struct centre_limits limits;
    /* One sentence for the log, rate-limited. */
    void (*tell)(void *user, enum log_level level, const char *text);
    void *user;
};

struct centre_counts {
    uint64_t entries, lines;  /* stored */
    uint64_t duplicates;      /* came again */
    uint64_t dropped;         /* a limit was reached */
    uint64_t malformed;       /* messages and frames that nobody of ours sends */
    uint64_t contradicting;   /* other bytes under a known number */
    uint64_t undecodable;     /* segments from some frame on */
    uint64_t refused_entries; /* by us: undecodable, or damaged in the station's log */
    uint64_t refused_lines;   /* by the database */
    uint64_t refused_rows;    /* by us: older than it keeps, or more than two days ahead */
    uint64_t rewritten;       /* times that all unproven lines were written again */
};

struct centre;

int centre_create(const struct centre_options *o, struct centre **ret); /* 0 or -ENOMEM */
void centre_destroy(struct centre *c);

/* A message as it came, hostile or not. Keeps copies. */
void centre_take(struct centre *c, const char *topic, const void *data, size_t size,
                 int64_t now_ms);

/*
 * What is to be posted now; NULL when there is nothing, or its time has not come. The bytes
 * stay as they are until centre_answer(), which must follow; only then is it called again.
 */
const char *centre_next_post(struct centre *c, int64_t now_ms, int64_t wall_ms,
                             size_t *ret_size);
/* Decodes ahead while an answer is awaited. */
void centre_prepare(struct centre *c, int64_t now_ms, int64_t wall_ms);
void centre_answer(struct centre *c, int64_t now_ms, enum uplink_verdict v,
                   const struct uplink_report *why);

/* What is known of the database: whether its answer has to be proven, how far back it keeps
 * points (0: unknown). To be told before the first answer. */
void centre_know_database(struct centre *c, bool needs_proof, int64_t retention_ms);

/* True when a proof is to be asked for now, while no post is under way; centre_proven() must
 * follow before the next post. */
bool centre_next_proof(struct centre *c, int64_t now_ms);
/* The same whatever its time, for the end. */
bool centre_last_proof(struct centre *c, int64_t now_ms);
void centre_proven(struct centre *c, int64_t now_ms, enum uplink_verdict v,
                   const struct uplink_report *why);

struct centre_ack {
    const char *topic; /* of the station's acknowledgements */
    uint64_t epoch;
    const struct uplink_range *acked;
    size_t acked_n;
    struct uplink_need need[MQTT_ACK_NEEDS];
    size_t need_n;
    const struct mqtt_refused *refused;
    size_t refused_n;
};

/* The next acknowledgement whose time has come; false when there is none. *ret lives until the
 * next call of any function. */
bool centre_next_ack(struct centre *c, int64_t now_ms, struct centre_ack *ret);
/* It was published; without this call it comes again. */
void centre_ack_sent(struct centre *c, int64_t now_ms);

/* The longest that the caller may sleep when no message comes. `is_posting`: an answer is
 * awaited. */
int64_t centre_wait_ms(struct centre *c, int64_t now_ms, bool is_posting);

const struct centre_counts *centre_counts(const struct centre *c);
