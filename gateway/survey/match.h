/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match - which instrument of the library is the unknown one at the other end?
 *
 * Pure: match_next() says what to ask, the owner asks, match_take() remembers. First what the
 * device says of itself (identification objects, then the identification registers of the
 * library), then, unless that settles it, the registers of every profile that is still
 * possible: a profile whose registers are all there and hold plausible values is likely. Scores
 * are in bits of evidence, roughly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/bus/bus.h"
#include "sensors/profile/identify.h"

enum {
    MATCH_FACTS_MAX = 200, /* requests spent on one device: some seconds */
    MATCH_SILENT_MAX = 4, /* a device that is silent on what it does not know is not asked on */
    MATCH_BEST = 3,       /* candidates shown */
    MATCH_LIKELY_BITS = 5, /* least evidence for a stanza without a needed test */
    MATCH_CLEAR_BITS = 7,  /* least lead: more than one plausible register can give */
    MATCH_TEXT_MAX = 64,
};

struct match_fact {
    uint8_t function;
    uint16_t first, count;
    enum bus_outcome outcome;
    uint8_t exception;
    uint16_t *words; /* with BUS_OK of a read */
    char *text;      /* with BUS_OK of an identification */
};

struct match_serial { /* where it was found; baud 0: not on a serial line */
    int baud;
    char format[4]; /* "8N1" */
};

struct match_candidate {
    const struct profile *profile;
    struct identify_score identity;
    int bits;
    int line_bits;            /* of them: found where such instruments leave the factory */
    size_t fitting, required; /* points that hold a plausible value; that must be there */
    size_t exact_hits;        /* tests for one text or one number other than 0 that hold */
    bool is_default;          /* it was found at the factory settings */
};

struct match {
    const struct profile *const *profiles;
    size_t profiles_n;
    struct match_serial serial;
    uint8_t unit;
    bool is_tcp; /* profiles without such a transport do not come into question */
    struct match_fact facts[MATCH_FACTS_MAX];
    size_t facts_n, silent;
};

void match_init(struct match *m, const struct profile *const *profiles, size_t profiles_n);
void match_done(struct match *m);

/* False when nothing is left that could tell more. Unit and function, first, count are set. */
bool match_next(const struct match *m, struct bus_request *ret);

/* 0 or -ENOMEM; then nothing is remembered. */
int match_take(struct match *m, const struct bus_request *q, const struct bus_reply *r);

/* The best candidates, best first; how many. */
size_t match_best(const struct match *m, struct match_candidate best[MATCH_BEST]);

/* Good enough to write a stanza of it without asking anybody. */
bool match_is_likely(const struct match_candidate *c);

/* Whether the first of match_best() may be polled without a look at it: by what it answers it
 * is clearly ahead of the others, and by more than one register that many instruments have. n
 * is at least 1. */
bool match_is_certain(const struct match_candidate *best, size_t n);

/* What the device says of itself, printable: "AQT530"; "" when nothing. */
void match_product(const struct match *m, char *buf, size_t size);
