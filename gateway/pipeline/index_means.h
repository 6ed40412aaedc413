/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_means - the newest 24 means of each pollutant as they stand in the log, and what an
 * index takes of them: the mean itself, running ones, the largest of a day, the NowCast. Where
 * they are not at hand (after a start, a step of the clock), they are read from the log, also
 * from before a change of the channels. Nobody outside this folder includes it.
 */
#pragma once

#include "gateway/pipeline/internal.h"

enum { INDEX_MEANS_KEPT = 24 }; /* the longest mean of a report of the hour */

struct period_mean { /* of one hour or day, as its row has it */
    int64_t label_ms;
    struct decimal value;
    struct verdict verdict;
};

struct index_means {
    const struct pipeline_index *index;
    int64_t step_ms;                              /* from one mean to the next */
    int64_t report_ms;                            /* the period that is judged */
    uint32_t stream[INDEX_POLLUTANTS];            /* of the means */
    struct period_mean (*kept)[INDEX_MEANS_KEPT]; /* the place is the number modulo 24 */
    int64_t formed_ms;                            /* the newest period that was formed */
};

/* 0 or -ENOMEM. */
int index_means_init(struct index_means *m, const struct pipeline *p,
                     const struct pipeline_index *ix);
void index_means_done(struct index_means *m);

/* What a row of the stream adds. */
void index_means_feed(struct index_means *m, const struct pipeline *p, uint32_t stream,
                      int64_t time_ms, const struct series_cell *cells);

/* What the period that began at label_ms needs is there, as far as the log has it. */
void index_means_complete(struct index_means *m, struct pipeline *p, int64_t label_ms);

/* For a column of the scheme. Without enough hours it is missing. */
struct index_input index_means_input(const struct index_means *m, const struct pipeline *p,
                                     const struct index_column *c, int64_t label_ms);
