/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag - what is wrong in the files of a configuration: all of it, each with its place.
 *
 * One message prints as
 *     FILE:LINE:COL: error: what is wrong, what was found, what is allowed  [E012]
 *       the source line
 *           ^~~
 * Codes are listed in errors.def and never reused. Main thread, at start and reload.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "sensors/core/field.h"

struct diag;

int diag_create(struct diag **ret);
void diag_destroy(struct diag *d);

enum diag_code { /* numbers are contract: sluice explain E### */
#define ERROR_CODE(name, number, text) name = (number),
#include "gateway/conf/errors.def"
#undef ERROR_CODE
};

/* `mark` tells the place, `width` how many columns the caret line underlines (0: one). The source
 * line is taken from the file itself. A full sentence without a final period in `format`. */
void diag_error(struct diag *d, struct field_mark mark, int width, enum diag_code code,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
void diag_warning(struct diag *d, struct field_mark mark, int width, enum diag_code code,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

size_t diag_errors(const struct diag *d);
size_t diag_warnings(const struct diag *d);

/* A file that was read, for the closing line "2 errors in 1 of 3 files". */
void diag_note_file(struct diag *d, const char *path);

/* All messages, sorted by file and line, and the closing line. */
void diag_print(const struct diag *d, FILE *out);

/* The nearest of `words` (closed by NULL) to `word` by edit distance, NULL when none is near. */
const char *nearest_word(const char *word, const char *const *words);
