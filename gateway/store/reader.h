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
 * or a negative errno. */
int chunk_fill(struct chunk *c, sqlite3_stmt *st);
void chunk_done(struct chunk *c);

struct store_reader {
    struct store *store;
    struct db db;
    struct chunk entries, segment, events, frames; /* one per function: they may be nested */
    struct series_decoder *decoder;
    /* rows in no frame, copied */
    int64_t *time_ms;
    struct series_cell *cells;
    size_t rows, time_cap, cells_cap;
};
