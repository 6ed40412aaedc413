/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower - ES6 and later, as codecs use it, rewritten to the ES5 that Duktape 2.7 runs (facts:
 * payload-codecs section 4). Pure.
 *
 * Rewrites in place: the lines of the result are those of the source, so messages of the engine
 * fit the user's file. A source that needs nothing comes back byte for byte. What cannot be
 * rewritten without changing its meaning is refused with line, column and reason; nothing is
 * guessed. Deterministic; bounded in memory and depth for any input.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOWER_SOURCE_MAX = 256 << 10 }; /* bytes */

enum lower_feature { /* bits: found in a source */
                     LOWER_LET = 1 << 0,
                     LOWER_CONST = 1 << 1,
                     LOWER_ARROW = 1 << 2,
                     LOWER_TEMPLATE = 1 << 3,
                     LOWER_SPREAD = 1 << 4,
                     LOWER_DESTRUCTURING = 1 << 5,
                     LOWER_DEFAULT = 1 << 6,
                     LOWER_REST = 1 << 7,
                     LOWER_FOR_OF = 1 << 8,
                     LOWER_OBJECT_SPREAD = 1 << 9,
                     LOWER_OPTIONAL_CHAIN = 1 << 10,
                     LOWER_NULLISH = 1 << 11,
                     LOWER_BARE_CATCH = 1 << 12,
                     LOWER_TRAILING_COMMA = 1 << 13,
                     LOWER_NUMERIC_SEPARATOR = 1 << 14,
};

struct lower_result {
    char *text; /* free(); NULL when refused; closed by 0 */
    size_t size;
    unsigned found; /* enum lower_feature */
    bool is_unchanged;
    int line, column; /* of what is refused, from 1 */
    char why[200];    /* a full sentence; "" when nothing is refused */
};

/* 0, -EINVAL (refused: see ret), -ENOMEM, -E2BIG (beyond limits: see ret). */
int lower_source(const char *source, size_t size, struct lower_result *ret);
/* "arrow functions", for sluice codec check. */
const char *lower_feature_name(enum lower_feature f);
