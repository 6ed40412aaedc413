/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_write - what a replay leaves in its folder: flags.csv, statistics.csv and indices.csv
 * with a line a value, indices.json, alerts.json and events.json with an object a line.
 */
#pragma once

#include "gateway/base/channel.h"
#include "gateway/cmd/index_json.h"
#include "gateway/cmd/series_csv.h"
#include "sensors/core/status.h"

enum replay_output {
    REPLAY_FLAGS,
    REPLAY_STATISTICS,
    REPLAY_INDICES,
    REPLAY_INDEX_RESULTS,
    REPLAY_ALERTS,
    REPLAY_EVENTS,
    REPLAY_OUTPUTS_COUNT_
};

struct replay_writer;

struct replay_counts {
    uint64_t lines[REPLAY_OUTPUTS_COUNT_];
    uint64_t grades[GRADE_COUNT_]; /* of readings, also of those that are not written */
    uint64_t reasons[32];          /* by bit */
};

#define REPLAY_ALL   ((1u << REPLAY_OUTPUTS_COUNT_) - 1)
#define REPLAY_RULES (1u << REPLAY_ALERTS | 1u << REPLAY_EVENTS)

/* Makes the folder where there is none, and those of its files anew (bits by enum
 * replay_output; the rest goes nowhere). 0, -EIO: told on standard error, or
 * -ENOMEM. */
int replay_writer_open(const char *folder, const struct channel_table *t,
                       const struct csv_form *form, bool is_flagged_only, unsigned outputs,
                       struct replay_writer **ret);

/* `output` of the first three. */
void replay_write_value(struct replay_writer *w, enum replay_output output, uint32_t channel,
                        int64_t time_ms, const struct series_cell *cell);
/* As `sluice index` writes it. */
void replay_write_index(struct replay_writer *w, const struct index_json *as, int64_t time_ms,
                        const struct index_result *r);
void replay_write_event(struct replay_writer *w, const char *json);

/* True from the first one that failed. */
bool replay_writer_has_failed(const struct replay_writer *w);
const struct replay_counts *replay_writer_counts(const struct replay_writer *w);

/* Writes what is left. 0, -EIO: told, or -ENOMEM. Takes NULL. */
int replay_writer_close(struct replay_writer *w);

const char *replay_output_name(enum replay_output o); /* "flags.csv" */
