/* SPDX-License-Identifier: Apache-2.0 */
/*
 * liveliness - whether a source moves as real ones do. Real sound varies by about 1 dB from
 * sample to sample; mains hum, an oscillating amplifier, a held value or a tone generator does
 * not. What is on keeps its level: the spread is taken since the last jump, or one sample of
 * before would make a hum look alive. Pure, plain data, integers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/detect/mofn.h"

enum { LIVELINESS_MAX = 30 }; /* samples looked at together */

/* All values in steps of the instrument: for sound, tenths of dB. */
struct liveliness_config {
    int32_t jump;    /* a step this large starts a new level */
    int jumps, of;   /* so many jumps in so many samples: a source that is switched */
    int least, most; /* samples for the spread of now; most <= LIVELINESS_MAX */
    int32_t alive;   /* standard deviation from here on: alive */
    int steady_n;    /* samples for steady, at most LIVELINESS_MAX */
    int32_t steady;  /* standard deviation below this: steady */
};

struct liveliness {
    struct mofn jumps;
    bool is_switched;
    bool has_last;
    uint8_t n, head; /* samples in the ring; where the next one goes */
    int16_t ring[LIVELINESS_MAX];
};

void liveliness_push(const struct liveliness_config *c, struct liveliness *l, int16_t x);
/* The sequence breaks: the next sample starts a level without being a jump. */
void liveliness_break(struct liveliness *l);
bool liveliness_is_alive(const struct liveliness_config *c, const struct liveliness *l);
bool liveliness_is_steady(const struct liveliness_config *c, const struct liveliness *l);
/* The `back`-th newest of the level, from 0; back < n. */
int16_t liveliness_at(const struct liveliness *l, int back);
