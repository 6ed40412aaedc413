/* SPDX-License-Identifier: Apache-2.0 */
/* qc_table - a table of text judged by the checks: what `sluice qc` reads and writes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gateway/cmd/csv_table.h"
#include "rules/qc/qc.h"

enum {
    QC_COLUMNS_MAX = CSV_COLUMNS_MAX,
    QC_NAME_MAX = CSV_NAME_MAX,
    QC_REFERENCES_MAX = 16, /* as many as the configuration takes */
};

struct qc_column {
    char name[QC_NAME_MAX];
    const struct quantity *quantity;
    struct qc_config config;
    bool is_configured; /* with all its peers, which are numbers for peer_name() */
    struct qc_relation relations[QC_RELATIONS_MAX];
    struct qc_reference references[QC_REFERENCES_MAX];
};

struct qc_job {
    /* Quantity and configuration of a column by its name, at the interval of the table. False:
     * no such channel. */
    bool (*find)(void *user, int64_t interval_ms, struct qc_column *column);
    const char *(*peer_name)(void *user, unsigned peer);
    void *user;
    const char *const *names; /* of the columns, when the table has no heading */
    size_t names_n;
    bool is_flagged_only; /* leave out what is good */
};

/* Returns an exit code; errors are told on standard error with line and column. */
int qc_table_run(const struct qc_job *job, FILE *in, FILE *out);
