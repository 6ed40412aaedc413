/* SPDX-License-Identifier: Apache-2.0 */
/* export_write - what sluice export writes: tables, line protocol, frames, events; to one
 * output or to a file for each stream. */
#pragma once

#include <stdio.h>

#include "gateway/cmd/export_read.h"
#include "gateway/cmd/series_csv.h"
#include "gateway/uplink/line_protocol.h"

struct export_format {
    const char *name;   /* of --format */
    const char *ending; /* of files: ".csv" */
    struct export_sink sink;
};

/* Events as they are stored, a line each. */
extern const struct export_sink export_events;

/* NULL when there is none of this name. */
const struct export_format *export_format_find(const char *name);

struct export_writer {
    const struct export_format *format;
    struct csv_form form;
    bool has_header, has_flags;
    const char *folder; /* NULL: everything goes to `out` */
    const char *station;
    bool is_force; /* files that are there are replaced */
    FILE *out;
    char name[STORE_NAME_MAX + 16];     /* of the file in the folder */
    bool has_begun;                     /* something is in `out` */
    const struct export_layout *layout; /* of the row before */
    struct line_layout *lines;          /* of it; NULL: it cannot be said in line protocol */
    struct buf text;
    /* not said in line protocol: times before 1970, dictionaries that are lost or name what it
     * cannot carry */
    uint64_t rows_refused, rows_unnamed;
    char why[320]; /* after a failure: a sentence */
};

void export_writer_begin(struct export_writer *w);
/* Writes what is left and closes files of the folder. 0 or a negative errno. */
int export_writer_end(struct export_writer *w);
/* After all frames: no frame at all is a file without frames, not an empty one. */
int export_writer_frames_end(struct export_writer *w);
/* In a folder: what comes from now on goes to this file, made when something comes. */
int export_writer_next(struct export_writer *w, const char *name, const char *ending);
