/* SPDX-License-Identifier: Apache-2.0 */
/* backtest_show - what a back-test counted: as a table, as JSON, and to paste beside a rule. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "gateway/cmd/backtest.h"

struct backtest_span {
    const struct config *config;
    int64_t first_ms, last_ms; /* of what was replayed */
};

void backtest_print(const struct backtest *b, const struct backtest_span *s, FILE *out);

/* A new object; NULL without memory. The same of the same replay: no clock is in it. */
json_t *backtest_json(const struct backtest *b, const struct backtest_span *s);
