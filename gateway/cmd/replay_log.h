/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_log - the readings that a station's log holds as those of a replay: each device's
 * stream in its order, merged by time. The log may be that of a running station, or a copy;
 * nothing is written to it.
 *
 * Values are those of the log, calibrated; what the instrument and the clock said of them
 * stays, what checks found is left out, for they are run anew. Values as read come from the raw
 * stream of the device, where there is one.
 */
#pragma once

#include "gateway/cmd/replay_source.h"
#include "gateway/table.h"

struct replay_log_options {
    const char *path;
    int64_t from_ms, to_ms; /* from <= time < to */
    const char *command;    /* who complains: "replay" */
};

/* The table of channels must outlive it. 0, -EINVAL: told on standard error, or -ENOMEM. */
int replay_log_open(const struct replay_log_options *o, const struct table *t,
                    struct replay_source *ret);

/* Of a flag in a log: what is known of the sample without the checks. */
struct verdict replay_log_verdict(uint32_t flag, bool has_value);
