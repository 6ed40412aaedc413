/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_read - walks a log stream by stream, rows or stored frames in the order they were
 * accepted, and says what cannot be read.
 */
#pragma once

#include "gateway/cmd/export_log.h"

struct export_sink {
    bool takes_frames;   /* frame() instead of row() */
    bool is_for_uplinks; /* local streams are left out */
    int (*begin)(void *user, const struct export_stream *s);
    int (*row)(void *user, const struct export_layout *l, int64_t time_ms,
               const struct series_cell *cells);
    int (*frame)(void *user, const struct store_entry *e);
    int (*event)(void *user, const struct store_entry *e);
};

struct export_walk {
    struct export_log *log;
    int64_t from, to; /* from <= time < to */
    bool is_salvage;  /* the table alone, whatever the indexes say */
    const struct export_sink *sink;
    void *user;
    void (*progress)(void *user, uint64_t done, uint64_t total, const char *what);
    void (*trouble)(void *user, const char *sentence); /* something cannot be read */
};

struct export_counts {
    uint64_t streams, rows, values, frames, events;
    uint64_t rows_unsealed;   /* that a sink for frames did not get */
    uint64_t frames_orphaned; /* not decoded: retention took those before them */
    uint64_t troubles;
};

/* 0, or the first negative errno of the sink or for want of memory. */
int export_walk_streams(struct export_walk *w, struct export_counts *counts);
int export_walk_events(struct export_walk *w, struct export_counts *counts);
