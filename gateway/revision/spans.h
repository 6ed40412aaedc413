/* SPDX-License-Identifier: Apache-2.0 */
/* spans - a few stretches of time, sorted, none touching another. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPANS_MAX = 64
}; /* a failed check a day for two months; then the oldest are forgotten */

struct span {
    int64_t from, to; /* from <= t < to */
};

struct spans {
    size_t n;
    struct span at[SPANS_MAX];
};

void spans_add(struct spans *s, int64_t from, int64_t to);
/* How much of from..to they hold. */
int64_t spans_overlap(const struct spans *s, int64_t from, int64_t to);
bool spans_has(const struct spans *s, int64_t t);
