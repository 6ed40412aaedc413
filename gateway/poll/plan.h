/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - which read requests make up one scan of a device: the fewest that its profile allows.
 *
 * Pure. The registers of a profile are cut into pieces that must be read together (one value,
 * or a whole block when the profile is atomic); neighbouring pieces share a request as far as
 * read_max and read_gap let them. A request that the device refuses is cut in two, until the
 * piece that causes it stands alone and is left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

struct plan_piece {
    uint8_t space; /* enum register_space */
    bool is_left_out;
    bool is_reported;
    uint16_t first, count; /* PDU address */
    uint16_t offset;       /* in the word image */
};

struct plan_request {
    uint16_t from, to; /* pieces [from, to) */
};

struct plan {
    struct plan_piece *pieces;
    size_t pieces_n;
    struct plan_request *requests; /* in the order of asking; room for one per piece */
    size_t requests_n;
    int max, gap; /* registers */
    bool is_joining;
};

/* 0, -ENOMEM, or -EINVAL for a profile without registers. */
int plan_init(struct plan *pl, const struct profile *p);
void plan_done(struct plan *pl);

/* Merge afresh, taking left-out pieces back in. */
void plan_reset(struct plan *pl);

struct plan_read {
    uint8_t space;
    uint16_t first, count;
};
struct plan_read plan_read_of(const struct plan *pl, size_t request);

/* Copy an answer (count words of plan_read_of) to where the profile wants them. */
void plan_store(const struct plan *pl, size_t request, const uint16_t *answer, uint16_t *words,
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
