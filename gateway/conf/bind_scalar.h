/* SPDX-License-Identifier: Apache-2.0 */
/* bind_scalar - one text into one member, by its field; private to bind. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gateway/conf/arena.h"
#include "gateway/conf/diag.h"
#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"
#include "sensors/core/field.h"

enum { SCALAR_TEXT_MAX = 512 };

struct scalar_problem {
    enum diag_code code;
    char text[SCALAR_TEXT_MAX]; /* a sentence */
};

/* 0, -ENOMEM, -EINVAL (not such a value) or -ERANGE (one, but outside [min, max]: *dest is
 * set). The problem is filled for the last two. */
int bind_scalar(const struct field *f, const char *text, struct arena *a, void *dest,
                struct scalar_problem *ret);

/* "a duration such as 10s": what a field takes. */
void bind_expected(const struct field *f, char *out, size_t size);

/* "a, b or c" of words closed by NULL; many are cut short. Returns `out`. */
const char *bind_join(const char *const *words, char *out, size_t size);

/* The text of a secret's file without its last newline. A relative path starts at the folder of
 * `config_file`. 0, -ENOMEM, or -EINVAL with the problem; *ret_is_warning: done, but all may
 * read the file, as the problem says. */
int bind_read_secret(const char *config_file, const char *path, struct arena *a, char **ret,
                     bool *ret_is_warning, struct scalar_problem *ret_problem);
