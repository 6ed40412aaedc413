/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - which read requests make up one scan of a device: the cheapest that its profile
 * allows.
 *
 * Pure. The registers of a profile are cut into pieces that must be read together (one value,
 * or a whole block when the profile is atomic). Neighbouring pieces share a request as far as
 * read_max and read_gap let them, and as long as the unused registers between them cost less
 * of the line's time than another exchange.
 *
 * A request that the device refuses is cut in two, at its widest hole first, until what causes
 * it is known:
 *   a piece that is refused alone is left out, and asked again alone after plan_try()
 *   a cut whose both sides are answered is kept: the hole there, or the length of the whole,
 *   was the cause
 * A cut that did not help is taken back by plan_merge().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

struct plan_piece {
    uint8_t space; /* enum register_space */
    bool is_left_out, is_reported;
    bool is_on_trial;      /* was left out, is asked alone */
    bool is_cut;           /* never joined with the piece before it: that was refused */
    uint16_t first, count; /* PDU address */
    uint16_t offset;       /* in the word image */
};

struct plan_request {
    uint16_t from, to; /* pieces [from, to) */
};

/* Time on the line, in any unit; all 0: an exchange is dear, a hole is bridged where it may. */
struct plan_cost {
    int64_t exchange; /* of a request and its answer without registers, silences included */
    int64_t byte;     /* of one more byte of an answer */
    int registers;    /* that one answer should have at most; 0: any */
};

struct plan {
    struct plan_piece *pieces;
    size_t pieces_n;
    struct plan_request *requests; /* in the order of asking; room for one per piece */
    size_t requests_n;
    int max, gap; /* registers */
    struct plan_cost cost;
    bool is_joining;
    bool is_stale; /* plan_merge() may find fewer requests */
};

/* 0, -ENOMEM, or -EINVAL for a profile without registers. */
int plan_init(struct plan *pl, const struct profile *p, struct plan_cost cost);
void plan_done(struct plan *pl);

/* Join afresh around what is left out or cut. After a scan that came to its end; while the
 * cause of a refusal is being looked for, merging would lose what is known. */
void plan_merge(struct plan *pl);

/* As after plan_init(), but for what was reported. */
void plan_reset(struct plan *pl);

/* Left-out pieces are asked again, each in a request of its own: it costs the others nothing.
 * With `cuts` those are given up too. */
void plan_try(struct plan *pl, bool cuts);
size_t plan_left_out(const struct plan *pl);
bool plan_has_cuts(const struct plan *pl);

struct plan_read {
    uint8_t space;
    uint16_t first, count;
};
struct plan_read plan_read_of(const struct plan *pl, size_t request);
int64_t plan_read_bytes(const struct plan_read *r); /* of data in its answer */

/* Copy an answer (count words of plan_read_of) to where the profile wants them; its pieces are
 * no longer on trial. */
void plan_store(struct plan *pl, size_t request, const uint16_t *answer, uint16_t *words,
                uint8_t *have);

enum plan_refusal {
    PLAN_SPLIT,         /* `request` and the one after it are its parts now */
    PLAN_LEFT_OUT,      /* it is gone, the next one has its place; tell it once */
    PLAN_LEFT_OUT_AGAIN /* the same, already told */
};

/* The device refused the addresses of a request. *ret_piece is written when it is left out. */
enum plan_refusal plan_refuse(struct plan *pl, size_t request, struct plan_piece *ret_piece);

/* Put the first request last: the next scan begins with another one. */
void plan_rotate(struct plan *pl);
