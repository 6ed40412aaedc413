/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_count - what a finished demonstration amounts to: read from the station's log and from
 * the centre's database, each by its own means, so that the two can be compared. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/cmd/demo_fetch.h"
#include "sensors/core/quantity.h"

struct log_count {
    uint64_t accepted; /* samples, by the log's own counter of commits */
    uint64_t sealed;   /* samples in frames that go to the centre */
    uint64_t local;    /* values as read that stay in the station */
    uint64_t frames, events;
    uint64_t acked; /* entries that the uplink has confirmed */
    uint64_t raised[MEDIUM_COUNT_], cleared[MEDIUM_COUNT_]; /* alerts */
};

/* Opens the log at `path`, which nobody else has open. `uplink` NULL: no cursor to read. 0 or a
 * negative errno with a sentence in `error`. */
int count_log(const char *path, const char *uplink, struct log_count *ret, char *error,
              size_t size);

/* Samples in the VictoriaMetrics at `port`: every sample has a flag, so the flags are counted.
 * 0, or -EIO. */
int count_database(struct fetch *f, unsigned port, uint64_t *ret);

/* The table that closes a demonstration; returns whether the counts agree. */
bool count_print(const struct log_count *log, bool has_centre, uint64_t in_database);
