/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader - a reading connection and its memory. Entries are copied in chunks, so that no read
 * transaction, which would keep the WAL from being cut, lasts as long as somebody else's
 * callback.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/store/db.h"
#include "gateway/store/store.h"

enum {
    CHUNK_ENTRIES = 128,
    CHUNK_BYTES = 1 << 20, /* the chunk ends with the entry that passes it */
};

struct chunk {
    struct store_entry entries[CHUNK_ENTRIES];
    size_t at[CHUNK_ENTRIES]; /* of the data, while it is collected */
    unsigned n;
    bool is_full; /* there may be more */
    struct buf data;
};

/* Copies what a statement over entry gives (its columns as in statements.def) and resets it. 0
 * or a negative errno; what came before the failure stands. */
int chunk_fill(struct chunk *c, sqlite3_stmt *st);
void chunk_done(struct chunk *c);

struct store_reader {
    struct store *store; /* NULL: of a file (store_reader_open_file) */
    struct db db;
    struct chunk entries, segment, events, frames; /* one per function: they may be nested */
    struct series_decoder *decoder;
    /* rows in no frame, copied */
    int64_t *time_ms;
    struct series_cell *cells;
    size_t rows, time_cap, cells_cap;
};

/*
 * A reader without a store, for tools: of the log of a running station, of its copy, of one
 * that was set aside. Nothing is written, and the tables stay of the version they are of; the
 * cursor of a new uplink is where it would begin. 0 or a negative errno with a sentence: no
 * log, of a newer version, unreadable.
 */
int store_reader_open_file(const char *path, struct store_reader **ret, char *error,
                           size_t error_size);

/* As store_epoch(); 0 when it cannot be read. */
uint64_t store_read_epoch(struct store_reader *r);

/*
 * Rows of one stream in no frame, t_from <= time < t_to; at that moment *ret_seq_last was the
 * newest entry, so frames up to it (store_read_frames) and these rows are all there is, each
 * once.
 */
int store_read_pending(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                       bool (*each)(void *user, int64_t time_ms,
                                    const struct series_cell *cells, unsigned columns,
                                    uint32_t layout),
                       void *user, uint64_t *ret_seq_last);

/*
 * Stored frames, not decoded, up to entry seq_last: of every segment of the stream with rows of
 * that time those from the first to the last that has such rows, which is what can be decoded.
 */
int store_read_frames(struct store_reader *r, uint32_t stream, int64_t t_from, int64_t t_to,
                      uint64_t seq_last, bool (*each)(void *user, const struct store_entry *e),
                      void *user);

/* How many frames have rows of that time: for progress. */
uint64_t store_count_frames(struct store_reader *r, uint32_t stream, int64_t t_from,
                            int64_t t_to);

/* Every stream ever opened, and every dictionary kept, with the number of its layout. 0 or a
 * negative errno. */
int store_read_streams(struct store_reader *r,
                       void (*each)(void *user, uint32_t number, const char *name,
                                    uint32_t layout, bool is_local),
                       void *user);
int store_read_layouts(struct store_reader *r,
                       void (*each)(void *user, uint32_t layout, const char *dictionary),
                       void *user);

/*
 * salvage.c: the entries of a damaged file in the order of their numbers, by the table alone,
 * past what cannot be read: `lost` is told each stretch of numbers that may have had entries
 * (to UINT64_MAX: up to the end). Until `each` returns false. 0 or a negative errno that is not
 * the file's fault.
 */
int store_salvage(struct store_reader *r, bool (*each)(void *user, const struct store_entry *e),
                  void (*lost)(void *user, uint64_t from, uint64_t to), void *user);
