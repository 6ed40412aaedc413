/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scatter - values that jump to and fro more than any source does: the mean step between those
 * that count, told one after the other. Which count is up to the user; for sound, those above
 * the limit, so that the pauses of a source that comes and goes are left out. Pure, plain data,
 * integers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SCATTER_MAX = 8,  /* values looked at together */
    SCATTER_LEAST = 3 /* two steps: one may be the beginning of something */
};

struct scatter_config {
    int32_t step; /* mean step from which they are scattered, in steps of the instrument */
    int sure;     /* values from which a notice may be raised */
    int forget;   /* values in a row that do not count: what was told is past */
};

struct scatter {
    uint8_t n;
    uint8_t idle;
    int16_t last[SCATTER_MAX]; /* oldest first */
};

enum scatter_verdict { SCATTER_NONE, SCATTER_SEEN, SCATTER_SURE };

/* A value that counts. */
enum scatter_verdict scatter_push(const struct scatter_config *c, struct scatter *s, int16_t x);
/* A value that does not. */
void scatter_pass(const struct scatter_config *c, struct scatter *s);
void scatter_clear(struct scatter *s);
