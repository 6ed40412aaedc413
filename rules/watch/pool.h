/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool - slots shorter than those a kind is made for, put together: the mean of a minute of
 * counts, of an hour of air. A kind that is tuned to its step then judges as it was measured
 * to, however often the instrument is asked. Pure, plain data.
 */
#pragma once

#include "rules/watch/kinds.h"

struct pool {
    uint32_t slots, values, impossible, calibrations;
    double mean;
    double aside[WATCH_ASIDES];
    uint32_t asides[WATCH_ASIDES]; /* values of each */
};

/* Slots that make one of `whole_ms`; 1 where they are as long or longer. */
uint32_t pool_of(const struct watch_config *c, int64_t whole_ms);
/* A slot. Whether the pool of `of` slots is full: then it is in *ret, and the next one begins.
 * What is no finite value of the range is missing or impossible there, beside: NaN. */
bool pool_add(const struct watch_config *c, struct pool *p, uint32_t of,
              const struct watch_slot *s, struct watch_slot *ret);
