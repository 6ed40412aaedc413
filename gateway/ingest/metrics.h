/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics - a centre's state in the text format of Prometheus, version 0.0.4. Pure; time is an
 * argument.
 */
#pragma once

#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/ingest/centre.h"

struct metrics_more { /* what the centre does not know */
    bool is_connected;
    uint64_t inbox_dropped;
};

void metrics_write(struct buf *b, const struct centre *c, const struct metrics_more *more,
                   int64_t now_ms, int64_t wall_ms);

/* "" when all is well, else a sentence: what /healthz says. */
const char *metrics_trouble(const struct centre *c, const struct metrics_more *more);
