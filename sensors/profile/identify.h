/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identify - does the device at the other end look like this profile?
 *
 * Pure: whoever asks the device (scan, test, poll) tells what came. Device-profiles facts,
 * section 5: a test marked `need` must hold, every other hit adds one to the score.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sensors/profile/profile.h"

/* What the device answered to one test. */
struct identify_answer {
    enum {
        ANSWER_NONE,    /* not asked, or no answer: nothing is known */
        ANSWER_REFUSED, /* an exception: it has no such register or object */
        ANSWER_WORDS,   /* registers: at.count words in host order, bits 0 or 1 */
        ANSWER_TEXT,    /* an MEI object */
    } kind;
    const uint16_t *words;
    const char *text;
};

/* Whether one test holds: 1 yes, 0 no, -1 nobody knows. */
int identify_test(const struct profile *p, const struct profile_identify *test,
                  const struct identify_answer *a);

struct identify_score {
    size_t needed, needed_hits; /* tests with `need` */
    size_t others, other_hits;
    size_t unknown;
    bool is_match;    /* every needed one holds and there is one */
    bool is_possible; /* nothing speaks against it */
};

/* answers[p->identify_n]. A profile without a needed test never matches alone. */
void identify_score(const struct profile *p, const struct identify_answer *answers,
                    struct identify_score *ret);

/* What the device said to one test, for people: "AQT530", "633"; "" without an answer. */
void identify_print(const struct profile *p, const struct profile_identify *test,
                    const struct identify_answer *a, char *buf, size_t size);
