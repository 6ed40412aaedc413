/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slave - answers one Modbus request for a group of instruments that share a port or a line, by
 * libmodbus: it checks, replies and frames; which registers exist is the instruments' to say,
 * and what then happens to the answer is their faults'. One thread.
 */
#pragma once

#include "gateway/base/clock.h"
#include "gateway/sim/exchange.h"
#include "gateway/sim/fault.h"
#include "gateway/sim/instrument.h"

struct slave_group {
    struct instrument **instruments; /* the sim's; unit numbers differ */
    size_t n;
    const struct clock *clock;
    struct exchange *exchange; /* shared by every group with this kind of line */
    enum slave_line line;
    int64_t start_ms;                     /* mono_ms() at the start: faults count from it */
    uint64_t answers, exceptions, silent; /* requests so far, by what became of them */
    /* NULL, or answers in place of instruments: unit and PDU of a request (n bytes) to those of
     * its answer in out (EXCHANGE_FRAME_MAX bytes). Returns their number, 0: silence. */
    size_t (*answer)(void *user, const uint8_t *unit_pdu, size_t n, uint8_t *out);
    void *user;
};

/*
 * Answers the request frame[0..n). A unit that is not there gets silence on a line (a broadcast
 * too), the exception "gateway target" on TCP, where the units 0 and 255 mean the only
 * instrument of a port. Functions 1 to 4; 5, 6, 15 and 16 for what the profile's commands
 * write; 0x2B with MEI type 0x0E. Others get exception 1, registers that no profile has
 * exception 2. ret->n is 0 when nothing is to be sent.
 */
void slave_answer(struct slave_group *g, const uint8_t *frame, size_t n,
                  struct fault_answer *ret);
