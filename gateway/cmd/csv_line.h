/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_line - the lines of a table as people and spreadsheets write it: with a byte order mark,
 * CR LF, quotes and blanks around a cell, empty lines, and comments that begin with '#'.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { CSV_LINE_MAX = 1 << 16 /* bytes; 256 values are far below */ };

/*
 * The next line that says something, without its end and closed by a zero byte; *line counts
 * all of them. Returns its length, -ENODATA behind the last one, -EMSGSIZE when it is longer
 * than CSV_LINE_MAX, -EILSEQ when it is not text, -EIO.
 */
ssize_t csv_line_read(FILE *in, char **text, size_t *cap, uint64_t *line);

struct csv_span {
    const char *p;
    size_t n;
};

/* Without blanks and quotes around it. */
struct csv_span csv_trim(const char *p, size_t n);
/* "NA", "-", "/": there is no value. An empty cell, too. */
bool csv_is_missing(struct csv_span s);
