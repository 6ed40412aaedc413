/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - the station's log: ordered, append-only, in SQLite (WAL, synchronous=FULL).
 *
 * Everything that changed goes into one transaction per commit interval; accepted = committed.
 * The main thread builds batches and submits them, never blocking; the writer thread owns the
 * only writing connection, commits, seals pending rows into SF1 frames and numbers the entries
 * without gaps. Readers have connections of their own. Kill -9 at any instant loses at most
 * what was not committed: rows already committed but not yet sealed are sealed at the next
 * start, but for those whose flags may still change.
 *
 * Retention keeps only what can be decoded: frames go together with all others of their
 * segments, a stretch of the log at a time, so an entry may stay an eighth of age_max (at most
 * 7 days) longer. From 80 % of size_max on (or of what the disk has room for, if that is less)
 * the oldest entries go that every uplink has acknowledged. What an uplink has not acknowledged
 * stays, and what is needed to decode it, until the log is full: then the oldest frames go all
 * the same, events after all frames, and events of the kind "loss" say what went. Numbers of
 * entries that are gone are passed over by the functions that read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/clock.h"
#include "gateway/series/series.h"

enum {
    STORE_QUEUE_BYTES_MAX =
        32 << 20,               /* batches waiting for the writer: minutes of a stalled disk */
    STORE_EVENT_MAX = 16 << 10, /* bytes of one event */
    STORE_STATE_MAX = 1 << 20,  /* bytes of one state */
    STORE_NAME_MAX = 256,       /* bytes of a state's key, an uplink's or a stream's name */
    STORE_RANGES_MAX = 256,     /* acknowledged ranges above a cursor's contiguous part */
    STORE_WAIT_MAX_MS = 7 * 86400000, /* a row is open for so long at most */
};

struct store_options {
    const char *path;   /* the database file */
    int64_t commit_ms;  /* commit interval, default 1000 */
    int64_t seal_ms;    /* oldest pending row of a stream: its frame is sealed at this age */
    unsigned seal_rows; /* or at this many rows */
    unsigned dense_columns_max; /* channels whose frames are coded DENSE, half the size for 6 KB
                                 * each; the streams beyond are coded PLAIN */
    int64_t size_max_bytes;     /* retention by size; 0: none */
    int64_t ballast_bytes;      /* room kept in a file for when the disk is full; 0: none */
    int64_t age_max_ms;         /* retention by age; 0: none */
    bool is_ending;             /* no more rows will come: open ones are taken as they are */
    double speed; /* of the clock: intervals above are station time; 1 in operation */
    const struct clock *clock; /* station time for retention by age; NULL: the system's */
};

struct store_commit {               /* after each commit */
    uint64_t seq_last;              /* the newest entry */
    uint64_t samples, rows, events; /* accepted since the log was created */
    uint64_t batches;               /* of this run, in the order of their submission */
};

struct store;

/*
 * Open or create; check for damage, for 2 s at most; recover (seal what an earlier run left
 * pending); read back journal mode and synchronous. A damaged log is set aside as
 * "<path>-damaged-<time>" and a new one begins with an event of the kind "damage". `error` gets
 * a full sentence. Blocks; call before the loop runs. on_commit is called by the writer thread
 * after each commit; it must not block.
 */
int store_open(const struct store_options *options,
               void (*on_commit)(void *user, const struct store_commit *c), void *user,
               struct store **ret, char *error, size_t error_size);

/* Commit all that was submitted, seal what is pending, checkpoint, close. Takes NULL. */
void store_close(struct store *s);

/* 8 random bytes, new with every new or restored database. */
uint64_t store_epoch(const struct store *s);

/*
 * The stream of this name with this dictionary (JSON of section 9 of the series format, without
 * the members "layout" and "stream"; the store adds the stream's number and computes the
 * layout). A dictionary with "local": true makes a stream of the station alone: its entries are
 * passed over by the uplinks and its cells do not count as samples. Main thread; waits for the
 * writer, so only at start and reload. Returns 0 and the number.
 */
int store_stream_open(struct store *s, const char *name, unsigned columns, int64_t period_ms,
                      uint32_t unit_ms, const struct series_hint *hints, const char *dictionary,
                      uint32_t *ret_number);

/*
 * The same without waiting, for a stream that is needed while the station runs. One at a time:
 * -EBUSY. What is given is copied. Main thread.
 */
struct store_asked;
int store_stream_ask(struct store *s, const char *name, unsigned columns, int64_t period_ms,
                     uint32_t unit_ms, const char *dictionary, struct store_asked **ret);
/* 0 and the number, or a negative errno: then `a` is gone. -EINPROGRESS: not yet. */
int store_stream_asked(struct store *s, struct store_asked *a, uint32_t *ret_number);
/* Nobody wants to know any more: waits for the writer. Takes NULL. */
void store_stream_drop(struct store *s, struct store_asked *a);

/* One unit of change: all of it is committed together, or none. Rows and states: main thread.
 * Events alone: any thread, a batch of its own. */
struct store_batch;
int store_batch_begin(struct store *s, struct store_batch **ret);
int store_batch_row(struct store_batch *b, uint32_t stream, int64_t time_ms,
                    const struct series_cell *cells, unsigned columns);
/*
 * A row whose flags are not final yet: committed and read as any other, but in no frame until
 * store_batch_final() says what they are, another row of the stream comes, its columns change,
 * or wait_ms have gone by (of this run, after a restart): then they are final as given.
 */
int store_batch_open_row(struct store_batch *b, uint32_t stream, int64_t time_ms,
                         const struct series_cell *cells, unsigned columns, int64_t wait_ms);
/* The open row of that time as it is for good. Where the row is open no more it stays as it is.
 */
int store_batch_final(struct store_batch *b, uint32_t stream, int64_t time_ms,
                      const struct series_cell *cells, unsigned columns);
/* `json`: an object "{...}" without "epoch" and "seq"; the store puts them in front. */
int store_batch_event(struct store_batch *b, const char *json);
/* The same, but it stays in the station: uplinks pass over it, and so does whoever reads all
 * events. */
int store_batch_note(struct store_batch *b, const char *json);
/* Module state that must survive a restart with exactly these rows; size 0 deletes it. */
int store_batch_state(struct store_batch *b, const char *key, const void *data, size_t size);
void store_batch_drop(struct store_batch *b);

enum store_urgency {
    STORE_WITH_INTERVAL, /* at the next commit */
    STORE_AT_ONCE,       /* somebody outside waits: an alert, a command's reply */
};

/* Hands the batch over and frees it in any case. -EAGAIN when the queue is full (counted; the
 * batch is not accepted). */
int store_batch_submit(struct store_batch *b, enum store_urgency urgency);

/* Batches submitted in this run: what was submitted before is committed as soon as
 * store_commit.batches is not less. Any thread. */
uint64_t store_submitted(struct store *s);

/* State as of the last commit, NULL when absent; free() it. Before the loop runs. */
void *store_state_get(struct store *s, const char *key, size_t *ret_size);

/* Every state whose key starts with `prefix`. Before the loop runs. */
int store_state_each(struct store *s, const char *prefix,
                     void (*each)(void *user, const char *key, const void *data, size_t size),
                     void *user);

struct store_health {
    struct store_commit committed;
    uint64_t queue_bytes, batches_refused, commits, commit_errors;
    int64_t commit_ms_max;
    int64_t size_bytes, limit_bytes; /* limit: size_max or what the disk has; 0: none */
    bool is_full, has_ballast;       /* the last commit found no room; the ballast is held */
    uint64_t lost_entries, lost_samples; /* of this run: gone before every uplink had them */
    char error[160];                     /* "" when all is well */
};
void store_health_get(struct store *s, struct store_health *ret); /* any thread */

/*
 * ---- reading: one reader per thread, its own connection ----
 *
 * No read transaction is open while a callback runs; a callback may call other functions of its
 * reader, but not the one that called it.
 */

struct store_reader;
int store_reader_open(struct store *s, struct store_reader **ret);
void store_reader_close(struct store_reader *r);

enum store_kind { STORE_FRAME = 1, STORE_EVENT = 2 };

struct store_entry {
    uint64_t seq;
    enum store_kind kind;
    uint32_t stream, segment, frame_seq; /* frames */
    int64_t t_first, t_last;             /* ms UTC; of an event: when */
    uint32_t samples;                    /* cells of a frame; 0 for an event */
    bool is_local;                       /* stays in the station: uplinks pass over it */
    const void *data; /* frame bytes, or JSON without NUL; until the next call */
    size_t size;
};

/* Entries from..to in order, until `each` returns false. 0 or a negative errno. */
int store_read_entries(struct store_reader *r, uint64_t from, uint64_t to,
                       bool (*each)(void *user, const struct store_entry *e), void *user);

/* The events among them that do not stay in the station. */
int store_read_event_entries(struct store_reader *r, uint64_t from, uint64_t to,
                             bool (*each)(void *user, const struct store_entry *e), void *user);

/* Frames of one segment from frame_seq on, in order: to rebuild a decoder or answer "need". */
int store_read_segment(struct store_reader *r, uint32_t stream, uint32_t segment,
                       uint32_t from_frame_seq,
                       bool (*each)(void *user, const struct store_entry *e), void *user);

/*
 * Decoded rows of one stream with t_from <= time < t_to, sealed and pending, in the order they
 * were accepted: oldest first unless the clock was set back. The cells have the columns of
 * their own segment: `layout` names the dictionary in force. Frames whose key frame is gone are
 * passed over.
 */
int store_read_rows(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                    bool (*each)(void *user, int64_t time_ms, const struct series_cell *cells,
                                 unsigned columns, uint32_t layout),
                    void *user);

/* The same, but of each row at least the leading cells that `wanted` asks for: the fewer, the
 * faster. 0: rows of that layout are passed over. */
int store_read_columns(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                       unsigned (*wanted)(void *user, uint32_t layout),
                       bool (*each)(void *user, int64_t time_ms,
                                    const struct series_cell *cells, unsigned columns,
                                    uint32_t layout),
                       void *user);

/* The dictionary of a layout, as announced (with "layout", "stream"); free() it. NULL if
 * unknown. */
char *store_read_layout(struct store_reader *r, uint32_t layout);

/* Newest row time of a stream, sealed or pending; 0 when it has none. */
int64_t store_read_last_time(struct store_reader *r, uint32_t stream);
/* The layout in force of a stream (as opened last); 0 when it is unknown. */
uint32_t store_read_stream_layout(struct store_reader *r, uint32_t stream);

/* Newest first events whose "kind" is `kind` (NULL: all but those that stay in the station), at
 * most n. */
int store_read_events(struct store_reader *r, const char *kind, unsigned n,
                      bool (*each)(void *user, const struct store_entry *e), void *user);

uint64_t store_read_last_seq(struct store_reader *r);
uint64_t store_read_first_seq(struct store_reader *r);
/* The first entry from `seq` on that is not local; one behind the last when there is none. */
uint64_t store_read_next_shared(struct store_reader *r, uint64_t seq);
/* The first event from there on, in the same way. */
uint64_t store_read_next_event(struct store_reader *r, uint64_t seq);

/* ---- cursors: one per uplink ---- */

struct store_range {
    uint64_t from, to; /* inclusive */
};

struct store_cursor {
    uint64_t acked_to;                          /* every entry up to this one is acknowledged */
    struct store_range above[STORE_RANGES_MAX]; /* acknowledged ones above, sorted, disjoint */
    size_t above_n;
};

/* The uplink's cursor; a new uplink starts at the oldest entry kept that can be decoded, which
 * stays from then on.
 * Reader's thread. */
int store_cursor_get(struct store_reader *r, const char *uplink, struct store_cursor *ret);
/* Written with the next commit; any thread. Losing it costs repetition, never data. */
int store_cursor_set(struct store *s, const char *uplink, const struct store_cursor *c);

/* The uplink is no longer configured: nothing is kept for it any more. With the next commit. */
int store_cursor_forget(struct store *s, const char *uplink);

/* An entry that the destination refuses, set aside with its reason. Any thread. */
int store_set_aside(struct store *s, const char *uplink, uint64_t seq, const char *why);
uint64_t store_read_set_aside(struct store_reader *r, const char *uplink); /* how many */
/* Those of them behind entry `after`, at most `max`, in order. Returns how many. */
size_t store_read_aside(struct store_reader *r, const char *uplink, uint64_t after,
                        uint64_t *ret, size_t max);
/* It is set aside no longer: the destination took it after all. Any thread. */
int store_take_back(struct store *s, const char *uplink, uint64_t seq);
