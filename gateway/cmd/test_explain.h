/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain - one point of a test pass: its raw words, value, unit, verdict, and why. */
#pragma once

#include "gateway/cmd/test_report.h"

enum { TEST_WORDS_SHOWN = 4, TEST_CELL = 96, TEST_WHY = 240 };

struct test_row {
    char at[32], words[TEST_CELL], value[TEST_CELL], unit[TEST_CELL], why[TEST_WHY];
    enum test_verdict verdict;
    bool is_text;
    struct decimal number; /* in `unit`; missing when there is none */
};

void test_explain(const struct test_result *r, size_t point, struct test_row *ret);

/* "good", "uncertain" ...; for people in their language. */
const char *test_verdict_id(enum test_verdict v);
const char *test_verdict_word(enum test_verdict v);
