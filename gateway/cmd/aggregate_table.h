/* SPDX-License-Identifier: Apache-2.0 */
/* aggregate_table - a table of values formed into periods: what `sluice aggregate` does. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rules/agg/plan.h"

enum { AGGREGATE_PERCENTILES_MAX = 16 };

enum aggregate_form { AGGREGATE_CSV, AGGREGATE_JSON, AGGREGATE_WIDE };

struct aggregate_job {
    enum agg_period period;
    bool has_how; /* else by the quantity that a column is named by */
    enum aggregate how;
    int64_t interval_ms; /* 0: the middle step of the table */
    int64_t zone_ms;
    struct agg_settings settings;
    double percents[AGGREGATE_PERCENTILES_MAX];
    unsigned percents_n;
    int decimals;
    double valid_share; /* NaN: by the quantity's standard, else 0.75 */
    bool is_end_labelled;
    enum aggregate_form form;
    const char *const *names; /* of the columns, when the table has no heading */
    size_t names_n;
};

/* Returns an exit code; errors are told on standard error with line and column. */
int aggregate_table_run(const struct aggregate_job *job, FILE *in, FILE *out);
