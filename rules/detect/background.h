/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background - L90 and L50 of what was accepted lately: a histogram in bins of 0.5 dB whose
 * counts are halved when the window is full, so that it remembers window / 2 to window samples.
 * Each percentile keeps its bin and the count below it; a sample moves them by a bin or two.
 *
 * Whoever uses it tells quiet samples to learn and loud ones to freeze: an event does not
 * become background while it lasts. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    BACKGROUND_BINS = 300,      /* 150 dB: more than any instrument spans */
    BACKGROUND_WINDOW_MAX = 600 /* samples */
};

struct background_config {
    double low;          /* of the range, dB */
    uint16_t window;     /* samples, at most BACKGROUND_WINDOW_MAX */
    uint16_t enough;     /* samples before it is believed */
    uint16_t stale;      /* lost samples behind which it says nothing of now */
    uint16_t frozen_max; /* loud samples behind which it says nothing of now */
};

struct background_percentile {
    uint16_t bin, below; /* samples in the bins under `bin` */
};

struct background {
    uint16_t n;            /* samples in the histogram */
    uint16_t frozen, lost; /* since the last one learnt */
    bool is_known;
    struct background_percentile l90, l50;
    uint16_t count[BACKGROUND_BINS];
};

void background_start(struct background *b);
/* `level`: finite. What lies outside the bins counts at their ends. */
void background_learn(const struct background_config *c, struct background *b, double level);
/* A loud sample: not learnt. */
void background_freeze(const struct background_config *c, struct background *b);
/* A sample that says nothing: missing or faulty. */
void background_lose(struct background *b);
/* Before something is compared with it: one from before a long loss says nothing of now. */
void background_refresh(const struct background_config *c, struct background *b);

/* Only while is_known: the level exceeded 90 % and 50 % of the time. */
double background_l90(const struct background_config *c, const struct background *b);
double background_l50(const struct background_config *c, const struct background *b);
