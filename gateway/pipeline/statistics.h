/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statistics - what the files of the statistics share. Nobody else includes it.
 *
 * A group is one accumulation of one channel over one period; its figures are columns of the
 * period's stream ("@1h", "@1h.l90"). Groups up to the hour take samples; those of 8 h and days
 * take rows of shorter periods, as they stand in the log: so a restart, which reads those rows
 * again, cannot come to another result than the run before it.
 */
#pragma once

#include "gateway/pipeline/internal.h"
#include "rules/agg/statistic.h"

#define NO_GROUP UINT32_MAX

struct group {
    struct agg_statistic s;
    uint32_t source; /* the reading */
    uint32_t stream; /* index of the period's */
    uint32_t from;   /* the group whose rows it takes; NO_GROUP: samples */
    uint32_t next;   /* another of the same `from`; NO_GROUP: the last */
    uint32_t first;  /* that takes its rows; NO_GROUP: none does */
};

struct statistics {
    struct group *groups;
    size_t n;
    uint32_t *of;               /* per channel: its group; NO_GROUP: a reading */
    uint8_t *figure;            /* per channel */
    struct agg_config *configs; /* each once */
    size_t configs_n;
    void *extras;     /* what groups need besides, in one piece */
    uint32_t *takers; /* groups that take the samples of a channel, by channel */
    size_t columns;   /* of all its streams */
    bool is_restored; /* and not gone on yet */
};

/* statistics_groups.c: made of the channels' names. 0 or -ENOMEM. */
int groups_init(struct pipeline *p);

/* What a row of the stream adds to longer periods. */
void groups_feed(struct pipeline *p, uint32_t stream, int64_t time_ms,
                 const struct series_cell *cells);

/* Labels of 8 h are so much earlier than the hour that completes them. */
int64_t statistics_lag(const struct pipeline *p, uint32_t stream);
