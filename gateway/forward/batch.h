/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch - entries read from the log, copied, decoded when the uplink wants rows. Built once and
 * sent until it is delivered, so that every try has the same bytes. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/store.h"
#include "gateway/uplink/uplink.h"

enum {
    BATCH_ENTRIES_MAX = 500,
    BATCH_BYTES_MAX = 1 << 20, /* a first larger entry is taken alone */
    BATCH_CELLS_MAX = 50000,   /* decoded: 16 bytes each */
    BATCH_STREAMS_MAX = 4096,  /* decoders kept; at more, all are rebuilt from the log */
};

/* Frames of one lane come in order; two lanes need two states. */
enum batch_lane { LANE_BACKLOG, LANE_LIVE, LANE_COUNT_ };

struct stream_state; /* of one stream in one lane */

enum { BATCH_BEGUN_MAX = 64 }; /* segments noted at a time; the next batch finds the others */

struct batch {
    struct store_reader *reader;
    bool wants_rows, only_events;
    struct uplink_entry entries[BATCH_ENTRIES_MAX];
    struct series_frame frames[BATCH_ENTRIES_MAX];
    struct store_entry heads[BATCH_ENTRIES_MAX]; /* data: offset resolved when complete */
    size_t n, begin;      /* entries, and the first one not yet dealt with */
    uint64_t examined_to; /* the last entry that was looked at, taken or not */
    size_t limit, bytes_max;
    bool is_full; /* more would have come, but for a limit */
    /* chained frames whose segment this lane has not begun: what comes before them */
    struct uplink_need begun[BATCH_BEGUN_MAX];
    size_t begun_n;
    bool (*is_wanted)(void *user, const struct store_entry *e);
    void *user;
    /* memory of the entries */
    uint8_t *bytes;
    size_t bytes_n, bytes_cap, cells;
    void *rows[BATCH_ENTRIES_MAX]; /* of decoded frames */
    struct stream_state *streams[LANE_COUNT_];
    size_t streams_n[LANE_COUNT_];
    int error; /* while reading: -ENOMEM */
};

/* `is_wanted` tells which entries are still to be sent. */
void batch_init(struct batch *b, struct store_reader *reader, bool wants_rows,
                bool (*is_wanted)(void *user, const struct store_entry *e), void *user);
void batch_done(struct batch *b);
void batch_clear(struct batch *b);
/* Its first `n` entries from `begin` on have been dealt with. */
void batch_advance(struct batch *b, size_t n);
/* Batches hold at most so many bytes from now on; a larger first entry comes alone. */
void batch_set_bytes(struct batch *b, size_t max);
/* The lane begins anew: nothing is known of what the other end has of it. */
void batch_begin_lane(struct batch *b, enum batch_lane lane);

/*
 * Each fills an empty batch with at most `limit` wanted entries. 0, or a negative errno. An
 * entry that cannot be decoded is there without rows: its `frame` is NULL.
 */
int batch_read_range(struct batch *b, uint64_t from, uint64_t to, size_t limit,
                     enum batch_lane lane);
int batch_read_list(struct batch *b, const uint64_t *seqs, size_t n, enum batch_lane lane);
/* Of one segment; `wants_all`: wanted or not, since the destination asks for them. */
int batch_read_segment(struct batch *b, const struct uplink_need *need, size_t limit,
                       bool wants_all);
/* The newest wanted events behind entry `after`, at most `limit`, put in order. */
int batch_read_events(struct batch *b, uint64_t after, size_t limit);
