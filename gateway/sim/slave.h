/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slave - answers one Modbus request for a group of instruments that share a port or a line, by
 * libmodbus: it frames, checks and replies; which registers exist is the instruments' to say.
 * One thread.
 */
#pragma once

#include <modbus.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/clock.h"
#include "gateway/sim/instrument.h"

enum slave_line {
    SLAVE_TCP, /* an unknown unit gets the exception "gateway target" */
    SLAVE_RTU  /* an unknown unit gets silence, a broadcast too */
};

struct slave_group {
    struct instrument **instruments; /* the sim's; unit numbers differ */
    size_t n;
    const struct clock *clock;
    uint64_t answers, exceptions, silent; /* requests so far, by what became of them */
};

/*
 * Answers the request req[0..n) that modbus_receive() delivered on `ctx`. On TCP the units 0
 * and 255 mean the only instrument of a port. Functions 1 to 4; others get exception 1,
 * registers that no profile has exception 2. Returns 0, or -EIO when the reply could not be
 * written.
 */
int slave_answer(struct slave_group *g, enum slave_line line, modbus_t *ctx, const uint8_t *req,
                 int n);
