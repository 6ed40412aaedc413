/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag - what is wrong in the files of a configuration: all of it, each with its place.
 *
 * One message prints as
 *     FILE:LINE:COL: error: what is wrong, what was found, what is allowed  [E012]
 *       the source line
 *           ^~~
 * Codes are listed in errors.def and never reused. Columns count characters, not bytes. Main
 * thread, at start and reload.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sensors/core/field.h"

enum {
    DIAG_MESSAGES_MAX = 1000, /* further ones are counted, not kept: nobody reads more */
    DIAG_TEXT_MAX = 1024,     /* bytes of one message; a longer one is cut and ends in "..." */
    DIAG_LINE_MAX = 120,      /* characters shown of a source line, around the place */
    DIAG_SHOWN_MAX = 48,      /* characters of a value quoted in a message */
    DIAG_SHOWN_BYTES = 4 * DIAG_SHOWN_MAX + 4 /* a buffer that holds them */
};

struct diag;

int diag_create(struct diag **ret);
void diag_destroy(struct diag *d);

enum diag_code { /* numbers are contract: sluice explain E### */
#define ERROR_CODE(name, number, text) name = (number),
#include "gateway/conf/errors.def"
#undef ERROR_CODE
};

/* `mark` tells the place, `width` how many columns the caret line underlines (0: one). The
 * source line comes from the text given to diag_add_source(). A full sentence without a final
 * period in `format`. */
void diag_error(struct diag *d, struct field_mark mark, int width, enum diag_code code,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
void diag_warning(struct diag *d, struct field_mark mark, int width, enum diag_code code,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

size_t diag_errors(const struct diag *d);
size_t diag_warnings(const struct diag *d);

/* A file that was read, for the closing line "2 errors in 1 of 3 files". Messages stand in the
 * order in which files became known. */
void diag_note_file(struct diag *d, const char *path);

/* The text behind a name, to show source lines from; copied. Says nothing about files read. */
void diag_add_source(struct diag *d, const char *name, const char *text, size_t size);

/* The text there is a secret: shown as asterisks in source lines. What stands behind
 * "password:", "token:" and the like is hidden in any case. */
void diag_hide(struct diag *d, struct field_mark mark, int width);

/* All messages, sorted by file and line, and the closing line; nothing when there is none. */
void diag_print(const struct diag *d, FILE *out);

struct diag_message {
    struct field_mark mark; /* file NULL: concerns no file */
    int width;
    enum diag_code code;
    bool is_warning;
    const char *text;
};

/* The messages one by one, sorted; they live as long as `d` gets no further ones. */
size_t diag_count(const struct diag *d);
struct diag_message diag_get(const struct diag *d, size_t i);

/* The nearest of `words` (closed by NULL) to `word` by edit distance, NULL when none is near.
 */
const char *nearest_word(const char *word, const char *const *words);
