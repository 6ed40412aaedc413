/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_json - lines as the JSON lines of VictoriaMetrics' /api/v1/import: one object per
 * series,
 * {"metric":{"__name__":"ozone_v","dev":"roof","station":"s"},"values":[41.2],"timestamps":[T]}.
 * No part of such a line is one, so a request that breaks off leaves nothing false behind; of a
 * line of line protocol many parts are lines, with another value or at another time.
 *
 * Series get the names and labels that VictoriaMetrics gives the lines themselves, numbers keep
 * their text. Pure; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"

struct line_json_names {        /* how the server names series */
    const char *separator;      /* between measurement and field: "_" */
    const char *database_label; /* "db"; not added to lines that have a tag of this name */
    const char *database;       /* its value; NULL or empty: no such label */
    bool skips_measurement;     /* the field alone is the name */
    bool skips_single_field;    /* of a line with one field the measurement is the name */
};

struct line_json;

struct line_json *line_json_create(void); /* NULL: memory is short */
void line_json_destroy(struct line_json *j);

/*
 * Appends all of `lines` (as line_write_point() makes them, each with its newline and time) to
 * `out`; the same bytes for the same lines. -EINVAL when a field is no number or a line is
 * malformed, -ENOMEM, -ENOSPC when `out` is full: `out` is then as before.
 */
int line_json_write(struct line_json *j, const char *lines, size_t size,
                    const struct line_json_names *names, struct buf *out);
