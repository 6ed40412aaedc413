/* SPDX-License-Identifier: Apache-2.0 */
/* test_report - what a test pass found, for people and as JSON. */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/cmd/test_pass.h"

enum test_verdict {
    TEST_GOOD,
    TEST_NOT_EVALUATED,
    TEST_UNCERTAIN,
    TEST_INVALID,
    TEST_CALIBRATION,
    TEST_MAINTENANCE,
    TEST_FAULT,
    TEST_MISSING,
    TEST_ABSENT, /* an option that this instrument does not have */
    TEST_VERDICT_COUNT_
};

struct test_tally {
    size_t devices, silent, disabled, strangers; /* strangers: another model than configured */
    size_t points[TEST_VERDICT_COUNT_];
};

/* One device: header, identification, a line per point. Adds to the tally. */
void test_report_print(const struct test_pass *t, size_t device, struct test_tally *tally,
                       FILE *out);
/* The same as one JSON object. */
void test_report_json(const struct test_pass *t, size_t device, struct test_tally *tally,
                      struct buf *b);

/* "1 device, 3 points: 1 good, 1 uncertain, 1 missing" */
void test_report_summary(const struct test_tally *tally, FILE *out);
void test_report_summary_json(const struct test_tally *tally, struct buf *b);

/* True when nothing is wrong. */
bool test_report_is_well(const struct test_tally *tally);
