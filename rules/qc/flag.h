/* SPDX-License-Identifier: Apache-2.0 */
/* flag - the verdict of one test on one sample, as QARTOD numbers it. */
#pragma once

#include <math.h>
#include <stdint.h>

enum qc_flag {
    QC_NONE = 0, /* no verdict yet: the test waits for the next sample */
    QC_GOOD = 1,
    QC_NOT_EVALUATED = 2,
    QC_SUSPECT = 3,
    QC_FAIL = 4,
    QC_MISSING = 9
};

#define QC_NO_TIME INT64_MIN /* of a sample whose time is missing */

/* Of several tests on a sample: fail > suspect > good > not evaluated > missing. */
enum qc_flag qc_flag_merge(enum qc_flag a, enum qc_flag b);

/* A limit is never applied that is NaN; bounds themselves lie inside. */
struct qc_span {
    double min, max;
};

#define QC_OPEN_SPAN ((struct qc_span){ NAN, NAN })

/* In order, however they were written. */
static inline struct qc_span qc_span_of(double a, double b)
{
    return a > b ? (struct qc_span){ b, a } : (struct qc_span){ a, b };
}

static inline int qc_is_outside(struct qc_span s, double x)
{
    return x < s.min || x > s.max;
}
