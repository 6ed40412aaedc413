/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_log - what a log file holds, for sluice export: its streams, its layouts, and which of
 * their channels are wanted.
 */
#pragma once

#include <jansson.h>

#include "gateway/cmd/cmd.h"
#include "gateway/store/reader.h"

struct export_layout {
    uint32_t id, stream;
    json_t *dictionary; /* NULL: it cannot be read, the channels have made-up names */
    unsigned columns;
    char **channels;                     /* their ids */
    unsigned chosen[SERIES_COLUMNS_MAX]; /* columns */
    unsigned chosen_n;
};

struct export_stream {
    uint32_t number;
    char name[STORE_NAME_MAX];
    bool is_local;
};

struct export_log {
    struct store_reader *reader;
    const struct option_texts *globs;
    bool glob_matched[sizeof((struct option_texts *)0)->text / sizeof(char *)];
    struct export_stream *streams;
    size_t streams_n;
    struct export_layout **layouts;
    size_t layouts_n;
    bool is_damaged; /* streams or layouts could not all be read */
    bool has_failed; /* no memory */
};

/* globs: patterns of channel ids as for file names, '*' also matches '/'; none: all. 0 or a
 * negative errno with a sentence. */
int export_log_open(struct export_log *log, const char *path, const struct option_texts *globs,
                    char *error, size_t error_size);
void export_log_close(struct export_log *log);

/* False when a glob leaves out every channel that the stream ever had. */
bool export_log_wants(const struct export_log *log, uint32_t stream);

/* A layout that the log does not know gets columns named by their number. NULL without memory.
 */
const struct export_layout *export_log_layout(struct export_log *log, uint32_t id,
                                              uint32_t stream, unsigned columns);

/* A stream met in the entries alone. 0 or -ENOMEM. */
int export_log_note_stream(struct export_log *log, uint32_t number);

/* The station's id as its dictionaries have it; "" when there is none. */
const char *export_log_station(const struct export_log *log);

/* The first glob that no channel matches; NULL when there is none. */
const char *export_log_unmatched(const struct export_log *log);
