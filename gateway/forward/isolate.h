/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isolate - entries under suspicion: the destination failed at a batch with them ("later", over
 * and over), and perhaps it fails at everything. They are tried apart, in ever smaller pieces,
 * until the one it really fails at stands alone. Pure; one thread.
 *
 * What tells a culprit from a destination that is down: other entries got through just before
 * and just after it failed alone, and that SUSPECT_STRIKES times. While nothing gets through
 * nobody is convicted; one that gets through itself is acquitted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SUSPECTS_MAX = 1024, /* two batches */
    SUSPECT_STRIKES = 5, /* of a destination that fails one try in three: 1 in 5000 by chance */
};

struct suspect {
    uint64_t seq;
    unsigned strikes;
    bool has_failed; /* alone, and nothing has got through since */
};

struct isolate {
    struct suspect *suspects; /* sorted by seq; room from the first one on */
    size_t n;
    uint64_t at;  /* the next piece begins behind this entry, or anew */
    size_t limit; /* entries of the next piece */
};

void isolate_done(struct isolate *i); /* to none, and no memory */

/* 0, -ENOSPC when there are too many, -ENOMEM. */
int isolate_add(struct isolate *i, uint64_t seq);
bool isolate_has(const struct isolate *i, uint64_t seq);
/* from..to are delivered, set aside, or gone. */
void isolate_drop(struct isolate *i, uint64_t from, uint64_t to);

/* The entries of the next piece, at most `max`. How many; 0: there are no suspects. */
size_t isolate_pick(struct isolate *i, uint64_t *out, size_t max);

/* The destination failed at this piece; `is_answering`: just before it took something else. */
void isolate_failed(struct isolate *i, const uint64_t *seqs, size_t n, bool is_answering);
/* It took the piece that ends with `last`. */
void isolate_passed(struct isolate *i, uint64_t last);

/* The destination failed at something else: it may be its own fault. */
void isolate_doubted(struct isolate *i);
/* The destination took something. */
void isolate_answered(struct isolate *i);
/* An entry that is convicted; 0: none. */
uint64_t isolate_convicted(const struct isolate *i);
