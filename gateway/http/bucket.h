/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bucket - rows of a channel, thinned to a number of points by their mean, smallest and
 * largest. Pure, one thread at a time.
 */
#pragma once

#include "gateway/base/buf.h"
#include "sensors/core/sample.h"

struct row {
    int64_t time_ms;
    struct decimal value;
    uint8_t grade; /* enum grade */
};

/* A value that may be averaged and drawn as measured: good, not evaluated, suspect. */
static inline bool row_is_usable(const struct row *r)
{
    return decimal_has_value(r->value) && r->grade < GRADE_BAD;
}

/* [ms,value,"grade"],... of all rows. */
void rows_put(struct buf *b, const struct row *rows, size_t n);

/* [ms,mean,min,max,"grade"],... of at most `points` equal buckets of from..to; ms is the
 * bucket's middle, digits the decimals of the mean. A bucket without a usable row has null and
 * its worst grade; a bucket without a row is left out. */
void buckets_put(struct buf *b, const struct row *rows, size_t n, int64_t from, int64_t to,
                 unsigned points, int digits);
