/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_table - a table of named columns: "time,roof/ozone,..." and rows in the form of
 * series_csv.h, read as a whole or row by row. What is wrong is told on standard error with
 * line and column, in the user's language.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gateway/cmd/series_csv.h"

enum { CSV_COLUMNS_MAX = 256, CSV_NAME_MAX = 96 };

struct csv_table {
    const char *command; /* "qc": who complains */
    const char *file;    /* of what; NULL: only one there can be */
    FILE *in;
    uint64_t line; /* its number; 1 behind the reading, for complaints of the heading */
    struct csv_form form;
    bool has_form;
    bool is_ahead; /* row by row: the first one is read already */
    unsigned columns;
    char (*names)[CSV_NAME_MAX];
    int64_t *time_ms;
    struct series_cell *cells; /* columns of a row side by side */
    size_t rows, rows_cap;
    char *text;
    size_t text_cap;
};

/* `names` of the columns, where the table has no heading. 0, -EINVAL: told, or -ENOMEM. */
int csv_table_read(struct csv_table *t, const char *const *names, size_t names_n);

/* Or row by row: the heading; then in time_ms[0] and the first cells the next row. 1, or 0
 * behind the last. */
int csv_table_begin(struct csv_table *t, const char *const *names, size_t names_n);
int csv_table_next(struct csv_table *t);
void csv_table_done(struct csv_table *t);

/* The middle one of all steps of time; 0 with fewer than two rows; -ENOMEM. */
int64_t csv_table_interval(const struct csv_table *t);

/* "sluice qc: line 3, column 2: en, found 'x'." column 0: the line as a whole. `found` may be
 * NULL. Returns -EINVAL. */
int csv_table_complain(const struct csv_table *t, unsigned column, const char *en,
                       const char *zh, const char *found, size_t n);

/* The exit code of 0 or a negative errno; tells what was not told yet. */
int csv_table_exit_code(const struct csv_table *t, int rc);
