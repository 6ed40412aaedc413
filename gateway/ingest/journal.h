/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - what the database has answered for but not yet proven to have on its disk: the
 * lines, to be written again should it lose them, and the entries they belong to. In memory,
 * bounded. Pure; time is an argument; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/backoff.h"

struct item; /* segment.h */

enum {
    JOURNAL_BYTES = 32 << 20, /* lines; at half of it a proof is due */
    JOURNAL_ITEMS = 512,      /* the same for entries: stations wait with a full window */
    JOURNAL_REST = 2,         /* a proof is asked for after so many times what the last took */
    JOURNAL_REST_MAX_MS = 5000, /* a busy disk must not make stations wait for their timers */
};

struct journal {
    char *text;
    size_t size;
    struct item *items, **items_end;
    size_t items_n;
    int64_t since_ms; /* of the oldest line */
    bool is_replaying;
    size_t replayed; /* lines up to here were written again */
    int64_t begun_ms, not_before_ms;
    struct backoff later;
};

int journal_init(struct journal *j);  /* 0 or -ENOMEM */
void journal_done(struct journal *j); /* the items were taken */

bool journal_has_room(const struct journal *j, size_t size);
/* Answered by the database; there is room. */
void journal_add(struct journal *j, const char *lines, size_t size, int64_t now_ms);
/* All its lines were added. */
void journal_add_item(struct journal *j, struct item *i, int64_t now_ms);

/* How long until a proof is due: 0 now, INT64_MAX when there is nothing to prove. */
int64_t journal_wait_ms(const struct journal *j, int64_t now_ms, int64_t interval_ms);
void journal_begin_proof(struct journal *j, int64_t now_ms);
/* On disk: forgets the lines and hands out the entries, linked. */
struct item *journal_proven(struct journal *j, int64_t now_ms);
/* All lines are to be written again, the next proof not at once. */
void journal_doubted(struct journal *j, int64_t now_ms);

/* While is_replaying: the next whole lines, at most `max` bytes unless one line is longer. */
const char *journal_replay(struct journal *j, size_t max, size_t *ret_size);
