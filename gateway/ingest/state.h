/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - what the parts of the centre share: stations, their epochs ("runs"), streams, and the
 * accounts of memory. Internal to gateway/ingest.
 */
#pragma once

#include "gateway/ingest/centre.h"
#include "gateway/ingest/ledger.h"
#include "gateway/ingest/outbox.h"
#include "gateway/ingest/segment.h"
#include "gateway/uplink/line_protocol.h"
#include "gateway/uplink/mqtt_topic.h"

enum {
    STATE_SEGMENTS_MAX = 4,   /* open at once in a stream: live, backlog and what was resent */
    STATE_LAYOUTS_MAX = 4096, /* of a station: a new one with each change of its devices */
    STATE_GAP_SCAN_MS = 250,  /* how soon a due question is noticed */
    STATE_IDLE_MS = 600000,   /* what is aside so long without anything new is dropped */
    STATE_LINGER_MS = 200,    /* longest that an entry waits for others to share its post */
    STATE_READY_BYTES = 64 << 10, /* kept: enough to fill a post without waiting */
    STATE_TELL_MS = 10000,        /* one sentence of a kind in this time */
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
    bool is_gone;                   /* replaced: goes when nothing is kept */
    bool is_due;                    /* in centre->due */
    int64_t due_ms;
    struct run *due_next, *due_prev;
};

struct station {
    char ack_topic[MQTT_TOPIC_MAX];
    struct mqtt_topic name; /* region and station */
    struct layout *layouts; /* by id */
    size_t layouts_n, layouts_cap;
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
    int64_t now_ms; /* of the call in progress */

    struct station **stations; /* hash table, stations_cap a power of two */
    size_t stations_n, stations_cap;
    size_t kept_bytes, aside_bytes, state_bytes, layout_bytes;
    struct segment *newest, *oldest; /* by use */

    struct item *queue, **queue_end; /* in order, not in the outbox yet */
    struct item *current;            /* whose rows are being written */
    struct series_frame frame;       /* of it */
    uint32_t row;                    /* the next */
    struct outbox outbox;
    enum uplink_verdict database; /* what the log says of it; UPLINK_SENT: nothing yet */

    struct run *due, *due_last;
    int64_t gap_scan_ms;
};

/* A sentence for the log, rate-limited by kind. The station may be NULL. */
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

/* ---- arrive.c ---- */

void arrive_series(struct centre *c, struct station *s, const void *data, size_t size);
void arrive_event(struct centre *c, struct station *s, const void *data, size_t size);
void arrive_layout(struct centre *c, struct station *s, uint32_t id, const void *data,
                   size_t size);
