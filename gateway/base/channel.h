/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - one quantity of one device, or one statistic of it. The station's channels are one
 * constant table, made by app.c from the configuration; everybody else holds indices into it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/quantity.h"

struct channel {
    const char *id;        /* "roof-o3/ozone", "roof-o3/ozone@1h", "…@1h.max" */
    const char *device;    /* "roof-o3" */
    const char *point;     /* "ozone": the profile's point id */
    const char *statistic; /* NULL: a reading; "1min", "1h", "1h.max" */
    const struct quantity *quantity;
    int64_t period_ms; /* poll interval, or the statistic's period */
    int decimals;      /* -1: as the instrument writes */
    uint32_t stream;   /* number in the log */
    uint32_t column;
    uint32_t source; /* a statistic's reading: its index; else its own */
    bool is_index;   /* a statistic of several readings, its own source */
};

/* A stream: channels[first .. first + n) in column order. */
struct channel_stream {
    const char *name; /* "dev.roof-o3", "stat.1min.0": stable, the log keys its number by it */
    uint32_t number;  /* given by the log */
    uint32_t first, n;
    int64_t period_ms; /* from row to row: of running 8 h, an hour */
};

struct channel_table {
    const char *station;
    const struct channel *channels;
    size_t n;
    const struct channel_stream *streams;
    size_t streams_n;
    int64_t zone_ms; /* east of UTC: periods begin at full ones of it */
};
