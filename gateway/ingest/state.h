/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - what the parts of the centre share: stations, their epochs ("runs"), streams, and the
 * accounts of memory. Internal to gateway/ingest.
 */
#pragma once

#include "gateway/ingest/centre.h"
#include "gateway/ingest/journal.h"
#include "gateway/ingest/ledger.h"
#include "gateway/ingest/outbox.h"
#include "gateway/ingest/segment.h"
#include "gateway/uplink/line_protocol.h"
#include "gateway/uplink/mqtt_topic.h"

enum {
    STATE_SEGMENTS_MAX = 4, /* kept open in a stream: live, backlog and what was resent */
    STATE_SEGMENTS_BUSY_MAX =
        1024,                 /* of those whose frames wait: a station that was often killed */
    STATE_LAYOUTS_MAX = 4096, /* of a station: a new one with each change of its devices */
    STATE_GAP_SCAN_MS = 250,  /* how soon a due question is noticed */
    STATE_IDLE_MS = 600000,   /* what is aside so long without anything new is dropped */
    STATE_LINGER_MS = 200,    /* longest that an entry waits for others to share its post */
    STATE_READY_BYTES = 64 << 10, /* kept: enough to fill a post without waiting */
    STATE_TELL_MS = 10000,        /* one sentence of a kind in this time */
    STATE_UNSAID_MAX = 256, /* entries stored: acknowledged at once, a full window waits */
    STATE_REFUSED_MAX = MQTT_ACK_REFUSED, /* not yet published; more are refused again */
    STATE_DAMAGED_MAX = 8,                /* entries whose frames came damaged, of one run */
    STATE_DAMAGED_TRIES = 3, /* the same damage so often is in the log, not on the way */
    STATE_REJECTED_MAX = 16, /* dictionaries that cannot be used, of one station */
};

struct damaged { /* a frame without a right checksum, or that does not follow */
    uint64_t seq;
    uint32_t crc; /* of what came */
    unsigned times;
};

struct layout {
    uint32_t id;
    struct line_layout *lines;
};

struct stream {
    uint32_t number;
    size_t segments_n;
    struct segment *segments; /* latest used first */
};

struct run { /* one epoch of a station */
    struct station *station;
    uint64_t epoch;
    struct stream **streams; /* by number */
    size_t streams_n, streams_cap;
    struct ledger ledger;
    size_t ledger_bytes;            /* as accounted */
    size_t items;                   /* kept for it, aside or in order */
    size_t kept_bytes, aside_bytes; /* kept includes aside */
    struct mqtt_refused refused[STATE_REFUSED_MAX];
    size_t refused_n;
    size_t unsaid; /* entries stored since the last acknowledgement */
    struct damaged damaged[STATE_DAMAGED_MAX];
    size_t damaged_next;
    bool is_gone; /* replaced: goes when nothing is kept */
    bool is_due;  /* in centre->due */
    int64_t due_ms;
    struct run *due_next, *due_prev;
};

struct station {
    char ack_topic[MQTT_TOPIC_MAX];
    struct mqtt_topic name; /* region and station */
    struct layout *layouts; /* by id */
    size_t layouts_n, layouts_cap;
    uint32_t rejected[STATE_REJECTED_MAX]; /* layouts, a ring */
    size_t rejected_n;
    int64_t heard_ms, stored_ms; /* last message, monotonic; newest row stored, wall */
    uint64_t stored_entries;
    struct run *run; /* the current one; NULL before the first entry */
};

enum complaint {
    COMPLAIN_TOPIC,
    COMPLAIN_MALFORMED,
    COMPLAIN_LIMIT,
    COMPLAIN_CONTRADICTION,
    COMPLAIN_UNDECODABLE,
    COMPLAIN_REFUSED,
    COMPLAIN_ROWS,
    COMPLAIN_LAYOUT,
    COMPLAIN_EPOCH,
    COMPLAIN_PROOF,
    COMPLAIN_COUNT_
};

struct complaint_state {
    int64_t told_ms;
    uint64_t silent; /* since then */
    bool was_told;
};

struct centre {
    struct centre_options o;
    struct centre_counts counts;
    struct complaint_state complaints[COMPLAIN_COUNT_];
    int64_t now_ms;  /* of the call in progress */
    int64_t wall_ms; /* of the latest call that told it */

    struct station **stations; /* hash table, stations_cap a power of two */
    size_t stations_n, stations_cap;
    size_t kept_bytes, aside_bytes, state_bytes, layout_bytes;
    struct segment *newest, *oldest; /* by use */

    struct item *queue, **queue_end; /* in order, not in an outbox yet */
    size_t queue_bytes;
    struct item *current;      /* whose rows are being written */
    struct series_frame frame; /* of it */
    uint32_t row;              /* the next */
    size_t early, late;        /* of its rows, left out */
    struct outbox boxes[2], *sending, *filling;
    int64_t filling_ms; /* when its first entry came */
    bool is_replay;     /* `sending` holds lines of the journal */
    bool needs_proof;
    int64_t retention_ms; /* of the database; 0: unknown */
    struct journal journal;
    enum uplink_verdict database; /* what the log says of it; UPLINK_SENT: nothing yet */

    struct run *due, *due_last;
    int64_t gap_scan_ms;
};

/* A sentence for the log: as it is; rate-limited by kind, and the station may be NULL. */
void centre_tell(struct centre *c, enum log_level level, const char *text);
void centre_complain(struct centre *c, enum complaint kind, enum log_level level,
                     const struct station *s, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- station.c: finding and making; each returns NULL when a limit is reached, told ---- */

struct station *station_get(struct centre *c, const struct mqtt_topic *t);
void station_destroy(struct centre *c, struct station *s);
/* A new epoch replaces the old one. */
struct run *station_run(struct centre *c, struct station *s, uint64_t epoch);
const struct line_layout *station_layout(const struct station *s, uint32_t id);
/* 0 when it was kept or is known. */
int station_put_layout(struct centre *c, struct station *s, uint32_t id, const char *json,
                       size_t size);

/* It has this dictionary, and it cannot be used. */
bool station_rejects(const struct station *s, uint32_t id);

struct segment *run_find_segment(struct run *r, uint32_t stream, uint32_t number);
struct segment *run_get_segment(struct centre *c, struct run *r, uint32_t stream,
                                uint32_t number);
/* Its memory has changed, and it was used. */
void segment_used(struct centre *c, struct segment *s, size_t bytes_before);
void segment_drop_aside(struct centre *c, struct segment *s);
void segment_close(struct centre *c, struct segment *s);
/* Closes what has long been idle while frames are missing. */
void centre_close_idle(struct centre *c);

/* ---- the accounts of what is kept ---- */

/* A copy, entered in ledger and accounts; NULL when a limit is reached, counted. */
struct item *item_keep(struct centre *c, struct run *r, uint64_t seq, uint32_t crc,
                       const void *data, size_t size);
/* Out of the accounts and the ledger, unless it is stored. Frees it, and a run that is gone. */
void item_release(struct centre *c, struct item *i);
void item_set_aside(struct centre *c, struct item *i);
void item_take_back(struct centre *c, struct item *i);

/* ---- ack.c ---- */

/* The station is to hear something at due_ms. */
void run_speak(struct centre *c, struct run *r, int64_t due_ms);
void run_be_silent(struct centre *c, struct run *r);

/* ---- refuse.c: entries that can never be stored, told to their station and the database ----
 */

void refuse_entry(struct centre *c, struct run *r, uint64_t seq, const char *why);
/* The same bytes of a frame that cannot be used have come so often that they are what the
 * station's log has: damage on the way differs from time to time. */
bool refuse_is_lasting(struct run *r, uint64_t seq, uint32_t crc);
/* Nothing of the segment from this frame on can be decoded. */
void refuse_segment(struct centre *c, struct segment *s, uint32_t from, int rc);
void refuse_rows(struct centre *c, const struct item *i, size_t early, size_t late);

/* ---- writing.c ---- */

void writing_forget(struct centre *c);
/* In order, to be written. */
void writing_enqueue(struct centre *c, struct item *i);

/* ---- arrive.c ---- */

void arrive_series(struct centre *c, struct station *s, const void *data, size_t size);
void arrive_event(struct centre *c, struct station *s, const void *data, size_t size);
void arrive_layout(struct centre *c, struct station *s, uint32_t id, const void *data,
                   size_t size);
