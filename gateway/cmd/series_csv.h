/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series_csv - a table of times and cells as text: "time,cell,cell,...", a line a row.
 *
 * Time is Unix seconds (with up to three decimals), Unix milliseconds or ISO 8601 UTC; which of
 * them, and every detail of how, is its form, so that what was read can be written back byte
 * for byte. A cell is empty (missing), a number, "nan", or "x" and the 16 hexadecimal digits of
 * a double; ";7" behind it is its flag.
 */
#pragma once

#include <stdbool.h>

#include "gateway/base/buf.h"
#include "gateway/series/series.h"

enum csv_times { CSV_SECONDS, CSV_MILLISECONDS, CSV_ISO, CSV_TIMES_COUNT_ };

struct csv_form {
    enum csv_times times;
    int decimals;  /* of seconds, 0..3 */
    int separator; /* ISO: index into "T ", between date and time of day */
    int zone;      /* ISO: index into "Z", "", "+00:00" */
    bool is_crlf;
};

/* The form of a first time. Returns 0, or -EINVAL when it is none of them. */
int csv_form_guess(const char *text, size_t n, struct csv_form *ret);

/* Returns 0, -EINVAL when the text has another form, -ERANGE beyond what frames can hold. */
int csv_time_parse(const struct csv_form *f, const char *text, size_t n, int64_t *ret_ms);
void csv_time_print(const struct csv_form *f, int64_t ms, struct buf *out);

/* *ret_is_exact: printing gives the same text again; NULL: nobody asks. */
int csv_cell_parse(const char *text, size_t n, struct series_cell *ret, bool *ret_is_exact);
/* is_stripped: without zeros at its end. */
void csv_cell_print(const struct series_cell *c, bool is_stripped, struct buf *out);

/* False for 2.50 and 2.0. */
bool csv_cell_is_stripped(const struct series_cell *c);

/*
 * A table has no dictionary of channels, and its form must be known again: the layout number of
 * its frames is that of a small document which says the form. csv_form_find() tries them all;
 * false when the frames are not of such a table.
 */
uint32_t csv_form_layout(const struct csv_form *f, unsigned columns);
bool csv_form_find(uint32_t layout, unsigned columns, struct csv_form *ret);
