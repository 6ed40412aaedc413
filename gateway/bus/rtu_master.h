/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtu_master - the transactions of one Modbus RTU line as a state machine: bytes in; bytes,
 * waits and verdicts out. Pure: no port, no clock, no thread; time is an argument, in
 * microseconds of any clock that never goes back.
 *
 *   IDLE --ask--> SETTLE --silent--> SEND --sent--> READ --answer, deadline--> DONE --> IDLE
 *                    ^                               |
 *                    +---- the short read is over ---+
 *
 * Modbus RTU numbers nothing, so an answer that comes after its deadline looks like the answer
 * to the next request. Three things keep it out:
 *
 *   silence   nothing is sent before the line has been silent; what came until then is dropped
 *   quiet     a unit that missed a deadline is left alone for a multiple of its answer time
 *   order     nothing is asked while an answer is outstanding that could be taken for the one
 *             to come: then a short read whose answer looks different goes first. Units answer
 *             in order, so its answer proves that the outstanding ones are over (rtu_open.h)
 *
 * What is left is noise that a CRC of 16 bits does not see. A copy of an answer that comes
 * after the next request was sent is beyond any master: who repeats frames on a line must do it
 * before the line has been silent.
 *
 * Adapters that hand back what they send are recognised by it. A frame that would be its own
 * answer (functions 5 and 6) is sent only when it is known whether this one does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/bus/bus.h"

struct rtu_master;

struct rtu_options {
    int64_t char_us;    /* time of a character on the wire; 0: not known */
    int64_t gap_us;     /* silence between frames */
    int64_t strange_us; /* silence that ends a frame which did not begin like the answer */
    /* Packet 0: a wire. Else timeouts of requests are not looked at but learnt, and what the
     * radio may still bring, late or twice, is waited for. */
    struct lora_modem modem;

    /* Called from within the functions below, which they must not call again. */

    /* A sound frame of a unit came after its deadline; -1: it is not known by how much. */
    void (*on_late)(void *user, uint8_t unit, int64_t took_us);
    /* Every frame, in the order of the wire; time_ms is 0. NULL: nobody looks. */
    void (*on_frame)(void *user, const struct bus_frame *f);
    /* The adapter hands back what is sent; once. */
    void (*on_echo)(void *user);
    void *user;
};

/* 0 or -ENOMEM. */
int rtu_master_create(const struct rtu_options *o, struct rtu_master **ret);
void rtu_master_destroy(struct rtu_master *m);

/* The line is there, and nothing of what came before matters. */
void rtu_master_open(struct rtu_master *m, int64_t now_us);

/* The line went away: a request under way ends with BUS_NO_LINK. */
void rtu_master_lose(struct rtu_master *m, int64_t now_us);

/* Begins a transaction with what bus_send() lets pass. 0; -EBUSY: one is under way; -ENOMEM,
 * for a unit that was never asked before. */
int rtu_master_ask(struct rtu_master *m, const struct bus_request *r, int64_t now_us);

/* Bytes came. is_leaving: the last request has not wholly left yet. */
void rtu_master_take(struct rtu_master *m, const uint8_t *p, size_t n, bool is_leaving,
                     int64_t now_us);

enum rtu_need {
    RTU_WAIT, /* for bytes, at most until until_us (INT64_MAX: for ever), then ask again */
    RTU_SEND, /* these bytes, then call rtu_master_sent(); live until then */
    RTU_DONE, /* the transaction is over; all of `reply` but time_ms is filled */
};

struct rtu_step {
    int64_t until_us;
    const uint8_t *bytes;
    size_t n;
    struct bus_reply reply;
};

/* What is to be done now. Writes only what belongs to the need. */
enum rtu_need rtu_master_next(struct rtu_master *m, int64_t now_us, struct rtu_step *ret);

void rtu_master_sent(struct rtu_master *m, int64_t now_us);
