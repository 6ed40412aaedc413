/* SPDX-License-Identifier: Apache-2.0 */
/* aggregate_write - the periods of `sluice aggregate` as lines of CSV, JSON or one wide table.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/cmd/aggregate_table.h"
#include "gateway/cmd/csv_table.h"
#include "rules/agg/statistic.h"

struct aggregate_line { /* one period of one column */
    unsigned column;
    enum aggregate how;
    struct agg_figures figures;
    struct agg_figures nights;
    struct agg_result max8h;
    double percent[AGGREGATE_PERCENTILES_MAX];
    bool is_wind, has_nights, has_max8h;
};

struct aggregate_output {
    const struct aggregate_job *job;
    const struct csv_table *csv;
    FILE *out;
    struct buf text;
    struct csv_form form;
    struct aggregate_line *lines; /* not written yet */
    size_t n, cap;
    bool has_failed;
    bool is_max8h[CSV_COLUMNS_MAX]; /* of a day: its column of the wide table is that */
    bool shows[AGG_FIGURES], shows_percents; /* columns of the CSV */
};

/* The figures of such a line will have columns. Before aggregate_begin(). */
void aggregate_expect(struct aggregate_output *o, const struct aggregate_line *line);

/* Writes the heading. 0 or a negative errno, as all of these. */
int aggregate_begin(struct aggregate_output *o, const struct aggregate_job *job,
                    const struct csv_table *csv, FILE *out);
/* Takes a copy. */
void aggregate_put(struct aggregate_output *o, const struct aggregate_line *line);
/* Writes what was put, by time and column. */
int aggregate_flush(struct aggregate_output *o);
int aggregate_end(struct aggregate_output *o);
void aggregate_output_done(struct aggregate_output *o);
