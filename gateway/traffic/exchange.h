/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange - recorded frames put together: a request and what became of it. Pure.
 *
 * For a bus at a time: feed its lines in order. Damaged, late and foreign frames end nothing:
 * they were dropped when they came.
 */
#pragma once

#include "gateway/traffic/record.h"

struct traffic_exchange {
    const struct record_line *request;
    const struct record_line *answer; /* NULL: none that was taken */
    struct bus_request asked;         /* of reads and identifications; function 0: of another
                                       * function, or no sound frame */
    struct bus_reply reply;           /* as the bus gave it to its owner */
};

struct traffic_pairing { /* of one bus; zeroed at the start */
    struct record_line request;
    bool has_request;
};

/* One more line of the bus. True when an exchange is complete, which is then in *ret; what it
 * points to lives until the next call. A request that follows another closes that one without
 * an answer: then call again with the same line. */
bool traffic_feed(struct traffic_pairing *p, const struct record_line *l,
                  struct traffic_exchange *ret, bool *ret_again);

/* A request that stands open at the end of the file. */
bool traffic_end(struct traffic_pairing *p, struct traffic_exchange *ret);

/* Unit, function and data of a frame: *ret_n bytes; NULL when the frame is too short. */
const uint8_t *traffic_content(const struct record_line *l, size_t *ret_n);
